/* Several continuations at once: best of n against draws one by one, beams against enumeration and
 * against a search by hand, branches at uncertain places, bad input. */
#include "check.h"
#include "model/model.h"
#include "support/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/branching.h>
#include <szilard/unstable/sampler.h>

static const tiny_model config = {.type = SZ_Q8_0, .seed = 77, .n_ctx = 2048};
static const int32_t prompt[] = {10, 20, 30, 40, 50};
enum { N_PROMPT = 5, N_VOCAB = 293 };

static int open_engine(void **state) {
    engine *e = malloc(sizeof *e);
    SZ_CHECK_OK(engine_open_tiny(&config, 2, NULL, e));
    *state = e;
    return 0;
}

static int close_engine(void **state) {
    engine_close(*state);
    free(*state);
    return 0;
}

static sz_session *new_session(const engine *e, uint32_t n_sequences) {
    sz_session *s;
    SZ_CHECK_OK(sz_session_new(
        e->model, &(sz_session_config){.n_sequences = n_sequences, .kv_type = SZ_KV_F32}, &s));
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, prompt, N_PROMPT));
    return s;
}

/* The session is as it was: the prompt alone, and all other sequences free. */
static void check_untouched(sz_session *s, uint32_t n_sequences) {
    uint32_t seq[400];
    assert_int_equal(sz_session_length(s, 0), N_PROMPT);
    for (uint32_t i = 1; i < n_sequences; i++)
        SZ_CHECK_OK(sz_session_add(s, &seq[i]));
    for (uint32_t i = 1; i < n_sequences; i++)
        SZ_CHECK_OK(sz_session_drop(s, seq[i]));
}

/* ln of the probability of tokens after the prompt, one after the other. */
static double by_hand(const engine *e, const sz_token *tokens, size_t n) {
    sz_session *s = new_session(e, 1);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)sz_session_logits(s, 0)[tokens[i].id] - sz_session_stats(s, 0)->log_sum_exp;
        SZ_CHECK_OK(sz_session_forward(s, &(sz_span){0, &tokens[i].id, 1, SZ_LAST}, 1));
    }
    sz_session_free(s);
    return sum;
}

/* ---- Best of n ------------------------------------------------------------------------------- */

static void best_of_are_draws_of_forks(void **state) {
    const engine *e = *state;
    enum { N = 7, LENGTH = 12 };
    for (int penalty = 0; penalty < 2; penalty++) {
        sz_continuations c;
        sz_session *s = new_session(e, N + 1), *t = new_session(e, N + 1);
        sz_branching b = {.n = N, .max_tokens = LENGTH, .length_penalty = penalty};
        SZ_CHECK_OK(sz_session_set_sampler(s, 0, "top-k 40, temperature 0.9", 5));
        SZ_CHECK_OK(sz_session_set_sampler(t, 0, "top-k 40, temperature 0.9", 5));
        SZ_CHECK_OK(sz_session_best_of(s, 0, &b, &c));
        check_untouched(s, N + 1);
        assert_int_equal(c.n, N);
        bool found[N] = {false};
        for (int i = 0; i < N; i++) { /* the same draws, one sequence after the other */
            sz_token tokens[LENGTH];
            uint32_t seq;
            size_t n = 0;
            SZ_CHECK_OK(sz_session_fork(t, 0, &seq));
            while (n < LENGTH && sz_session_next(t, seq, &tokens[n++]) == SZ_OK)
                continue;
            for (size_t k = 0; k < N; k++)
                if (!found[k] && c.v[k].n == n &&
                    memcmp(c.v[k].tokens, tokens, n * sizeof *tokens) == 0) {
                    found[k] = true;
                    break;
                }
        }
        for (size_t k = 0; k < N; k++) {
            const sz_continuation *x = &c.v[k];
            assert_true(found[k]);
            assert_true(k == 0 || x->score <= c.v[k - 1].score);
            assert_true(x->ended == sz_model_is_end(e->model, x->tokens[x->n - 1].id));
            SZ_CHECK_ABS(x->log_probability, by_hand(e, x->tokens, x->n), 1e-9);
            SZ_CHECK_REL(x->score, x->log_probability / (penalty ? (double)x->n : 1), 1e-12);
        }
        sz_continuations_free(&c);
        sz_session_free(s);
        sz_session_free(t);
    }
}

/* ---- Beams ----------------------------------------------------------------------------------- */

