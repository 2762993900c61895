#pragma STDC FP_CONTRACT OFF
#include "bytes.h"
#include "integers.h"
#include "parallel.h"

// Vectors of a block of columns.
enum { most_vectors = 4 };
// Bytes of a pointwise layer's packed map.
enum { part_bytes = 1 << 14 };
// Outputs that are computed together, and what they may read behind the packed map.
enum { most_outputs = 16 };

int ck_integer_runs(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw")
         && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

// MARK: extents

static int is_pointwise(const ck_integer *d) {
  return d->kernel_height == 1 && d->kernel_width == 1 && d->stride_height == 1
         && d->stride_width == 1;
}

/// Vectors that hold the columns.
static size_t vectors_of(const ck_integer *d) { return (d->columns + lanes - 1) / lanes; }

/// What a row of the kernel meets lies in one piece of the map: so many groups of four bytes.
static size_t groups_of(const ck_integer *d) { return (d->kernel_width * d->channels + 3) / 4; }

/// Places of the packed map: what outputs meet, padding included.
static size_t packed_width(const ck_integer *d) {
  return (d->out_width - 1) * d->stride_width + d->kernel_width;
}

static size_t packed_height(const ck_integer *d) {
  return (d->out_height - 1) * d->stride_height + d->kernel_height;
}

/// Positions of a pointwise layer that are packed at a time.
static size_t part_positions(const ck_integer *d) {
  size_t positions = part_bytes / d->channels / most_outputs * most_outputs;
  return positions ? positions : most_outputs;
}

static size_t packed_bytes(const ck_integer *d) {
  size_t places = is_pointwise(d) ? part_positions(d) : packed_height(d) * packed_width(d);
  // Outputs beyond a row's end are computed and thrown away.
  places += most_outputs * d->stride_width + d->kernel_width;
  return (places * d->channels + 127) / 64 * 64;
}

size_t ck_integer_codes(const ck_integer *d) {
  return vectors_of(d) * d->kernel_height * groups_of(d) * lanes * 4;
}

// The packed map, then a factor and a start for each column.
size_t ck_integer_scratch(const ck_integer *d) {
  return packed_bytes(d) + 2 * vectors_of(d) * lanes * sizeof(float);
}

// MARK: the kernel

// The classes of floats that are not finite.
enum { not_finite = 0x99 };

/// Four rows of the kernel, those of them that there are, as bytes of one vector of columns; `others`
/// gains the columns that are not finite.
INLINE __m512i codes_of(
  const float *kernel, size_t rows, size_t columns, __mmask16 mask, __m512 inverse,
  __mmask16 *others) {
  __m512i bytes = _mm512_setzero_si512();
  for (size_t r = 0; r < rows; r++) {
    __m512 values = _mm512_maskz_loadu_ps(mask, kernel + r * columns);
    *others |= _mm512_fpclass_ps_mask(values, not_finite);
    __m512i codes = _mm512_cvtps_epi32(_mm512_mul_ps(values, inverse));
    codes = _mm512_and_si512(codes, _mm512_set1_epi32(255));
    bytes = _mm512_or_si512(bytes, _mm512_sllv_epi32(codes, _mm512_set1_epi32((int)(8 * r))));
  }
  return bytes;
}

// A unit is one vector of columns. Blocks of vectors lie one behind the other; in a block the vectors
// of one group of rows are neighbours.
BYTES static void load_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_integer *d = context;
  size_t groups = groups_of(d), run = d->kernel_width * d->channels;
  for (size_t vector = begin; vector < end; vector++) {
    size_t first = vector * lanes;
    __mmask16 mask = first_lanes(d->columns - first);
    size_t block = vector / most_vectors * most_vectors, width = vectors_of(d) - block;
    if (width > most_vectors) width = most_vectors;
    int8_t *target =
      d->codes + (block * d->kernel_height * groups * lanes + (vector - block) * lanes) * 4;
    __m512 inverse = _mm512_div_ps(_mm512_set1_ps(1), _mm512_maskz_loadu_ps(mask, d->steps + first));
    inverse = _mm512_maskz_mov_ps(mask, inverse);
    __m512i sums = _mm512_setzero_si512(), sizes = sums, ones = _mm512_set1_epi8(1);
    __mmask16 others = 0;
    for (size_t ky = 0; ky < d->kernel_height; ky++) {
      for (size_t at = 0; at < run; at += 4) {
        const float *kernel = d->kernel + (ky * run + at) * d->columns + first;
        size_t rows = run - at < 4 ? run - at : 4;
        __m512i codes = codes_of(kernel, rows, d->columns, mask, inverse, &others);
        sums = _mm512_dpbusd_epi32(sums, ones, codes);
        sizes = _mm512_dpbusd_epi32(sizes, _mm512_abs_epi8(codes), ones);
        _mm512_storeu_si512(target, codes);
        target += width * lanes * 4;
      }
    }
    // A kernel that is not finite is none of codes.
    sizes = _mm512_mask_mov_epi32(sizes, others, _mm512_set1_epi32(INT32_MAX));
    _mm512_mask_storeu_epi32(d->code_sums + first, mask, sums);
    _mm512_mask_storeu_epi32(d->code_sums + d->columns + first, mask, sizes);
  }
}

