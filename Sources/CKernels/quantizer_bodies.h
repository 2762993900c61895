// The loops of weight quantizers, inline: compiled once per instruction set where they are used.
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "clones.h"

// Each kernel is an inline body compiled once per instruction set. Reductions keep LANES partial
// results whatever the vector width, so that all of them agree bit for bit.
#define LANES 64

static const float epsilon = 1e-7f;

static inline __attribute__((always_inline)) float mix(float x, float q, float noise, int mixes) {
  return mixes ? x + noise * (q - x) : q;
}

/// sign(x) * min(floor(|x / step| + 0.5), limit), given the quotient. A step of 0 means that x is 0.
static inline __attribute__((always_inline)) float away(float x, float quotient, float limit) {
  float v = floorf(quotient + 0.5f);
  v = v > limit ? limit : v;  // this way round NaN stays NaN
  return x == 0 ? 0 : copysignf(v, x);
}

static inline __attribute__((always_inline)) float code_away(float x, float step, float limit) {
  return away(x, fabsf(x) / step, limit);
}

static inline __attribute__((always_inline)) float code_even(
  float x, float step, float low, float high) {
  float v = rintf(x / step);
  v = v < low ? low : v;
  return v > high ? high : v;
}

// MARK: fixed grids

BODY fixed_loop(
  const float *x, float *y, size_t count, float multiplier, float low, float high, float factor,
  float noise, int mixes) {
  EACH for (size_t i = 0; i < count; i++) {
    float v = rintf(x[i] * multiplier);
    v = v < low ? low : v;
    v = v > high ? high : v;
    y[i] = mix(x[i], factor * v, noise, mixes);
  }
}

BODY shiftwork_fixed_body(
  const float *x, float *y, size_t count, float multiplier, float low, float high, float factor,
  float noise) {
  if (noise == 1) fixed_loop(x, y, count, multiplier, low, high, factor, noise, 0);
  else fixed_loop(x, y, count, multiplier, low, high, factor, noise, 1);
}

BODY shiftwork_binary_body(
  const float *x, float *y, size_t count, float negative, float positive, float noise) {
  EACH for (size_t i = 0; i < count; i++) {
    // NaN stays NaN: a diverging run must be seen.
    float q = x[i] < 0 ? negative : positive;
    q = x[i] == x[i] ? q : x[i];
    y[i] = noise == 1 ? q : x[i] + noise * (q - x[i]);
  }
}

// MARK: scales of weights

// A block of at most LANES columns, `stride` floats from row to row. A tensor that shares one
// scale is such a block, LANES wide, and its tail one more row.
struct block {
  const float *x;
  size_t rows, columns, stride;
};

BODY add_max_abs(struct block b, float *maxima) {
  for (size_t r = 0; r < b.rows; r++) {
    const float *x = b.x + r * b.stride;
    EACH for (size_t c = 0; c < b.columns; c++) {
      float v = fabsf(x[c]);
      maxima[c] = v > maxima[c] ? v : maxima[c];
    }
  }
}

// Floats are summed over at most LANES rows before they go into the doubles. `inverses` are those of
// steps, which are powers of two: products with them are the quotients.
BODY add_moments(struct block b, const float *inverses, float limit, double *xz, double *zz) {
  for (size_t start = 0; start < b.rows; start += LANES) {
    size_t end = start + LANES < b.rows ? start + LANES : b.rows;
    float partial_xz[LANES] = {0}, partial_zz[LANES] = {0};
    for (size_t r = start; r < end; r++) {
      const float *x = b.x + r * b.stride;
      EACH for (size_t c = 0; c < b.columns; c++) {
        float z = away(x[c], fabsf(x[c]) * inverses[c], limit);
        partial_xz[c] += x[c] * z;
        partial_zz[c] += z * z;
      }
    }
    for (size_t c = 0; c < b.columns; c++) {
      xz[c] += partial_xz[c];
      zz[c] += partial_zz[c];
    }
  }
}

