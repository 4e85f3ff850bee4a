/* check_populations.c: that populations keep a program's measure, by running them on every draw. */
#include "check.h"
#include <math.h>
#include <szilard/unstable/num.h>

enum { MOST_PARTICLES = 3 };

typedef struct enumeration {
    sz_checker *checker;
    sz_odometer odometer; /* unless a source of moves has it */
    sz_odometer *draws;   /* the one in use */
    sz_resampling scheme;
    size_t n;
    bool draws_uniforms;
} enumeration;

static size_t choose_next(void *self, const double *p, size_t n) {
    return sz_odometer_choose(((enumeration *)self)->draws, p, n);
}
static double not_finite(void *self) {
    ((enumeration *)self)->draws_uniforms = true;
    return 0.5;
}

/* ---- Where the uniform of a resampling changes what is taken -----------------------------------
 */

static double fraction(double x) {
    return x - (double)(uint64_t)x;
}

/* What the copies leave of each share, as their residual scheme has it; the points that remain. */
static size_t residuals(double *shares, size_t n) {
    size_t left = n;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        double expected = shares[i] * (double)n;
        size_t copies = (size_t)(expected + 1e-12);
        shares[i] = expected > (double)copies ? expected - (double)copies : 0.0;
        left -= copies;
        sum += shares[i];
    }
    for (size_t i = 0; i < n && sum > 0.0; i++)
        shares[i] /= sum;
    return left;
}

static double uniform_of_resampling(void *user, const double *log_weights, size_t i) {
    enumeration *e = user;
    double shares[MOST_PARTICLES], cuts[MOST_PARTICLES], up_to = 0.0;
    sz_weight_figures f;
    size_t n = e->n, n_cuts = 0;
    if (sz_weights_measure(log_weights, n, shares, &f) != SZ_OK)
        return 0.5;
    if (e->scheme == SZ_RESAMPLE_SYSTEMATIC && i > 0)
        return 0.5; /* unused */
    if (e->scheme == SZ_RESAMPLE_RESIDUAL && i >= residuals(shares, n))
        return 0.5;
    for (size_t k = 0; k + 1 < n; k++) {
        up_to += shares[k];
        double cut = up_to;
        if (e->scheme == SZ_RESAMPLE_SYSTEMATIC)
            cut = fraction(up_to * (double)n);
        else if (e->scheme == SZ_RESAMPLE_STRATIFIED)
            cut = up_to * (double)n - (double)i;
        if (cut > 0.0 && cut < 1.0)
            cuts[n_cuts++] = cut;
    }
    return sz_check_cell(e->draws, cuts, n_cuts);
}

/* ---- One law -----------------------------------------------------------------------------------
 */

typedef struct population_law {
    const char *name;
    sz_population_config config;
    bool collapses; /* one result by weight, of the whole weight */
} population_law;

static sz_status add_population(enumeration *e, const population_law *law, const double *outputs,
                                const double *log_weights, const sz_smc_account *a, sz_atoms *out) {
    double shares[MOST_PARTICLES];
    sz_weight_figures f;
    if (a->log_evidence == -INFINITY)
        return SZ_OK;
    if (law->collapses) {
        SZ_TRY(sz_weights_measure(log_weights, e->n, shares, &f));
        size_t one = sz_odometer_choose(e->draws, shares, e->n);
        return sz_atoms_add(out, outputs[one], e->draws->probability * sz_exp(a->log_evidence));
    }
    for (size_t i = 0; i < e->n; i++)
        if (log_weights[i] > -INFINITY)
            SZ_TRY(sz_atoms_add(out, outputs[i], e->draws->probability * sz_exp(log_weights[i])));
    return SZ_OK;
}

