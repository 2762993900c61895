// What both directions of a chain share: its sources, its functions, one segment of one sample.
#pragma once
#include <math.h>
#include <string.h>

#include "chain_loops.h"
#include "chains.h"
#include "clones.h"
#include "quantizers.h"

// Values that are worked on at a time, so that they stay in the first cache.
enum { chunk_values = 1024 };
static const float tiny = 1e-7f;

/// Whole periods, about chunk_values long.
static inline size_t chunk_of(const ck_chain *chain) {
  size_t count = chunk_values / chain->period;
  return chain->period * (count ? count : 1);
}

struct scratch {
  // The current sample of the chain's a.
  const float *a;
  float *made, *results, *between, *u, *g, *gate, *sums;
  double *totals;
};

/// Room for a sample that is not kept.
static inline size_t made_values(const ck_chain *chain) {
  return chain->remakes ? (chain->elements + 15) / 16 * 16 : 0;
}

static inline struct scratch scratch_of(const ck_chain *chain, size_t thread) {
  struct scratch s;
  size_t period = chain->period;
  float *base = chain->scratch + thread * ck_chain_scratch(chain);
  s.a = NULL;
  s.made = base, base += made_values(chain);
  s.totals = (double *)base, base += 6 * period;
  s.sums = base, base += 3 * period;
  s.gate = base, base += period;
  s.u = base, base += chunk_of(chain);
  s.g = base, base += chunk_of(chain);
  s.results = base;
  s.between = chain->segment_count > 1 ? base + (chain->segment_count - 1) * chain->elements : base;
  return s;
}

/// Turns to a sample, made here where it is not there: forward, and backward where it was not kept.
static inline void take_sample(
  const ck_chain *chain, struct scratch *scratch, size_t sample, size_t thread, int forward) {
  scratch->a = chain->remakes ? scratch->made : chain->a + sample * chain->elements;
  if (chain->make && (forward || chain->remakes))
    chain->make(chain->maker, sample, (float *)scratch->a, thread);
}

// MARK: functions

/// e^x, its argument kept to where the result is a normal number: 2^n times a polynomial (Cephes's
/// expf), two units in the last place off at most.
static inline __attribute__((always_inline)) float exponential(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  // Adding 1.5 * 2^23 rounds to a whole number and leaves it in the low bits.
  float t = x * 1.44269504f + 12582912.0f, n = t - 12582912.0f;
  float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = (p * r) * r + r + 1;
  uint32_t bits;
  memcpy(&bits, &t, 4);
  bits = (bits << 23) + 0x3f800000u;
  float power;
  memcpy(&power, &bits, 4);
  return p * power;
}

static inline __attribute__((always_inline)) float sigmoid(float x) {
  return 1 / (1 + exponential(-x));
}

/// Whether dropout keeps the value at `place`: murmur3's finalizer against the rate.
static inline __attribute__((always_inline)) int keeps(uint32_t place, uint64_t key, uint32_t bar) {
  uint32_t h = place * 0x9E3779B9u + (uint32_t)key;
  h ^= h >> 16, h *= 0x85EBCA6Bu, h ^= h >> 13, h += (uint32_t)(key >> 32);
  h *= 0xC2B2AE35u, h ^= h >> 16;
  return h >= bar;
}

static inline uint32_t bar_of(const ck_segment *segment) {
  double bar = (double)segment->rate * 4294967296.0;
  return bar >= 4294967295.0 ? 4294967295u : (uint32_t)bar;
}

/// y = function(u), in place.
BODY apply(const ck_segment *segment, float *y, size_t count, size_t place) {
  switch (segment->function) {
    case ck_identity: break;
    case ck_relu:
      EACH for (size_t i = 0; i < count; i++) y[i] = y[i] > 0 ? y[i] : 0;
      break;
    case ck_relu6:
      EACH for (size_t i = 0; i < count; i++) {
        float v = y[i] > 0 ? y[i] : 0;
        y[i] = v < 6 ? v : 6;
      }
      break;
    case ck_swish:
      EACH for (size_t i = 0; i < count; i++) y[i] = y[i] * sigmoid(y[i]);
      break;
    case ck_sigmoid:
      EACH for (size_t i = 0; i < count; i++) y[i] = sigmoid(y[i]);
      break;
    case ck_dropout: {
      uint32_t bar = bar_of(segment);
      uint64_t key = *segment->key;
      float factor = 1 / (1 - segment->rate);
      EACH for (size_t i = 0; i < count; i++)
        y[i] = keeps((uint32_t)(place + i), key, bar) ? y[i] * factor : 0;
      break;
    }
  }
}

