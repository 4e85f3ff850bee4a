/* weights.c: figures of weights that are given by their logarithms. */
#include <math.h>
#include <szilard/unstable/bayes.h>
#include <szilard/unstable/num.h>

static sz_status largest(const double *log_weights, size_t n, double *out) {
    *out = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        SZ_REQUIRE(log_weights[i] < INFINITY, SZ_E_NAN, "log weight %zu is %g", i, log_weights[i]);
        *out = log_weights[i] > *out ? log_weights[i] : *out;
    }
    return SZ_OK;
}

/* Everything is made from differences to the largest: weights may be far below what a double holds.
 */
sz_status sz_weights_measure(const double *log_weights, size_t n, double *shares,
                             sz_weight_figures *out) {
    double max, sum = 0.0, squares = 0.0, mean = 0.0;
    SZ_REQUIRE(log_weights && out && n > 0, SZ_E_ARG, "there are no weights to measure");
    SZ_TRY(largest(log_weights, n, &max));
    for (size_t i = 0; i < n; i++) {
        double d = log_weights[i] - max, w = max == -INFINITY ? 0.0 : sz_exp(d);
        sum += w;
        squares += w * w;
        mean += w > 0.0 ? w * d : 0.0;
        if (shares)
            shares[i] = w;
    }
    if (max == -INFINITY) {
        *out = (sz_weight_figures){.log_sum = -INFINITY, .log_mean = -INFINITY};
        return SZ_OK;
    }
    double log_sum = sz_log(sum), h = log_sum - mean / sum;
    for (size_t i = 0; shares && i < n; i++)
        shares[i] /= sum;
    *out = (sz_weight_figures){.log_sum = max + log_sum,
                               .log_mean = max + (log_sum - sz_log((double)n)),
                               .ess = sum * sum / squares,
                               .entropy = h > 0.0 ? h : 0.0};
    return SZ_OK;
}
