// Elementwise and reduction loops that must vectorize. Everything here is deterministic and gives
// the same bits on every processor.
#pragma once
#include "layers.h"
#include "quantizers.h"
