/* isa_avxvnni.c: the kernels of AVX2 with the 256-bit dot instruction of AVX-VNNI. */
#include "kernels.h"

#include <stdlib.h>
#include <string.h>

#include "../fma.h"

#define ALWAYS_INLINE __attribute__((always_inline))
#define LANES_ISA     "avxvnni"
#include "lanes_avx2.h"

#include "body.h"

DEFINE_KERNELS(sz_kernels_avxvnni);
