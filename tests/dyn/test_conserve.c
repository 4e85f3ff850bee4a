/* test_conserve.c: predictions under conservation laws: reference values, identities, limits, and
 * what is refused. */
#include "check.h"

#include <math.h>
#include <string.h>

#include <szilard/unstable/conserve.h>
#include <szilard/unstable/num.h>

enum { MOST = 8 };

static double number(const sz_json *v) {
    return v->type == SZ_JSON_INT ? (double)v->u.i : v->u.f;
}

static size_t fill(const sz_json *v, double *out) {
    size_t n = 0;
    if (v->type != SZ_JSON_ARRAY) {
        *out = number(v);
        return 1;
    }
    for (const sz_json *c = v->u.child; c; c = c->next)
        n += fill(c, out + n);
    return n;
}

static size_t get(const sz_json *c, const char *side, const char *key, double *out) {
    const sz_json *v = sz_json_get(sz_json_get(c, side), key);
    return v ? fill(v, out) : 0;
}

static void near_all(const sz_json *c, const char *key, const double *got, double tolerance) {
    double want[MOST * MOST];
    size_t n = get(c, "expect", key, want);
    for (size_t i = 0; i < n; i++)
        SZ_CHECK_ABS(got[i], want[i], tolerance);
}

/* ---- Reference values ------------------------------------------------------------------------ */

static void check_update(const sz_json *c) {
    double mu[MOST], cov[MOST * MOST], g[2 * MOST], b[2], noise, mean[MOST], out[MOST * MOST];
    sz_conserve_problem p = {.mean = mu, .cov = cov, .g = g, .b = b};
    p.n = get(c, "input", "mu", mu);
    p.k = get(c, "input", "b", b);
    assert_int_equal(get(c, "input", "g", g), p.k * p.n);
    assert_int_equal(get(c, "input", "cov", cov), p.n * p.n);
    get(c, "input", "var_g", &noise);
    p.noise = noise;
    SZ_CHECK_OK(sz_conserve_update(&p, mean, NULL, out, NULL));
    near_all(c, "mu", mean, 1e-9);
    near_all(c, "cov", out, 1e-9);
    double left = -b[0];
    for (size_t i = 0; i < p.n; i++)
        left += g[i] * mean[i];
    near_all(c, "conservation_error", &left, 1e-9);
}

static void check_project(const sz_json *c) {
    double mu[MOST], g[MOST], b, out[MOST];
    size_t n = get(c, "input", "mu", mu);
    get(c, "input", "g", g);
    get(c, "input", "b", &b);
    SZ_CHECK_OK(sz_conserve_project(mu, n, g, &b, 1, out));
    near_all(c, "mu", out, 1e-10);
}

static void check_diffusion(const sz_json *c) {
    double mu[MOST], var[MOST], g[MOST], b, alpha, smooth[MOST], cov[MOST * MOST], mean[MOST],
        out[MOST * MOST];
    size_t n = get(c, "input", "mu", mu);
    get(c, "input", "var", var);
    get(c, "input", "g", g);
    get(c, "input", "b", &b);
    get(c, "input", "alpha", &alpha);
    SZ_CHECK_OK(sz_conserve_diffuse(mu, var, n, alpha, smooth, cov));
    near_all(c, "mu_diffused", smooth, 1e-9);
    near_all(c, "cov_diffused", cov, 1e-9);
    sz_conserve_problem p = {.n = n, .k = 1, .mean = smooth, .cov = cov, .g = g, .b = &b};
    SZ_CHECK_OK(sz_conserve_update(&p, mean, NULL, out, NULL));
    near_all(c, "mu", mean, 1e-9);
    near_all(c, "cov", out, 1e-9);
}

