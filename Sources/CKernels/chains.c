#pragma STDC FP_CONTRACT OFF
#include "chains.h"

#include "chain_segments.h"
#include "parallel.h"

// MARK: periods

static size_t divisor(size_t a, size_t b) {
  while (b) {
    size_t rest = a % b;
    a = b, b = rest;
  }
  return a;
}

size_t ck_period(size_t channels) {
  if (channels == 0) return 1;
  // Whole vectors of 16, where that is not too long.
  size_t whole = channels / divisor(channels, 16) * 16;
  size_t unit = whole <= chunk_values ? whole : channels;
  return unit < 64 ? unit * ((63 + unit) / unit) : unit;
}

void ck_repeat(const float *values, size_t channels, float *target) {
  size_t period = ck_period(channels);
  for (size_t first = 0; first < period; first += channels)
    memcpy(target + first, values, channels * sizeof *values);
}

// Scratch of a thread: a sample that is not kept, the results of all segments but the last, a gradient
// between segments, a chunk of sources, one of gradients, a sample's gate, float sums, double sums.
size_t ck_chain_scratch(const ck_chain *chain) {
  size_t between = chain->segment_count > 1 ? chain->segment_count * chain->elements : 0;
  return made_values(chain)
         + (between + 2 * chunk_of(chain) + 10 * chain->period + 15) / 16 * 16;
}

CLONES static void forward_share(void *context, size_t begin, size_t end, size_t thread) {
  const ck_chain *chain = context;
  struct scratch scratch = scratch_of(chain, thread);
  for (size_t sample = begin; sample < end; sample++) {
    const float *gate = gate_of(chain, &scratch, sample), *input = NULL;
    take_sample(chain, &scratch, sample, thread, 1);
    for (size_t index = 0; index < chain->segment_count; index++) {
      float *y = index + 1 == chain->segment_count ? chain->y + sample * chain->elements
                                                   : scratch.results + index * chain->elements;
      run_segment(chain, &scratch, index, gate, sample, input, y);
      input = y;
    }
  }
  if (chain->streams) STREAMED;
}

void ck_chain_forward(const ck_chain *chain) {
  ck_parallel(forward_share, (void *)chain, chain->samples, chain->samples * chain->elements);
}
