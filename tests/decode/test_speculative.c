/* Speculation changes how a text is computed and nothing else: the same tokens, records and state
 * as the large model alone, with any draft; the law of what is drawn; where drafts come from. */
#include "check.h"
#include "model/model.h"
#include "support/engine.h"

#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/num.h>
#include <szilard/unstable/router.h>

enum { N = 60 };

static const tiny_model small_config = {.type = SZ_Q8_0, .seed = 41, .no_end = true};
static const tiny_model large_config = {.type = SZ_F32, .seed = 42, .n_layer = 3, .no_end = true};
static const char prompt[] = "the same and the same and the";

static const char *const chains[] = {
    NULL,
    "temperature 0",
    "",
    "top-k 40, top-p 0.95, min-p 0.05, temperature 0.8",
    "penalties 1.3 last=200, dry allowed=1, temperature 1.1",
    "mirostat",
    "xtc, top-h 0.5, temperature 0.5",
};
enum { N_CHAINS = sizeof chains / sizeof *chains };

typedef struct pair {
    engine small, large;
    int32_t prompt[64];
    size_t n_prompt;
} pair;

static int open_pair(void **state) {
    pair *p = calloc(1, sizeof *p);
    SZ_CHECK_OK(engine_open_tiny(&small_config, 1, NULL, &p->small));
    SZ_CHECK_OK(engine_open_tiny(&large_config, 1, NULL, &p->large));
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

static sz_session *new_session(const pair *p, const char *chain, uint64_t seed) {
    sz_session *s;
    SZ_CHECK_OK(sz_session_new(p->large.model, &(sz_session_config){.context = 256}, &s));
    SZ_CHECK_OK(sz_session_set_sampler(s, 0, chain, seed));
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, p->prompt, p->n_prompt));
    return s;
}

static sz_router *open_router(const pair *p, sz_model *small, const char *text, const char *chain,
                              uint64_t seed) {
    sz_router *r;
    SZ_CHECK_OK(
        sz_router_new(text, small, p->large.model, &(sz_session_config){.context = 256}, &r));
    SZ_CHECK_OK(sz_router_set_sampler(r, chain, seed));
    SZ_CHECK_OK(sz_router_prompt_ids(r, p->prompt, p->n_prompt));
    return r;
}

/* Draws from both, and compares all that a record tells. */
static void write_alike(sz_session *s, sz_router *r, int n) {
    for (int i = 0; i < n; i++) {
        sz_token want, got;
        sz_status status = sz_session_next(s, 0, &want);
        assert_int_equal(sz_router_next(r, &got), status);
        if (status != SZ_OK && status != SZ_END)
            fail_msg("token %d: %s", i, sz_last_error());
        got.model = got.route = 0;
        assert_memory_equal(&got, &want, sizeof got);
    }
}

/* ---- Nothing is lost ------------------------------------------------------------------------- */

static void texts_are_those_of_the_large_model(void **state) {
    const pair *p = *state;
    static const struct {
        const char *text;
        bool with_small;
    } routers[] = {
        {"speculative", true},
        {"speculative", false},
        {"speculative thrift=0", true},
        {"speculative thrift=0", false},
        {"speculative thrift=0 lookup=0 most=1", true},
        {"speculative thrift=0 lookup=0 most=13", true},
        {"speculative thrift=0 lookup=1 most=64", false},
        {"speculative thrift=0 lookup=1 most=5", true},
    };
    for (size_t i = 0; i < sizeof routers / sizeof *routers; i++)
        for (int c = 0; c < N_CHAINS; c++) {
            sz_model *small = routers[i].with_small ? p->small.model : NULL;
            sz_session *s = new_session(p, chains[c], 7);
            sz_router *r = open_router(p, small, routers[i].text, chains[c], 7);
            write_alike(s, r, N);
            sz_router_free(r);
            sz_session_free(s);
        }
}