static void check_gain(const sz_json *c) {
    double mu[MOST], cov[MOST * MOST], g[MOST], u[MOST], noise, b = 0, mean[MOST], gain;
    size_t n = get(c, "input", "mu", mu);
    get(c, "input", "cov", cov);
    get(c, "input", "g", g);
    get(c, "input", "u_true", u);
    get(c, "input", "var_g", &noise);
    for (size_t i = 0; i < n; i++)
        b += g[i] * u[i];
    near_all(c, "b", &b, 1e-12);
    sz_conserve_problem p = {
        .n = n, .k = 1, .mean = mu, .cov = cov, .g = g, .b = &b, .noise = noise};
    SZ_CHECK_OK(sz_conserve_update(&p, mean, NULL, NULL, &gain));
    near_all(c, "gain_nats", &gain, 1e-7);
}

static void check_field(const sz_json *c, sz_conserve_law law, const char *key) {
    double parameter, t, x[MOST], u[MOST];
    sz_conserve_truth truth;
    size_t n = get(c, "input", "x", x);
    get(c, "input", key, &parameter);
    get(c, "input", "t", &t);
    SZ_CHECK_OK(sz_conserve_field(law, parameter, t, x, n, u, &truth));
    near_all(c, "u", u, 1e-9);
    near_all(c, "mass", &truth.mass, 1e-9);
    near_all(c, "front", &truth.front, 1e-9);
}

static void check_case(const sz_json *c) {
    static const char *const laws[] = {"heat", "porous", "stefan", "advection", "burgers"};
    static const char *const keys[] = {"k", "m", "u_star", "beta", "a"};
    const char *name = sz_json_get(c, "name")->u.s;
    double x[MOST], w[MOST], u[MOST], mu[MOST], var[MOST], mse, loglik;
    for (size_t i = 0; i < SZ_LAWS; i++)
        if (strncmp(name, laws[i], strlen(laws[i])) == 0) {
            assert_string_equal(laws[i], sz_conserve_law_names[i]);
            check_field(c, (sz_conserve_law)i, keys[i]);
            return;
        }
    if (strcmp(name, "trapezoid_weights") == 0) {
        size_t n = get(c, "input", "x", x);
        SZ_CHECK_OK(sz_conserve_trapezoid(x, n, w));
        near_all(c, "w", w, 1e-12);
    } else if (strcmp(name, "metrics") == 0) {
        size_t n = get(c, "input", "u", u);
        get(c, "input", "mu", mu);
        get(c, "input", "var", var);
        SZ_CHECK_OK(sz_conserve_score(u, mu, var, n, &mse, &loglik));
        near_all(c, "mse", &mse, 1e-10);
        near_all(c, "loglik_mean_nats", &loglik, 1e-10);
    } else if (strcmp(name, "hard_projection") == 0) {
        check_project(c);
    } else if (strncmp(name, "artificial", 10) == 0) {
        check_diffusion(c);
    } else if (strncmp(name, "log_density", 11) == 0) {
        check_gain(c);
    } else {
        check_update(c);
    }
}

static void reference_values(void **state) {
    sz_buf text = {0};
    sz_arena *arena;
    sz_json *root;
    size_t checked = 0;
    SZ_CHECK_OK(sz_file_read(SZ_TEST_VECTORS "/48-probconserv.json", 1 << 24, &text));
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    SZ_CHECK_OK(sz_json_parse(text.data, text.len, arena, &root));
    for (const sz_json *c = sz_json_get(root, "cases")->u.child; c; c = c->next, checked++)
        check_case(c);
    assert_int_equal(checked, 26);
    sz_arena_free(arena);
    sz_buf_free(&text);
}

/* ---- Identities ------------------------------------------------------------------------------ */

enum { N = 12 };
static uint64_t counter;

static double random_real(void) {
    return 2 * sz_uniform(7, 1, counter++) - 1;
}

/* mean, constraints [2][N], b, and a covariance F F^T with its diagonal. */
typedef struct sample {
    double mean[N], g[2 * N], b[2], cov[N * N], var[N];
} sample;

static sample draw_sample(void) {
    sample s;
    double f[N * N];
    for (size_t i = 0; i < N * N; i++)
        f[i] = random_real();
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            s.cov[i * N + j] = i == j ? 0.1 : 0;
            for (size_t a = 0; a < N; a++)
                s.cov[i * N + j] += f[i * N + a] * f[j * N + a];
        }
    for (size_t i = 0; i < N; i++) {
        s.mean[i] = random_real();
        s.var[i] = s.cov[i * N + i];
        s.g[i] = random_real();
        s.g[N + i] = random_real();
    }
    s.b[0] = random_real();
    s.b[1] = random_real();
    return s;
}

