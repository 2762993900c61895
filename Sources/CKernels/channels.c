#pragma STDC FP_CONTRACT OFF
#include "channels.h"

#include <string.h>

#include "clones.h"
#include "parallel.h"

// Channels that one unit of the moments' work covers.
enum { block_channels = 64 };
// Rows that a float partial sum covers before it goes into the double one.
enum { block_rows = 64 };

// MARK: moments

struct moments {
  const float *x, *shift;
  size_t rows, channels;
  float *sums;
};

typedef float eight __attribute__((vector_size(32), aligned(4)));

/// Sums of every fourth row, of x or of (x - shift)^2, over 8 * `vectors` channels that stay in
/// registers.
BODY sum_vectors(
  const float *x, const float *shift, size_t rows, size_t stride, size_t vectors, float *sums) {
  eight total[4] = {{0}}, mean[4] = {{0}};
  if (shift)
    for (size_t v = 0; v < vectors; v++) mean[v] = *(const eight *)(shift + 8 * v);
  for (size_t r = 0; r < rows; r++) {
    for (size_t v = 0; v < vectors; v++) {
      eight value = *(const eight *)(x + r * stride + 8 * v);
      if (shift) value = (value - mean[v]) * (value - mean[v]);
      total[v] += value;
    }
  }
  for (size_t v = 0; v < vectors; v++) *(eight *)(sums + 8 * v) = total[v];
}

BODY sum_block(
  const float *x, const float *shift, size_t rows, size_t stride, size_t n, float *sums) {
  switch (n) {
    case 8: sum_vectors(x, shift, rows, stride, 1, sums); return;
    case 16: sum_vectors(x, shift, rows, stride, 2, sums); return;
    case 24: sum_vectors(x, shift, rows, stride, 3, sums); return;
    case 32: sum_vectors(x, shift, rows, stride, 4, sums); return;
    case 64:
      sum_vectors(x, shift, rows, stride, 4, sums);
      sum_vectors(x + 32, shift ? shift + 32 : NULL, rows, stride, 4, sums + 32);
      return;
    default: break;
  }
  memset(sums, 0, n * sizeof *sums);
  for (size_t r = 0; r < rows; r++) {
    const float *line = x + r * stride;
    if (shift) {
      EACH for (size_t j = 0; j < n; j++) sums[j] += (line[j] - shift[j]) * (line[j] - shift[j]);
    } else {
      EACH for (size_t j = 0; j < n; j++) sums[j] += line[j];
    }
  }
}

// A unit is one of TensorFlow's four accumulators of one block of channels.
CLONES static void moments_share(void *context, size_t begin, size_t end, size_t thread) {
  const struct moments *m = context;
  size_t channels = m->channels / 8 * 8, blocks = (channels + block_channels - 1) / block_channels;
  for (size_t unit = begin; unit < end; unit++) {
    size_t accumulator = unit / blocks, first = unit % blocks * block_channels;
    size_t n = channels - first < block_channels ? channels - first : block_channels;
    sum_block(
      m->x + accumulator * m->channels + first, m->shift ? m->shift + first : NULL, m->rows / 4,
      4 * m->channels, n, m->sums + accumulator * m->channels + first);
  }
}

/// total[j] += the sum from row `first` on, one row after the other, channels from..<to.
BODY add_in_turn(const struct moments *m, float *total, size_t first, size_t from, size_t to) {
  for (size_t r = first; r < m->rows; r++) {
    const float *line = m->x + r * m->channels, *shift = m->shift;
    if (shift) {
      EACH for (size_t j = from; j < to; j++)
        total[j] += (line[j] - shift[j]) * (line[j] - shift[j]);
    } else {
      EACH for (size_t j = from; j < to; j++) total[j] += line[j];
    }
  }
}

// Rows from which TensorFlow sums with four accumulators instead of one.
enum { least_rows = 16 };

// The mean of x, or of (x - shift)^2, in the order in which TensorFlow (Eigen's reduction over outer
// dimensions) adds: four accumulators take the rows in turn and are joined one after the other;
// what is left over comes last. Few rows, and the channels that do not fill a vector of eight, are
// added in turn.
CLONES static void average(struct moments *m, float *total) {
  size_t channels = m->channels, vectors = m->rows < least_rows ? 0 : channels / 8 * 8;
  memset(total, 0, channels * sizeof *total);
  if (vectors) {
    ck_parallel(
      moments_share, m, 4 * ((vectors + block_channels - 1) / block_channels), m->rows * channels);
    const float *sums = m->sums;
    EACH for (size_t j = 0; j < vectors; j++)
      total[j] = ((sums[j] + sums[channels + j]) + sums[2 * channels + j]) + sums[3 * channels + j];
    add_in_turn(m, total, m->rows / 4 * 4, 0, vectors);
  }
  add_in_turn(m, total, 0, vectors, channels);
  for (size_t j = 0; j < channels; j++) total[j] /= (float)m->rows;
}

void ck_channel_moments(
    const float *x, size_t rows, size_t channels, float *mean, float *variance, float *scratch) {
  struct moments m = {x, NULL, rows, channels, scratch};
  average(&m, mean);
  m.shift = mean;
  average(&m, variance);
}