/// Squared errors of the codes with steps, steps / 2 and steps / 4: errors[k * LANES + column].
BODY add_errors(struct block b, const float *steps, float low, float high, double *errors) {
  for (size_t start = 0; start < b.rows; start += LANES) {
    size_t end = start + LANES < b.rows ? start + LANES : b.rows;
    float partial[3][LANES] = {{0}};
    for (size_t r = start; r < end; r++) {
      const float *x = b.x + r * b.stride;
      EACH for (size_t c = 0; c < b.columns; c++) {
        float s0 = steps[c], s1 = s0 * 0.5f, s2 = s0 * 0.25f;
        float e0 = x[c] - s0 * code_even(x[c], s0, low, high);
        float e1 = x[c] - s1 * code_even(x[c], s1, low, high);
        float e2 = x[c] - s2 * code_even(x[c], s2, low, high);
        partial[0][c] += e0 * e0;
        partial[1][c] += e1 * e1;
        partial[2][c] += e2 * e2;
      }
    }
    for (int k = 0; k < 3; k++)
      for (size_t c = 0; c < b.columns; c++) errors[k * LANES + c] += partial[k][c];
  }
}

BODY write_away(
  struct block b, float *y, const float *steps, const float *factors, float limit, float noise,
  int mixes) {
  for (size_t r = 0; r < b.rows; r++) {
    const float *x = b.x + r * b.stride;
    float *out = y + r * b.stride;
    EACH for (size_t c = 0; c < b.columns; c++)
      out[c] = mix(x[c], factors[c] * code_away(x[c], steps[c], limit), noise, mixes);
  }
}

BODY write_even(
  struct block b, float *y, const float *steps, float low, float high, float noise, int mixes) {
  for (size_t r = 0; r < b.rows; r++) {
    const float *x = b.x + r * b.stride;
    float *out = y + r * b.stride;
    EACH for (size_t c = 0; c < b.columns; c++)
      out[c] = mix(x[c], steps[c] * code_even(x[c], steps[c], low, high), noise, mixes);
  }
}

/// The blocks of a tensor: pairs of (full rows, tail row) where it shares a scale, else one of up
/// to LANES channels at a time. `next` is where block `index` starts; 0 columns end the walk.
static inline __attribute__((always_inline)) struct block block_at(
  const float *x, size_t rows, size_t channels, int shared, size_t index) {
  struct block b = {x, 0, 0, LANES};
  if (shared) {
    size_t count = rows * channels, full = count / LANES;
    if (index == 0) b.rows = full, b.columns = LANES;
    else if (index == 1) b.x = x + full * LANES, b.rows = 1, b.columns = count % LANES;
  } else if (index * LANES < channels) {
    size_t left = channels - index * LANES;
    b.x = x + index * LANES, b.rows = rows, b.stride = channels;
    b.columns = left < LANES ? left : LANES;
  }
  return b;
}

static inline __attribute__((always_inline)) void fill(float *values, float value) {
  for (size_t c = 0; c < LANES; c++) values[c] = value;
}

static inline __attribute__((always_inline)) float largest(const float *values) {
  float m = 0;
  for (size_t c = 0; c < LANES; c++) m = values[c] > m ? values[c] : m;
  return m;
}

static inline __attribute__((always_inline)) double total(const double *values) {
  double sum = 0;
  for (size_t c = 0; c < LANES; c++) sum += values[c];
  return sum;
}

static inline void store(float *scales, size_t offset, const float *values, size_t count) {
  if (scales)
    for (size_t c = 0; c < count; c++) scales[offset + c] = values[c];
}

/// x * 2^e.
static inline float scaled(float x, int e) {
  if (e < -126 || e > 127) return ldexpf(x, e);
  uint32_t bits = (uint32_t)(e + 127) << 23;
  float power;
  memcpy(&power, &bits, 4);
  return x * power;
}

/// 2^round_half_even(log2(v)), in float32 as TensorFlow does. Its logarithm decides near the root of
/// two alone, twenty times as near as it can err; elsewhere the exponent does.
static inline float nearest_power(float v) {
  uint32_t bits, root = 0x3504f3, near = 2000;
  memcpy(&bits, &v, 4);
  uint32_t mantissa = bits & 0x7fffff;
  int exponent = (int)(bits >> 23) - 127;
  if (exponent > -127 && exponent < 127) {
    if (mantissa < root - near) return scaled(1, exponent);
    if (mantissa > root + near) return scaled(1, exponent + 1);
  }
  return ldexpf(1, (int)rintf(logf(v) / 0.69314718f));
}

