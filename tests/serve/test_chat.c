/* The server with a tiny model: chat completions, whole and as streams, and their errors. */
#include "client.h"

#define MESSAGES "\"messages\":[{\"role\":\"user\",\"content\":\"abc\"}]"

static served shared;

static int open_shared(void **state) {
    served_open(&shared, NULL, true);
    return 0;
}

static int close_shared(void **state) {
    served_close(&shared);
    return 0;
}

static parsed chat(const char *members, int status) {
    char body[2048];
    snprintf(body, sizeof body, "{" MESSAGES "%s%s}", members[0] ? "," : "", members);
    answered a = client_post(&shared, "/v1/chat/completions", body);
    if (a.status != status)
        fail_msg("%s: status %d, not %d: %s", members, a.status, status, a.body.data);
    parsed p = parse_text(a.body.data, a.body.len);
    answered_free(&a);
    return p;
}

static void test_whole(void **state) {
    parsed p = chat("\"max_tokens\":12,\"seed\":7,\"temperature\":1,\"logprobs\":true,"
                    "\"top_logprobs\":3,\"szilard\":{\"alternatives\":2}",
                    200);
    assert_string_equal(text_at(p.json, "object"), "chat.completion");
    assert_string_equal(text_at(p.json, "choices.0.message.role"), "assistant");
    assert_string_equal(text_at(p.json, "choices.0.finish_reason"), "length");
    assert_int_equal(number_at(p.json, "usage.completion_tokens"), 12);
    assert_int_equal(json_find(p.json, "choices.0.logprobs.content")->n, 12);
    assert_int_equal(json_find(p.json, "choices.0.szilard.tokens")->n, 12);
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        char path[80];
        snprintf(path, sizeof path, "choices.0.szilard.tokens.%d.surprisal_nats", i);
        double surprisal = number_at(p.json, path);
        sum += surprisal;
        snprintf(path, sizeof path, "choices.0.logprobs.content.%d.logprob", i);
        SZ_CHECK_ABS(number_at(p.json, path), -surprisal, 1e-9);
        snprintf(path, sizeof path, "choices.0.logprobs.content.%d.top_logprobs", i);
        assert_int_equal(json_find(p.json, path)->n, 3);
        snprintf(path, sizeof path, "choices.0.szilard.tokens.%d.alternatives", i);
        assert_int_equal(json_find(p.json, path)->n, 2);
    }
    SZ_CHECK_REL(number_at(p.json, "choices.0.szilard.account.surprisal_nats"), sum, 1e-6);
    sz_arena_free(p.arena);
}

/* The events of a stream: texts joined; the last is [DONE]. */
static void join_stream(const char *body, sz_buf *text, int *n_events, char finish[32]) {
    bool done = false;
    *n_events = 0;
    while (*body) {
        const char *end = strstr(body, "\n\n");
        assert_non_null(end);
        assert_memory_equal(body, "data: ", 6);
        body += 6;
        assert_false(done);
        done = strncmp(body, "[DONE]", 6) == 0;
        if (!done) {
            parsed p = parse_text(body, (size_t)(end - body));
            const sz_json *choice = json_find(p.json, "choices.0");
            if (choice) {
                sz_buf_puts(text, text_at(choice, "delta.content"));
                const sz_json *f = json_find(choice, "finish_reason");
                if (f->type == SZ_JSON_STRING)
                    snprintf(finish, 32, "%s", f->u.s);
            }
            ++*n_events;
            sz_arena_free(p.arena);
        }
        body = end + 2;
    }
    assert_true(done);
}

static void test_stream_is_the_whole(void **state) {
    for (int seed = 1; seed <= 8; seed++) {
        char members[256], finish[32] = "";
        int n;
        snprintf(members, sizeof members,
                 "\"max_tokens\":40,\"temperature\":1.5,\"seed\":%d,\"top_k\":0,\"min_p\":0,"
                 "\"top_p\":1",
                 seed);
        parsed p = chat(members, 200);
        sz_buf body = {0}, text = {0};
        sz_buf_printf(&body, "{" MESSAGES ",\"stream\":true,%s}", members);
        answered a = client_post(&shared, "/v1/chat/completions", body.data);
        assert_int_equal(a.status, 200);
        assert_non_null(strstr(a.head.data, "text/event-stream"));
        join_stream(a.body.data, &text, &n, finish);
        assert_string_equal(text.data, text_at(p.json, "choices.0.message.content"));
        assert_string_equal(finish, "length");
        assert_in_range(n, 2, 42);
        sz_buf_free(&body);
        sz_buf_free(&text);
        answered_free(&a);
        sz_arena_free(p.arena);
    }
}

