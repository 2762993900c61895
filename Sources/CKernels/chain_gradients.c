#pragma STDC FP_CONTRACT OFF
#include "chain_segments.h"
#include "chains.h"
#include "parallel.h"

// Periods that a float partial sum covers before it goes into the double one.
enum { block_periods = 64 };

/// out = g * function'(u), 0 where the result counts as 0 for the quantizer; out may be g.
BODY differentiate(
  const ck_segment *segment, const float *u, const float *g, float *out, size_t count,
  size_t place) {
  float least = stops_tiny(segment) ? tiny : 0;
  switch (segment->function) {
    case ck_identity:
      EACH for (size_t i = 0; i < count; i++) out[i] = fabsf(u[i]) < least ? 0 : g[i];
      break;
    case ck_relu:
      EACH for (size_t i = 0; i < count; i++) out[i] = u[i] > 0 && u[i] >= least ? g[i] : 0;
      break;
    case ck_relu6:
      EACH for (size_t i = 0; i < count; i++)
        out[i] = u[i] > 0 && u[i] >= least && u[i] < 6 ? g[i] : 0;
      break;
    case ck_swish:
      EACH for (size_t i = 0; i < count; i++) {
        float s = sigmoid(u[i]);
        float d = g[i] * (s * (1 + u[i] * (1 - s)));
        out[i] = fabsf(u[i] * s) < least ? 0 : d;
      }
      break;
    case ck_sigmoid:
      EACH for (size_t i = 0; i < count; i++) {
        float s = sigmoid(u[i]);
        out[i] = s < least ? 0 : g[i] * (s * (1 - s));
      }
      break;
    case ck_dropout: {
      uint32_t bar = bar_of(segment);
      uint64_t key = *segment->key;
      float factor = 1 / (1 - segment->rate);
      EACH for (size_t i = 0; i < count; i++) {
        int kept = keeps((uint32_t)(place + i), key, bar) && !(fabsf(u[i] * factor) < least);
        out[i] = kept ? g[i] * factor : 0;
      }
      break;
    }
  }
}

struct backward {
  const ck_chain *chain;
  const ck_chain_gradient *gradient;
};

// Groups of samples that have sums of their own, whatever the number of threads.
enum { most_groups = 16 };

static size_t groups_of(const ck_chain *chain) {
  return chain->samples < most_groups ? chain->samples : most_groups;
}

static size_t first_sample(const ck_chain *chain, size_t group) {
  return group * chain->samples / groups_of(chain);
}

size_t ck_chain_partial_sums(const ck_chain *chain) {
  return 3 * groups_of(chain) * chain->channels;
}

BODY put(const float *values, float *target, size_t count, int adds) {
  if (adds) {
    EACH for (size_t i = 0; i < count; i++) target[i] += values[i];
  } else if (target != values) {
    memcpy(target, values, count * sizeof *target);
  }
}

/// Adds a chunk's sums to the float partial sums, period by period.
BODY add_sums(
  const ck_chain *chain, const ck_chain_gradient *gradient, const float *a, const float *c,
  const float *g, size_t count, float *sums) {
  size_t period = chain->period;
  float *sum_g = sums, *sum_ga = sums + period, *sum_gc = sums + 2 * period;
  const float *mean_a = gradient->mean_a, *mean_c = gradient->mean_c;
  for (size_t first = 0; first < count; first += period) {
    size_t n = count - first < period ? count - first : period;
    if (a == c) {
      EACH for (size_t j = 0; j < n; j++) {
        sum_g[j] += g[first + j];
        sum_gc[j] += g[first + j] * (c[first + j] - mean_c[j]);
      }
    } else if (!c) {
      EACH for (size_t j = 0; j < n; j++) {
        sum_g[j] += g[first + j];
        sum_ga[j] += g[first + j] * (a[first + j] - mean_a[j]);
      }
    } else {
      EACH for (size_t j = 0; j < n; j++) {
        sum_g[j] += g[first + j];
        sum_ga[j] += g[first + j] * (a[first + j] - mean_a[j]);
        sum_gc[j] += g[first + j] * (c[first + j] - mean_c[j]);
      }
    }
  }
}

/// Moves the float partial sums into the double ones.
BODY flush(float *sums, double *totals, size_t count) {
  EACH for (size_t j = 0; j < count; j++) totals[j] += sums[j];
  memset(sums, 0, count * sizeof *sums);
}

