#pragma STDC FP_CONTRACT OFF
#include "depthwise.h"

#include <string.h>

#include "clones.h"
#include "depthwise_rows.h"
#include "parallel.h"

// A sample's output rows are turned into gz, dc and gk one after the other; the last kernel_height
// of them, which one row of dx can need, stay in a ring.
struct rows {
  float *gz, *dc, *gk;
  // A row of the input's or the output's length of zeros, for what lies beyond a map's edge.
  float *zeros;
};

static size_t row_values(const ck_depthwise *d) { return d->out_width * d->channels; }

// Groups of samples that have sums of their own, whatever the number of threads.
enum { most_groups = 16 };

static size_t groups_of(const ck_depthwise *d) {
  return d->samples < most_groups ? d->samples : most_groups;
}

size_t ck_depthwise_partial_kernels(const ck_depthwise *d) {
  return groups_of(d) * d->kernel_height * d->kernel_width * d->channels;
}

static size_t longest_row(const ck_depthwise *d) {
  return (d->in_width > d->out_width ? d->in_width : d->out_width) * d->channels;
}

size_t ck_depthwise_scratch(const ck_depthwise *d) {
  size_t values = (2 * d->kernel_height + 1) * row_values(d) + longest_row(d);
  return (values + 15) / 16 * 16;
}

