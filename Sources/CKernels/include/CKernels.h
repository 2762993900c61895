// Elementwise and reduction loops that must vectorize. Everything here is deterministic and gives
// the same bits with every instruction set; `ck_reciprocal_root` says where the make of
// processor counts.
#pragma once
#include "layers.h"
#include "quantizers.h"
