#pragma STDC FP_CONTRACT OFF
#include "pointwise.h"

#include <stdint.h>

#include "clones.h"
#include "matrix_tiles.h"
#include "parallel.h"

int ck_pointwise_runs(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
         && __builtin_cpu_supports("fma");
}

static size_t blocks_of(size_t rows) { return (rows + block_rows - 1) / block_rows; }

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

// The smallest blocks.
enum { least_block_rows = 32 };
// Blocks of a group at most: so many float sums are added one after the other.
enum { most_blocks = 64 };
// So that a thread that is done early finds something to take over; but sums as long as a large kernel
// cost more to write and to join than that saves.
enum { groups_per_thread = 4, long_sums = 1 << 16 };

static size_t own_blocks(const ck_pointwise *p) { return (p->rows + p->block - 1) / p->block; }

void ck_pointwise_share(ck_pointwise *p, size_t threads) {
  // Of few rows, as many for each thread; smaller blocks only where that saves the thread with the most a
  // thirty-second, as each block reads and writes all sums.
  size_t best = SIZE_MAX;
  for (size_t block = block_rows; block >= least_block_rows; block -= tile_rows) {
    size_t blocks = (p->rows + block - 1) / block, most = (blocks + threads - 1) / threads * block;
    if (most <= best - best / 32) best = most, p->block = block;
  }
  size_t blocks = own_blocks(p), least = (blocks + most_blocks - 1) / most_blocks;
  size_t wanted = threads * (partial_count(p) < long_sums ? groups_per_thread : 1);
  // Groups are what threads take, so each gets as many.
  if (wanted < least) wanted = (least + threads - 1) / threads * threads;
  p->groups = smaller(blocks, wanted);
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
  size_t rows = smaller(p->rows - first, p->block), tiles = tiles_of(p->channels);
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
  size_t blocks = own_blocks(p), columns = p->columns;
  size_t inner = p->matrix.inner;
  float *gk = p->scratch + thread * ck_pointwise_scratch(p);
  float *both = inner == columns ? NULL : gk + block_rows * columns;
  for (size_t group = begin; group < end; group++) {
    size_t from = group * blocks / p->groups, to = (group + 1) * blocks / p->groups;
    float *partial = p->partial + group * partial_count(p);
    for (size_t block = from; block < to; block++) {
      size_t first = block * p->block, rows = smaller(p->rows - first, p->block);
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
