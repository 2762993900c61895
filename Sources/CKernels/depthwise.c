#pragma STDC FP_CONTRACT OFF
#include "depthwise.h"

#include <string.h>

#include "clones.h"
#include "parallel.h"

// A sample's output rows are turned into gz, dc and gk one after the other; the last kernel_height
// of them, which one row of dx can need, stay in a ring.
struct rows {
  float *gz, *dc, *gk;
};

static size_t row_values(const ck_depthwise *d) { return d->out_width * d->channels; }

size_t ck_depthwise_scratch(const ck_depthwise *d) {
  size_t values = (2 * d->kernel_height + 1) * row_values(d);
  return (values + 15) / 16 * 16;
}

static struct rows rows_of(const ck_depthwise *d, size_t thread) {
  float *base = d->scratch + thread * ck_depthwise_scratch(d);
  size_t ring = d->kernel_height * row_values(d);
  return (struct rows){base, base + ring, base + 2 * ring};
}

/// gz, dc and gk of one output row.
BODY make_row(const ck_depthwise *d, const struct rows *rows, size_t sample, size_t oy) {
  size_t channels = d->channels;
  size_t place = (oy % d->kernel_height) * row_values(d);
  size_t start = (sample * d->out_height + oy) * row_values(d);
  const float *correction = d->correction, *inv = d->inv, *mean = d->mean;
  const float *slope = d->slope, *constant = d->constant;
  for (size_t ox = 0; ox < d->out_width; ox++) {
    size_t at = ox * channels;
    const float *g = d->g + start + at, *c = d->c + start + at;
    float *gz = rows->gz + place + at, *dc = rows->dc + place + at, *gk = rows->gk + at;
    EACH for (size_t j = 0; j < channels; j++) {
      float z = g[j] * correction[j];
      float e = (c[j] - mean[j]) * slope[j] + constant[j];
      gz[j] = z;
      dc[j] = e;
      gk[j] = z * inv[j] + e;
    }
    // Without a quantized kernel both gradients meet the same one.
    if (!d->quantized) memcpy(gz, gk, channels * sizeof *gz);
  }
}

/// The first and the number of outputs ox with 0 <= ox * stride + offset < extent.
static void overlap(
    size_t outputs, size_t stride, ptrdiff_t offset, size_t extent, size_t *first, size_t *count) {
  ptrdiff_t step = (ptrdiff_t)stride;
  ptrdiff_t begin = offset < 0 ? (-offset + step - 1) / step : 0;
  ptrdiff_t end = ((ptrdiff_t)extent - offset + step - 1) / step;
  if (end > (ptrdiff_t)outputs) end = (ptrdiff_t)outputs;
  *first = (size_t)begin;
  *count = end > begin ? (size_t)(end - begin) : 0;
}

// Loops over `n` channels at a time, which stand in one vector.
typedef float sixteen __attribute__((vector_size(64), aligned(4)));
typedef float eight __attribute__((vector_size(32), aligned(4)));

/// sum += x * gk along a row, for one tap and one vector of channels.
#define DEFINE_KERNEL_TAP(vector)                                                         \
  BODY kernel_tap_##vector(                                                               \
    const float *x, size_t x_step, const float *gk, size_t g_step, size_t count,          \
    float *sum) {                                                                         \
    vector a = {0}, b = {0};                                                              \
    size_t i = 0;                                                                         \
    for (; i + 1 < count; i += 2) {                                                       \
      a += *(const vector *)(x + i * x_step) * *(const vector *)(gk + i * g_step);        \
      b += *(const vector *)(x + (i + 1) * x_step) * *(const vector *)(gk + (i + 1) * g_step); \
    }                                                                                     \
    if (i < count) a += *(const vector *)(x + i * x_step) * *(const vector *)(gk + i * g_step); \
    *(vector *)sum += a + b;                                                              \
  }                                                                                       \
  /* dx += gz * quantized + dc * kernel along a row, likewise. */                         \
  BODY input_tap_##vector(                                                                \
    float *dx, size_t dx_step, const float *gz, const float *dc, size_t g_step,           \
    size_t count, const float *quantized, const float *kernel) {                          \
    vector k = *(const vector *)kernel;                                                   \
    if (quantized) {                                                                      \
      vector q = *(const vector *)quantized;                                              \
      for (size_t i = 0; i < count; i++)                                                  \
        *(vector *)(dx + i * dx_step) += *(const vector *)(gz + i * g_step) * q           \
                                         + *(const vector *)(dc + i * g_step) * k;        \
    } else {                                                                              \
      for (size_t i = 0; i < count; i++)                                                  \
        *(vector *)(dx + i * dx_step) += *(const vector *)(gz + i * g_step) * k;          \
    }                                                                                     \
  }

