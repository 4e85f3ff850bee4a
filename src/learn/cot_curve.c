/* cot_curve.c: how many examples a consistent learner really needs, with traces and without. */
#include "cot.h"
#include <string.h>

typedef struct learner {
    const sz_cot_class *c;
    const uint32_t *table; /* outputs, or outputs and traces */
    const double *risk;    /* [n_hypotheses] */
    size_t star;
    uint32_t *alive; /* consistent hypotheses, [n] */
    size_t n;
} learner;

static void forget(learner *l) {
    l->n = l->c->n_hypotheses;
    for (size_t h = 0; h < l->n; h++)
        l->alive[h] = (uint32_t)h;
}

static void learn(learner *l, size_t x) {
    size_t n_x = l->c->n_inputs, kept = 0;
    uint32_t truth = l->table[l->star * n_x + x];
    for (size_t i = 0; i < l->n; i++)
        if (l->table[l->alive[i] * n_x + x] == truth)
            l->alive[kept++] = l->alive[i];
    l->n = kept;
}

static double worst(const learner *l) {
    double most = 0.0;
    for (size_t i = 0; i < l->n; i++)
        most = l->risk[l->alive[i]] > most ? l->risk[l->alive[i]] : most;
    return most;
}

static double average(const learner *l) {
    double sum = 0.0;
    for (size_t i = 0; i < l->n; i++)
        sum += l->risk[l->alive[i]];
    return sum / (double)l->n;
}

/* ---- Examples ----------------------------------------------------------------------------------
 */

typedef struct study {
    const sz_cot_class *c;
    double *risk, *up_to; /* [n_hypotheses], [n_inputs] */
    learner l[2];         /* with traces, without */
    uint64_t seed;
} study;

static size_t example(const study *s, uint64_t run, uint64_t i) {
    double u = sz_uniform(s->seed, run, i) * s->up_to[s->c->n_inputs - 1];
    size_t low = 0, high = s->c->n_inputs - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->up_to[middle] > u)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void end(study *s) {
    sz_free(s->risk);
    sz_free(s->up_to);
    sz_free(s->l[0].alive);
    sz_free(s->l[1].alive);
}

static sz_status begin(const sz_cot_class *c, size_t star, uint64_t seed, study *s) {
    SZ_TRY(sz_cot_check(c, star, 0.0, 0.5));
    *s = (study){.c = c, .seed = seed};
    s->risk = sz_alloc(c->n_hypotheses * sizeof *s->risk);
    s->up_to = sz_alloc(c->n_inputs * sizeof *s->up_to);
    for (int k = 0; k < 2; k++)
        s->l[k] = (learner){c,
                            k == 0 ? c->yz : c->y,
                            s->risk,
                            star,
                            sz_alloc(c->n_hypotheses * sizeof *s->l[k].alive),
                            0};
    if (!s->risk || !s->up_to || !s->l[0].alive || !s->l[1].alive) {
        end(s);
        return sz_fail(SZ_E_NOMEM, "no memory for %zu hypotheses", c->n_hypotheses);
    }
    for (size_t h = 0; h < c->n_hypotheses; h++)
        s->risk[h] = sz_cot_disagreement(c, star, h, NULL);
    double sum = 0.0;
    for (size_t x = 0; x < c->n_inputs; x++)
        s->up_to[x] = sum += c->p[x];
    return SZ_OK;
}

static size_t until_good(study *s, learner *l, uint64_t run, double eps, size_t most) {
    size_t m = 0;
    forget(l);
    while (worst(l) > eps + SZ_COT_SLACK && m <= most)
        learn(l, example(s, run, m++));
    return m;
}

sz_status sz_cot_curve(const sz_cot_class *c, size_t star, double eps, size_t n_runs,
                       size_t most_examples, uint64_t seed, size_t *with_traces, size_t *without) {
    study s;
    SZ_REQUIRE(eps >= 0.0 && eps < 1.0, SZ_E_ARG, "eps = %g is not in [0, 1)", eps);
    SZ_TRY(begin(c, star, seed, &s));
    for (uint64_t run = 0; run < n_runs; run++) {
        with_traces[run] = until_good(&s, &s.l[0], run, eps, most_examples);
        without[run] = until_good(&s, &s.l[1], run, eps, most_examples);
    }
    end(&s);
    return SZ_OK;
}

sz_status sz_cot_risks(const sz_cot_class *c, size_t star, const size_t *counts, size_t n,
                       size_t n_runs, uint64_t seed, double *with_traces, double *without) {
    study s;
    for (size_t i = 1; i < n; i++)
        SZ_REQUIRE(counts[i] >= counts[i - 1], SZ_E_ARG, "the numbers of examples do not rise");
    SZ_TRY(begin(c, star, seed, &s));
    memset(with_traces, 0, n * sizeof *with_traces);
    memset(without, 0, n * sizeof *without);
    for (uint64_t run = 0; run < n_runs; run++)
        for (int k = 0; k < 2; k++) {
            double *out = k == 0 ? with_traces : without;
            size_t m = 0;
            forget(&s.l[k]);
            for (size_t i = 0; i < n; i++) {
                while (m < counts[i])
                    learn(&s.l[k], example(&s, run, m++));
                out[i] += average(&s.l[k]) / (double)n_runs;
            }
        }
    end(&s);
    return SZ_OK;
}
