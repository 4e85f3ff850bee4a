/* 31_inference.c: blocks of inference keep a program's measure: exactly, by every draw; in the
 * mean, on a linear Gaussian model with the evidence of a Kalman filter; and on a language model
 * cut down to so few texts that all of them can be counted, beside masking, whose law is counted,
 * too. */
#include "repro.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/inference.h>
#include <szilard/unstable/num.h>

/* ---- Exact laws --------------------------------------------------------------------------------
 */

static const char *const programs[] = {
    "a ~ flip(0.7); b ~ flip(0.3)\nif a or b { score 1 } else { score 0.2 }\nreturn 2*a + b",
    "n ~ roll(4)\nif n == 0 { m ~ roll(4); score 1 + m; return 10 + m }\nscore n; return n",
    "y = [1, 0, 0]; x ~ flip(0.625); t = 0\n"
    "while t < 3 {\n"
    "  observe y[t] ~ categorical([[5/14, 4/14, 5/14], [1/7, 5/7, 1/7]][x])\n"
    "  x ~ flip([0.25, 2/3][x]); t = t + 1\n"
    "}\nreturn x",
};

static sz_status exact_laws(sz_repro_run *run) {
    double most = 0;
    size_t n_held = 0, n_broken = 0;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        sz_script *s;
        sz_law_report r;
        SZ_TRY(sz_script_compile(programs[i], strlen(programs[i]), &s));
        sz_program p = sz_script_program(s);
        sz_status status = sz_program_check(&p, NULL, &r);
        sz_script_free(s);
        SZ_TRY(status);
        n_broken += r.n_broken;
        for (size_t k = 0; k < r.n; k++)
            if (r.law[k].outcome != SZ_LAW_SKIPPED) {
                most = r.law[k].error > most ? r.law[k].error : most;
                n_held += r.law[k].outcome == SZ_LAW_HOLDS;
            }
    }
    sz_repro_check(run, "valid", (double)n_broken, "==", 0, "laws broken on three finite programs");
    sz_repro_check(run, "", (double)n_held, ">=", 36, "laws that hold, every draw visited");
    sz_repro_check(run, "", most, "<=", 1e-12, "largest relative error of a measure");
    return SZ_OK;
}

/* ---- A linear Gaussian model -------------------------------------------------------------------
 */

static const char gaussian[] =
    "y = [-1.07906, -0.563287, 0.969272, -0.235006, 1.324347, -1.87253]\n"
    "x ~ normal(1.801421, sqrt(1.744034)); t = 0\n"
    "while t < len(y) {\n"
    "  if t > 0 { x ~ normal(0.76705 * x, sqrt(0.444847)) }\n"
    "  observe y[t] ~ normal(0.938186 * x, sqrt(0.456896)); t = t + 1\n"
    "}\nreturn x";
static const double kalman = -12.66992045693744;

static sz_status evidence(const sz_program *p, size_t n, size_t runs, uint64_t seed, double *mean,
                          double *error, double *variance) {
    double *out = sz_alloc(2 * n * sizeof *out), sum = 0, squares = 0, logs = 0, log_squares = 0;
    SZ_REQUIRE(out, SZ_E_NOMEM, "no memory for %zu particles", n);
    sz_status status = SZ_OK;
    for (uint64_t run = 0; run < runs && status == SZ_OK; run++) {
        sz_smc_account a = {0};
        sz_population_config c = {
            .n_particles = n, .threshold = 2, .seed = seed + n, .stream = run};
        status = sz_program_smc(p, &c, out, out + n, &a);
        double z = sz_exp(a.log_evidence - kalman);
        sum += z;
        squares += z * z;
        logs += a.log_evidence - kalman;
        log_squares += (a.log_evidence - kalman) * (a.log_evidence - kalman);
    }
    sz_free(out);
    double r = (double)runs;
    *mean = sum / r;
    *error = sqrt((squares / r - *mean * *mean) / r);
    *variance = log_squares / r - logs / r * (logs / r);
    return status;
}

