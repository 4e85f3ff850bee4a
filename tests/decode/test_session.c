/* The life of sessions and sequences, and what they answer to wrong calls. */
#include "check.h"
#include "model/model.h"
#include "support/engine.h"
#include "support/gguf_edit.h"
#include "support/script.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_engine(void **state) {
    engine *e = malloc(sizeof *e);
    SZ_CHECK_OK(engine_open_tiny(&(tiny_model){.add_bos = true}, 1, NULL, e));
    *state = e;
    return 0;
}

static int close_engine(void **state) {
    engine_close(*state);
    free(*state);
    return 0;
}

static sz_session *new_session(const engine *e, const sz_session_config *c) {
    sz_session *s;
    SZ_CHECK_OK(sz_session_new(e->model, c, &s));
    return s;
}

static void says(sz_status got, sz_status want, const char *message) {
    if (got != want || !strstr(sz_last_error(), message))
        fail_msg("%s: \"%s\", not %s: \"%s\"", sz_status_name(got), sz_last_error(),
                 sz_status_name(want), message);
}

/* ---- Configuration --------------------------------------------------------------------------- */

static void wrong_configurations_are_refused(void **state) {
    const engine *e = *state;
    static const struct {
        sz_session_config config;
        const char *message;
    } wrong[] = {
        {{.n_sequences = 65537}, "65537 sequences"},
        {{.context = (1u << 27) + 1}, "a context of 134217729 tokens"},
        {{.chunk = (1u << 20) + 1}, "chunks of 1048577 tokens"},
        {{.kv_type = (sz_kv_type)9}, "unknown key-value type 9"},
    };
    sz_session *s = NULL;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        says(sz_session_new(e->model, &wrong[i].config, &s), SZ_E_ARG, wrong[i].message);
    says(sz_session_new(NULL, NULL, &s), SZ_E_ARG, "no model");
    assert_null(s);
    sz_session_free(NULL);
}

static void a_model_without_weights_has_no_sessions(void **state) {
    char path[TINY_MODEL_PATH];
    engine e = {0};
    sz_session *s = NULL;
    SZ_CHECK_OK(tiny_model_make(&(tiny_model){0}, path));
    SZ_CHECK_OK(sz_runtime_new(&(sz_runtime_config){.n_threads = 1}, &e.rt));
    SZ_CHECK_OK(sz_model_open(e.rt, path, &(sz_model_config){.vocab_only = true}, &e.model));
    unlink(path);
    says(sz_session_new(e.model, NULL, &s), SZ_E_STATE, "without its weights");
    engine_close(&e);
}

typedef struct log_lines {
    sz_log_level level;
    char text[256];
} log_lines;

static void keep_line(void *user, sz_log_level level, const char *message) {
    log_lines *l = user;
    l->level = level;
    snprintf(l->text, sizeof l->text, "%s", message);
}

static sz_session *session_of(uint32_t n_ctx, uint32_t context, engine *e, log_lines *lines) {
    char path[TINY_MODEL_PATH];
    sz_runtime_config config = {.n_threads = 1, .log = keep_line, .log_user = lines};
    SZ_CHECK_OK(tiny_model_make(&(tiny_model){.n_ctx = n_ctx}, path));
    SZ_CHECK_OK(sz_runtime_new(&config, &e->rt));
    SZ_CHECK_OK(sz_model_open(e->rt, path, NULL, &e->model));
    unlink(path);
    return new_session(e, &(sz_session_config){.context = context});
}

static void the_default_context_fits_file_and_memory(void **state) {
    log_lines lines = {0};
    engine e;
    sz_session *s = session_of(300, 0, &e, &lines);
    assert_int_equal(sz_session_context(s), 300);
    assert_int_equal(lines.level, SZ_LOG_INFO);
    assert_non_null(
        strstr(lines.text, "context: 300 tokens (the file allows 300, half of the free"));
    assert_int_equal(sz_session_kv_bytes(s), 0); /* nothing is taken before it is filled */
    sz_session_free(s);
    engine_close(&e);

    s = session_of(1u << 30, 0, &e, &lines); /* a gigatoken: memory decides, or the exact angles */
    uint64_t half = sz_memory_available() / 2, per_block = 2 * 2 * 2 * 16 * 64 * 2;
    uint64_t context = sz_session_context(s);
    assert_true(context <= 1u << 27);
    if (context < 1u << 27)
        SZ_CHECK_REL((double)context, (double)half / (double)per_block * 64, 0.25);
    sz_session_free(s);
    engine_close(&e);

    s = session_of(300, 301, &e, &lines);
    assert_int_equal(sz_session_context(s), 301);
    assert_int_equal(lines.level, SZ_LOG_WARN);
    assert_non_null(strstr(lines.text, "301 tokens, more than the 300"));
    sz_session_free(s);
    engine_close(&e);
}

/* ---- Sequences ------------------------------------------------------------------------------- */

