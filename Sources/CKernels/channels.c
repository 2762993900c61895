#pragma STDC FP_CONTRACT OFF
#include "channels.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "clones.h"
#include "parallel.h"

// Channels that one unit of the moments' work covers.
enum { block_channels = 64 };
// Threads that share the moments' work at most.
enum { most_shares = 64 };
// Rows that a float partial sum covers before it goes into the double one.
enum { block_rows = 64 };

// MARK: moments

// On a cache line of its own.
struct progress {
  _Alignas(64) _Atomic size_t units;
};

/// Waits until so many units are done; soon, where each thread has a processor.
static void wait_for(struct progress *progress, size_t units) {
  for (size_t turn = 0; atomic_load_explicit(&progress->units, memory_order_acquire) < units; turn++)
    if (turn % 4096 == 4095) sched_yield();
}

struct sums {
  const float *x, *bias;
  // What the squares are taken from: none, one or two rows of means.
  const float *shift, *second_shift;
  size_t rows, channels;
  // Four accumulators of every channel; four more for the second shift.
  float *sums;
  // How many units each share of the rows is through with.
  struct progress *progress;
  size_t shares;
};

typedef float eight __attribute__((vector_size(32), aligned(4)));

/// Adds every fourth row's x + bias or (x + bias - shift)^2 to the sums, over 8 * `vectors` channels
/// that stay in registers.
BODY sum_vectors(
  const float *x, const float *bias, const float *shift, const float *second, size_t rows,
  size_t stride, size_t vectors, float *sums, float *second_sums) {
  eight total[4], second_total[4] = {{0}};
  for (size_t v = 0; v < vectors; v++) total[v] = *(const eight *)(sums + 8 * v);
  if (second)
    for (size_t v = 0; v < vectors; v++) second_total[v] = *(const eight *)(second_sums + 8 * v);
  for (size_t r = 0; r < rows; r++) {
    for (size_t v = 0; v < vectors; v++) {
      eight value = *(const eight *)(x + r * stride + 8 * v) + *(const eight *)(bias + 8 * v);
      if (second) {
        eight other = value - *(const eight *)(second + 8 * v);
        second_total[v] += other * other;
      }
      if (shift) {
        value = value - *(const eight *)(shift + 8 * v);
        value = value * value;
      }
      total[v] += value;
    }
  }
  for (size_t v = 0; v < vectors; v++) *(eight *)(sums + 8 * v) = total[v];
  if (second)
    for (size_t v = 0; v < vectors; v++) *(eight *)(second_sums + 8 * v) = second_total[v];
}

BODY sum_block(
  const float *x, const float *bias, const float *shift, const float *second, size_t rows,
  size_t stride, size_t n, float *sums, float *second_sums) {
  size_t at = 0;
  for (; at + 32 <= n; at += 32)
    sum_vectors(
      x + at, bias + at, shift ? shift + at : NULL, second ? second + at : NULL, rows, stride, 4,
      sums + at, second_sums + at);
  for (; at + 16 <= n; at += 16)
    sum_vectors(
      x + at, bias + at, shift ? shift + at : NULL, second ? second + at : NULL, rows, stride, 2,
      sums + at, second_sums + at);
  if (at + 8 <= n) {
    sum_vectors(
      x + at, bias + at, shift ? shift + at : NULL, second ? second + at : NULL, rows, stride, 1,
      sums + at, second_sums + at);
  }
}

static size_t channels_of_block(size_t channels) {
  return channels <= block_channels ? block_channels / 2 : block_channels;
}

/// A unit is one of TensorFlow's four accumulators of one block of channels.
static size_t units_of(const struct sums *s) {
  size_t channels = s->channels / 8 * 8, block = channels_of_block(channels);
  return 4 * ((channels + block - 1) / block);
}

BODY sum_unit(const struct sums *s, size_t unit, size_t first_row, size_t rows) {
  size_t channels = s->channels / 8 * 8, block = channels_of_block(channels);
  size_t accumulator = unit % 4, first = unit / 4 * block;
  size_t n = channels - first < block ? channels - first : block, stride = 4 * s->channels;
  const float *x = s->x + first_row * stride + accumulator * s->channels + first;
  const float *bias = s->bias + first;
  float *sums = s->sums + accumulator * s->channels + first;
  // The kinds apart, so that each loop is made for its own.
  if (!s->shift) {
    sum_block(x, bias, NULL, NULL, rows, stride, n, sums, sums);
  } else if (!s->second_shift) {
    sum_block(x, bias, s->shift + first, NULL, rows, stride, n, sums, sums);
  } else {
    sum_block(
      x, bias, s->shift + first, s->second_shift + first, rows, stride, n, sums,
      sums + 4 * s->channels);
  }
}