// What a value has of steps, its code less the zero's, lies between two numbers that are 0 or have two
// signs and are at most 255 apart, where the zero is a code itself; where it lies farther, all have one sign. So
// no sum of some of a column's products is farther from 0 than the larger of the sums of its positive and
// of its negative codes, times 255 or the farthest value.
void ck_integer_load(ck_integer *d) {
  ck_parallel(
    load_share, d, vectors_of(d),
    d->kernel_height * d->kernel_width * d->channels * d->columns);
  int64_t largest = 1;
  for (size_t j = 0; j < d->columns; j++) {
    int64_t sum = d->code_sums[j], size = d->code_sums[d->columns + j];
    int64_t one_sign = (size + (sum < 0 ? -sum : sum)) / 2;
    if (one_sign > largest) largest = one_sign;
  }
  d->is_exact = largest <= (1 << 24) / 255;
  // Padding is a zero, which must be a byte.
  d->reach = is_pointwise(d) ? (int)((1 << 24) / largest) - nearest - 1 : nearest + 1;
}

// MARK: the map

/// The bytes of `count` values. Returns the numbers joined bit by bit.
INLINE __m512i pack(const float *x, size_t count, struct grid grid, uint8_t *target) {
  __m512i joined = _mm512_setzero_si512();
  for (size_t i = 0; i < count; i += lanes) {
    __mmask16 mask = first_lanes(count - i);
    __m512i numbers = numbers_of(x + i, mask, grid);
    joined = _mm512_mask_or_epi32(joined, mask, joined, numbers);
    _mm512_mask_cvtepi32_storeu_epi8(target + i, mask, numbers);
  }
  return joined;
}

/// A sample's map with its padding, whose values are 0. Returns whether all were bytes.
INLINE int pack_sample(
  const ck_integer *d, const float *x, struct grid grid, uint8_t *target) {
  int offset = grid.offset;
  size_t line = packed_width(d) * d->channels, height = packed_height(d);
  size_t left = d->pad_left * d->channels, inside = d->width * d->channels;
  if (inside > line - left) inside = line - left;
  __m512i joined = _mm512_setzero_si512();
  for (size_t row = 0; row < height; row++, target += line) {
    size_t iy = row - d->pad_top;  // wraps where it lies above the map
    if (iy >= d->height) {
      memset(target, offset, line);
      continue;
    }
    memset(target, offset, left);
    __m512i numbers = pack(x + iy * d->width * d->channels, inside, grid, target + left);
    joined = _mm512_or_si512(joined, numbers);
    memset(target + left + inside, offset, line - left - inside);
  }
  return are_bytes(joined);
}

/// A sample in floating point: one chain of fused multiply-adds along a kernel.
BYTES static void float_sample(const ck_integer *d, const float *x, float *y) {
  for (size_t oy = 0; oy < d->out_height; oy++) {
    for (size_t ox = 0; ox < d->out_width; ox++, y += d->columns) {
      memset(y, 0, d->columns * sizeof *y);
      for (size_t ky = 0; ky < d->kernel_height; ky++) {
        // Both wrap where they lie before the map.
        size_t iy = oy * d->stride_height + ky - d->pad_top;
        for (size_t kx = 0; iy < d->height && kx < d->kernel_width; kx++) {
          size_t ix = ox * d->stride_width + kx - d->pad_left;
          if (ix >= d->width) continue;
          const float *values = x + (iy * d->width + ix) * d->channels;
          const float *kernel = d->kernel + (ky * d->kernel_width + kx) * d->channels * d->columns;
          for (size_t k = 0; k < d->channels; k++, kernel += d->columns) {
            __m512 value = _mm512_set1_ps(values[k]);
            for (size_t j = 0; j < d->columns; j += lanes) {
              __mmask16 mask = first_lanes(d->columns - j);
              __m512 sum = _mm512_maskz_loadu_ps(mask, y + j);
              sum = _mm512_fmadd_ps(value, _mm512_maskz_loadu_ps(mask, kernel + j), sum);
              _mm512_mask_storeu_ps(y + j, mask, sum);
            }
          }
        }
      }
    }
  }
}

