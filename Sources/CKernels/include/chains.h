// Chains: everything that happens to a map between two convolutions, in one walk over its samples,
// each of which stays in the cache from one operation to the next. Forward and backward.
#pragma once
#include <stddef.h>
#include <stdint.h>

// What a segment computes of each value u.
typedef enum {
  ck_identity,
  ck_relu,
  ck_relu6,
  ck_swish,
  ck_sigmoid,
  // 0 with probability `rate`, else u / (1 - rate); which ones is a hash of `key` and the place.
  ck_dropout,
} ck_function;

// How a segment's result is quantized: the kinds of quantizers.h for one sample's map.
typedef enum {
  ck_unquantized,
  ck_map_auto,
  ck_map_po2,
  ck_map_best,
  ck_map_grid,
  ck_map_binary,
} ck_map_kind;

typedef struct {
  ck_map_kind kind;
  // ck_map_auto, ck_map_po2: the largest code.
  float limit;
  // ck_map_best and ck_map_grid: the smallest and the largest code; ck_map_binary: the two values.
  float low, high;
  // ck_map_grid: codes are x * multiplier, values code * factor.
  float multiplier, factor;
  float noise;
} ck_map_quantizer;

typedef struct {
  ck_function function;
  ck_map_quantizer quantizer;
  // ck_dropout only.
  float rate;
  const uint64_t *key;
} ck_segment;

// Where a chain's values come from.
typedef enum {
  // A map as it is.
  ck_from_map,
  // a * factor[channel] + offset[channel].
  ck_from_affine,
  // a + b.
  ck_from_sum,
  // a * b, b having one value per sample and channel.
  ck_from_product,
} ck_source;

// Maps are (samples, elements), elements = positions * channels.
typedef struct {
  ck_source source;
  const float *a, *b;
  // NULL, or what makes a sample of a into y, right before the chain reads it from the cache.
  void (*make)(const void *maker, size_t sample, float *y, size_t thread);
  const void *maker;
  // With `make`: samples are not kept in a, but made again where the backward pass reads them.
  int remakes;
  // Per channel, written again and again over `period` values (ck_period, ck_repeat).
  const float *factor, *offset;
  size_t samples, elements, channels, period;
  const ck_segment *segments;
  size_t segment_count;
  // The result; may be `a` where nobody needs that afterwards.
  float *y;
  // Whether the result, too large for a cache to keep, is written past it.
  int streams;
  // NULL, or for each sample what the last segment's quantizer, one with powers of two, took its
  // values for: step and zero, x = step * (code - zero).
  float *grids;
  // ck_chain_scratch floats for each thread.
  float *scratch;
} ck_chain;

// The gradient of a chain. Where the result is quantized by QKeras's modes, values under 1e-7 pass
// none; quantizing itself passes it unchanged.
typedef struct {
  // Of the result.
  const float *g;
  // Of a; may be `g`; NULL: not wanted. adds: to what stands there.
  float *da;
  int da_adds;
  // Of b, likewise.
  float *db;
  int db_adds;
  // ck_from_affine: with g the gradient of the affine's result, per channel the sums of g,
  // g * (a - mean_a) and g * (c - mean_c). a and c are a folded layer's two convolutions; the means
  // stand written over the period. Where c is a, only the first and the last are formed; where c
  // is NULL, the last is 0.
  const float *c, *mean_a, *mean_c;
  double *sum_g, *sum_ga, *sum_gc;
  // ck_chain_partial_sums of them.
  double *partial_sums;
} ck_chain_gradient;

// The number of values over which per-channel arrays are written repeatedly, so that loops over
// few channels are long enough for vectors: a multiple of `channels`.
size_t ck_period(size_t channels);
// target[i] = values[i mod channels], for the period.
void ck_repeat(const float *values, size_t channels, float *target);

// Floats of scratch that one thread needs for both directions.
size_t ck_chain_scratch(const ck_chain *chain);
// Doubles that the backward pass of a chain with an affine source needs.
size_t ck_chain_partial_sums(const ck_chain *chain);
void ck_chain_forward(const ck_chain *chain);
void ck_chain_backward(const ck_chain *chain, const ck_chain_gradient *gradient);
