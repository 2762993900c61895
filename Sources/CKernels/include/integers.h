// Convolutions of quantized maps with quantized kernels, whose scales are powers of two: sums of
// products of codes, in whole numbers.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Maps are (samples, height, width, channels), kernels (height, width, channels, columns). With the
// map's grid of a sample (step, zero): x = step * (code - zero), -127 <= code <= 127 (or to 128, where
// zero is -127). Products of such values are exact in float32, and so is every sum that stays below 2^24
// codes, in whatever order: whoever computes it gets TensorFlow's number. The zero may
// also be -128 or 128, and a pointwise layer's may lie as far beyond the codes as sums stay exact: its
// values then lie on one side of 0. A sample
// whose grid has another zero, or that is not finite, is computed in floating point, in order of the
// kernel's places.
typedef struct {
  size_t height, width, channels, out_height, out_width, columns;
  size_t kernel_height, kernel_width, stride_height, stride_width, pad_top, pad_left;
  // The map, and a grid for each sample.
  const float *x, *grids;
  // The quantized kernel, whose codes are -127...127, and the value of a code of each column.
  const float *kernel, *steps;
  // The kernel as ck_integer_load leaves it: ck_integer_codes bytes, for each column the sum of its
  // codes, and then for each the sum of their absolute values.
  int8_t *codes;
  int32_t *code_sums;
  // Whether no sum of this kernel can reach 2^24; else nothing is computed.
  int is_exact;
  // How far from 0 a sample's zero may lie.
  int reach;
  // ck_integer_scratch bytes for each thread.
  uint8_t *scratch;
} ck_integer;

// Whether this processor multiplies bytes.
int ck_integer_runs(void);
size_t ck_integer_codes(const ck_integer *layer);
size_t ck_integer_scratch(const ck_integer *layer);
// Takes the kernel's current values; after each change of them.
void ck_integer_load(ck_integer *layer);
// One sample of the output; `layer` is a ck_integer. Samples may be computed in parallel.
void ck_integer_sample(const void *layer, size_t sample, float *y, size_t thread);
// All samples of a pointwise layer on maps of one position, a dense layer; y is (samples, columns).
void ck_integer_rows(const ck_integer *layer, size_t samples, float *y);

// Products of a quantized map with itself, in whole numbers likewise: at most 16384 positions.
typedef struct {
  size_t samples, positions, channels;
  // Groups of neighbouring samples that are summed up apart, at most `samples`.
  size_t groups;
  // The map, and a grid for each sample.
  const float *x, *grids;
  // Over all positions, the sums of x[i] * x[j] (channels, channels) and of x[i]: exact, unless samples'
  // steps lie so far apart that a double does not hold their sum, or samples have no bytes (see above).
  double *product, *sums;
  // ck_gram_partial doubles; ck_gram_scratch bytes for each thread.
  double *partial;
  uint8_t *scratch;
  // Whether to do without multiplications of bytes, as processors without them do: the same numbers.
  int plain;
} ck_gram;
size_t ck_gram_partial(const ck_gram *gram);
size_t ck_gram_scratch(const ck_gram *gram);
void ck_gram_run(const ck_gram *gram);

// The moments of a pointwise layer's output c = x * kernel + bias, which is never computed, from its
// input's products: per column the mean, and the variance of the population.
typedef struct {
  // As ck_gram leaves them.
  const double *product, *sums;
  size_t rows, channels, columns;
  // (channels, columns); of each column.
  const float *kernel, *bias;
  float *mean, *variance;
  // product * kernel (channels, columns).
  float *image;
  // ck_gram_moments_scratch doubles for each thread.
  double *scratch;
} ck_gram_moments;
size_t ck_gram_moments_scratch(const ck_gram_moments *moments);
void ck_gram_moments_run(const ck_gram_moments *moments);
