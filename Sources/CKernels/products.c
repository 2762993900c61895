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

// A row of outputs, along which a kernel 3 or 5 wide slides: what it has met stays in registers. What
// lies beyond the map's edge counts as 0.
struct slide {
  // `next`: the first of the rows of the input that the next row of outputs will add.
  const float *x, *kernel, *next;
  size_t rows, x_row, kernel_row, channels, width, outputs, pad;
};

#define COLUMN(vector, row, i)                                                        \
  ((size_t)(i) < s->width ? *(const vector *)((row) + (size_t)(i) * s->channels) : (vector){0})

// Asks for what `stride` more columns of the next rows will want: one vector of many channels, so that
// the lines lie too far apart for a processor to foresee them.
#define FETCH_NEXT(stride, last)                                                      \
  for (size_t r = 0; r < stride; r++)                                                 \
    for (size_t q = 0; q < stride; q++)                                               \
      __builtin_prefetch(s->next + r * s->x_row + (size_t)(at + (last) - (ptrdiff_t)q) * s->channels)

// A kernel of up to three rows of three: all at once.
#define DEFINE_SLIDE_3(vector, stride)                                                \
  BODY slide_3_##vector##_##stride(                                                   \
    const struct slide *s, const float *bias, float *y, size_t rows) {                \
    vector x0[3], x1[3], x2[3], k[3][3];                                              \
    ptrdiff_t at = -(ptrdiff_t)s->pad;                                                \
    for (size_t p = 0; p < rows; p++) {                                               \
      for (size_t q = 0; q < 3; q++)                                                  \
        k[p][q] = *(const vector *)(s->kernel + p * s->kernel_row + q * s->channels); \
      x0[p] = COLUMN(vector, s->x + p * s->x_row, at);                                \
      x1[p] = COLUMN(vector, s->x + p * s->x_row, at + 1);                            \
    }                                                                                 \
    for (size_t o = 0; o < s->outputs; o++, at += stride) {                           \
      FETCH_NEXT(stride, 2);                                                          \
      vector sum = {0};                                                               \
      for (size_t p = 0; p < rows; p++) {                                             \
        const float *x = s->x + p * s->x_row;                                         \
        if (stride == 2 && o) x1[p] = COLUMN(vector, x, at + 1);                      \
        x2[p] = COLUMN(vector, x, at + 2);                                            \
        sum += x0[p] * k[p][0];                                                       \
        sum += x1[p] * k[p][1];                                                       \
        sum += x2[p] * k[p][2];                                                       \
        x0[p] = stride == 2 ? x2[p] : x1[p], x1[p] = x2[p];                           \
      }                                                                               \
      *(vector *)(y + o * s->channels) = bias ? sum + *(const vector *)bias : sum;    \
    }                                                                                 \
  }
DEFINE_SLIDE_3(sixteen, 1)
DEFINE_SLIDE_3(sixteen, 2)
DEFINE_SLIDE_3(eight, 1)
DEFINE_SLIDE_3(eight, 2)

// A kernel of any number of rows of five: row by row, onto what the rows before gave.
#define DEFINE_SLIDE_5(vector, stride)                                                \
  BODY slide_5_##vector##_##stride(                                                   \
    const struct slide *s, const float *bias, float *y, size_t rows) {                \
    for (size_t p = 0; p < rows; p++) {                                               \
      const float *kernel = s->kernel + p * s->kernel_row, *x = s->x + p * s->x_row;  \
      vector k0 = *(const vector *)kernel, k1 = *(const vector *)(kernel + s->channels); \
      vector k2 = *(const vector *)(kernel + 2 * s->channels);                        \
      vector k3 = *(const vector *)(kernel + 3 * s->channels);                        \
      vector k4 = *(const vector *)(kernel + 4 * s->channels);                        \
      ptrdiff_t at = -(ptrdiff_t)s->pad;                                              \
      vector x0 = COLUMN(vector, x, at), x1 = COLUMN(vector, x, at + 1);              \
      vector x2 = COLUMN(vector, x, at + 2), x3 = COLUMN(vector, x, at + 3), x4;      \
      int adds_bias = bias && p + 1 == rows;                                          \
      for (size_t o = 0; o < s->outputs; o++, at += stride) {                         \
        if (p + 1 == rows) FETCH_NEXT(stride, 4);                                     \
        vector *target = (vector *)(y + o * s->channels);                             \
        vector sum = p ? *target : (vector){0};                                       \
        if (stride == 2 && o) x3 = COLUMN(vector, x, at + 3);                         \
        x4 = COLUMN(vector, x, at + 4);                                               \
        sum += x0 * k0;                                                               \
        sum += x1 * k1;                                                               \
        sum += x2 * k2;                                                               \
        sum += x3 * k3;                                                               \
        sum += x4 * k4;                                                               \
        *target = adds_bias ? sum + *(const vector *)bias : sum;                      \
        if (stride == 2) x0 = x2, x1 = x3, x2 = x4;                                   \
        else x0 = x1, x1 = x2, x2 = x3, x3 = x4;                                      \
      }                                                                               \
    }                                                                                 \
  }
