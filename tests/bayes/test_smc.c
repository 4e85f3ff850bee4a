/* Sequential Monte Carlo: its exact law by enumeration of every draw, the evidence of models whose
 * evidence is known, and what a run does at its borders. */
#include "learn/vector_case.h"

#include <math.h>
#include <stdlib.h>
#include <szilard/unstable/bayes.h>
#include <szilard/unstable/num.h>

static const char path[] = SZ_TEST_VECTORS "/31-inference.json";

/* ---- A hidden Markov model with two states --------------------------------------------------- */

enum { MOST = 256 };

typedef struct hmm {
    double init[2], trans[4], emit[6];
    double obs[8];
    size_t n_obs, n;
    uint64_t seed, run; /* where the states are drawn */
    const int *states;  /* where they are given: [step][particle] */
    int x[MOST];
    double probability;       /* of the given draws */
    double log_weights[MOST]; /* after the latest step */
} hmm;

static int draw_state(hmm *m, size_t step, size_t i) {
    const double *p = step ? m->trans + 2 * m->x[i] : m->init;
    if (!m->states)
        return sz_uniform(m->seed, m->run, step * MOST + i) >= p[0];
    int x = m->states[step * m->n + i];
    m->probability *= p[x];
    return x;
}

static sz_status hmm_step(void *user, size_t step, const double *log_weights, double *increments,
                          size_t *n_left) {
    hmm *m = user;
    for (size_t i = 0; i < m->n; i++) {
        m->x[i] = draw_state(m, step, i);
        increments[i] = sz_log(m->emit[3 * m->x[i] + (int)m->obs[step]]);
        m->log_weights[i] = log_weights[i] + increments[i];
    }
    *n_left = step + 1 < m->n_obs ? m->n : 0;
    return SZ_OK;
}

static sz_status hmm_resample(void *user, const uint32_t *ancestors) {
    hmm *m = user;
    int old[MOST];
    memcpy(old, m->x, sizeof old);
    for (size_t i = 0; i < m->n; i++)
        m->x[i] = old[ancestors[i]];
    return SZ_OK;
}

static hmm hmm_of(const sz_json *c, size_t n) {
    hmm m = {.n = n};
    flatten(given(c, "init"), 0, m.init);
    flatten(given(c, "trans"), 0, m.trans);
    flatten(given(c, "emit"), 0, m.emit);
    m.n_obs = flatten(given(c, "obs"), 0, m.obs);
    return m;
}

/* ---- The exact law --------------------------------------------------------------------------- */

typedef struct law {
    hmm *m;
    const int *ancestors; /* [step][particle] */
} law;

/* A uniform in the middle of what the wanted ancestor has of [0, 1). */
static double uniform_for(void *user, size_t step, size_t i) {
    law *l = user;
    double shares[MOST], below = 0;
    sz_weight_figures f;
    int wanted = l->ancestors[step * l->m->n + i];
    SZ_CHECK_OK(sz_weights_measure(l->m->log_weights, l->m->n, shares, &f));
    for (int k = 0; k < wanted; k++)
        below += shares[k];
    l->m->probability *= shares[wanted];
    return below + shares[wanted] / 2;
}

/* All states and ancestors are digits of one number. */
static void check_exact_law(const sz_json *c, size_t n) {
    hmm m = hmm_of(c, n);
    int digits[64];
    size_t n_states = n * m.n_obs, n_ancestors = n * (m.n_obs - 1);
    double z = 0, z_squared = 0, last[2] = {0}, total = 0, want[2];
    memset(digits, 0, sizeof digits);
    for (bool more = true; more;) {
        law l = {&m, digits + n_states};
        double log_weights[MOST];
        sz_smc_account a;
        m.states = digits;
        m.probability = 1;
        sz_smc_config config = {.n_particles = n,
                                .scheme = SZ_RESAMPLE_MULTINOMIAL,
                                .threshold = 2,
                                .uniform = uniform_for,
                                .uniform_user = &l};
        SZ_CHECK_OK(
            sz_smc_run(&(sz_smc_model){&m, hmm_step, hmm_resample}, &config, log_weights, &a));
        assert_true(a.complete && a.n_steps == m.n_obs && a.n_resampled == m.n_obs - 1);
        double estimate = sz_exp(a.log_evidence);
        total += m.probability;
        z += m.probability * estimate;
        z_squared += m.probability * estimate * estimate;
        for (size_t i = 0; i < n; i++)
            last[m.x[i]] += m.probability * sz_exp(log_weights[i]);
        size_t at = 0;
        while (at < n_states + n_ancestors && ++digits[at] == (at < n_states ? 2 : (int)n))
            digits[at++] = 0;
        more = at < n_states + n_ancestors;
    }
    SZ_CHECK_REL(total, 1, 1e-12);
    SZ_CHECK_REL(z, number(expected(c, "expected_Zhat")), 1e-12);
    SZ_CHECK_REL(z_squared, number(expected(c, "expected_Zhat_squared")), 1e-12);
    flatten(expected(c, "expected_last_state_measure"), 0, want);
    SZ_CHECK_REL(last[0], want[0], 1e-12);
    SZ_CHECK_REL(last[1], want[1], 1e-12);
}

