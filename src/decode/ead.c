/* ead.c: the controller of entropy adaptive decoding, without models. */
#include <szilard/unstable/router.h>

/* False for NaN, too. */
static bool in_range(double x, double min, double max) {
    return x >= min && x <= max;
}

sz_status sz_ead_check(const sz_ead *e) {
    SZ_REQUIRE(e->tau_up >= 0.0, SZ_E_ARG, "ead: tau = %g nats is not a number from 0", e->tau_up);
    SZ_REQUIRE(in_range(e->tau_down, 0.0, e->tau_up), SZ_E_ARG,
               "ead: the lower tau = %g nats is not in 0 .. %g", e->tau_down, e->tau_up);
    SZ_REQUIRE(e->window >= 1 && e->window <= SZ_EAD_WINDOW_MAX, SZ_E_ARG,
               "ead: a window of %u tokens is not in 1 .. %d", e->window, SZ_EAD_WINDOW_MAX);
    SZ_REQUIRE(e->min_duration >= 1, SZ_E_ARG, "ead: the least duration is 1 token, not 0");
    return SZ_OK;
}

/* Summed anew each time, so that a long text has the same bits as its last tokens alone. */
static double rolling_mean(const sz_ead *e) {
    uint64_t n = e->n < e->window ? e->n : e->window;
    double sum = 0.0;
    for (uint64_t i = e->n - n; i < e->n; i++)
        sum += e->last[i % e->window];
    return sum / (double)n;
}

sz_status sz_ead_push(sz_ead *e, double entropy, double *mean) {
    SZ_REQUIRE(entropy >= 0.0 && entropy <= __DBL_MAX__, SZ_E_NAN,
               "ead: an entropy of %g nats: the model is broken", entropy);
    e->last[e->n++ % e->window] = entropy;
    e->since++;
    double now = rolling_mean(e);
    sz_router_role want = e->active;
    if (e->active == SZ_ROUTER_SMALL && now > e->tau_up)
        want = SZ_ROUTER_LARGE;
    if (e->active == SZ_ROUTER_LARGE && now <= e->tau_down)
        want = SZ_ROUTER_SMALL;
    if (want != e->active && (!e->changed || e->since >= e->min_duration)) {
        e->active = want;
        e->since = 0;
        e->changed = true;
    }
    if (mean)
        *mean = now;
    return SZ_OK;
}

sz_status sz_ead_saving(double large_fraction, double params_small, double params_large,
                        double *out) {
    SZ_REQUIRE(in_range(large_fraction, 0.0, 1.0), SZ_E_ARG,
               "ead: a fraction of %g by the large model is not in 0 .. 1", large_fraction);
    SZ_REQUIRE(in_range(params_small, 0.0, __DBL_MAX__) && params_large > 0.0 &&
                   params_large <= __DBL_MAX__,
               SZ_E_ARG, "ead: models of %g and %g parameters", params_small, params_large);
    double paid = large_fraction * params_large + (1.0 - large_fraction) * params_small;
    *out = 1.0 - paid / params_large;
    return SZ_OK;
}
