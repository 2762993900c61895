#pragma once
#include <stddef.h>

// Declared here: lapacke.h's complex types are nothing that Swift can import. Row-major, the lower
// triangle; 0, or the order of the minor that is not positive.
int LAPACKE_dpotrf(int layout, char triangle, int n, double *a, int lda);
int LAPACKE_dpotri(int layout, char triangle, int n, double *a, int lda);
