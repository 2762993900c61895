// What an optimizer does to a block of weights, and what is measured of it.
#pragma once
#include <stddef.h>

// w -= g * rate, as TensorFlow's ResourceApplyGradientDescent does it.
void ck_sgd(float *w, const float *gradient, size_t count, float rate);
// TensorFlow's ResourceApplyKerasMomentum, operation by operation: a = a * momentum - g * rate;
// then w += a, or with `nesterov` w += a * momentum - g * rate.
void ck_sgd_momentum(
    float *w, const float *gradient, float *a, size_t count, float rate, float momentum,
    int nesterov);
// The sum of |x - y|, in double.
double ck_sum_of_distances(const float *x, const float *y, size_t count);
