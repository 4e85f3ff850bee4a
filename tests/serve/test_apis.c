/* Completions with their arrays, and the APIs that are translated: what each gives is what the
 * others give. */
#include "client.h"

static served shared;

static int open_shared(void **state) {
    served_open(&shared, NULL, true);
    return 0;
}

static int close_shared(void **state) {
    served_close(&shared);
    return 0;
}

static answered post(const char *path, const char *body, int status) {
    answered a = client_post(&shared, path, body);
    if (a.status != status)
        fail_msg("%s %s: status %d, not %d: %s", path, body, a.status, status, a.body.data);
    return a;
}

static parsed ask(const char *path, const char *body, int status) {
    answered a = post(path, body, status);
    parsed p = parse_text(a.body.data, a.body.len);
    answered_free(&a);
    return p;
}

/* ---- Completions -------------------------------------------------------------------------------
 */

static void test_echo_and_arrays(void **state) {
    parsed p = ask(
        "/v1/completions",
        "{\"prompt\":\"h\xC3\xA9llo\",\"max_tokens\":3,\"seed\":1,\"echo\":true,\"logprobs\":2}",
        200);
    const sz_json *l = json_find(p.json, "choices.0.logprobs");
    uint32_t n = json_find(l, "tokens")->n;
    double n_prompt = number_at(p.json, "usage.prompt_tokens");
    assert_int_equal(n, n_prompt + 3);
    assert_int_equal(json_find(l, "token_logprobs")->n, n);
    assert_int_equal(json_find(l, "top_logprobs")->n, n);
    assert_int_equal(json_find(l, "text_offset")->n, n);
    assert_int_equal(json_find(l, "token_logprobs.0")->type, SZ_JSON_NULL);
    assert_int_equal(json_find(l, "top_logprobs.0")->type, SZ_JSON_NULL);
    assert_int_equal(number_at(l, "text_offset.0"), 0);
    assert_memory_equal(text_at(p.json, "choices.0.text"), "h\xC3\xA9llo", 6);
    for (uint32_t i = 1; i < n; i++) {
        char path[64];
        snprintf(path, sizeof path, "token_logprobs.%u", i);
        double logprob = number_at(l, path);
        snprintf(path, sizeof path, "top_logprobs.%u", i);
        const sz_json *top = json_find(l, path);
        assert_in_range(top->n, 2, 3);
        bool found = false;
        for (const sz_json *c = top->u.child; c; c = c->next)
            found |= c->type == SZ_JSON_FLOAT && c->u.f == logprob;
        assert_true(found); /* the token that stands there is always among them */
    }
    sz_arena_free(p.arena);
}

/* The figures of a text are the same whether it is read or was written. */
static void test_written_and_read(void **state) {
    parsed p = ask("/v1/completions",
                   "{\"prompt\":[5,6,7],\"max_tokens\":20,\"temperature\":0,\"logprobs\":0}", 200);
    sz_buf body = {0};
    sz_buf_puts(&body, "{\"max_tokens\":0,\"echo\":true,\"logprobs\":0,\"prompt\":[5,6,7");
    const sz_json *tokens = json_find(p.json, "choices.0.szilard.tokens");
    for (const sz_json *t = tokens->u.child; t; t = t->next)
        sz_buf_printf(&body, ",%d", (int)number_at(t, "id"));
    sz_buf_puts(&body, "]}");
    parsed q = ask("/v1/completions", body.data, 200);
    for (int i = 0; i < 20; i++) {
        char a[64], b[64];
        snprintf(a, sizeof a, "choices.0.logprobs.token_logprobs.%d", i);
        snprintf(b, sizeof b, "choices.0.logprobs.token_logprobs.%d", i + 3);
        assert_true(number_at(p.json, a) == number_at(q.json, b));
    }
    assert_int_equal(number_at(q.json, "usage.completion_tokens"), 0);
    sz_buf_free(&body);
    sz_arena_free(p.arena);
    sz_arena_free(q.arena);
}