/* With a beam for every text, the best of all texts of at most two tokens. */
static void enough_beams_find_the_best_text(void **state) {
    const engine *e = *state;
    double best = -INFINITY;
    int32_t ids[2] = {-1, -1};
    sz_session *s = new_session(e, N_VOCAB + 1);
    sz_logit_stats stats = *sz_session_stats(s, 0);
    float first[N_VOCAB];
    memcpy(first, sz_session_logits(s, 0), sizeof first);
    for (int32_t a = 0; a < N_VOCAB; a++) {
        double log_a = (double)first[a] - stats.log_sum_exp;
        if (sz_model_is_end(e->model, a)) {
            if (log_a > best) {
                best = log_a;
                ids[0] = a;
                ids[1] = -1;
            }
            continue;
        }
        uint32_t seq;
        SZ_CHECK_OK(sz_session_fork(s, 0, &seq));
        SZ_CHECK_OK(sz_session_forward(s, &(sz_span){seq, &a, 1, SZ_LAST}, 1));
        const sz_logit_stats *after = sz_session_stats(s, 0);
        double log_b = (double)after->max - after->log_sum_exp;
        if (log_a + log_b > best) {
            best = log_a + log_b;
            ids[0] = a;
            ids[1] = after->argmax;
        }
        SZ_CHECK_OK(sz_session_drop(s, seq));
    }
    sz_continuations c;
    SZ_CHECK_OK(sz_session_beam_search(s, 0, &(sz_branching){.n = N_VOCAB, .max_tokens = 2}, &c));
    check_untouched(s, N_VOCAB + 1);
    assert_int_equal(c.v[0].tokens[0].id, ids[0]);
    assert_true(c.v[0].n == (ids[1] < 0 ? 1 : 2));
    assert_true(ids[1] < 0 || c.v[0].tokens[1].id == ids[1]);
    SZ_CHECK_ABS(c.v[0].log_probability, best, 1e-12);
    for (size_t i = 1; i < c.n; i++)
        assert_true(c.v[i].score <= c.v[i - 1].score);
    sz_continuations_free(&c);
    sz_session_free(s);
}

/* A search by hand: every text is computed from the prompt on; nothing is shared. */
typedef struct text {
    int32_t ids[8];
    size_t n;
    double log_p;
    bool ended;
} text;

static int by_log_p(const void *a, const void *b) {
    const text *x = a, *y = b;
    return x->log_p > y->log_p ? -1 : x->log_p < y->log_p;
}

static size_t search_by_hand(const engine *e, size_t width, size_t length, text *done) {
    static text all[6 * N_VOCAB];
    text live[6] = {{.n = 0}};
    size_t n_live = 1, n_done = 0;
    sz_session *s = new_session(e, 1);
    for (size_t step = 1; step <= length && n_live; step++) {
        size_t n = 0, n_next = 0;
        for (size_t i = 0; i < n_live; i++) {
            SZ_CHECK_OK(sz_session_truncate(s, 0, N_PROMPT - 1));
            SZ_CHECK_OK(sz_session_prompt_ids(s, 0, prompt + N_PROMPT - 1, 1));
            if (live[i].n)
                SZ_CHECK_OK(sz_session_prompt_ids(s, 0, live[i].ids, live[i].n));
            for (int32_t id = 0; id < N_VOCAB; id++) {
                all[n] = live[i];
                all[n].ids[all[n].n++] = id;
                all[n].ended = sz_model_is_end(e->model, id);
                all[n++].log_p +=
                    (double)sz_session_logits(s, 0)[id] - sz_session_stats(s, 0)->log_sum_exp;
            }
        }
        qsort(all, n, sizeof *all, by_log_p);
        for (size_t i = 0; i < n && n_next < width; i++) {
            if (all[i].ended || step == length)
                done[n_done++] = all[i];
            if (!all[i].ended)
                live[n_next++] = all[i];
        }
        n_live = n_next;
    }
    sz_session_free(s);
    qsort(done, n_done, sizeof *done, by_log_p);
    return n_done < width ? n_done : width;
}

static void beams_are_those_found_by_hand(void **state) {
    const engine *e = *state;
    for (size_t width = 1; width <= 6; width += width == 1 ? 2 : 3) {
        text done[512];
        sz_continuations c;
        sz_session *s = new_session(e, (uint32_t)width + 1);
        size_t n = search_by_hand(e, width, 6, done);
        SZ_CHECK_OK(sz_session_set_sampler(s, 0, "temperature 3", 1)); /* makes no difference */
        SZ_CHECK_OK(sz_session_beam_search(s, 0, &(sz_branching){.n = width, .max_tokens = 6}, &c));
        check_untouched(s, (uint32_t)width + 1);
        assert_int_equal(c.n, n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(c.v[i].n, done[i].n);
            assert_true(c.v[i].ended == done[i].ended);
            for (size_t k = 0; k < done[i].n; k++)
                assert_int_equal(c.v[i].tokens[k].id, done[i].ids[k]);
            SZ_CHECK_ABS(c.v[i].log_probability, done[i].log_p, 1e-12);
        }
        sz_continuations_free(&c);
        sz_session_free(s);
    }
}

/* ---- Branches -------------------------------------------------------------------------------- */