static struct rows rows_of(const ck_depthwise *d, size_t thread) {
  float *base = d->scratch + thread * ck_depthwise_scratch(d);
  size_t ring = d->kernel_height * row_values(d);
  return (struct rows){base, base + ring, base + 2 * ring, base + 2 * ring + row_values(d)};
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

/// Whether rows of 5 can slide: whole vectors of channels, stride 1, taps about the middle.
static int slides(const ck_depthwise *d) {
  return d->channels % 8 == 0 && d->stride_width == 1 && d->out_width == d->in_width
         && d->pad_left == 2 && d->kernel_width == 5;
}

/// The same for whole kernels of 3 x 3: stride 1 about the middle, or 2 with nothing before.
static int slides_3(const ck_depthwise *d) {
  size_t stride = d->stride_width, pad = stride == 1 ? 1 : 0;
  return d->channels % 8 == 0 && d->kernel_width == 3 && d->kernel_height == 3
         && (stride == 1 || stride == 2) && d->stride_height == stride && d->pad_left == pad
         && d->pad_top == pad && d->in_width == stride * d->out_width
         && d->in_height == stride * d->out_height;
}

/// EACH_VECTOR for rows of 5 that slide.
#define EACH_ROW(d, name, ...)                                                            \
  {                                                                                       \
    size_t j = 0;                                                                         \
    for (; j + 16 <= (d)->channels; j += 16) name##_5_sixteen(__VA_ARGS__);               \
    for (; j < (d)->channels; j += 8) name##_5_eight(__VA_ARGS__);                        \
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

/// A sample of any layer, tap by tap.
BODY tap_sample(
  const ck_depthwise *d, const struct rows *rows, size_t sample, float *partial) {
  size_t line = d->in_width * d->channels, made = 0;
  for (size_t iy = 0; iy < d->in_height; iy++) {
    // All output rows that this row of the input had a part in.
    size_t needed = (iy + d->pad_top) / d->stride_height + 1;
    if (needed > d->out_height || iy + 1 == d->in_height) needed = d->out_height;
    for (; made < needed; made++) {
      make_row(d, rows, sample, made);
      add_kernel_row(d, rows->gk, sample, made, partial);
    }
    if (!d->dx) continue;
    float *dx = d->dx + (sample * d->in_height + iy) * line;
    if (!d->dx_adds) memset(dx, 0, line * sizeof *dx);
    add_input_row(d, rows, iy, dx);
  }
}

/// Row iy of dx at stride 1, from the three output rows about it.
BODY slide_input(const ck_depthwise *d, const struct rows *rows, size_t iy, float *dx) {
  size_t channels = d->channels, values = row_values(d);
  const float *gz[3], *dc[3];
  for (size_t ky = 0; ky < 3; ky++) {
    size_t oy = iy + 1 - ky;  // wraps where it lies above the map
    int inside = oy < d->out_height;
    gz[ky] = inside ? rows->gz + oy % 3 * values : rows->zeros;
    dc[ky] = inside ? rows->dc + oy % 3 * values : rows->zeros;
  }
  const float *quantized = d->quantized ? d->quantized : d->kernel, *kernel = d->kernel;
  float *target = dx + iy * d->in_width * channels;
  for (size_t left = channels; left;) {
    size_t n = left >= 16 ? 16 : 8;
    if (n == 16) {
      input_row_3_sixteen(target, gz, quantized, d->in_width, channels, d->dx_adds);
      if (d->quantized) input_row_3_sixteen(target, dc, kernel, d->in_width, channels, 1);
    } else {
      input_row_3_eight(target, gz, quantized, d->in_width, channels, d->dx_adds);
      if (d->quantized) input_row_3_eight(target, dc, kernel, d->in_width, channels, 1);
    }
    for (size_t ky = 0; ky < 3; ky++) gz[ky] += n, dc[ky] += n;
    target += n, quantized += n, kernel += n, left -= n;
  }
}

/// What output row oy gives to dx at stride 2: rows 2 oy, which the output row before has met, 2 oy + 1
/// and 2 oy + 2.
BODY slide_pairs(const ck_depthwise *d, const struct rows *rows, size_t oy, float *dx) {
  size_t channels = d->channels, place = oy % 3 * row_values(d);
  for (size_t ky = 0; ky < 3; ky++) {
    size_t iy = 2 * oy + ky, tap = ky * 3 * channels;
    if (iy >= d->in_height) continue;
    int adds = d->dx_adds || (ky == 0 && oy > 0);
    float *target = dx + iy * d->in_width * channels;
    const float *quantized = d->quantized ? d->quantized + tap : NULL;
    const float *kernel = d->kernel + tap;
    size_t j = 0;
    for (; j + 16 <= channels; j += 16)
      input_pairs_sixteen(
        target + j, rows->gz + place + j, rows->dc + place + j, quantized ? quantized + j : NULL,
        kernel + j, d->out_width, channels, adds);
    for (; j < channels; j += 8)
      input_pairs_eight(
        target + j, rows->gz + place + j, rows->dc + place + j, quantized ? quantized + j : NULL,
        kernel + j, d->out_width, channels, adds);
  }
}

/// A sample of a layer whose rows slide whole: row by row gz, dc and the kernel's gradient, and each
/// row of dx once the last output row that it needs is there.
BODY slide_sample(
  const ck_depthwise *d, const struct rows *rows, size_t sample, float *partial) {
  size_t channels = d->channels, stride = d->stride_width, values = row_values(d);
  size_t line = d->in_width * channels, ring = d->kernel_height;
  const float *x = d->x + sample * d->in_height * line;
  for (size_t oy = 0; oy < d->out_height; oy++) {
    struct made_row r = {
      .g = d->g + (sample * d->out_height + oy) * values,
      .c = d->c + (sample * d->out_height + oy) * values,
      .gz = rows->gz + oy % ring * values,
      .dc = rows->dc + oy % ring * values,
      .correction = d->correction,
      .inv = d->inv,
      .mean = d->mean,
      .slope = d->slope,
      .constant = d->constant,
      .sums = partial,
      .extent = d->in_width,
      .outputs = d->out_width,
      .pad = d->pad_left,
      .step = channels,
      .quantized = d->quantized != NULL,
    };
    for (size_t ky = 0; ky < 3; ky++) {
      size_t iy = oy * stride + ky - d->pad_top;  // wraps where it lies above the map
      r.x[ky] = iy < d->in_height ? x + iy * line : rows->zeros;
    }
    r.next_x = x + ((oy + 1) * stride + 2 - d->pad_top) * line;
    for (size_t left = channels; left;) {
      size_t n = left >= 16 ? 16 : 8;
      if (n == 16 && stride == 1) made_row_sixteen_1(&r);
      else if (n == 16) made_row_sixteen_2(&r);
      else if (stride == 1) made_row_eight_1(&r);
      else made_row_eight_2(&r);
      for (size_t ky = 0; ky < 3; ky++) r.x[ky] += n;
      r.next_x += n, r.g += n, r.c += n, r.gz += n, r.dc += n, r.sums += n;
      r.correction += n, r.inv += n, r.mean += n, r.slope += n, r.constant += n;
      left -= n;
    }
    if (!d->dx) continue;
    float *dx = d->dx + sample * d->in_height * line;
    if (stride == 2) {
      slide_pairs(d, rows, oy, dx);
    } else {
      if (oy > 0) slide_input(d, rows, oy - 1, dx);
      if (oy + 1 == d->out_height) slide_input(d, rows, oy, dx);
    }
  }
}

// A unit is a group of samples, which share a partial gradient of the kernel.
CLONES static void depthwise_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_depthwise *d = context;
  struct rows rows = rows_of(d, thread);
  memset(rows.zeros, 0, longest_row(d) * sizeof *rows.zeros);
  size_t kernel = d->kernel_height * d->kernel_width * d->channels;
  int whole = slides_3(d);
  for (size_t group = begin; group < end; group++) {
    float *partial = d->partial_kernels + group * kernel;
    memset(partial, 0, kernel * sizeof *partial);
    size_t last = (group + 1) * d->samples / groups_of(d);
    for (size_t sample = group * d->samples / groups_of(d); sample < last; sample++) {
      if (whole) slide_sample(d, &rows, sample, partial);
      else tap_sample(d, &rows, sample, partial);
    }
  }
}

// Kernel elements of a unit of the joining, and of its double sums.
enum { unit_values = 1024, sum_values = 256 };

// Group by group, whoever computed them, in double.
CLONES static void join_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_depthwise *d = context;
  size_t kernel = d->kernel_height * d->kernel_width * d->channels;
  size_t last = end * unit_values < kernel ? end * unit_values : kernel;
  for (size_t first = begin * unit_values; first < last; first += sum_values) {
    double sums[sum_values] = {0};
    size_t n = last - first < sum_values ? last - first : sum_values;
    for (size_t group = 0; group < groups_of(d); group++) {
      const float *partial = d->partial_kernels + group * kernel + first;
      EACH for (size_t j = 0; j < n; j++) sums[j] += partial[j];
    }
    EACH for (size_t j = 0; j < n; j++) d->dkernel[first + j] = (float)sums[j];
  }
}

void ck_depthwise_backward(const ck_depthwise *d) {
  size_t kernel = d->kernel_height * d->kernel_width * d->channels;
  ck_parallel(
    depthwise_share, (void *)d, groups_of(d),
    d->samples * d->out_height * row_values(d) * d->kernel_height);
  ck_parallel(join_share, (void *)d, (kernel + unit_values - 1) / unit_values, groups_of(d) * kernel);
}