// MARK: sums

/// A tile of outputs: neighbours of one row, one block of columns.
struct tile {
  const uint8_t *x;
  const int8_t *codes;
  // Bytes from output to output, and from row to row of the kernel.
  size_t step, line;
  size_t rows, groups, columns, count;
  const float *factors;
  const int32_t *starts;
  // Where each output has a grid of its own: they, and the columns' sums of codes; starts are 0 then.
  const struct grid *grids;
  const int32_t *code_sums;
  float *y;
  __mmask16 last_mask;
};

INLINE void sum_tile(const struct tile *t, size_t outputs, size_t vectors) {
  __m512i sums[most_outputs][most_vectors];
  UNROLL for (size_t v = 0; v < vectors; v++) {
    __m512i start = _mm512_loadu_si512(t->starts + v * lanes);
    UNROLL for (size_t o = 0; o < outputs; o++) sums[o][v] = start;
  }
  const int8_t *codes = t->codes;
  size_t step = t->step;
  for (size_t row = 0; row < t->rows; row++) {
    const uint8_t *x[most_outputs / 4];
    UNROLL for (size_t q = 0; q < outputs / 4; q++) x[q] = t->x + row * t->line + 4 * q * step;
    for (size_t group = 0; group < t->groups; group++) {
      __m512i w[most_vectors];
      UNROLL for (size_t v = 0; v < vectors; v++) w[v] = _mm512_loadu_si512(codes + v * lanes * 4);
      codes += vectors * lanes * 4;
      UNROLL for (size_t o = 0; o < outputs; o++) {
        int32_t four;
        memcpy(&four, x[o / 4] + o % 4 * step, 4);
        __m512i bytes = _mm512_set1_epi32(four);
        UNROLL for (size_t v = 0; v < vectors; v++)
          sums[o][v] = _mm512_dpbusd_epi32(sums[o][v], bytes, w[v]);
      }
      UNROLL for (size_t q = 0; q < outputs / 4; q++) x[q] += 4;
    }
  }
  UNROLL for (size_t o = 0; o < outputs; o++) {
    if (o < t->count) {
      UNROLL for (size_t v = 0; v < vectors; v++) {
        __mmask16 mask = v + 1 == vectors ? t->last_mask : 0xffff;
        __m512 factor = _mm512_loadu_ps(t->factors + v * lanes);
        if (t->grids) {
          __m512i codes = _mm512_maskz_loadu_epi32(mask, t->code_sums + v * lanes);
          codes = _mm512_mullo_epi32(codes, _mm512_set1_epi32(t->grids[o].offset));
          sums[o][v] = _mm512_sub_epi32(sums[o][v], codes);
          factor = _mm512_mul_ps(factor, _mm512_set1_ps(t->grids[o].step));
        }
        __m512 values = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[o][v]), factor);
        _mm512_mask_storeu_ps(t->y + o * t->columns + v * lanes, mask, values);
      }
    }
  }
}

/// `count` neighbouring outputs over all columns; their packed map begins at x. `grids`: of each output,
/// where they differ.
INLINE void sum_row(
  const ck_integer *d, const uint8_t *x, size_t count, const float *factors,
  const int32_t *starts, const struct grid *grids, float *y) {
  size_t all = vectors_of(d), groups = groups_of(d), spare = all * lanes - d->columns;
  struct tile t = {
    .step = d->stride_width * d->channels,
    .line = packed_width(d) * d->channels,
    .rows = d->kernel_height,
    .groups = groups,
    .columns = d->columns,
  };
  for (size_t block = 0; block < all; block += most_vectors) {
    size_t vectors = all - block < most_vectors ? all - block : most_vectors;
    size_t outputs = vectors == 1 ? 16 : vectors == 2 ? 8 : 4;
    t.codes = d->codes + block * d->kernel_height * groups * lanes * 4;
    t.factors = factors + block * lanes, t.starts = starts + block * lanes;
    t.code_sums = d->code_sums + block * lanes;
    t.last_mask = block + vectors == all ? (__mmask16)(0xffff >> spare) : 0xffff;
    for (size_t first = 0; first < count; first += outputs) {
      t.x = x + first * t.step, t.y = y + first * d->columns + block * lanes;
      t.count = count - first < outputs ? count - first : outputs;
      t.grids = grids ? grids + first : NULL;
      switch (vectors) {
        case 1: sum_tile(&t, 16, 1); break;
        case 2: sum_tile(&t, 8, 2); break;
        case 3: sum_tile(&t, 4, 3); break;
        default: sum_tile(&t, 4, 4); break;
      }
    }
  }
}

