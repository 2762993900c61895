// The backward pass of a folded depthwise convolution in one walk over its maps: oneDNN's would be
// three convolutions and two elementwise passes, all of them bound by memory.
#pragma once
#include <stddef.h>

// Maps are (samples, height, width, channels), kernels (height, width, channels). With gz, dc and gk
// as ck_folded has them:
//   dkernel = conv'(x, gk)
//   dx = conv^T(gz, quantized) + conv^T(dc, kernel), or conv^T(gk, kernel) without a quantized one
typedef struct {
  size_t samples, channels;
  size_t in_height, in_width, out_height, out_width;
  size_t kernel_height, kernel_width, stride_height, stride_width, pad_top, pad_left;
  const float *x, *g, *c;
  // Per channel, as in ck_folded.
  const float *correction, *inv, *mean, *slope, *constant;
  const float *kernel;
  // NULL: not quantized.
  const float *quantized;
  // NULL: not wanted; dx_adds: to what stands there.
  float *dx;
  int dx_adds;
  float *dkernel;
  // ck_depthwise_partial_kernels floats.
  float *partial_kernels;
  // ck_depthwise_scratch floats for each thread.
  float *scratch;
} ck_depthwise;
size_t ck_depthwise_scratch(const ck_depthwise *layer);
// Floats for partial gradients of the kernel.
size_t ck_depthwise_partial_kernels(const ck_depthwise *layer);
void ck_depthwise_backward(const ck_depthwise *layer);