static sz_status expected_measure(enumeration *e, const population_law *law, sz_atoms *out,
                                  uint64_t *n_paths) {
    double outputs[MOST_PARTICLES], log_weights[MOST_PARTICLES];
    sz_smc_account a;
    sz_odometer_begin(e->draws);
    do {
        SZ_REQUIRE(++*n_paths <= e->checker->max_paths, SZ_E_LIMIT,
                   "there are more than %llu paths", (unsigned long long)e->checker->max_paths);
        SZ_TRY(sz_program_smc(e->checker->program, &law->config, outputs, log_weights, &a));
        SZ_REQUIRE(!e->draws->too_deep, SZ_E_LIMIT, "a path makes more than %d choices",
                   SZ_ODOMETER_DEPTH);
        SZ_TRY(add_population(e, law, outputs, log_weights, &a, out));
    } while (sz_odometer_next(e->draws));
    return SZ_OK;
}

static sz_status check_law(sz_checker *c, population_law *law, sz_cell_source *cells) {
    sz_atoms found = {0};
    uint64_t n_paths = 0;
    enumeration *e = sz_calloc(1, sizeof *e);
    SZ_REQUIRE(e, SZ_E_NOMEM, "no memory to visit all paths");
    e->checker = c;
    e->draws = cells ? &cells->odometer : &e->odometer;
    e->scheme = law->config.scheme;
    e->n = law->config.n_particles;
    sz_effects effects = {e, not_finite, choose_next};
    sz_move_source source;
    law->config.effects = &effects;
    law->config.uniform = uniform_of_resampling;
    law->config.uniform_user = e;
    if (cells) {
        source = sz_cell_source_of(cells);
        law->config.source = &source;
    }
    sz_status status = expected_measure(e, law, &found, &n_paths);
    if (status == SZ_OK)
        sz_check_add(c, law->name,
                     sz_atoms_distance(&found, &c->measure) /
                         (c->evidence > 0.0 ? c->evidence : 1.0),
                     n_paths);
    else
        status = sz_check_skip(c, law->name, status);
    sz_atoms_free(&found);
    sz_free(e);
    return status;
}

static sz_status check_moved(sz_checker *c) {
    static const char name[] = "resample-move, 1 particle", name_2[] = "resample-move, 2 particles";
    sz_cells cells = {0};
    sz_status status = sz_cells_find(c->program, c->max_paths, &cells);
    sz_cell_source *source = sz_calloc(1, sizeof *source);
    if (status == SZ_OK && !source)
        status = sz_fail(SZ_E_NOMEM, "no memory to visit all paths");
    for (size_t n = 1; n <= 2 && status == SZ_OK; n++) {
        population_law law = {
            n == 1 ? name : name_2, {.n_particles = n, .threshold = 2, .n_moves = 1}, false};
        source->cells = &cells;
        status = check_law(c, &law, source);
    }
    sz_free(source);
    sz_cells_free(&cells);
    return sz_check_skip(c, "resample-move", status);
}

sz_status sz_check_populations(sz_checker *c) {
    population_law laws[] = {
        {"importance sampling, 2 particles", {.n_particles = 2, .threshold = -1}, false},
        {"smc, 1 particle", {.n_particles = 1, .threshold = 2}, false},
        {"smc, 2 particles, systematic", {.n_particles = 2, .threshold = 2}, false},
        {"smc, 2 particles, stratified",
         {.n_particles = 2, .scheme = SZ_RESAMPLE_STRATIFIED, .threshold = 2},
         false},
        {"smc, 2 particles, multinomial",
         {.n_particles = 2, .scheme = SZ_RESAMPLE_MULTINOMIAL, .threshold = 2},
         false},
        {"smc, 2 particles, residual",
         {.n_particles = 2, .scheme = SZ_RESAMPLE_RESIDUAL, .threshold = 2},
         false},
        {"smc, 2 particles, resampled below 0.7 n", {.n_particles = 2, .threshold = 0.7}, false},
        {"smc, 3 particles, systematic", {.n_particles = 3, .threshold = 2}, false},
        {"one result of a population of 2", {.n_particles = 2, .threshold = 2}, true},
    };
    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++)
        SZ_TRY(check_law(c, &laws[i], NULL));
    return check_moved(c);
}