static void law_is_the_enumerated_one(void **state) {
    vectors v = open_vectors(path);
    size_t n_cases = 0;
    for (const sz_json *c = v.first; c; c = c->next)
        if (is_case(c, "smc_exact_law")) {
            check_exact_law(c, (size_t)number(given(c, "particles")));
            n_cases++;
        }
    assert_int_equal(n_cases, 3);
    close_vectors(&v);
}

/* ---- Evidence over many runs ----------------------------------------------------------------- */

typedef struct mean {
    double sum, squares;
    size_t n;
} mean;

static void add(mean *m, double x) {
    m->sum += x;
    m->squares += x * x;
    m->n++;
}
/* Whether the mean is within five of its standard errors. */
static void check_mean(const char *what, const mean *m, double want) {
    double got = m->sum / (double)m->n;
    double se = sqrt((m->squares / (double)m->n - got * got) / (double)m->n);
    if (!(fabs(got - want) <= 5 * se + 1e-12))
        fail_msg("%s: mean %.9g, not %.9g within 5 x %.3g", what, got, want, se);
}

static void evidence_is_unbiased(void **state) {
    static const double thresholds[] = {0.5, 0.9, 2, -1};
    vectors v = open_vectors(path);
    const sz_json *c = v.first;
    while (!is_case(c, "hmm_exact"))
        c = c->next;
    double want = sz_exp(number(expected(c, "log_evidence_nats")));
    for (int scheme = 0; scheme <= SZ_RESAMPLE_RESIDUAL; scheme++)
        for (size_t t = 0; t < 4; t++) {
            mean z = {0};
            for (uint64_t run = 0; run < 4000; run++) {
                hmm m = hmm_of(c, 5);
                double w[5];
                sz_smc_account a;
                m.seed = 100 + t;
                m.run = run;
                sz_smc_config config = {.n_particles = 5,
                                        .scheme = (sz_resampling)scheme,
                                        .threshold = thresholds[t],
                                        .seed = 7,
                                        .stream = run};
                SZ_CHECK_OK(
                    sz_smc_run(&(sz_smc_model){&m, hmm_step, hmm_resample}, &config, w, &a));
                assert_true(thresholds[t] > 0 || a.n_resampled == 0);
                add(&z, sz_exp(a.log_evidence));
            }
            check_mean(sz_resampling_names[scheme], &z, want);
        }
    close_vectors(&v);
}

/* Linear and Gaussian, with the evidence of a Kalman filter. */
typedef struct gaussian {
    double a, q, c, r, m0, p0, obs[8], x[MOST];
    size_t n, n_obs;
    uint64_t run;
} gaussian;

