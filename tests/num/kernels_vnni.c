/* kernels_vnni.c: the source of the AVX-VNNI kernels, compiled for the dot instruction's older
 * encoding (AVX-512 VNNI with VL), so that machines without AVX-VNNI test it too. */
#define sz_kernels_avxvnni test_kernels_vnni
#include "num/kernels/isa_avxvnni.c"
