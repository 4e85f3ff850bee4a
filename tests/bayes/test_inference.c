/* Programs and the blocks of inference: their measures, kernels and evidence against exact values,
 * the laws of composition, and what is said of bad programs. */
#include "learn/vector_case.h"

#include <math.h>
#include <stdlib.h>
#include <szilard/unstable/inference.h>
#include <szilard/unstable/num.h>

static const char path[] = SZ_TEST_VECTORS "/31-inference.json";

static sz_script *script_of(const char *text) {
    sz_script *s;
    SZ_CHECK_OK(sz_script_compile(text, strlen(text), &s));
    return s;
}

static void check_measure(const char *text, const sz_json *expect, double tol) {
    sz_script *s = script_of(text);
    sz_program p = sz_script_program(s);
    sz_atoms m = {0};
    SZ_CHECK_OK(sz_program_measure(&p, 100000, &m));
    size_t n = 0;
    for (const sz_json *v = sz_json_get(expect, "measure")->u.child; v; v = v->next, n++) {
        assert_true(n < m.n);
        assert_true(m.output[n] == strtod(v->key, NULL));
        SZ_CHECK_ABS(m.mass[n], number(v), tol);
    }
    assert_int_equal(n, m.n);
    SZ_CHECK_ABS(sz_atoms_total(&m), number(sz_json_get(expect, "total_mass")), tol);
    sz_atoms_free(&m);
    sz_script_free(s);
}

static const char hmm_text[] = "init = [0.375, 0.625]\n"
                               "trans = [[0.75, 0.25], [1/3, 2/3]]\n"
                               "emit = [[5/14, 4/14, 5/14], [1/7, 5/7, 1/7]]\n"
                               "y = [1, 0, 0]\n"
                               "x ~ categorical(init)\n"
                               "path = x\n"
                               "observe y[0] ~ categorical(emit[x])\n"
                               "t = 1\n"
                               "while t < len(y) {\n"
                               "  x ~ categorical(trans[x])\n"
                               "  path = 2 * path + x\n"
                               "  observe y[t] ~ categorical(emit[x]); t = t + 1\n"
                               "}\n";

static void measures_are_the_exact_ones(void **state) {
    vectors v = open_vectors(path);
    for (const sz_json *c = v.first; c; c = c->next) {
        if (is_case(c, "program_two_coins"))
            check_measure("a ~ flip(0.7); b ~ flip(0.3)\n"
                          "if a or b { score 1 } else { score 0.2 }\n"
                          "return 2*a + b",
                          sz_json_get(c, "expect"), 1e-12);
        if (is_case(c, "program_variable_length"))
            check_measure("n = 0; go = 1\n"
                          "while n < 4 and go {\n"
                          "  go ~ flip(0.4)\n"
                          "  if go { n = n + 1; score n / (n + 1) }\n"
                          "}\n"
                          "return n",
                          sz_json_get(c, "expect"), 1e-12);
        if (!is_case(c, "hmm_exact"))
            continue;
        char text[1024];
        sz_atoms m = {0}, last = {0};
        snprintf(text, sizeof text, "%sreturn path", hmm_text);
        sz_script *s = script_of(text);
        sz_program p = sz_script_program(s);
        SZ_CHECK_OK(sz_program_measure(&p, 100, &m));
        size_t n = 0;
        for (const sz_json *w = expected(c, "path_measure")->u.child; w; w = w->next)
            SZ_CHECK_ABS(m.mass[n++], number(w), 1e-12);
        assert_int_equal(n, 8);
        SZ_CHECK_ABS(sz_log(sz_atoms_total(&m)), number(expected(c, "log_evidence_nats")), 1e-12);
        sz_script_free(s);
        snprintf(text, sizeof text, "%sreturn x", hmm_text);
        s = script_of(text);
        p = sz_script_program(s);
        double want[2];
        flatten(expected(c, "last_state_measure"), 0, want);
        SZ_CHECK_OK(sz_program_measure(&p, 100, &last));
        SZ_CHECK_ABS(last.mass[0], want[0], 1e-12);
        SZ_CHECK_ABS(last.mass[1], want[1], 1e-12);
        sz_script_free(s);
        sz_atoms_free(&m);
        sz_atoms_free(&last);
    }
    close_vectors(&v);
}

