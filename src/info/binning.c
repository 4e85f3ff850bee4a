/* binning.c: real columns as discrete codes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/info.h>
#include <szilard/unstable/num.h>

enum { MAX_BINS = 1 << 20 };

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Quantile of sorted values, interpolated. */
static double quantile(const double *sorted, size_t n, double q) {
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;
    return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

static void bin_widths(const double *x, size_t n, double low, double high, uint32_t bins,
                       uint32_t *codes) {
    for (size_t i = 0; i < n; i++) {
        double at = high > low ? (x[i] - low) / (high - low) * (double)bins : 0;
        codes[i] = at >= (double)bins ? bins - 1 : (uint32_t)at;
    }
}

/* A value's code is that of the first of its equals: the rank of that one, times bins, over n. */
static void bin_ranks(const double *x, const double *sorted, size_t n, uint32_t bins,
                      uint32_t *codes) {
    for (size_t i = 0; i < n; i++) {
        size_t low = 0, high = n;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (sorted[middle] < x[i])
                low = middle + 1;
            else
                high = middle;
        }
        codes[i] = (uint32_t)((uint64_t)low * bins / n);
    }
}

static uint32_t freedman_diaconis(const double *sorted, size_t n) {
    double spread = quantile(sorted, n, 0.75) - quantile(sorted, n, 0.25);
    double width = 2.0 * spread / sz_exp(sz_log((double)n) / 3.0);
    double range = sorted[n - 1] - sorted[0];
    if (!(width > 0) || !(range > 0))
        return range > 0 ? 2 : 1;
    double bins = ceil(range / width);
    return bins >= MAX_BINS ? MAX_BINS : (uint32_t)bins;
}

sz_status sz_bin(const double *x, size_t n, sz_binning rule, uint32_t bins, uint32_t *codes,
                 uint32_t *used) {
    SZ_REQUIRE(n >= 1, SZ_E_ARG, "no values to bin");
    SZ_REQUIRE(rule == SZ_BIN_FREEDMAN_DIACONIS || (bins >= 1 && bins <= MAX_BINS), SZ_E_ARG,
               "the number of bins is %u, not in 1 .. %d", bins, MAX_BINS);
    for (size_t i = 0; i < n; i++)
        SZ_REQUIRE(x[i] - x[i] == 0, SZ_E_NAN, "value %zu is not a finite number", i);
    double *sorted = sz_alloc(n * sizeof *sorted);
    SZ_REQUIRE(sorted, SZ_E_NOMEM, "no memory for %zu values", n);
    memcpy(sorted, x, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    if (rule == SZ_BIN_FREEDMAN_DIACONIS)
        bins = freedman_diaconis(sorted, n);
    if (sorted[0] == sorted[n - 1])
        bins = 1;
    if (rule == SZ_BIN_FREQUENCY)
        bin_ranks(x, sorted, n, bins, codes);
    else
        bin_widths(x, n, sorted[0], sorted[n - 1], bins, codes);
    sz_free(sorted);
    *used = bins;
    return SZ_OK;
}
