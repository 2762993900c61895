#pragma STDC FP_CONTRACT OFF
#include "products.h"

#include <string.h>

#include "clones.h"
#include "parallel.h"

// Neighbouring outputs that are computed together, so that a kernel value is read once for them.
enum { neighbours = 4 };

typedef float sixteen __attribute__((vector_size(64), aligned(4)));
typedef float eight __attribute__((vector_size(32), aligned(4)));

// MARK: depthwise

// The part of the kernel that meets the map, and where.
struct taps {
  const float *x, *kernel;
  size_t rows, columns, x_row, kernel_row, channels, step;
};

// `count` neighbouring outputs, `step` input values apart, over one vector of channels.
#define DEFINE_OUTPUTS(type)                                                          \
  BODY outputs_##type(const struct taps *t, const float *bias, float *y, size_t count) { \
    type sum[neighbours];                                                             \
    memset(sum, 0, sizeof sum);                                                       \
    for (size_t p = 0; p < t->rows; p++) {                                            \
      for (size_t q = 0; q < t->columns; q++) {                                       \
        const float *x = t->x + p * t->x_row + q * t->channels;                       \
        type factor = *(const type *)(t->kernel + p * t->kernel_row + q * t->channels); \
        for (size_t o = 0; o < count; o++) sum[o] += *(const type *)(x + o * t->step) * factor; \
      }                                                                               \
    }                                                                                 \
    for (size_t o = 0; o < count; o++)                                                \
      *(type *)(y + o * t->channels) = bias ? sum[o] + *(const type *)bias : sum[o];  \
  }
DEFINE_OUTPUTS(sixteen)
DEFINE_OUTPUTS(eight)
DEFINE_OUTPUTS(float)

BODY outputs(struct taps t, const float *bias, float *y, size_t count) {
  size_t j = 0, left = t.channels;
  while (left) {
    size_t n = left >= 16 ? 16 : left >= 8 ? 8 : 1;
    if (n == 16) outputs_sixteen(&t, bias, y + j, count);
    else if (n == 8) outputs_eight(&t, bias, y + j, count);
    else outputs_float(&t, bias, y + j, count);
    t.x += n, t.kernel += n, j += n, left -= n;
    if (bias) bias += n;
  }
}

// A unit is one row of one sample's output.
CLONES static void depthwise_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_depthwise_sums *d = context;
  for (size_t unit = begin; unit < end; unit++) {
    size_t sample = unit / d->out_height, top = unit % d->out_height * d->stride_height;
    size_t first_row = top < d->pad_top ? d->pad_top - top : 0;
    size_t last_row = d->height + d->pad_top - top;
    if (last_row > d->kernel_height) last_row = d->kernel_height;
    const float *rows =
      d->x + (sample * d->height + top + first_row - d->pad_top) * d->width * d->channels;
    for (size_t column = 0; column < d->out_width;) {
      size_t left = column * d->stride_width;
      size_t first = left < d->pad_left ? d->pad_left - left : 0;
      size_t last = d->width + d->pad_left - left;
      if (last > d->kernel_width) last = d->kernel_width;
      struct taps t = {
        .x = rows + (left + first - d->pad_left) * d->channels,
        .kernel = d->kernel + (first_row * d->kernel_width + first) * d->channels,
        .rows = last_row > first_row ? last_row - first_row : 0,
        .columns = last > first ? last - first : 0,
        .x_row = d->width * d->channels,
        .kernel_row = d->kernel_width * d->channels,
        .channels = d->channels,
        .step = d->stride_width * d->channels,
      };
      float *y = d->y + (unit * d->out_width + column) * d->channels;
      // The last of the neighbours must meet the whole width of the kernel too.
      size_t end_of_last = left + (neighbours - 1) * d->stride_width + d->kernel_width;
      int together = column + neighbours <= d->out_width && first == 0 &&
                     end_of_last <= d->width + d->pad_left;
      if (together) outputs(t, d->bias, y, neighbours);
      else outputs(t, d->bias, y, 1);
      column += together ? neighbours : 1;
    }
  }
}

void ck_depthwise_forward(const ck_depthwise_sums *d) {
  size_t units = d->samples * d->out_height;
  ck_parallel(depthwise_share, (void *)d, units, units * d->out_width * d->channels);
}

// MARK: products

// Rows that are computed together, and rows of one unit.
enum { narrow_rows = 4, narrow_unit = 64 };

#define ALL(v) ((eight){v, v, v, v, v, v, v, v})

// Eight columns of `count` rows stay in registers.
BODY narrow_eight(const ck_narrow_product *p, size_t row, size_t count) {
  eight even[narrow_rows] = {{0}}, odd[narrow_rows] = {{0}};
  const float *a = p->a + row * p->a_stride, *b = p->b + p->first;
  size_t k = 0;
  for (; k + 1 < p->depth; k += 2) {
    eight first = *(const eight *)(b + k * p->columns);
    eight second = *(const eight *)(b + (k + 1) * p->columns);
    for (size_t r = 0; r < count; r++) {
      const float *x = a + r * p->a_stride + k;
      even[r] = __builtin_elementwise_fma(ALL(x[0]), first, even[r]);
      odd[r] = __builtin_elementwise_fma(ALL(x[1]), second, odd[r]);
    }
  }
  if (k < p->depth) {
    eight last = *(const eight *)(b + k * p->columns);
    for (size_t r = 0; r < count; r++)
      even[r] = __builtin_elementwise_fma(ALL(a[r * p->a_stride + k]), last, even[r]);
  }
  for (size_t r = 0; r < count; r++) {
    eight *y = (eight *)(p->y + (row + r) * p->columns + p->first);
    *y = p->adds ? *y + (even[r] + odd[r]) : even[r] + odd[r];
  }
}

BODY narrow_one(const ck_narrow_product *p, size_t row, size_t column) {
  float chains[2] = {0};
  for (size_t k = 0; k < p->depth; k++)
    chains[k % 2] = __builtin_fmaf(
      p->a[row * p->a_stride + k], p->b[k * p->columns + column], chains[k % 2]);
  float *y = p->y + row * p->columns + column, value = chains[0] + chains[1];
  *y = p->adds ? *y + value : value;
}

// Fused multiply-adds are exact whatever carries them out: the clones give the same bits.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) static void
narrow_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_narrow_product *p = context;
  size_t last = end * narrow_unit < p->rows ? end * narrow_unit : p->rows;
  size_t row = begin * narrow_unit;
  if (p->columns - p->first == 8) {
    for (; row + narrow_rows <= last; row += narrow_rows) narrow_eight(p, row, narrow_rows);
    for (; row < last; row++) narrow_eight(p, row, 1);
  }
  for (; row < last; row++)
    for (size_t column = p->first; column < p->columns; column++) narrow_one(p, row, column);
}

void ck_narrow(const ck_narrow_product *p) {
  size_t units = (p->rows + narrow_unit - 1) / narrow_unit;
  ck_parallel(narrow_share, (void *)p, units, p->rows * p->depth);
}
