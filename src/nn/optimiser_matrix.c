/* optimiser_matrix.c: rules that look at a matrix as a whole: Muon and Adafactor. */
#include "optimiser.h"

#include <math.h>

#include <szilard/unstable/num.h>

static sz_status take(sz_optimiser *o, size_t n, float **out) {
    *out = sz_arena_alloc(o->arena, n * sizeof **out);
    SZ_REQUIRE(*out, SZ_E_NOMEM, "no memory for a step of %zu elements", n);
    return SZ_OK;
}

static double norm_of(const sz_optimiser *o, const float *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i += SZ_STEP_CHUNK) {
        size_t left = n - i < SZ_STEP_CHUNK ? n - i : SZ_STEP_CHUNK;
        sum += (double)o->kernels->dot(x + i, x + i, left);
    }
    return sqrt(sum);
}

/* ---- Muon
 * ----------------------------------------------------------------------------------------
 */

/* x [n][m], n <= m, towards its orthogonal factor: five times x = a x + (b A + c A A) x, A = x x^T
 * (Newton and Schulz with the coefficients of Jordan et al.). y and s are scratch. */
static sz_status orthogonalise(sz_optimiser *o, float *x, size_t n, size_t m) {
    static const float a = 3.4445f, b = -4.7750f, c = 2.0315f;
    float *gram, *polynomial, *next;
    SZ_TRY(take(o, n * n, &gram));
    SZ_TRY(take(o, n * n, &polynomial));
    SZ_TRY(take(o, n * m, &next));
    float by = 1 / ((float)norm_of(o, x, n * m) + 1e-7f);
    o->kernels->scale(x, by, n * m, x);
    for (int round = 0; round < 5; round++) {
        sz_gemm of_gram = {n, n, m, {x, m, 1}, {x, 1, m}, gram, n, false};
        sz_gemm square = {n, n, n, {gram, n, 1}, {gram, n, 1}, polynomial, n, false};
        sz_gemm apply = {n, m, n, {polynomial, n, 1}, {x, m, 1}, next, m, false};
        SZ_TRY(sz_gemm_run(o->kernels, o->pool, o->arena, &of_gram));
        SZ_TRY(sz_gemm_run(o->kernels, o->pool, o->arena, &square));
        for (size_t i = 0; i < n * n; i++)
            polynomial[i] = b * gram[i] + c * polynomial[i];
        SZ_TRY(sz_gemm_run(o->kernels, o->pool, o->arena, &apply));
        for (size_t i = 0; i < n * m; i++)
            x[i] = a * x[i] + next[i];
    }
    return SZ_OK;
}

static sz_status muon(sz_optimiser *o, slot *s) {
    bool tall = s->n_rows > s->n_cols;
    size_t n = tall ? s->n_cols : s->n_rows, m = tall ? s->n_rows : s->n_cols;
    const float *g = s->p.tensor->grad;
    float *momentum = s->state[0], *p = s->p.tensor->data, *x, beta = (float)o->config.beta1;
    SZ_TRY(take(o, s->n, &x));
    for (size_t i = 0; i < s->n; i++) {
        float slope = g[i] * o->scale;
        momentum[i] = beta * momentum[i] + (1 - beta) * slope;
        size_t to = tall ? i % s->n_cols * s->n_rows + i / s->n_cols : i;
        x[to] = beta * momentum[i] + (1 - beta) * slope; /* Nesterov's */
    }
    SZ_TRY(orthogonalise(o, x, n, m));
    float rate = o->rate * 0.2f * __builtin_sqrtf((float)m), left = sz_left(o, s);
    for (size_t i = 0; i < s->n; i++) {
        size_t from = tall ? i % s->n_cols * s->n_rows + i / s->n_cols : i;
        p[i] = p[i] * left - rate * x[from];
    }
    return SZ_OK;
}

sz_status sz_step_muon(sz_optimiser *o, slot *s) {
    sz_arena_mark mark = sz_arena_get_mark(o->arena);
    sz_status status = muon(o, s);
    sz_arena_rewind(o->arena, mark);
    return status;
}

/* ---- Adafactor
 * -----------------------------------------------------------------------------------
 */

/* Running means of squares: of rows and columns, whose product stands for the whole. */
static void factor(const sz_optimiser *o, slot *s, float keep, float *u) {
    float *rows = s->state[0], *cols = s->state[1], eps = (float)o->config.eps;
    const float *g = s->p.tensor->grad;
    double mean = 0;
    for (size_t j = 0; j < s->n_cols; j++)
        cols[j] *= keep;
    for (size_t i = 0; i < s->n_rows; i++) {
        const float *line = g + i * s->n_cols;
        float square = o->kernels->dot(line, line, s->n_cols) * o->scale * o->scale;
        rows[i] = keep * rows[i] + (1 - keep) * (square / (float)s->n_cols + eps);
        mean += (double)rows[i] / (double)s->n_rows;
        for (size_t j = 0; j < s->n_cols; j++) {
            float slope = line[j] * o->scale;
            cols[j] += (1 - keep) * ((slope * slope + eps) / (float)s->n_rows);
        }
    }
    for (size_t i = 0; i < s->n; i++) {
        float v = rows[i / s->n_cols] / (float)mean * cols[i % s->n_cols];
        u[i] = g[i] * o->scale / __builtin_sqrtf(v);
    }
}

static void whole(const sz_optimiser *o, slot *s, float keep, float *u) {
    float *v = s->state[0], eps = (float)o->config.eps;
    for (size_t i = 0; i < s->n; i++) {
        float slope = s->p.tensor->grad[i] * o->scale;
        v[i] = keep * v[i] + (1 - keep) * (slope * slope + eps);
        u[i] = slope / __builtin_sqrtf(v[i]);
    }
}

sz_status sz_step_adafactor(sz_optimiser *o, slot *s) {
    sz_arena_mark mark = sz_arena_get_mark(o->arena);
    float *u, *p = s->p.tensor->data, left = sz_left(o, s);
    SZ_TRY(take(o, s->n, &u));
    float keep = (float)(1 - sz_pow((double)o->steps, -0.8));
    if (s->factored)
        factor(o, s, keep, u);
    else
        whole(o, s, keep, u);
    double rms = norm_of(o, u, s->n) / sqrt((double)s->n); /* steps larger than 1 are cut */
    float rate = o->rate / (float)(rms > 1 ? rms : 1);
    for (size_t i = 0; i < s->n; i++)
        p[i] = p[i] * left - rate * u[i];
    sz_arena_rewind(o->arena, mark);
    return SZ_OK;
}
