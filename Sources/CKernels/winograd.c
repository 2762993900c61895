#pragma STDC FP_CONTRACT OFF
#include "winograd.h"

#include <string.h>

#include "parallel.h"

// A tile is 2x2 or 4x4 outputs, from inputs that are two wider; a plane is one place of a transformed
// tile, for all tiles of a block.
enum { lanes = 16, taps = 9, block_tiles = 16, most_side = 6, most_planes = 36 };
// Floats that transformed kernels of large tiles may take: they are read for each block, from a cache.
enum { most_weights = 1 << 17 };

#define WIDE __attribute__((target("avx512f,fma")))
#define INLINE static inline __attribute__((always_inline, target("avx512f,fma")))
#define UNROLL _Pragma("clang loop unroll(full)")

typedef float sixteen __attribute__((vector_size(64), aligned(4)));

#define AT(p) (*(const sixteen *)(p))
#define PUT(p, v) (*(sixteen *)(p) = (v))
#define ALL(v) ((sixteen){v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v})

int ck_winograd_runs(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma");
}

/// Places of a transformed tile.
static inline size_t planes_of(size_t tile) { return (tile + 2) * (tile + 2); }

static size_t products_of(const ck_winograd *w, size_t tile) {
  return (w->out_height + tile - 1) / tile * ((w->out_width + tile - 1) / tile) * planes_of(tile);
}

size_t ck_winograd_tile(const ck_winograd *w) {
  int fits = planes_of(4) * w->channels * w->columns <= most_weights;
  return fits && products_of(w, 4) < products_of(w, 2) ? 4 : 2;
}

size_t ck_winograd_weights(const ck_winograd *w) {
  return planes_of(w->tile) * w->channels * w->columns;
}

// Transformed tiles, their products, and a pixel of zeros.
size_t ck_winograd_scratch(const ck_winograd *w) {
  return planes_of(w->tile) * block_tiles * (w->channels + w->columns) + w->channels;
}

// MARK: the kernel

#define FMA(a, b, c) __builtin_elementwise_fma(ALL(a), b, c)

// A tile of 4x4 is a polynomial that is multiplied at 0, +-near, +-far and infinity. With the usual 1 and
// 2 its error is five times a direct convolution's, with these twice: powers and differences of theirs
// are of one size.
static const float near = 0.625f, far = 1.5f;
#define NEAR2 (near * near)
#define FAR2 (far * far)

/// Three values of a kernel's line, brought to as many as a tile's inputs.
INLINE void spread(size_t tile, const sixteen *g, size_t step, sixteen *target, size_t target_step) {
  sixteen first = g[0], second = g[step], third = g[2 * step];
#define TARGET(k) target[(k) * target_step]
  if (tile == 2) {
    sixteen ends = (first + third) * ALL(0.5f), middle = second * ALL(0.5f);
    TARGET(0) = first;
    TARGET(1) = ends + middle, TARGET(2) = ends - middle;
    TARGET(3) = third;
  } else {
    // What a polynomial through all places but one is at that one.
    const float near_part = 1 / (2 * NEAR2 * (NEAR2 - FAR2));
    const float far_part = 1 / (2 * FAR2 * (FAR2 - NEAR2));
    sixteen near_ends = FMA(NEAR2, third, first) * ALL(near_part);
    sixteen near_middle = second * ALL(near * near_part);
    sixteen far_ends = FMA(FAR2, third, first) * ALL(far_part);
    sixteen far_middle = second * ALL(far * far_part);
    TARGET(0) = first * ALL(1 / (NEAR2 * FAR2));
    TARGET(1) = near_ends + near_middle, TARGET(2) = near_ends - near_middle;
    TARGET(3) = far_ends + far_middle, TARGET(4) = far_ends - far_middle;
    TARGET(5) = third;
  }
#undef TARGET
}

/// 16 channels from `channel` on, as many columns from `column` on.
INLINE void load_block(
  const ck_winograd *w, size_t tile, const float turned[taps][lanes][lanes], size_t k,
  size_t channel, size_t column) {
  size_t side = tile + 2, plane = w->channels * w->columns;
  sixteen g[taps], rows[3 * most_side], all[most_planes];
  UNROLL for (size_t tap = 0; tap < taps; tap++)
    g[tap] = w->transposed ? AT(turned[tap][k])
                           : AT(w->kernel + (tap * w->channels + channel) * w->columns + column);
  UNROLL for (size_t x = 0; x < 3; x++) spread(tile, g + x, 3, rows + x, 3);
  UNROLL for (size_t y = 0; y < side; y++) spread(tile, rows + 3 * y, 1, all + side * y, 1);
  UNROLL for (size_t p = 0; p < side * side; p++)
    PUT(w->weights + p * plane + channel * w->columns + column, all[p]);
}

