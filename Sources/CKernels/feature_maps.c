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

#define ALL(v) ((lanes){0} + (v))
#define SELECT(mask, a, b) ((lanes)(((mask) & (masks)(a)) | (~(mask) & (masks)(b))))

BODY shiftwork_map_range_body(const float *x, size_t count, float *low, float *high) {
  float a = *low, b = *high;
  size_t i = 0;
  if (count >= LANES) {
    lanes lows = (lanes){0} + a, highs = (lanes){0} + b;
    for (; i + LANES <= count; i += LANES) {
      lanes v = *(const lanes *)(x + i);
      v = SELECT((v < tiny) & (v > -tiny), (lanes){0}, v);
      lows = SELECT(v < lows, v, lows);
      highs = SELECT(v > highs, v, highs);
    }
    for (int k = 0; k < LANES; k++) {
      a = lows[k] < a ? lows[k] : a;
      b = highs[k] > b ? highs[k] : b;
    }
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

// Half away from zero for whole vectors: a value and half of its sign, cut off.
BODY map_vectors(
  const float *x, float *y, size_t count, float scale, float inverse, float zero, float limit,
  int multiplies) {
  for (size_t i = 0; i < count; i += LANES) {
    lanes v = *(const lanes *)(x + i);
    v = SELECT((v < tiny) & (v > -tiny), (lanes){0}, v);
    lanes p = (multiplies ? v * inverse : v / scale) + zero - 0.00001526f;
    lanes half = (lanes)(((masks)p & INT32_MIN) | 0x3f000000);  // copysign(0.5, p)
    lanes z = __builtin_elementwise_trunc(p + half);
    z = SELECT(z < -limit, ALL(-limit), z);
    z = SELECT(z > limit, ALL(limit), z);
    *(lanes *)(y + i) = scale * (z - zero);
  }
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

void ck_grid_of_map(float low, float high, float limit, int po2, float *step, float *zero) {
  float max_abs = -low > high ? -low : high, scale = max_abs / limit;
  if (po2) {
    float floored = scale > 1e-38f ? scale : 1e-38f;
    scale = scale > 0 ? ldexpf(1, (int)rintf(logf(floored) / 0.69314718f)) : 1;
  }
  *step = scale;
  *zero = high != low ? away((high * -limit - low * limit) / (high - low)) : 0;
}

BODY shiftwork_map_codes_body(
  const float *x, float *y, size_t count, float low, float high, float limit, int po2,
  float noise, float *map_scale) {
  float scale, zero;
  ck_grid_of_map(low, high, limit, po2, &scale, &zero);
  if (map_scale) *map_scale = scale;
  if (scale == 0) {  // only zeros, or too small for a scale: x / 0 counts as 0
    for (size_t i = 0; i < count; i++) y[i] = x[i] == x[i] ? 0 : x[i];
    return;
  }
  if (noise == 1) {
    size_t whole = count / LANES * LANES;
    // A power of two has an exact inverse, but for the largest, whose inverse counts as 0.
    if (po2 && scale < 0x1p127f) map_vectors(x, y, whole, scale, 1 / scale, zero, limit, 1);
    else map_vectors(x, y, whole, scale, 0, zero, limit, 0);
    map_loop(x + whole, y + whole, count - whole, scale, zero, limit, noise, 0);
  } else {
    map_loop(x, y, count, scale, zero, limit, noise, 1);
  }
}

BODY shiftwork_map_body(
  const float *x, float *y, size_t count, float limit, int po2, float noise,
  float *map_scale) {
  float low = INFINITY, high = -INFINITY;
  shiftwork_map_range_body(x, count, &low, &high);
  shiftwork_map_codes_body(x, y, count, low, high, limit, po2, noise, map_scale);
}

SHIFTWORK_DEFINE(
  shiftwork_map_range, (const float *x, size_t count, float *low, float *high),
  (x, count, low, high))
SHIFTWORK_DEFINE(
  shiftwork_map_codes,
  (const float *x, float *y, size_t count, float low, float high, float limit, int po2,
   float noise, float *map_scale),
  (x, y, count, low, high, limit, po2, noise, map_scale))
SHIFTWORK_DEFINE(
  shiftwork_map,
  (const float *x, float *y, size_t count, float limit, int po2, float noise,
   float *map_scale),
  (x, y, count, limit, po2, noise, map_scale))