/* ---- Kernels -----------------------------------------------------------------------------------
 */

enum { ROLL = 4 };
typedef struct rolls { /* all draws of a move, where every uniform is one of four */
    sz_odometer o;
} rolls;

static double roll_fresh(void *self, size_t position) {
    static const double quarter[ROLL] = {0.25, 0.25, 0.25, 0.25};
    (void)position;
    return ((double)sz_odometer_choose(&((rolls *)self)->o, quarter, ROLL) + 0.5) / ROLL;
}
static size_t roll_pick(void *self, size_t n) {
    double p[16];
    for (size_t i = 0; i < n; i++)
        p[i] = 1.0 / (double)n;
    return sz_odometer_choose(&((rolls *)self)->o, p, n);
}
static bool roll_accept(void *self, double probability) {
    return sz_odometer_choose(&((rolls *)self)->o, (double[]){1 - probability, probability}, 2);
}

static size_t uniforms_of(const sz_json *list, double *u) {
    size_t n = flatten(list, 0, u);
    for (size_t i = 0; i < n; i++)
        u[i] = (u[i] + 0.5) / ROLL;
    return n;
}

/* Probability of moving from u [n] to v [m]. */
static double probability_of(const sz_program *p, const double *u, size_t n, const double *v,
                             size_t m) {
    rolls r;
    sz_move_source source = {&r, roll_fresh, roll_pick, roll_accept};
    double sum = 0;
    sz_odometer_begin(&r.o);
    do {
        sz_trace t = {0};
        bool accepted;
        SZ_CHECK_OK(sz_trace_replay(p, u, n, SIZE_MAX, &source, NULL, &t));
        SZ_CHECK_OK(sz_trace_move(p, SIZE_MAX, &source, NULL, &t, &accepted));
        if (t.n == m && memcmp(t.u, v, m * sizeof *v) == 0)
            sum += r.o.probability;
        sz_trace_free(&t);
    } while (sz_odometer_next(&r.o));
    return sum;
}

static void check_square_kernel(const sz_json *c) {
    sz_script *s = script_of("n ~ roll(4)\n"
                             "if n == 0 { m ~ roll(4); score 1 + m; return 10 + m }\n"
                             "score n; return n");
    sz_program p = sz_script_program(s);
    const sz_json *row = expected(c, "transition")->u.child;
    const sz_json *value = expected(c, "value")->u.child, *w = expected(c, "weight")->u.child;
    for (const sz_json *a = expected(c, "traces")->u.child; a; a = a->next, row = row->next) {
        double u[4], v[4];
        size_t n = uniforms_of(a, u);
        sz_weighted run;
        SZ_CHECK_OK(sz_trace_density(&p, u, n, &run));
        SZ_CHECK_ABS(run.output, number(value), 0);
        SZ_CHECK_REL(sz_exp(run.log_weight), number(w), 1e-12);
        value = value->next;
        w = w->next;
        const sz_json *k = row->u.child;
        for (const sz_json *b = expected(c, "traces")->u.child; b; b = b->next, k = k->next) {
            size_t m = uniforms_of(b, v);
            SZ_CHECK_ABS(probability_of(&p, u, n, v, m), number(k), 1e-12);
        }
    }
    sz_script_free(s);
}

static void check_some_rows(const sz_json *c) {
    sz_script *s = script_of("a ~ roll(4); b ~ roll(4)\n"
                             "if a + b > 4 { d ~ roll(4); score (1 + d) / 2; return 100 + d }\n"
                             "score 1 / (1 + a); return a + b");
    sz_program p = sz_script_program(s);
    for (const sz_json *r = expected(c, "rows")->u.child; r; r = r->next) {
        double u[4], v[4], total = 0;
        size_t n = uniforms_of(sz_json_get(r, "source"), u);
        for (const sz_json *to = sz_json_get(r, "to")->u.child; to; to = to->next) {
            size_t m = uniforms_of(to->u.child, v);
            double got = probability_of(&p, u, n, v, m);
            SZ_CHECK_ABS(got, number(to->u.child->next), 1e-12);
            total += got;
        }
        SZ_CHECK_ABS(total, 1, 1e-12);
    }
    sz_script_free(s);
}

