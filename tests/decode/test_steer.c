/* Steered continuations against the enumeration of all texts: the evidence without bias, the target
 * text by text, for grammars, scores and a second model; bad input. */
#include "check.h"
#include "model/model.h"
#include "support/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/sampler.h>
#include <szilard/unstable/steer.h>

static const tiny_model config = {.seed = 5, .n_ctx = 256};
static const tiny_model other_config = {.seed = 6, .n_ctx = 256};
static const int32_t prompt[] = {104, 105, 58};
enum { N_PROMPT = 3, LENGTH = 4, MOST_TEXTS = 256 };

typedef struct world {
    engine one, two;
    int32_t end; /* an end-of-generation token */
} world;

static int open_world(void **state) {
    static world w;
    SZ_CHECK_OK(engine_open_tiny(&config, 2, NULL, &w.one));
    SZ_CHECK_OK(engine_open_tiny(&other_config, 2, NULL, &w.two));
    while (!sz_model_is_end(w.one.model, w.end))
        w.end++;
    *state = &w;
    return 0;
}
static int close_world(void **state) {
    world *w = *state;
    engine_close(&w->one);
    engine_close(&w->two);
    return 0;
}

/* ---- A sampler that leaves a, b and the end -------------------------------------------------- */

static int32_t alphabet[3] = {'a', 'b', 0};

static sz_status keep_alphabet(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        for (int k = 0; k < 3; k++)
            if (c->id[i] == alphabet[k]) {
                c->id[n] = c->id[i];
                c->logit[n++] = c->logit[i] / 2; /* nearer to each other */
            }
    c->n = n;
    return SZ_OK;
}
static const sz_sampler_kind alphabet_kind = {.name = "alphabet", .apply = keep_alphabet};

static sz_session *new_session(const engine *e, uint32_t n_sequences, uint64_t seed) {
    sz_session *s;
    sz_chain *chain;
    SZ_CHECK_OK(sz_session_new(
        e->model, &(sz_session_config){.n_sequences = n_sequences, .kv_type = SZ_KV_F32}, &s));
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, prompt, N_PROMPT));
    SZ_CHECK_OK(sz_chain_new(&chain));
    SZ_CHECK_OK(sz_chain_add(chain, &alphabet_kind, NULL));
    SZ_CHECK_OK(sz_session_set_chain(s, 0, chain, seed));
    return s;
}

/* ---- All texts ------------------------------------------------------------------------------- */

typedef struct outcome {
    char text[LENGTH + 1];
    bool ended;
    double log_p, log_other; /* of the sampler's distribution; of the other model's own */
    double mass;             /* p phi */
    double sum, squares;     /* of the estimates of that over all runs */
} outcome;

typedef struct table {
    outcome v[MOST_TEXTS];
    size_t n;
    double z;
} table;

static void enumerate(sz_session *s, sz_session *t, outcome so_far, table *out) {
    uint32_t length = sz_session_length(s, 0);
    double logit[3], other[3], sum = 0;
    size_t n = strlen(so_far.text);
    for (int k = 0; k < 3; k++) {
        logit[k] = (double)(sz_session_logits(s, 0)[alphabet[k]] / 2);
        other[k] =
            (double)sz_session_logits(t, 0)[alphabet[k]] - sz_session_stats(t, 0)->log_sum_exp;
        sum += exp(logit[k]);
    }
    for (int k = 0; k < 3; k++) {
        outcome next = so_far;
        next.log_p += logit[k] - log(sum);
        next.log_other += other[k];
        next.ended = k == 2;
        if (k < 2)
            next.text[n] = "ab"[k];
        if (next.ended || n + 1 == LENGTH) {
            out->v[out->n++] = next;
            continue;
        }
        SZ_CHECK_OK(sz_session_forward(s, &(sz_span){0, &alphabet[k], 1, SZ_LAST}, 1));
        SZ_CHECK_OK(sz_session_forward(t, &(sz_span){0, &alphabet[k], 1, SZ_LAST}, 1));
        enumerate(s, t, next, out);
        SZ_CHECK_OK(sz_session_truncate(s, 0, length));
        SZ_CHECK_OK(sz_session_truncate(t, 0, length));
    }
}

static void all_texts(const world *w, double (*log_phi)(const outcome *), table *out) {
    sz_session *s = new_session(&w->one, 1, 0), *t = new_session(&w->two, 1, 0);
    *out = (table){.n = 0};
    alphabet[2] = w->end;
    enumerate(s, t, (outcome){.ended = false}, out);
    assert_int_equal(out->n, 1 + 2 + 4 + 8 + 16); /* ended, or cut at four letters */
    for (size_t i = 0; i < out->n; i++)
        out->z += out->v[i].mass = exp(out->v[i].log_p + log_phi(&out->v[i]));
    sz_session_free(s);
    sz_session_free(t);
}

/* ---- Many runs ------------------------------------------------------------------------------- */

