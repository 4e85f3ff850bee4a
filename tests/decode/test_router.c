/* Two models that write one text: which one, what each has computed, state that belongs to the
 * text, and pairs that do not fit. */
#include "check.h"
#include "model/model.h"
#include "support/engine.h"

#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/router.h>

enum { N = 80 };

static const tiny_model small_config = {.type = SZ_Q8_0, .seed = 31, .no_end = true};
static const tiny_model large_config = {.type = SZ_F32, .seed = 32, .n_layer = 4, .no_end = true};
static const char sampler[] = "penalties 1.1, top-k 60, temperature 1.3";
static const char prompt[] = "it is the prompt of two";

typedef struct pair {
    engine small, large;
    int32_t prompt[64];
    size_t n_prompt;
} pair;

static int open_pair(void **state) {
    pair *p = calloc(1, sizeof *p);
    SZ_CHECK_OK(engine_open_tiny(&small_config, 1, NULL, &p->small));
    SZ_CHECK_OK(engine_open_tiny(&large_config, 2, NULL, &p->large));
    SZ_CHECK_OK(sz_model_tokenize(p->large.model, prompt, strlen(prompt), true, p->prompt, 64,
                                  &p->n_prompt));
    *state = p;
    return 0;
}

static int close_pair(void **state) {
    pair *p = *state;
    engine_close(&p->small);
    engine_close(&p->large);
    free(p);
    return 0;
}

static void plain(const pair *p, sz_model *m, const char *chain, uint64_t seed, int32_t ids[N]) {
    sz_session *s;
    sz_token t;
    SZ_CHECK_OK(sz_session_new(m, &(sz_session_config){.context = 256}, &s));
    SZ_CHECK_OK(sz_session_set_sampler(s, 0, chain, seed));
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, p->prompt, p->n_prompt));
    for (int i = 0; i < N; i++) {
        SZ_CHECK_OK(sz_session_next(s, 0, &t));
        ids[i] = t.id;
    }
    sz_session_free(s);
}

static sz_router *open_router(const pair *p, sz_model *small, sz_model *large, const char *text,
                              const char *chain, uint64_t seed) {
    sz_router *r;
    SZ_CHECK_OK(sz_router_new(text, small, large, &(sz_session_config){.context = 256}, &r));
    SZ_CHECK_OK(sz_router_set_sampler(r, chain, seed));
    SZ_CHECK_OK(sz_router_prompt_ids(r, p->prompt, p->n_prompt));
    return r;
}

static sz_router *new_router(const pair *p, const char *text, const char *chain, uint64_t seed) {
    return open_router(p, p->small.model, p->large.model, text, chain, seed);
}

static void write_tokens(sz_router *r, size_t n, sz_token *t) {
    for (size_t i = 0; i < n; i++)
        SZ_CHECK_OK(sz_router_next(r, &t[i]));
}

static void same_ids_as(const sz_token *t, const int32_t *ids, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (t[i].id != ids[i])
            fail_msg("token %zu is %d, not %d", i, t[i].id, ids[i]);
}

/* The median entropy of what the small model writes: a tau that both sides of it see. */
static double middle_entropy(const pair *p) {
    sz_router *r = new_router(p, "ead tau=1e9", sampler, 3);
    sz_token t[N];
    double h[N];
    write_tokens(r, N, t);
    sz_router_free(r);
    for (int i = 0; i < N; i++) {
        int at = i;
        for (; at > 0 && h[at - 1] > (double)t[i].entropy; at--)
            h[at] = h[at - 1];
        h[at] = (double)t[i].entropy;
    }
    return h[N / 2];
}

static void switching_text(const pair *p, const char *rest, char out[96]) {
    snprintf(out, 96, "ead tau=%.6f %s", middle_entropy(p), rest);
}

/* ---- The limits ------------------------------------------------------------------------------ */