// MARK: sums

struct sum {
  const float *g;
  size_t rows, channels;
  double *partial_sums;
};

CLONES static void sum_share(void *context, size_t begin, size_t end, size_t thread) {
  const struct sum *s = context;
  size_t channels = s->channels;
  for (size_t block = begin; block < end; block++) {
    size_t first = block * block_rows;
    size_t rows = s->rows - first < block_rows ? s->rows - first : block_rows;
    double *partial = s->partial_sums + block * channels;
    for (size_t at = 0; at < channels; at += block_channels) {
      size_t n = channels - at < block_channels ? channels - at : block_channels;
      float sums[block_channels] = {0};
      for (size_t r = 0; r < rows; r++) {
        const float *line = s->g + (first + r) * channels + at;
        EACH for (size_t j = 0; j < n; j++) sums[j] += line[j];
      }
      EACH for (size_t j = 0; j < n; j++) partial[at + j] = sums[j];
    }
  }
}

void ck_channel_sum(
    const float *g, size_t rows, size_t channels, double *sum_g, double *partial_sums) {
  struct sum s = {g, rows, channels, partial_sums};
  size_t blocks = (rows + block_rows - 1) / block_rows;
  ck_parallel(sum_share, &s, blocks, rows * channels);
  memset(sum_g, 0, channels * sizeof *sum_g);
  for (size_t block = 0; block < blocks; block++)
    for (size_t j = 0; j < channels; j++) sum_g[j] += partial_sums[block * channels + j];
}

// MARK: elementwise

CLONES void ck_channel_scale(
    const float *x, const float *factor, float *y, size_t rows, size_t channels) {
  for (size_t r = 0; r < rows; r++)
    EACH for (size_t j = 0; j < channels; j++)
      y[r * channels + j] = x[r * channels + j] * factor[j];
}

// A unit is block_rows positions.
CLONES static void folded_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_folded *f = context;
  size_t channels = f->channels;
  size_t last = end * block_rows < f->rows ? end * block_rows : f->rows;
  const float *correction = f->correction, *inv = f->inv, *mean = f->mean, *slope = f->slope;
  const float *constant = f->constant;
  for (size_t r = begin * block_rows; r < last; r++) {
    const float *g = f->g + r * channels, *c = f->c + r * channels;
    float *gk = f->gk + r * channels;
    if (f->gz) {
      float *gz = f->gz + r * f->stride, *dc = f->dc + r * f->stride;
      EACH for (size_t j = 0; j < channels; j++) {
        float z = g[j] * correction[j];
        float d = (c[j] - mean[j]) * slope[j] + constant[j];
        gz[j] = z;
        dc[j] = d;
        gk[j] = z * inv[j] + d;
      }
    } else {
      EACH for (size_t j = 0; j < channels; j++)
        gk[j] = g[j] * correction[j] * inv[j] + ((c[j] - mean[j]) * slope[j] + constant[j]);
    }
  }
}

void ck_folded_backward(const ck_folded *folded) {
  size_t blocks = (folded->rows + block_rows - 1) / block_rows;
  ck_parallel(folded_share, (void *)folded, blocks, folded->rows * folded->channels);
}

void ck_interleave(const float *a, const float *b, float *y, size_t rows, size_t channels) {
  for (size_t r = 0; r < rows; r++) {
    memcpy(y + 2 * r * channels, a + r * channels, channels * sizeof *y);
    memcpy(y + (2 * r + 1) * channels, b + r * channels, channels * sizeof *y);
  }
}

CLONES void ck_kernel_gradient(const ck_kernel_parts *p) {
  size_t channels = p->channels;
  for (size_t i = 0; i < p->rows; i++) {
    const float *product = p->product + i * channels, *moments = p->moments + i * channels;
    float *gradient = p->gradient + i * channels, sum = (float)p->sum_x[i];
    EACH for (size_t j = 0; j < channels; j++)
      gradient[j] = product[j] * p->scale[j] + (moments[j] + sum * p->shift[j]);
  }
}

// In double: what is left of these sums is small beside their terms.
CLONES void ck_column_products(
    const float *a, const float *b, size_t rows, size_t channels, double *sums) {
  memset(sums, 0, channels * sizeof *sums);
  for (size_t i = 0; i < rows; i++)
    EACH for (size_t j = 0; j < channels; j++)
      sums[j] += (double)a[i * channels + j] * b[i * channels + j];
}

CLONES void ck_row_products(
    const float *a, const float *factor, size_t rows, size_t channels, float *sums) {
  for (size_t i = 0; i < rows; i++) {
    double lanes[8] = {0}, sum = 0;
    size_t whole = channels / 8 * 8;
    for (size_t j = 0; j < whole; j += 8)
      for (size_t k = 0; k < 8; k++)
        lanes[k] += (double)a[i * channels + j + k] * factor[j + k];
    for (size_t j = whole; j < channels; j++) sum += (double)a[i * channels + j] * factor[j];
    for (size_t k = 0; k < 8; k++) sum += lanes[k];
    sums[i] = (float)sum;
  }
}