BODY walk_backward(
  ck_source source, ck_function function, const struct walk *walk, const struct way *way,
  const float *g, float least, int with_a, int with_c) {
#define CALL(f) backward_walk(source, f, walk, way, g, least, with_a, with_c)
  EACH_FUNCTION(function, CALL)
#undef CALL
}

/// The gradient at the source of `count` values of one sample, by whole vectors.
BODY finish_vectors(
  const struct backward *pass, const struct scratch *scratch, const float *gate, size_t sample,
  size_t at, size_t count, const float *g) {
  const ck_chain *chain = pass->chain;
  const ck_chain_gradient *gradient = pass->gradient;
  size_t start = sample * chain->elements + at, period = chain->period;
  ck_function function = chain->segments->function;
  float least = stops_tiny(chain->segments) ? tiny : 0;
  struct walk walk = walk_of(chain, scratch, gate, sample, NULL, at, count);
  struct way way = {
    .da = gradient->da ? gradient->da + start : NULL,
    .db = gradient->db && chain->source == ck_from_sum ? gradient->db + start : NULL,
    .da_adds = gradient->da_adds,
    .db_adds = gradient->db_adds,
    .c = gradient->c ? gradient->c + start : NULL,
    .mean_a = gradient->mean_a,
    .mean_c = gradient->mean_c,
    .sum_g = scratch->sums,
    .sum_ga = scratch->sums + period,
    .sum_gc = scratch->sums + 2 * period,
  };
  switch (chain->source) {
    case ck_from_map:
      walk_backward(ck_from_map, function, &walk, &way, g, least, 0, 0);
      break;
    case ck_from_affine:
      if (!way.c) walk_backward(ck_from_affine, function, &walk, &way, g, least, 1, 0);
      else if (way.c == walk.a) walk_backward(ck_from_affine, function, &walk, &way, g, least, 0, 1);
      else walk_backward(ck_from_affine, function, &walk, &way, g, least, 1, 1);
      break;
    case ck_from_sum:
      walk_backward(ck_from_sum, function, &walk, &way, g, least, 0, 0);
      break;
    case ck_from_product:
      walk_backward(ck_from_product, function, &walk, &way, g, least, 0, 0);
      break;
  }
}

/// The same by plain loops, for at most a chunk.
BODY finish_chunk(
  const struct backward *pass, const struct scratch *scratch, const float *gate, size_t sample,
  size_t at, size_t count, const float *g) {
  const ck_chain *chain = pass->chain;
  const ck_chain_gradient *gradient = pass->gradient;
  size_t period = chain->period, start = sample * chain->elements + at;
  evaluate(chain, scratch, gate, sample, at, count, scratch->u);
  differentiate(chain->segments, scratch->u, g, scratch->g, count, start);
  if (chain->source == ck_from_affine)
    add_sums(
      chain, gradient, scratch->a + at, gradient->c ? gradient->c + start : NULL, scratch->g, count,
      scratch->sums);
  if (chain->source == ck_from_sum && gradient->db)
    put(scratch->g, gradient->db + start, count, gradient->db_adds);
  if (chain->source == ck_from_product) {
    const float *a = scratch->a + at;
    for (size_t first = 0; first < count; first += period) {
      size_t n = count - first < period ? count - first : period;
      EACH for (size_t j = 0; j < n; j++) {
        scratch->sums[j] += scratch->g[first + j] * a[first + j];
        scratch->g[first + j] *= gate[j];
      }
    }
  }
  if (gradient->da) put(scratch->g, gradient->da + start, count, gradient->da_adds);
}