static outcome *find(table *t, const sz_continuation *c) {
    char text[LENGTH + 1] = "";
    for (size_t i = 0; i < c->n - c->ended; i++)
        text[i] = (char)c->tokens[i].id;
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->v[i].text, text) == 0 && t->v[i].ended == c->ended)
            return &t->v[i];
    fail_msg("'%s' is no text", text);
    return NULL;
}

/* Every estimate, of Z and of each text's mass, is right on average: within five standard errors,
 * and all texts together as a chi-square would have it. */
static void check_target(const world *w, table *all, const sz_steering *how, const char *regex) {
    enum { RUNS = 400 };
    double z = 0, z_squares = 0, chi = 0;
    size_t n_texts = 0;
    sz_session *s = new_session(&w->one, (uint32_t)how->n_particles + 1, 9);
    sz_session *t = how->other ? new_session(&w->two, (uint32_t)how->n_particles + 1, 0) : NULL;
    for (int run = 0; run < RUNS; run++) {
        sz_steering c = *how;
        sz_steered got;
        double mass[MOST_TEXTS] = {0}, total = 0;
        c.max_tokens = LENGTH;
        c.other = t;
        if (regex)
            SZ_CHECK_OK(sz_grammar_from_regex(regex, strlen(regex), &c.grammar));
        SZ_CHECK_OK(sz_session_steer(s, 0, &c, &got));
        assert_int_equal(sz_session_length(s, 0), N_PROMPT);
        for (size_t i = 0; i < got.texts.n; i++) {
            double weight = exp(got.log_weights[i]);
            total += weight;
            if (weight > 0) {
                outcome *o = find(all, &got.texts.v[i]);
                assert_true(o->mass > 0);
                mass[o - all->v] += weight;
            }
        }
        SZ_CHECK_ABS(total, exp(got.account.log_evidence), 1e-9 * total);
        z += total / RUNS;
        z_squares += total * total / RUNS;
        for (size_t i = 0; i < all->n; i++) {
            all->v[i].sum += mass[i] / RUNS;
            all->v[i].squares += mass[i] * mass[i] / RUNS;
        }
        sz_steered_free(&got);
    }
    SZ_CHECK_ABS(z, all->z, 5 * sqrt((z_squares - z * z) / RUNS) + 1e-9);
    for (size_t i = 0; i < all->n; i++) {
        outcome *o = &all->v[i];
        double se = sqrt((o->squares - o->sum * o->sum) / RUNS);
        if (o->mass < all->z * 0.005) /* too rare for a normal law */
            continue;
        SZ_CHECK_ABS(o->sum, o->mass, 5 * se);
        chi += (o->sum - o->mass) * (o->sum - o->mass) / (se * se);
        n_texts++;
        o->sum = o->squares = 0;
    }
    assert_true(n_texts >= 3);
    if (chi > (double)n_texts + 5 * sqrt(2 * (double)n_texts))
        fail_msg("chi-square %.1f of %zu texts", chi, n_texts);
    sz_session_free(s);
    sz_session_free(t);
}

/* ---- Potentials ------------------------------------------------------------------------------ */

static size_t count(const char *text, char c) {
    size_t n = 0;
    for (; *text; text++)
        n += *text == c;
    return n;
}

/* An even number of a's: that it fails shows late. */
static double even(const outcome *o) {
    return count(o->text, 'a') % 2 == 0 ? 0 : -INFINITY;
}
static const char even_regex[] = "(b*ab*a)*b*";

static void grammars_condition(void **state) {
    const world *w = *state;
    table all;
    all_texts(w, even, &all);
    for (int scheme = 0; scheme <= SZ_RESAMPLE_RESIDUAL; scheme++) {
        sz_steering how = {
            .n_particles = 6, .scheme = (sz_resampling)scheme, .threshold = scheme % 2 ? 2 : 0.7};
        check_target(w, &all, &how, even_regex);
    }
    check_target(w, &all, &(sz_steering){.n_particles = 1}, even_regex);
}

static double fond_of_a(const outcome *o) {
    return 0.8 * (double)count(o->text, 'a') - (o->ended ? 0 : 0.5) +
           (strcmp(o->text, "aaa") == 0 ? -INFINITY : 0);
}
static sz_status score_text(void *user, const sz_steer_text *texts, size_t n, double *log_scores) {
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(strlen(texts[i].bytes), texts[i].n);
        outcome o = {.ended = texts[i].complete && texts[i].n < LENGTH};
        strcpy(o.text, texts[i].bytes);
        log_scores[i] = texts[i].complete ? fond_of_a(&o) : 0.8 * (double)count(o.text, 'a');
        ++*(size_t *)user;
    }
    return SZ_OK;
}

