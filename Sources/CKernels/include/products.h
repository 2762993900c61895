// Sums of products whose order decides codes: TensorFlow's, where oneDNN adds otherwise.
#pragma once
#include <stddef.h>

// A depthwise convolution: maps (samples, height, width, channels), kernel (height, width, channels).
// Per output one plain sum from 0 over the kernel's rows and columns, each product rounded before it
// is added, as TensorFlow's DepthwiseConv2dNative does it; the bias last.
typedef struct {
  const float *x, *kernel;
  // NULL: none.
  const float *bias;
  float *y;
  size_t samples, height, width, channels, out_height, out_width;
  size_t kernel_height, kernel_width, stride_height, stride_width, pad_top, pad_left;
} ck_depthwise_sums;
void ck_depthwise_forward(const ck_depthwise_sums *layer);
// One sample of it, into y; `layer` is a ck_depthwise_sums whose own y is not looked at. Samples may be
// computed in parallel.
void ck_depthwise_sample(const void *layer, size_t sample, float *y, size_t thread);

// y = a b for the columns first..<columns of b and y, at most 8: a (rows, depth) with `a_stride`
// values from row to row, b and y with `columns`. Per output two chains of fused multiply-adds from
// 0, over the even and over the odd places, and their sum; added to what stands there if `adds`.
typedef struct {
  const float *a, *b;
  float *y;
  size_t rows, depth, a_stride, columns, first;
  int adds;
} ck_narrow_product;
void ck_narrow(const ck_narrow_product *product);
