/* The token record: the record of a token tells of the distribution that it was drawn from, whoever
 * drew it and however it was computed. */
#include "check.h"
#include "support/engine.h"
#include "support/script.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 90 };

typedef struct fixture {
    engine e;
    uint32_t n_vocab;
    int32_t ids[N];
} fixture;

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    sz_model_info info;
    SZ_CHECK_OK(engine_open_tiny(&(tiny_model){.type = SZ_Q8_0, .seed = 9}, 2, NULL, &f->e));
    sz_model_get_info(f->e.model, &info);
    f->n_vocab = info.n_vocab;
    random_ids(5, f->n_vocab, f->ids, N);
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    engine_close(&f->e);
    free(f);
    return 0;
}

static sz_session *new_session(const fixture *f, uint32_t chunk, bool score_prompts) {
    sz_session *s;
    sz_session_config config = {.chunk = chunk, .score_prompts = score_prompts, .context = 200};
    SZ_CHECK_OK(sz_session_new(f->e.model, &config, &s));
    return s;
}

static const sz_token *records(const sz_session *s, uint32_t seq, size_t n_wanted) {
    const sz_token *r;
    size_t n;
    SZ_CHECK_OK(sz_session_records(s, seq, &r, &n));
    assert_int_equal(n, n_wanted);
    assert_int_equal(n, sz_session_length(s, seq));
    return r;
}

static void append(sz_session *s, uint32_t seq, const int32_t *ids, uint32_t n, sz_want want) {
    sz_span span = {seq, ids, n, want};
    SZ_CHECK_OK(sz_session_forward(s, &span, 1));
}

/* The same model figures to the last bit; which flags and draw figures does not matter. */
static void same_figures(const sz_token *a, const sz_token *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(a[i].id, b[i].id);
        if (memcmp(&a[i].surprisal, &b[i].surprisal, 3 * sizeof(float)) != 0)
            fail_msg("record %zu: %g %g %g and %g %g %g", i, (double)a[i].surprisal,
                     (double)a[i].entropy, (double)a[i].varentropy, (double)b[i].surprisal,
                     (double)b[i].entropy, (double)b[i].varentropy);
    }
}

static bool unknown(const sz_token *t) {
    return isnan(t->surprisal) && isnan(t->entropy) && isnan(t->varentropy);
}

/* ---- Scored ---------------------------------------------------------------------------------- */

static void check_against_logits(const sz_token *t, const float *logits, uint32_t n_vocab) {
    double max = -INFINITY, sum = 0, mean = 0, square = 0;
    for (uint32_t i = 0; i < n_vocab; i++)
        max = fmax(max, (double)logits[i]);
    for (uint32_t i = 0; i < n_vocab; i++)
        sum += exp((double)logits[i] - max);
    for (uint32_t i = 0; i < n_vocab; i++) {
        double surprisal = max + log(sum) - (double)logits[i];
        mean += exp(-surprisal) * surprisal;
        square += exp(-surprisal) * surprisal * surprisal;
    }
    SZ_CHECK_ABS((double)t->surprisal, max + log(sum) - (double)logits[t->id], 2e-6);
    SZ_CHECK_ABS((double)t->entropy, mean, 4e-6);
    SZ_CHECK_ABS((double)t->varentropy, square - mean * mean, 2e-5);
}

static void a_record_tells_of_the_distribution_before_its_token(void **state) {
    const fixture *f = *state;
    sz_session *s = new_session(f, 0, false);
    append(s, 0, f->ids, N, SZ_ALL);
    const sz_token *r = records(s, 0, N);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(r[i].id, f->ids[i]);
        assert_int_equal(r[i].flags, SZ_TOKEN_PROMPT | (i == 0 ? SZ_TOKEN_FIRST : 0));
        assert_true(isnan(r[i].draw_surprisal) && isnan(r[i].draw_entropy));
        assert_int_equal(r[i].kept_n, 0);
        if (i == 0)
            assert_true(unknown(r));
        else
            check_against_logits(&r[i], sz_session_logits(s, i - 1), f->n_vocab);
    }
    sz_session_free(s);
}