static void test_prompts(void **state) {
    static const struct {
        const char *prompt;
        int n_choices, status;
    } cases[] = {
        {"\"abc\"", 2, 200},     {"[\"a\",\"b\",\"c\"]", 6, 200},
        {"[1,2,3]", 2, 200},     {"[[1,2],[3]]", 4, 200},
        {"[\"a\",[1]]", 4, 200}, {"[]", 0, 400},
        {"[[]]", 0, 400},        {"\"\"", 0, 400},
        {"[-1]", 0, 400},        {"[1000000]", 0, 400},
        {"[1,\"a\"]", 0, 400},   {"7", 0, 400},
        {"{}", 0, 400},          {"[1.5]", 0, 400},
        {"null", 0, 400},        {"[99999999999]", 0, 400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char body[256];
        snprintf(body, sizeof body, "{\"prompt\":%s,\"n\":2,\"max_tokens\":2,\"seed\":1}",
                 cases[i].prompt);
        parsed p = ask("/v1/completions", body, cases[i].status);
        if (cases[i].status == 200)
            assert_int_equal(json_find(p.json, "choices")->n, cases[i].n_choices);
        sz_arena_free(p.arena);
    }
}

/* Every stop string is found wherever tokens cut it, and is no part of the text. */
static void test_stop_strings(void **state) {
    parsed p =
        ask("/v1/completions",
            "{\"prompt\":\"a\",\"max_tokens\":60,\"seed\":5,\"temperature\":1.5,\"top_k\":0}", 200);
    char *whole = strdup(text_at(p.json, "choices.0.text"));
    size_t n = strlen(whole);
    int n_tried = 0;
    for (size_t at = 0; at + 4 < n; at += 3) {
        sz_buf body = {0};
        size_t length = 2 + at % 3;
        if (((unsigned char)whole[at] & 0xC0) == 0x80 ||
            ((unsigned char)whole[at + length] & 0xC0) == 0x80)
            continue;
        sz_buf_puts(&body, "{\"prompt\":\"a\",\"max_tokens\":60,\"seed\":5,\"temperature\":1.5,"
                           "\"top_k\":0,\"stop\":[\"never in it\",");
        sz_json_quote(&body, whole + at, length);
        sz_buf_puts(&body, "]}");
        char *stop = strndup(whole + at, length), *first = strstr(whole, stop);
        if (strstr(stop, "\xEF\xBF\xBD")) { /* bytes that are no text */
            free(stop);
            sz_buf_free(&body);
            continue;
        }
        parsed q = ask("/v1/completions", body.data, 200);
        const char *text = text_at(q.json, "choices.0.text");
        if (strlen(text) != (size_t)(first - whole) || memcmp(text, whole, strlen(text)) != 0)
            fail_msg("stop '%s': '%s' of '%s'", stop, text, whole);
        assert_string_equal(text_at(q.json, "choices.0.finish_reason"), "stop");
        n_tried++;
        free(stop);
        sz_buf_free(&body);
        sz_arena_free(q.arena);
    }
    assert_true(n_tried >= 5);
    free(whole);
    sz_arena_free(p.arena);
}

/* Characters of several bytes come whole, in single tokens or not. */
static void test_characters(void **state) {
    answered a = post(
        "/v1/completions",
        "{\"prompt\":\"a\",\"max_tokens\":24,\"stream\":true,\"seed\":1,\"grammar\":\"root ::= "
        "(\\\"\xE2\x82\xAC\\\" | \\\"\xF0\x9F\x98\x80\\\")+\"}",
        200);
    for (const char *at = a.body.data; (at = strstr(at, "\"text\":\"")); at++) {
        const char *s = at + 8, *end = strchr(s, '"');
        const char *line_end = strstr(end, "\n\n");
        if (memmem(end, (size_t)(line_end - end), "\"length\"", 8))
            break; /* the last token may cut a character */
        assert_true(sz_utf8_complete(s, (size_t)(end - s)) == (size_t)(end - s));
        assert_null(memmem(s, (size_t)(end - s), "\xEF\xBF\xBD", 3));
    }
    assert_true(strstr(a.body.data, "\xE2\x82\xAC") || strstr(a.body.data, "\xF0\x9F\x98\x80"));
    answered_free(&a);
}

/* ---- Other APIs --------------------------------------------------------------------------------
 */

#define COMMON "\"temperature\":1.5,\"seed\":9,\"top_k\":0"

/* Texts of a key in all lines that hold it, joined. */
static void join(const char *body, const char *key, sz_buf *out) {
    char mark[64];
    snprintf(mark, sizeof mark, "\"%s\":\"", key);
    for (const char *line = body; *line;) {
        const char *end = strchr(line, '\n'), *from = strchr(line, '{');
        end = end ? end : line + strlen(line);
        const char *at = memmem(line, (size_t)(end - line), mark, strlen(mark));
        if (at && from && from < end) {
            char object[4096];
            const char *stop = at + strlen(mark);
            while (stop < end && *stop != '"')
                stop += *stop == '\\' ? 2 : 1;
            snprintf(object, sizeof object, "{%.*s\"}", (int)(stop - at), at);
            parsed p = parse_text(object, strlen(object));
            sz_buf_puts(out, text_at(p.json, key));
            sz_arena_free(p.arena);
        }
        line = *end ? end + 1 : end;
    }
}

static char *chat_text(void) {
    parsed p = ask("/v1/chat/completions",
                   "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\","
                   "\"content\":\"abc\"}],\"max_tokens\":20," COMMON "}",
                   200);
    char *text = strdup(text_at(p.json, "choices.0.message.content"));
    sz_arena_free(p.arena);
    return text;
}

static const struct api {
    const char *path, *body, *text_path, *delta_key;
} apis[] = {
    {"/v1/messages",
     "\"system\":\"s\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
     "\"abc\"}]}],"
     "\"max_tokens\":20," COMMON,
     "content.0.text", "text"},
    {"/v1/responses", "\"instructions\":\"s\",\"input\":\"abc\",\"max_output_tokens\":20," COMMON,
     "output.0.content.0.text", "delta"},
    {"/v1/responses",
     "\"input\":[{\"role\":\"system\",\"content\":\"s\"},{\"type\":\"message\",\"role\":\"user\","
     "\"content\":"
     "[{\"type\":\"input_text\",\"text\":\"abc\"}]}],\"max_output_tokens\":20," COMMON,
     "output.0.content.0.text", "delta"},
    {"/api/chat",
     "\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"abc\"}"
     "],"
     "\"options\":{\"num_predict\":20," COMMON "}",
     "message.content", "content"},
    {"/api/generate",
     "\"system\":\"s\",\"prompt\":\"abc\",\"options\":{\"num_predict\":20," COMMON "}", "response",
     "response"},
};

static void test_the_same_text(void **state) {
    char *want = chat_text();
    for (size_t i = 0; i < sizeof apis / sizeof *apis; i++) {
        char body[1024];
        snprintf(body, sizeof body, "{%s,\"stream\":false}", apis[i].body);
        parsed p = ask(apis[i].path, body, 200);
        assert_string_equal(text_at(p.json, apis[i].text_path), want);
        assert_true(number_at(p.json, "szilard.account.tokens") == 20);
        sz_arena_free(p.arena);
        sz_buf text = {0};
        snprintf(body, sizeof body, "{%s,\"stream\":true,\"szilard\":false}", apis[i].body);
        answered a = post(apis[i].path, body, 200);
        join(a.body.data, apis[i].delta_key, &text);
        if (strcmp(text.data, want) != 0)
            fail_msg("%s: '%s' is not '%s'", apis[i].path, text.data, want);
        sz_buf_free(&text);
        answered_free(&a);
    }
    free(want);
}

static void test_errors_in_their_shapes(void **state) {
    parsed p = ask("/v1/messages", "{}", 400);
    assert_string_equal(text_at(p.json, "type"), "error");
    text_at(p.json, "error.message");
    sz_arena_free(p.arena);
    p = ask("/api/chat", "{}", 400);
    text_at(p.json, "error");
    sz_arena_free(p.arena);
    static const char *const bad[][2] = {
        {"/v1/messages", "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"},
        {"/v1/messages", "{\"max_tokens\":1,\"messages\":[{\"role\":\"user\"}]}"},
        {"/v1/messages", "{\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":[{"
                         "\"type\":\"image\"}]}]}"},
        {"/v1/responses", "{}"},
        {"/v1/responses", "{\"input\":[{\"type\":\"image_generation_call\"}]}"},
        {"/v1/responses", "{\"input\":[1]}"},
        {"/api/chat", "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"format\":3}"},
        {"/api/generate", "{\"prompt\":3}"},
        {"/infill", "{\"input_prefix\":\"a\"}"}, /* the tiny model has no marks */
        {"/v1/embeddings", "{}"},
        {"/v1/embeddings", "{\"input\":\"a\",\"encoding_format\":\"hex\"}"},
        {"/v1/embeddings", "{\"input\":\"a\",\"dimensions\":100000}"},
        {"/tokenize", "{}"},
        {"/detokenize", "{\"tokens\":[\"a\"]}"},
        {"/detokenize", "{\"tokens\":[-5]}"},
        {"/apply-template", "{\"messages\":[{\"role\":\"user\",\"content\":7}]}"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        answered a = post(bad[i][0], bad[i][1], 400);
        answered_free(&a);
    }
}

static void test_tokens_there_and_back(void **state) {
    parsed p = ask("/tokenize", "{\"content\":\"h\xC3\xA9llo <|im_start|>\"}", 200);
    sz_buf body = {0};
    sz_buf_puts(&body, "{\"tokens\":[");
    for (const sz_json *c = json_find(p.json, "tokens")->u.child; c; c = c->next)
        sz_buf_printf(&body, "%s%d", c->next ? "" : "", (int)c->u.i),
            sz_buf_puts(&body, c->next ? "," : "");
    sz_buf_puts(&body, "]}");
    parsed q = ask("/detokenize", body.data, 200);
    assert_string_equal(text_at(q.json, "content"), "h\xC3\xA9llo <|im_start|>");
    sz_buf_free(&body);
    sz_arena_free(p.arena);
    sz_arena_free(q.arena);
}

/* Every endpoint is in the document, with the members of its requests. */
static void test_openapi(void **state) {
    answered a = client_request(&shared, "GET", "/openapi.json", "", NULL);
    parsed p = parse_text(a.body.data, a.body.len);
    assert_string_equal(text_at(p.json, "openapi"), "3.1.0");
    const sz_json *paths = json_find(p.json, "paths");
    size_t n = 0, n_members = 0;
    for (const sz_json *c = paths->u.child; c; c = c->next, n++) {
        const sz_json *post = sz_json_get(c, "post"), *get = sz_json_get(c, "get");
        assert_true((post != NULL) != (get != NULL));
        if (!post)
            continue;
        const sz_json *members =
            json_find(post, "requestBody.content.application/json.schema.properties");
        assert_non_null(members);
        n_members += members->n;
        for (const sz_json *m = members->u.child; m; m = m->next)
            text_at(m, "description");
    }
    assert_true(n >= 20 && n_members >= 100);
    answered q = client_request(&shared, "GET", "/props", "", NULL);
    parsed list = parse_text(q.body.data, q.body.len);
    assert_int_equal(json_find(list.json, "endpoints")->n, n);
    sz_arena_free(list.arena);
    sz_arena_free(p.arena);
    answered_free(&a);
    answered_free(&q);
}

static void test_embeddings(void **state) {
    parsed p = ask("/v1/embeddings", "{\"input\":[\"abc\",\"xyz\",[5,6]]}", 200);
    parsed q = ask("/v1/embeddings", "{\"input\":\"xyz\"}", 200);
    assert_int_equal(json_find(p.json, "data")->n, 3);
    double squares = 0;
    const sz_json *x = json_find(p.json, "data.1.embedding")->u.child;
    for (const sz_json *y = json_find(q.json, "data.0.embedding")->u.child; x;
         x = x->next, y = y->next) {
        assert_true(x->u.f == y->u.f); /* alone or beside others */
        squares += x->u.f * x->u.f;
    }
    SZ_CHECK_ABS(squares, 1.0, 1e-5);
    sz_arena_free(p.arena);
    sz_arena_free(q.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo_and_arrays),
        cmocka_unit_test(test_written_and_read),
        cmocka_unit_test(test_prompts),
        cmocka_unit_test(test_stop_strings),
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_the_same_text),
        cmocka_unit_test(test_errors_in_their_shapes),
        cmocka_unit_test(test_tokens_there_and_back),
        cmocka_unit_test(test_embeddings),
        cmocka_unit_test(test_openapi),
    };
    return cmocka_run_group_tests(tests, open_shared, close_shared);
}
