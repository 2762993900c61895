// Loops over maps and per-channel vectors: what stands between the convolutions of a step.
// Maps are row-major (rows, channels), rows = batch * height * width.
#pragma once
#include <stddef.h>
#include <stdint.h>

// y = max(x, 0); x may be y.
void ck_relu(const float *x, float *y, size_t count);
// dx = dy where y > 0, else 0, y being the forward result; dx may be dy.
void ck_relu_backward(const float *y, const float *dy, float *dx, size_t count);
// y = a + b.
void ck_add(const float *a, const float *b, float *y, size_t count);
// y += x.
void ck_accumulate(const float *x, float *y, size_t count);
// y += factor * x.
void ck_accumulate_scaled(const float *x, float factor, float *y, size_t count);
// The sum of squares, in double.
double ck_sum_of_squares(const float *x, size_t count);

// Per channel: mean and variance (of the population), bit for bit TensorFlow's tf.nn.moments on the
// same map.
void ck_channel_moments(
    const float *x, size_t rows, size_t channels, float *mean, float *variance);
// Per channel: sum g, sum g*(a - shift_a), sum g*(b - shift_b), in double. The shifts take out what
// would cancel later.
void ck_channel_sums(
    const float *g, const float *a, const float *shift_a, const float *b, const float *shift_b,
    size_t rows, size_t channels, double *sum_g, double *sum_ga, double *sum_gb);
// Per channel: sum g.
void ck_channel_sum(const float *g, size_t rows, size_t channels, double *sum_g);
// y = x * factor[channel] + offset[channel]; x may be y.
void ck_channel_affine(
    const float *x, const float *factor, const float *offset, float *y, size_t rows,
    size_t channels);
// y = x * factor[channel].
void ck_channel_scale(
    const float *x, const float *factor, float *y, size_t rows, size_t channels);
// What the backward pass of a folded layer needs at each position of the output, from the
// gradient g there and the first convolution's output c:
//   gz = g * correction                    (gradient of the quantized convolution's output)
//   dc = (c - mean) * slope + constant     (gradient of c through the batch's mean and variance)
//   gk = gz * inv + dc                     (one kernel gradient for both)
// gz may be NULL where the kernel is not quantized: then only gk is wanted. gz may be g.
void ck_folded_backward(
    const float *g, const float *c, const float *correction, const float *inv, const float *mean,
    const float *slope, const float *constant, float *gz, float *dc, float *gk, size_t rows, size_t channels);

// Means over windows of (window_height, window_width) without overlap; what is left over at the
// bottom and right is dropped, as Keras's 'valid' pooling does.
void ck_average_pool(
    const float *x, float *y, size_t batch, size_t height, size_t width, size_t channels,
    size_t window_height, size_t window_width);
void ck_average_pool_backward(
    const float *dy, float *dx, size_t batch, size_t height, size_t width, size_t channels,
    size_t window_height, size_t window_width);

// Adam as TensorFlow's ResourceApplyAdam does it, operation by operation: m += (g - m)(1 - beta1),
// v += (g^2 - v)(1 - beta2), w -= m * rate / (sqrt(v) + epsilon), rate being the bias-corrected
// learning rate.
void ck_adam(
    float *w, const float *gradient, float *m, float *v, size_t count, float rate, float beta1,
    float beta2, float epsilon);

// y = 1 / sqrt(x); y may be x. `portable`: rounded twice, the same on every processor. Else as
// TensorFlow's x86 build computes it, from the processor's approximation (two units in the last
// place off at most, and not the same ones on every make of processor).
void ck_reciprocal_root(const float *x, float *y, size_t count, int portable);