static void sequences_come_and_go(void **state) {
    sz_session *s = new_session(*state, &(sz_session_config){.n_sequences = 3});
    uint32_t a, b, c = 99;
    SZ_CHECK_OK(sz_session_add(s, &a));
    SZ_CHECK_OK(sz_session_fork(s, a, &b));
    assert_true(a != 0 && b != 0 && a != b);
    says(sz_session_add(s, &c), SZ_E_LIMIT, "all 3 sequences are in use");
    says(sz_session_fork(s, 0, &c), SZ_E_LIMIT, "all 3 sequences are in use");
    assert_int_equal(c, 99);
    SZ_CHECK_OK(sz_session_drop(s, a));
    says(sz_session_drop(s, a), SZ_E_ARG, "there is no sequence");
    says(sz_session_truncate(s, a, 0), SZ_E_ARG, "there is no sequence");
    says(sz_session_fork(s, a, &c), SZ_E_ARG, "there is no sequence");
    says(sz_session_set_sampler(s, a, "greedy", 0), SZ_E_ARG, "there is no sequence");
    SZ_CHECK_OK(sz_session_add(s, &c));
    assert_int_equal(c, a);
    SZ_CHECK_OK(sz_session_drop(s, 0)); /* stays, empty */
    SZ_CHECK_OK(sz_session_prompt(s, 0, "still there"));
    assert_int_equal(sz_session_length(s, 77), 0);
    sz_session_free(s);
}

static void memory_is_shared_and_given_back(void **state) {
    sz_session *s = new_session(*state, NULL);
    int32_t ids[130] = {0};
    uint32_t seq[3];
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, 1));
    size_t block = sz_session_kv_bytes(s);
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, 129)); /* 130 tokens: three blocks */
    assert_int_equal(sz_session_kv_bytes(s), 3 * block);
    for (int i = 0; i < 3; i++)
        SZ_CHECK_OK(sz_session_fork(s, 0, &seq[i]));
    assert_int_equal(sz_session_kv_bytes(s), 3 * block);
    SZ_CHECK_OK(sz_session_prompt_ids(s, seq[0], ids, 1));
    assert_int_equal(sz_session_kv_bytes(s), 4 * block);
    SZ_CHECK_OK(sz_session_truncate(s, 0, 64));
    assert_int_equal(sz_session_kv_bytes(s), 4 * block); /* the forks hold them */
    SZ_CHECK_OK(sz_session_drop(s, seq[1]));
    SZ_CHECK_OK(sz_session_drop(s, seq[2]));
    assert_int_equal(sz_session_kv_bytes(s), 3 * block);
    SZ_CHECK_OK(sz_session_drop(s, seq[0]));
    assert_int_equal(sz_session_kv_bytes(s), block);
    SZ_CHECK_OK(sz_session_drop(s, 0));
    assert_int_equal(sz_session_kv_bytes(s), 0);
    sz_session_free(s);
}

static void a_prompt_begins_as_the_file_asks(void **state) {
    sz_session *s = new_session(*state, NULL);
    const sz_token *r;
    size_t n;
    SZ_CHECK_OK(sz_session_prompt(s, 0, " the"));
    SZ_CHECK_OK(sz_session_prompt(s, 0, "<|im_end|>a"));
    SZ_CHECK_OK(sz_session_records(s, 0, &r, &n));
    static const int32_t want[] = {276, 258, 278,
                                   'a'}; /* begin-of-text once, control tokens parsed */
    assert_int_equal(n, 4);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(r[i].id, want[i]);
    SZ_CHECK_OK(sz_session_prompt(s, 0, "")); /* nothing */
    assert_int_equal(sz_session_length(s, 0), 4);
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, NULL, 0));
    says(sz_session_prompt(s, 0, NULL), SZ_E_ARG, "no text");
    says(sz_session_prompt_ids(s, 0, NULL, 1), SZ_E_ARG, "no token ids");
    sz_session_free(s);
}

static void sync_computes_what_is_missing(void **state) {
    sz_session *s = new_session(*state, NULL);
    static const int32_t a[] = {1, 2, 3, 4, 5}, b[] = {1, 2, 3, 9}, c[] = {7};
    size_t kept = 99;
    SZ_CHECK_OK(sz_session_sync(s, 0, a, 5, &kept));
    assert_int_equal(kept, 0);
    SZ_CHECK_OK(sz_session_sync(s, 0, b, 4, &kept));
    assert_int_equal(kept, 3);
    assert_int_equal(sz_session_length(s, 0), 4);
    SZ_CHECK_OK(sz_session_sync(s, 0, b, 2, &kept)); /* a prefix of what is there */
    assert_int_equal(kept, 2);
    sz_token t;
    SZ_CHECK_OK(sz_session_next(s, 0, &t));
    SZ_CHECK_OK(sz_session_sync(s, 0, c, 1, NULL));
    assert_int_equal(sz_session_length(s, 0), 1);
    SZ_CHECK_OK(sz_session_sync(s, 0, c, 0, &kept));
    assert_int_equal(sz_session_length(s, 0), 0);
    says(sz_session_sync(s, 0, NULL, 1, NULL), SZ_E_ARG, "no token ids");
    says(sz_session_sync(s, 5, a, 1, NULL), SZ_E_ARG, "there is no sequence 5");
    says(sz_session_sync(s, 0, a, 1u << 30, NULL), SZ_E_LIMIT, "exceed the context");
    sz_session_free(s);
}

