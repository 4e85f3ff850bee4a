/* resample.c: which particles go on, and how often. */
#include <szilard/unstable/bayes.h>

const char *const sz_resampling_names[] = {"systematic", "stratified", "multinomial", "residual",
                                           NULL};

/* Cumulative weights. Only those below `n` can be taken: the last one has a weight, so that
 * rounding at the end of [0, 1) never finds a particle that has none. */
typedef struct ladder {
    double *up_to; /* [n] */
    size_t n;
    double total;
} ladder;

static void climb(const double *weights, size_t n, ladder *l) {
    l->n = 0;
    l->total = 0.0;
    for (size_t i = 0; i < n; i++) {
        l->up_to[i] = l->total += weights[i];
        if (weights[i] > 0.0)
            l->n = i + 1;
    }
}

/* The first rung above the point, from `from` on. */
static size_t walk(const ladder *l, double point, size_t from) {
    while (from + 1 < l->n && !(l->up_to[from] > point * l->total))
        from++;
    return from;
}

static size_t search(const ladder *l, double point) {
    size_t low = 0, high = l->n - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (l->up_to[middle] > point * l->total)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void by_points(const ladder *l, sz_resampling scheme, const double *u, uint32_t *ancestors,
                      size_t n_out) {
    size_t at = 0;
    for (size_t k = 0; k < n_out; k++) {
        double within = u[scheme == SZ_RESAMPLE_STRATIFIED ? k : 0];
        if (scheme == SZ_RESAMPLE_MULTINOMIAL)
            at = search(l, u[k]);
        else
            at = walk(l, ((double)k + within) / (double)n_out, at);
        ancestors[k] = (uint32_t)at;
    }
}

/* A whole number of copies that rounding missed by a hair is that number. */
static size_t whole_copies(double expected) {
    return (size_t)(expected + 1e-12);
}

/* Copies first; what is left of each weight stays in the shares for the points that remain. */
static void by_residuals(double *shares, size_t n, ladder *l, const double *u, uint32_t *ancestors,
                         size_t n_out) {
    size_t made = 0;
    for (size_t i = 0; i < n; i++) {
        double expected = shares[i] * (double)n_out;
        size_t copies = whole_copies(expected);
        shares[i] = expected > (double)copies ? expected - (double)copies : 0.0;
        while (copies-- > 0 && made < n_out)
            ancestors[made++] = (uint32_t)i;
    }
    climb(shares, n, l);
    for (size_t k = 0; made < n_out; k++)
        ancestors[made++] = (uint32_t)search(l, u[k]);
}

/* Uniforms that a scheme may need. */
static size_t uses(sz_resampling scheme, size_t n_out) {
    return scheme == SZ_RESAMPLE_SYSTEMATIC ? 1 : n_out;
}

static sz_status check(sz_resampling scheme, size_t n, const double *uniforms, size_t n_out) {
    SZ_REQUIRE((unsigned)scheme <= SZ_RESAMPLE_RESIDUAL, SZ_E_ARG, "unknown resampling scheme %d",
               (int)scheme);
    SZ_REQUIRE(n > 0 && n <= SZ_PARTICLES_MAX && n_out > 0 && n_out <= SZ_PARTICLES_MAX, SZ_E_ARG,
               "resampling %zu particles to %zu: both are from 1 to %d", n, n_out,
               SZ_PARTICLES_MAX);
    for (size_t i = 0; i < uses(scheme, n_out); i++)
        SZ_REQUIRE(uniforms[i] >= 0.0 && uniforms[i] < 1.0, SZ_E_ARG,
                   "uniform %zu is %g, not in [0, 1)", i, uniforms[i]);
    return SZ_OK;
}

sz_status sz_resample_with(sz_resampling scheme, const double *log_weights, size_t n,
                           const double *uniforms, uint32_t *ancestors, size_t n_out) {
    sz_weight_figures f;
    SZ_REQUIRE(log_weights && uniforms && ancestors, SZ_E_ARG, "sz_resample: a NULL argument");
    SZ_TRY(check(scheme, n, uniforms, n_out));
    double *shares = sz_alloc(2 * n * sizeof *shares);
    SZ_REQUIRE(shares, SZ_E_NOMEM, "no memory to resample %zu particles", n);
    ladder l = {.up_to = shares + n};
    sz_status status = sz_weights_measure(log_weights, n, shares, &f);
    if (status == SZ_OK && !(f.ess > 0.0))
        status = sz_fail(SZ_E_STATE, "all %zu weights are zero: there is nothing to resample", n);
    if (status == SZ_OK && scheme == SZ_RESAMPLE_RESIDUAL) {
        by_residuals(shares, n, &l, uniforms, ancestors, n_out);
    } else if (status == SZ_OK) {
        climb(shares, n, &l);
        by_points(&l, scheme, uniforms, ancestors, n_out);
    }
    sz_free(shares);
    return status;
}

sz_status sz_resample(sz_resampling scheme, const double *log_weights, size_t n, uint64_t seed,
                      uint64_t stream, uint64_t step, uint32_t *ancestors, size_t n_out) {
    SZ_REQUIRE(n_out > 0 && n_out <= SZ_PARTICLES_MAX, SZ_E_ARG,
               "resampling to %zu particles: from 1 to %d", n_out, SZ_PARTICLES_MAX);
    size_t n_used = uses(scheme, n_out);
    double *u = sz_alloc(n_used * sizeof *u);
    SZ_REQUIRE(u, SZ_E_NOMEM, "no memory to resample to %zu particles", n_out);
    for (size_t i = 0; i < n_used; i++)
        u[i] = sz_uniform(seed, stream, step << 28 | i);
    sz_status status = sz_resample_with(scheme, log_weights, n, u, ancestors, n_out);
    sz_free(u);
    return status;
}
