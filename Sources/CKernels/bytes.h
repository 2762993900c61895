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

// Zeros of grids from -nearest to nearest are codes themselves; one beyond them is still a byte.
enum { nearest = 127 };

/// Whether a sample's grid, its step and zero, gives bytes: not that of a map that is not finite, nor of
/// one whose values lie so far on one side of 0 that its zero lies beyond `reach`. Such samples are
/// computed in floating point.
static inline int has_bytes(const float *values, int reach) {
  return values[0] > 0 && values[0] < INFINITY && values[1] >= (float)-reach
         && values[1] <= (float)reach;
}

/// The grid of a sample that has bytes, `values` being its step and zero. A byte is the code and so much
/// that the zero, which pads a map, is a byte, too.
INLINE struct grid grid_of(const float *values) {
  int zero = (int)values[1], base = zero < -nearest ? nearest + 1 : nearest;
  return (struct grid){values[0], zero + base, _mm512_set1_ps(-(float)ilogbf(values[0]))};
}

INLINE __m512i numbers_of(const float *x, __mmask16 mask, struct grid grid) {
  __m512 values = _mm512_scalef_ps(_mm512_maskz_loadu_ps(mask, x), grid.exponent);
  return _mm512_add_epi32(_mm512_cvtps_epi32(values), _mm512_set1_epi32(grid.offset));
}

/// Whether all numbers that were joined bit by bit are bytes: what is not finite becomes none.
INLINE int are_bytes(__m512i joined) {
  return !_mm512_test_epi32_mask(joined, _mm512_set1_epi32(~255));
}