/* ---- Passes ---------------------------------------------------------------------------------- */

static void wrong_spans_change_nothing(void **state) {
    sz_session *s = new_session(*state, &(sz_session_config){.context = 10, .n_sequences = 3});
    static const int32_t ids[20] = {1, 2, 3}, large[] = {1, 293}, negative[] = {-1};
    uint32_t b;
    SZ_CHECK_OK(sz_session_add(s, &b));
    static const struct {
        sz_span spans[2];
        sz_status status;
        const char *message;
    } wrong[] = {
        {{{0, ids, 3, SZ_LAST}, {2, ids, 1, SZ_LAST}}, SZ_E_ARG, "there is no sequence 2"},
        {{{0, ids, 3, SZ_LAST}, {9, ids, 1, SZ_LAST}}, SZ_E_ARG, "there is no sequence 9"},
        {{{0, ids, 3, SZ_LAST}, {0, ids, 1, SZ_LAST}}, SZ_E_ARG, "sequence 0 stands in two spans"},
        {{{0, ids, 3, SZ_LAST}, {1, ids, 11, SZ_LAST}}, SZ_E_LIMIT, "sequence 1: 11 more tokens"},
        {{{0, ids, 3, SZ_LAST}, {1, large, 2, SZ_LAST}}, SZ_E_ARG, "token id 293 is not"},
        {{{0, ids, 3, SZ_LAST}, {1, negative, 1, SZ_LAST}}, SZ_E_ARG, "token id -1 is not"},
        {{{0, ids, 3, SZ_LAST}, {1, NULL, 1, SZ_LAST}}, SZ_E_ARG, "sequence 1: no token ids"},
        {{{0, ids, 3, SZ_LAST}, {1, ids, 1, (sz_want)7}}, SZ_E_ARG, "7 is no kind of wanted"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        says(sz_session_forward(s, wrong[i].spans, 2), wrong[i].status, wrong[i].message);
        assert_int_equal(sz_session_length(s, 0), 0);
        assert_null(sz_session_logits(s, 0));
    }
    sz_span four[4] = {{0}};
    says(sz_session_forward(s, four, 4), SZ_E_ARG, "4 spans for 3 sequences");
    says(sz_session_forward(s, NULL, 1), SZ_E_ARG, "NULL");
    says(sz_session_forward(NULL, four, 1), SZ_E_ARG, "NULL");
    SZ_CHECK_OK(sz_session_forward(s, NULL, 0));
    SZ_CHECK_OK(sz_session_forward(s, &(sz_span){0, NULL, 0, SZ_ALL}, 1)); /* no tokens, no rows */
    assert_null(sz_session_logits(s, 0));
    sz_token t;
    says(sz_session_next(s, b, &t), SZ_E_STATE, "is empty");
    says(sz_session_next(s, 0, NULL), SZ_E_ARG, "no place");
    says(sz_session_next(NULL, 0, &t), SZ_E_ARG, "no session");
    sz_session_free(s);
}

/* A model may have more rows than its tokenizer has tokens: those have no text. */
static void tokens_beyond_the_tokenizer_have_no_text(void **state) {
    static const gguf_edit fewer[] = {{"tokenizer.ggml.tokens", EDIT_SHORTER, .number = 280},
                                      {"tokenizer.ggml.token_type", .kind = EDIT_REMOVED}};
    static const int32_t script[] = {'a', 292, 'b'};
    char path[TINY_MODEL_PATH];
    engine e;
    sz_token t;
    SZ_CHECK_OK(tiny_model_make(&(tiny_model){0}, path));
    SZ_CHECK_OK(gguf_rewrite(path, fewer, 2));
    SZ_CHECK_OK(engine_open(path, 1, NULL, &e));
    unlink(path);
    sz_session *s = new_session(&e, NULL);
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, (int32_t[]){290}, 1));
    SZ_CHECK_OK(script_set(s, 0, script, 3));
    for (int i = 0; i < 3; i++)
        SZ_CHECK_OK(sz_session_next(s, 0, &t));
    assert_string_equal(sz_session_text(s, 0), "ab");
    sz_session_free(s);
    engine_close(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_configurations_are_refused),
        cmocka_unit_test(a_model_without_weights_has_no_sessions),
        cmocka_unit_test(the_default_context_fits_file_and_memory),
        cmocka_unit_test(sequences_come_and_go),
        cmocka_unit_test(memory_is_shared_and_given_back),
        cmocka_unit_test(a_prompt_begins_as_the_file_asks),
        cmocka_unit_test(sync_computes_what_is_missing),
        cmocka_unit_test(wrong_spans_change_nothing),
        cmocka_unit_test(tokens_beyond_the_tokenizer_have_no_text),
    };
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
