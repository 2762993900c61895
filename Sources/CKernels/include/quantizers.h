// Quantizer loops.
#pragma once
#include <stdint.h>
