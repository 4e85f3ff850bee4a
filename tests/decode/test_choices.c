/* Scoring continuations: against step by step, in any company, longer than a pass, bad input. */
#include "check.h"
#include "model/model.h"
#include "support/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/choices.h>
#include <szilard/unstable/num.h>

static const tiny_model config = {.type = SZ_Q8_0, .seed = 51, .n_ctx = 2048};
static const int32_t prompt[] = {10, 20, 30, 40, 50};
enum { N_PROMPT = 5 };

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
    SZ_CHECK_OK(sz_session_new(e->model, &(sz_session_config){.n_sequences = n_sequences}, &s));
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, prompt, N_PROMPT));
    return s;
}

/* One token after the other, from logits. */
static double by_hand(const engine *e, const int32_t *ids, size_t n, double *log_end) {
    sz_session *s = new_session(e, 1);
    double sum = 0, end = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)sz_session_logits(s, 0)[ids[i]] - sz_session_stats(s, 0)->log_sum_exp;
        SZ_CHECK_OK(sz_session_forward(s, &(sz_span){0, ids + i, 1, SZ_LAST}, 1));
    }
    for (int32_t id = 0; id < 293; id++)
        if (sz_model_is_end(e->model, id))
            end +=
                sz_exp((double)sz_session_logits(s, 0)[id] - sz_session_stats(s, 0)->log_sum_exp);
    *log_end = sz_log(end);
    sz_session_free(s);
    return sum;
}

/* Many choices, few free sequences: several passes. */
static void figures_are_those_of_single_steps(void **state) {
    const engine *e = *state;
    enum { N = 23 };
    int32_t ids[N][40];
    sz_choice choices[N];
    double mass, sum = 0, shares = 0, end;
    for (size_t i = 0; i < N; i++) {
        random_ids(i, 256, ids[i], 40);
        ids[i][0] = (int32_t)i; /* none begins another */
        choices[i] = (sz_choice){.ids = ids[i], .n = 1 + i * 7 % 40};
    }
    sz_session *s = new_session(e, 5);
    sz_token before, after;
    SZ_CHECK_OK(sz_session_score_choices(s, 0, choices, N, &mass));
    for (size_t i = 0; i < N; i++) {
        SZ_CHECK_ABS(choices[i].log_probability, by_hand(e, ids[i], choices[i].n, &end), 1e-4);
        SZ_CHECK_ABS(choices[i].log_end, end, 1e-9);
        sum += sz_exp(choices[i].log_probability);
        shares += choices[i].share;
    }
    SZ_CHECK_REL(mass, sum, 1e-12);
    SZ_CHECK_ABS(shares, 1, 1e-12);
    SZ_CHECK_REL(choices[3].share, sz_exp(choices[3].log_probability) / sum, 1e-12);

    /* The same bits in other company; the sequence is as it was, and all others are free again. */
    sz_choice alone = {.ids = ids[7], .n = choices[7].n};
    SZ_CHECK_OK(sz_session_score_choices(s, 0, &alone, 1, NULL));
    assert_true(alone.log_probability == choices[7].log_probability);
    assert_true(alone.log_end == choices[7].log_end && alone.share == 1);
    assert_int_equal(sz_session_length(s, 0), N_PROMPT);
    SZ_CHECK_OK(sz_session_next(s, 0, &after));
    sz_session *fresh = new_session(e, 1);
    SZ_CHECK_OK(sz_session_next(fresh, 0, &before));
    assert_memory_equal(&before, &after, sizeof before);
    for (int i = 0; i < 4; i++) {
        uint32_t seq;
        SZ_CHECK_OK(sz_session_add(s, &seq));
    }
    sz_session_free(fresh);
    sz_session_free(s);
}

