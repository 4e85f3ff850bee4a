/* isa_portable.c: the kernels of one instruction set, compiled with its flags
 * (cmake/SzKernels.cmake). */
#include "kernels.h"

#include <stdlib.h>
#include <string.h>

#include "../fma.h"

/* One body serves all formats and widths: plain C is for being right, and compiled in seconds. */
#define ALWAYS_INLINE
#define LANES_GENERIC
#include "lanes_portable.h"

#include "body.h"

DEFINE_KERNELS(sz_kernels_portable);
