#pragma STDC FP_CONTRACT OFF
#include "quantizers.h"
