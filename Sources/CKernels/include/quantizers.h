// Fake quantizers: float32 in, the nearest representable float32 out. Every function allows
// x == y, allocates nothing, and gives the same bits on every processor: each exists once per
// instruction set, chosen at load time, and by name with _default, _avx2, _avx512f for the test
// that compares them.
//
// A weight tensor is rows x channels floats in C order. `mode` says what shares a scale:
//   0  each channel has its own;  1  the whole tensor has one;  2  each element ends with its own
//   (auto_po2 on one-dimensional tensors).
// `noise` mixes: y = x + noise * (q - x), 1 gives q. `scales`, where not NULL, gets the value of
// one code for each channel, once, or for each element.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define SHIFTWORK_DECLARE(name, ...) \
  void name(__VA_ARGS__);            \
  void name##_default(__VA_ARGS__);  \
  void name##_avx2(__VA_ARGS__);     \
  void name##_avx512f(__VA_ARGS__);

/// 1 where the processor can run the functions of this suffix: 0 default, 1 avx2, 2 avx512f.
int shiftwork_runs(int level);

/// y = factor * clip(round_half_even(x * multiplier), low, high).
SHIFTWORK_DECLARE(
  shiftwork_fixed, const float *x, float *y, size_t count, float multiplier, float low, float high,
  float factor, float noise)

/// y = x < 0 ? negative : positive.
SHIFTWORK_DECLARE(
  shiftwork_binary, const float *x, float *y, size_t count, float negative, float positive,
  float noise)

/// QKeras's alpha 'auto': scale max|x| / limit, codes round half away.
SHIFTWORK_DECLARE(
  shiftwork_auto, const float *x, float *y, size_t rows, size_t channels, int mode, float limit,
  float noise, float *scales)

/// QKeras's alpha 'auto_po2': five rounds of least squares, codes from before the last.
SHIFTWORK_DECLARE(
  shiftwork_auto_po2, const float *x, float *y, size_t rows, size_t channels, int mode,
  int integer, float limit, float noise, float *scales)

/// The best of three powers of two; codes round half to even, low <= code <= high.
SHIFTWORK_DECLARE(
  shiftwork_best_po2, const float *x, float *y, size_t rows, size_t channels, int mode, float low,
  float high, float noise, float *scales)

/// A feature map's sample with scale and zero point of its own; po2: the scale a power of two.
/// `map_scale`, where not NULL, gets the scale.
SHIFTWORK_DECLARE(
  shiftwork_map, const float *x, float *y, size_t count, float limit, int po2, float noise,
  float *map_scale)

/// Its two halves. Widens *low and *high to the smallest and largest of the values, of which those
/// under 1e-7 count as 0.
SHIFTWORK_DECLARE(shiftwork_map_range, const float *x, size_t count, float *low, float *high)

/// The codes of a sample whose values lie in low...high.
SHIFTWORK_DECLARE(
  shiftwork_map_codes, const float *x, float *y, size_t count, float low, float high, float limit,
  int po2, float noise, float *map_scale)

/// What it takes the values for: step * (code - zero), -limit <= code <= limit.
void ck_grid_of_map(float low, float high, float limit, int po2, float *step, float *zero);

/// auto, auto_po2 or best_po2 of a tensor whose channels have a scale each (mode 0 above), blocks of
/// channels in parallel.
typedef enum {
  shiftwork_kernel_auto,
  shiftwork_kernel_auto_po2,
  shiftwork_kernel_best_po2,
} shiftwork_kernel_kind;
typedef struct {
  shiftwork_kernel_kind kind;
  const float *x;
  float *y;
  size_t rows, channels;
  int integer;
  // The largest code.
  float limit;
  float noise;
  float *scales;
} shiftwork_kernel;
void shiftwork_quantize_kernel(const shiftwork_kernel *kernel);