static double error_of(const sample *s, size_t row, const double *mean) {
    double left = -s->b[row];
    for (size_t i = 0; i < N; i++)
        left += s->g[row * N + i] * mean[i];
    return left;
}

static sz_conserve_problem problem(const sample *s, size_t k, double noise) {
    return (sz_conserve_problem){
        .n = N, .k = k, .mean = s->mean, .cov = s->cov, .g = s->g, .b = s->b, .noise = noise};
}

static void exact_constraints_hold_once_and_twice(void **state) {
    for (int round = 0; round < 30; round++) {
        sample s = draw_sample();
        double mean[N], cov[N * N], again[N], cov_again[N * N];
        sz_conserve_problem p = problem(&s, 2, 0);
        SZ_CHECK_OK(sz_conserve_update(&p, mean, NULL, cov, NULL));
        SZ_CHECK_ABS(error_of(&s, 0, mean), 0, 1e-12);
        SZ_CHECK_ABS(error_of(&s, 1, mean), 0, 1e-12);
        for (size_t i = 0; i < N; i++) {
            assert_true(cov[i * N + i] >= 0 && cov[i * N + i] <= s.cov[i * N + i] + 1e-12);
            double along = 0;
            for (size_t j = 0; j < N; j++)
                along += cov[i * N + j] * s.g[j];
            SZ_CHECK_ABS(along, 0, 1e-10);
        }
        p.mean = mean;
        p.cov = s.cov;
        SZ_CHECK_OK(sz_conserve_update(&p, again, NULL, cov_again, NULL));
        for (size_t i = 0; i < N; i++)
            SZ_CHECK_ABS(again[i], mean[i], 1e-12);
    }
}

static void order_and_scale_do_not_matter(void **state) {
    sample s = draw_sample(), swapped = s;
    double both[N], other[N], first[N], then[N], cov[N * N], doubled[N * N];
    memcpy(swapped.g, s.g + N, N * sizeof *s.g);
    memcpy(swapped.g + N, s.g, N * sizeof *s.g);
    swapped.b[0] = s.b[1];
    swapped.b[1] = s.b[0];
    sz_conserve_problem p = problem(&s, 2, 0), q = problem(&swapped, 2, 0);
    SZ_CHECK_OK(sz_conserve_update(&p, both, NULL, NULL, NULL));
    SZ_CHECK_OK(sz_conserve_update(&q, other, NULL, NULL, NULL));
    sz_conserve_problem one = problem(&s, 1, 0);
    SZ_CHECK_OK(sz_conserve_update(&one, first, NULL, cov, NULL));
    sz_conserve_problem two = {
        .n = N, .k = 1, .mean = first, .cov = cov, .g = s.g + N, .b = s.b + 1};
    SZ_CHECK_OK(sz_conserve_update(&two, then, NULL, NULL, NULL));
    for (size_t i = 0; i < N; i++) {
        SZ_CHECK_ABS(other[i], both[i], 1e-11);
        SZ_CHECK_ABS(then[i], both[i], 1e-10);
    }
    for (size_t i = 0; i < N * N; i++)
        doubled[i] = 7 * s.cov[i];
    p.cov = doubled;
    SZ_CHECK_OK(sz_conserve_update(&p, other, NULL, NULL, NULL));
    for (size_t i = 0; i < N; i++)
        SZ_CHECK_ABS(other[i], both[i], 1e-11);
}

