/* Repetitions end at breakers, which may stand in one token or in several. */
#include "check.h"
#include "support/engine.h"

#include <string.h>
#include <szilard/unstable/sampler.h>

enum { MOST = 512 };

static const tiny_model config = {.seed = 4, .n_embd = 32, .n_ff = 32};

static int open_engine(void **state) {
    static engine e;
    SZ_CHECK_OK(engine_open_tiny(&config, 1, NULL, &e));
    *state = &e;
    return 0;
}

static int close_engine(void **state) {
    engine_close(*state);
    return 0;
}

/* By how much the logit of a text's first token falls after another text. */
static double penalty(const engine *e, const char *chain_text, const char *before,
                      const char *next) {
    int32_t ids[MOST], id[MOST];
    float logits[MOST] = {0};
    size_t n, n_next;
    sz_token history[MOST] = {{0}};
    sz_candidates c;
    sz_chain *chain;
    SZ_CHECK_OK(sz_model_tokenize(e->model, before, strlen(before), false, ids, MOST, &n));
    SZ_CHECK_OK(sz_model_tokenize(e->model, next, strlen(next), false, id, MOST, &n_next));
    assert_int_equal(n, strlen(before)); /* a token is a byte here */
    for (size_t i = 0; i < n; i++)
        history[i].id = ids[i];
    SZ_CHECK_OK(sz_candidates_new(e->rt, MOST, &c));
    sz_candidates_fill(&c, logits, 300);
    SZ_CHECK_OK(sz_chain_parse(chain_text, &chain));
    sz_sampler_input input = {.model = e->model, .history = history, .n_history = n};
    SZ_CHECK_OK(sz_chain_apply(chain, &input, &c));
    double fallen = -(double)c.logit[id[0]];
    sz_chain_free(chain);
    sz_candidates_free(&c);
    return fallen;
}

#define DRY "dry multiplier=1 base=2 allowed=2 "

static void matches_end_at_breakers(void **state) {
    static const struct {
        const char *chain, *before, *next;
        double want; /* 2^(length - 2) */
    } cases[] = {
        {DRY "breaker=\"\"", "xy\ncd xy\nc", "d", 4},       /* "xy\nc" */
        {DRY, "xy\ncd xy\nc", "d", 0},                      /* "c" is too short */
        {DRY "breaker=\"\\n\"", "xy\ncd xy\nc", "d", 0},    /* the same */
        {DRY "breaker=\";\"", "xy\ncd xy\nc", "d", 4},      /* another one */
        {DRY "breaker=\"y\\n\"", "xy\ncd xy\nc", "d", 0},   /* in two tokens, ends before c */
        {DRY "breaker=\"xy\"", "xy\ncd xy\nc", "d", 1},     /* ends before "\nc" */
        {DRY "breaker=\"xy, cd\"", "xy, cd xy, c", "d", 8}, /* the last one is not whole */
        {DRY "breaker=xy breaker=\", \"", "xy, cd xy, c", "d", 0}, /* the later of two */
        {DRY "breaker=d", "xycd xyc", "d", 0},                     /* breakers are not penalised */
        {DRY "breaker=\"\"", "xycd xyc", "d", 2},
        {DRY "breaker=\"\" last=7", "xycd xyc", "d", 1}, /* it sees "yc" of "xyc" */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double got = penalty(*state, cases[i].chain, cases[i].before, cases[i].next);
        if (got != cases[i].want)
            fail_msg("case %zu, %s: %g, not %g", i, cases[i].chain, got, cases[i].want);
    }
}

static void wrong_breakers_are_refused(void **state) {
    sz_chain *chain;
    sz_buf many = {0};
    sz_buf_puts(&many, "dry");
    for (int i = 0; i < 17; i++)
        sz_buf_printf(&many, " breaker=%d", i);
    assert_int_equal(sz_chain_parse(many.data, &chain), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "more than 16 breakers"));
    assert_int_equal(
        sz_chain_parse("dry breaker=12345678901234567890123456789012345678901", &chain), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "41 bytes"));
    assert_int_equal(sz_chain_parse("dry breaker=\"\\q\"", &chain), SZ_E_ARG);
    assert_int_equal(sz_chain_parse("dry breaker=\"\\n", &chain), SZ_E_ARG);
    sz_buf_free(&many);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_end_at_breakers),
        cmocka_unit_test(wrong_breakers_are_refused),
    };
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
