// 3x3 convolutions with stride 1 by Winograd's minimal filtering (Lavin and Gray 2016, "Fast algorithms
// for convolutional neural networks"): F(2x2, 3x3) makes four outputs from sixteen products instead of
// thirty-six, F(4x4, 3x3) sixteen from thirty-six instead of 144. The error of the one is of a direct
// convolution's size, that of the other twice as large.
#pragma once
#include <stddef.h>

// Maps are (samples, height, width, channels) and (samples, out_height, out_width, columns); `channels`
// and `columns` are multiples of 16.
typedef struct {
  // Outputs on a side of a tile: 2 or 4.
  size_t tile;
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
// The side of the tiles that are fastest for a layer.
size_t ck_winograd_tile(const ck_winograd *layer);
size_t ck_winograd_weights(const ck_winograd *layer);
size_t ck_winograd_scratch(const ck_winograd *layer);
// Takes the kernel's current values; after each change of them.
void ck_winograd_load(const ck_winograd *layer);
void ck_winograd_run(const ck_winograd *layer);
