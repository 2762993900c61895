#pragma STDC FP_CONTRACT OFF
#include "quantizers.h"

#include <math.h>

#include "clones.h"

// Feature maps: one scale and zero point per sample (qkeras-mod's quantized_bits_featuremap).

// Partial minima and maxima, the same number whatever the vector width.
#define LANES 32
typedef float lanes __attribute__((vector_size(4 * LANES), aligned(4)));
typedef int32_t masks __attribute__((vector_size(4 * LANES), aligned(4)));

static const float tiny = 1e-7f;

#define SELECT(mask, a, b) ((lanes)(((mask) & (masks)(a)) | (~(mask) & (masks)(b))))

/// Smallest and largest of the values, of which those under 1e-7 count as 0.
BODY range(const float *x, size_t count, float *low, float *high) {
  float a = 0, b = 0;
  size_t i = 0;
  if (count >= LANES) {
    lanes lows = *(const lanes *)x, highs;
    lows = SELECT((lows < tiny) & (lows > -tiny), (lanes){0}, lows);
    highs = lows;
    for (i = LANES; i + LANES <= count; i += LANES) {
      lanes v = *(const lanes *)(x + i);
      v = SELECT((v < tiny) & (v > -tiny), (lanes){0}, v);
      lows = SELECT(v < lows, v, lows);
      highs = SELECT(v > highs, v, highs);
    }
    a = lows[0], b = highs[0];
    for (int k = 1; k < LANES; k++) {
      a = lows[k] < a ? lows[k] : a;
      b = highs[k] > b ? highs[k] : b;
    }
  } else if (count) {
    a = b = fabsf(x[0]) < tiny ? 0 : x[0];
  }
  for (; i < count; i++) {
    float v = fabsf(x[i]) < tiny ? 0 : x[i];
    a = v < a ? v : a;
    b = v > b ? v : b;
  }
  *low = a, *high = b;
}

static inline __attribute__((always_inline)) float away(float v) {
  return v > 0 ? floorf(v + 0.5f) : ceilf(v - 0.5f);
}

BODY map_loop(
  const float *x, float *y, size_t count, float scale, float zero, float limit, float noise,
  int mixes) {
  EACH for (size_t i = 0; i < count; i++) {
    float v = fabsf(x[i]) < tiny ? 0 : x[i];
    float z = away(v / scale + zero - 0.00001526f);
    z = z < -limit ? -limit : z;
    z = z > limit ? limit : z;
    float q = scale * (z - zero);
    y[i] = mixes ? v + noise * (q - v) : q;
  }
}

BODY shiftwork_map_body(
  const float *x, float *y, size_t count, float limit, int po2, float noise,
  float *map_scale) {
  float low, high;
  range(x, count, &low, &high);
  float max_abs = -low > high ? -low : high, scale = max_abs / limit, zero = 0;
  if (po2) {
    float floored = scale > 1e-38f ? scale : 1e-38f;
    scale = scale > 0 ? ldexpf(1, (int)rintf(logf(floored) / 0.69314718f)) : 1;
  }
  if (high != low) zero = away((high * -limit - low * limit) / (high - low));
  if (map_scale) *map_scale = scale;
  if (scale == 0) {  // only zeros, or too small for a scale: x / 0 counts as 0
    for (size_t i = 0; i < count; i++) y[i] = x[i] == x[i] ? 0 : x[i];
    return;
  }
  if (noise == 1) map_loop(x, y, count, scale, zero, limit, noise, 0);
  else map_loop(x, y, count, scale, zero, limit, noise, 1);
}

BODY shiftwork_map_gradient_body(
  const float *x, const float *upstream, float *gradient, size_t count, float factor) {
  EACH for (size_t i = 0; i < count; i++)
    gradient[i] = fabsf(x[i]) < tiny ? 0 : upstream[i] * factor;
}

BODY shiftwork_map_mask_body(const float *x, uint8_t *mask, size_t count) {
  EACH for (size_t i = 0; i < count; i++) mask[i] = fabsf(x[i]) < tiny ? 0 : 1;
}

BODY shiftwork_masked_gradient_body(
  const uint8_t *mask, const float *upstream, float *gradient, size_t count, float factor) {
  EACH for (size_t i = 0; i < count; i++) gradient[i] = mask[i] ? upstream[i] * factor : 0;
}

SHIFTWORK_DEFINE(
  shiftwork_map,
  (const float *x, float *y, size_t count, float limit, int po2, float noise,
   float *map_scale),
  (x, y, count, limit, po2, noise, map_scale))
SHIFTWORK_DEFINE(
  shiftwork_map_gradient,
  (const float *x, const float *upstream, float *gradient, size_t count, float factor),
  (x, upstream, gradient, count, factor))
SHIFTWORK_DEFINE(
  shiftwork_map_mask, (const float *x, uint8_t *mask, size_t count), (x, mask, count))
SHIFTWORK_DEFINE(
  shiftwork_masked_gradient,
  (const uint8_t *mask, const float *upstream, float *gradient, size_t count, float factor),
  (mask, upstream, gradient, count, factor))
