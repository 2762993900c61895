#pragma STDC FP_CONTRACT OFF
#include "surrogate.h"

#include <string.h>

#include "clones.h"

typedef double eight __attribute__((vector_size(64), aligned(8), may_alias));

// The sum of partial sums and of what is left over behind the last whole vector.
static inline __attribute__((always_inline)) double finished(
    const eight *partial, const double *x, const double *y, size_t left) {
  double sums[8];
  memcpy(sums, partial, sizeof sums);
  for (size_t k = 0; k < left; k++) sums[k] += x[k] * y[k];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

static inline __attribute__((always_inline)) double dot_body(
    const double *x, const double *y, size_t count) {
  eight sums = {0};
  size_t i = 0;
  for (; i + 8 <= count; i += 8) sums += *(const eight *)(x + i) * *(const eight *)(y + i);
  return finished(&sums, x + i, y + i, count - i);
}

// Four inner products with one x, each the sum that dot_body has.
static inline __attribute__((always_inline)) void dot4_body(
    const double *x, const double *const *y, size_t count, double *result) {
  const double *y0 = y[0], *y1 = y[1], *y2 = y[2], *y3 = y[3];
  eight sums0 = {0}, sums1 = {0}, sums2 = {0}, sums3 = {0};
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    eight value = *(const eight *)(x + i);
    sums0 += value * *(const eight *)(y0 + i);
    sums1 += value * *(const eight *)(y1 + i);
    sums2 += value * *(const eight *)(y2 + i);
    sums3 += value * *(const eight *)(y3 + i);
  }
  result[0] = finished(&sums0, x + i, y0 + i, count - i);
  result[1] = finished(&sums1, x + i, y1 + i, count - i);
  result[2] = finished(&sums2, x + i, y2 + i, count - i);
  result[3] = finished(&sums3, x + i, y3 + i, count - i);
}

CLONES double ck_dot(const double *x, const double *y, size_t count) {
  return dot_body(x, y, count);
}

CLONES void ck_add_scaled(double factor, const double *x, double *y, size_t count) {
  EACH for (size_t i = 0; i < count; i++) y[i] += factor * x[i];
}

CLONES void ck_squared_distances(
    const double *columns, size_t stride, const double *point, size_t dimensions, size_t count,
    double *distances) {
  for (size_t i = 0; i < count; i++) distances[i] = 0;
  size_t d = 0;
  // Four coordinates a walk over the distances, added one after the other.
  for (; d + 4 <= dimensions; d += 4) {
    const double *columns0 = columns + d * stride, *columns1 = columns0 + stride;
    const double *columns2 = columns1 + stride, *columns3 = columns2 + stride;
    double p0 = point[d], p1 = point[d + 1], p2 = point[d + 2], p3 = point[d + 3];
    EACH for (size_t i = 0; i < count; i++) {
      double d0 = columns0[i] - p0, d1 = columns1[i] - p1;
      double d2 = columns2[i] - p2, d3 = columns3[i] - p3;
      distances[i] = (((distances[i] + d0 * d0) + d1 * d1) + d2 * d2) + d3 * d3;
    }
  }
  for (; d < dimensions; d++) {
    const double *column = columns + d * stride;
    double value = point[d];
    EACH for (size_t i = 0; i < count; i++) {
      double difference = column[i] - value;
      distances[i] += difference * difference;
    }
  }
}

CLONES void ck_weighted_sums(
    const double *columns, size_t stride, const double *weights, size_t dimensions, size_t count,
    double *sums) {
  size_t d = 0;
  for (; d + 4 <= dimensions; d += 4) {
    const double *first = columns + d * stride;
    const double *const four[4] = {first, first + stride, first + 2 * stride, first + 3 * stride};
    dot4_body(weights, four, count, sums + d);
  }
  for (; d < dimensions; d++) sums[d] = dot_body(columns + d * stride, weights, count);
}

CLONES void ck_forward_solve(const double *factor, double *row, size_t count) {
  for (size_t i = 0; i < count; i++) {
    row[i] = (row[i] - dot_body(factor, row, i)) / factor[i];
    factor += i + 1;
  }
}

// Where a row of a triangle begins.
static inline size_t row_start(size_t i) { return i * (i + 1) / 2; }

