#include "check.h"

#include "support/tiny_model.h"

#include <pthread.h>
#include <string.h>
#include <szilard/unstable/template.h>
#include <unistd.h>

static const int64_t NOW = 1754006400 + 13 * 3600 + 5 * 60 + 9; /* 1 August 2025, 13:05:09 */

static sz_arena *arena; /* of the running test */

static int begin(void **state) {
    return sz_arena_new(1 << 16, &arena) != SZ_OK;
}

static int end(void **state) {
    sz_arena_free(arena);
    return 0;
}

static sz_json *json(const char *text, size_t n) {
    sz_json *j;
    SZ_CHECK_OK(sz_json_parse(text, n, arena, &j));
    return j;
}

static sz_status render(const char *source, size_t n, const sz_json *variables,
                        const sz_template_limits *limits, sz_buf *out) {
    sz_template *t;
    SZ_TRY(sz_template_parse(source, n, &t));
    sz_status status = sz_template_render(t, variables, NOW, limits, out);
    sz_template_free(t);
    return status;
}

/* ---- Values of jinja2 ------------------------------------------------------------------------ */

static void read_vector(const char *name, sz_buf *text) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", SZ_TEST_VECTORS, name);
    sz_buf_clear(text);
    SZ_CHECK_OK(sz_file_read(path, 1 << 26, text));
}

static const char *string_of(const sz_json *object, const char *key) {
    const sz_json *v = sz_json_get(object, key);
    return v && v->type == SZ_JSON_STRING ? v->u.s : "";
}

/* Adds to an object, borrowing the value. */
static void put(sz_json *object, const char *key, const sz_json *value) {
    sz_json *member = sz_arena_alloc_small(arena, sizeof *member);
    *member = *value;
    member->key = key;
    member->key_n = (uint32_t)strlen(key);
    member->next = object->u.child;
    object->u.child = member;
    object->n++;
}

static bool renders_as(const char *source, size_t n, const sz_json *variables,
                       const sz_json *wanted, const char *name) {
    sz_buf out = {0};
    sz_status status = render(source, n, variables, NULL, &out);
    bool same;
    if (wanted && status == SZ_OK)
        same = out.len == wanted->n && memcmp(out.data ? out.data : "", wanted->u.s, out.len) == 0;
    else
        same = !wanted == (status != SZ_OK);
    if (!same && status == SZ_OK)
        print_error("%s: got \"%s\", not %s%s%s\n", name, out.data ? out.data : "",
                    wanted ? "\"" : "an error", wanted ? wanted->u.s : "", wanted ? "\"" : "");
    else if (!same)
        print_error("%s: got the error \"%s\", not \"%s\"\n", name, sz_last_error(), wanted->u.s);
    sz_buf_free(&out);
    return same;
}

/* The words of raise_exception() must come through; other errors have words of our own. */
static bool fails_as(const char *source, size_t n, const sz_json *variables, const char *error,
                     const char *name) {
    static const char raised[] = "TemplateError: ";
    size_t skip = strncmp(error, raised, strlen(raised)) == 0 ? strlen(raised) : strlen(error);
    sz_buf out = {0};
    sz_status status = render(source, n, variables, NULL, &out);
    bool same = status != SZ_OK && strstr(sz_last_error(), error + skip);
    if (!same)
        print_error("%s: got %s \"%s\", not the error \"%s\"\n", name, sz_status_name(status),
                    status == SZ_OK ? out.data : sz_last_error(), error);
    sz_buf_free(&out);
    return same;
}

static bool check_case(const sz_json *c, const sz_json *variables) {
    sz_buf source = {0};
    char file[256];
    const sz_json *inline_source = sz_json_get(c, "template"), *output = sz_json_get(c, "output");
    if (inline_source)
        sz_buf_append(&source, inline_source->u.s, inline_source->n);
    else {
        snprintf(file, sizeof file, "templates/%s", string_of(c, "file"));
        read_vector(file, &source);
    }
    const sz_json *values = sz_json_get(variables, string_of(c, "variables"));
    const char *text = source.data ? source.data : "", *name = string_of(c, "name");
    bool same = output ? renders_as(text, source.len, values, output, name)
                       : fails_as(text, source.len, values, string_of(c, "error"), name);
    sz_buf_free(&source);
    return same;
}

