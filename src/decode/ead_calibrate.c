/* ead_calibrate.c: the threshold at which the large model writes a wanted share of a text. */
#include <szilard/unstable/router.h>

#include <stdlib.h>

enum { STEPS = 40 };

sz_status sz_ead_simulate(const sz_ead *controller, const double *entropy_small,
                          const double *entropy_large, size_t n, bool small_signal, uint8_t *large,
                          double *fraction) {
    sz_ead e = *controller;
    size_t n_large = 0;
    SZ_TRY(sz_ead_check(&e));
    SZ_REQUIRE(entropy_small && entropy_large && n > 0, SZ_E_ARG, "ead: no entropies");
    for (size_t i = 0; i < n; i++) {
        bool writes = e.active == SZ_ROUTER_LARGE;
        if (large)
            large[i] = writes;
        n_large += writes;
        bool watch_large = writes && !small_signal;
        SZ_TRY(sz_ead_push(&e, watch_large ? entropy_large[i] : entropy_small[i], NULL));
    }
    *fraction = (double)n_large / (double)n;
    return SZ_OK;
}

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* First order: the (1 - target) quantile of the small model's rolling entropy. *most: its largest
 * value, at which the small model writes all. */
static sz_status quantile(const sz_ead *e, const double *small, size_t n, double target,
                          double *tau, double *most) {
    sz_ead watcher = {.window = e->window, .min_duration = 1};
    double *rolling = sz_alloc(n * sizeof *rolling);
    SZ_REQUIRE(rolling, SZ_E_NOMEM, "no memory for %zu entropies", n);
    sz_status status = SZ_OK;
    for (size_t i = 0; i < n && status == SZ_OK; i++)
        status = sz_ead_push(&watcher, small[i], &rolling[i]);
    if (status == SZ_OK) {
        qsort(rolling, n, sizeof *rolling, rising);
        size_t at = (size_t)((1.0 - target) * (double)n);
        *tau = rolling[at < n ? at : n - 1];
        *most = rolling[n - 1];
    }
    sz_free(rolling);
    return status;
}

static void set_tau(sz_ead *e, double tau, double hysteresis) {
    e->tau_up = tau;
    e->tau_down = tau * hysteresis;
}

/* Bisection: the share falls as the threshold rises, if not everywhere; the nearest share wins. */
sz_status sz_ead_calibrate(sz_ead *e, const double *entropy_small, const double *entropy_large,
                           size_t n, bool small_signal, double target, double *fraction) {
    SZ_REQUIRE(target >= 0.0 && target <= 1.0, SZ_E_ARG,
               "ead: a wanted share of %g by the large model is not in 0 .. 1", target);
    SZ_REQUIRE(entropy_small && entropy_large && n > 0, SZ_E_ARG, "ead: no entropies");
    SZ_TRY(sz_ead_check(e));
    double hysteresis = e->tau_up > 0.0 ? e->tau_down / e->tau_up : 1.0;
    double tau, low = 0.0, high, best = 2.0;
    sz_ead trial = *e;
    SZ_TRY(quantile(e, entropy_small, n, target, &tau, &high));
    for (int i = 0; i < STEPS; i++) {
        double share;
        set_tau(&trial, tau, hysteresis);
        SZ_TRY(
            sz_ead_simulate(&trial, entropy_small, entropy_large, n, small_signal, NULL, &share));
        double off = share > target ? share - target : target - share;
        if (off < best) {
            best = off;
            *fraction = share;
            set_tau(e, tau, hysteresis);
        }
        *(share > target ? &low : &high) = tau;
        tau = (low + high) / 2;
    }
    return SZ_OK;
}