static void check_green(const sz_json *c) {
    double pi[4], q[16], want_a[16], want_k[16], a[16], k[16];
    size_t n = flatten(given(c, "target"), 0, pi);
    flatten(given(c, "proposal"), 0, q);
    flatten(expected(c, "acceptance"), 0, want_a);
    flatten(expected(c, "kernel"), 0, want_k);
    SZ_CHECK_OK(sz_green_kernel(pi, q, n, a, k));
    for (size_t i = 0; i < n * n; i++) {
        SZ_CHECK_ABS(a[i], want_a[i], 1e-12);
        SZ_CHECK_ABS(k[i], want_k[i], 1e-12);
    }
    for (size_t j = 0; j < n; j++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += pi[i] * k[i * n + j];
        SZ_CHECK_REL(sum, pi[j], 1e-12);
    }
    q[1] += 0.1;
    assert_int_equal(sz_green_kernel(pi, q, n, a, k), SZ_E_ARG);
}

static void kernels_are_the_exact_ones(void **state) {
    vectors v = open_vectors(path);
    int n = 0;
    for (const sz_json *c = v.first; c; c = c->next) {
        if (is_case(c, "trace_mh_kernel_0"))
            check_square_kernel(c), n++;
        if (is_case(c, "trace_mh_kernel_1"))
            check_some_rows(c), n++;
        if (is_case(c, "metropolis_hastings_green"))
            check_green(c), n++;
    }
    assert_int_equal(n, 3);
    close_vectors(&v);
}

/* ---- Populations and chains --------------------------------------------------------------------
 */

static void check_mean(const char *what, const double *x, size_t n, double want) {
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        mean += x[i] / (double)n;
        squares += x[i] * x[i] / (double)n;
    }
    double se = sqrt((squares - mean * mean) / (double)n);
    if (!(fabs(mean - want) <= 5 * se + 1e-12))
        fail_msg("%s: mean %.9g, not %.9g within 5 x %.3g", what, mean, want, se);
}

static const char normal_text[] =
    "y = [2.128523, 2.034866, -0.418666, 1.153582, 2.215758]\n"
    "mu ~ normal(0, sqrt(2)); i = 0\n"
    "while i < len(y) { observe y[i] ~ normal(mu, sqrt(0.5)); i = i + 1 }\n"
    "return mu";

static void conjugate_models_have_their_evidence(void **state) {
    enum { RUNS = 400, N = 128 };
    static double ratio[RUNS], moment[RUNS];
    double out[N], w[N];
    const double log_z = -9.831012399153451, mean = 1.3550596190476192;
    for (size_t moves = 0; moves <= 1; moves++)
        for (int scheme = 0; scheme <= SZ_RESAMPLE_RESIDUAL; scheme++) {
            sz_script *s = script_of(normal_text);
            sz_program p = sz_script_program(s);
            for (uint64_t run = 0; run < RUNS; run++) {
                sz_smc_account a;
                sz_population_config c = {.n_particles = N,
                                          .scheme = (sz_resampling)scheme,
                                          .n_moves = moves,
                                          .seed = 5,
                                          .stream = run};
                SZ_CHECK_OK(sz_program_smc(&p, &c, out, w, &a));
                assert_true(a.complete && a.n_steps == 6);
                ratio[run] = moment[run] = 0;
                for (size_t i = 0; i < N; i++) {
                    ratio[run] += sz_exp(w[i] - log_z);
                    moment[run] += sz_exp(w[i] - log_z) * out[i];
                }
            }
            check_mean("evidence", ratio, RUNS, 1);
            check_mean("first moment", moment, RUNS, mean);
            sz_script_free(s);
        }
}

