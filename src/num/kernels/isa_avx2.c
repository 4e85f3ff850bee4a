/* isa_avx2.c: the kernels of one instruction set, compiled with its flags (cmake/SzKernels.cmake).
 */
#include "kernels.h"

#include <stdlib.h>
#include <string.h>

#include "../fma.h"

#define ALWAYS_INLINE __attribute__((always_inline))
#define LANES_ISA     "avx2"
#include "lanes_avx2.h"

#include "body.h"

DEFINE_KERNELS(sz_kernels_avx2);
