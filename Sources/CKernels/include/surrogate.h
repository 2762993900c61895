// Loops of the search's surrogate models, in double. Sums go through eight partial sums, whatever
// the width of a vector.
#pragma once
#include <stddef.h>

// The inner product.
double ck_dot(const double *x, const double *y, size_t count);

// y += factor * x.
void ck_add_scaled(double factor, const double *x, double *y, size_t count);

// Squared distances of `count` points to one. `columns` holds the points by coordinate: coordinate
// d of point i at columns[d * stride + i].
void ck_squared_distances(
    const double *columns, size_t stride, const double *point, size_t dimensions, size_t count,
    double *distances);

// The row that a Cholesky factor grows by: `row` holds the covariances with the `count` points
// before and becomes the solution of L * row = row. `factor` holds L's rows end to end, the diagonal
// included.
void ck_forward_solve(const double *factor, double *row, size_t count);

// y = a * x for a square matrix of `count` rows.
void ck_matrix_vector(const double *a, const double *x, double *y, size_t count);