static double normal(uint64_t run, uint64_t i) {
    double u = 1 - sz_uniform(41, run, 2 * i), v = sz_uniform(41, run, 2 * i + 1);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static sz_status gaussian_step(void *user, size_t step, const double *log_weights,
                               double *increments, size_t *n_left) {
    gaussian *g = user;
    for (size_t i = 0; i < g->n; i++) {
        double z = normal(g->run, step * MOST + i);
        g->x[i] = step ? g->a * g->x[i] + sqrt(g->q) * z : g->m0 + sqrt(g->p0) * z;
        double d = g->obs[step] - g->c * g->x[i];
        increments[i] = -0.5 * (d * d / g->r + log(6.283185307179586 * g->r));
    }
    *n_left = step + 1 < g->n_obs ? g->n : 0;
    return SZ_OK;
}
static sz_status gaussian_resample(void *user, const uint32_t *ancestors) {
    gaussian *g = user;
    double old[MOST];
    memcpy(old, g->x, sizeof old);
    for (size_t i = 0; i < g->n; i++)
        g->x[i] = old[ancestors[i]];
    return SZ_OK;
}

static void evidence_of_a_gaussian_is_that_of_kalman(void **state) {
    vectors v = open_vectors(path);
    const sz_json *c = v.first;
    while (!is_case(c, "linear_gaussian_evidence"))
        c = c->next;
    gaussian g = {.a = number(given(c, "a")),
                  .q = number(given(c, "q")),
                  .c = number(given(c, "c")),
                  .r = number(given(c, "r")),
                  .m0 = number(given(c, "m0")),
                  .p0 = number(given(c, "p0"))};
    g.n_obs = flatten(given(c, "obs"), 0, g.obs);
    double want = number(expected(c, "log_evidence_nats")), spread[2];
    static const size_t sizes[] = {64, 256};
    for (int s = 0; s < 2; s++) {
        mean ratio = {0}, log_z = {0};
        for (g.run = 0, g.n = sizes[s]; g.run < 1000; g.run++) {
            double w[MOST];
            sz_smc_account a;
            sz_smc_config config = {.n_particles = g.n, .threshold = 2, .seed = 3, .stream = g.run};
            SZ_CHECK_OK(
                sz_smc_run(&(sz_smc_model){&g, gaussian_step, gaussian_resample}, &config, w, &a));
            add(&ratio, exp(a.log_evidence - want));
            add(&log_z, a.log_evidence);
        }
        check_mean("gaussian", &ratio, 1);
        double m = log_z.sum / 1000;
        spread[s] = log_z.squares / 1000 - m * m;
    }
    assert_true(spread[0] / spread[1] > 3 && spread[0] / spread[1] < 7);
    close_vectors(&v);
}

/* ---- A language of two letters, steered to as many of one as of the other
 * ------------------------
 */

enum { LETTERS = 6, PARTICLES = 64 };

typedef struct letters {
    double start[3], trans[6];
    char text[PARTICLES][LETTERS + 1];
    bool ended[PARTICLES];
    uint64_t run;
} letters;

/* How far the potential lets a text be from balance while it can still grow. */
static bool hopeful(const char *text, bool ended) {
    int n = (int)strlen(text), off = 0;
    for (int i = 0; i < n; i++)
        off += text[i] == 'a' ? 1 : -1;
    return ended ? off == 0 : abs(off) <= LETTERS - n;
}

static sz_status letters_step(void *user, size_t step, const double *log_weights,
                              double *increments, size_t *n_left) {
    letters *l = user;
    *n_left = 0;
    for (size_t i = 0; i < PARTICLES; i++) {
        if (l->ended[i] || log_weights[i] == -INFINITY)
            continue;
        size_t n = strlen(l->text[i]);
        const double *p = n ? l->trans + 3 * (l->text[i][n - 1] - 'a') : l->start;
        double u = sz_uniform(5, l->run, step * PARTICLES + i);
        int drawn = n == LETTERS || u >= p[0] + p[1] ? 2 : u >= p[0];
        if (drawn < 2)
            l->text[i][n] = (char)('a' + drawn);
        l->ended[i] = drawn == 2;
        increments[i] = hopeful(l->text[i], l->ended[i]) ? 0 : -INFINITY;
        *n_left += !l->ended[i];
    }
    return SZ_OK;
}
static sz_status letters_resample(void *user, const uint32_t *ancestors) {
    letters *l = user, old = *l;
    for (size_t i = 0; i < PARTICLES; i++) {
        memcpy(l->text[i], old.text[ancestors[i]], sizeof l->text[i]);
        l->ended[i] = old.ended[ancestors[i]];
    }
    return SZ_OK;
}

static void steered_texts_follow_the_posterior(void **state) {
    enum { RUNS = 1000 };
    vectors v = open_vectors(path);
    const sz_json *c = v.first;
    while (!is_case(c, "steered_markov_lm"))
        c = c->next;
    const sz_json *posterior = expected(c, "posterior")->u.child;
    double mass[64] = {0}, total = 0;
    mean z = {0};
    for (uint64_t run = 0; run < RUNS; run++) {
        letters l = {.run = run};
        double w[PARTICLES];
        sz_smc_account a;
        flatten(given(c, "start"), 0, l.start);
        flatten(given(c, "trans"), 0, l.trans);
        sz_smc_config config = {.n_particles = PARTICLES, .seed = 11, .stream = run};
        SZ_CHECK_OK(
            sz_smc_run(&(sz_smc_model){&l, letters_step, letters_resample}, &config, w, &a));
        assert_true(a.complete && a.n_steps <= LETTERS + 1);
        add(&z, sz_exp(a.log_evidence));
        for (size_t i = 0; i < PARTICLES; i++) {
            size_t k = 0;
            for (const sz_json *p = posterior; p; p = p->next, k++)
                if (strcmp(p->key, l.text[i]) == 0)
                    mass[k] += sz_exp(w[i]);
            total += sz_exp(w[i]);
        }
    }
    check_mean("letters", &z, number(expected(c, "acceptance_probability")));
    size_t k = 0;
    for (const sz_json *p = posterior; p; p = p->next, k++)
        SZ_CHECK_ABS(mass[k] / total, number(p), 0.01);
    close_vectors(&v);
}

/* ---- Borders --------------------------------------------------------------------------------- */

typedef struct script {
    double increments[4][3];
    size_t n_steps, calls, n_resampled;
    bool endless, failing;
} script;

static sz_status script_step(void *user, size_t step, const double *log_weights, double *increments,
                             size_t *n_left) {
    script *s = user;
    memcpy(increments, s->increments[step % 4], sizeof s->increments[0]);
    s->calls++;
    *n_left = s->endless || step + 1 < s->n_steps ? 3 : 0;
    return s->failing && step == 1 ? sz_fail(SZ_E_IO, "the model is gone") : SZ_OK;
}
static sz_status script_resample(void *user, const uint32_t *ancestors) {
    ((script *)user)->n_resampled++;
    return SZ_OK;
}
static sz_status play(script *s, const sz_smc_config *config, sz_smc_account *a) {
    double w[3];
    return sz_smc_run(&(sz_smc_model){s, script_step, script_resample}, config, w, a);
}

static void a_dead_population_is_a_result(void **state) {
    script s = {.n_steps = 4, .increments[1] = {-INFINITY, -INFINITY, -INFINITY}};
    sz_smc_account a;
    SZ_CHECK_OK(play(&s, &(sz_smc_config){.n_particles = 3}, &a));
    assert_true(a.log_evidence == -INFINITY && a.complete && a.least_ess == 0);
    assert_int_equal(s.calls, 2);
}

static void scales_multiply_the_evidence(void **state) {
    script s = {.n_steps = 4, .increments = {{1, 2, -900}, {-800, 0, 3}, {0, 0, 0}, {5, 5, 5}}};
    script scaled = s;
    sz_smc_account a, b;
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 3; k++)
            scaled.increments[i][k] -= 1000;
    SZ_CHECK_OK(play(&s, &(sz_smc_config){.n_particles = 3}, &a));
    SZ_CHECK_OK(play(&scaled, &(sz_smc_config){.n_particles = 3}, &b));
    SZ_CHECK_ABS(b.log_evidence, a.log_evidence - 4000, 1e-9);
    assert_true(a.n_resampled == b.n_resampled && a.n_resampled > 0);
    assert_int_equal(s.n_resampled, a.n_resampled);
}

