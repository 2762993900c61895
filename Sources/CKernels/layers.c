#pragma STDC FP_CONTRACT OFF
#include "layers.h"

#include <immintrin.h>
#include <string.h>

// Buffers may be the same ("in place") but never overlap shifted, so iterations are independent.
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))

// Rows that a float partial sum covers before it goes into the double one.
enum { block_rows = 64 };
// Channels that one stack block of partial sums covers.
enum { block_channels = 256 };

CLONES void ck_relu(const float *x, float *y, size_t count) {
  INDEPENDENT
  for (size_t i = 0; i < count; i++) y[i] = x[i] > 0 ? x[i] : 0;
}

CLONES void ck_relu_backward(const float *y, const float *dy, float *dx, size_t count) {
  INDEPENDENT
  for (size_t i = 0; i < count; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
}

CLONES void ck_add(const float *a, const float *b, float *y, size_t count) {
  INDEPENDENT
  for (size_t i = 0; i < count; i++) y[i] = a[i] + b[i];
}

CLONES void ck_accumulate(const float *x, float *y, size_t count) {
  INDEPENDENT
  for (size_t i = 0; i < count; i++) y[i] += x[i];
}

CLONES void ck_accumulate_scaled(const float *x, float factor, float *y, size_t count) {
  INDEPENDENT
  for (size_t i = 0; i < count; i++) y[i] += factor * x[i];
}

CLONES double ck_sum_of_squares(const float *x, size_t count) {
  double lanes[8] = {0};
  size_t whole = count / 8 * 8;
  for (size_t i = 0; i < whole; i += 8)
    for (size_t j = 0; j < 8; j++) lanes[j] += (double)x[i + j] * x[i + j];
  for (size_t i = whole; i < count; i++) lanes[0] += (double)x[i] * x[i];
  double sum = 0;
  for (size_t j = 0; j < 8; j++) sum += lanes[j];
  return sum;
}

// The sum of x, or of (x - shift)^2, in the order in which TensorFlow (Eigen's reduction over outer
// dimensions) adds: four accumulators take the rows in turn and are joined one after the other;
// what is left over comes last.
static inline __attribute__((always_inline)) void strided_sums(
    const float *x, const float *shift, size_t rows, size_t channels, size_t first, size_t n,
    float *total) {
  float sums[4][block_channels];
  memset(sums, 0, sizeof sums);
  size_t whole = rows / 4 * 4;
  for (size_t r = 0; r < whole; r++) {
    const float *line = x + r * channels + first;
    float *sum = sums[r % 4];
    if (shift) {
      INDEPENDENT
      for (size_t j = 0; j < n; j++) sum[j] += (line[j] - shift[j]) * (line[j] - shift[j]);
    } else {
      INDEPENDENT
      for (size_t j = 0; j < n; j++) sum[j] += line[j];
    }
  }
  for (size_t j = 0; j < n; j++) total[j] = ((sums[0][j] + sums[1][j]) + sums[2][j]) + sums[3][j];
  for (size_t r = whole; r < rows; r++) {
    const float *line = x + r * channels + first;
    for (size_t j = 0; j < n; j++)
      total[j] += shift ? (line[j] - shift[j]) * (line[j] - shift[j]) : line[j];
  }
}

CLONES void ck_channel_moments(
    const float *x, size_t rows, size_t channels, float *mean, float *variance) {
  for (size_t first = 0; first < channels; first += block_channels) {
    size_t n = channels - first < block_channels ? channels - first : block_channels;
    strided_sums(x, NULL, rows, channels, first, n, mean + first);
    for (size_t j = 0; j < n; j++) mean[first + j] /= (float)rows;
    strided_sums(x, mean + first, rows, channels, first, n, variance + first);
    for (size_t j = 0; j < n; j++) variance[first + j] /= (float)rows;
  }
}

// Sums are float over 64 rows, double beyond; every channel's order of additions is its rows', so
// the vector width changes nothing.
CLONES void ck_channel_sums(
    const float *g, const float *a, const float *shift_a, const float *b, const float *shift_b,
    size_t rows, size_t channels, double *sum_g, double *sum_ga, double *sum_gb) {
  for (size_t first = 0; first < channels; first += block_channels) {
    size_t n = channels - first < block_channels ? channels - first : block_channels;
    float s[block_channels], sa[block_channels], sb[block_channels];
    for (size_t j = 0; j < n; j++) sum_g[first + j] = sum_ga[first + j] = sum_gb[first + j] = 0;
    for (size_t row = 0; row < rows; row += block_rows) {
      size_t end = row + block_rows < rows ? row + block_rows : rows;
      memset(s, 0, sizeof s);
      memset(sa, 0, sizeof sa);
      memset(sb, 0, sizeof sb);
      for (size_t r = row; r < end; r++) {
        size_t at = r * channels + first;
        INDEPENDENT
        for (size_t j = 0; j < n; j++) {
          s[j] += g[at + j];
          sa[j] += g[at + j] * (a[at + j] - shift_a[first + j]);
          sb[j] += g[at + j] * (b[at + j] - shift_b[first + j]);
        }
      }
      INDEPENDENT
      for (size_t j = 0; j < n; j++) {
        sum_g[first + j] += s[j];
        sum_ga[first + j] += sa[j];
        sum_gb[first + j] += sb[j];
      }
    }
  }
}

CLONES void ck_channel_sum(const float *g, size_t rows, size_t channels, double *sum_g) {
  for (size_t first = 0; first < channels; first += block_channels) {
    size_t n = channels - first < block_channels ? channels - first : block_channels;
    float s[block_channels];
    INDEPENDENT
    for (size_t j = 0; j < n; j++) sum_g[first + j] = 0;
    for (size_t row = 0; row < rows; row += block_rows) {
      size_t end = row + block_rows < rows ? row + block_rows : rows;
      memset(s, 0, sizeof s);
      for (size_t r = row; r < end; r++)
        INDEPENDENT
        for (size_t j = 0; j < n; j++) s[j] += g[r * channels + first + j];
      INDEPENDENT
      for (size_t j = 0; j < n; j++) sum_g[first + j] += s[j];
    }
  }
}

CLONES void ck_channel_affine(
    const float *x, const float *factor, const float *offset, float *y, size_t rows,
    size_t channels) {
  for (size_t r = 0; r < rows; r++)
    INDEPENDENT
    for (size_t j = 0; j < channels; j++)
      y[r * channels + j] = x[r * channels + j] * factor[j] + offset[j];
}

CLONES void ck_channel_scale(
    const float *x, const float *factor, float *y, size_t rows, size_t channels) {
  for (size_t r = 0; r < rows; r++)
    INDEPENDENT
    for (size_t j = 0; j < channels; j++) y[r * channels + j] = x[r * channels + j] * factor[j];
}

CLONES void ck_folded_backward(
    const float *g, const float *c, const float *correction, const float *inv, const float *mean,
    const float *slope, const float *constant, float *gz, float *dc, float *gk, size_t rows, size_t channels) {
  if (gz) {
    for (size_t r = 0; r < rows; r++)
      INDEPENDENT
      for (size_t j = 0; j < channels; j++) {
        size_t i = r * channels + j;
        float z = g[i] * correction[j];
        float d = (c[i] - mean[j]) * slope[j] + constant[j];
        gz[i] = z;
        dc[i] = d;
        gk[i] = z * inv[j] + d;
      }
  } else {
    for (size_t r = 0; r < rows; r++)
      INDEPENDENT
      for (size_t j = 0; j < channels; j++) {
        size_t i = r * channels + j;
        gk[i] = g[i] * correction[j] * inv[j] + ((c[i] - mean[j]) * slope[j] + constant[j]);
      }
  }
}

CLONES void ck_average_pool(
    const float *x, float *y, size_t batch, size_t height, size_t width, size_t channels,
    size_t window_height, size_t window_width) {
  size_t out_height = height / window_height, out_width = width / window_width;
  float area = (float)(window_height * window_width);
  for (size_t n = 0; n < batch; n++)
    for (size_t oy = 0; oy < out_height; oy++)
      for (size_t ox = 0; ox < out_width; ox++) {
        float *out = y + ((n * out_height + oy) * out_width + ox) * channels;
        INDEPENDENT
        for (size_t j = 0; j < channels; j++) out[j] = 0;
        for (size_t ky = 0; ky < window_height; ky++)
          for (size_t kx = 0; kx < window_width; kx++) {
            size_t iy = oy * window_height + ky, ix = ox * window_width + kx;
            const float *in = x + ((n * height + iy) * width + ix) * channels;
            INDEPENDENT
            for (size_t j = 0; j < channels; j++) out[j] += in[j];
          }
        INDEPENDENT
        for (size_t j = 0; j < channels; j++) out[j] /= area;
      }
}

CLONES void ck_average_pool_backward(
    const float *dy, float *dx, size_t batch, size_t height, size_t width, size_t channels,
    size_t window_height, size_t window_width) {
  size_t out_height = height / window_height, out_width = width / window_width;
  float area = (float)(window_height * window_width);
  memset(dx, 0, batch * height * width * channels * sizeof *dx);
  for (size_t n = 0; n < batch; n++)
    for (size_t iy = 0; iy < out_height * window_height; iy++)
      for (size_t ix = 0; ix < out_width * window_width; ix++) {
        size_t oy = iy / window_height, ox = ix / window_width;
        const float *out = dy + ((n * out_height + oy) * out_width + ox) * channels;
        float *in = dx + ((n * height + iy) * width + ix) * channels;
        INDEPENDENT
        for (size_t j = 0; j < channels; j++) in[j] = out[j] / area;
      }
}

CLONES void ck_adam(
    float *w, const float *gradient, float *m, float *v, size_t count, float rate, float beta1,
    float beta2, float epsilon) {
  float rest1 = 1 - beta1, rest2 = 1 - beta2;
  INDEPENDENT
  for (size_t i = 0; i < count; i++) {
    float g = gradient[i];
    m[i] += (g - m[i]) * rest1;
    v[i] += (g * g - v[i]) * rest2;
    w[i] -= m[i] * rate / (__builtin_elementwise_sqrt(v[i]) + epsilon);
  }
}

// Eigen's packet of eight: the processor's approximation and one Newton step, in this order.
__attribute__((target("avx"))) static void processor_roots(
    const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i += 8) {
    __m256 a = _mm256_loadu_ps(x + i), r = _mm256_rsqrt_ps(a);
    __m256 h = _mm256_mul_ps(a, _mm256_set1_ps(-0.5f));
    __m256 t = _mm256_add_ps(_mm256_set1_ps(1.5f), _mm256_mul_ps(_mm256_mul_ps(h, r), r));
    _mm256_storeu_ps(y + i, _mm256_mul_ps(r, t));
  }
}

void ck_reciprocal_root(const float *x, float *y, size_t count, int portable) {
  size_t i = 0;
  if (!portable && __builtin_cpu_supports("avx")) {
    i = count / 8 * 8;
    processor_roots(x, y, i);
  }
  for (; i < count; i++) y[i] = 1 / __builtin_elementwise_sqrt(x[i]);
}