// Each thread reads the rows that it wrote, and one accumulator goes from thread to thread while the
// next follows behind it: rows that others wrote would be slow to get, and slow to write over.
CLONES static void sums_share(void *context, size_t begin, size_t end, size_t thread) {
  const struct sums *s = context;
  size_t groups = s->rows / 4, units = units_of(s);
  for (size_t share = begin; share < end; share++) {
    size_t first = groups * share / s->shares, last = groups * (share + 1) / s->shares;
    for (size_t unit = 0; unit < units; unit++) {
      if (share) wait_for(&s->progress[share - 1], unit + 1);
      sum_unit(s, unit, first, last - first);
      atomic_store_explicit(&s->progress[share].units, unit + 1, memory_order_release);
    }
  }
}

/// total[j] += the sum from row `first` on, one row after the other, channels from..<to.
BODY add_in_turn(
  const struct sums *s, const float *shift, float *total, size_t first, size_t from, size_t to) {
  if (from == to) return;
  for (size_t r = first; r < s->rows; r++) {
    const float *line = s->x + r * s->channels, *bias = s->bias;
    EACH for (size_t j = from; j < to; j++) {
      float value = line[j] + bias[j], distance = shift ? value - shift[j] : 0;
      total[j] += shift ? distance * distance : value;
    }
  }
}

// Rows from which TensorFlow sums with four accumulators instead of one.
enum { least_rows = 16 };

/// Joins the accumulators of the first `vectors` channels, and adds what they leave over.
BODY finish_sums(
  const struct sums *s, const float *sums, const float *shift, size_t vectors, float *total) {
  size_t channels = s->channels;
  memset(total, 0, channels * sizeof *total);
  EACH for (size_t j = 0; j < vectors; j++)
    total[j] = ((sums[j] + sums[channels + j]) + sums[2 * channels + j]) + sums[3 * channels + j];
  add_in_turn(s, shift, total, s->rows / 4 * 4, 0, vectors);
  add_in_turn(s, shift, total, 0, vectors, channels);
}

// The sums in the order in which TensorFlow (Eigen's reduction over outer dimensions) adds: four
// accumulators take the rows in turn and are joined one after the other; what is left over comes
// last. Few rows, and the channels that do not fill a vector of eight, are added in turn.
CLONES static void add_rows(const struct sums *s, float *total, float *second_total) {
  size_t vectors = s->rows < least_rows ? 0 : s->channels / 8 * 8;
  if (vectors) {
    struct progress progress[most_shares];
    struct sums shared = *s;
    shared.progress = progress, shared.shares = ck_threads() < most_shares ? ck_threads() : most_shares;
    for (size_t k = 0; k < shared.shares; k++) atomic_init(&progress[k].units, 0);
    memset(s->sums, 0, 8 * s->channels * sizeof *s->sums);
    ck_parallel(sums_share, &shared, shared.shares, s->rows * s->channels);
  }
  finish_sums(s, s->sums, s->shift, vectors, total);
  if (s->second_shift)
    finish_sums(s, s->sums + 4 * s->channels, s->second_shift, vectors, second_total);
}

void ck_channel_moments(const ck_moments *m) {
  struct sums s = {m->x, m->bias, NULL, NULL, m->rows, m->channels, m->scratch};
  float rows = (float)m->rows, share = 1 / rows;
  add_rows(&s, m->mean, NULL);
  if (m->fused_mean)
    for (size_t j = 0; j < m->channels; j++) m->fused_mean[j] = m->mean[j] * share;
  for (size_t j = 0; j < m->channels; j++) m->mean[j] /= rows;
  s.shift = m->mean;
  s.second_shift = m->fused_mean;
  add_rows(&s, m->variance, m->fused_variance);
  for (size_t j = 0; j < m->channels; j++) m->variance[j] /= rows;
  if (m->fused_mean)
    for (size_t j = 0; j < m->channels; j++) m->fused_variance[j] *= share;
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

struct scale {
  const float *x, *factor;
  float *y;
  size_t channels;
};

CLONES static void scale_share(void *context, size_t begin, size_t end, size_t thread) {
  const struct scale *s = context;
  const float *factor = s->factor;
  size_t channels = s->channels;
  for (size_t r = begin; r < end; r++)
    EACH for (size_t j = 0; j < channels; j++)
      s->y[r * channels + j] = s->x[r * channels + j] * factor[j];
}

void ck_channel_scale(
    const float *x, const float *factor, float *y, size_t rows, size_t channels) {
  struct scale s = {x, factor, y, channels};
  ck_parallel(scale_share, &s, rows, rows * channels);
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

struct pair {
  const float *a, *b;
  float *y;
  size_t channels;
};

static void interleave_share(void *context, size_t begin, size_t end, size_t thread) {
  const struct pair *p = context;
  size_t channels = p->channels;
  for (size_t r = begin; r < end; r++) {
    memcpy(p->y + 2 * r * channels, p->a + r * channels, channels * sizeof *p->y);
    memcpy(p->y + (2 * r + 1) * channels, p->b + r * channels, channels * sizeof *p->y);
  }
}

void ck_interleave(const float *a, const float *b, float *y, size_t rows, size_t channels) {
  struct pair p = {a, b, y, channels};
  ck_parallel(interleave_share, &p, rows, 2 * rows * channels);
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