static void at_its_limits_one_model_writes_and_the_other_computes_nothing(void **state) {
    const pair *p = *state;
    static const char *const chains[] = {NULL, "temperature 0", sampler, "mirostat"};
    for (int i = 0; i < 4; i++) {
        int32_t ids[N];
        sz_token t[N];
        sz_router *r = new_router(p, "ead tau=0 start-large=1", chains[i], 9);
        plain(p, p->large.model, chains[i], 9, ids);
        write_tokens(r, N, t);
        same_ids_as(t, ids, N);
        assert_int_equal(sz_session_length(sz_router_session(r, SZ_ROUTER_SMALL), 0), 0);
        assert_int_equal(t[5].model, SZ_ROUTER_LARGE);
        sz_router_free(r);
        r = new_router(p, "ead tau=1e9", chains[i], 9);
        plain(p, p->small.model, chains[i], 9, ids);
        write_tokens(r, N, t);
        same_ids_as(t, ids, N);
        assert_int_equal(sz_session_length(sz_router_session(r, SZ_ROUTER_LARGE), 0), 0);
        assert_int_equal(t[5].model, SZ_ROUTER_SMALL);
        sz_router_account a = sz_router_get_account(r);
        assert_int_equal(a.written[0], N);
        assert_int_equal(a.passes[1] + a.switches, 0);
        sz_router_free(r);
    }
}

/* ---- Switching ------------------------------------------------------------------------------- */

/* The logits of a model of the router are those of a session that computes the text at once. */
static void check_logits(sz_router *r, sz_router_role role, sz_model *m) {
    const sz_token *records;
    size_t n;
    sz_session *s;
    int32_t ids[256];
    sz_router_records(r, &records, &n);
    for (size_t i = 0; i < n; i++)
        ids[i] = records[i].id;
    SZ_CHECK_OK(sz_router_ready(r, role));
    SZ_CHECK_OK(sz_session_new(m, &(sz_session_config){.context = 256}, &s));
    SZ_CHECK_OK(sz_session_forward(s, &(sz_span){0, ids, (uint32_t)n, SZ_LAST}, 1));
    assert_memory_equal(sz_router_stats(r, role), sz_session_stats(s, 0), sizeof(sz_logit_stats));
    assert_memory_equal(sz_session_logits(sz_router_session(r, role), 0), sz_session_logits(s, 0),
                        m->h.n_vocab * sizeof(float));
    sz_session_free(s);
}

static void both_caches_stay_right(void **state) {
    const pair *p = *state;
    static const char *const rests[] = {"window=1 min=1", "window=5 min=3",
                                        "window=4 min=7 small-signal=1",
                                        "window=2 min=1 "
                                        "hysteresis=0.9"};
    for (int i = 0; i < 4; i++) {
        char text[96];
        sz_token t[N];
        switching_text(p, rests[i], text);
        sz_router *r = new_router(p, text, sampler, 4);
        for (int at = 0; at < N; at += N / 4) { /* looking does not disturb */
            write_tokens(r, N / 4, t + at);
            check_logits(r, SZ_ROUTER_SMALL, p->small.model);
            check_logits(r, SZ_ROUTER_LARGE, p->large.model);
        }
        sz_router_account a = sz_router_get_account(r);
        assert_true(a.switches >= 3);
        assert_int_equal(a.written[0] + a.written[1], N);
        sz_router_free(r);
    }
}

/* Passes as the trace of the writers asks for them: one over what a model has missed, and single
 * tokens while it writes. */
static void catching_up_is_one_pass(void **state) {
    const pair *p = *state;
    char text[96];
    sz_token t[N];
    uint64_t held[2] = {0}, passes[2] = {0}, caught_up[2] = {0};
    switching_text(p, "window=2 min=5", text);
    sz_router *r = new_router(p, text, sampler, 4);
    write_tokens(r, N, t);
    for (uint64_t i = 0; i < N; i++) {
        uint64_t size = p->n_prompt + i - held[t[i].model];
        held[t[i].model] = p->n_prompt + i;
        passes[t[i].model]++;
        caught_up[t[i].model] += size > 1 ? size : 0;
    }
    sz_router_account a = sz_router_get_account(r);
    for (int role = 0; role < 2; role++) {
        assert_int_equal(a.passes[role], passes[role]);
        assert_int_equal(a.caught_up[role], caught_up[role]);
        assert_int_equal(a.computed[role], held[role]);
        assert_int_equal(sz_session_length(sz_router_session(r, role), 0), held[role]);
    }
    assert_true(a.switches >= 3);
    for (int i = 1, start = 0; i < N; i++) /* all but the first segment */
        if (t[i].model != t[i - 1].model) {
            assert_true(start == 0 || i - start >= 5);
            start = i;
        }
    sz_router_free(r);
}