static void branches_split_where_it_is_uncertain(void **state) {
    const engine *e = *state;
    enum { N = 6, LENGTH = 10 };
    sz_continuations c;
    sz_session *s = new_session(e, N + 1);
    double above = sz_session_stats(s, 0)->entropy + 0.001; /* not at once */
    SZ_CHECK_OK(sz_session_set_sampler(s, 0, "top-k 5", 3));
    SZ_CHECK_OK(
        sz_session_branch(s, 0, &(sz_branching){.n = N, .max_tokens = LENGTH, .above = above}, &c));
    check_untouched(s, N + 1);
    assert_true(c.n >= 2 && c.n <= N);
    assert_true(c.v[0].parent == SIZE_MAX && c.v[0].branched_at == SIZE_MAX);
    for (size_t i = 1; i < c.n; i++) {
        const sz_continuation *x = &c.v[i], *from = &c.v[x->parent];
        size_t at = x->branched_at;
        assert_true(x->parent < i && at > 0 && at < x->n && at < from->n);
        for (size_t k = 0; k < at; k++)
            assert_int_equal(x->tokens[k].id, from->tokens[k].id);
        assert_int_not_equal(x->tokens[at].id, from->tokens[at].id);
        assert_true((double)from->tokens[at].entropy > above - 1e-6);
        SZ_CHECK_ABS(x->log_probability, by_hand(e, x->tokens, x->n), 1e-9);
    }
    sz_continuations_free(&c);

    /* Never uncertain enough: the one text. */
    SZ_CHECK_OK(
        sz_session_branch(s, 0, &(sz_branching){.n = N, .max_tokens = LENGTH, .above = 50}, &c));
    assert_int_equal(c.n, 1);
    sz_continuations_free(&c);

    /* Always: as many as allowed, all different. */
    SZ_CHECK_OK(sz_session_branch(s, 0, &(sz_branching){.n = N, .max_tokens = LENGTH}, &c));
    assert_int_equal(c.n, N);
    assert_int_equal(c.v[1].branched_at, 0);
    sz_continuations_free(&c);
    sz_session_free(s);
}

/* ---- Borders --------------------------------------------------------------------------------- */

static void the_context_bounds_all(void **state) {
    const engine *e = *state;
    sz_session *s;
    sz_continuations c;
    SZ_CHECK_OK(sz_session_new(
        e->model, &(sz_session_config){.n_sequences = 4, .context = N_PROMPT + 3}, &s));
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, prompt, N_PROMPT));
    SZ_CHECK_OK(sz_session_set_sampler(s, 0, "top-k 5", 3));
    SZ_CHECK_OK(sz_session_best_of(s, 0, &(sz_branching){.n = 3}, &c));
    for (size_t i = 0; i < c.n; i++)
        assert_true(c.v[i].ended || c.v[i].n == 3);
    sz_continuations_free(&c);
    SZ_CHECK_OK(sz_session_beam_search(s, 0, &(sz_branching){.n = 3, .max_tokens = 99}, &c));
    for (size_t i = 0; i < c.n; i++)
        assert_true(c.v[i].n <= 3);
    sz_continuations_free(&c);
    sz_session_free(s);
}

static void bad_input_is_refused(void **state) {
    const engine *e = *state;
    sz_continuations c;
    sz_session *s = new_session(e, 4);
    typedef sz_status (*maker)(sz_session *, uint32_t, const sz_branching *, sz_continuations *);
    static const maker makers[] = {sz_session_best_of, sz_session_beam_search, sz_session_branch};
    for (int i = 0; i < 3; i++) {
        maker make = makers[i];
        assert_int_equal(make(s, 0, NULL, &c), SZ_E_ARG);
        assert_int_equal(make(s, 0, &(sz_branching){.n = 0}, &c), SZ_E_ARG);
        assert_int_equal(make(s, 0, &(sz_branching){.n = 3, .length_penalty = -1}, &c), SZ_E_ARG);
        assert_int_equal(make(s, 0, &(sz_branching){.n = 3, .length_penalty = NAN}, &c), SZ_E_ARG);
        assert_int_equal(make(s, 0, &(sz_branching){.n = 4}, &c), SZ_E_LIMIT);
        assert_non_null(strstr(sz_last_error(), "3 are free"));
        assert_int_equal(make(s, 2, &(sz_branching){.n = 2}, &c), SZ_E_ARG);
        sz_runtime_cancel(e->rt);
        assert_int_equal(make(s, 0, &(sz_branching){.n = 3, .max_tokens = 4}, &c), SZ_E_CANCELLED);
        sz_runtime_resume(e->rt);
        check_untouched(s, 4);
    }
    assert_int_equal(sz_session_branch(s, 0, &(sz_branching){.n = 2, .above = NAN}, &c), SZ_E_ARG);
    SZ_CHECK_OK(sz_session_truncate(s, 0, 0));
    for (int i = 0; i < 3; i++)
        assert_int_equal(makers[i](s, 0, &(sz_branching){.n = 2}, &c), SZ_E_STATE);
    sz_session_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_of_are_draws_of_forks),
        cmocka_unit_test(enough_beams_find_the_best_text),
        cmocka_unit_test(beams_are_those_found_by_hand),
        cmocka_unit_test(branches_split_where_it_is_uncertain),
        cmocka_unit_test(the_context_bounds_all),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
