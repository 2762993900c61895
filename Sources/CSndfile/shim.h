#pragma once
#include <sndfile.h>
#include <string.h>

// A file's bytes, as libsndfile's virtual file. They must outlive the handle.
typedef struct {
  const unsigned char *bytes;
  sf_count_t count;
  sf_count_t position;
} sw_sound_bytes;

static inline sf_count_t sw_sound_length(void *data) { return ((sw_sound_bytes *)data)->count; }

static inline sf_count_t sw_sound_tell(void *data) { return ((sw_sound_bytes *)data)->position; }

static inline sf_count_t sw_sound_seek(sf_count_t offset, int whence, void *data) {
  sw_sound_bytes *file = (sw_sound_bytes *)data;
  sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file->position : file->count;
  if (offset < -base || offset > file->count - base) return -1;
  return file->position = base + offset;
}

static inline sf_count_t sw_sound_read(void *target, sf_count_t count, void *data) {
  sw_sound_bytes *file = (sw_sound_bytes *)data;
  sf_count_t left = file->count - file->position;
  if (count > left) count = left;
  if (count <= 0) return 0;
  memcpy(target, file->bytes + file->position, (size_t)count);
  file->position += count;
  return count;
}

static inline sf_count_t sw_sound_write(const void *source, sf_count_t count, void *data) {
  (void)source, (void)count, (void)data;
  return 0;
}

// Opens for reading.
static inline SNDFILE *sw_sound_open(sw_sound_bytes *file, SF_INFO *info) {
  SF_VIRTUAL_IO io = {
    sw_sound_length, sw_sound_seek, sw_sound_read, sw_sound_write, sw_sound_tell};
  return sf_open_virtual(&io, SFM_READ, info, file);
}

// Whether samples are 16-bit integers.
static inline int sw_sound_is_pcm16(const SF_INFO *info) {
  return (info->format & SF_FORMAT_SUBMASK) == SF_FORMAT_PCM_16;
}