static void scores_weigh(void **state) {
    const world *w = *state;
    table all;
    size_t calls[3] = {0};
    all_texts(w, fond_of_a, &all);
    for (size_t every = 0; every < 3; every++) {
        sz_steering how = {.n_particles = 6,
                           .threshold = 0.9,
                           .score = score_text,
                           .score_user = &calls[every],
                           .score_every = every};
        check_target(w, &all, &how, NULL);
    }
    assert_true(calls[0] < calls[2] && calls[2] < calls[1]);
}

static double of_other(const outcome *o) {
    return 0.15 * o->log_other + even(o);
}

static void another_model_weighs(void **state) {
    const world *w = *state;
    table all;
    all_texts(w, of_other, &all);
    sz_session *any = new_session(&w->two, 1, 0); /* check_target opens its own */
    check_target(
        w, &all,
        &(sz_steering){.n_particles = 8, .threshold = 0.8, .other = any, .other_power = 0.15},
        even_regex);
    sz_session_free(any);
}

/* ---- Borders --------------------------------------------------------------------------------- */

static sz_grammar *regex(const char *r) {
    sz_grammar *g;
    SZ_CHECK_OK(sz_grammar_from_regex(r, strlen(r), &g));
    return g;
}

static void nothing_may_satisfy(void **state) {
    const world *w = *state;
    static const char *const impossible[] = {"c", "ac", "(a|b){9}"};
    alphabet[2] = w->end;
    for (int i = 0; i < 3; i++) {
        sz_session *s = new_session(&w->one, 5, 1);
        sz_steered got;
        sz_steering c = {.n_particles = 4, .max_tokens = LENGTH, .grammar = regex(impossible[i])};
        SZ_CHECK_OK(sz_session_steer(s, 0, &c, &got));
        assert_true(got.account.log_evidence == -INFINITY && got.account.figures.ess == 0);
        for (size_t k = 0; k < 4; k++)
            assert_true(got.shares[k] == 0);
        sz_steered_free(&got);
        sz_session_free(s);
    }
}

static sz_status bad_score(void *user, const sz_steer_text *texts, size_t n, double *log_scores) {
    for (size_t i = 0; i < n; i++)
        log_scores[i] = *(double *)user;
    return *(double *)user == 1 ? sz_fail(SZ_E_IO, "the scorer is gone") : SZ_OK;
}

static void bad_input_is_refused(void **state) {
    const world *w = *state;
    sz_steered got;
    double nan = NAN, one = 1;
    alphabet[2] = w->end;
    sz_session *s = new_session(&w->one, 5, 1), *t = new_session(&w->two, 3, 1);
    sz_steering c = {.n_particles = 4, .max_tokens = LENGTH};
    assert_int_equal(sz_session_steer(s, 0, NULL, &got), SZ_E_ARG);
    c.grammar = regex("a");
    assert_int_equal(sz_session_steer(NULL, 0, &c, &got), SZ_E_ARG);
    c.grammar = regex("a");
    assert_int_equal(sz_session_steer(s, 3, &c, &got), SZ_E_ARG);
    c = (sz_steering){.n_particles = 0};
    assert_int_equal(sz_session_steer(s, 0, &c, &got), SZ_E_ARG);
    c.n_particles = 5;
    assert_int_equal(sz_session_steer(s, 0, &c, &got), SZ_E_LIMIT);
    c = (sz_steering){.n_particles = 4, .threshold = NAN};
    assert_int_equal(sz_session_steer(s, 0, &c, &got), SZ_E_ARG);
    c = (sz_steering){.n_particles = 4, .max_tokens = 3, .other = t, .other_power = 1};
    assert_int_equal(sz_session_steer(s, 0, &c, &got), SZ_E_LIMIT); /* of the other's sequences */
    c.n_particles = 2;
    c.other_power = NAN;
    assert_int_equal(sz_session_steer(s, 0, &c, &got), SZ_E_NAN);
    c.other = s;
    assert_int_equal(sz_session_steer(s, 0, &c, &got), SZ_E_ARG);
    c = (sz_steering){.n_particles = 4, .max_tokens = 3, .score = bad_score, .score_user = &nan};
    assert_int_equal(sz_session_steer(s, 0, &c, &got), SZ_E_NAN);
    c.score_user = &one;
    assert_int_equal(sz_session_steer(s, 0, &c, &got), SZ_E_IO);
    assert_string_equal(sz_last_error(), "the scorer is gone");
    sz_runtime_cancel(w->one.rt);
    c = (sz_steering){.n_particles = 4, .max_tokens = 3};
    assert_int_equal(sz_session_steer(s, 0, &c, &got), SZ_E_CANCELLED);
    sz_runtime_resume(w->one.rt);
    for (int i = 0; i < 2; i++) { /* all is given back each time */
        c.grammar = regex("[ab]*");
        SZ_CHECK_OK(sz_session_steer(s, 0, &c, &got));
        sz_steered_free(&got);
    }
    sz_session_free(s);
    sz_session_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grammars_condition),   cmocka_unit_test(scores_weigh),
        cmocka_unit_test(another_model_weighs), cmocka_unit_test(nothing_may_satisfy),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
