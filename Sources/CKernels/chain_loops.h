// The loops of chains over whole vectors: one walk from a chain's source to a segment's result and its
// range, one from a result's gradient to the source's and its sums. Compiled once per instruction set
// where they are used; each does the same operations on a value as the plain loops of
// chain_segments.h and chain_gradients.c, so what whole vectors or periods leave over can take those.
#pragma once
#include "chains.h"
#include "clones.h"

// Vectors are passed to inlined functions alone, so no calling convention meets them.
#pragma clang diagnostic ignored "-Wpsabi"

typedef float sixteen __attribute__((vector_size(64), aligned(4)));
typedef int32_t masks __attribute__((vector_size(64), aligned(4)));

#define AT(p) (*(const sixteen *)(p))
#define PUT(p, v) (*(sixteen *)(p) = (v))
#define ALL(v) ((sixteen){v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v})
// Past the cache, to whole lines; STREAMED before another thread may read them.
typedef float line __attribute__((vector_size(64), aligned(64)));
#define STREAM(p, v) __builtin_nontemporal_store((line)(v), (line *)(p))
#if defined(__x86_64__)
#define STREAMED __builtin_ia32_sfence()
#else
#define STREAMED ((void)0)
#endif
#define PICK(mask, a, b) ((sixteen)(((mask) & (masks)(a)) | (~(mask) & (masks)(b))))
#define VECTOR static inline __attribute__((always_inline)) sixteen

// Bytes ahead of a walk at which its lines are fetched: a page of every stream, as processors fetch
// ahead by themselves only within one.
enum { ahead = 4096 };
#define FETCH(p) __builtin_prefetch((const char *)(p) + ahead)

VECTOR absolute(sixteen v) { return (sixteen)((masks)v & 0x7fffffff); }

