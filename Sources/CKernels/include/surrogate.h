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

// The sum over such points of weight * point, by coordinate.
void ck_weighted_sums(
    const double *columns, size_t stride, const double *weights, size_t dimensions, size_t count,
    double *sums);

// The row that a Cholesky factor grows by: `row` holds the covariances with the `count` points
// before and becomes the solution of L * row = row. `factor` holds L's rows end to end, the diagonal
// included.
void ck_forward_solve(const double *factor, double *row, size_t count);

// The Cholesky factor of a positive definite matrix in its place: `a` holds the lower triangle's rows
// end to end. 0 where it is not positive definite.
int ck_cholesky(double *a, size_t count);

// The inverse of a lower triangle in its place; rows end to end. `scratch` has room for four rows.
void ck_invert_triangle(double *a, double *scratch, size_t count);

// y = A' * A * x for a lower triangle A, rows end to end, and |A * x|^2: with the inverse of a Cholesky
// factor of K these are K^-1 * x and x' * K^-1 * x.
double ck_triangle_solve(const double *a, const double *x, double *y, size_t count);
