#pragma STDC FP_CONTRACT OFF
#include "bytes.h"
#include "clones.h"
#include "integers.h"
#include "parallel.h"

// Rows and vectors of a tile of products.
enum { tile_rows = 8, tile_vectors = 2 };

static size_t first_sample(const ck_gram *g, size_t group) { return group * g->samples / g->groups; }

/// Channels, filled up to whole tiles.
static size_t wide(const ck_gram *g) {
  size_t tile = tile_vectors * lanes;
  return (g->channels + tile - 1) / tile * tile;
}

size_t ck_gram_partial(const ck_gram *g) { return g->groups * wide(g) * (wide(g) + 1); }

// A sample's numbers, of a byte or two, then two rows of sums.
size_t ck_gram_scratch(const ck_gram *g) {
  return ((g->positions + 3) / 4 * 4 * sizeof(int16_t) + 2 * sizeof(int32_t)) * wide(g);
}

static int32_t *sums_of(const ck_gram *g, uint8_t *scratch) {
  return (int32_t *)(scratch + ck_gram_scratch(g)) - 2 * wide(g);
}

/// Four positions' bytes of each channel side by side; fours of positions one behind the other.
/// Returns whether all were bytes.
INLINE int pack(const ck_gram *g, const float *x, struct grid grid, uint8_t *packed, int32_t *sums) {
  size_t channels = g->channels;
  __m512i joined = _mm512_setzero_si512();
  memset(sums, 0, wide(g) * sizeof *sums);
  for (size_t first = 0; first < g->positions; first += 4) {
    size_t rows = g->positions - first < 4 ? g->positions - first : 4;
    for (size_t j = 0; j < wide(g); j += lanes, packed += 4 * lanes) {
      __mmask16 mask = first_lanes(j < channels ? channels - j : 0);
      __m512i bytes = _mm512_setzero_si512();
      for (size_t r = 0; r < rows; r++) {
        __m512i numbers = numbers_of(x + (first + r) * channels + j, mask, grid);
        numbers = _mm512_maskz_mov_epi32(mask, numbers);
        joined = _mm512_or_si512(joined, numbers);
        numbers = _mm512_and_si512(numbers, _mm512_set1_epi32(255));
        bytes = _mm512_or_si512(
          bytes, _mm512_sllv_epi32(numbers, _mm512_set1_epi32((int)(8 * r))));
      }
      _mm512_storeu_si512(packed, bytes);
      __m512i sum = _mm512_loadu_si512(sums + j);
      _mm512_storeu_si512(sums + j, _mm512_dpbusd_epi32(sum, bytes, _mm512_set1_epi8(1)));
    }
  }
  return are_bytes(joined);
}

/// Adds whole numbers of units; exactly, while a double holds the sum.
INLINE void add_products(double *target, int is_first, __m256i numbers, __m512d unit) {
  __m512d products = _mm512_mul_pd(_mm512_cvtepi32_pd(numbers), unit);
  if (!is_first) products = _mm512_add_pd(_mm512_loadu_pd(target), products);
  _mm512_storeu_pd(target, products);
}

/// Adds a sample's products of channels i..<i + tile_rows with j..<j + two vectors to `partial`.
INLINE void add_tile(
  const ck_gram *g, const uint8_t *packed, const int32_t *sums, const int32_t *shifts,
  struct grid grid, size_t i, size_t j, int is_first, double *partial) {
  size_t width = wide(g), fours = (g->positions + 3) / 4;
  __m512i total[tile_rows][tile_vectors];
  UNROLL for (size_t r = 0; r < tile_rows; r++) {
    UNROLL for (size_t v = 0; v < tile_vectors; v++) total[r][v] = _mm512_setzero_si512();
  }
  for (size_t four = 0; four < fours; four++, packed += 4 * width) {
    __m512i signs = _mm512_set1_epi8(-128), w[tile_vectors];
    UNROLL for (size_t v = 0; v < tile_vectors; v++)
      w[v] = _mm512_xor_si512(_mm512_loadu_si512(packed + 4 * (j + v * lanes)), signs);
    UNROLL for (size_t r = 0; r < tile_rows; r++) {
      int32_t bytes;
      memcpy(&bytes, packed + 4 * (i + r), 4);
      UNROLL for (size_t v = 0; v < tile_vectors; v++)
        total[r][v] = _mm512_dpbusd_epi32(total[r][v], _mm512_set1_epi32(bytes), w[v]);
    }
  }
  // With u the bytes: sum (u_i - offset)(u_j - offset), the sums being of u_i (u_j - 128).
  __m512d unit = _mm512_set1_pd((double)grid.step * grid.step);
  int32_t squares = (int32_t)g->positions * grid.offset * grid.offset;
  UNROLL for (size_t r = 0; r < tile_rows; r++) {
    __m512i start = _mm512_set1_epi32((128 - grid.offset) * sums[i + r] + squares);
    UNROLL for (size_t v = 0; v < tile_vectors; v++) {
      __m512i shift = _mm512_sub_epi32(start, _mm512_loadu_si512(shifts + j + v * lanes));
      __m512i product = _mm512_add_epi32(total[r][v], shift);
      double *target = partial + (i + r) * width + j + v * lanes;
      add_products(target, is_first, _mm512_castsi512_si256(product), unit);
      add_products(target + lanes / 2, is_first, _mm512_extracti64x4_epi64(product, 1), unit);
    }
  }
}