static void chains_reach_the_posterior(void **state) {
    enum { RUNS = 60, N = 400 };
    static double samples[N], means[RUNS], second[RUNS];
    const double mean = 1.3550596190476192, var = 0.09523809523809523;
    sz_script *s = script_of(normal_text);
    sz_program p = sz_script_program(s);
    for (int kind = 0; kind < 2; kind++) {
        for (uint64_t run = 0; run < RUNS; run++) {
            size_t accepted;
            if (kind == 0)
                SZ_CHECK_OK(sz_program_mcmc(&p, run, 500, 4, N, samples, &accepted));
            else
                SZ_CHECK_OK(sz_program_pimh(
                    &p, &(sz_population_config){.n_particles = 16, .seed = 9, .stream = run << 20},
                    N, samples, &accepted));
            assert_true(accepted > 0);
            means[run] = second[run] = 0;
            for (size_t i = kind ? N / 4 : 0; i < N; i++) {
                double n = kind ? N - N / 4 : N;
                means[run] += samples[i] / n;
                second[run] += samples[i] * samples[i] / n;
            }
        }
        check_mean(kind ? "pimh" : "mcmc", means, RUNS, mean);
        check_mean(kind ? "pimh^2" : "mcmc^2", second, RUNS, var + mean * mean);
    }
    sz_script_free(s);
}

/* The parameter's trace carries the seed of the population within: a pure function of the trace. */
typedef struct nested {
    double rate;
    int done;
} nested;
static sz_status nested_start(const void *env, void *st) {
    *(nested *)st = (nested){0};
    return SZ_OK;
}
static sz_status nested_step(const void *env, void *st, const sz_effects *e, double *log_weight,
                             bool *done) {
    nested *n = st;
    n->rate = e->uniform(e->self);
    uint64_t seed = (uint64_t)(e->uniform(e->self) * 9007199254740992.0);
    double text_rate[1] = {n->rate}, out[8], w[8];
    sz_smc_account a;
    sz_script *s = script_of("rate = 0.5; i = 0; n = 0\n"
                             "while i < 7 { x ~ flip(rate); n = n + x; i = i + 1 }\n"
                             "if n == 1 { score 1 } else { score 0 }\n"
                             "return n");
    SZ_CHECK_OK(sz_script_set(s, "rate", text_rate, 1));
    sz_program p = sz_script_program(s);
    SZ_CHECK_OK(
        sz_program_smc(&p, &(sz_population_config){.n_particles = 8, .seed = seed}, out, w, &a));
    sz_script_free(s);
    *log_weight = a.log_evidence;
    *done = true;
    return SZ_OK;
}
static double nested_output(const void *env, const void *st) {
    return ((const nested *)st)->rate;
}

/* beta_bernoulli of the vectors (one success of seven, any order): posterior mean 2/9. */
static void particle_marginal_moves_reach_the_posterior(void **state) {
    enum { RUNS = 40, N = 250 };
    double samples[N], means[RUNS];
    sz_program p = {NULL, sizeof(nested), nested_start, nested_step, nested_output};
    for (uint64_t run = 0; run < RUNS; run++) {
        size_t accepted;
        SZ_CHECK_OK(sz_program_mcmc(&p, run, 60, 1, N, samples, &accepted));
        means[run] = 0;
        for (size_t i = 0; i < N; i++)
            means[run] += samples[i] / N;
    }
    check_mean("pmmh", means, RUNS, 2.0 / 9);
}

static void threads_change_nothing(void **state) {
    enum { N = 5000 };
    static double out[2][N], w[2][N];
    sz_script *s = script_of(normal_text);
    sz_program p = sz_script_program(s);
    sz_pool *pool;
    SZ_CHECK_OK(sz_pool_new(3, &pool));
    for (size_t moves = 0; moves < 2; moves++) {
        for (int k = 0; k < 2; k++) {
            sz_smc_account a;
            sz_population_config c = {
                .n_particles = N, .threshold = 0.9, .n_moves = moves, .pool = k ? pool : NULL};
            SZ_CHECK_OK(sz_program_smc(&p, &c, out[k], w[k], &a));
            assert_true(a.n_resampled > 0);
        }
        assert_memory_equal(out[0], out[1], sizeof out[0]);
        assert_memory_equal(w[0], w[1], sizeof w[0]);
    }
    sz_pool_free(pool);
    sz_script_free(s);
}

/* ---- Laws --------------------------------------------------------------------------------------
 */

/* Constants and a two-sided coin over a user's number, as programs. */
typedef struct leaf {
    double value, heads; /* heads < 0: always value */
} leaf;
static sz_status leaf_start(const void *env, void *st) {
    *(double *)st = ((const leaf *)env)->value;
    return SZ_OK;
}
static sz_status leaf_step(const void *env, void *st, const sz_effects *e, double *log_weight,
                           bool *done) {
    const leaf *l = env;
    if (l->heads >= 0) {
        size_t k = sz_program_choose(e, (double[]){1 - l->heads, l->heads}, 2);
        *(double *)st += (double)k;
        *log_weight = k ? 0.5 : -0.25;
    }
    *done = true;
    return SZ_OK;
}
static double leaf_output(const void *env, const void *st) {
    return *(const double *)st;
}
#define LEAF(l) ((sz_program){&(l), sizeof(double), leaf_start, leaf_step, leaf_output})