/* The last tokens of a full context are speculated about as far as there is room. */
static void the_context_is_used_to_its_end(void **state) {
    const pair *p = *state;
    sz_session *s = new_session(p, "temperature 1", 3);
    sz_router *r = open_router(p, p->small.model, "speculative thrift=0", "temperature 1", 3);
    sz_token t;
    write_alike(s, r, 256 - (int)p->n_prompt);
    assert_int_equal(sz_session_next(s, 0, &t), SZ_E_LIMIT);
    assert_int_equal(sz_router_next(r, &t), SZ_E_LIMIT);
    sz_router_free(r);
    sz_session_free(s);
}

static void a_text_that_is_cut_and_goes_on(void **state) {
    const pair *p = *state;
    for (uint64_t seed = 0; seed < 20; seed++) { /* the cut falls within a draft or behind it */
        sz_session *s = new_session(p, "penalties 1.2, temperature 1", seed);
        sz_router *r = open_router(p, p->small.model, "speculative thrift=0 lookup=2",
                                   "penalties 1.2, temperature 1", seed);
        uint32_t cut = (uint32_t)(p->n_prompt + 3 + seed);
        write_alike(s, r, 24);
        SZ_CHECK_OK(sz_session_truncate(s, 0, cut));
        SZ_CHECK_OK(sz_router_truncate(r, cut));
        write_alike(s, r, 10);
        SZ_CHECK_OK(sz_session_prompt_ids(s, 0, p->prompt, 3));
        SZ_CHECK_OK(sz_router_prompt_ids(r, p->prompt, 3));
        write_alike(s, r, 10);
        SZ_CHECK_OK(sz_session_sync(s, 0, p->prompt, p->n_prompt - 2, NULL));
        SZ_CHECK_OK(sz_router_sync(r, p->prompt, p->n_prompt - 2, NULL));
        SZ_CHECK_OK(sz_router_prepare(r));
        write_alike(s, r, 10);
        SZ_CHECK_OK(sz_router_ready(r, SZ_ROUTER_LARGE)); /* in the middle of a draft */
        write_alike(s, r, 10);
        sz_router_free(r);
        sz_session_free(s);
    }
}

static void cancelling_changes_nothing(void **state) {
    const pair *p = *state;
    sz_session *s = new_session(p, "temperature 1", 5);
    sz_router *r =
        open_router(p, p->small.model, "speculative thrift=0 lookup=0", "temperature 1", 5);
    for (int i = 0; i < 30; i++) {
        sz_runtime *rt = i % 2 ? p->small.rt : p->large.rt;
        sz_token t;
        sz_runtime_cancel(rt);
        sz_status status = sz_router_next(r, &t);
        sz_runtime_resume(rt);
        if (status == SZ_OK) { /* the other model was not asked */
            sz_token want;
            SZ_CHECK_OK(sz_session_next(s, 0, &want));
            assert_int_equal(t.id, want.id);
        } else {
            assert_int_equal(status, SZ_E_CANCELLED);
        }
        write_alike(s, r, 2);
    }
    sz_router_free(r);
    sz_session_free(s);
}

/* ---- Ends and constraints -------------------------------------------------------------------- */