static void every_feature_is_that_of_jinja2(void **state) {
    sz_buf text = {0};
    int failed = 0, n = 0;
    read_vector("templates.json", &text);
    const sz_json *all = json(text.data, text.len), *variables = sz_json_get(all, "variables");
    assert_int_equal(sz_json_get(all, "now")->u.i, NOW);
    for (const sz_json *c = sz_json_get(all, "cases")->u.child; c; c = c->next, n++)
        failed += !check_case(c, variables);
    assert_int_equal(failed, 0);
    assert_true(n >= 1000);
    sz_buf_free(&text);
}

static int check_model(const sz_json *model) {
    sz_buf source = {0};
    char file[256];
    int failed = 0;
    snprintf(file, sizeof file, "chat-templates/%s.jinja", model->key);
    read_vector(file, &source);
    for (const sz_json *c = sz_json_get(model, "cases")->u.child; c; c = c->next) {
        static const char *const keys[] = {"messages", "tools", "add_generation_prompt"};
        sz_json variables = {.type = SZ_JSON_OBJECT};
        for (int i = 0; i < 3; i++)
            put(&variables, keys[i], sz_json_get(c, keys[i]));
        put(&variables, "bos_token", sz_json_get(model, "bos_token"));
        put(&variables, "eos_token", sz_json_get(model, "eos_token"));
        failed += !renders_as(source.data, source.len, &variables, sz_json_get(c, "render"),
                              string_of(c, "conversation"));
    }
    sz_buf_free(&source);
    return failed;
}

static void templates_of_models_render_as_jinja2_renders_them(void **state) {
    sz_buf text = {0};
    int failed = 0;
    read_vector("chat-templates.json", &text);
    const sz_json *all = json(text.data, text.len);
    for (const sz_json *m = sz_json_get(all, "models")->u.child; m; m = m->next)
        failed += check_model(m);
    assert_int_equal(failed, 0);
    sz_buf_free(&text);
}

/* ---- What the sandbox of jinja2 forbids, or does not promise --------------------------------- */

static void gives(const char *source, const char *wanted) {
    static const char variables[] = "{\"l\":[3,1,2],\"d\":{\"a\":1,\"b\":2},\"s\":\"x\"}";
    sz_buf out = {0};
    SZ_CHECK_OK(render(source, strlen(source), json(variables, strlen(variables)), NULL, &out));
    assert_string_equal(out.data ? out.data : "", wanted);
    sz_buf_free(&out);
}

/* Some templates build lists with append(), which transformers refuses and others allow. */
static void a_template_may_change_its_own_copies(void **state) {
    gives("{% set _ = l.append(4) %}{{ l }}{{ l.append(5) }}{{ l|length }}", "[3, 1, 2, 4]None5");
    gives("{{ l.extend([7, 8]) }}{{ l.extend('xy') }}{{ l }}", "NoneNone[3, 1, 2, 7, 8, 'x', 'y']");
    gives("{{ l.insert(0, 9) }}{{ l.insert(-1, 8) }}{{ l.insert(99, 7) }}{{ l }}",
          "NoneNoneNone[9, 3, 1, 8, 2, 7]");
    gives("{{ l.pop() }}{{ l.pop(0) }}{{ l }}{{ l.pop(-1) }}{{ l }}", "23[1]1[]");
    gives("{% set c = l.copy() %}{{ c.append(1) }}{{ l|length }}{{ c|length }}", "None34");
    gives("{% set c = l %}{{ c.append(1) }}{{ l|length }}", "None4");
    gives("{{ d.update({'a': 5}, c=6) }}{{ d }}", "None{'a': 5, 'b': 2, 'c': 6}");
    gives("{{ d.pop('a') }}{{ d.pop('zz', 0) }}{{ d }}", "10{'b': 2}");
    gives("{{ d.setdefault('a', 7) }}{{ d.setdefault('c', 8) }}{{ d.setdefault('e') }}{{ d }}",
          "18None{'a': 1, 'b': 2, 'c': 8, 'e': None}");
    gives("{% set c = d.copy() %}{{ c.update(a=0) }}{{ d.a }}{{ c.a }}", "None10");
}