static const sz_program *then_leaf(const void *user, double output) {
    return &((const sz_program *)user)[(size_t)output];
}

static void check_same(const sz_program *a, const sz_program *b) {
    sz_atoms x = {0}, y = {0};
    SZ_CHECK_OK(sz_program_measure(a, 1000, &x));
    SZ_CHECK_OK(sz_program_measure(b, 1000, &y));
    SZ_CHECK_ABS(sz_atoms_distance(&x, &y), 0, 1e-14);
    assert_true(x.n > 0);
    sz_atoms_free(&x);
    sz_atoms_free(&y);
}

static void bind_obeys_its_laws(void **state) {
    leaf l[] = {{0, -1}, {1, -1}, {2, -1}, {3, -1}, {1, 0.3}, {0, 0.6}, {2, 0.25}, {1, 0.5}};
    sz_program returns[] = {LEAF(l[0]), LEAF(l[1]), LEAF(l[2]), LEAF(l[3])};
    sz_program f[] = {LEAF(l[5]), LEAF(l[4]), LEAF(l[6]), LEAF(l[7])}, m = LEAF(l[4]);
    sz_program g[] = {LEAF(l[7]), LEAF(l[6]), LEAF(l[5]), LEAF(l[4])};
    sz_bound_program right = {&m, then_leaf, returns, 8}, left = {&returns[2], then_leaf, f, 8};
    sz_program p = sz_program_bind(&right), q = sz_program_bind(&left);
    check_same(&p, &m);    /* m >>= return */
    check_same(&q, &f[2]); /* return a >>= f */
    sz_bound_program mf = {&m, then_leaf, f, 8};
    sz_program m_f = sz_program_bind(&mf);
    sz_bound_program mf_g = {&m_f, then_leaf, g, 8}, inner[4];
    sz_program f_g[4], first = sz_program_bind(&mf_g);
    for (int i = 0; i < 4; i++) {
        inner[i] = (sz_bound_program){&f[i], then_leaf, g, 8};
        f_g[i] = sz_program_bind(&inner[i]);
    }
    sz_bound_program m_fg = {&m, then_leaf, f_g, f_g[0].state_bytes};
    sz_program second = sz_program_bind(&m_fg);
    check_same(&first, &second); /* (m >>= f) >>= g is m >>= (f >>= g) */
    m_fg.next_bytes = 1;
    sz_atoms none = {0};
    second = sz_program_bind(&m_fg);
    assert_int_equal(sz_program_measure(&second, 1000, &none), SZ_E_ARG);
}

static void independent_draws_commute(void **state) {
    sz_script *a =
        script_of("x ~ flip(0.3); score 1 + x; y ~ roll(3); score 2 - y/2; return 3*x+y");
    sz_script *b =
        script_of("y ~ roll(3); score 2 - y/2; x ~ flip(0.3); score 1 + x; return 3*x+y");
    sz_program p = sz_script_program(a), q = sz_script_program(b);
    check_same(&p, &q);
    sz_script_free(a);
    sz_script_free(b);
}

static void check_finite(const char *text, bool small, double log_evidence) {
    sz_script *s = script_of(text);
    sz_program p = sz_script_program(s);
    sz_law_report r;
    SZ_CHECK_OK(sz_program_check(&p, NULL, &r));
    assert_true(r.finite);
    for (size_t i = 0; i < r.n; i++)
        if (r.law[i].outcome == SZ_LAW_BROKEN ||
            (r.law[i].outcome == SZ_LAW_SKIPPED && !strstr(r.law[i].detail, "200000 paths")))
            fail_msg("%s: %s (off by %g)", r.law[i].name, r.law[i].detail, r.law[i].error);
    assert_true(r.n >= 14 && r.n_broken == 0);
    assert_true(strcmp(r.law[11].name, "resample-move, 2 particles") == 0);
    assert_true(r.law[11].outcome == SZ_LAW_HOLDS || !small);
    SZ_CHECK_ABS(r.log_evidence, log_evidence, 1e-12);
    sz_script_free(s);
}