static void count_steps(void *user, const sz_smc_step *step) {
    assert_int_equal(step->step, *(size_t *)user);
    ++*(size_t *)user;
}

static void steps_are_bounded_and_observed(void **state) {
    script s = {.endless = true};
    sz_smc_account a;
    size_t seen = 0;
    SZ_CHECK_OK(
        play(&s,
             &(sz_smc_config){
                 .n_particles = 3, .max_steps = 9, .observe = count_steps, .observe_user = &seen},
             &a));
    assert_true(!a.complete && a.n_steps == 9 && seen == 9);
    SZ_CHECK_ABS(a.log_evidence, 0, 1e-12);
    SZ_CHECK_REL(a.figures.ess, 3, 1e-12);
}

static void bad_input_is_refused(void **state) {
    sz_smc_account a;
    double w[3];
    script s = {.n_steps = 4};
    assert_int_equal(play(&s, &(sz_smc_config){0}, &a), SZ_E_ARG);
    assert_int_equal(play(&s, &(sz_smc_config){.n_particles = 3, .threshold = NAN}, &a), SZ_E_ARG);
    assert_int_equal(play(&s, &(sz_smc_config){.n_particles = 3, .scheme = (sz_resampling)9}, &a),
                     SZ_E_ARG);
    assert_int_equal(sz_smc_run(&(sz_smc_model){&s, script_step, NULL},
                                &(sz_smc_config){.n_particles = 3}, w, &a),
                     SZ_E_ARG);
    assert_int_equal(sz_smc_run(NULL, &(sz_smc_config){.n_particles = 3}, w, &a), SZ_E_ARG);
    s.increments[2][1] = NAN;
    assert_int_equal(play(&s, &(sz_smc_config){.n_particles = 3}, &a), SZ_E_NAN);
    assert_non_null(strstr(sz_last_error(), "step 2: the log weight of particle 1"));
    s.increments[2][1] = INFINITY;
    assert_int_equal(play(&s, &(sz_smc_config){.n_particles = 3}, &a), SZ_E_NAN);
    s.failing = true;
    assert_int_equal(play(&s, &(sz_smc_config){.n_particles = 3}, &a), SZ_E_IO);
    assert_string_equal(sz_last_error(), "the model is gone");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(law_is_the_enumerated_one),
        cmocka_unit_test(evidence_is_unbiased),
        cmocka_unit_test(evidence_of_a_gaussian_is_that_of_kalman),
        cmocka_unit_test(steered_texts_follow_the_posterior),
        cmocka_unit_test(a_dead_population_is_a_result),
        cmocka_unit_test(scales_multiply_the_evidence),
        cmocka_unit_test(steps_are_bounded_and_observed),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