static void joined_strings_keep_their_own_length(void **state) {
    gives("{% set ns = namespace(a='', b='') %}{% for i in range(30) %}{% set ns.a = ns.a + "
          "'0123456789' %}"
          "{% if i == 9 %}{% set ns.b = ns.a %}{% endif %}{% endfor %}"
          "{{ ns.a|length }} {{ ns.b|length }} {{ ns.b ~ 'x' == ns.a[:100] ~ 'x' }}"
          "{% set c = ns.b ~ 'y' %}{% set e = ns.b ~ 'z' %} {{ c[-1] }}{{ e[-1] }}{{ ns.a[100] }}",
          "300 100 True yz0");
}

static void frames_of_macros_and_loops_stay_apart(void **state) {
    gives("{% set ns = namespace(f=none) %}{% for i in l %}{% macro f() %}{{ i }}{% endmacro %}"
          "{% if loop.first %}{% set ns.f = f %}{% endif %}{% endfor %}"
          "{% for i in [7, 8] %}{{ ns.f() }}{% endfor %}",
          "33");
    gives("{% set ns = namespace(l=none) %}{% for i in l recursive %}{% if loop.depth == 1 and "
          "loop.first %}"
          "{% set ns.l = loop %}{% endif %}{{ i }}{% endfor %}|{{ ns.l([5, 6]) }}|{{ ns.l([]) }}",
          "312|56|");
}

static void dates_are_those_of_python(void **state) {
    static const struct {
        int64_t now;
        const char *wanted;
    } dates[] = {{0, "1970-01-01 00:00:00 Thu 001 00 00 01 1970 4 70 19 12 AM"},
                 {1735603199, "2024-12-30 23:59:59 Mon 365 52 53 01 2025 1 24 20 11 PM"},
                 {1609675200, "2021-01-03 12:00:00 Sun 003 01 00 53 2020 7 21 20 12 PM"},
                 {951784200, "2000-02-29 00:30:00 Tue 060 09 09 09 2000 2 00 20 12 AM"},
                 {-2203887477, "1900-03-01 01:02:03 Thu 060 08 09 09 1900 4 00 19 01 AM"},
                 {253402300799, "9999-12-31 23:59:59 Fri 365 52 52 52 9999 5 99 99 11 PM"},
                 {1795586704, "2026-11-25 06:05:04 Wed 329 47 47 48 2026 3 26 20 06 AM"}};
    static const char source[] =
        "{{ strftime_now('%Y-%m-%d %H:%M:%S %a %j %U %W %V %G %u %y %C %I %p') }}";
    sz_template *t;
    SZ_CHECK_OK(sz_template_parse(source, strlen(source), &t));
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        sz_buf out = {0};
        SZ_CHECK_OK(sz_template_render(t, json("{}", 2), dates[i].now, NULL, &out));
        assert_string_equal(out.data, dates[i].wanted);
        sz_buf_free(&out);
    }
    sz_buf out = {0};
    assert_int_equal(sz_template_render(t, json("{}", 2), INT64_MAX, NULL, &out), SZ_E_ARG);
    sz_template_free(t);
}

/* ---- The interface --------------------------------------------------------------------------- */