static void chunks_and_ways_of_scoring_agree(void **state) {
    const fixture *f = *state;
    sz_session *all = new_session(f, 0, false);
    append(all, 0, f->ids, N, SZ_ALL);
    const sz_token *want = records(all, 0, N);
    for (int way = 0; way < 3; way++)
        for (uint32_t chunk = 1; chunk <= 64; chunk += 21) {
            sz_session *s = new_session(f, chunk, true);
            if (way == 0)
                SZ_CHECK_OK(sz_session_prompt_ids(s, 0, f->ids, N));
            for (uint32_t at = 0; way > 0 && at < N; at += chunk)
                append(s, 0, f->ids + at, N - at < chunk ? N - at : chunk,
                       way == 1 ? SZ_SCORE : SZ_ALL);
            same_figures(records(s, 0, N), want, N);
            sz_session_free(s);
        }
    sz_session_free(all);
}

static void what_was_not_computed_is_not_a_number(void **state) {
    const fixture *f = *state;
    sz_session *s = new_session(f, 0, false);
    append(s, 0, f->ids, 4, SZ_NONE);
    append(s, 0, f->ids + 4, 4, SZ_LAST);
    append(s, 0, f->ids + 8, 4, SZ_NONE);
    const sz_token *r = records(s, 0, 12);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(unknown(&r[i]), i != 8); /* only after the kept logits */
    assert_int_equal(r[4].flags, SZ_TOKEN_PROMPT);
    sz_session_free(s);
}

static void rows_are_numbered_over_the_spans(void **state) {
    const fixture *f = *state;
    sz_session *s = new_session(f, 0, false), *alone = new_session(f, 0, false);
    uint32_t seq[4] = {0};
    for (int i = 1; i < 4; i++)
        SZ_CHECK_OK(sz_session_add(s, &seq[i]));
    const sz_span spans[] = {{seq[2], f->ids, 3, SZ_LAST},
                             {seq[0], f->ids, 5, SZ_NONE},
                             {seq[3], f->ids + 2, 2, SZ_ALL},
                             {seq[1], f->ids, 40, SZ_SCORE}};
    SZ_CHECK_OK(sz_session_forward(s, spans, 4));
    static const struct { /* of the rows: from where the tokens start, and which is the last */
        uint32_t from, n;
    } rows[] = {{0, 3}, {2, 1}, {2, 2}, {0, 40}};
    for (size_t row = 0; row < 4; row++) {
        SZ_CHECK_OK(sz_session_truncate(alone, 0, 0));
        append(alone, 0, f->ids + rows[row].from, rows[row].n, SZ_LAST);
        assert_memory_equal(sz_session_logits(s, row), sz_session_logits(alone, 0),
                            f->n_vocab * sizeof(float));
        assert_true(sz_session_stats(s, row)->entropy == sz_session_stats(alone, 0)->entropy);
        assert_true(sz_session_stats(s, row)->argmax == sz_session_stats(alone, 0)->argmax);
    }
    assert_null(sz_session_logits(s, 4));
    assert_null(sz_session_stats(s, 4));
    sz_session_free(alone);
    sz_session_free(s);
}

/* ---- Generated ------------------------------------------------------------------------------- */

static void generated_tokens_have_the_figures_of_scored_ones(void **state) {
    const fixture *f = *state;
    sz_session *s = new_session(f, 0, true), *scored = new_session(f, 0, false);
    int32_t ids[60];
    SZ_CHECK_OK(sz_session_set_sampler(s, 0, "temperature 1.3", 11));
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, f->ids, 20));
    for (size_t i = 20; i < 60; i++) {
        sz_token t;
        sz_status status = sz_session_next(s, 0, &t);
        if (status == SZ_END) { /* an end was drawn by chance: go on behind it */
            SZ_CHECK_OK(sz_session_prompt_ids(s, 0, f->ids, 1));
            continue;
        }
        SZ_CHECK_OK(status);
        assert_memory_equal(&t, &records(s, 0, i + 1)[i], sizeof t);
        assert_int_equal(t.flags, SZ_TOKEN_GENERATED);
        assert_true(t.draw_entropy > 0 && t.draw_surprisal > 0);
        assert_true(t.kept_mass == 1 && t.kept_n == f->n_vocab);
    }
    for (size_t i = 0; i < 60; i++)
        ids[i] = records(s, 0, 60)[i].id;
    append(scored, 0, ids, 60, SZ_ALL);
    same_figures(records(s, 0, 60), records(scored, 0, 60), 60);
    sz_session_free(scored);
    sz_session_free(s);
}

