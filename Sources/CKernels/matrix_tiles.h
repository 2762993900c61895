// Products of matrices in tiles of registers, by AVX-512: what `pointwise.c` makes of blocks of rows.
// A matrix that rows are multiplied with is packed in panels of three vectors of columns.
#pragma once
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#include "pointwise.h"

// The most rows of a block, which stay in a cache, and whose sums are formed apart before they are added to those
// of the blocks before.
enum { block_rows = 64 };
// A tile of sums in registers: rows by vectors of `lanes`, of which the last may be half a one: a
// processor that runs whole ones as two halves is then through sooner.
enum { lanes = 16, half_lanes = 8, tile_rows = 8, tile_vectors = 3, panel = lanes * tile_vectors };

#define WIDE __attribute__((target("avx512f,avx512vl,fma")))
#define INLINE static inline __attribute__((always_inline, target("avx512f,avx512vl,fma")))
#define UNROLL _Pragma("clang loop unroll(full)")

static inline size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/// How columns of a panel lie in vectors: `full` whole ones, and half a one where `half` is 1. The
/// masks are those of the last whole one and of the half.
struct split {
  size_t full, half;
  __mmask16 mask;
  __mmask8 half_mask;
};

static inline struct split split_of(size_t n) {
  size_t rest = n % lanes;
  struct split split = {n / lanes, rest > 0 && rest <= half_lanes, 0xffff, 0};
  if (split.half) split.half_mask = (__mmask8)(0xff >> (half_lanes - rest));
  else if (rest) split.full++, split.mask = (__mmask16)(0xffff >> (lanes - rest));
  return split;
}

/// Values that n columns take, filled up to whole or half vectors.
static inline size_t filled(size_t n) { return (n + half_lanes - 1) / half_lanes * half_lanes; }

// MARK: what comes next

enum { most_streams = 4, line = 64 };

/// What the block after this one touches: it is asked for while this one is computed, a little with
/// each tile, as a tile's own order of access is none that a processor foresees.
struct ahead {
  const char *at[most_streams], *end[most_streams];
  size_t streams, share[most_streams];
};

INLINE void add_stream(struct ahead *ahead, const float *values, size_t count, size_t tiles) {
  size_t k = ahead->streams++;
  ahead->at[k] = (const char *)values, ahead->end[k] = (const char *)(values + count);
  ahead->share[k] = (count * sizeof *values / line / tiles + 1) * line;
}

INLINE void fetch(struct ahead *ahead) {
  for (size_t k = 0; k < ahead->streams; k++) {
    const char *at = ahead->at[k], *to = at + ahead->share[k];
    if (to > ahead->end[k]) to = ahead->end[k];
    for (; at < to; at += line) _mm_prefetch(at, _MM_HINT_T1);
    ahead->at[k] = at;
  }
}

// MARK: products

// The place behind the whole vectors.
#define HALF (full * lanes)
#define MASK(v) ((v) + 1 == full ? split.mask : (__mmask16)0xffff)

/// `rows` rows of x, `stride` values apart, by one panel of the matrix.
INLINE void multiply_rows(
  const float *x, size_t stride, const float *w, size_t inner, const float *bias, int adds,
  size_t rows, size_t full, size_t half, struct split split, float *y, size_t y_stride) {
  size_t width = full * lanes + half * half_lanes;
  __m512 sums[tile_rows][tile_vectors];
  __m256 halves[tile_rows];
  UNROLL for (size_t v = 0; v < full; v++) {
    __m512 start = bias ? _mm512_maskz_loadu_ps(MASK(v), bias + v * lanes) : _mm512_setzero_ps();
    UNROLL for (size_t r = 0; r < rows; r++) sums[r][v] = start;
  }
  if (half) {
    __m256 start = bias ? _mm256_maskz_loadu_ps(split.half_mask, bias + HALF) : _mm256_setzero_ps();
    UNROLL for (size_t r = 0; r < rows; r++) halves[r] = start;
  }
  for (size_t k = 0; k < inner; k++, w += width) {
    __m512 line[tile_vectors];
    __m256 last;
    UNROLL for (size_t v = 0; v < full; v++) line[v] = _mm512_loadu_ps(w + v * lanes);
    if (half) last = _mm256_loadu_ps(w + HALF);
    UNROLL for (size_t r = 0; r < rows; r++) {
      __m512 value = _mm512_set1_ps(x[r * stride + k]);
      UNROLL for (size_t v = 0; v < full; v++)
        sums[r][v] = _mm512_fmadd_ps(value, line[v], sums[r][v]);
      if (half) halves[r] = _mm256_fmadd_ps(_mm512_castps512_ps256(value), last, halves[r]);
    }
  }
  UNROLL for (size_t r = 0; r < rows; r++) {
    float *target = y + r * y_stride;
    UNROLL for (size_t v = 0; v < full; v++) {
      __m512 sum = sums[r][v];
      if (adds) sum = _mm512_add_ps(_mm512_maskz_loadu_ps(MASK(v), target + v * lanes), sum);
      _mm512_mask_storeu_ps(target + v * lanes, MASK(v), sum);
    }
    if (half) {
      __m256 sum = halves[r];
      if (adds) sum = _mm256_add_ps(_mm256_maskz_loadu_ps(split.half_mask, target + HALF), sum);
      _mm256_mask_storeu_ps(target + HALF, split.half_mask, sum);
    }
  }
}

