#pragma STDC FP_CONTRACT OFF
#include "quantizers.h"

#include "parallel.h"
#include "quantizer_bodies.h"

int shiftwork_runs(int level) {
  __builtin_cpu_init();
  if (level == 0) return 1;
  return level == 1 ? !!__builtin_cpu_supports("avx2") : !!__builtin_cpu_supports("avx512f");
}

SHIFTWORK_DEFINE(
  shiftwork_fixed,
  (const float *x, float *y, size_t count, float multiplier, float low, float high, float factor,
   float noise),
  (x, y, count, multiplier, low, high, factor, noise))
SHIFTWORK_DEFINE(
  shiftwork_binary,
  (const float *x, float *y, size_t count, float negative, float positive, float noise),
  (x, y, count, negative, positive, noise))
SHIFTWORK_DEFINE(
  shiftwork_auto,
  (const float *x, float *y, size_t rows, size_t channels, int mode, float limit, float noise,
   float *scales),
  (x, y, rows, channels, mode, limit, noise, scales))
SHIFTWORK_DEFINE(
  shiftwork_auto_po2,
  (const float *x, float *y, size_t rows, size_t channels, int mode, int integer, float limit,
   float noise, float *scales),
  (x, y, rows, channels, mode, integer, limit, noise, scales))
SHIFTWORK_DEFINE(
  shiftwork_best_po2,
  (const float *x, float *y, size_t rows, size_t channels, int mode, float low, float high,
   float noise, float *scales),
  (x, y, rows, channels, mode, low, high, noise, scales))

// MARK: kernels

// A unit is one block of channels, each of which has a scale of its own.
CLONES static void kernel_share(void *context, size_t begin, size_t end, size_t thread) {
  const shiftwork_kernel *k = context;
  float steps[LANES];
  for (size_t index = begin; index < end; index++) {
    struct block b = block_at(k->x, k->rows, k->channels, 0, index);
    float *y = k->y + index * LANES;
    switch (k->kind) {
      case shiftwork_kernel_auto:
        auto_blocks(b, b, y, 0, k->limit, k->noise, steps);
        break;
      case shiftwork_kernel_auto_po2:
        auto_po2_blocks(b, b, y, 0, (float)k->rows, k->integer, k->limit, k->noise, steps);
        break;
      case shiftwork_kernel_best_po2:
        best_po2_blocks(b, b, y, 0, -k->limit, k->limit, k->noise, steps);
        break;
    }
    store(k->scales, index * LANES, steps, b.columns);
  }
}

void shiftwork_quantize_kernel(const shiftwork_kernel *kernel) {
  // A value is looked at five times and more.
  ck_parallel(
    kernel_share, (void *)kernel, (kernel->channels + LANES - 1) / LANES,
    8 * kernel->rows * kernel->channels);
}