/* A model that takes turns with itself writes as it does alone, also with a sampler that
 * remembers. */
static void the_sampler_belongs_to_the_text(void **state) {
    const pair *p = *state;
    static const char *const chains[] = {"mirostat",
                                         "dry allowed=1, penalties 1.3 last=200, temperature 1.2",
                                         "penalties frequency=0.5, temperature 1"};
    for (int i = 0; i < 3; i++) {
        int32_t ids[N];
        sz_token t[N];
        char text[96];
        switching_text(p, "window=1 min=2", text);
        sz_router *r = open_router(p, p->small.model, p->small.model, text, chains[i], 11);
        plain(p, p->small.model, chains[i], 11, ids);
        write_tokens(r, N, t);
        same_ids_as(t, ids, N);
        assert_true(sz_router_get_account(r).switches >= 3);
        sz_router_free(r);
    }
}

static void the_records_are_those_of_whoever_wrote(void **state) {
    const pair *p = *state;
    char text[96];
    sz_token t[N];
    const sz_token *records;
    size_t n;
    switching_text(p, "window=3 min=2", text);
    sz_router *r = new_router(p, text, "", 4);
    write_tokens(r, N, t);
    sz_router_records(r, &records, &n);
    assert_int_equal(n, p->n_prompt + N);
    assert_int_equal(records[0].flags, SZ_TOKEN_PROMPT | SZ_TOKEN_FIRST);
    for (size_t i = p->n_prompt; i < n; i++) {
        sz_model *m = records[i].model ? p->large.model : p->small.model;
        sz_session *s;
        int32_t ids[256];
        for (size_t j = 0; j < i; j++)
            ids[j] = records[j].id;
        SZ_CHECK_OK(sz_session_new(m, &(sz_session_config){.context = 256}, &s));
        SZ_CHECK_OK(sz_session_forward(s, &(sz_span){0, ids, (uint32_t)i, SZ_LAST}, 1));
        const sz_logit_stats *stats = sz_session_stats(s, 0);
        double logit = (double)sz_session_logits(s, 0)[records[i].id];
        assert_int_equal(records[i].flags, SZ_TOKEN_GENERATED);
        assert_true(records[i].entropy == (float)stats->entropy);
        assert_true(records[i].surprisal == (float)(stats->log_sum_exp - logit));
        sz_session_free(s);
    }
    sz_router_free(r);
}

static void the_wanted_share_is_steered_to(void **state) {
    const pair *p = *state;
    for (int tenths = 2; tenths <= 8; tenths += 3) {
        sz_token t[N];
        char rest[64], text[96];
        snprintf(rest, sizeof rest, "window=2 min=1 fraction=0.%d", tenths);
        switching_text(p, rest, text);
        sz_router *r = new_router(p, text, sampler, 4);
        write_tokens(r, N, t);
        write_tokens(r, N, t);
        double share = (double)sz_router_get_account(r).written[SZ_ROUTER_LARGE] / (2 * N);
        SZ_CHECK_ABS(share, tenths / 10.0, 0.08);
        sz_router_free(r);
    }
}

/* ---- The text -------------------------------------------------------------------------------- */