// MARK: auto

BODY auto_blocks(
  struct block b, struct block tail, float *y, int shared, float limit, float noise,
  float *steps) {
  fill(steps, 0);
  add_max_abs(b, steps);
  if (shared) {
    add_max_abs(tail, steps);
    fill(steps, largest(steps));
  }
  for (size_t c = 0; c < LANES; c++) steps[c] = steps[c] / limit;
  if (noise == 1) write_away(b, y, steps, steps, limit, noise, 0);
  else write_away(b, y, steps, steps, limit, noise, 1);
  if (shared) write_away(tail, y + b.rows * LANES, steps, steps, limit, noise, noise != 1);
}

BODY shiftwork_auto_body(
  const float *x, float *y, size_t rows, size_t channels, int mode, float limit, float noise,
  float *scales) {
  int shared = mode != 0;
  float steps[LANES];
  struct block b = block_at(x, rows, channels, shared, 0);
  if (shared) {
    auto_blocks(b, block_at(x, rows, channels, 1, 1), y, 1, limit, noise, steps);
    store(scales, 0, steps, 1);
    return;
  }
  for (size_t index = 0; b.columns; b = block_at(x, rows, channels, 0, ++index)) {
    auto_blocks(b, b, y + (b.x - x), 0, limit, noise, steps);
    store(scales, index * LANES, steps, b.columns);
  }
}

// MARK: auto_po2

/// Least squares' power of two for x ~ s z, everything divided by 2^integer as QKeras does, so
/// that the two epsilons weigh as they do there. Returns 2^integer s.
static inline float fitted(double xz, double zz, float count, int integer) {
  float mean_xz = scaled((float)xz / count, -integer), mean_zz = (float)zz / count;
  return scaled(nearest_power(mean_xz / (mean_zz + epsilon) + epsilon), integer);
}

static inline float first_power(float max_abs, float limit, int integer) {
  return scaled(nearest_power(scaled(max_abs, -integer) / limit + epsilon), integer);
}

BODY auto_po2_blocks(
  struct block b, struct block tail, float *y, int shared, float count, int integer, float limit,
  float noise, float *factors) {
  float steps[LANES], inverses[LANES];
  fill(factors, 0);
  add_max_abs(b, factors);
  if (shared) {
    add_max_abs(tail, factors);
    fill(factors, largest(factors));
  }
  for (size_t c = 0; c < LANES; c++)
    factors[c] = shared && c ? factors[0] : first_power(factors[c], limit, integer);
  for (int round = 0; round < 5; round++) {
    double xz[LANES] = {0}, zz[LANES] = {0};
    for (size_t c = 0; c < LANES; c++) steps[c] = factors[c], inverses[c] = 1 / factors[c];
    add_moments(b, inverses, limit, xz, zz);
    int moves = 0;
    if (shared) {
      add_moments(tail, inverses, limit, xz, zz);
      fill(factors, fitted(total(xz), total(zz), count, integer));
      moves = factors[0] != steps[0];
    } else {
      for (size_t c = 0; c < b.columns; c++) {
        factors[c] = fitted(xz[c], zz[c], count, integer);
        moves |= factors[c] != steps[c];
      }
    }
    // What has come to rest stays there in the rounds that are left.
    if (!moves) break;
  }
  if (noise == 1) write_away(b, y, steps, factors, limit, noise, 0);
  else write_away(b, y, steps, factors, limit, noise, 1);
  if (shared) write_away(tail, y + b.rows * LANES, steps, factors, limit, noise, noise != 1);
}