/// The gradient at the source of one sample, sent where it belongs. `g` is the one of the first
/// segment's result; `partial` takes an affine source's sums.
BODY finish_sample(
  const struct backward *pass, const struct scratch *scratch, const float *gate, size_t sample,
  const float *g, double *partial) {
  const ck_chain *chain = pass->chain;
  const ck_chain_gradient *gradient = pass->gradient;
  size_t chunk = chunk_of(chain), elements = chain->elements, period = chain->period;
  size_t channels = chain->channels;
  int gates = chain->source == ck_from_product && gradient->db;
  int affine = chain->source == ck_from_affine;
  memset(scratch->sums, 0, 3 * period * sizeof(float));
  // Sums that need not go into doubles on the way, nor be joined over the period.
  int plain = affine && period == channels && elements <= block_periods * period;
  if (!plain) memset(scratch->totals, 0, 3 * period * sizeof(double));
  size_t periods = 0, whole = walked(chain, chain->source, chain->segments->function);
  for (size_t at = 0; at < elements; at += chunk) {
    size_t count = elements - at < chunk ? elements - at : chunk;
    size_t vectors = at >= whole ? 0 : whole - at < count ? whole - at : count;
    // A chunk of maps and sums need not be whole vectors: the period of some channels is not.
    vectors -= vectors % 16;
    if (vectors) finish_vectors(pass, scratch, gate, sample, at, vectors, g + at);
    if (vectors < count)
      finish_chunk(pass, scratch, gate, sample, at + vectors, count - vectors, g + at + vectors);
    periods += chunk / period;
    if ((affine || gates) && periods >= block_periods && !plain) {
      flush(scratch->sums, scratch->totals, 3 * period);
      periods = 0;
    }
  }
  if (plain) {
    EACH for (size_t j = 0; j < 3 * channels; j++) partial[j] += scratch->sums[j];
    return;
  }
  if (affine || gates) flush(scratch->sums, scratch->totals, 3 * period);
  if (affine)
    for (size_t k = 0; k < 3; k++)
      for (size_t first = 0; first < period; first += channels)
        EACH for (size_t j = 0; j < channels; j++)
          partial[k * channels + j] += scratch->totals[k * period + first + j];
  if (gates) {
    float *db = gradient->db + sample * channels;
    for (size_t j = 0; j < channels; j++) {
      double sum = 0;
      for (size_t i = j; i < period; i += channels) sum += scratch->totals[i];
      db[j] = (gradient->db_adds ? db[j] : 0) + (float)sum;
    }
  }
}

BODY backward_sample(
  const struct backward *pass, const struct scratch *scratch, size_t sample, double *partial) {
  const ck_chain *chain = pass->chain;
  size_t elements = chain->elements, last = chain->segment_count - 1;
  const float *gate = gate_of(chain, scratch, sample), *input = NULL;
  for (size_t index = 0; index < last; index++) {
    float *y = scratch->results + index * elements;
    run_segment(chain, scratch, index, gate, sample, input, y);
    input = y;
  }
  const float *g = pass->gradient->g + sample * elements;
  for (size_t index = last; index > 0; index--) {
    differentiate(
      chain->segments + index, scratch->results + (index - 1) * elements, g, scratch->between,
      elements, sample * elements);
    g = scratch->between;
  }
  finish_sample(pass, scratch, gate, sample, g, partial);
}

// A unit is a group of samples.
CLONES static void backward_share(void *context, size_t begin, size_t end, size_t thread) {
  const struct backward *pass = context;
  const ck_chain *chain = pass->chain;
  struct scratch scratch = scratch_of(chain, thread);
  for (size_t group = begin; group < end; group++) {
    double *partial = NULL;
    if (chain->source == ck_from_affine) {
      partial = pass->gradient->partial_sums + group * 3 * chain->channels;
      memset(partial, 0, 3 * chain->channels * sizeof *partial);
    }
    for (size_t i = first_sample(chain, group); i < first_sample(chain, group + 1); i++) {
      take_sample(chain, &scratch, i, thread, 0);
      backward_sample(pass, &scratch, i, partial);
    }
  }
}

// Channels of a unit of the joining.
enum { join_channels = 64 };

// Group by group, whoever computed them.
CLONES static void join_share(void *context, size_t begin, size_t end, size_t thread) {
  const struct backward *pass = context;
  const ck_chain_gradient *gradient = pass->gradient;
  size_t channels = pass->chain->channels, groups = groups_of(pass->chain);
  double *targets[3] = {gradient->sum_g, gradient->sum_ga, gradient->sum_gc};
  for (size_t unit = begin; unit < end; unit++) {
    size_t first = unit * join_channels;
    size_t n = channels - first < join_channels ? channels - first : join_channels;
    for (size_t k = 0; k < 3; k++) {
      double sums[join_channels] = {0};
      for (size_t group = 0; group < groups; group++) {
        const double *partial = gradient->partial_sums + (group * 3 + k) * channels + first;
        EACH for (size_t j = 0; j < n; j++) sums[j] += partial[j];
      }
      memcpy(targets[k] + first, sums, n * sizeof *sums);
    }
  }
}

void ck_chain_backward(const ck_chain *chain, const ck_chain_gradient *gradient) {
  struct backward pass = {chain, gradient};
  ck_parallel(backward_share, &pass, groups_of(chain), chain->samples * chain->elements);
  if (chain->source != ck_from_affine) return;
  ck_parallel(
    join_share, &pass, (chain->channels + join_channels - 1) / join_channels,
    ck_chain_partial_sums(chain));
}