static void all_laws_hold(void **state) {
    char text[1024];
    snprintf(text, sizeof text, "%sreturn x", hmm_text);
    check_finite(text, false, -3.3588095582984034);
    check_finite("a ~ flip(0.7); b ~ flip(0.3)\n"
                 "if a or b { score 1 } else { score 0.2 }\n"
                 "return 2*a + b",
                 false, log(0.832));
    check_finite("a ~ flip(0.7); score 1 + a; b ~ flip(0.3); score 2 - b; return 2*a + b", true,
                 log(1.7 * 1.7));
    /* Ends at different times, and some runs are rejected. */
    check_finite("n ~ categorical([0.2, 0.5, 0.3])\n"
                 "if n == 0 { m ~ flip(0.25); score m; return 10 + m }\n"
                 "score n / 3\n"
                 "k ~ roll(2 + n); score (1 + k) / 4; return k",
                 false,
                 log(0.2 * 0.25 + 0.5 * (1.0 / 3) * (1 + 2 + 3) / 12 +
                     0.3 * (2.0 / 3) * (1 + 2 + 3 + 4) / 16));
}

static double counting_output(const void *env, const void *st) {
    return (double)++*(int *)(uintptr_t)env;
}
static sz_status counting_start(const void *env, void *st) {
    *(double *)st = 0;
    return SZ_OK;
}
static sz_status counting_step(const void *env, void *st, const sz_effects *e, double *log_weight,
                               bool *done) {
    e->uniform(e->self);
    *done = true;
    return SZ_OK;
}

static void programs_that_remember_are_caught(void **state) {
    int calls = 0;
    sz_program p = {&calls, sizeof(double), counting_start, counting_step, counting_output};
    sz_law_report r;
    SZ_CHECK_OK(sz_program_check(&p, NULL, &r));
    assert_int_equal(r.n, 1);
    assert_int_equal(r.n_broken, 1);
    assert_non_null(strstr(r.law[0].detail, "result 1, then 2"));
}

static void true_values_have_uniform_ranks(void **state) {
    sz_script *s = script_of(normal_text);
    sz_program p = sz_script_program(s);
    sz_law_report r;
    sz_check_config c = {.simulate = sz_script_simulate, .user = s};
    SZ_CHECK_OK(sz_program_check(&p, &c, &r));
    assert_true(!r.finite && r.n == 2 && r.n_broken == 0);
    assert_true(r.law[1].outcome == SZ_LAW_HOLDS && r.law[1].n_paths == 200);
    sz_script_free(s);
    s = script_of("x ~ uniform(0, 1); score x; return x");
    p = sz_script_program(s);
    c.user = s;
    SZ_CHECK_OK(sz_program_check(&p, &c, &r));
    assert_int_equal(r.law[1].outcome, SZ_LAW_SKIPPED);
    sz_script_free(s);
}

/* Data drawn for another deviation than the one that the posterior is told. */
static sz_status simulate_wrongly(void *user, const sz_effects *e, sz_trace *truth,
                                  sz_program *given) {
    sz_script **s = user;
    SZ_TRY(sz_script_simulate(s[0], e, truth, given));
    double y = 0.5 + 3 * e->uniform(e->self);
    SZ_TRY(sz_script_set(s[1], "y", &y, 1));
    *given = sz_script_program(s[1]);
    return SZ_OK;
}
static void wrong_data_break_the_ranks(void **state) {
    const char *text = "y = 0.5; mu ~ normal(0, 1); observe y ~ normal(mu, 0.2); return mu";
    sz_script *s[2] = {script_of(text), script_of(text)};
    sz_program p = sz_script_program(s[0]);
    sz_law_report r;
    sz_check_config c = {.simulate = simulate_wrongly, .user = s};
    SZ_CHECK_OK(sz_program_check(&p, &c, &r));
    assert_int_equal(r.law[1].outcome, SZ_LAW_BROKEN);
    sz_script_free(s[0]);
    sz_script_free(s[1]);
}

/* ---- Borders -----------------------------------------------------------------------------------
 */