/* All single tokens together are the whole distribution. */
static void all_tokens_have_all_the_probability(void **state) {
    const engine *e = *state;
    int32_t ids[293];
    sz_choice choices[293];
    double mass, entropy = 0;
    for (int32_t i = 0; i < 293; i++) {
        ids[i] = i;
        choices[i] = (sz_choice){.ids = &ids[i], .n = 1};
    }
    sz_session *s = new_session(e, 20);
    double want = sz_session_stats(s, 0)->entropy;
    SZ_CHECK_OK(sz_session_score_choices(s, 0, choices, 293, &mass));
    for (int i = 0; i < 293; i++)
        entropy -= choices[i].share * sz_log(choices[i].share);
    SZ_CHECK_ABS(mass, 1, 1e-5);
    SZ_CHECK_ABS(entropy, want, 1e-4);
    sz_session_free(s);
}

/* Probabilities below what a double holds still have shares. */
static void long_choices_have_shares(void **state) {
    const engine *e = *state;
    int32_t ids[2][700];
    double mass;
    random_ids(1, 256, ids[0], 700);
    memcpy(ids[1], ids[0], sizeof ids[0]);
    ids[1][699] = (ids[0][699] + 1) % 256;
    sz_choice choices[2] = {{.ids = ids[0], .n = 700}, {.ids = ids[1], .n = 700}};
    sz_session *s = new_session(e, 3);
    SZ_CHECK_OK(sz_session_score_choices(s, 0, choices, 2, &mass));
    assert_true(choices[0].log_probability < -800 && mass == 0);
    SZ_CHECK_ABS(sz_log(choices[0].share / choices[1].share),
                 choices[0].log_probability - choices[1].log_probability, 1e-9);
    sz_session_free(s);
}

/* A cut sequence has no logits at hand. */
static void a_cut_sequence_can_be_scored(void **state) {
    const engine *e = *state;
    static const int32_t id = 77;
    sz_choice a = {.ids = &id, .n = 1}, b = a;
    sz_session *s = new_session(e, 2);
    SZ_CHECK_OK(sz_session_score_choices(s, 0, &a, 1, NULL));
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, prompt, 3));
    SZ_CHECK_OK(sz_session_truncate(s, 0, N_PROMPT));
    SZ_CHECK_OK(sz_session_score_choices(s, 0, &b, 1, NULL));
    assert_true(a.log_probability == b.log_probability);
    sz_session_free(s);
}

static void bad_input_is_refused(void **state) {
    const engine *e = *state;
    static const int32_t good = 5, bad = 293;
    sz_choice c = {.ids = &good, .n = 1}, none = {.ids = &good}, no_ids = {.n = 1},
              outside = {.ids = &bad, .n = 1}, many = {.ids = &good, .n = 3000};
    sz_session *s = new_session(e, 3);
    assert_int_equal(sz_session_score_choices(s, 1, &c, 1, NULL), SZ_E_ARG);
    assert_int_equal(sz_session_score_choices(s, 0, NULL, 1, NULL), SZ_E_ARG);
    assert_int_equal(sz_session_score_choices(s, 0, &c, 0, NULL), SZ_E_ARG);
    assert_int_equal(sz_session_score_choices(s, 0, &none, 1, NULL), SZ_E_ARG);
    assert_int_equal(sz_session_score_choices(s, 0, &no_ids, 1, NULL), SZ_E_ARG);
    assert_int_equal(sz_session_score_choices(s, 0, &outside, 1, NULL), SZ_E_ARG);
    assert_int_equal(sz_session_score_choices(s, 0, &many, 1, NULL), SZ_E_LIMIT);
    SZ_CHECK_OK(sz_session_truncate(s, 0, 0));
    assert_int_equal(sz_session_score_choices(s, 0, &c, 1, NULL), SZ_E_STATE);
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, prompt, N_PROMPT));
    for (int i = 0; i < 2; i++) {
        uint32_t seq;
        SZ_CHECK_OK(sz_session_score_choices(s, 0, &c, 1, NULL));
        SZ_CHECK_OK(sz_session_add(s, &seq)); /* what failed left nothing behind */
    }
    assert_int_equal(sz_session_score_choices(s, 0, &c, 1, NULL), SZ_E_LIMIT);
    sz_session_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_those_of_single_steps),
        cmocka_unit_test(all_tokens_have_all_the_probability),
        cmocka_unit_test(long_choices_have_shares),
        cmocka_unit_test(a_cut_sequence_can_be_scored),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
