// What the operating system and the processor offer and Swift can't import: inline only.
#pragma once
#include <cpuid.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process.h"
#include "processor.h"

// Makes a thread's heap grow by megabytes: glibc asks the system for a few pages at a time otherwise,
// thousands of times for a thousand stages.
static inline void shiftwork_grow_heaps_in_steps(void) { mallopt(M_TOP_PAD, 4 << 20); }

// Declared by the C library only under _GNU_SOURCE, which the importer does not define.
int syncfs(int descriptor);

// Locks one byte of a file for what this descriptor was opened as. 0, or -1 with errno.
static inline int shiftwork_lock_byte(int descriptor, int64_t offset) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
  return fcntl(descriptor, 37 /* F_OFD_SETLK */, &lock);
}

void *memmem(const void *bytes, size_t count, const void *sought, size_t sought_count);
