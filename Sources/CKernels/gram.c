#pragma STDC FP_CONTRACT OFF
#include "bytes.h"
#include "clones.h"
#include "integers.h"
#include "parallel.h"

// Groups of samples that have sums of their own, whatever the number of threads.
enum { most_groups = 16 };
// Rows and vectors of a tile of products.
enum { tile_rows = 8, tile_vectors = 2 };

static size_t groups_of(const ck_gram *g) {
  return g->samples < most_groups ? g->samples : most_groups;
}

/// Channels, filled up to whole tiles.
static size_t wide(const ck_gram *g) {
  size_t tile = tile_vectors * lanes;
  return (g->channels + tile - 1) / tile * tile;
}

size_t ck_gram_partial(const ck_gram *g) { return groups_of(g) * wide(g) * (wide(g) + 1); }

// A sample's numbers, of a byte or two, then two rows of sums.
size_t ck_gram_scratch(const ck_gram *g) {
  return ((g->positions + 3) / 4 * 4 * sizeof(int16_t) + 2 * sizeof(int32_t)) * wide(g);
}

static int32_t *sums_of(const ck_gram *g, uint8_t *scratch) {
  return (int32_t *)(scratch + ck_gram_scratch(g)) - 2 * wide(g);
}

/// Four positions' bytes of each channel side by side; fours of positions one behind the other.
INLINE void pack(const ck_gram *g, const float *x, struct grid grid, uint8_t *packed, int32_t *sums) {
  size_t channels = g->channels;
  memset(sums, 0, wide(g) * sizeof *sums);
  for (size_t first = 0; first < g->positions; first += 4) {
    size_t rows = g->positions - first < 4 ? g->positions - first : 4;
    for (size_t j = 0; j < wide(g); j += lanes, packed += 4 * lanes) {
      __mmask16 mask = first_lanes(j < channels ? channels - j : 0);
      __m512i bytes = _mm512_setzero_si512();
      for (size_t r = 0; r < rows; r++) {
        __m512i numbers = numbers_of(x + (first + r) * channels + j, mask, grid);
        numbers = _mm512_maskz_mov_epi32(mask, _mm512_and_si512(numbers, _mm512_set1_epi32(255)));
        bytes = _mm512_or_si512(
          bytes, _mm512_sllv_epi32(numbers, _mm512_set1_epi32((int)(8 * r))));
      }
      _mm512_storeu_si512(packed, bytes);
      __m512i sum = _mm512_loadu_si512(sums + j);
      _mm512_storeu_si512(sums + j, _mm512_dpbusd_epi32(sum, bytes, _mm512_set1_epi8(1)));
    }
  }
}

/// Adds a sample's products of channels i..<i + tile_rows with j..<j + two vectors to `partial`.
INLINE void add_tile(
  const ck_gram *g, const uint8_t *packed, const int32_t *sums, const int32_t *shifts,
  struct grid grid, size_t i, size_t j, float *partial) {
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
  __m512 unit = _mm512_set1_ps(grid.step * grid.step);
  int32_t squares = (int32_t)g->positions * grid.offset * grid.offset;
  UNROLL for (size_t r = 0; r < tile_rows; r++) {
    __m512i start = _mm512_set1_epi32((128 - grid.offset) * sums[i + r] + squares);
    UNROLL for (size_t v = 0; v < tile_vectors; v++) {
      __m512i shift = _mm512_sub_epi32(start, _mm512_loadu_si512(shifts + j + v * lanes));
      __m512 product = _mm512_cvtepi32_ps(_mm512_add_epi32(total[r][v], shift));
      float *target = partial + (i + r) * width + j + v * lanes;
      _mm512_storeu_ps(
        target, _mm512_add_ps(_mm512_loadu_ps(target), _mm512_mul_ps(product, unit)));
    }
  }
}

// A unit is a group of samples. Products are formed from a row's own vectors on: the rest is theirs
// mirrored.
BYTES static void gram_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_gram *g = context;
  size_t width = wide(g), elements = g->positions * g->channels, tile = tile_vectors * lanes;
  uint8_t *packed = g->scratch + thread * ck_gram_scratch(g);
  int32_t *sums = sums_of(g, packed), *shifts = sums + width;
  for (size_t group = begin; group < end; group++) {
    float *partial = g->partial + group * width * (width + 1), *totals = partial + width * width;
    memset(partial, 0, width * (width + 1) * sizeof *partial);
    size_t last = (group + 1) * g->samples / groups_of(g);
    for (size_t sample = group * g->samples / groups_of(g); sample < last; sample++) {
      struct grid grid = grid_of(g->grids + 2 * sample);
      pack(g, g->x + sample * elements, grid, packed, sums);
      for (size_t j = 0; j < width; j++) {
        shifts[j] = grid.offset * sums[j];
        totals[j] += grid.step * (float)(sums[j] - (int32_t)g->positions * grid.offset);
      }
      for (size_t i = 0; i < g->channels; i += tile_rows)
        for (size_t j = i / tile * tile; j < width; j += tile)
          add_tile(g, packed, sums, shifts, grid, i, j, partial);
    }
  }
}

/// Adds a sample's products, `numbers` being its values in steps; the same operations on the same
/// numbers as by bytes.
BODY add_plain(const ck_gram *g, const int16_t *numbers, float step, int32_t *row, float *partial) {
  size_t channels = g->channels, width = wide(g), tile = tile_vectors * lanes;
  float unit = step * step, *totals = partial + width * width;
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
    totals[i] += step * (float)sum;
    EACH for (size_t j = from; j < channels; j++) partial[i * width + j] += (float)row[j] * unit;
  }
}

// gram_share for processors that do not multiply bytes.
CLONES static void plain_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_gram *g = context;
  size_t width = wide(g), elements = g->positions * g->channels;
  uint8_t *scratch = g->scratch + thread * ck_gram_scratch(g);
  int16_t *numbers = (int16_t *)scratch;
  for (size_t group = begin; group < end; group++) {
    float *partial = g->partial + group * width * (width + 1);
    memset(partial, 0, width * (width + 1) * sizeof *partial);
    size_t last = (group + 1) * g->samples / groups_of(g);
    for (size_t sample = group * g->samples / groups_of(g); sample < last; sample++) {
      const float *x = g->x + sample * elements;
      float step = g->grids[2 * sample];
      EACH for (size_t i = 0; i < elements; i++) {
        // What is not finite is no number of steps.
        float steps = x[i] / step;
        numbers[i] = (int16_t)(steps >= -255 && steps <= 255 ? steps : 0);
      }
      add_plain(g, numbers, step, sums_of(g, scratch), partial);
    }
  }
}

// Rows of the joined products, group by group in double, whoever computed them.
static void join_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_gram *g = context;
  size_t channels = g->channels, width = wide(g), size = width * (width + 1);
  for (size_t i = begin; i < end; i++) {
    double sum = 0;
    for (size_t group = 0; group < groups_of(g); group++)
      sum += g->partial[group * size + width * width + i];
    g->sums[i] = sum;
    for (size_t j = i; j < channels; j++) {
      double product = 0;
      for (size_t group = 0; group < groups_of(g); group++)
        product += g->partial[group * size + i * width + j];
      g->product[i * channels + j] = g->product[j * channels + i] = (float)product;
    }
  }
}

void ck_gram_run(const ck_gram *g) {
  size_t channels = g->channels;
  ck_share share = ck_integer_runs() && !g->plain ? gram_share : plain_share;
  ck_parallel(share, (void *)g, groups_of(g), g->samples * g->positions * channels);
  ck_parallel(join_share, (void *)g, channels, groups_of(g) * channels * channels);
}
