#pragma once
#include <sndfile.h>

// Whether samples are 16-bit integers.
static inline int sw_sound_is_pcm16(const SF_INFO *info) {
  return (info->format & SF_FORMAT_SUBMASK) == SF_FORMAT_PCM_16;
}
