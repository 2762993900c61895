// Rows of a depthwise layer's backward pass whose values slide through registers: kernels of 3 x 3 at
// stride 1 or 2, and rows of 5 at stride 1. Compiled once per instruction set where they are used.
// Rows and columns beyond a map's edge count as 0.
#pragma once
#include <stddef.h>
#include <string.h>

#include "clones.h"

typedef float sixteen __attribute__((vector_size(64), aligned(4)));
typedef float eight __attribute__((vector_size(32), aligned(4)));

#define AT(vector, row, i, end) ((i) < (end) ? *(const vector *)((row) + (i) * step) : (vector){0})

// MARK: 3 x 3

/// An output row of a layer with a 3 x 3 kernel: from g and c to gz and dc, and what the row gives to
/// the kernel's gradient. Pointers stand at one vector of channels, `step` floats from place to place.
struct made_row {
  // The three rows of the input that it meets, and the one that the next output row will add.
  const float *x[3], *next_x;
  const float *g, *c;
  float *gz, *dc;
  // Per channel.
  const float *correction, *inv, *mean, *slope, *constant;
  float *sums;
  size_t extent, outputs, pad, step;
  int quantized;
};

#define DEFINE_MADE_ROW(vector, stride)                                                     \
  BODY made_row_##vector##_##stride(const struct made_row *r) {                             \
    size_t step = r->step, outputs = r->outputs, extent = r->extent;                        \
    vector x0[3], x1[3], x2[3], t[3][3];                                                    \
    vector correction = *(const vector *)r->correction, inv = *(const vector *)r->inv;      \
    vector mean = *(const vector *)r->mean, slope = *(const vector *)r->slope;              \
    vector constant = *(const vector *)r->constant;                                         \
    for (size_t p = 0; p < 3; p++) {                                                        \
      for (size_t q = 0; q < 3; q++)                                                        \
        t[p][q] = *(const vector *)(r->sums + (3 * p + q) * step);                          \
      x0[p] = r->pad ? (vector){0} : AT(vector, r->x[p], 0, extent);                        \
      x1[p] = AT(vector, r->x[p], 1 - r->pad, extent);                                      \
    }                                                                                       \
    for (size_t i = 0; i < outputs; i++) {                                                  \
      size_t left = i * stride - r->pad;                                                    \
      __builtin_prefetch(r->g + (outputs + i) * step);                                      \
      __builtin_prefetch(r->c + (outputs + i) * step);                                      \
      __builtin_prefetch(r->next_x + (left + 2) * step);                                    \
      if (stride == 2) __builtin_prefetch(r->next_x + (left + 1) * step);                   \
      vector z = *(const vector *)(r->g + i * step) * correction;                           \
      vector e = (*(const vector *)(r->c + i * step) - mean) * slope + constant;            \
      vector k = z * inv + e;                                                               \
      *(vector *)(r->gz + i * step) = r->quantized ? z : k;                                 \
      *(vector *)(r->dc + i * step) = e;                                                    \
      for (size_t p = 0; p < 3; p++) {                                                      \
        if (stride == 2 && i) x1[p] = AT(vector, r->x[p], left + 1, extent);                \
        x2[p] = AT(vector, r->x[p], left + 2, extent);                                      \
        t[p][0] += x0[p] * k, t[p][1] += x1[p] * k, t[p][2] += x2[p] * k;                   \
        x0[p] = stride == 2 ? x2[p] : x1[p], x1[p] = x2[p];                                 \
      }                                                                                     \
    }                                                                                       \
    for (size_t p = 0; p < 3; p++)                                                          \
      for (size_t q = 0; q < 3; q++) *(vector *)(r->sums + (3 * p + q) * step) = t[p][q];   \
  }
DEFINE_MADE_ROW(sixteen, 1)
DEFINE_MADE_ROW(sixteen, 2)
DEFINE_MADE_ROW(eight, 1)
DEFINE_MADE_ROW(eight, 2)

/// dx += the transposed convolution of three output rows with one kernel, at stride 1; g[p] meets the
/// kernel's row p. Of a dx that is written for the first time the next row is asked for, too.
#define DEFINE_INPUT_ROW(vector)                                                            \
  BODY input_row_3_##vector(                                                                \
    float *dx, const float *const *g, const float *kernel, size_t count, size_t step,       \
    int adds) {                                                                             \
    vector w[3][3], a[3], b[3], c[3];                                                       \
    for (size_t p = 0; p < 3; p++) {                                                        \
      for (size_t q = 0; q < 3; q++) w[p][q] = *(const vector *)(kernel + (3 * p + q) * step); \
      a[p] = (vector){0}, b[p] = *(const vector *)g[p];                                     \
    }                                                                                       \
    for (size_t i = 0; i < count; i++) {                                                    \
      vector sum[3];                                                                        \
      for (size_t p = 0; p < 3; p++) {                                                      \
        c[p] = AT(vector, g[p], i + 1, count);                                              \
        sum[p] = c[p] * w[p][0] + b[p] * w[p][1] + a[p] * w[p][2];                          \
        a[p] = b[p], b[p] = c[p];                                                           \
      }                                                                                     \
      vector *target = (vector *)(dx + i * step), all = sum[0] + (sum[1] + sum[2]);         \
      if (!adds) __builtin_prefetch(dx + (count + i) * step, 1);                            \
      *target = adds ? *target + all : all;                                                 \
    }                                                                                       \
  }
DEFINE_INPUT_ROW(sixteen)
DEFINE_INPUT_ROW(eight)
#undef DEFINE_INPUT_ROW

/// The same at stride 2 without padding before, of one output row with one row of the kernel: two
/// places of dx for each output.
#define DEFINE_INPUT_PAIRS(vector)                                                          \
  BODY input_pairs_##vector(                                                                \
    float *dx, const float *gz, const float *dc, const float *quantized,                    \
    const float *kernel, size_t outputs, size_t step, int adds) {                           \
    vector k0 = *(const vector *)kernel, k1 = *(const vector *)(kernel + step);             \
    vector k2 = *(const vector *)(kernel + 2 * step), q0 = k0, q1 = k1, q2 = k2;            \
    vector z0 = {0}, c0 = {0};                                                              \
    if (quantized) {                                                                        \
      q0 = *(const vector *)quantized, q1 = *(const vector *)(quantized + step);            \
      q2 = *(const vector *)(quantized + 2 * step);                                         \
    }                                                                                       \
    for (size_t i = 0; i < outputs; i++) {                                                  \
      vector z = *(const vector *)(gz + i * step);                                          \
      vector even = z * q0 + z0 * q2, odd = z * q1;                                         \
      if (quantized) {                                                                      \
        vector c = *(const vector *)(dc + i * step);                                        \
        even += c * k0 + c0 * k2, odd += c * k1;                                            \
        c0 = c;                                                                             \
      }                                                                                     \
      z0 = z;                                                                               \
      vector *first = (vector *)(dx + 2 * i * step);                                        \
      vector *second = (vector *)(dx + (2 * i + 1) * step);                                 \
      if (!adds) {                                                                          \
        __builtin_prefetch(dx + (4 * outputs + 2 * i) * step, 1);                           \
        __builtin_prefetch(dx + (4 * outputs + 2 * i + 1) * step, 1);                       \
      }                                                                                     \
      *first = adds ? *first + even : even, *second = adds ? *second + odd : odd;           \
    }                                                                                       \
  }
DEFINE_INPUT_PAIRS(sixteen)
DEFINE_INPUT_PAIRS(eight)
#undef DEFINE_INPUT_PAIRS

// MARK: rows of 5

// `before` 2: output i + 2 - k meets tap k.
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
