/* bench_inference.c: what a step of a particle costs.
 *
 *     bench_inference [particles]
 *
 * A hidden Markov model with two states and 64 observations, systematic resampling after every
 * step, as a program in C, as a program's text, and as a bare loop without any of the blocks. Best
 * of five.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/inference.h>
#include <szilard/unstable/num.h>

enum { STEPS = 64, REPEATS = 5 };

typedef struct hmm {
    double trans[2][2], log_emit[2][2];
    int obs[STEPS];
} hmm;
typedef struct state {
    int x, t;
} state;

static sz_status start(const void *env, void *st) {
    (void)env;
    *(state *)st = (state){0, 0};
    return SZ_OK;
}
static sz_status step(const void *env, void *st, const sz_effects *e, double *log_weight,
                      bool *done) {
    const hmm *h = env;
    state *s = st;
    s->x = e->uniform(e->self) >= h->trans[s->x][0];
    *log_weight = h->log_emit[s->x][h->obs[s->t]];
    *done = ++s->t == STEPS;
    return SZ_OK;
}
static double output(const void *env, const void *st) {
    (void)env;
    return ((const state *)st)->x;
}

static void check(sz_status status) {
    if (status != SZ_OK) {
        fprintf(stderr, "bench_inference: %s\n", sz_last_error());
        exit(1);
    }
}

static double best_of(const sz_program *p, size_t n, double *log_z) {
    double *out = sz_alloc(2 * n * sizeof *out), best = 1e9;
    if (!out)
        exit(1);
    for (uint64_t k = 0; k < REPEATS; k++) {
        sz_smc_account a;
        uint64_t begin = sz_time_ns();
        check(sz_program_smc(p, &(sz_population_config){.n_particles = n, .threshold = 2}, out,
                             out + n, &a));
        double t = (double)(sz_time_ns() - begin) * 1e-9;
        best = t < best ? t : best;
        *log_z = a.log_evidence;
    }
    sz_free(out);
    return best;
}

/* The same work, written out for this one model. */
static double best_of_loop(const hmm *h, size_t n, double *log_z) {
    int *x = sz_alloc(n * sizeof *x), *y = sz_alloc(n * sizeof *y);
    double *w = sz_alloc(n * sizeof *w), best = 1e9;
    if (!x || !y || !w)
        exit(1);
    for (int k = 0; k < REPEATS; k++) {
        uint64_t begin = sz_time_ns();
        memset(x, 0, n * sizeof *x);
        *log_z = 0;
        for (uint64_t t = 0; t < STEPS; t++) {
            double sum = 0, up_to = 0, u = sz_uniform(2, 0, t);
            for (size_t i = 0; i < n; i++) {
                x[i] = sz_uniform(1, i, t) >= h->trans[x[i]][0];
                sum += w[i] = sz_exp(h->log_emit[x[i]][h->obs[t]]);
            }
            *log_z += sz_log(sum / (double)n);
            size_t at = 0;
            for (size_t i = 0; i < n && t + 1 < STEPS; i++) {
                while (up_to + w[at] <= ((double)i + u) / (double)n * sum && at + 1 < n)
                    up_to += w[at++];
                y[i] = x[at];
            }
            memcpy(x, y, t + 1 < STEPS ? n * sizeof *x : 0);
        }
        double t = (double)(sz_time_ns() - begin) * 1e-9;
        best = t < best ? t : best;
    }
    sz_free(x);
    sz_free(y);
    sz_free(w);
    return best;
}

static void tell(const char *what, size_t n, double seconds, double loop, double log_z) {
    printf("%-14s %7.2f M particle-steps/s, %5.2f of the bare loop, ln Z %.4f\n", what,
           (double)(n * STEPS) / seconds * 1e-6, loop / seconds, log_z);
}

int main(int argc, char **argv) {
    size_t n = argc > 1 ? (size_t)atol(argv[1]) : 100000;
    hmm h = {.trans = {{0.75, 0.25}, {1.0 / 3, 2.0 / 3}}};
    double emit[2][2] = {{0.7, 0.3}, {0.2, 0.8}}, z;
    sz_buf text = {0};
    for (int i = 0; i < 4; i++)
        h.log_emit[i / 2][i % 2] = sz_log(emit[i / 2][i % 2]);
    sz_buf_puts(&text, "y = [");
    for (int t = 0; t < STEPS; t++) {
        h.obs[t] = sz_uniform(7, 7, (uint64_t)t) < 0.5;
        sz_buf_printf(&text, "%s%d", t ? "," : "", h.obs[t]);
    }
    sz_buf_puts(&text, "]; x = 0; t = 0\nwhile t < 64 { x ~ flip([0.25, 2/3][x]);"
                       "observe y[t] ~ flip([0.3, 0.8][x]); t = t + 1 }\nreturn x\n");
    sz_script *s;
    check(sz_script_compile(text.data, text.len, &s));
    sz_program in_c = {&h, sizeof(state), start, step, output}, as_text = sz_script_program(s);
    double loop = best_of_loop(&h, n, &z);
    tell("bare loop", n, loop, loop, z);
    double t = best_of(&in_c, n, &z);
    tell("program in C", n, t, loop, z);
    t = best_of(&as_text, n / 10 + 1, &z) * (double)n / (double)(n / 10 + 1);
    tell("program text", n, t, loop, z);
    sz_script_free(s);
    sz_buf_free(&text);
    return 0;
}