static inline int stops_tiny(const ck_segment *segment) {
  return segment->quantizer.kind == ck_map_auto || segment->quantizer.kind == ck_map_po2;
}

// MARK: sources

/// out = the source's values at..<at + count of a sample; `at` is a multiple of the period.
BODY evaluate(
  const ck_chain *chain, const struct scratch *scratch, const float *gate, size_t sample, size_t at,
  size_t count, float *out) {
  const float *a = scratch->a + at;
  size_t period = chain->period;
  switch (chain->source) {
    case ck_from_map:
      if (a != out) memcpy(out, a, count * sizeof *out);
      break;
    case ck_from_affine: {
      const float *factor = chain->factor, *offset = chain->offset;
      for (size_t first = 0; first < count; first += period) {
        size_t n = count - first < period ? count - first : period;
        EACH for (size_t j = 0; j < n; j++) out[first + j] = a[first + j] * factor[j] + offset[j];
      }
      break;
    }
    case ck_from_sum: {
      const float *b = chain->b + sample * chain->elements + at;
      EACH for (size_t i = 0; i < count; i++) out[i] = a[i] + b[i];
      break;
    }
    case ck_from_product:
      for (size_t first = 0; first < count; first += period) {
        size_t n = count - first < period ? count - first : period;
        EACH for (size_t j = 0; j < n; j++) out[first + j] = a[first + j] * gate[j];
      }
      break;
  }
}

// The code that counts as 0 on a grid of best_po2: codes of 8 bits begin at -127, whatever their sign.
static inline float best_zero(const ck_map_quantizer *q) { return q->low < 0 ? 0 : -127; }

static inline void quantize(
  const ck_map_quantizer *q, float *y, size_t count, float low, float high, float *grid) {
  if (grid && q->kind == ck_map_po2) ck_grid_of_map(low, high, q->limit, 1, grid, grid + 1);
  if (grid && q->kind == ck_map_best) grid[1] = best_zero(q);
  switch (q->kind) {
    case ck_unquantized: break;
    case ck_map_auto:
    case ck_map_po2:
      shiftwork_map_codes(y, y, count, low, high, q->limit, q->kind == ck_map_po2, q->noise, NULL);
      break;
    case ck_map_best:
      shiftwork_best_po2(y, y, 1, count, 1, q->low, q->high, q->noise, grid);
      break;
    case ck_map_grid:
      shiftwork_fixed(y, y, count, q->multiplier, q->low, q->high, q->factor, q->noise);
      break;
    case ck_map_binary: shiftwork_binary(y, y, count, q->low, q->high, q->noise); break;
  }
}

// MARK: segments

/// The values of a map that the walks over whole vectors take: whole periods, where the source has
/// any. What is left takes the plain loops.
static inline size_t walked(const ck_chain *chain, ck_source source, ck_function function) {
  if (function == ck_dropout) return 0;
  if (source == ck_from_map || source == ck_from_sum) return chain->elements / 16 * 16;
  return chain->period % 16 ? 0 : chain->elements / chain->period * chain->period;
}

/// What a walk over one sample from value `at` on reads, the first segment's source or `input`.
static inline struct walk walk_of(
  const ck_chain *chain, const struct scratch *scratch, const float *gate, size_t sample,
  const float *input, size_t at, size_t count) {
  size_t start = sample * chain->elements + at;
  struct walk walk = {.count = count, .period = count};
  walk.a = (input ? input : scratch->a) + at;
  if (input) return walk;
  if (chain->source == ck_from_sum) walk.b = chain->b + start;
  walk.factor = chain->source == ck_from_product ? gate : chain->factor;
  walk.offset = chain->offset;
  if (chain->source == ck_from_affine || chain->source == ck_from_product)
    walk.period = chain->period;
  return walk;
}

BODY walk_forward(
  ck_source source, ck_function function, const struct walk *walk, float *y, float *low,
  float *high) {
#define CALL(f) forward_walk(source, f, walk, y, tiny, low, high)
  EACH_FUNCTION(function, CALL)
#undef CALL
}