static void traces_have_their_length(void **state) {
    sz_script *s = script_of("a ~ flip(0.5); if a { b ~ flip(0.5) }; score 1; return a");
    sz_program p = sz_script_program(s);
    sz_weighted w;
    SZ_CHECK_OK(sz_trace_density(&p, (double[]){0.9, 0.1}, 2, &w));
    assert_int_equal(sz_trace_density(&p, (double[]){0.9}, 1, &w), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "draws at position 1"));
    assert_int_equal(sz_trace_density(&p, (double[]){0.1, 0.1}, 2, &w), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "ends after 1 draws"));
    sz_script_free(s);
}

static void moves_without_scores_are_accepted(void **state) {
    sz_script *s = script_of("a ~ uniform(0, 1); b ~ uniform(0, 1); return a + b");
    sz_program p = sz_script_program(s);
    double samples[200];
    size_t accepted;
    SZ_CHECK_OK(sz_program_mcmc(&p, 3, 0, 1, 200, samples, &accepted));
    assert_int_equal(accepted, 200);
    sz_script_free(s);
    s = script_of("return 4");
    p = sz_script_program(s);
    SZ_CHECK_OK(sz_program_mcmc(&p, 3, 0, 1, 5, samples, &accepted));
    SZ_CHECK_ABS(samples[4], 4, 0);
    sz_script_free(s);
}

static void dead_programs_are_results(void **state) {
    sz_script *s = script_of("a ~ flip(0.5); score 0; return a");
    sz_program p = sz_script_program(s);
    double out[8], w[8];
    sz_smc_account a;
    size_t accepted;
    sz_law_report r;
    SZ_CHECK_OK(sz_program_smc(&p, &(sz_population_config){.n_particles = 8}, out, w, &a));
    assert_true(a.log_evidence == -INFINITY && isnan(out[0]) && w[0] == -INFINITY);
    assert_int_equal(sz_program_mcmc(&p, 1, 0, 1, 1, out, &accepted), SZ_E_STATE);
    assert_int_equal(
        sz_program_pimh(&p, &(sz_population_config){.n_particles = 2}, 1, out, &accepted),
        SZ_E_STATE);
    SZ_CHECK_OK(sz_program_check(&p, NULL, &r));
    assert_true(r.n_broken == 0 && r.log_evidence == -INFINITY);
    sz_script_free(s);
}