static void text_is_appended_and_only_on_success(void **state) {
    sz_buf out = {0};
    sz_buf_puts(&out, "before ");
    SZ_CHECK_OK(render("{{ 1 }}", 7, json("{}", 2), NULL, &out));
    assert_int_equal(render("2{{ 1 / 0 }}", 12, json("{}", 2), NULL, &out), SZ_E_FORMAT);
    SZ_CHECK_OK(render("", 0, json("{}", 2), NULL, &out));
    assert_string_equal(out.data, "before 1");
    assert_int_equal(render("", 0, json("[]", 2), NULL, &out), SZ_E_ARG);
    sz_buf_free(&out);
    sz_template_free(NULL);
}

static void limits_are_the_callers(void **state) {
    static const char loop[] = "{% for i in range(100) %}{{ 'abc' ~ i }}{% endfor %}";
    static const sz_template_limits steps = {.steps = 100}, output = {.output_bytes = 100},
                                    memory = {.memory_bytes = 1000};
    const sz_template_limits *const limits[] = {&steps, &output, &memory};
    for (size_t i = 0; i < 3; i++) {
        sz_buf out = {0};
        assert_int_equal(render(loop, strlen(loop), json("{}", 2), limits[i], &out), SZ_E_LIMIT);
        assert_int_equal(out.len, 0);
    }
}

typedef struct job {
    const sz_template *t;
    const sz_json *variables;
    bool same;
} job;

static void *render_often(void *context) {
    job *j = context;
    for (int i = 0; i < 50 && j->same; i++) {
        sz_buf out = {0};
        j->same = sz_template_render(j->t, j->variables, NOW, NULL, &out) == SZ_OK &&
                  strcmp(out.data, "a1b2c3 [A, B] abab 6") == 0;
        sz_buf_free(&out);
    }
    return NULL;
}