static void a_text_that_is_cut_and_goes_on(void **state) {
    const pair *p = *state;
    char text[96];
    sz_token t[N];
    switching_text(p, "window=2 min=2", text);
    sz_router *r = new_router(p, text, sampler, 4);
    write_tokens(r, 30, t);
    SZ_CHECK_OK(sz_router_truncate(r, (uint32_t)p->n_prompt + 7));
    check_logits(r, SZ_ROUTER_SMALL, p->small.model);
    check_logits(r, SZ_ROUTER_LARGE, p->large.model);
    SZ_CHECK_OK(sz_router_prompt_ids(r, p->prompt, 5));
    write_tokens(r, 20, t);
    check_logits(r, SZ_ROUTER_SMALL, p->small.model);
    check_logits(r, SZ_ROUTER_LARGE, p->large.model);
    size_t kept;
    int32_t other[40];
    random_ids(1, 256, other, 40);
    memcpy(other, p->prompt, 9 * sizeof *other);
    SZ_CHECK_OK(sz_router_sync(r, other, 40, &kept));
    assert_true(kept >= 9 && kept < 40);
    assert_int_equal(sz_router_length(r), 40);
    write_tokens(r, 20, t);
    check_logits(r, SZ_ROUTER_SMALL, p->small.model);
    check_logits(r, SZ_ROUTER_LARGE, p->large.model);
    assert_int_equal(sz_router_truncate(r, 61), SZ_E_ARG);
    sz_router_free(r);
}

static void what_is_shown_is_what_was_written(void **state) {
    const pair *p = *state;
    char text[96], shown[4096] = "", want[4096];
    sz_token t[N];
    int32_t ids[N];
    size_t n_want;
    switching_text(p, "window=2 min=2", text);
    sz_router *r = new_router(p, text, sampler, 4);
    for (int i = 0; i < N; i++) {
        SZ_CHECK_OK(sz_router_next(r, &t[i]));
        ids[i] = t[i].id;
        strncat(shown, sz_router_text(r), sizeof shown - strlen(shown) - 1);
    }
    SZ_CHECK_OK(sz_model_detokenize(p->large.model, ids, N, false, want, sizeof want, &n_want));
    assert_true(strlen(shown) > N / 2);
    assert_memory_equal(shown, want, strlen(shown));
    sz_router_free(r);
}

static void the_tighter_context_is_the_limit(void **state) {
    const pair *p = *state;
    sz_router *r;
    sz_token t[N];
    int32_t ids[40];
    random_ids(2, 256, ids, 40);
    SZ_CHECK_OK(sz_router_new("ead tau=5 window=1 min=1", p->small.model, p->large.model,
                              &(sz_session_config){.context = 32}, &r));
    assert_int_equal(sz_router_next(r, t), SZ_E_STATE);
    assert_int_equal(sz_router_prompt_ids(r, ids, 33), SZ_E_LIMIT);
    assert_non_null(strstr(sz_last_error(), "small model's context of 32"));
    assert_int_equal(sz_router_sync(r, ids, 33, NULL), SZ_E_LIMIT);
    SZ_CHECK_OK(sz_router_prompt_ids(r, ids, 20));
    write_tokens(r, 12, t);
    assert_int_equal(sz_router_next(r, t), SZ_E_LIMIT);
    SZ_CHECK_OK(sz_router_truncate(r, 10));
    write_tokens(r, 22, t);
    ids[3] = 100000;
    SZ_CHECK_OK(sz_router_truncate(r, 1));
    assert_int_equal(sz_router_prompt_ids(r, ids, 5), SZ_E_ARG);
    assert_int_equal(sz_router_length(r), 1);
    sz_router_free(r);
}

static void cancelling_leaves_both_caches_valid(void **state) {
    const pair *p = *state;
    char text[96];
    sz_token t[N], again[N];
    switching_text(p, "window=2 min=2", text);
    sz_router *r = new_router(p, text, sampler, 4);
    write_tokens(r, N, t);
    sz_router_free(r);
    r = new_router(p, text, sampler, 4);
    for (int i = 0; i < N; i++) {
        if (i % 7 == 3) { /* one of the two models stops, before or within a catch-up */
            sz_runtime *rt = i % 2 ? p->small.rt : p->large.rt;
            sz_runtime_cancel(rt);
            sz_status status = sz_router_next(r, &again[i]);
            sz_runtime_resume(rt);
            if (status == SZ_OK)
                continue;
            assert_int_equal(status, SZ_E_CANCELLED);
        }
        SZ_CHECK_OK(sz_router_next(r, &again[i]));
    }
    assert_memory_equal(t, again, sizeof t);
    sz_router_free(r);
}

