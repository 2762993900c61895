// What the operating system and the processor offer and Swift can't import: inline only.
#pragma once
#include <cpuid.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "processor.h"