static void a_diagonal_is_a_covariance(void **state) {
    for (size_t k = 1; k <= 2; k++) {
        sample s = draw_sample();
        double dense[N * N] = {0}, mean[N], var[N], cov[N * N], mean2[N], var2[N], cov2[N * N];
        double gain, gain2;
        for (size_t i = 0; i < N; i++)
            dense[i * N + i] = s.var[i];
        sz_conserve_problem p = problem(&s, k, 0.01);
        p.cov = dense;
        SZ_CHECK_OK(sz_conserve_update(&p, mean, var, cov, &gain));
        p.cov = NULL;
        p.var = s.var;
        SZ_CHECK_OK(sz_conserve_update(&p, mean2, var2, cov2, &gain2));
        SZ_CHECK_ABS(gain2, gain, 1e-12);
        for (size_t i = 0; i < N; i++) {
            SZ_CHECK_ABS(mean2[i], mean[i], 1e-13);
            SZ_CHECK_ABS(var2[i], var[i], 1e-13);
        }
        for (size_t i = 0; i < N * N; i++)
            SZ_CHECK_ABS(cov2[i], cov[i], 1e-13);
    }
}

static void less_noise_leaves_less_error(void **state) {
    sample s = draw_sample();
    double before = fabs(error_of(&s, 0, s.mean)), mean[N], gain;
    for (double noise = 100; noise > 1e-6; noise /= 10) {
        sz_conserve_problem p = problem(&s, 1, noise);
        SZ_CHECK_OK(sz_conserve_update(&p, mean, NULL, NULL, &gain));
        double left = fabs(error_of(&s, 0, mean));
        assert_true(left < before && gain > 0);
        before = left;
    }
}

static void equal_variances_are_the_projection(void **state) {
    sample s = draw_sample();
    double mean[N], nearest[N];
    for (size_t i = 0; i < N; i++)
        s.var[i] = 3;
    sz_conserve_problem p = problem(&s, 2, 0);
    p.var = s.var;
    SZ_CHECK_OK(sz_conserve_update(&p, mean, NULL, NULL, NULL));
    SZ_CHECK_OK(sz_conserve_project(s.mean, N, s.g, s.b, 2, nearest));
    for (size_t i = 0; i < N; i++)
        SZ_CHECK_ABS(mean[i], nearest[i], 1e-12);
}

/* The band's update is the general one, with a noise of its own for each second difference: with
 * neighbours that hardly vary the mean becomes a line. */
static void diffusion_smooths(void **state) {
    double mean[N], var[N], out[N], cov[N * N], before = 0, after = 0;
    for (size_t i = 0; i < N; i++) {
        mean[i] = i % 2;
        var[i] = 1;
    }
    SZ_CHECK_OK(sz_conserve_diffuse(mean, var, N, 1, out, cov));
    for (size_t i = 1; i + 1 < N; i++) {
        before += fabs(mean[i - 1] - 2 * mean[i] + mean[i + 1]);
        after += fabs(out[i - 1] - 2 * out[i] + out[i + 1]);
        SZ_CHECK_ABS(cov[i * N + i - 1], cov[(i - 1) * N + i], 1e-14);
        assert_true(cov[i * N + i] > 0 && cov[i * N + i] <= 1);
    }
    assert_true(after < 0.2 * before);
    double plain[N];
    SZ_CHECK_OK(sz_conserve_diffuse(mean, var, N, 1, plain, NULL));
    assert_memory_equal(plain, out, sizeof plain);
}

/* Masses are the integrals of the fields. */
static void masses_are_integrals(void **state) {
    enum { POINTS = 20001 };
    static const struct {
        sz_conserve_law law;
        double parameter, t, from, to, error;
    } cases[] = {{SZ_LAW_HEAT, 2, 0.3, 0, 6.28318530717958648, 1e-9},
                 {SZ_LAW_POROUS, 1, 0.5, 0, 1, 1e-7},
                 {SZ_LAW_POROUS, 3, 0.5, 0, 1, 1e-4},
                 {SZ_LAW_STEFAN, 0.6, 0.05, 0, 1, 1e-4},
                 {SZ_LAW_ADVECTION, 3, 0.1, 0, 1, 1e-4},
                 {SZ_LAW_BURGERS, 1, 0.5, -1, 1, 1e-7},
                 {SZ_LAW_BURGERS, 3, 0.5, -1, 1, 1e-3}};
    static double x[POINTS], u[POINTS], w[POINTS];
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        sz_conserve_truth truth;
        double mass = 0;
        for (size_t i = 0; i < POINTS; i++)
            x[i] = cases[c].from + (cases[c].to - cases[c].from) * (double)i / (POINTS - 1);
        SZ_CHECK_OK(
            sz_conserve_field(cases[c].law, cases[c].parameter, cases[c].t, x, POINTS, u, &truth));
        SZ_CHECK_OK(sz_conserve_trapezoid(x, POINTS, w));
        for (size_t i = 0; i < POINTS; i++)
            mass += w[i] * u[i];
        SZ_CHECK_ABS(mass, truth.mass, cases[c].error);
    }
}