/// Adds the products of a sample that has no bytes: in double, in an order of their own.
BODY add_values(const ck_gram *g, const float *x, double *partial) {
  size_t channels = g->channels, width = wide(g), tile = tile_vectors * lanes;
  double *totals = partial + width * width;
  for (size_t p = 0; p < g->positions; p++, x += channels) {
    for (size_t i = 0; i < channels; i++) {
      double value = x[i];
      totals[i] += value;
      EACH for (size_t j = i / tile * tile; j < channels; j++)
        partial[i * width + j] += value * x[j];
    }
  }
}

// The same for the loops that multiply bytes, whose compiler may not take it in.
CLONES static void add_sample_values(const ck_gram *g, const float *x, double *partial) {
  add_values(g, x, partial);
}

// A unit is a group of samples. Products are formed from a row's own vectors on: the rest is theirs
// mirrored.
BYTES static void gram_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_gram *g = context;
  size_t width = wide(g), elements = g->positions * g->channels, tile = tile_vectors * lanes;
  uint8_t *packed = g->scratch + thread * ck_gram_scratch(g);
  int32_t *sums = sums_of(g, packed), *shifts = sums + width;
  for (size_t group = begin; group < end; group++) {
    double *partial = g->partial + group * width * (width + 1), *totals = partial + width * width;
    memset(totals, 0, width * sizeof *totals);
    // Until a sample's products have been put there.
    int is_empty = 1;
    for (size_t sample = first_sample(g, group); sample < first_sample(g, group + 1); sample++) {
      const float *x = g->x + sample * elements, *values = g->grids + 2 * sample;
      struct grid grid = has_bytes(values, nearest) ? grid_of(values) : (struct grid){0};
      if (grid.step == 0 || !pack(g, x, grid, packed, sums)) {
        if (is_empty) memset(partial, 0, width * width * sizeof *partial);
        add_sample_values(g, x, partial), is_empty = 0;
        continue;
      }
      for (size_t j = 0; j < width; j++) {
        shifts[j] = grid.offset * sums[j];
        totals[j] += (double)grid.step * (sums[j] - (int32_t)g->positions * grid.offset);
      }
      for (size_t i = 0; i < g->channels; i += tile_rows)
        for (size_t j = i / tile * tile; j < width; j += tile)
          add_tile(g, packed, sums, shifts, grid, i, j, is_empty, partial);
      is_empty = 0;
    }
  }
}

/// A sample's values in steps. Returns whether all have a byte.
BODY count_steps(const float *x, const float *values, size_t count, int16_t *numbers, int *others) {
  float step = values[0], least = -values[1] - 127, most = least + 255;
  int missed = 0;
  EACH for (size_t i = 0; i < count; i++) {
    float steps = x[i] / step;
    int is_number = steps >= least && steps <= most;
    missed |= !is_number;
    numbers[i] = (int16_t)(is_number ? steps : 0);
  }
  *others = missed;
}

/// Adds a sample's products, `numbers` being its values in steps; the same operations on the same
/// numbers as by bytes.
BODY add_plain(
  const ck_gram *g, const int16_t *numbers, double step, int32_t *row, double *partial) {
  size_t channels = g->channels, width = wide(g), tile = tile_vectors * lanes;
  double unit = step * step, *totals = partial + width * width;
  for (size_t i = 0; i < channels; i++) {
    size_t from = i / tile * tile;
    int32_t sum = 0;
    memset(row, 0, channels * sizeof *row);
    for (size_t p = 0; p < g->positions; p++) {
      const int16_t *line = numbers + p * channels;
      int32_t number = line[i];
      sum += number;
      EACH for (size_t j = from; j < channels; j++) row[j] += number * line[j];
    }
    totals[i] += step * sum;
    EACH for (size_t j = from; j < channels; j++) partial[i * width + j] += row[j] * unit;
  }
}

// gram_share for processors that do not multiply bytes.
CLONES static void plain_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_gram *g = context;
  size_t width = wide(g), elements = g->positions * g->channels;
  uint8_t *scratch = g->scratch + thread * ck_gram_scratch(g);
  int16_t *numbers = (int16_t *)scratch;
  for (size_t group = begin; group < end; group++) {
    double *partial = g->partial + group * width * (width + 1);
    memset(partial, 0, width * (width + 1) * sizeof *partial);
    for (size_t sample = first_sample(g, group); sample < first_sample(g, group + 1); sample++) {
      const float *x = g->x + sample * elements, *values = g->grids + 2 * sample;
      int others = !has_bytes(values, nearest);
      if (!others) count_steps(x, values, elements, numbers, &others);
      if (others) add_values(g, x, partial);
      else add_plain(g, numbers, values[0], sums_of(g, scratch), partial);
    }
  }
}

