// The widest instruction set of oneDNN's that the processor has and the system saves registers for.
#pragma once
#include <cpuid.h>

// 0: SSE4.1 or less, 1: AVX2, 2: AVX-512 F, BW, VL, DQ.
static inline int shiftwork_instruction_set(void) {
  unsigned eax, ebx, ecx, edx;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) return 0;
  const unsigned osxsave = 1u << 27, avx = 1u << 28;
  if ((ecx & osxsave) == 0 || (ecx & avx) == 0) return 0;
  unsigned enabled, high;
  __asm__ volatile("xgetbv" : "=a"(enabled), "=d"(high) : "c"(0));
  if ((enabled & 0x06) != 0x06) return 0;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return 0;
  if ((ebx & (1u << 5)) == 0) return 0;
  const unsigned avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
  const int has_avx512 = (ebx & avx512) == avx512 && (enabled & 0xe6) == 0xe6;
  return has_avx512 ? 2 : 1;
}