typedef float one __attribute__((aligned(4)));
DEFINE_KERNEL_TAP(sixteen)
DEFINE_KERNEL_TAP(eight)
#undef DEFINE_KERNEL_TAP
#define NARROW(vector)                                                                    \
  BODY kernel_tap_##vector(                                                               \
    const float *x, size_t x_step, const float *gk, size_t g_step, size_t count,          \
    float *sum) {                                                                         \
    float a = 0, b = 0;                                                                   \
    size_t i = 0;                                                                         \
    for (; i + 1 < count; i += 2) {                                                       \
      a += x[i * x_step] * gk[i * g_step];                                                \
      b += x[(i + 1) * x_step] * gk[(i + 1) * g_step];                                    \
    }                                                                                     \
    if (i < count) a += x[i * x_step] * gk[i * g_step];                                   \
    *sum += a + b;                                                                        \
  }                                                                                       \
  BODY input_tap_##vector(                                                                \
    float *dx, size_t dx_step, const float *gz, const float *dc, size_t g_step,           \
    size_t count, const float *quantized, const float *kernel) {                          \
    for (size_t i = 0; i < count; i++)                                                    \
      dx[i * dx_step] += quantized ? gz[i * g_step] * *quantized + dc[i * g_step] * *kernel \
                                   : gz[i * g_step] * *kernel;                            \
  }
NARROW(one)
#undef NARROW

/// Calls `name_VECTOR(arguments)` for every vector of channels; `j` is its first one.
#define EACH_VECTOR(channels, name, ...)                                                  \
  {                                                                                       \
    size_t j = 0;                                                                         \
    for (; j + 16 <= (channels); j += 16) name##_sixteen(__VA_ARGS__);                    \
    for (; j + 8 <= (channels); j += 8) name##_eight(__VA_ARGS__);                        \
    for (; j < (channels); j++) name##_one(__VA_ARGS__);                                  \
  }

// Rows at stride 1 whose values slide through registers. `before` outputs of a row of `count` lie
// before position 0 of the row of `extent` that it meets: output i + before - k meets tap k.
#define AT(vector, row, i, end) ((i) < (end) ? *(const vector *)((row) + (i) * step) : (vector){0})

#define DEFINE_ROWS_3(vector)                                                               \
  BODY kernel_row_3_##vector(                                                               \
    const float *x, size_t extent, const float *gk, size_t count, size_t step, float *sums) { \
    vector x0 = {0}, x1 = AT(vector, x, 0, extent), x2, t0 = {0}, t1 = {0}, t2 = {0};       \
    for (size_t i = 0; i < count; i++) {                                                    \
      vector g = *(const vector *)(gk + i * step);                                          \
      x2 = AT(vector, x, i + 1, extent);                                                    \
      t0 += x0 * g, t1 += x1 * g, t2 += x2 * g;                                             \
      x0 = x1, x1 = x2;                                                                     \
    }                                                                                       \
    *(vector *)sums += t0, *(vector *)(sums + step) += t1, *(vector *)(sums + 2 * step) += t2; \
  }                                                                                         \
  BODY input_row_3_##vector(                                                                \
    float *dx, size_t extent, const float *gz, const float *dc, size_t count, size_t step,  \
    const float *quantized, const float *kernel) {                                          \
    vector w0 = *(const vector *)kernel, w1 = *(const vector *)(kernel + step);             \
    vector w2 = *(const vector *)(kernel + 2 * step);                                       \
    vector q0 = w0, q1 = w1, q2 = w2, z0, z1 = AT(vector, gz, 0, count), z2 = {0};          \
    vector c0, c1 = {0}, c2 = {0};                                                          \
    if (quantized) {                                                                        \
      q0 = *(const vector *)quantized, q1 = *(const vector *)(quantized + step);            \
      q2 = *(const vector *)(quantized + 2 * step), c1 = AT(vector, dc, 0, count);          \
      for (size_t i = 0; i < extent; i++) {                                                 \
        z0 = AT(vector, gz, i + 1, count), c0 = AT(vector, dc, i + 1, count);               \
        *(vector *)(dx + i * step) +=                                                       \
          (z0 * q0 + c0 * w0) + ((z1 * q1 + c1 * w1) + (z2 * q2 + c2 * w2));                \
        z2 = z1, z1 = z0, c2 = c1, c1 = c0;                                                 \
      }                                                                                     \
    } else {                                                                                \
      for (size_t i = 0; i < extent; i++) {                                                 \
        z0 = AT(vector, gz, i + 1, count);                                                  \
        *(vector *)(dx + i * step) += z0 * q0 + (z1 * q1 + z2 * q2);                        \
        z2 = z1, z1 = z0;                                                                   \
      }                                                                                     \
    }                                                                                       \
  }
DEFINE_ROWS_3(sixteen)
DEFINE_ROWS_3(eight)
#undef DEFINE_ROWS_3