static sz_status gaussian_evidence(sz_repro_run *run) {
    static const char *const claims[] = {"0.933 +- 0.024", "1.013 +- 0.012", "0.989 +- 0.006",
                                         "1.001 +- 0.003"};
    static const char *const spreads[] = {"1.86", "0.31", "0.066", "0.017"};
    sz_script *s;
    SZ_TRY(sz_script_compile(gaussian, strlen(gaussian), &s));
    sz_program p = sz_script_program(s);
    size_t sizes = run->smoke ? 3 : 4, runs = run->smoke ? 200 : 2000;
    double before = 0;
    sz_status status = SZ_OK;
    for (size_t k = 0; k < sizes && status == SZ_OK; k++) {
        size_t n = (size_t)16 << 2 * k;
        double mean = 0, error = 0, variance = 0;
        status = evidence(&p, n, runs, run->seed, &mean, &error, &variance);
        if (status != SZ_OK)
            break;
        if (n >= 64)
            sz_repro_check(run, claims[k], fabs(mean - 1) / error, "<=", 5,
                           "%zu particles: Z is %.4f of the true one: off by, standard errors", n,
                           mean);
        if (k > 0) {
            sz_repro_check(run, spreads[k], before / variance, ">=", run->smoke ? 2 : 3,
                           "%zu particles: variance of ln Z %.3g: it falls by", n, variance);
            sz_repro_check(run, "", before / variance, "<=", run->smoke ? 12 : 7,
                           "%zu particles: and no faster than by", n);
        }
        before = variance;
    }
    sz_script_free(s);
    return status;
}

/* ---- A language of four words ------------------------------------------------------------------
 */

enum { WORDS = 4, END = WORDS, LONGEST = 6, PREFIXES = 1365, CLASSES = (LONGEST + 1) * 4 };

/* Probabilities of the next word or the end after each prefix; the longest texts end for certain.
 */
typedef struct language {
    double p[PREFIXES][WORDS + 1];
} language;

typedef struct text {
    int32_t prefix, length, count[2]; /* of the first two words */
    int32_t ended;
} text;

/* As many of the first word as of the second; while a text can grow, it must still be possible. */
static bool hopeful(const text *t) {
    int off = abs(t->count[0] - t->count[1]);
    return t->ended ? off == 0 : off <= LONGEST - t->length;
}

static text grown(text t, size_t word) {
    if (word == END) {
        t.ended = 1;
        return t;
    }
    t.prefix = WORDS * t.prefix + 1 + (int32_t)word;
    t.length++;
    if (word < 2)
        t.count[word]++;
    return t;
}

static const double *next_of(const language *l, const text *t) {
    static const double ends[WORDS + 1] = {[END] = 1};
    return t->length == LONGEST ? ends : l->p[t->prefix];
}

static sz_status text_start(const void *env, void *state) {
    (void)env;
    *(text *)state = (text){0};
    return SZ_OK;
}
static sz_status text_step(const void *env, void *state, const sz_effects *e, double *log_weight,
                           bool *done) {
    text *t = state;
    *t = grown(*t, sz_program_choose(e, next_of(env, t), WORDS + 1));
    *log_weight = hopeful(t) ? 0.0 : -INFINITY;
    *done = t->ended;
    return SZ_OK;
}
static double text_class(const void *env, const void *state) {
    const text *t = state;
    (void)env;
    return t->length * 4 + t->count[0];
}

/* Adds the mass of all texts from t on, by class: of the model where they satisfy the constraint,
 * and of masking, which draws among the words that leave hope. */
static void count(const language *l, text t, double model, double masked, double *laws) {
    double allowed = 0;
    if (t.ended) {
        laws[(int)text_class(NULL, &t)] += model;
        laws[CLASSES + (int)text_class(NULL, &t)] += masked;
        return;
    }
    const double *p = next_of(l, &t);
    for (size_t w = 0; w <= END; w++) {
        text next = grown(t, w);
        allowed += hopeful(&next) ? p[w] : 0;
    }
    for (size_t w = 0; w <= END; w++) {
        text next = grown(t, w);
        if (hopeful(&next) && p[w] > 0)
            count(l, next, model * p[w], masked * p[w] / allowed, laws);
    }
}

static double distance(const double *a, double a_total, const double *b, double b_total) {
    double sum = 0;
    for (size_t i = 0; i < CLASSES; i++)
        sum += fabs(a[i] / a_total - b[i] / b_total) / 2;
    return sum;
}

static sz_status steer(const language *l, uint64_t seed, double *law, double *mean, double *error) {
    enum { N = 64, RUNS = 100 };
    sz_program p = {l, sizeof(text), text_start, text_step, text_class};
    double out[N], w[N], squares = 0;
    *mean = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        sz_smc_account a;
        SZ_TRY(sz_program_smc(
            &p, &(sz_population_config){.n_particles = N, .seed = seed, .stream = run}, out, w,
            &a));
        double z = sz_exp(a.log_evidence);
        *mean += z / RUNS;
        squares += z * z / RUNS;
        for (size_t i = 0; i < N; i++)
            if (w[i] > -INFINITY)
                law[(int)out[i]] += sz_exp(w[i]);
    }
    *error = sqrt((squares - *mean * *mean) / RUNS);
    return SZ_OK;
}

