#pragma STDC FP_CONTRACT OFF
#include "layers.h"

#include <immintrin.h>
#include <string.h>

#include "clones.h"
#include "parallel.h"

// MARK: accumulation

struct accumulation {
  const float *x;
  float *y;
  size_t count;
};

// Values of one unit of an elementwise loop.
enum { block_values = 1 << 12 };

static size_t blocks_of(size_t count) { return (count + block_values - 1) / block_values; }

CLONES static void accumulate_share(void *context, size_t begin, size_t end, size_t thread) {
  const struct accumulation *a = context;
  size_t last = end * block_values < a->count ? end * block_values : a->count;
  EACH for (size_t i = begin * block_values; i < last; i++) a->y[i] += a->x[i];
}

void ck_accumulate(const float *x, float *y, size_t count) {
  struct accumulation a = {x, y, count};
  ck_parallel(accumulate_share, &a, blocks_of(count), count);
}

CLONES void ck_add_bias(const float *bias, float *y, size_t rows, size_t channels) {
  for (size_t r = 0; r < rows; r++)
    EACH for (size_t j = 0; j < channels; j++) y[r * channels + j] += bias[j];
}

CLONES void ck_accumulate_scaled(const float *x, float factor, float *y, size_t count) {
  EACH for (size_t i = 0; i < count; i++) y[i] += factor * x[i];
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

// MARK: pooling

CLONES static void pool_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_pool *p = context;
  size_t out_height = p->height / p->window_height, out_width = p->width / p->window_width;
  size_t channels = p->channels;
  float area = (float)(p->window_height * p->window_width);
  for (size_t n = begin; n < end; n++)
    for (size_t oy = 0; oy < out_height; oy++)
      for (size_t ox = 0; ox < out_width; ox++) {
        float *out = p->y + ((n * out_height + oy) * out_width + ox) * channels;
        memset(out, 0, channels * sizeof *out);
        for (size_t ky = 0; ky < p->window_height; ky++)
          for (size_t kx = 0; kx < p->window_width; kx++) {
            size_t iy = oy * p->window_height + ky, ix = ox * p->window_width + kx;
            const float *in = p->x + ((n * p->height + iy) * p->width + ix) * channels;
            EACH for (size_t j = 0; j < channels; j++) out[j] += in[j];
          }
        EACH for (size_t j = 0; j < channels; j++) out[j] /= area;
      }
}

void ck_average_pool(const ck_pool *pool) {
  ck_parallel(
    pool_share, (void *)pool, pool->samples,
    pool->samples * pool->height * pool->width * pool->channels);
}

CLONES static void pool_backward_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_pool *p = context;
  size_t out_height = p->height / p->window_height, out_width = p->width / p->window_width;
  size_t channels = p->channels, sample = p->height * p->width * channels;
  float area = (float)(p->window_height * p->window_width);
  for (size_t n = begin; n < end; n++) {
    if (!p->dx_adds) memset(p->dx + n * sample, 0, sample * sizeof *p->dx);
    for (size_t iy = 0; iy < out_height * p->window_height; iy++)
      for (size_t ix = 0; ix < out_width * p->window_width; ix++) {
        size_t oy = iy / p->window_height, ox = ix / p->window_width;
        const float *out = p->dy + ((n * out_height + oy) * out_width + ox) * channels;
        float *in = p->dx + n * sample + (iy * p->width + ix) * channels;
        EACH for (size_t j = 0; j < channels; j++) in[j] += out[j] / area;
      }
  }
}

void ck_average_pool_backward(const ck_pool *pool) {
  ck_parallel(
    pool_backward_share, (void *)pool, pool->samples,
    pool->samples * pool->height * pool->width * pool->channels);
}

// MARK: squared errors

// Sums that run beside each other, so that none waits for the last addition.
enum { error_lanes = 32 };

struct errors {
  const float *x, *y;
  size_t values;
  double *sums;
};

// A unit is a sample.
CLONES static void errors_share(void *context, size_t begin, size_t end, size_t thread) {
  const struct errors *e = context;
  for (size_t sample = begin; sample < end; sample++) {
    const float *x = e->x + sample * e->values, *y = e->y + sample * e->values;
    double lanes[error_lanes] = {0}, sum = 0;
    size_t whole = e->values / error_lanes * error_lanes;
    for (size_t i = 0; i < whole; i += error_lanes) {
      EACH for (size_t k = 0; k < error_lanes; k++) {
        double difference = y[i + k] - x[i + k];
        lanes[k] += difference * difference;
      }
    }
    for (size_t k = 0; k < error_lanes; k++) sum += lanes[k];
    for (size_t i = whole; i < e->values; i++) {
      double difference = y[i] - x[i];
      sum += difference * difference;
    }
    e->sums[sample] = sum;
  }
}

void ck_squared_errors(
    const float *x, const float *y, size_t samples, size_t values, double *sums) {
  struct errors errors = {x, y, values, sums};
  ck_parallel(errors_share, &errors, samples, 2 * samples * values);
}

struct error_gradient {
  const float *x, *y;
  float share, *gradient;
  size_t count;
};

// A unit is so many values.
enum { error_unit = 1 << 10 };

CLONES static void error_gradient_share(void *context, size_t begin, size_t end, size_t thread) {
  const struct error_gradient *e = context;
  size_t last = end * error_unit < e->count ? end * error_unit : e->count;
  EACH for (size_t i = begin * error_unit; i < last; i++)
    e->gradient[i] = (e->y[i] - e->x[i]) * e->share;
}

void ck_error_gradient(
    const float *x, const float *y, float share, float *gradient, size_t count) {
  struct error_gradient e = {x, y, share, gradient, count};
  ck_parallel(error_gradient_share, &e, (count + error_unit - 1) / error_unit, 3 * count);
}

// MARK: Adam

struct adam {
  float *w, *m, *v;
  const float *gradient;
  size_t count;
  const size_t *starts;
  size_t arrays;
  float rate, rest1, rest2, epsilon;
};

// Parts of every array.
enum { parts = 16 };

static size_t start_of_part(size_t start, size_t count, size_t part) {
  return start + (part == parts ? count : count * part / parts / 16 * 16);
}

// A unit is a part of every array.
CLONES static void adam_share(void *context, size_t begin, size_t end, size_t thread) {
  const struct adam *a = context;
  float *w = a->w, *m = a->m, *v = a->v;
  const float *gradient = a->gradient;
  float rate = a->rate, rest1 = a->rest1, rest2 = a->rest2, epsilon = a->epsilon;
  for (size_t array = 0; array < a->arrays; array++) {
    size_t start = a->starts[array];
    size_t count = (array + 1 < a->arrays ? a->starts[array + 1] : a->count) - start;
    size_t last = start_of_part(start, count, end);
    EACH for (size_t i = start_of_part(start, count, begin); i < last; i++) {
      float g = gradient[i];
      m[i] += (g - m[i]) * rest1;
      v[i] += (g * g - v[i]) * rest2;
      w[i] -= m[i] * rate / (__builtin_elementwise_sqrt(v[i]) + epsilon);
    }
  }
}

void ck_adam(
    float *w, const float *gradient, float *m, float *v, size_t count, const size_t *starts,
    size_t arrays, float rate, float beta1, float beta2, float epsilon) {
  struct adam a = {w, m, v, gradient, count, starts, arrays, rate, 1 - beta1, 1 - beta2, epsilon};
  ck_parallel(adam_share, &a, parts, count);
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

void ck_flush_denormals(void) {
  _mm_setcsr(_mm_getcsr() | _MM_FLUSH_ZERO_ON | _MM_DENORMALS_ZERO_ON);
}
