/* fft.h: complex transforms of powers of two for convolutions, in float and in double.
 *
 * Frequencies come in the order that the radix-4 steps leave them in, and the inverse takes them in
 * the same: products point by point need no other. Real and imaginary parts are arrays of their
 * own, so that plain loops become vectors. */
#ifndef SZ_TEXT_FFT_H
#define SZ_TEXT_FFT_H

#include <szilard/unstable/base.h>

typedef struct sz_fft32 {
    size_t n;     /* a power of two, >= 4 */
    float *twist; /* factors of the steps, from the widest */
} sz_fft32;
typedef struct sz_fft64 {
    size_t n;
    double *twist;
} sz_fft64;

sz_status sz_fft32_new(size_t n, sz_fft32 *out);
sz_status sz_fft64_new(size_t n, sz_fft64 *out);
void sz_fft32_free(sz_fft32 *t);
void sz_fft64_free(sz_fft64 *t);
void sz_fft32_forward(const sz_fft32 *t, float *re, float *im);
void sz_fft64_forward(const sz_fft64 *t, double *re, double *im);
/* n times the inverse. */
void sz_fft32_inverse(const sz_fft32 *t, float *re, float *im);
void sz_fft64_inverse(const sz_fft64 *t, double *re, double *im);

#endif