static void test_choices_differ_and_repeat(void **state) {
    parsed p = chat("\"max_tokens\":12,\"seed\":3,\"n\":3,\"temperature\":1.5", 200);
    parsed q = chat("\"max_tokens\":12,\"seed\":3,\"n\":3,\"temperature\":1.5", 200);
    assert_int_equal(json_find(p.json, "choices")->n, 3);
    for (int i = 0; i < 3; i++) {
        char path[64];
        snprintf(path, sizeof path, "choices.%d.message.content", i);
        assert_string_equal(text_at(p.json, path), text_at(q.json, path));
    }
    assert_string_not_equal(text_at(p.json, "choices.0.message.content"),
                            text_at(p.json, "choices.1.message.content"));
    sz_arena_free(p.arena);
    sz_arena_free(q.arena);
}

static void test_errors(void **state) {
    static const struct {
        const char *members, *param;
        int status;
    } cases[] = {
        {"\"temperature\":-1", "temperature", 400},
        {"\"temperature\":\"hot\"", "temperature", 400},
        {"\"n\":0", "n", 400},
        {"\"n\":100", NULL, 400},
        {"\"top_logprobs\":2", "top_logprobs", 400},
        {"\"logprobs\":true,\"top_logprobs\":21", "top_logprobs", 400},
        {"\"stop\":[\"\"]", "stop", 400},
        {"\"stop\":[1]", "stop", 400},
        {"\"sampler\":\"nonsense\"", "sampler", 400},
        {"\"grammar\":\"root ::= (\"", "grammar", 400},
        {"\"response_format\":{\"type\":\"xml\"}", "response_format", 400},
        {"\"response_format\":{\"type\":\"json_schema\"}", "response_format", 400},
        {"\"logit_bias\":{\"a\":1}", "logit_bias", 400},
        {"\"szilard\":{\"alternatives\":-1}", "szilard", 400},
        {"\"stream\":1", "stream", 400},
        {"\"model\":\"gpt-9\"", "model", 404},
        {"\"model\":\"tin\"", "model", 404},
        {"\"max_tokens\":-1,\"n\":8,\"szilard\":{\"alternatives\":64}", NULL, 400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        parsed p = chat(cases[i].members, cases[i].status);
        text_at(p.json, "error.message");
        text_at(p.json, "error.type");
        const sz_json *param = json_find(p.json, "error.param");
        if (cases[i].param)
            assert_string_equal(param->u.s, cases[i].param);
        sz_arena_free(p.arena);
    }
}

#define TOOL(name)                                                                                 \
    "{\"type\":\"function\",\"function\":{\"name\":\"" name                                        \
    "\",\"parameters\":{\"type\":\"object\","                                                      \
    "\"properties\":{\"a\":{\"type\":\"boolean\"}},\"required\":[\"a\"],"                          \
    "\"additionalProperties\":false}}}"

/* A model that knows no tools calls one all the same, where it must. */
static void test_tool_choice(void **state) {
    static const struct {
        const char *choice, *name;
    } cases[] = {{"\"required\"", NULL},
                 {"{\"type\":\"function\",\"function\":{\"name\":\"g\"}}", "g"}};
    for (size_t i = 0; i < 2; i++) {
        char members[1024];
        snprintf(members, sizeof members,
                 "\"max_tokens\":400,\"seed\":1,\"temperature\":0.5,\"logit_bias\":{},"
                 "\"tools\":[" TOOL("f") "," TOOL(
                     "g") "],\"tool_choice\":%s,\"stop\":[\"</tool_call>\"]",
                 cases[i].choice);
        parsed p = chat(members, 200); /* the stop string stands for the end that the model lacks */
        const char *name = text_at(p.json, "choices.0.message.tool_calls.0.function.name");
        const char *arguments =
            text_at(p.json, "choices.0.message.tool_calls.0.function.arguments");
        assert_true(name[0] == 'f' || name[0] == 'g');
        if (cases[i].name)
            assert_string_equal(name, cases[i].name);
        parsed q = parse_text(arguments, strlen(arguments));
        assert_non_null(sz_json_get(q.json, "a"));
        assert_string_equal(text_at(p.json, "choices.0.finish_reason"), "tool_calls");
        sz_arena_free(q.arena);
        sz_arena_free(p.arena);
    }
    static const char *const bad[] = {
        "\"tool_choice\":\"required\"",
        "\"tools\":[" TOOL(
            "f") "],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"h\"}}",
        "\"tools\":[" TOOL("f") "],\"tool_choice\":3"};
    for (size_t i = 0; i < 3; i++) {
        parsed p = chat(bad[i], 400);
        assert_string_equal(text_at(p.json, "error.param"), "tool_choice");
        sz_arena_free(p.arena);
    }
}

static void expect_status(const char *method, const char *path, const char *headers,
                          const char *body, int status) {
    answered a = client_request(&shared, method, path, headers, body);
    if (a.status != status)
        fail_msg("%s %s: status %d, not %d", method, path, a.status, status);
    answered_free(&a);
}

static void test_protocol(void **state) {
    expect_status("GET", "/health", "", NULL, 200);
    expect_status("HEAD", "/health", "", NULL, 200);
    expect_status("GET", "/ready", "", NULL, 200);
    expect_status("GET", "/v1/models", "", NULL, 200);
    expect_status("GET", "/v1/models/tiny", "", NULL, 200);
    expect_status("GET", "/v1/models/tiny:latest", "", NULL, 200);
    expect_status("GET", "/v1/models/other", "", NULL, 404);
    expect_status("GET", "/nowhere", "", NULL, 404);
    expect_status("GET", "/../etc/passwd", "", NULL, 404);
    expect_status("GET", "/v1/chat/completions", "", NULL, 405);
    expect_status("POST", "/v1/chat/completions", "", "", 400);
    expect_status("POST", "/v1/chat/completions", "", "{", 400);
    expect_status("POST", "/v1/chat/completions", "", "[]", 400);
    expect_status("POST", "/v1/chat/completions", "", "{}", 400);
    expect_status("POST", "/v1/chat/completions", "", "{\"messages\":[]}", 400);
    expect_status("POST", "/v1/chat/completions", "", "{\"messages\":[{}]}", 400);
    expect_status("GET", "/v1/models", "Origin: https://elsewhere.example\r\n", NULL, 403);
    expect_status("GET", "/v1/models", "Origin: http://localhost\r\n", NULL, 200);
    expect_status("OPTIONS", "/v1/models", "Origin: https://elsewhere.example\r\n", NULL, 403);
}

static void test_deep_and_long_bodies(void **state) {
    sz_buf deep = {0};
    for (int i = 0; i < 100000; i++)
        sz_buf_puts(&deep, "[");
    expect_status("POST", "/v1/chat/completions", "", deep.data, 400);
    sz_buf_free(&deep);
    int fd = client_connect(&shared);
    const char *head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                       "Connection: close\r\nContent-Length: 99999999999\r\n\r\n";
    client_write(fd, head, strlen(head));
    answered a = client_read(fd);
    assert_int_equal(a.status, 413);
    answered_free(&a);
}

static void test_prompt_beyond_the_context(void **state) {
    sz_buf body = {0};
    sz_buf_puts(&body, "{\"messages\":[{\"role\":\"user\",\"content\":\"");
    for (int i = 0; i < 6000; i++)
        sz_buf_puts(&body, "x ");
    sz_buf_puts(&body, "\"}]}");
    answered a = client_post(&shared, "/v1/chat/completions", body.data);
    assert_int_equal(a.status, 400);
    assert_non_null(strstr(a.body.data, "context_length_exceeded"));
    answered_free(&a);
    sz_buf_free(&body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_stream_is_the_whole),
        cmocka_unit_test(test_choices_differ_and_repeat),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_tool_choice),
        cmocka_unit_test(test_protocol),
        cmocka_unit_test(test_deep_and_long_bodies),
        cmocka_unit_test(test_prompt_beyond_the_context),
    };
    return cmocka_run_group_tests(tests, open_shared, close_shared);
}