static sz_status compare(sz_repro_run *run, const language *l, const char *of) {
    double laws[2 * CLASSES] = {0}, steered[CLASSES] = {0}, mean, error, z = 0, total = 0;
    count(l, (text){0}, 1, 1, laws);
    for (size_t i = 0; i < CLASSES; i++)
        z += laws[i];
    SZ_TRY(steer(l, run->seed, steered, &mean, &error));
    for (size_t i = 0; i < CLASSES; i++)
        total += steered[i];
    double masking = distance(laws, z, laws + CLASSES, 1), smc = distance(laws, z, steered, total);
    sz_repro_check(run, "unbiased", fabs(mean - z) / error, "<=", 5,
                   "%s: Z %.4f, counted %.4f: off by, standard errors", of, mean, z);
    sz_repro_check(run, "", smc, "<=", 0.05, "%s: distance of 64 particles to the posterior", of);
    sz_repro_check(run, "", masking, ">=", 0.15, "%s: distance of masking, counted", of);
    sz_repro_check(run, "", smc / masking, "<=", 1.0 / 3, "%s: particles over masking", of);
    return SZ_OK;
}

/* A made-up language that likes the first word, and to go on with what it said. */
static void make_up(language *l) {
    for (size_t i = 0; i < PREFIXES; i++) {
        double logits[WORDS + 1] = {1.2, 0.2, 0, 0, -0.3}, sum = 0;
        if (i > 0)
            logits[(i - 1) % WORDS] += 0.8;
        for (size_t w = 0; w <= END; w++)
            sum += l->p[i][w] = sz_exp(logits[w]);
        for (size_t w = 0; w <= END; w++)
            l->p[i][w] /= sum;
    }
}

/* One pass for each prefix. */
static sz_status fill(language *l, sz_session *s, const int32_t *ids, size_t prefix, int length,
                      uint32_t at) {
    double logits[WORDS + 1], most = -INFINITY, sum = 0;
    for (size_t w = 0; w <= END; w++) {
        logits[w] = (double)sz_session_logits(s, 0)[ids[w]];
        most = logits[w] > most ? logits[w] : most;
    }
    for (size_t w = 0; w <= END; w++)
        sum += l->p[prefix][w] = sz_exp(logits[w] - most);
    for (size_t w = 0; w <= END; w++)
        l->p[prefix][w] /= sum;
    for (size_t w = 0; w < WORDS && length + 1 < LONGEST; w++) {
        sz_span span = {0, &ids[w], 1, SZ_LAST};
        SZ_TRY(sz_session_forward(s, &span, 1));
        SZ_TRY(fill(l, s, ids, WORDS * prefix + 1 + w, length + 1, at + 1));
        SZ_TRY(sz_session_truncate(s, 0, at));
    }
    return SZ_OK;
}

static sz_status fill_all(language *l, sz_model *model) {
    static const char prompt[] = "The guests were asked, one after the other. Their answers:",
                      *const words[] = {" yes", " no", " maybe", " never", "."};
    int32_t ids[WORDS + 1], start[64];
    size_t n;
    sz_session *s;
    for (size_t w = 0; w <= END; w++) {
        SZ_TRY(sz_model_tokenize(model, words[w], strlen(words[w]), false, &ids[w], 1, &n));
    }
    SZ_TRY(sz_model_tokenize(model, prompt, strlen(prompt), true, start, 64, &n));
    SZ_TRY(sz_session_new(model, &(sz_session_config){.context = 128, .n_sequences = 1}, &s));
    sz_span span = {0, start, (uint32_t)n, SZ_LAST};
    sz_status status = sz_session_forward(s, &span, 1);
    if (status == SZ_OK)
        status = fill(l, s, ids, 0, 0, (uint32_t)n);
    sz_session_free(s);
    return status;
}

static sz_status read_model(sz_repro_run *run, language *l) {
    char *path = NULL;
    sz_runtime *rt = NULL;
    sz_model *model = NULL;
    SZ_TRY(run->find_model("smollm2", &path));
    sz_status status = sz_runtime_new(NULL, &rt);
    if (status == SZ_OK)
        status = sz_model_open(rt, path, NULL, &model);
    free(path);
    if (status == SZ_OK)
        status = fill_all(l, model);
    sz_model_close(model);
    sz_runtime_free(rt);
    return status;
}

static sz_status language_of_words(sz_repro_run *run) {
    language *l = sz_alloc(sizeof *l);
    SZ_REQUIRE(l, SZ_E_NOMEM, "no memory for a language");
    make_up(l);
    sz_status status = compare(run, l, "made-up language");
    if (status == SZ_OK && !run->smoke) {
        status = read_model(run, l);
        if (status == SZ_OK)
            status = compare(run, l, "SmolLM2 of four words");
    }
    sz_free(l);
    return status;
}

static sz_status run_all(sz_repro_run *run) {
    SZ_TRY(exact_laws(run));
    SZ_TRY(gaussian_evidence(run));
    return language_of_words(run);
}

const sz_repro sz_repro_31 = {"31", run_all};