/// The same for each kind of source.
#define EACH_SOURCE(source, call)                      \
  switch (source) {                                    \
    case ck_from_map: call(ck_from_map); break;        \
    case ck_from_affine: call(ck_from_affine); break;  \
    case ck_from_sum: call(ck_from_sum); break;        \
    case ck_from_product: call(ck_from_product); break; \
  }

/// A function that is done again sooner than its result is written and read.
static inline int is_cheap(ck_function function) {
  return function == ck_identity || function == ck_relu || function == ck_relu6;
}

BODY code_forward(
  ck_source source, ck_function function, const struct walk *walk, const struct coding *coding,
  float *y, int streams) {
#define CALL(f) streams ? coding_walk(source, f, walk, coding, y, 1) : coding_walk(source, f, walk, coding, y, 0)
  switch (function) {
    case ck_relu: CALL(ck_relu); break;
    case ck_relu6: CALL(ck_relu6); break;
    default: CALL(ck_identity); break;
  }
#undef CALL
}

/// A whole sample of a cheap function and QKeras's modes: a walk for the range, another one straight to
/// the codes. Returns whether that was all; else nothing was written.
static inline __attribute__((always_inline)) int code_sample(
  const ck_segment *segment, ck_source source, const struct walk *walk, float *y, int streams,
  float *grid) {
  const ck_map_quantizer *q = &segment->quantizer;
  struct coding coding = {.limit = q->limit};
  float low = INFINITY, high = -INFINITY;
#define CALL(s) walk_forward(s, segment->function, walk, NULL, &low, &high)
  EACH_SOURCE(source, CALL)
#undef CALL
  int po2 = q->kind == ck_map_po2;
  ck_grid_of_map(low, high, q->limit, po2, &coding.scale, &coding.zero);
  if (coding.scale == 0) return 0;
  coding.multiplies = po2 && coding.scale < 0x1p127f, coding.inverse = 1 / coding.scale;
  if (grid && po2) grid[0] = coding.scale, grid[1] = coding.zero;
#define CALL(s) code_forward(s, segment->function, walk, &coding, y, streams)
  EACH_SOURCE(source, CALL)
#undef CALL
  return 1;
}

/// One segment of one sample: from the source where `input` is NULL.
BODY run_segment(
  const ck_chain *chain, const struct scratch *scratch, size_t index, const float *gate,
  size_t sample, const float *input, float *y) {
  const ck_segment *segment = chain->segments + index;
  size_t chunk = chunk_of(chain), elements = chain->elements;
  float low = INFINITY, high = -INFINITY;
  int ranges = stops_tiny(segment);
  ck_source source = input ? ck_from_map : chain->source;
  size_t whole = walked(chain, source, segment->function);
  int last = index + 1 == chain->segment_count;
  float *grid = chain->grids && last ? chain->grids + 2 * sample : NULL;
  struct walk walk = walk_of(chain, scratch, gate, sample, input, 0, whole);
  if (whole == elements && ranges && segment->quantizer.noise == 1 && is_cheap(segment->function)) {
    int streams = last && chain->streams && (uintptr_t)y % sizeof(sixteen) == 0;
    if (code_sample(segment, source, &walk, y, streams, grid)) return;
  }
  if (whole) {
#define CALL(s) walk_forward(s, segment->function, &walk, y, &low, &high)
    EACH_SOURCE(source, CALL)
#undef CALL
  }
  for (size_t at = whole; at < elements; at += chunk) {
    size_t count = elements - at < chunk ? elements - at : chunk;
    if (input) {
      if (input != y) memcpy(y + at, input + at, count * sizeof *y);
    } else {
      evaluate(chain, scratch, gate, sample, at, count, y + at);
    }
    apply(segment, y + at, count, sample * elements + at);
    if (ranges) shiftwork_map_range(y + at, count, &low, &high);
  }
  quantize(&segment->quantizer, y, elements, low, high, grid);
}

static inline const float *gate_of(const ck_chain *chain, const struct scratch *scratch, size_t sample) {
  if (chain->source != ck_from_product) return NULL;
  ck_repeat(chain->b + sample * chain->channels, chain->channels, scratch->gate);
  return scratch->gate;
}
