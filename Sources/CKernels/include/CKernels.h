// Elementwise and reduction loops that must vectorize. Everything here is deterministic and gives
// the same bits with every instruction set; `ck_reciprocal_root` says where the make of
// processor counts.
#pragma once
#include "audio.h"
#include "chains.h"
#include "channels.h"
#include "depthwise.h"
#include "integers.h"
#include "layers.h"
#include "optimizers.h"
#include "parallel.h"
#include "pointwise.h"
#include "products.h"
#include "quantizers.h"
#include "surrogate.h"
#include "winograd.h"