static void bad_programs_are_refused(void **state) {
    static const struct {
        const char *text, *error;
        sz_status status;
    } cases[] = {
        {"a ~ flip(0.5)\nscore a - 1\nreturn a", "line 2: the score is -1", SZ_E_NAN},
        {"score exp(1000)\nreturn 1", "line 1: the score is inf", SZ_E_NAN},
        {"logscore log(0) - log(0)\nreturn 1", "line 1", SZ_E_NAN},
        {"a ~ flip(2)\nreturn a", "line 1: flip(2)", SZ_E_ARG},
        {"while 1 { }\nreturn 1", "more than 10000000 statements", SZ_E_LIMIT},
        {"while 1 { score 1 }\nreturn 1", "goes on after", SZ_E_LIMIT},
        {"y = [1]\nreturn y[1]", "line 2: element 1 of an array of 1", SZ_E_ARG},
        {"if 0 { x = 1 }\nreturn x", "line 2: 'x' is used before it is set", SZ_E_ARG},
        {"p = [0.5, 0.4]\nx ~ categorical(p)\nreturn x", "sum to 0.9", SZ_E_ARG},
        {"if 0 { return 1 }", "ends without 'return'", SZ_E_STATE},
        {"return 0/0", "line 1: what is returned", SZ_E_NAN},
        {"x ~ normal(0, 0)\nreturn x", "deviation", SZ_E_ARG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sz_script *s = script_of(cases[i].text);
        sz_program p = sz_script_program(s);
        double out[2], w[2];
        sz_smc_account a;
        sz_status status =
            sz_program_smc(&p, &(sz_population_config){.n_particles = 2}, out, w, &a);
        if (status != cases[i].status || !strstr(sz_last_error(), cases[i].error))
            fail_msg("%s: %s: %s", cases[i].text, sz_status_name(status), sz_last_error());
        sz_script_free(s);
    }
    sz_script *s = script_of("return 1");
    sz_program p = sz_script_program(s);
    double out[1], w[1];
    sz_smc_account a;
    assert_int_equal(sz_program_smc(&p, &(sz_population_config){0}, out, w, &a), SZ_E_ARG);
    SZ_CHECK_OK(sz_program_smc(&p, &(sz_population_config){.n_particles = 1}, out, w, &a));
    SZ_CHECK_ABS(a.log_evidence, 0, 0);
    sz_script_free(s);
}

static void bad_texts_are_refused(void **state) {
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "no 'return'"},
        {"x = 1", "no 'return'"},
        {"return y", "'y' is used but never set"},
        {"x = \nreturn x", "line 1: a value is missing"},
        {"x ~ poisson(3)\nreturn x", "line 1: 'poisson' stands where a distribution"},
        {"x = 1 2\nreturn x", "line 1: '2' stands where the end of the line"},
        {"if 1 { return 1", "'}' is missing at the end"},
        {"x = (1\nreturn x", "line 2"},
        {"x = [1, z]\nz = 3; return x[0]", "line 1: arrays hold constants"},
        {"return = 3", "a value belongs before"},
        {"x = 1 ?\nreturn x", "0x3f"},
        {"observe 1 normal(0, 1)\nreturn 1", "'~'"},
        {"x = min(1)\nreturn x", "','"},
        {"while = 3\nreturn 1", "line 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sz_script *s = NULL;
        sz_status status = sz_script_compile(cases[i].text, strlen(cases[i].text), &s);
        if (status != SZ_E_FORMAT || !strstr(sz_last_error(), cases[i].error))
            fail_msg("%s: %s: %s", cases[i].text, sz_status_name(status), sz_last_error());
    }
    char deep[4000];
    memset(deep, '(', sizeof deep);
    sz_script *s;
    assert_int_equal(sz_script_compile(deep, sizeof deep, &s), SZ_E_FORMAT);
    memcpy(deep, "return ", 7);
    assert_int_equal(sz_script_compile(deep, sizeof deep, &s), SZ_E_LIMIT);
    memset(deep + 7, '-', sizeof deep - 7);
    assert_int_equal(sz_script_compile(deep, sizeof deep, &s), SZ_E_LIMIT);
}

static void data_comes_from_outside(void **state) {
    sz_script *s = script_of("y = [1]\np = 0.5; i = 0\n"
                             "while i < len(y) { observe y[i] ~ flip(p); i = i + 1 }\nreturn i");
    sz_program p = sz_script_program(s);
    double y[3] = {1, 0, 1}, rate = 0.25;
    sz_atoms m = {0};
    SZ_CHECK_OK(sz_script_set(s, "y", y, 3));
    SZ_CHECK_OK(sz_script_set(s, "p", &rate, 1));
    SZ_CHECK_OK(sz_program_measure(&p, 10, &m));
    SZ_CHECK_REL(m.mass[0], 0.25 * 0.75 * 0.25, 1e-12);
    assert_int_equal(sz_script_set(s, "q", y, 1), SZ_E_NOTFOUND);
    sz_atoms_free(&m);
    sz_script_free(s);
    s = script_of("x ~ flip(0.5); return x");
    assert_int_equal(sz_script_set(s, "x", y, 1), SZ_E_ARG);
    sz_script_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_are_the_exact_ones),
        cmocka_unit_test(kernels_are_the_exact_ones),
        cmocka_unit_test(conjugate_models_have_their_evidence),
        cmocka_unit_test(chains_reach_the_posterior),
        cmocka_unit_test(particle_marginal_moves_reach_the_posterior),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(bind_obeys_its_laws),
        cmocka_unit_test(independent_draws_commute),
        cmocka_unit_test(all_laws_hold),
        cmocka_unit_test(programs_that_remember_are_caught),
        cmocka_unit_test(true_values_have_uniform_ranks),
        cmocka_unit_test(wrong_data_break_the_ranks),
        cmocka_unit_test(traces_have_their_length),
        cmocka_unit_test(moves_without_scores_are_accepted),
        cmocka_unit_test(dead_programs_are_results),
        cmocka_unit_test(bad_programs_are_refused),
        cmocka_unit_test(bad_texts_are_refused),
        cmocka_unit_test(data_comes_from_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
