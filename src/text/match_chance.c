/* match_chance.c: how near a text comes to a pattern by chance, were its symbols drawn one by one.
 */
#include <szilard/unstable/num.h>

#include "text/match.h"

/* Least exponent of Chernoff's bound on the odds that at least `equal` places are equal, where the
 * place of code c is with probability p[c]: the minimum over tilt >= 0 of
 * sum of ln(1 + p (e^tilt - 1)) - tilt equal, which is convex in tilt. */
static double exponent(const sz_needle *n, const double *p, double tilt, double equal) {
    double sum = -tilt * equal, grown = sz_expm1(tilt);
    for (uint32_t c = 0; c < n->n_codes; c++)
        if (n->first[c + 1] > n->first[c])
            sum += (double)(n->first[c + 1] - n->first[c]) * sz_log1p(p[c] * grown);
    return sum;
}

static double least_exponent(const sz_needle *n, const double *p, double equal) {
    double low = 0, high = 40;
    for (int i = 0; i < 80; i++) { /* thirds of an interval that holds the minimum */
        double a = low + (high - low) / 3, b = high - (high - low) / 3;
        if (exponent(n, p, a, equal) < exponent(n, p, b, equal))
            high = b;
        else
            low = a;
    }
    double least = exponent(n, p, low, equal);
    return least < 0 ? least : 0;
}

static void chance(const sz_needle *n, const sz_symbols *text, uint32_t distance, double *p,
                   sz_match_chance *out) {
    double alignments = (double)(text->n - n->m + 1), expected = 0;
    for (size_t i = 0; i < text->n; i++) {
        uint32_t symbol = sz_symbol_at(text->data, text->width, i);
        p[text->width == 1 ? symbol : sz_needle_code(n, symbol)]++;
    }
    for (uint32_t c = 0; c < n->n_codes; c++) {
        p[c] /= (double)text->n;
        expected += (1 - p[c]) * (double)(n->first[c + 1] - n->first[c]);
    }
    double equal = (double)n->m - (double)distance, log_p = sz_log(alignments);
    log_p += least_exponent(n, p, equal);
    *out = (sz_match_chance){expected, log_p < 0 ? log_p : 0};
}

sz_status sz_match_by_chance(const sz_symbols *text, const sz_symbols *pattern, uint32_t distance,
                             sz_match_chance *out) {
    sz_needle n;
    SZ_TRY(sz_match_check_pattern(pattern));
    SZ_TRY(sz_match_check_text(text, pattern->width));
    SZ_REQUIRE(text->n >= pattern->n, SZ_E_ARG, "a pattern of %zu symbols in a text of %zu",
               pattern->n, text->n);
    SZ_REQUIRE(distance <= pattern->n, SZ_E_ARG, "distance %u of a pattern of %zu symbols",
               distance, pattern->n);
    SZ_TRY(sz_needle_new(pattern, false, 0, &n));
    double *p = sz_calloc((size_t)n.n_codes + 1, sizeof *p);
    sz_status status = p ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for %u symbols", n.n_codes);
    if (p)
        chance(&n, text, distance, p, out);
    sz_free(p);
    sz_needle_free(&n);
    return status;
}