#define DEFINE_ROWS_5(vector)                                                               \
  BODY kernel_row_5_##vector(                                                               \
    const float *x, size_t extent, const float *gk, size_t count, size_t step, float *sums) { \
    vector x0 = {0}, x1 = {0}, x2 = AT(vector, x, 0, extent), x3 = AT(vector, x, 1, extent), x4; \
    vector t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0}, t4 = {0};                                \
    for (size_t i = 0; i < count; i++) {                                                    \
      vector g = *(const vector *)(gk + i * step);                                          \
      x4 = AT(vector, x, i + 2, extent);                                                    \
      t0 += x0 * g, t1 += x1 * g, t2 += x2 * g, t3 += x3 * g, t4 += x4 * g;                 \
      x0 = x1, x1 = x2, x2 = x3, x3 = x4;                                                   \
    }                                                                                       \
    *(vector *)sums += t0, *(vector *)(sums + step) += t1, *(vector *)(sums + 2 * step) += t2; \
    *(vector *)(sums + 3 * step) += t3, *(vector *)(sums + 4 * step) += t4;                 \
  }                                                                                         \
  BODY input_half_5_##vector(                                                               \
    float *dx, size_t extent, const float *gz, size_t count, size_t step, const float *kernel) { \
    vector w0 = *(const vector *)kernel, w1 = *(const vector *)(kernel + step);             \
    vector w2 = *(const vector *)(kernel + 2 * step), w3 = *(const vector *)(kernel + 3 * step); \
    vector w4 = *(const vector *)(kernel + 4 * step), z0, z1 = AT(vector, gz, 1, count);    \
    vector z2 = AT(vector, gz, 0, count), z3 = {0}, z4 = {0};                               \
    for (size_t i = 0; i < extent; i++) {                                                   \
      z0 = AT(vector, gz, i + 2, count);                                                    \
      *(vector *)(dx + i * step) += (z0 * w0 + z1 * w1) + ((z2 * w2 + z3 * w3) + z4 * w4);  \
      z4 = z3, z3 = z2, z2 = z1, z1 = z0;                                                   \
    }                                                                                       \
  }                                                                                         \
  BODY input_row_5_##vector(                                                                \
    float *dx, size_t extent, const float *gz, const float *dc, size_t count, size_t step,  \
    const float *quantized, const float *kernel) {                                          \
    input_half_5_##vector(dx, extent, gz, count, step, quantized ? quantized : kernel);     \
    if (quantized) input_half_5_##vector(dx, extent, dc, count, step, kernel);              \
  }
DEFINE_ROWS_5(sixteen)
DEFINE_ROWS_5(eight)
#undef DEFINE_ROWS_5
#undef AT

/// Whether a kernel's rows can slide: whole vectors of channels, stride 1, 3 or 5 taps about the
/// middle.
static int slides(const ck_depthwise *d) {
  return d->channels % 8 == 0 && d->stride_width == 1 && d->out_width == d->in_width
         && d->pad_left == d->kernel_width / 2
         && (d->kernel_width == 3 || d->kernel_width == 5);
}

/// EACH_VECTOR for rows that slide.
#define EACH_ROW(d, name, ...)                                                            \
  {                                                                                       \
    size_t j = 0;                                                                         \
    if ((d)->kernel_width == 3) {                                                         \
      for (; j + 16 <= (d)->channels; j += 16) name##_3_sixteen(__VA_ARGS__);             \
      for (; j < (d)->channels; j += 8) name##_3_eight(__VA_ARGS__);                      \
    } else {                                                                              \
      for (; j + 16 <= (d)->channels; j += 16) name##_5_sixteen(__VA_ARGS__);             \
      for (; j < (d)->channels; j += 8) name##_5_eight(__VA_ARGS__);                      \
    }                                                                                     \
  }

/// The part of the kernel's gradient that one output row gives.
BODY add_kernel_row(
  const ck_depthwise *d, const float *gk, size_t sample, size_t oy, float *partial) {
  size_t channels = d->channels;
  for (size_t ky = 0; ky < d->kernel_height; ky++) {
    ptrdiff_t iy = (ptrdiff_t)(oy * d->stride_height + ky) - (ptrdiff_t)d->pad_top;
    if (iy < 0 || iy >= (ptrdiff_t)d->in_height) continue;
    const float *line = d->x + (sample * d->in_height + (size_t)iy) * d->in_width * channels;
    if (slides(d)) {
      float *sums = partial + ky * d->kernel_width * channels;
      EACH_ROW(d, kernel_row, line + j, d->in_width, gk + j, d->out_width, channels, sums + j)
      continue;
    }
    for (size_t kx = 0; kx < d->kernel_width; kx++) {
      ptrdiff_t offset = (ptrdiff_t)kx - (ptrdiff_t)d->pad_left;
      size_t first, count;
      overlap(d->out_width, d->stride_width, offset, d->in_width, &first, &count);
      if (!count) continue;
      const float *x =
        line + (size_t)((ptrdiff_t)(first * d->stride_width) + offset) * channels;
      const float *g = gk + first * channels;
      float *sum = partial + (ky * d->kernel_width + kx) * channels;
      EACH_VECTOR(
        channels, kernel_tap, x + j, d->stride_width * channels, g + j, channels, count, sum + j)
    }
  }
}