// One row's part from `start`, after those before.
static inline __attribute__((always_inline)) int cholesky_row(
    double *a, size_t i, size_t start) {
  double *row = a + row_start(i);
  for (size_t j = start; j < i; j++) {
    const double *before = a + row_start(j);
    row[j] = (row[j] - dot_body(before, row, j)) / before[j];
  }
  double pivot = row[i] - dot_body(row, row, i);
  if (!(pivot > 0)) return 0;
  row[i] = __builtin_sqrt(pivot);
  return 1;
}

CLONES int ck_cholesky(double *a, size_t count) {
  size_t i = 0;
  // Four rows at once, so that the rows before are read a quarter as often.
  for (; i + 4 <= count; i += 4) {
    double *rows[4] = {a + row_start(i), a + row_start(i + 1), a + row_start(i + 2), a + row_start(i + 3)};
    const double *const readable[4] = {rows[0], rows[1], rows[2], rows[3]};
    for (size_t j = 0; j < i; j++) {
      const double *before = a + row_start(j);
      double products[4];
      dot4_body(before, readable, j, products);
      for (size_t r = 0; r < 4; r++) rows[r][j] = (rows[r][j] - products[r]) / before[j];
    }
    for (size_t r = 0; r < 4; r++)
      if (!cholesky_row(a, i + r, i)) return 0;
  }
  for (; i < count; i++)
    if (!cholesky_row(a, i, 0)) return 0;
  return 1;
}

CLONES void ck_invert_triangle(double *a, double *scratch, size_t count) {
  double *row[4] = {scratch, scratch + count, scratch + 2 * count, scratch + 3 * count};
  for (size_t i = 0; i < count; i += 4) {
    size_t height = count - i < 4 ? count - i : 4;
    for (size_t r = 0; r < 4; r++)
      for (size_t k = 0; k < count; k++) row[r][k] = 0;
    // What the rows above the block, already inverted, add to each of its rows.
    for (size_t j = 0; j < i; j++) {
      const double *inverse = a + row_start(j);
      double f[4] = {0};
      for (size_t r = 0; r < height; r++) f[r] = a[row_start(i + r) + j];
      EACH for (size_t k = 0; k <= j; k++) {
        double x = inverse[k];
        row[0][k] += f[0] * x;
        row[1][k] += f[1] * x;
        row[2][k] += f[2] * x;
        row[3][k] += f[3] * x;
      }
    }
    for (size_t r = 0; r < height; r++) {
      double *target = a + row_start(i + r);
      for (size_t s = 0; s < r; s++) {
        const double *inverse = a + row_start(i + s);
        double f = target[i + s];
        EACH for (size_t k = 0; k <= i + s; k++) row[r][k] += f * inverse[k];
      }
      double pivot = target[i + r];
      EACH for (size_t k = 0; k < i + r; k++) target[k] = -row[r][k] / pivot;
      target[i + r] = 1 / pivot;
    }
  }
}

CLONES double ck_triangle_solve(const double *a, const double *x, double *y, size_t count) {
  double square = 0;
  for (size_t i = 0; i < count; i++) y[i] = 0;
  size_t i = 0;
  // A row is read once for both products, four rows a walk over x and y.
  for (; i + 4 <= count; i += 4) {
    const double *const rows[4] = {
        a + row_start(i), a + row_start(i + 1), a + row_start(i + 2),
        a + row_start(i + 3)};
    double p[4];
    dot4_body(x, rows, i + 1, p);
    for (size_t r = 1; r < 4; r++)
      for (size_t k = i + 1; k <= i + r; k++) p[r] += rows[r][k] * x[k];
    const double *r0 = rows[0], *r1 = rows[1], *r2 = rows[2], *r3 = rows[3];
    double p0 = p[0], p1 = p[1], p2 = p[2], p3 = p[3];
    EACH for (size_t k = 0; k <= i; k++)
      y[k] = (((y[k] + p0 * r0[k]) + p1 * r1[k]) + p2 * r2[k]) + p3 * r3[k];
    for (size_t r = 1; r < 4; r++)
      for (size_t k = i + 1; k <= i + r; k++) y[k] += p[r] * rows[r][k];
    square += ((p0 * p0 + p1 * p1) + p2 * p2) + p3 * p3;
  }
  for (; i < count; i++) {
    const double *row = a + row_start(i);
    double p = dot_body(row, x, i + 1);
    EACH for (size_t k = 0; k <= i; k++) y[k] += p * row[k];
    square += p * p;
  }
  return square;
}