static void an_end_leaves_the_text_as_it_was(void **state) {
    const pair *p = *state;
    engine e;
    sz_router *r;
    sz_token t;
    tiny_model ends = small_config;
    ends.no_end = false;
    SZ_CHECK_OK(engine_open_tiny(&ends, 1, NULL, &e));
    SZ_CHECK_OK(sz_router_new("ead tau=1e9", e.model, e.model, NULL, &r));
    SZ_CHECK_OK(sz_router_set_sampler(r, "logit-bias id=278 bias=1000", 1));
    SZ_CHECK_OK(sz_router_prompt_ids(r, p->prompt, 5));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sz_router_next(r, &t), SZ_END);
        assert_int_equal(t.id, 278);
        assert_int_equal(sz_router_length(r), 5);
    }
    SZ_CHECK_OK(sz_router_set_sampler(r, "logit-bias id=120 bias=1000", 1));
    SZ_CHECK_OK(sz_router_next(r, &t));
    sz_router_free(r);
    engine_close(&e);
}

/* ---- Pairs and options ----------------------------------------------------------------------- */

static void expect_refusal(const tiny_model *other, const char *part) {
    engine a, b;
    sz_router *r;
    SZ_CHECK_OK(engine_open_tiny(&(tiny_model){.seed = 1}, 1, NULL, &a));
    SZ_CHECK_OK(engine_open_tiny(other, 1, NULL, &b));
    assert_int_equal(sz_router_new("ead", a.model, b.model, NULL, &r), SZ_E_ARG);
    if (!strstr(sz_last_error(), part))
        fail_msg("'%s' does not name '%s'", sz_last_error(), part);
    engine_close(&a);
    engine_close(&b);
}

static void models_that_do_not_fit_are_refused(void **state) {
    expect_refusal(&(tiny_model){.n_vocab = 300}, "token 293 is the first");
    expect_refusal(&(tiny_model){.no_end = true}, "end");
    expect_refusal(&(tiny_model){.add_bos = true}, "begin-of-text");
    expect_refusal(&(tiny_model){.no_template = true}, "template");
    expect_refusal(&(tiny_model){.chat_template = "{{ messages[0].content }}"}, "template");
}

static void options_are_checked(void **state) {
    const pair *p = *state;
    static const char *const bad[] = {"",
                                      "nothing",
                                      "ead tau=-1",
                                      "ead tau=x",
                                      "ead window=0",
                                      "ead min=0",
                                      "ead, ead",
                                      "ead window=1.5",
                                      "ead,",
                                      "ead what=1",
                                      "ead tau=1 tau=2",
                                      "ead window=1025",
                                      "ead hysteresis=1.5"};
    sz_router *r;
    const sz_router_kind *kind;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(sz_router_parse(bad[i], &kind), SZ_E_ARG);
        assert_int_equal(sz_router_new(bad[i], p->small.model, p->large.model, NULL, &r), SZ_E_ARG);
    }
    assert_int_equal(sz_router_parse(NULL, &kind), SZ_E_ARG);
    assert_int_equal(sz_router_new("ead", NULL, p->large.model, NULL, &r), SZ_E_ARG);
    assert_int_equal(sz_router_new("ead", p->small.model, NULL, NULL, &r), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "ead"));
    SZ_CHECK_OK(sz_router_parse("ead 1.5 window=3", &kind));
    assert_string_equal(kind->name, "ead");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_its_limits_one_model_writes_and_the_other_computes_nothing),
        cmocka_unit_test(both_caches_stay_right),
        cmocka_unit_test(catching_up_is_one_pass),
        cmocka_unit_test(the_sampler_belongs_to_the_text),
        cmocka_unit_test(the_records_are_those_of_whoever_wrote),
        cmocka_unit_test(the_wanted_share_is_steered_to),
        cmocka_unit_test(a_text_that_is_cut_and_goes_on),
        cmocka_unit_test(what_is_shown_is_what_was_written),
        cmocka_unit_test(the_tighter_context_is_the_limit),
        cmocka_unit_test(cancelling_leaves_both_caches_valid),
        cmocka_unit_test(an_end_leaves_the_text_as_it_was),
        cmocka_unit_test(models_that_do_not_fit_are_refused),
        cmocka_unit_test(options_are_checked),
    };
    return cmocka_run_group_tests(tests, open_pair, close_pair);
}
