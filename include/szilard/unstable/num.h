/* num.h: elementary functions that give the same bits everywhere, and the choice of kernels. */
#ifndef SZILARD_NUM_H
#define SZILARD_NUM_H

#include <szilard/unstable/base.h>
#include <szilard/unstable/tensor_type.h>

/* Double-precision elementary functions: plain IEEE arithmetic, no libm. Largest errors, measured
 * over every float and many doubles (tests/num/test_math_long.c): 1 ulp for exp (normal results)
 * and log (x > 0), 2.5 ulp and 2e-16 for sine and cosine, |x| <= 2^27, the domain of rope angles.
 * exp: 0 below -745.2, infinity above 709.8; log(0) = -infinity, log(negative) = NaN. */
SZ_API double sz_exp(double x);
SZ_API double sz_log(double x);
SZ_API void sz_sincos(double x, double *sine, double *cosine);
/* x^y for x > 0, as exp(y log x): within 2 + 2 |y log x| ulp. */
SZ_API double sz_pow(double x, double y);
/* exp(x) - 1 and ln(1 + x) without cancellation near 0, within 4 and 3 ulp. */
SZ_API double sz_expm1(double x);
SZ_API double sz_log1p(double x);

/* Eigenvalues of a symmetric matrix a [n][n] (its lower triangle; destroyed), in rising order, and
 * with `vectors` the orthonormal eigenvectors as the rows of a. Householder reduction, implicit QL;
 * 4/3 n^3 operations for values alone. SZ_E_NAN: not finite or not converged. */
SZ_API sz_status sz_eigen_symmetric(double *a, size_t n, bool vectors, double *values);

/* Names of the instruction sets that this build and this processor have, best first, NULL-ended. */
SZ_API const char *const *sz_isa_available(void);
/* Products computed so far by this process with the kernels of `isa`: shows which ones ran. */
SZ_API uint64_t sz_isa_products(const char *isa);

#endif
