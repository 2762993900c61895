#pragma STDC FP_CONTRACT OFF
#include "winograd.h"

#include <string.h>

#include "parallel.h"

// A tile is 2x2 outputs, from 4x4 inputs; a plane is one of the 16 places of a transformed tile, for
// all tiles of a block.
enum { lanes = 16, planes = 16, taps = 9, block_tiles = 16 };

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

size_t ck_winograd_weights(const ck_winograd *w) { return planes * w->channels * w->columns; }

// Transformed tiles, their products, and a pixel of zeros.
size_t ck_winograd_scratch(const ck_winograd *w) {
  return planes * block_tiles * (w->channels + w->columns) + w->channels;
}

// MARK: the kernel

/// Three values of a kernel's line, brought to four.
INLINE void spread(const sixteen *g, size_t step, sixteen *target, size_t target_step) {
  sixteen ends = (g[0] + g[2 * step]) * ALL(0.5f), middle = g[step] * ALL(0.5f);
  target[0] = g[0];
  target[target_step] = ends + middle;
  target[2 * target_step] = ends - middle;
  target[3 * target_step] = g[2 * step];
}

// A unit is 16 channels.
WIDE static void load_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_winograd *w = context;
  size_t channels = w->channels, columns = w->columns, plane = channels * columns;
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
        sixteen g[taps], rows[12], all[planes];
        UNROLL for (size_t tap = 0; tap < taps; tap++)
          g[tap] = w->transposed ? AT(turned[tap][k])
                                 : AT(w->kernel + (tap * channels + channel) * columns + column);
        UNROLL for (size_t x = 0; x < 3; x++) spread(g + x, 3, rows + x, 3);
        UNROLL for (size_t y = 0; y < 4; y++) spread(rows + 3 * y, 1, all + 4 * y, 1);
        UNROLL for (size_t p = 0; p < planes; p++)
          PUT(w->weights + p * plane + channel * columns + column, all[p]);
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
  size_t across = (w->out_width + 1) / 2;
  return (struct grid){across, across * ((w->out_height + 1) / 2)};
}

/// The 16 pixels under a tile, `zeros` where there are none.
INLINE void find_pixels(
  const ck_winograd *w, struct grid grid, size_t tile, const float *zeros, const float **pixels) {
  size_t place = tile % grid.tiles;
  // Wraps where it lies before the map.
  size_t top = place / grid.across * 2 - w->pad_top, left = place % grid.across * 2 - w->pad_left;
  const float *x = w->x + tile / grid.tiles * w->height * w->width * w->channels;
  UNROLL for (size_t i = 0; i < 4; i++) {
    UNROLL for (size_t j = 0; j < 4; j++) {
      int inside = top + i < w->height && left + j < w->width;
      pixels[4 * i + j] = inside ? x + ((top + i) * w->width + left + j) * w->channels : zeros;
    }
  }
}

/// Four values of an input's line to as many of the transformed one.
INLINE void mix(sixteen *d, size_t step) {
  sixteen a = d[0] - d[2 * step], b = d[step] + d[2 * step];
  sixteen c = d[2 * step] - d[step], e = d[step] - d[3 * step];
  d[0] = a, d[step] = b, d[2 * step] = c, d[3 * step] = e;
}

INLINE void transform_tile(
  const float *const *pixels, size_t channels, float *target, size_t plane) {
  for (size_t k = 0; k < channels; k += lanes) {
    sixteen d[planes];
    UNROLL for (size_t p = 0; p < planes; p++) d[p] = AT(pixels[p] + k);
    UNROLL for (size_t i = 0; i < 4; i++) mix(d + i, 4);
    UNROLL for (size_t i = 0; i < 4; i++) mix(d + 4 * i, 1);
    UNROLL for (size_t p = 0; p < planes; p++) PUT(target + p * plane + k, d[p]);
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
  for (size_t p = 0; p < planes; p++) {
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

/// The two outputs of a line of four products.
INLINE void gather(const sixteen *m, size_t step, sixteen *target, size_t target_step) {
  sixteen sum = m[step] + m[2 * step], difference = m[step] - m[2 * step];
  target[0] = m[0] + sum;
  target[target_step] = difference - m[3 * step];
}

INLINE void write_tile(
  const ck_winograd *w, struct grid grid, size_t tile, const float *products) {
  size_t columns = w->columns, plane = block_tiles * columns, place = tile % grid.tiles;
  size_t row = place / grid.across * 2, column = place % grid.across * 2;
  size_t line = w->out_width * columns;
  float *y = w->y + tile / grid.tiles * w->out_height * line + row * line + column * columns;
  int down = row + 1 < w->out_height, right = column + 1 < w->out_width;
  for (size_t j = 0; j < columns; j += lanes, y += lanes) {
    sixteen m[planes], rows[8], out[4];
    UNROLL for (size_t p = 0; p < planes; p++) m[p] = AT(products + p * plane + j);
    UNROLL for (size_t i = 0; i < 4; i++) gather(m + i, 4, rows + i, 4);
    UNROLL for (size_t i = 0; i < 2; i++) gather(rows + 4 * i, 1, out + 2 * i, 1);
    PUT(y, out[0]);
    if (right) PUT(y + columns, out[1]);
    if (down) PUT(y + line, out[2]);
    if (down && right) PUT(y + line + columns, out[3]);
  }
}

// A unit is a sample.
WIDE static void run_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_winograd *w = context;
  struct grid grid = grid_of(w);
  float *tiles = w->scratch + thread * ck_winograd_scratch(w);
  float *products = tiles + planes * block_tiles * w->channels;
  float *zeros = products + planes * block_tiles * w->columns;
  memset(zeros, 0, w->channels * sizeof *zeros);
  for (size_t first = begin * grid.tiles; first < end * grid.tiles; first += block_tiles) {
    size_t left = end * grid.tiles - first, count = left < block_tiles ? left : block_tiles;
    // Tiles behind the last hold what was there: their products are not looked at.
    for (size_t t = 0; t < count; t++) {
      const float *pixels[planes];
      find_pixels(w, grid, first + t, zeros, pixels);
      transform_tile(pixels, w->channels, tiles + t * w->channels, block_tiles * w->channels);
    }
    multiply_planes(w, tiles, products);
    for (size_t t = 0; t < count; t++)
      write_tile(w, grid, first + t, products + t * w->columns);
  }
}

void ck_winograd_run(const ck_winograd *w) {
  ck_parallel(
    run_share, (void *)w, w->samples, w->samples * w->height * w->width * w->channels);
}
