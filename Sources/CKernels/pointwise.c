#pragma STDC FP_CONTRACT OFF
#include "pointwise.h"

#include <immintrin.h>
#include <string.h>

#include "clones.h"
#include "parallel.h"

// Rows of a block, which stay in a cache, and whose sums are apart from those of other blocks.
enum { block_rows = 64 };
// A tile of sums in registers: rows by vectors of `lanes`, of which the last may be half a one: a
// processor that runs whole ones as two halves is then through sooner.
enum { lanes = 16, half_lanes = 8, tile_rows = 8, tile_vectors = 3, panel = lanes * tile_vectors };

#define WIDE __attribute__((target("avx512f,avx512vl,fma,prfchw")))
#define INLINE static inline __attribute__((always_inline, target("avx512f,avx512vl,fma,prfchw")))
#define UNROLL _Pragma("clang loop unroll(full)")

int ck_pointwise_runs(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
         && __builtin_cpu_supports("fma");
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static size_t blocks_of(size_t rows) { return (rows + block_rows - 1) / block_rows; }

/// How columns of a panel lie in vectors: `full` whole ones, and half a one where `half` is 1. The
/// masks are those of the last whole one and of the half.
struct split {
  size_t full, half;
  __mmask16 mask;
  __mmask8 half_mask;
};

static struct split split_of(size_t n) {
  size_t rest = n % lanes;
  struct split split = {n / lanes, rest > 0 && rest <= half_lanes, 0xffff, 0};
  if (split.half) split.half_mask = (__mmask8)(0xff >> (half_lanes - rest));
  else if (rest) split.full++, split.mask = (__mmask16)(0xffff >> (lanes - rest));
  return split;
}

/// Values that n columns take, filled up to whole or half vectors.
static size_t filled(size_t n) { return (n + half_lanes - 1) / half_lanes * half_lanes; }

// MARK: panels

// Panels of three vectors of columns lie one behind the other, the last one as wide as it is; in a
// panel the matrix's rows.
size_t ck_panels_count(size_t inner, size_t columns) {
  return inner * filled(columns);
}

struct load {
  const ck_panels *panels;
  const float *matrix;
  size_t first, rows;
  int transposed;
};

// A unit is a panel.
static void load_share(void *context, size_t begin, size_t end, size_t thread) {
  const struct load *l = context;
  size_t columns = l->panels->columns;
  for (size_t unit = begin; unit < end; unit++) {
    size_t column = unit * panel, n = smaller(columns - column, panel);
    size_t width = filled(n);
    float *target = l->panels->values + column * l->panels->inner + l->first * width;
    for (size_t k = 0; k < l->rows; k++, target += width) {
      if (l->transposed)
        for (size_t j = 0; j < n; j++) target[j] = l->matrix[(column + j) * l->rows + k];
      else
        memcpy(target, l->matrix + k * columns + column, n * sizeof *target);
      memset(target + n, 0, (width - n) * sizeof *target);
    }
  }
}

void ck_panels_load(
    const ck_panels *panels, const float *matrix, size_t first, size_t rows, int transposed) {
  struct load load = {panels, matrix, first, rows, transposed};
  ck_parallel(load_share, &load, (panels->columns + panel - 1) / panel, rows * panels->columns);
}

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

/// Tiles of a block's rows by so many columns.
static size_t tiles_of(size_t columns) {
  return (columns + panel - 1) / panel * (block_rows / tile_rows);
}

// MARK: rows alone

struct row_products {
  const ck_panels *matrix;
  const float *x, *bias;
  size_t rows;
  float *y;
};

// A unit is a block of rows.
WIDE static void rows_share(void *context, size_t begin, size_t end, size_t thread) {
  const struct row_products *p = context;
  size_t inner = p->matrix->inner;
  for (size_t block = begin; block < end; block++) {
    size_t first = block * block_rows, rows = smaller(p->rows - first, block_rows);
    size_t next = first + rows, columns = p->matrix->columns, tiles = tiles_of(columns);
    struct ahead ahead = {.streams = 0};
    size_t left = smaller(p->rows - next, block_rows);
    add_stream(&ahead, p->x + next * inner, left * inner, tiles);
    add_stream(&ahead, p->y + next * columns, left * columns, tiles);
    multiply_block(
      p->matrix, p->x + first * inner, inner, p->bias, 1, rows, &ahead, p->y + first * columns);
  }
}

void ck_add_row_products(
    const ck_panels *matrix, const float *x, const float *bias, size_t rows, float *y) {
  struct row_products products = {matrix, x, bias, rows, y};
  ck_parallel(rows_share, &products, blocks_of(rows), rows * matrix->columns);
}

// MARK: both gradients

/// Whether the kernel's gradient is summed up transposed, vectors being channels in: where those fill
/// vectors and channels out do not.
static int is_turned(const ck_pointwise *p) {
  return p->channels % lanes == 0 && p->columns % lanes != 0;
}

static size_t partial_count(const ck_pointwise *p) {
  return is_turned(p) ? p->columns * p->channels : p->channels * filled(p->columns);
}

size_t ck_pointwise_groups(const ck_pointwise *p, size_t most) {
  return smaller(blocks_of(p->rows), most);
}

size_t ck_pointwise_partial(const ck_pointwise *p) { return p->groups * partial_count(p); }

// gk and [gz | dc] of a block.
size_t ck_pointwise_scratch(const ck_pointwise *p) { return 3 * block_rows * p->columns; }

/// What a folded layer's gradients are products of (channels.h), for a block.
INLINE void fold_block(
  const ck_pointwise *p, size_t first, size_t rows, float *gk, float *both) {
  size_t columns = p->columns;
  for (size_t r = 0; r < rows; r++, gk += columns) {
    const float *g = p->g + (first + r) * columns, *c = p->c + (first + r) * columns;
    float *gz = both ? both + 2 * r * columns : NULL;
    for (size_t j = 0; j < columns; j += lanes) {
      __mmask16 m = columns - j < lanes ? (__mmask16)(0xffff >> (lanes - (columns - j))) : 0xffff;
#define LOAD(from) _mm512_maskz_loadu_ps(m, (from) + j)
      __m512 z = _mm512_mul_ps(LOAD(g), LOAD(p->correction));
      __m512 d = _mm512_mul_ps(_mm512_sub_ps(LOAD(c), LOAD(p->mean)), LOAD(p->slope));
      d = _mm512_add_ps(d, LOAD(p->constant));
      _mm512_mask_storeu_ps(gk + j, m, _mm512_add_ps(_mm512_mul_ps(z, LOAD(p->inv)), d));
#undef LOAD
      if (!gz) continue;
      _mm512_mask_storeu_ps(gz + j, m, z);
      _mm512_mask_storeu_ps(gz + columns + j, m, d);
    }
  }
}

/// What the block touches that begins at row `first`.
INLINE struct ahead ahead_of(const ck_pointwise *p, size_t first) {
  size_t rows = smaller(p->rows - first, block_rows), tiles = tiles_of(p->channels);
  struct ahead ahead = {.streams = 0};
  add_stream(&ahead, p->x + first * p->channels, rows * p->channels, tiles);
  add_stream(&ahead, p->dx + first * p->channels, rows * p->channels, tiles);
  add_stream(&ahead, p->g + first * p->columns, rows * p->columns, tiles);
  if (p->c) add_stream(&ahead, p->c + first * p->columns, rows * p->columns, tiles);
  return ahead;
}

// A unit is a group of blocks.
WIDE static void backward_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_pointwise *p = context;
  size_t blocks = blocks_of(p->rows), columns = p->columns;
  size_t inner = p->matrix.inner;
  float *gk = p->scratch + thread * ck_pointwise_scratch(p);
  float *both = inner == columns ? NULL : gk + block_rows * columns;
  for (size_t group = begin; group < end; group++) {
    size_t from = group * blocks / p->groups, to = (group + 1) * blocks / p->groups;
    float *partial = p->partial + group * partial_count(p);
    for (size_t block = from; block < to; block++) {
      size_t first = block * block_rows, rows = smaller(p->rows - first, block_rows);
      const float *x = p->x + first * p->channels, *g = p->g + first * columns;
      struct ahead ahead = ahead_of(p, first + rows);
      if (p->c) fold_block(p, first, rows, gk, both);
      const float *y = p->c ? gk : g;
      if (is_turned(p)) sum_block(y, columns, x, p->channels, rows, &ahead, block > from, partial);
      else sum_block(x, p->channels, y, columns, rows, &ahead, block > from, partial);
      multiply_block(
        &p->matrix, both ? both : y, inner, NULL, p->dx_adds, rows, &ahead,
        p->dx + first * p->channels);
    }
  }
}

// Rows of the sums, group by group in double.
CLONES static void join_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_pointwise *p = context;
  int turned = is_turned(p);
  size_t width = turned ? p->channels : p->columns, stride = filled(width), size = partial_count(p);
  size_t row = turned ? 1 : p->columns, step = turned ? p->columns : 1;
  for (size_t i = begin; i < end; i++) {
    for (size_t j = 0; j < width; j += half_lanes) {
      size_t n = smaller(width - j, half_lanes);
      double sums[half_lanes] = {0};
      for (size_t group = 0; group < p->groups; group++) {
        const float *partial = p->partial + group * size + i * stride + j;
        EACH for (size_t k = 0; k < half_lanes; k++) sums[k] += partial[k];
      }
      for (size_t k = 0; k < n; k++) p->dkernel[i * row + (j + k) * step] = (float)sums[k];
    }
  }
}

void ck_pointwise_backward(const ck_pointwise *p) {
  ck_parallel(backward_share, (void *)p, p->groups, p->rows * (p->channels + p->columns));
  ck_parallel(
    join_share, (void *)p, is_turned(p) ? p->columns : p->channels, p->groups * partial_count(p));
}