/// One row of dx from the output rows in the ring.
BODY add_input_row(const ck_depthwise *d, const struct rows *rows, size_t iy, float *dx) {
  size_t channels = d->channels;
  for (size_t ky = 0; ky < d->kernel_height; ky++) {
    ptrdiff_t scaled = (ptrdiff_t)(iy + d->pad_top) - (ptrdiff_t)ky;
    if (scaled < 0 || scaled % (ptrdiff_t)d->stride_height) continue;
    size_t oy = (size_t)scaled / d->stride_height;
    if (oy >= d->out_height) continue;
    size_t place = (oy % d->kernel_height) * row_values(d);
    if (slides(d)) {
      size_t tap = ky * d->kernel_width * channels;
      EACH_ROW(
        d, input_row, dx + j, d->in_width, rows->gz + place + j, rows->dc + place + j,
        d->out_width, channels, d->quantized ? d->quantized + tap + j : NULL,
        d->kernel + tap + j)
      continue;
    }
    for (size_t kx = 0; kx < d->kernel_width; kx++) {
      ptrdiff_t offset = (ptrdiff_t)kx - (ptrdiff_t)d->pad_left;
      size_t first, count;
      overlap(d->out_width, d->stride_width, offset, d->in_width, &first, &count);
      if (!count) continue;
      float *target = dx + (size_t)((ptrdiff_t)(first * d->stride_width) + offset) * channels;
      const float *gz = rows->gz + place + first * channels;
      const float *dc = rows->dc + place + first * channels;
      size_t tap = (ky * d->kernel_width + kx) * channels;
      const float *quantized = d->quantized ? d->quantized + tap : NULL;
      EACH_VECTOR(
        channels, input_tap, target + j, d->stride_width * channels, gz + j, dc + j, channels,
        count, quantized ? quantized + j : NULL, d->kernel + tap + j)
    }
  }
}

CLONES static void depthwise_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_depthwise *d = context;
  struct rows rows = rows_of(d, thread);
  size_t kernel = d->kernel_height * d->kernel_width * d->channels;
  size_t line = d->in_width * d->channels;
  for (size_t sample = begin; sample < end; sample++) {
    float *partial = d->partial_kernels + sample * kernel;
    memset(partial, 0, kernel * sizeof *partial);
    size_t made = 0;
    for (size_t iy = 0; iy < d->in_height; iy++) {
      // All output rows that this row of the input had a part in.
      size_t needed = (iy + d->pad_top) / d->stride_height + 1;
      if (needed > d->out_height || iy + 1 == d->in_height) needed = d->out_height;
      for (; made < needed; made++) {
        make_row(d, &rows, sample, made);
        add_kernel_row(d, rows.gk, sample, made, partial);
      }
      if (!d->dx) continue;
      float *dx = d->dx + (sample * d->in_height + iy) * line;
      if (!d->dx_adds) memset(dx, 0, line * sizeof *dx);
      add_input_row(d, &rows, iy, dx);
    }
  }
}

// Kernel elements of a unit of the joining, and of its double sums.
enum { unit_values = 1024, sum_values = 256 };

// Sample by sample, whoever computed them, in double.
CLONES static void join_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_depthwise *d = context;
  size_t kernel = d->kernel_height * d->kernel_width * d->channels;
  size_t last = end * unit_values < kernel ? end * unit_values : kernel;
  for (size_t first = begin * unit_values; first < last; first += sum_values) {
    double sums[sum_values] = {0};
    size_t n = last - first < sum_values ? last - first : sum_values;
    for (size_t sample = 0; sample < d->samples; sample++) {
      const float *partial = d->partial_kernels + sample * kernel + first;
      EACH for (size_t j = 0; j < n; j++) sums[j] += partial[j];
    }
    EACH for (size_t j = 0; j < n; j++) d->dkernel[first + j] = (float)sums[j];
  }
}

void ck_depthwise_backward(const ck_depthwise *d) {
  size_t kernel = d->kernel_height * d->kernel_width * d->channels;
  ck_parallel(
    depthwise_share, (void *)d, d->samples,
    d->samples * d->out_height * row_values(d) * d->kernel_height);
  ck_parallel(join_share, (void *)d, (kernel + unit_values - 1) / unit_values, d->samples * kernel);
}