// Rows of the joined products, group by group, whoever computed them.
CLONES static void join_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_gram *g = context;
  size_t channels = g->channels, width = wide(g), size = width * (width + 1);
  for (size_t i = begin; i < end; i++) {
    double sum = 0, *product = g->product + i * channels;
    for (size_t group = 0; group < g->groups; group++) {
      const double *partial = g->partial + group * size;
      sum += partial[width * width + i];
      EACH for (size_t j = i; j < channels; j++)
        product[j] = (group ? product[j] : 0) + partial[i * width + j];
    }
    g->sums[i] = sum;
    for (size_t j = i; j < channels; j++) g->product[j * channels + i] = product[j];
  }
}

void ck_gram_run(const ck_gram *g) {
  size_t channels = g->channels;
  ck_share share = ck_integer_runs() && !g->plain ? gram_share : plain_share;
  ck_parallel(share, (void *)g, g->groups, g->samples * g->positions * channels);
  ck_parallel(join_share, (void *)g, channels, g->groups * channels * channels);
}

// MARK: moments

// Columns that one unit computes, in vectors of eight doubles, and rows of its tiles.
enum { unit_columns = 16, moment_rows = 8 };

typedef double eight_doubles __attribute__((vector_size(64), aligned(8)));

/// A unit's columns of the kernel.
size_t ck_gram_moments_scratch(const ck_gram_moments *m) { return unit_columns * m->channels; }

/// The unit's columns of the image in rows i..<i + rows, and what the variance sums up of them.
BODY image_rows(
  const ck_gram_moments *m, const double *kernel, size_t i, size_t rows, size_t first, size_t n,
  eight_doubles squares[2]) {
  size_t channels = m->channels;
  eight_doubles low[moment_rows] = {{0}}, high[moment_rows] = {{0}};
  for (size_t k = 0; k < channels; k++) {
    const eight_doubles *line = (const eight_doubles *)(kernel + k * unit_columns);
    for (size_t r = 0; r < rows; r++) {
      eight_doubles product = (eight_doubles){0} + m->product[(i + r) * channels + k];
      low[r] = __builtin_elementwise_fma(product, line[0], low[r]);
      high[r] = __builtin_elementwise_fma(product, line[1], high[r]);
    }
  }
  for (size_t r = 0; r < rows; r++) {
    const eight_doubles *line = (const eight_doubles *)(kernel + (i + r) * unit_columns);
    squares[0] += low[r] * line[0], squares[1] += high[r] * line[1];
    double image[unit_columns];
    memcpy(image, &low[r], sizeof low[r]), memcpy(image + 8, &high[r], sizeof high[r]);
    float *target = m->image + (i + r) * m->columns + first;
    for (size_t j = 0; j < n; j++) target[j] = (float)image[j];
  }
}

// With X the map of `rows` rows and k a column of the kernel: mean(Xk) = sum(X) k / rows, and
// mean((Xk)^2) = k' (X'X) k / rows. What is exact needs no second pass around the mean: a double's
// rounding is far below a float's even where the mean is a thousand deviations. Fused multiply-adds are
// exact whatever carries them out: the clones give the same bits.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) static void
moments_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_gram_moments *m = context;
  size_t channels = m->channels, columns = m->columns;
  double *kernel = m->scratch + thread * ck_gram_moments_scratch(m), rows = (double)m->rows;
  for (size_t unit = begin; unit < end; unit++) {
    size_t first = unit * unit_columns;
    size_t n = columns - first < unit_columns ? columns - first : unit_columns;
    double means[unit_columns] = {0}, variances[unit_columns];
    for (size_t i = 0; i < channels; i++) {
      double *line = kernel + i * unit_columns;
      for (size_t j = 0; j < unit_columns; j++)
        line[j] = j < n ? (double)m->kernel[i * columns + first + j] : 0;
      for (size_t j = 0; j < unit_columns; j++) means[j] += m->sums[i] * line[j];
    }
    eight_doubles squares[2] = {{0}};
    size_t i = 0;
    for (; i + moment_rows <= channels; i += moment_rows)
      image_rows(m, kernel, i, moment_rows, first, n, squares);
    for (; i < channels; i++) image_rows(m, kernel, i, 1, first, n, squares);
    memcpy(variances, squares, sizeof squares);
    for (size_t j = 0; j < n; j++) {
      double mean = means[j] / rows, variance = variances[j] / rows - mean * mean;
      m->mean[first + j] = (float)(mean + m->bias[first + j]);
      // Of a constant map rounding may leave less than nothing; what is no number stays none.
      m->variance[first + j] = variance < 0 ? 0 : (float)variance;
    }
  }
}

void ck_gram_moments_run(const ck_gram_moments *m) {
  size_t units = (m->columns + unit_columns - 1) / unit_columns;
  ck_parallel(moments_share, (void *)m, units, m->channels * m->channels * m->columns);
}