/* ---- What is refused ------------------------------------------------------------------------- */

static void refused(sz_conserve_problem p, const char *part) {
    double mean[N];
    assert_int_not_equal(sz_conserve_update(&p, mean, NULL, NULL, NULL), SZ_OK);
    if (!strstr(sz_last_error(), part))
        fail_msg("'%s' lacks '%s'", sz_last_error(), part);
}

static void bad_input_is_named(void **state) {
    sample s = draw_sample();
    double zero[N] = {0}, mean[N], x[3] = {0, 1, 1}, w[3];
    sz_conserve_problem p = problem(&s, 1, 0);
    p.var = zero;
    refused(p, "constraint 0 cannot be met: zero variance along it");
    s.b[0] = 0;
    for (size_t i = 0; i < N; i++)
        s.b[0] += s.g[i] * s.mean[i];
    SZ_CHECK_OK(sz_conserve_update(&p, mean, NULL, NULL, NULL)); /* it is met already */
    assert_memory_equal(mean, s.mean, sizeof mean);

    memcpy(s.g + N, s.g, N * sizeof *s.g); /* the same row twice */
    s.b[0] = 1;
    s.b[1] = 2;
    refused(problem(&s, 2, 0), "contradicts others");
    s.b[1] = 1;
    p = problem(&s, 2, 0);
    SZ_CHECK_OK(sz_conserve_update(&p, mean, NULL, NULL, NULL));
    SZ_CHECK_ABS(error_of(&s, 0, mean), 0, 1e-12);

    s = draw_sample();
    s.cov[3] += 1;
    refused(problem(&s, 1, 0), "not those of a field");
    s = draw_sample();
    s.cov[2 * N + 2] = -1;
    refused(problem(&s, 1, 0), "the variance of entry 2 is -1");
    s = draw_sample();
    s.mean[4] = NAN;
    refused(problem(&s, 1, 0), "entry 4 is not finite");
    s = draw_sample();
    s.b[0] = INFINITY;
    refused(problem(&s, 1, 0), "b of constraint 0");
    s = draw_sample();
    refused(problem(&s, 1, -1), "variance is -1");
    refused(problem(&s, N + 1, 0), "13 constraints of 12");
    assert_int_equal(sz_conserve_trapezoid(x, 3, w), SZ_E_ARG);
    sz_conserve_truth truth;
    assert_int_equal(sz_conserve_field(SZ_LAW_STEFAN, 1, 1, x, 3, w, &truth), SZ_E_ARG);
    assert_int_equal(sz_conserve_diffuse(s.mean, s.var, 2, 0.5, mean, NULL), SZ_E_ARG);
    double g = 2, b = 3, one = 1, out; /* a single value */
    p = (sz_conserve_problem){.n = 1, .k = 1, .mean = &one, .var = &one, .g = &g, .b = &b};
    SZ_CHECK_OK(sz_conserve_update(&p, &out, NULL, NULL, NULL));
    SZ_CHECK_ABS(out, 1.5, 1e-15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_values),
        cmocka_unit_test(exact_constraints_hold_once_and_twice),
        cmocka_unit_test(order_and_scale_do_not_matter),
        cmocka_unit_test(a_diagonal_is_a_covariance),
        cmocka_unit_test(less_noise_leaves_less_error),
        cmocka_unit_test(equal_variances_are_the_projection),
        cmocka_unit_test(diffusion_smooths),
        cmocka_unit_test(masses_are_integrals),
        cmocka_unit_test(bad_input_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