/// chain_segments.h's exponential.
VECTOR exponentials(sixteen x) {
  x = PICK(x < -87.0f, ALL(-87.0f), x);
  x = PICK(x > 88.0f, ALL(88.0f), x);
  sixteen t = x * 1.44269504f + 12582912.0f, n = t - 12582912.0f;
  sixteen r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  sixteen p = ALL(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = (p * r) * r + r + 1;
  return p * (sixteen)(((masks)t << 23) + 0x3f800000);
}

VECTOR sigmoids(sixteen x) { return 1 / (1 + exponentials(-x)); }

VECTOR function_of(ck_function function, sixteen u) {
  switch (function) {
    case ck_relu: return PICK(u > 0, u, ALL(0));
    case ck_relu6:
      u = PICK(u > 0, u, ALL(0));
      return PICK(u < 6, u, ALL(6));
    case ck_swish: return u * sigmoids(u);
    case ck_sigmoid: return sigmoids(u);
    default: return u;
  }
}

/// g * function'(u), 0 where the result is under `least`.
VECTOR gradient_of(ck_function function, sixteen u, sixteen g, float least) {
  switch (function) {
    case ck_relu: return PICK((u > 0) & (u >= least), g, ALL(0));
    case ck_relu6: return PICK((u > 0) & (u >= least) & (u < 6), g, ALL(0));
    case ck_swish: {
      sixteen s = sigmoids(u);
      return PICK(absolute(u * s) < least, ALL(0), g * (s * (1 + u * (1 - s))));
    }
    case ck_sigmoid: {
      sixteen s = sigmoids(u);
      return PICK(s < least, ALL(0), g * (s * (1 - s)));
    }
    default: return PICK(absolute(u) < least, ALL(0), g);
  }
}

/// What the loops read: a sample's values, and what stands over the period.
struct walk {
  const float *a, *b, *factor, *offset;
  size_t count, period;
};

/// One value of the source, place i of the walk and j of the period.
VECTOR source_of(ck_source source, const struct walk *w, size_t i, size_t j) {
  switch (source) {
    case ck_from_affine: return AT(w->a + i) * AT(w->factor + j) + AT(w->offset + j);
    case ck_from_sum: return AT(w->a + i) + AT(w->b + i);
    case ck_from_product: return AT(w->a + i) * AT(w->factor + j);
    default: return AT(w->a + i);
  }
}

/// y = function(source), unless y is NULL, and its range, values under `least` counting as 0.
BODY forward_walk(
  ck_source source, ck_function function, const struct walk *w, float *y, float least, float *low,
  float *high) {
  sixteen lows = ALL(INFINITY), highs = ALL(-INFINITY);
  for (size_t first = 0; first < w->count; first += w->period) {
    for (size_t j = 0; j < w->period; j += 16) {
      size_t i = first + j;
      FETCH(w->a + i);
      if (source == ck_from_sum) FETCH(w->b + i);
      sixteen v = function_of(function, source_of(source, w, i, j));
      if (y) PUT(y + i, v);
      v = PICK(absolute(v) < least, ALL(0), v);
      lows = PICK(v < lows, v, lows);
      highs = PICK(v > highs, v, highs);
    }
  }
  for (int k = 0; k < 16; k++) {
    *low = lows[k] < *low ? lows[k] : *low;
    *high = highs[k] > *high ? highs[k] : *high;
  }
}

/// The grid of one sample: shiftwork_map_codes' numbers.
struct coding {
  float scale, inverse, zero, limit;
  // Whether a value is multiplied by the inverse instead of divided.
  int multiplies;
};

/// shiftwork_map_codes' value.
VECTOR coded(const struct coding *c, sixteen v) {
  v = PICK(absolute(v) < 1e-7f, ALL(0), v);
  sixteen p = (c->multiplies ? v * c->inverse : v / c->scale) + c->zero - 0.00001526f;
  sixteen half = (sixteen)(((masks)p & INT32_MIN) | 0x3f000000);  // copysign(0.5, p)
  sixteen z = __builtin_elementwise_trunc(p + half);
  z = PICK(z < -c->limit, ALL(-c->limit), z);
  z = PICK(z > c->limit, ALL(c->limit), z);
  return c->scale * (z - c->zero);
}

/// y = the value of function(source)'s code.
BODY coding_walk(
  ck_source source, ck_function function, const struct walk *w, const struct coding *coding,
  float *y, int streams) {
  struct coding c = *coding;
  for (size_t first = 0; first < w->count; first += w->period) {
    for (size_t j = 0; j < w->period; j += 16) {
      size_t i = first + j;
      sixteen v = coded(&c, function_of(function, source_of(source, w, i, j)));
      if (streams) STREAM(y + i, v);
      else PUT(y + i, v);
    }
  }
}

/// Where a gradient goes, and the sums over it and the period: of an affine source g,
/// g * (a - mean_a), g * (c - mean_c), of a product g * a.
struct way {
  float *da, *db;
  int da_adds, db_adds;
  const float *c, *mean_a, *mean_c;
  float *sum_g, *sum_ga, *sum_gc;
};

BODY send(float *target, size_t i, sixteen d, int adds) {
  if (!target) return;
  PUT(target + i, adds ? AT(target + i) + d : d);
}

/// The source's gradient from the result's; `with_a`, `with_c`: which sums are wanted beside the first.
/// Place by place of the period, so that sums stay in registers.
BODY backward_walk(
  ck_source source, ck_function function, const struct walk *w, const struct way *to,
  const float *g, float least, int with_a, int with_c) {
  int affine = source == ck_from_affine, product = source == ck_from_product;
  for (size_t j = 0; j < w->period; j += 16) {
    sixteen sum_g = {0}, sum_ga = {0}, sum_gc = {0}, mean_a = {0}, mean_c = {0};
    if (affine || product) sum_g = AT(to->sum_g + j);
    if (with_a) sum_ga = AT(to->sum_ga + j), mean_a = AT(to->mean_a + j);
    if (with_c) sum_gc = AT(to->sum_gc + j), mean_c = AT(to->mean_c + j);
    for (size_t i = j; i < w->count; i += w->period) {
      FETCH(w->a + i);
      FETCH(g + i);
      if (source == ck_from_sum) FETCH(w->b + i);
      if (with_a && with_c) FETCH(to->c + i);
      sixteen d = gradient_of(function, source_of(source, w, i, j), AT(g + i), least);
      if (affine) sum_g += d;
      if (with_a) sum_ga += d * (AT(w->a + i) - mean_a);
      if (with_c) sum_gc += d * (AT(to->c + i) - mean_c);
      if (source == ck_from_sum) send(to->db, i, d, to->db_adds);
      if (product) sum_g += d * AT(w->a + i), d = d * AT(w->factor + j);
      send(to->da, i, d, to->da_adds);
    }
    if (affine || product) PUT(to->sum_g + j, sum_g);
    if (with_a) PUT(to->sum_ga + j, sum_ga);
    if (with_c) PUT(to->sum_gc + j, sum_gc);
  }
}

// The switch from a chain's function to a loop that is made for it.
#define EACH_FUNCTION(function, call)       \
  switch (function) {                       \
    case ck_identity: call(ck_identity); break; \
    case ck_relu: call(ck_relu); break;     \
    case ck_relu6: call(ck_relu6); break;   \
    case ck_swish: call(ck_swish); break;   \
    case ck_sigmoid: call(ck_sigmoid); break; \
    case ck_dropout: break;                 \
  }
