// Frames of sound to mel spectra and cepstra. Eight frames go through together, their values side by
// side as lanes, so that every loop is eight wide whatever a transform's length: value v of frame f
// lies at v * 8 + f. A frame's result does not depend on its neighbours.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "quantizers.h"

enum { ck_frames = 8 };

// A real Fourier transform of N samples by a complex one of N / 2, radix 4 behind a first pass of
// radix 4 or 8, in place. In double: librosa transforms in double too, and the quiet bins of a loud
// machine drown in float's rounding.
typedef struct {
  // N, a power of two of at least 32.
  size_t length;
  // So many samples are multiplied by `window`; the rest of the N counts as 0.
  size_t window_length;
  const double *window;
  // Where the first pass puts complex value n = samples 2n and 2n + 1 and what it transforms with it,
  // for n below N / 16, or N / 8 where N / 2 is an even power of two.
  const uint32_t *places;
  // Pass by pass after the first, value by value, cosine and sine of w, 2w, 3w: what the second to
  // the fourth input are turned by.
  const double *twiddles;
  // Cosine and sine of 2 pi k / N for k of 0...N / 4.
  const double *split;
} ck_fourier;

// Weighted sums over neighbouring bins.
typedef struct {
  size_t count;
  // The first bin of a sum and behind its last one's.
  const uint32_t *first, *end;
  // All sums' weights, one after the other.
  const float *weights;
} ck_bands;

// Magnitudes, or squares of them, of bins 0..<bins <= N / 2 + 1 of eight frames. `work` has N * 4
// values, and all here is aligned to 32 bytes.
SHIFTWORK_DECLARE(
  ck_spectra, const ck_fourier *fourier, const float *const frames[ck_frames], size_t bins,
  int squared, double *work, float *spectra)

// sums[b] = the band's weights times its bins.
SHIFTWORK_DECLARE(ck_band_sums, const ck_bands *bands, const float *spectra, float *sums)

// x = factor * ln(x + offset), for sums from 2^-126 to the largest number.
SHIFTWORK_DECLARE(ck_logarithms, float *x, size_t count, float offset, float factor)

// out[i] = the sum over j of matrix[i * columns + j] * x[j], in Double, eight frames side by side.
SHIFTWORK_DECLARE(
  ck_frame_products, const double *matrix, size_t rows, size_t columns, const float *x,
  float *out)

// Lanes to rows: the first `used` frames' values go to `count` neighbouring ones each, `stride` apart.
SHIFTWORK_DECLARE(
  ck_store_frames, const float *x, size_t count, size_t used, float *out, size_t stride)

// y = x / divisor.
void ck_divide(const float *x, float divisor, float *y, size_t count);

// The largest of one value or more.
float ck_largest(const float *x, size_t count);

// y = x / 32768, as libsndfile has it.
void ck_samples(const int16_t *x, float *y, size_t count);