/// What a sample's grid makes of the columns: the value of a product of codes, and what the offset of
/// its bytes adds to a sum, taken away beforehand.
INLINE void start_sample(const ck_integer *d, struct grid grid, float *factors, int32_t *starts) {
  for (size_t j = 0; j < d->columns; j++) {
    factors[j] = d->steps[j] * grid.step;
    starts[j] = -grid.offset * d->code_sums[j];
  }
}

BYTES void ck_integer_sample(const void *layer, size_t sample, float *y, size_t thread) {
  const ck_integer *d = layer;
  if (!d->is_exact) return;
  const float *x = d->x + sample * d->height * d->width * d->channels;
  if (!has_bytes(d->grids + 2 * sample, d->reach)) return float_sample(d, x, y);
  uint8_t *packed = d->scratch + thread * ck_integer_scratch(d);
  float *factors = (float *)(packed + packed_bytes(d));
  int32_t *starts = (int32_t *)(factors + vectors_of(d) * lanes);
  size_t positions = d->out_height * d->out_width;
  struct grid grid = grid_of(d->grids + 2 * sample);
  start_sample(d, grid, factors, starts);
  if (is_pointwise(d)) {
    for (size_t first = 0; first < positions; first += part_positions(d)) {
      size_t left = positions - first, count = left < part_positions(d) ? left : part_positions(d);
      if (!are_bytes(pack(x + first * d->channels, count * d->channels, grid, packed)))
        return float_sample(d, x, y);
      sum_row(d, packed, count, factors, starts, NULL, y + first * d->columns);
    }
    return;
  }
  if (!pack_sample(d, x, grid, packed)) return float_sample(d, x, y);
  size_t line = packed_width(d) * d->channels * d->stride_height;
  for (size_t oy = 0; oy < d->out_height; oy++)
    sum_row(
      d, packed + oy * line, d->out_width, factors, starts, NULL,
      y + oy * d->out_width * d->columns);
}

// MARK: rows

struct rows {
  const ck_integer *layer;
  size_t samples;
  float *y;
};

// Samples of one position: a unit is as many as are computed together.
BYTES static void rows_share(void *context, size_t begin, size_t end, size_t thread) {
  const struct rows *r = context;
  const ck_integer *d = r->layer;
  uint8_t *packed = d->scratch + thread * ck_integer_scratch(d);
  float *factors = (float *)(packed + packed_bytes(d));
  int32_t *starts = (int32_t *)(factors + vectors_of(d) * lanes);
  memset(factors, 0, 2 * vectors_of(d) * lanes * sizeof *factors);
  memcpy(factors, d->steps, d->columns * sizeof *factors);
  for (size_t unit = begin; unit < end; unit++) {
    size_t first = unit * most_outputs, left = r->samples - first;
    size_t count = left < most_outputs ? left : most_outputs;
    struct grid grids[most_outputs] = {{0}};
    int bytes[most_outputs] = {0};
    const float *x = d->x + first * d->channels;
    float *y = r->y + first * d->columns;
    for (size_t k = 0; k < count; k++) {
      const float *grid = d->grids + 2 * (first + k);
      if (!has_bytes(grid, d->reach)) continue;
      grids[k] = grid_of(grid);
      bytes[k] = are_bytes(pack(x + k * d->channels, d->channels, grids[k], packed + k * d->channels));
    }
    sum_row(d, packed, count, factors, starts, grids, y);
    for (size_t k = 0; k < count; k++)
      if (!bytes[k]) float_sample(d, x + k * d->channels, y + k * d->columns);
  }
}

void ck_integer_rows(const ck_integer *d, size_t samples, float *y) {
  if (!d->is_exact) return;
  struct rows rows = {d, samples, y};
  ck_parallel(
    rows_share, &rows, (samples + most_outputs - 1) / most_outputs,
    samples * (d->channels + d->columns));
}