// A unit is 16 channels.
WIDE static void load_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_winograd *w = context;
  size_t channels = w->channels, columns = w->columns;
  for (size_t unit = begin; unit < end; unit++) {
    for (size_t column = 0; column < columns; column += lanes) {
      float turned[taps][lanes][lanes];
      if (w->transposed) {
        // The kernel turned by half a turn, and its channels for its columns.
        for (size_t tap = 0; tap < taps; tap++) {
          const float *from = w->kernel + ((taps - 1 - tap) * columns + column) * channels;
          for (size_t j = 0; j < lanes; j++)
            for (size_t k = 0; k < lanes; k++)
              turned[tap][k][j] = from[j * channels + unit * lanes + k];
        }
      }
      for (size_t k = 0; k < lanes; k++) {
        size_t channel = unit * lanes + k;
        if (w->tile == 2) load_block(w, 2, turned, k, channel, column);
        else load_block(w, 4, turned, k, channel, column);
      }
    }
  }
}

void ck_winograd_load(const ck_winograd *w) {
  ck_parallel(
    load_share, (void *)w, w->channels / lanes, taps * w->channels * w->columns);
}

// MARK: tiles

struct grid {
  size_t across, tiles;
};

static struct grid grid_of(const ck_winograd *w) {
  size_t tile = w->tile, across = (w->out_width + tile - 1) / tile;
  return (struct grid){across, across * ((w->out_height + tile - 1) / tile)};
}

/// The pixels under a tile, `zeros` where there are none.
INLINE void find_pixels(
  const ck_winograd *w, size_t tile, struct grid grid, size_t index, const float *zeros,
  const float **pixels) {
  size_t place = index % grid.tiles, side = tile + 2;
  // Wraps where it lies before the map.
  size_t top = place / grid.across * tile - w->pad_top;
  size_t left = place % grid.across * tile - w->pad_left;
  const float *x = w->x + index / grid.tiles * w->height * w->width * w->channels;
  UNROLL for (size_t i = 0; i < side; i++) {
    UNROLL for (size_t j = 0; j < side; j++) {
      int inside = top + i < w->height && left + j < w->width;
      pixels[side * i + j] = inside ? x + ((top + i) * w->width + left + j) * w->channels : zeros;
    }
  }
}

/// The values of an input's line to as many of the transformed one.
INLINE void mix(size_t tile, sixteen *d, size_t step) {
#define D(k) d[(k) * step]
  if (tile == 2) {
    sixteen a = D(0) - D(2), b = D(1) + D(2), c = D(2) - D(1), e = D(1) - D(3);
    D(0) = a, D(1) = b, D(2) = c, D(3) = e;
  } else {
    sixteen first = FMA(NEAR2 * FAR2, D(0), FMA(-(NEAR2 + FAR2), D(2), D(4)));
    sixteen last = FMA(NEAR2 * FAR2, D(1), FMA(-(NEAR2 + FAR2), D(3), D(5)));
    sixteen near_even = FMA(-FAR2, D(2), D(4)), near_odd = FMA(-FAR2, D(1), D(3));
    sixteen far_even = FMA(-NEAR2, D(2), D(4)), far_odd = FMA(-NEAR2, D(1), D(3));
    D(0) = first, D(5) = last;
    D(1) = FMA(near, near_odd, near_even), D(2) = FMA(-near, near_odd, near_even);
    D(3) = FMA(far, far_odd, far_even), D(4) = FMA(-far, far_odd, far_even);
  }
#undef D
}

INLINE void transform_tile(
  size_t tile, const float *const *pixels, size_t channels, float *target, size_t plane) {
  size_t side = tile + 2;
  for (size_t k = 0; k < channels; k += lanes) {
    sixteen d[most_planes];
    UNROLL for (size_t p = 0; p < side * side; p++) d[p] = AT(pixels[p] + k);
    UNROLL for (size_t i = 0; i < side; i++) mix(tile, d + i, side);
    UNROLL for (size_t i = 0; i < side; i++) mix(tile, d + side * i, 1);
    UNROLL for (size_t p = 0; p < side * side; p++) PUT(target + p * plane + k, d[p]);
  }
}

/// `rows` tiles by `vectors` vectors of columns of one plane.
INLINE void multiply(
  const float *a, const float *b, float *y, size_t channels, size_t columns, size_t rows,
  size_t vectors) {
  sixteen sums[16][2];
  UNROLL for (size_t r = 0; r < rows; r++) {
    UNROLL for (size_t v = 0; v < vectors; v++) sums[r][v] = ALL(0);
  }
  for (size_t k = 0; k < channels; k++) {
    sixteen w[2];
    UNROLL for (size_t v = 0; v < vectors; v++) w[v] = AT(b + k * columns + v * lanes);
    UNROLL for (size_t r = 0; r < rows; r++) {
      sixteen x = ALL(a[r * channels + k]);
      UNROLL for (size_t v = 0; v < vectors; v++)
        sums[r][v] = __builtin_elementwise_fma(x, w[v], sums[r][v]);
    }
  }
  UNROLL for (size_t r = 0; r < rows; r++) {
    UNROLL for (size_t v = 0; v < vectors; v++) PUT(y + r * columns + v * lanes, sums[r][v]);
  }
}