static void threads_share_a_template(void **state) {
    static const char source[] = "{% macro f(x) %}{{ x }}{% endmacro %}{% set ns = namespace(n=0) "
                                 "%}{% for c in 'abc' %}{{ f(c) }}"
                                 "{{ loop.index }}{% set ns.n = ns.n + loop.index %}{% endfor %} "
                                 "[{{ l|map('upper')|join(', ') }}] "
                                 "{{ 'ab' 'ab' }} {{ ns.n }}";
    enum { N = 4 };
    pthread_t thread[N];
    job jobs[N];
    sz_template *t;
    SZ_CHECK_OK(sz_template_parse(source, strlen(source), &t));
    const sz_json *variables = json("{\"l\":[\"a\",\"b\"]}", 15);
    for (int i = 0; i < N; i++) {
        jobs[i] = (job){t, variables, true};
        assert_int_equal(pthread_create(&thread[i], NULL, render_often, &jobs[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        pthread_join(thread[i], NULL);
        assert_true(jobs[i].same);
    }
    sz_template_free(t);
}

/* ---- Bounds ---------------------------------------------------------------------------------- */

/* The template is refused, or fails, with that status and a text that holds the words. */
static void fails(const char *source, size_t n, sz_status want, const char *words) {
    sz_buf out = {0};
    const sz_template_limits limits = {1000000, 1 << 20, 64 << 20};
    sz_status got = render(source, n, json("{}", 2), &limits, &out);
    if (got != want || !strstr(sz_last_error(), words))
        fail_msg("%.60s: got %s \"%s\", not %s with \"%s\"", source, sz_status_name(got),
                 sz_last_error(), sz_status_name(want), words);
    sz_buf_free(&out);
}

#define FAILS(source, want, words) fails(source, strlen(source), want, words)

static void foreign_code_is_bounded(void **state) {
    FAILS("{% for i in range(99999) %}{% for j in 'aaaaaaaaaaaaaaaa' %}{% endfor %}{% endfor %}",
          SZ_E_LIMIT, "steps");
    FAILS("{% for i in range(99999) %}{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' }}{% endfor %}",
          SZ_E_LIMIT, "longer than 1048576 bytes");
    FAILS("{{ 'a' * 100000000 }}", SZ_E_LIMIT, "memory");
    FAILS("{{ 'a' * 9223372036854775807 }}", SZ_E_LIMIT, "too long");
    FAILS("{{ [1] * 9223372036854775807 }}", SZ_E_LIMIT, "too long");
    FAILS("{{ range(100001) }}", SZ_E_LIMIT, "100000");
    FAILS("{{ range(-9223372036854775807, 9223372036854775807) }}", SZ_E_LIMIT, "100000");
    FAILS("{{ 9223372036854775807 + 1 }}", SZ_E_LIMIT, "64 bits");
    FAILS("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", SZ_E_LIMIT, "nested");
    FAILS("{% set n = namespace(s='ab') %}{% for i in range(40) %}{% set n.s = n.s * 2 %}"
          "{% endfor %}{{ n.s }}",
          SZ_E_LIMIT, "memory");
    FAILS("{{ '%999999999d' % 1 }}", SZ_E_LIMIT, "wide");
    FAILS("{{ '{:999999999}'.format(1) }}", SZ_E_LIMIT, "wide");
    FAILS("{% set l = [] %}{{ l.append(l) }}{{ l }}", SZ_E_LIMIT, "nested");
    FAILS("{% set l = [] %}{{ l.append(l) }}{{ l|tojson }}", SZ_E_LIMIT, "nested");
    FAILS("{% set l = [] %}{% set m = [] %}{{ l.append(m) }}{{ m.append(l) }}{{ l == m }}",
          SZ_E_LIMIT, "");
    FAILS("{% set l = [1] %}{{ l.extend(l) }}{% for i in l %}{{ l.append(i) }}{% endfor %}{{ 1 / 0 "
          "}}",
          SZ_E_FORMAT, "division by zero");
    FAILS("{{ 99999999999999999999 }}", SZ_E_LIMIT, "64 bits");
    FAILS("{{ '99999999999999999999'|int }}", SZ_E_LIMIT, "64 bits");
    FAILS("{{ 2 ** 64 }}", SZ_E_LIMIT, "64 bits");
    FAILS("{{ -9223372036854775807 - 2 }}", SZ_E_LIMIT, "64 bits");
    FAILS("{{ (-9223372036854775807 - 1) // -1 }}", SZ_E_LIMIT, "64 bits");
    FAILS("{{ 'a'.center(100000000) }}", SZ_E_LIMIT, "memory");
    FAILS("{{ [1]|batch(100000000, 0)|list }}", SZ_E_LIMIT, "");
    FAILS("{{ [1]|slice(100000000)|list }}", SZ_E_LIMIT, "");
}

static void deep_nesting_is_an_error(void **state) {
    static const char *const parts[][2] = {{"{{ ", "("},
                                           {"{{ ", "["},
                                           {"{{ ", "{1:"},
                                           {"{{ ", "not "},
                                           {"{{ ", "- "},
                                           {"{{ ", "a["},
                                           {"{{ ", "f("},
                                           {"{{ ", "1 + "},
                                           {"{{ ", "1 if 1 else "},
                                           {"{{ ", "a|f("},
                                           {"{{ a", ".b"},
                                           {"{{ a", "|b"},
                                           {"{{ a", " or a"},
                                           {"{{ ", "a is in("},
                                           {"{{ a", "[1]"},
                                           {"", "{% if 1 %}"},
                                           {"", "{% for a in b %}"}};
    sz_buf b = {0};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        sz_buf_clear(&b);
        sz_buf_puts(&b, parts[i][0]);
        for (int k = 0; k < 5000; k++)
            sz_buf_puts(&b, parts[i][1]);
        fails(b.data, b.len, SZ_E_LIMIT, "");
    }
    sz_buf_free(&b);
}

/* ---- Errors ---------------------------------------------------------------------------------- */

static void errors_name_the_line(void **state) {
    FAILS("\n\n{{ a b }}", SZ_E_FORMAT, "template line 3: unexpected 'b', expected '}}'");
    FAILS("\n{{ 'a }}", SZ_E_FORMAT, "template line 2: the string does not end");
    FAILS("\n{% if 1 %}\n", SZ_E_FORMAT, "expected elif");
    FAILS("{# \n", SZ_E_FORMAT, "template line 1: the comment does not end");
    FAILS("\n{% bogus %}", SZ_E_FORMAT, "template line 2: unexpected 'bogus'");
    FAILS("a\n{{ 1 +\n x.y }}", SZ_E_FORMAT, "template line 3: 'x' is undefined");
    FAILS("a\n{{ 1 | bogus }}", SZ_E_UNSUPPORTED, "template line 2: no filter is named 'bogus'");
    FAILS("a\n{{ 1 is bogus }}", SZ_E_UNSUPPORTED, "template line 2: no test is named 'bogus'");
    FAILS("a\r\n\r\n{{ raise_exception('Roles must alternate: ' ~ 1) }}", SZ_E_FORMAT,
          "template line 3: Roles must alternate: 1");
    FAILS("{% break %}", SZ_E_FORMAT, "template line 1: break or continue outside of a loop");
    FAILS("\n\xff", SZ_E_FORMAT, "template line 2: the text is not valid UTF-8");
}

/* ---- Models ---------------------------------------------------------------------------------- */

static void keep_warning(void *user, sz_log_level level, const char *message) {
    if (level == SZ_LOG_WARN)
        sz_buf_puts(user, message);
}

/* The model opens with a warning, and rendering gives the reason. */
static void a_model_opens_without_a_usable_template(void **state) {
    const tiny_model c = {.chat_template = "one\n{{ two"};
    char path[TINY_MODEL_PATH], *text = NULL;
    sz_buf log = {0};
    const sz_runtime_config config = {
        .size = sizeof config, .n_threads = 1, .log = keep_warning, .log_user = &log};
    sz_runtime *rt;
    sz_model *m;
    SZ_CHECK_OK(tiny_model_make(&c, path));
    SZ_CHECK_OK(sz_runtime_new(&config, &rt));
    SZ_CHECK_OK(sz_model_open(rt, path, NULL, &m));
    unlink(path);
    assert_non_null(strstr(log.data ? log.data : "", "template line 2"));
    assert_int_equal(sz_model_render_chat(m, "[]", NULL, NULL, true, &text), SZ_E_FORMAT);
    assert_non_null(strstr(sz_last_error(), path));
    assert_non_null(strstr(sz_last_error(), "tokenizer.chat_template: template line 2"));
    sz_model_close(m);
    sz_runtime_free(rt);
    sz_buf_free(&log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(templates_of_models_render_as_jinja2_renders_them, begin,
                                        end),
        cmocka_unit_test_setup_teardown(every_feature_is_that_of_jinja2, begin, end),
        cmocka_unit_test_setup_teardown(a_template_may_change_its_own_copies, begin, end),
        cmocka_unit_test_setup_teardown(joined_strings_keep_their_own_length, begin, end),
        cmocka_unit_test_setup_teardown(frames_of_macros_and_loops_stay_apart, begin, end),
        cmocka_unit_test_setup_teardown(dates_are_those_of_python, begin, end),
        cmocka_unit_test_setup_teardown(text_is_appended_and_only_on_success, begin, end),
        cmocka_unit_test_setup_teardown(limits_are_the_callers, begin, end),
        cmocka_unit_test_setup_teardown(threads_share_a_template, begin, end),
        cmocka_unit_test_setup_teardown(foreign_code_is_bounded, begin, end),
        cmocka_unit_test_setup_teardown(deep_nesting_is_an_error, begin, end),
        cmocka_unit_test_setup_teardown(errors_name_the_line, begin, end),
        cmocka_unit_test(a_model_opens_without_a_usable_template),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
