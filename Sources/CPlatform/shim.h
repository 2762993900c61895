// What the operating system and the processor offer and Swift can't import: inline only.
#pragma once
#include <cpuid.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process.h"
#include "processor.h"

// Declared by the C library only under _GNU_SOURCE, which the importer does not define.
int syncfs(int descriptor);
void *memmem(const void *bytes, size_t count, const void *sought, size_t sought_count);
