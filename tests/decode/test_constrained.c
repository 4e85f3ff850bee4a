/* test_constrained.c: whatever a model draws under a grammar follows it, token by token. */
#include "check.h"

#include <string.h>
#include <unistd.h>

#include <szilard/unstable/model.h>
#include <szilard/unstable/sampler.h>

#include "support/tiny_model.h"

typedef struct world {
    sz_runtime *rt;
    sz_model *model;
    sz_session *session;
} world;

static int open_world(void **state) {
    static world w;
    char path[TINY_MODEL_PATH];
    SZ_CHECK_OK(tiny_model_make(&(tiny_model){0}, path));
    SZ_CHECK_OK(sz_runtime_new(&(sz_runtime_config){.n_threads = 1}, &w.rt));
    SZ_CHECK_OK(sz_model_open(w.rt, path, NULL, &w.model));
    SZ_CHECK_OK(sz_session_new(w.model, NULL, &w.session));
    unlink(path);
    *state = &w;
    return 0;
}

static int close_world(void **state) {
    world *w = *state;
    sz_session_free(w->session);
    sz_model_close(w->model);
    sz_runtime_free(w->rt);
    return 0;
}

static sz_grammar *grammar_of(const char *gbnf) {
    sz_grammar *g;
    SZ_CHECK_OK(sz_grammar_parse(gbnf, strlen(gbnf), &g));
    return g;
}

static void set_grammar(world *w, const char *gbnf, uint64_t seed) {
    sz_chain *chain;
    SZ_CHECK_OK(sz_chain_new(&chain));
    SZ_CHECK_OK(sz_chain_add_grammar(chain, w->model, grammar_of(gbnf)));
    SZ_CHECK_OK(sz_session_set_chain(w->session, 0, chain, seed));
}

/* The text that is drawn after "a", up to the end or n tokens. */
static bool generate(world *w, size_t n, sz_buf *text) {
    sz_token t;
    sz_status status = SZ_OK;
    for (size_t i = 0; i < n && status == SZ_OK; i++) {
        status = sz_session_next(w->session, 0, &t);
        size_t length = 0;
        const char *piece = sz_tokenizer_piece(sz_model_tokenizer(w->model), t.id, &length);
        if (status == SZ_OK)
            sz_buf_append(text, piece, length);
        assert_true(status == SZ_OK || status == SZ_END);
    }
    return status == SZ_END;
}

static const char *const grammars[] = {
    "root ::= \"yes\" | \"no\"",
    "root ::= [0-9]{4} \"-\" [0-9]{2}",
    "root ::= (\"a\" | \"bc\")* \".\"",
    "root ::= \"[\" (n (\", \" n)*)? \"]\"\nn ::= \"-\"? [0-9]{1,3}",
    "root ::= [\\u0400-\\u04FF]{1,5} \"!\"",
};

static void what_is_drawn_follows_the_grammar(void **state) {
    world *w = *state;
    size_t ended = 0;
    for (size_t k = 0; k < sizeof grammars / sizeof *grammars; k++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            sz_buf text = {0};
            SZ_CHECK_OK(sz_session_truncate(w->session, 0, 0));
            SZ_CHECK_OK(sz_session_prompt(w->session, 0, "a"));
            set_grammar(w, grammars[k], seed);
            bool whole = generate(w, 40, &text), matches;
            sz_grammar *g = grammar_of(grammars[k]);
            uint32_t at = sz_grammar_start(g);
            for (size_t i = 0; i < text.len; i++) {
                SZ_CHECK_OK(sz_grammar_step(g, at, (uint8_t)text.data[i], &at));
                assert_int_not_equal(at, SZ_GRAMMAR_DEAD);
            }
            if (whole) {
                SZ_CHECK_OK(sz_grammar_match(g, text.data, text.len, &matches));
                assert_true(matches);
                ended++;
            }
            sz_grammar_free(g);
            sz_buf_free(&text);
        }
    assert_true(ended > 50);
}

/* Every token is allowed exactly if its bytes lead somewhere. */
static void masks_are_exact(void **state) {
    world *w = *state;
    const sz_tokenizer *t = sz_model_tokenizer(w->model);
    for (size_t k = 0; k < sizeof grammars / sizeof *grammars; k++) {
        SZ_CHECK_OK(sz_session_truncate(w->session, 0, 0));
        SZ_CHECK_OK(sz_session_prompt(w->session, 0, "a"));
        set_grammar(w, grammars[k], 1);
        sz_token drawn;
        size_t kept, want = 0;
        SZ_CHECK_OK(sz_session_next(w->session, 0, &drawn));
        sz_chain_stage(sz_session_chain(w->session, 0), 0, &kept);
        sz_grammar *g = grammar_of(grammars[k]);
        for (int32_t id = 0; id < (int32_t)sz_tokenizer_n_vocab(t); id++) {
            size_t n = 0;
            const char *piece = sz_tokenizer_piece(t, id, &n);
            uint32_t at = sz_grammar_start(g);
            for (size_t i = 0; i < n && at != SZ_GRAMMAR_DEAD; i++)
                SZ_CHECK_OK(sz_grammar_step(g, at, (uint8_t)piece[i], &at));
            want += n > 0 && at != SZ_GRAMMAR_DEAD && !sz_tokenizer_is_control(t, id);
        }
        assert_int_equal(kept, want);
        sz_grammar_free(g);
    }
}

static void forks_go_their_own_ways(void **state) {
    world *w = *state;
    uint32_t branch;
    sz_token t;
    SZ_CHECK_OK(sz_session_truncate(w->session, 0, 0));
    SZ_CHECK_OK(sz_session_prompt(w->session, 0, "a"));
    set_grammar(w, "root ::= [a-z]{6}", 3);
    SZ_CHECK_OK(sz_session_next(w->session, 0, &t));
    SZ_CHECK_OK(sz_session_fork(w->session, 0, &branch));
    size_t left[2] = {0};
    for (uint32_t i = 0; i < 2; i++)
        while (sz_session_next(w->session, i ? branch : 0, &t) == SZ_OK)
            left[i]++;
    assert_in_range(left[0], 1, 5);
    assert_in_range(left[1], 1, 5);
    SZ_CHECK_OK(sz_session_drop(w->session, branch));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_drawn_follows_the_grammar),
        cmocka_unit_test(masks_are_exact),
        cmocka_unit_test(forks_go_their_own_ways),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