/// One-dimensional tensors: one first scale, then each element fits its own, without a mean.
BODY auto_po2_elements(
  const float *x, float *y, size_t count, int integer, float limit, float noise, float *scales) {
  float maxima[LANES];
  fill(maxima, 0);
  add_max_abs(block_at(x, 1, count, 1, 0), maxima);
  add_max_abs(block_at(x, 1, count, 1, 1), maxima);
  float first = first_power(largest(maxima), limit, integer);
  for (size_t i = 0; i < count; i++) {
    float step = first, factor = first, z = 0, value = x[i];
    for (int round = 0; round < 5; round++) {
      step = factor;
      z = code_away(value, step, limit);
      factor = fitted(value * z, z * z, 1, integer);
      if (factor == step) break;
    }
    y[i] = noise == 1 ? factor * z : value + noise * (factor * z - value);
    if (scales) scales[i] = factor;
  }
}

BODY shiftwork_auto_po2_body(
  const float *x, float *y, size_t rows, size_t channels, int mode, int integer, float limit,
  float noise, float *scales) {
  float factors[LANES];
  if (mode == 2) {
    auto_po2_elements(x, y, rows * channels, integer, limit, noise, scales);
    return;
  }
  struct block b = block_at(x, rows, channels, mode, 0);
  if (mode == 1) {
    struct block tail = block_at(x, rows, channels, 1, 1);
    auto_po2_blocks(b, tail, y, 1, (float)(rows * channels), integer, limit, noise, factors);
    store(scales, 0, factors, 1);
    return;
  }
  for (size_t index = 0; b.columns; b = block_at(x, rows, channels, 0, ++index)) {
    auto_po2_blocks(b, b, y + (b.x - x), 0, (float)rows, integer, limit, noise, factors);
    store(scales, index * LANES, factors, b.columns);
  }
}

// MARK: best_po2

/// The smallest power of two whose `high` codes reach max_abs, exactly; 1 where max_abs is 0.
static inline float covering_power(float max_abs, float high) {
  // Not finite: the codes are of no use, and NaN must come through.
  if (!(max_abs > 0) || !(max_abs < INFINITY)) return 1;
  int e;
  frexp((double)max_abs / high, &e);
  while (ldexp(high, e - 1) >= max_abs) e--;
  // A quarter of it must still be a normal number.
  return ldexpf(1, e < -120 ? -120 : e);
}

BODY best_po2_blocks(
  struct block b, struct block tail, float *y, int shared, float low, float high, float noise,
  float *steps) {
  double errors[3 * LANES] = {0};
  fill(steps, 0);
  add_max_abs(b, steps);
  if (shared) {
    add_max_abs(tail, steps);
    fill(steps, largest(steps));
  }
  for (size_t c = 0; c < LANES; c++)
    steps[c] = shared && c ? steps[0] : covering_power(steps[c], high);
  add_errors(b, steps, low, high, errors);
  if (shared) {
    add_errors(tail, steps, low, high, errors);
    for (int k = 0; k < 3; k++) errors[k * LANES] = total(errors + k * LANES);
  }
  for (size_t c = 0; c < (shared ? 1 : b.columns); c++) {
    double least = errors[c];
    float best = steps[c];
    // An all-zero channel has no error at all and keeps its 1.
    for (int k = 1; k < 3; k++)
      if (errors[k * LANES + c] < least) {
        least = errors[k * LANES + c];
        best = k == 1 ? steps[c] * 0.5f : steps[c] * 0.25f;
      }
    steps[c] = best;
  }
  if (shared) fill(steps, steps[0]);
  if (noise == 1) write_even(b, y, steps, low, high, noise, 0);
  else write_even(b, y, steps, low, high, noise, 1);
  if (shared) write_even(tail, y + b.rows * LANES, steps, low, high, noise, noise != 1);
}

BODY shiftwork_best_po2_body(
  const float *x, float *y, size_t rows, size_t channels, int mode, float low, float high,
  float noise, float *scales) {
  float steps[LANES];
  int shared = mode != 0;
  struct block b = block_at(x, rows, channels, shared, 0);
  if (shared) {
    best_po2_blocks(b, block_at(x, rows, channels, 1, 1), y, 1, low, high, noise, steps);
    store(scales, 0, steps, 1);
    return;
  }
  for (size_t index = 0; b.columns; b = block_at(x, rows, channels, 0, ++index)) {
    best_po2_blocks(b, b, y + (b.x - x), 0, low, high, noise, steps);
    store(scales, index * LANES, steps, b.columns);
  }
}
