#pragma STDC FP_CONTRACT OFF
#include "optimizers.h"

#include <math.h>

#include "clones.h"

CLONES void ck_sgd(float *w, const float *gradient, size_t count, float rate) {
  EACH
  for (size_t i = 0; i < count; i++) w[i] -= gradient[i] * rate;
}

CLONES void ck_sgd_momentum(
    float *w, const float *gradient, float *a, size_t count, float rate, float momentum,
    int nesterov) {
  if (nesterov) {
    EACH
    for (size_t i = 0; i < count; i++) {
      float step = gradient[i] * rate;
      a[i] = a[i] * momentum - step;
      w[i] += a[i] * momentum - step;
    }
  } else {
    EACH
    for (size_t i = 0; i < count; i++) {
      a[i] = a[i] * momentum - gradient[i] * rate;
      w[i] += a[i];
    }
  }
}

// Eight partial sums whatever the vector width, so that every instruction set adds alike.
CLONES double ck_sum_of_distances(const float *x, const float *y, size_t count) {
  double lanes[8] = {0};
  size_t whole = count / 8 * 8;
  for (size_t i = 0; i < whole; i += 8)
    for (size_t j = 0; j < 8; j++) lanes[j] += fabs((double)x[i + j] - y[i + j]);
  for (size_t i = whole; i < count; i++) lanes[0] += fabs((double)x[i] - y[i]);
  double sum = 0;
  for (size_t j = 0; j < 8; j++) sum += lanes[j];
  return sum;
}
