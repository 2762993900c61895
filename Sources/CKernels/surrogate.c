#pragma STDC FP_CONTRACT OFF
#include "surrogate.h"

#include "clones.h"

static inline __attribute__((always_inline)) double dot_body(
    const double *x, const double *y, size_t count) {
  double sums[8] = {0};
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (size_t k = 0; k < 8; k++) sums[k] += x[i + k] * y[i + k];
  for (size_t k = 0; i < count; i++, k++) sums[k] += x[i] * y[i];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
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
  for (size_t d = 0; d < dimensions; d++) {
    const double *column = columns + d * stride;
    double value = point[d];
    EACH for (size_t i = 0; i < count; i++) {
      double difference = column[i] - value;
      distances[i] += difference * difference;
    }
  }
}

CLONES void ck_forward_solve(const double *factor, double *row, size_t count) {
  for (size_t i = 0; i < count; i++) {
    row[i] = (row[i] - dot_body(factor, row, i)) / factor[i];
    factor += i + 1;
  }
}

CLONES void ck_matrix_vector(const double *a, const double *x, double *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = dot_body(a + i * count, x, count);
}
