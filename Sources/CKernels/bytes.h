// What loops over bytes in whole vectors share. Their processors are those of `ck_integer_runs`.
#pragma once
#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BYTES __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#define INLINE static inline __attribute__((always_inline)) BYTES
// For loops that must unroll: sums stay in registers then.
#define UNROLL _Pragma("clang loop unroll(full)")

// Whole numbers of a vector.
enum { lanes = 16 };

/// The first `left` lanes, at most all.
INLINE __mmask16 first_lanes(size_t left) {
  return left >= lanes ? 0xffff : (__mmask16)((1u << left) - 1);
}

/// How a sample's values become bytes: value * 2^exponent + offset.
struct grid {
  float step;
  int offset;
  __m512 exponent;
};

/// The grid of a sample, `values` being its step and zero. A map that is not finite has none; what
/// stands beside these sums shows it.
INLINE struct grid grid_of(const float *values) {
  float step = values[0], zero = values[1];
  int usual = step > 0 && step < INFINITY;
  struct grid grid = {step, zero >= -127 && zero <= 127 ? (int)zero + 127 : 0};
  grid.exponent = _mm512_set1_ps(usual ? -(float)ilogbf(step) : 0);
  return grid;
}

INLINE __m512i numbers_of(const float *x, __mmask16 mask, struct grid grid) {
  __m512 values = _mm512_scalef_ps(_mm512_maskz_loadu_ps(mask, x), grid.exponent);
  return _mm512_add_epi32(_mm512_cvtps_epi32(values), _mm512_set1_epi32(grid.offset));
}
