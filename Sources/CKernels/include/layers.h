// Pooling, sums of arrays, squared errors, the optimizer.
#pragma once
#include <stddef.h>
#include <stdint.h>

// y += x.
void ck_accumulate(const float *x, float *y, size_t count);
// y = y + bias[channel], row by row.
void ck_add_bias(const float *bias, float *y, size_t rows, size_t channels);
// y += factor * x.
void ck_accumulate_scaled(const float *x, float factor, float *y, size_t count);
// The sum of squares, in double.
double ck_sum_of_squares(const float *x, size_t count);

// Of each sample the sum over its values of (y - x)^2, in double.
void ck_squared_errors(
    const float *x, const float *y, size_t samples, size_t values, double *sums);
// gradient = (y - x) * share.
void ck_error_gradient(const float *x, const float *y, float share, float *gradient, size_t count);

// Means over windows without overlap; what is left over at the bottom and right is dropped, as
// Keras's 'valid' pooling does.
typedef struct {
  const float *x;
  float *y;
  size_t samples, height, width, channels, window_height, window_width;
  // For the backward pass; dx_adds: to what stands there.
  const float *dy;
  float *dx;
  int dx_adds;
} ck_pool;
void ck_average_pool(const ck_pool *pool);
void ck_average_pool_backward(const ck_pool *pool);

// Adam as TensorFlow's ResourceApplyAdam does it, operation by operation: m += (g - m)(1 - beta1),
// v += (g^2 - v)(1 - beta2), w -= m * rate / (sqrt(v) + epsilon), rate being the bias-corrected
// learning rate. The weights are arrays one behind the other, of which starts[0..<arrays] are the first
// values' places: each thread takes its part of every array, which it reads and writes elsewhere, too.
void ck_adam(
    float *w, const float *gradient, float *m, float *v, size_t count, const size_t *starts,
    size_t arrays, float rate, float beta1, float beta2, float epsilon);

// y = 1 / sqrt(x); y may be x. `portable`: rounded twice, the same on every processor. Else as
// TensorFlow's x86 build computes it, from the processor's approximation (two units in the last
// place off at most, and not the same ones on every make of processor).
void ck_reciprocal_root(const float *x, float *y, size_t count, int portable);

// From here on this thread, and those that it starts, take numbers below 2^-126 for 0, as
// TensorFlow's threads do: a dying network's gradients are such numbers, over which processors are
// slow.
void ck_flush_denormals(void);