/// A block's rows by a panel.
INLINE void multiply_panel(
  const float *x, size_t stride, const float *w, size_t inner, const float *bias, int adds,
  size_t rows, size_t full, size_t half, struct split split, struct ahead *ahead, float *y,
  size_t y_stride) {
  size_t r = 0;
  for (; r + tile_rows <= rows; r += tile_rows) {
    fetch(ahead);
    multiply_rows(
      x + r * stride, stride, w, inner, bias, adds, tile_rows, full, half, split, y + r * y_stride,
      y_stride);
  }
  for (; r < rows; r++)
    multiply_rows(
      x + r * stride, stride, w, inner, bias, adds, 1, full, half, split, y + r * y_stride, y_stride);
}

// So that each loop is made for its own vectors.
#define EACH_SPLIT(CALL)                    \
  switch (2 * split.full + split.half) {    \
    case 1: CALL(0, 1); break;              \
    case 2: CALL(1, 0); break;              \
    case 3: CALL(1, 1); break;              \
    case 4: CALL(2, 0); break;              \
    case 5: CALL(2, 1); break;              \
    default: CALL(3, 0);                    \
  }

/// y = x * matrix + bias, or that added to y.
INLINE void multiply_block(
  const ck_panels *matrix, const float *x, size_t stride, const float *bias, int adds, size_t rows,
  struct ahead *ahead, float *y) {
  size_t columns = matrix->columns, inner = matrix->inner;
  for (size_t column = 0; column < columns; column += panel) {
    struct split split = split_of(smaller(columns - column, panel));
    const float *w = matrix->values + column * inner, *b = bias ? bias + column : NULL;
#define CALL(full, half)                                                                    \
  multiply_panel(                                                                           \
    x, stride, w, inner, b, adds, rows, full, half, split, ahead, y + column, columns)
    EACH_SPLIT(CALL)
#undef CALL
  }
}

/// `channels` of x by a panel of y: the sums of their products over a block's rows, as what stands in
/// `sums` or added to it.
INLINE void sum_products(
  const float *x, size_t x_stride, const float *y, size_t y_stride, size_t rows, size_t channels,
  size_t full, size_t half, struct split split, int adds, float *sums, size_t stride) {
  __m512 total[tile_rows][tile_vectors];
  __m256 halves[tile_rows];
  UNROLL for (size_t i = 0; i < channels; i++) {
    UNROLL for (size_t v = 0; v < full; v++) total[i][v] = _mm512_setzero_ps();
    if (half) halves[i] = _mm256_setzero_ps();
  }
  for (size_t r = 0; r < rows; r++, x += x_stride, y += y_stride) {
    __m512 line[tile_vectors];
    __m256 last;
    UNROLL for (size_t v = 0; v < full; v++)
      line[v] = _mm512_maskz_loadu_ps(MASK(v), y + v * lanes);
    if (half) last = _mm256_maskz_loadu_ps(split.half_mask, y + HALF);
    UNROLL for (size_t i = 0; i < channels; i++) {
      __m512 value = _mm512_set1_ps(x[i]);
      UNROLL for (size_t v = 0; v < full; v++)
        total[i][v] = _mm512_fmadd_ps(value, line[v], total[i][v]);
      if (half) halves[i] = _mm256_fmadd_ps(_mm512_castps512_ps256(value), last, halves[i]);
    }
  }
  UNROLL for (size_t i = 0; i < channels; i++) {
    float *target = sums + i * stride;
    UNROLL for (size_t v = 0; v < full; v++) {
      __m512 sum = total[i][v];
      if (adds) sum = _mm512_add_ps(_mm512_maskz_loadu_ps(MASK(v), target + v * lanes), sum);
      _mm512_mask_storeu_ps(target + v * lanes, MASK(v), sum);
    }
    if (half) {
      __m256 sum = halves[i];
      if (adds) sum = _mm256_add_ps(_mm256_loadu_ps(target + HALF), sum);
      _mm256_storeu_ps(target + HALF, sum);
    }
  }
}

INLINE void sum_panel(
  const float *x, size_t channels, const float *y, size_t y_stride, size_t rows, size_t full,
  size_t half, struct split split, struct ahead *ahead, int adds, float *sums, size_t stride) {
  size_t i = 0;
  for (; i + tile_rows <= channels; i += tile_rows) {
    fetch(ahead);
    sum_products(
      x + i, channels, y, y_stride, rows, tile_rows, full, half, split, adds, sums + i * stride,
      stride);
  }
  for (; i < channels; i++)
    sum_products(
      x + i, channels, y, y_stride, rows, 1, full, half, split, adds, sums + i * stride, stride);
}

/// sums (channels, columns filled up) = x'y, or that added to them.
INLINE void sum_block(
  const float *x, size_t channels, const float *y, size_t columns, size_t rows,
  struct ahead *ahead, int adds, float *sums) {
  size_t stride = filled(columns);
  for (size_t column = 0; column < columns; column += panel) {
    struct split split = split_of(smaller(columns - column, panel));
#define CALL(full, half)                                                                         \
  sum_panel(                                                                                     \
    x, channels, y + column, columns, rows, full, half, split, ahead, adds, sums + column, stride)
    EACH_SPLIT(CALL)
#undef CALL
  }
}
