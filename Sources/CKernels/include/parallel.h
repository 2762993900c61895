// Loops over the threads that oneDNN uses too: libgomp's, so that one pool serves both.
#pragma once
#include <stddef.h>

// Part of a loop: units begin..<end, on thread number `thread` of ck_threads().
typedef void (*ck_share)(void *context, size_t begin, size_t end, size_t thread);

// Threads that a parallel loop uses at most: what omp_set_num_threads was told.
size_t ck_threads(void);

// Nanoseconds in which a value goes from one thread to another and back: some 60 where the two have a
// cache in common, several times as many where they have not. 0 where there is only one.
double ck_handover(void);

// Runs `share` on contiguous pieces of 0..<units, several for each thread. Where `work`, the number of values that the whole
// loop touches, is too small to wake threads for, the caller runs it all, as it
// does where it is itself part of a loop, all then with thread number 0. What a unit computes must
// not depend on the share that it is in: then the number of threads changes no bit.
void ck_parallel(ck_share share, void *context, size_t units, size_t work);