/// The products of a block of tiles.
INLINE void multiply_planes(const ck_winograd *w, const float *tiles, float *products) {
  size_t channels = w->channels, columns = w->columns;
  for (size_t p = 0; p < planes_of(w->tile); p++) {
    const float *a = tiles + p * block_tiles * channels, *b = w->weights + p * channels * columns;
    float *y = products + p * block_tiles * columns;
    size_t column = 0;
    for (; column + 2 * lanes <= columns; column += 2 * lanes) {
      multiply(a, b + column, y + column, channels, columns, 8, 2);
      multiply(a + 8 * channels, b + column, y + 8 * columns + column, channels, columns, 8, 2);
    }
    if (column < columns) multiply(a, b + column, y + column, channels, columns, 16, 1);
  }
}

/// The outputs of a line of products.
INLINE void gather(size_t tile, const sixteen *m, size_t step, sixteen *target, size_t target_step) {
#define M(k) m[(k) * step]
#define TARGET(k) target[(k) * target_step]
  sixteen sum = M(1) + M(2), difference = M(1) - M(2);
  if (tile == 2) {
    TARGET(0) = M(0) + sum;
    TARGET(1) = difference - M(3);
  } else {
    sixteen far_sum = M(3) + M(4), far_difference = M(3) - M(4);
    TARGET(0) = (M(0) + sum) + far_sum;
    TARGET(1) = FMA(far, far_difference, difference * ALL(near));
    TARGET(2) = FMA(FAR2, far_sum, sum * ALL(NEAR2));
    TARGET(3) = FMA(FAR2 * far, far_difference, FMA(NEAR2 * near, difference, M(5)));
  }
#undef M
#undef TARGET
}

INLINE void write_tile(
  const ck_winograd *w, size_t tile, struct grid grid, size_t index, const float *products) {
  size_t side = tile + 2, columns = w->columns, plane = block_tiles * columns;
  size_t place = index % grid.tiles, line = w->out_width * columns;
  size_t row = place / grid.across * tile, column = place % grid.across * tile;
  size_t down = w->out_height - row, right = w->out_width - column;
  float *y = w->y + index / grid.tiles * w->out_height * line + row * line + column * columns;
  for (size_t j = 0; j < columns; j += lanes, y += lanes) {
    sixteen m[most_planes], rows[4 * most_side], out[16];
    UNROLL for (size_t p = 0; p < side * side; p++) m[p] = AT(products + p * plane + j);
    UNROLL for (size_t i = 0; i < side; i++) gather(tile, m + i, side, rows + i, side);
    UNROLL for (size_t i = 0; i < tile; i++) gather(tile, rows + side * i, 1, out + tile * i, 1);
    UNROLL for (size_t i = 0; i < tile; i++) {
      UNROLL for (size_t k = 0; k < tile; k++)
        if (i < down && k < right) PUT(y + i * line + k * columns, out[tile * i + k]);
    }
  }
}

/// The tiles first..<last, a block at a time.
INLINE void run_tiles(
  const ck_winograd *w, size_t tile, size_t first, size_t last, size_t thread) {
  struct grid grid = grid_of(w);
  size_t planes = planes_of(tile);
  float *tiles = w->scratch + thread * ck_winograd_scratch(w);
  float *products = tiles + planes * block_tiles * w->channels;
  float *zeros = products + planes * block_tiles * w->columns;
  memset(zeros, 0, w->channels * sizeof *zeros);
  for (; first < last; first += block_tiles) {
    size_t left = last - first, count = left < block_tiles ? left : block_tiles;
    // Tiles behind the last hold what was there: their products are not looked at.
    for (size_t t = 0; t < count; t++) {
      const float *pixels[most_planes];
      find_pixels(w, tile, grid, first + t, zeros, pixels);
      transform_tile(tile, pixels, w->channels, tiles + t * w->channels, block_tiles * w->channels);
    }
    multiply_planes(w, tiles, products);
    for (size_t t = 0; t < count; t++)
      write_tile(w, tile, grid, first + t, products + t * w->columns);
  }
}

// A unit is a sample.
WIDE static void run_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_winograd *w = context;
  size_t tiles = grid_of(w).tiles;
  if (w->tile == 2) run_tiles(w, 2, begin * tiles, end * tiles, thread);
  else run_tiles(w, 4, begin * tiles, end * tiles, thread);
}

void ck_winograd_run(const ck_winograd *w) {
  ck_parallel(
    run_share, (void *)w, w->samples, w->samples * w->height * w->width * w->channels);
}
