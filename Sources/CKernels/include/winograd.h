// 3x3 convolutions with stride 1 by Winograd's minimal filtering F(2x2, 3x3): four outputs from sixteen
// products instead of thirty-six (Lavin and Gray 2016, "Fast algorithms for convolutional neural
// networks"). Sums run in another order than a direct convolution's, with an error of the same size.
#pragma once
#include <stddef.h>

// Maps are (samples, height, width, channels) and (samples, out_height, out_width, columns); `channels`
// and `columns` are multiples of 16.
typedef struct {
  size_t samples, height, width, channels, out_height, out_width, columns, pad_top, pad_left;
  const float *x;
  // (3, 3, channels, columns); if `transposed`, of the convolution whose gradient by data this is:
  // (3, 3, columns, channels), x being the gradient of that one's output.
  const float *kernel;
  int transposed;
  float *y;
  // The kernel as ck_winograd_load leaves it: ck_winograd_weights floats.
  float *weights;
  // ck_winograd_scratch floats for each thread.
  float *scratch;
} ck_winograd;

// Whether this processor has the vectors that these loops are made of.
int ck_winograd_runs(void);
size_t ck_winograd_weights(const ck_winograd *layer);
size_t ck_winograd_scratch(const ck_winograd *layer);
// Takes the kernel's current values; after each change of them.
void ck_winograd_load(const ck_winograd *layer);
void ck_winograd_run(const ck_winograd *layer);
