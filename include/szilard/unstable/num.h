/* num.h: elementary functions that give the same bits everywhere, and the choice of kernels. */
#ifndef SZILARD_NUM_H
#define SZILARD_NUM_H

#include <szilard/unstable/base.h>
#include <szilard/unstable/tensor_type.h>

/* Double-precision elementary functions: plain IEEE arithmetic, no libm. Errors below 1 ulp for
 * exp (result normal) and log (x > 0), and absolute errors below 2e-16 for sincos, |x| <= 2^27.
 * exp: 0 below -745.2, infinity above 709.8; log(0) = -infinity, log(negative) = NaN. */
SZ_API double sz_exp(double x);
SZ_API double sz_log(double x);
SZ_API void sz_sincos(double x, double *sine, double *cosine);
/* x^y for x > 0, as exp(y log x). */
SZ_API double sz_pow(double x, double y);

/* Names of the instruction sets that this build and this processor have, best first, NULL-ended. */
SZ_API const char *const *sz_isa_available(void);
/* Products computed so far by this process with the kernels of `isa`: shows which ones ran. */
SZ_API uint64_t sz_isa_products(const char *isa);

#endif