static void forks_and_cuts_keep_their_records(void **state) {
    const fixture *f = *state;
    sz_session *s = new_session(f, 0, false), *plain = new_session(f, 0, false);
    uint32_t child;
    append(plain, 0, f->ids, N, SZ_ALL);
    append(s, 0, f->ids, 50, SZ_ALL);
    SZ_CHECK_OK(sz_session_fork(s, 0, &child));
    append(s, child, f->ids + 50, 40, SZ_ALL); /* its first record needs the parent's logits */
    append(s, 0, f->ids, 10, SZ_ALL);
    same_figures(records(s, child, N), records(plain, 0, N), N);
    same_figures(records(s, 0, 60), records(plain, 0, N), 50);
    SZ_CHECK_OK(sz_session_truncate(s, child, 30));
    append(s, child, f->ids + 30, 2, SZ_ALL);
    same_figures(records(s, child, 32), records(plain, 0, N), 32);
    sz_session_free(plain);
    sz_session_free(s);
}

/* ---- Text ------------------------------------------------------------------------------------ */

static void check_text(sz_session *s, uint32_t seq, const char *want) {
    assert_string_equal(sz_session_text(s, seq), want);
}

static void next(sz_session *s, uint32_t seq, int32_t id) {
    sz_token t;
    SZ_CHECK_OK(sz_session_next(s, seq, &t));
    assert_int_equal(t.id, id);
}

static void text_comes_in_whole_characters(void **state) {
    const fixture *f = *state;
    /* "a", the two bytes of an e with acute, a control token, "b", three of a fire's four bytes */
    static const int32_t script[] = {'a', 0xc3, 0xa9, 277, 'b', 0xf0, 0x9f, 0x94, 0xa5, 'c', 'd'};
    sz_session *s = new_session(f, 0, false);
    uint32_t child;
    SZ_CHECK_OK(sz_session_prompt(s, 0, "the prompt is not told"));
    uint32_t n = sz_session_length(s, 0);
    SZ_CHECK_OK(script_set(s, 0, script, sizeof script / sizeof *script));
    check_text(s, 0, "");
    next(s, 0, 'a');
    next(s, 0, 0xc3);
    check_text(s, 0, "a");
    check_text(s, 0, "");
    SZ_CHECK_OK(sz_session_fork(s, 0, &child)); /* has the half character as well */
    next(s, 0, 0xa9);
    next(s, 0, 277);
    check_text(s, 0, "\xc3\xa9");
    next(s, child, 0xa9);
    check_text(s, child, "\xc3\xa9");
    for (size_t i = 4; i < 8; i++)
        next(s, 0, script[i]);
    check_text(s, 0, "b");
    next(s, 0, 0xa5);
    next(s, 0, 'c');
    SZ_CHECK_OK(sz_session_prompt(s, 0, "x")); /* does not count as generated */
    next(s, 0, 'd');
    check_text(s, 0,
               "\xf0\x9f\x94\xa5"
               "cd");
    SZ_CHECK_OK(sz_session_truncate(s, 0, n + 6)); /* the fire's first byte stays */
    SZ_CHECK_OK(script_set(s, 0, script, 2));
    next(s, 0, 'a');
    check_text(s, 0, "a"); /* what was cut off within a character is forgotten */
    check_text(s, 99, "");
    sz_session_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_tells_of_the_distribution_before_its_token),
        cmocka_unit_test(chunks_and_ways_of_scoring_agree),
        cmocka_unit_test(what_was_not_computed_is_not_a_number),
        cmocka_unit_test(rows_are_numbered_over_the_spans),
        cmocka_unit_test(generated_tokens_have_the_figures_of_scored_ones),
        cmocka_unit_test(forks_and_cuts_keep_their_records),
        cmocka_unit_test(text_comes_in_whole_characters),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