DEFINE_SLIDE_5(sixteen, 1)
DEFINE_SLIDE_5(sixteen, 2)
DEFINE_SLIDE_5(eight, 1)
DEFINE_SLIDE_5(eight, 2)
#undef COLUMN

// The number of rows as a constant, so that registers can hold them.
#define SLIDE_3(vector, stride)                                                       \
  (s.rows == 3   ? slide_3_##vector##_##stride(&s, bias, y, 3)                        \
   : s.rows == 2 ? slide_3_##vector##_##stride(&s, bias, y, 2)                        \
                 : slide_3_##vector##_##stride(&s, bias, y, 1))
#define SLIDE_5(vector, stride) slide_5_##vector##_##stride(&s, bias, y, s.rows)

BODY slide_row(struct slide s, size_t kernel_width, size_t stride, const float *bias, float *y) {
  size_t left = s.channels;
  while (left) {
    size_t n = left >= 16 ? 16 : 8;
    switch ((n == 16 ? 8 : 0) + (kernel_width == 3 ? 4 : 0) + stride) {
      case 8 + 4 + 1: SLIDE_3(sixteen, 1); break;
      case 8 + 4 + 2: SLIDE_3(sixteen, 2); break;
      case 8 + 1: SLIDE_5(sixteen, 1); break;
      case 8 + 2: SLIDE_5(sixteen, 2); break;
      case 4 + 1: SLIDE_3(eight, 1); break;
      case 4 + 2: SLIDE_3(eight, 2); break;
      case 1: SLIDE_5(eight, 1); break;
      case 2: SLIDE_5(eight, 2); break;
    }
    s.x += n, s.next += n, s.kernel += n, y += n, left -= n;
    if (bias) bias += n;
  }
}

/// Whether a kernel can slide: whole vectors of channels, 3 rows of 3 or any of 5.
static int slides(const ck_depthwise_sums *d) {
  return d->channels % 8 == 0 && (d->stride_width == 1 || d->stride_width == 2)
         && ((d->kernel_width == 3 && d->kernel_height <= 3) || d->kernel_width == 5);
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
    if (slides(d) && last_row > first_row) {
      struct slide s = {
        .x = rows,
        .kernel = d->kernel + first_row * d->kernel_width * d->channels,
        .next = rows + (last_row - first_row) * d->width * d->channels,
        .rows = last_row - first_row,
        .x_row = d->width * d->channels,
        .kernel_row = d->kernel_width * d->channels,
        .channels = d->channels,
        .width = d->width,
        .outputs = d->out_width,
        .pad = d->pad_left,
      };
      float *y = d->y + unit * d->out_width * d->channels;
      slide_row(s, d->kernel_width, d->stride_width, d->bias, y);
      continue;
    }
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

void ck_depthwise_sample(const void *layer, size_t sample, float *y, size_t thread) {
  ck_depthwise_sums one = *(const ck_depthwise_sums *)layer;
  one.x += sample * one.height * one.width * one.channels;
  one.y = y;
  depthwise_share(&one, 0, one.out_height, thread);
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