static void ends_and_constraints_hold(void **state) {
    const pair *p = *state;
    engine e;
    sz_session *s;
    sz_router *r;
    tiny_model ends = small_config;
    ends.no_end = false;
    SZ_CHECK_OK(engine_open_tiny(&ends, 1, NULL, &e));
    for (uint64_t seed = 0; seed < 10; seed++) {
        sz_chain *chains[2];
        for (int i = 0; i < 2; i++) {
            sz_grammar *g;
            SZ_CHECK_OK(sz_grammar_from_regex("(ab|ba|[0-9])*x", 15, &g));
            SZ_CHECK_OK(sz_chain_new(&chains[i]));
            SZ_CHECK_OK(sz_chain_add_grammar(chains[i], e.model, g));
        }
        SZ_CHECK_OK(sz_session_new(e.model, NULL, &s));
        SZ_CHECK_OK(sz_router_new("speculative thrift=0 lookup=1", e.model, e.model, NULL, &r));
        SZ_CHECK_OK(sz_session_set_chain(s, 0, chains[0], seed));
        SZ_CHECK_OK(sz_router_set_chain(r, chains[1], seed));
        SZ_CHECK_OK(sz_session_prompt_ids(s, 0, p->prompt, 9));
        SZ_CHECK_OK(sz_router_prompt_ids(r, p->prompt, 9));
        sz_status status = SZ_OK;
        for (int i = 0; i < 100 && status == SZ_OK; i++) {
            sz_token want, got;
            status = sz_session_next(s, 0, &want);
            assert_int_equal(sz_router_next(r, &got), status);
            assert_int_equal(got.id, want.id);
            assert_true(got.kept_n == want.kept_n && got.kept_mass == want.kept_mass);
        }
        sz_router_free(r);
        sz_session_free(s);
    }
    engine_close(&e);
}

/* ---- Drafts ---------------------------------------------------------------------------------- */

/* A model that guesses its own tokens is always right, with any sampler. */
static void a_perfect_draft_is_taken_whole(void **state) {
    const pair *p = *state;
    for (int c = 0; c < N_CHAINS; c++) {
        sz_token t;
        sz_router *r =
            open_router(p, p->large.model, "speculative thrift=0 lookup=0 most=4", chains[c], 1);
        SZ_CHECK_OK(sz_router_prepare(r));
        for (int i = 0; i < 81; i++) {
            SZ_CHECK_OK(sz_router_next(r, &t));
            assert_int_equal(t.model, SZ_ROUTER_LARGE);
            assert_int_equal(t.route, i % 5 == 0 ? 0 : 1); /* four guessed, then one of its own */
        }
        sz_router_account a = sz_router_get_account(r);
        assert_int_equal(a.accepted, 64);
        assert_int_equal(a.drafted, 64);
        assert_int_equal(a.passes[SZ_ROUTER_LARGE], 17); /* the prompt, and 16 for 80 tokens */
        assert_int_equal(a.written[SZ_ROUTER_LARGE], 81);
        sz_router_free(r);
    }
}

/* What a text repeats is found in it. */
static void repetitions_are_looked_up(void **state) {
    const pair *p = *state;
    sz_token t;
    sz_chain *chain;
    sz_grammar *g;
    int n_right = 0;
    sz_router *r = open_router(p, NULL, "speculative thrift=0 lookup=2 most=6", NULL, 0);
    SZ_CHECK_OK(sz_grammar_from_regex("(now and then )*", 16, &g));
    SZ_CHECK_OK(sz_chain_new(&chain));
    SZ_CHECK_OK(sz_chain_add_grammar(chain, p->large.model, g));
    SZ_CHECK_OK(sz_router_set_chain(r, chain, 1));
    for (int i = 0; i < 150; i++) {
        SZ_CHECK_OK(sz_router_next(r, &t));
        n_right += t.route == 1;
    }
    sz_router_account a = sz_router_get_account(r);
    assert_int_equal(a.accepted, n_right);
    assert_true(n_right > 75);
    assert_true(a.passes[SZ_ROUTER_LARGE] < 75);
    assert_int_equal(a.computed[SZ_ROUTER_SMALL], 0);
    sz_router_free(r);
}

/* ---- The law --------------------------------------------------------------------------------- */

enum { KEPT = 5, DRAWS = 4000 };

