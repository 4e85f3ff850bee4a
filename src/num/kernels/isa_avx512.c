/* isa_avx512.c: the kernels of one instruction set, compiled with its flags
 * (cmake/SzKernels.cmake). */
#include "kernels.h"

#include <stdlib.h>
#include <string.h>

#include "../fma.h"

#define ALWAYS_INLINE __attribute__((always_inline))
#include "lanes_avx512.h"

#include "body.h"

DEFINE_KERNELS(sz_kernels_avx512);
