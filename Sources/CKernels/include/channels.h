// Per-channel work on maps of (rows, channels), rows = samples * height * width: what a folded layer
// does beside its convolutions.
#pragma once
#include <stddef.h>

// Per channel: mean and variance (of the population) of x + bias.
typedef struct {
  const float *x, *bias;
  size_t rows, channels;
  // Bit for bit TensorFlow's tf.nn.moments on the same map.
  float *mean, *variance;
  // Bit for bit what its fused batch normalization takes into the moving statistics: there sums are
  // multiplied by 1/rows, not divided by rows. NULL: not wanted.
  float *fused_mean, *fused_variance;
  // 8 * channels floats.
  float *scratch;
} ck_moments;
void ck_channel_moments(const ck_moments *moments);

// Per channel: sum g, in double. partial_sums: channels for each started 64 rows.
void ck_channel_sum(
    const float *g, size_t rows, size_t channels, double *sum_g, double *partial_sums);

// y = x * factor[channel].
void ck_channel_scale(
    const float *x, const float *factor, float *y, size_t rows, size_t channels);

// What the backward pass of a folded layer needs at each position of the output, from the
// gradient g there and the first convolution's output c:
//   gz = g * correction                    (gradient of the quantized convolution's output)
//   dc = (c - mean) * slope + constant     (gradient of c through the batch's mean and variance)
//   gk = gz * inv + dc                     (one kernel gradient for both)
// All factors are per channel.
typedef struct {
  const float *g, *c;
  const float *correction, *inv, *mean, *slope, *constant;
  size_t rows, channels;
  // gz and dc of a position stand `stride` values from those of the next; NULL: only gk is wanted.
  // gz may be g where the stride is `channels`.
  float *gz, *dc;
  size_t stride;
  float *gk;
} ck_folded;
void ck_folded_backward(const ck_folded *folded);

// y = [a | b], row by row.
void ck_interleave(const float *a, const float *b, float *y, size_t rows, size_t channels);

// The kernel's gradient of a pointwise layer from its parts: gradient = product * scale[channel]
// + (moments + sum_x[row] * shift[channel]), over `rows` channels in and `channels` out.
typedef struct {
  const float *product, *scale, *moments, *shift;
  const double *sum_x;
  size_t rows, channels;
  float *gradient;
} ck_kernel_parts;
void ck_kernel_gradient(const ck_kernel_parts *parts);

// sums[j] = sum over rows of a[i][j] * b[i][j].
void ck_column_products(
    const float *a, const float *b, size_t rows, size_t channels, double *sums);
// sums[i] = sum over channels of a[i][j] * factor[j].
void ck_row_products(
    const float *a, const float *factor, size_t rows, size_t channels, float *sums);