/* Ids and probabilities after a text, with the chain "top-k 5, temperature 1.5". */
static void law_after(const pair *p, const int32_t *ids, size_t n, int32_t top[KEPT],
                      double prob[KEPT]) {
    sz_session *s;
    double sum = 0;
    SZ_CHECK_OK(sz_session_new(p->large.model, NULL, &s));
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, n));
    const float *logits = sz_session_logits(s, 0);
    sz_logits_top(logits, p->large.model->h.n_vocab, KEPT, top);
    for (int i = 0; i < KEPT; i++)
        sum += prob[i] = sz_exp((double)(logits[top[i]] - logits[top[0]]) / 1.5);
    for (int i = 0; i < KEPT; i++)
        prob[i] /= sum;
    sz_session_free(s);
}

static int place(const int32_t top[KEPT], int32_t id) {
    for (int i = 0; i < KEPT; i++)
        if (top[i] == id)
            return i;
    fail_msg("token %d cannot be drawn", id);
    return -1;
}

/* Pairs of tokens, of which the second was guessed, against their exact probabilities: chi-square
 * with 24 degrees of freedom, whose 0.9999 quantile is 59.0. */
static void drawn_by_the_law_of_the_large_model(void **state) {
    const pair *p = *state;
    int32_t ids[64], first[KEPT], second[KEPT][KEPT];
    double p_first[KEPT], p_second[KEPT][KEPT], chi = 0;
    int counts[KEPT][KEPT] = {{0}};
    size_t n = 6;
    memcpy(ids, p->prompt, n * sizeof *ids);
    law_after(p, ids, n, first, p_first);
    for (int i = 0; i < KEPT; i++) {
        ids[n] = first[i];
        law_after(p, ids, n + 1, second[i], p_second[i]);
    }
    engine like; /* the same weights with less precision */
    tiny_model config = large_config;
    config.type = SZ_Q4_0;
    SZ_CHECK_OK(engine_open_tiny(&config, 1, NULL, &like));
    sz_router *r;
    SZ_CHECK_OK(sz_router_new("speculative thrift=0 lookup=0 most=2", like.model, p->large.model,
                              NULL, &r));
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        sz_token a, b;
        SZ_CHECK_OK(sz_router_sync(r, ids, n, NULL));
        SZ_CHECK_OK(sz_router_set_sampler(r, "top-k 5, temperature 1.5", seed));
        SZ_CHECK_OK(sz_router_next(r, &a));
        SZ_CHECK_OK(sz_router_next(r, &b));
        int i = place(first, a.id);
        counts[i][place(second[i], b.id)]++;
    }
    sz_router_account account = sz_router_get_account(r);
    assert_true(account.accepted > DRAWS / 20 && account.accepted < account.drafted);
    for (int i = 0; i < KEPT; i++)
        for (int j = 0; j < KEPT; j++) {
            double expected = DRAWS * p_first[i] * p_second[i][j], off = counts[i][j] - expected;
            assert_true(expected > 5);
            chi += off * off / expected;
        }
    assert_true(chi < 59.0);
    sz_router_free(r);
    engine_close(&like);
}

static void options_are_checked(void **state) {
    const pair *p = *state;
    static const char *const bad[] = {"speculative most=0",    "speculative most=65",
                                      "speculative lookup=-1", "speculative lookup=1.5",
                                      "speculative thrift=2",  "speculative tau=1"};
    const sz_router_kind *kind;
    sz_router *r;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(sz_router_parse(bad[i], &kind), SZ_E_ARG);
    assert_int_equal(sz_router_new("speculative lookup=0", NULL, p->large.model, NULL, &r),
                     SZ_E_ARG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_those_of_the_large_model),
        cmocka_unit_test(the_context_is_used_to_its_end),
        cmocka_unit_test(a_text_that_is_cut_and_goes_on),
        cmocka_unit_test(cancelling_changes_nothing),
        cmocka_unit_test(ends_and_constraints_hold),
        cmocka_unit_test(a_perfect_draft_is_taken_whole),
        cmocka_unit_test(repetitions_are_looked_up),
        cmocka_unit_test(drawn_by_the_law_of_the_large_model),
        cmocka_unit_test(options_are_checked),
    };
    return cmocka_run_group_tests(tests, open_pair, close_pair);
}
