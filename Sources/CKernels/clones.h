// How a kernel is compiled once per instruction set.
#pragma once

#define BODY static inline __attribute__((always_inline)) void
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#define SHIFTWORK_DEFINE(name, parameters, arguments)                                     \
  CLONES void name parameters { name##_body arguments; }                                  \
  void name##_default parameters { name##_body arguments; }                               \
  __attribute__((target("avx2"))) void name##_avx2 parameters { name##_body arguments; }  \
  __attribute__((target("avx512f"))) void name##_avx512f parameters { name##_body arguments; }

// For loops where x == y is allowed: no iteration reads what another wrote.
#define EACH _Pragma("clang loop vectorize(assume_safety)")
