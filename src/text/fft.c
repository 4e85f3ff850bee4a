/* fft.c: the body once per type. */
#include "text/fft.h"

#include <szilard/unstable/num.h>

#define REAL    float
#define FFT     sz_fft32
#define NAME(x) sz_fft32_##x
#include "text/fft_body.h"

#undef REAL
#undef FFT
#undef NAME
#define REAL    double
#define FFT     sz_fft64
#define NAME(x) sz_fft64_##x
#include "text/fft_body.h"
