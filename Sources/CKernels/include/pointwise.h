// The backward pass of a pointwise layer in one walk over its maps: products of matrices in blocks of
// positions that stay in a cache, whatever is computed of a block beforehand included.
#pragma once
#include <stddef.h>

// A matrix (inner, columns), packed for products of rows with it: ck_panels_count floats.
typedef struct {
  size_t inner, columns;
  float *values;
} ck_panels;

// Whether this processor has the vectors that these loops are made of.
int ck_pointwise_runs(void);
size_t ck_panels_count(size_t inner, size_t columns);
// Packs rows first..<first + rows of the matrix. `transposed`: `matrix` is (columns, rows), else
// (rows, columns).
void ck_panels_load(
  const ck_panels *panels, const float *matrix, size_t first, size_t rows, int transposed);

// y += x * matrix + bias, over `rows` rows of x, which are matrix.inner wide.
void ck_add_row_products(
  const ck_panels *matrix, const float *x, const float *bias, size_t rows, float *y);

// With x (rows, channels) and the gradient g (rows, columns) of x * kernel:
//   dkernel = x'g,  dx = g * matrix
// or, where c is there, of a folded layer (channels.h), with gz, dc and gk of each position:
//   dkernel = x'gk,  dx = [gz | dc] * matrix   or   gk * matrix, whichever is as wide
typedef struct {
  size_t rows, channels, columns;
  // As ck_pointwise_share leaves them: rows of a block, and groups of neighbouring blocks, which are
  // summed up apart.
  size_t block, groups;
  const float *x, *g, *c;
  const float *correction, *inv, *mean, *slope, *constant;
  // (columns or twice as many, channels).
  ck_panels matrix;
  float *dkernel, *dx;
  // Whether dx is added to what is there.
  int dx_adds;
  // ck_pointwise_partial floats; ck_pointwise_scratch floats for each thread.
  float *partial, *scratch;
} ck_pointwise;
// Shares the rows out; rows, channels and columns are known.
void ck_pointwise_share(ck_pointwise *layer, size_t threads);
size_t ck_pointwise_partial(const ck_pointwise *layer);
size_t ck_pointwise_scratch(const ck_pointwise *layer);
void ck_pointwise_backward(const ck_pointwise *layer);
