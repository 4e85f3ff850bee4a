#include "check.h"
#include "model/pretokenizer.h"
#include "support/small_tokenizer.h"

#include <string.h>

/* Every name of the table that a file may carry, one of each recipe first. */
static const char *const names[] = {
    "default",
    "gpt-2",
    "smollm",
    "llama-bpe",
    "dbrx",
    "qwen2",
    "qwen35",
    "bailingmoe",
    "seed-coder",
    "tekken",
    "gpt-4o",
    "falcon",
    "deepseek-llm",
    "deepseek-v3",
    "deepseek-coder",
    "bloom",
    "viking",
    "phi-2",
    "starcoder",
    "command-r",
    "refact",
    "olmo",
    "mpt",
    "jais",
    "exaone",
    "exaone4",
    "trillion",
    "stablelm2",
    "llama3",
    "llama-v3",
    "falcon3",
    "pixtral",
    "lfm2",
    "smaug-bpe",
    "chatglm-bpe",
    "glm4",
    "deepseek-r1-qwen",
    "hunyuan",
    "megrez",
    "llada-moe",
    "llama4",
    "kanana2",
    "hunyuan-dense",
    "poro-chat",
    "gpt3-finnish",
    "roberta-bpe",
    "modern-bert",
    "granite-docling",
    "codeshell",
    "minerva-7b",
    "a.x-4.0",
    "midm-2.0",
    "grok-2",
    "bailingmoe2",
    "jina-v2-code",
};
enum { N_RECIPES = 17, N_NAMES = sizeof names / sizeof *names };

typedef struct words { /* the words seen so far of one text */
    const char *text;
    size_t n, at;
    uint32_t length[4096];
} words;

static sz_status take(void *context, const char *word, size_t n) {
    words *w = context;
    assert_ptr_equal(word, w->text + w->at);
    assert_true(n > 0 && w->n < sizeof w->length / sizeof *w->length);
    w->length[w->n++] = (uint32_t)n;
    w->at += n;
    return SZ_OK;
}

/* The words of a text, which they must cover. */
static void split(const char *name, const char *text, size_t n, words *w) {
    sz_pretokenizer *p = NULL;
    sz_matcher *m = NULL;
    SZ_CHECK_OK(sz_pretokenizer_new(name, strlen(name), &p));
    SZ_CHECK_OK(sz_matcher_new(&m));
    *w = (words){.text = text};
    SZ_CHECK_OK(sz_pretokenizer_split(p, m, text, n, take, w));
    assert_int_equal(w->at, n);
    sz_matcher_free(m);
    sz_pretokenizer_free(p);
}

static bool as_wanted(const words *w, const sz_json *lengths) {
    size_t i = 0;
    for (const sz_json *l = lengths->u.child; l; l = l->next, i++)
        if (i >= w->n || w->length[i] != l->u.i)
            return false;
    return i == w->n;
}

/* Vectors of another implementation, one list per recipe and string. */
static void words_are_those_of_the_models(void **state) {
    sz_arena *arena;
    sz_json *vectors;
    size_t n_checked = 0, n_wrong = 0;
    static words w;
    SZ_CHECK_OK(vectors_open(SZ_TEST_VECTORS, "pretokenizers.json", &arena, &vectors));
    const sz_json *strings = sz_json_get(vectors, "strings");
    const sz_json *recipes = sz_json_get(vectors, "words");
    for (const sz_json *recipe = recipes->u.child; recipe; recipe = recipe->next) {
        const sz_json *want = recipe->u.child;
        for (const sz_json *s = strings->u.child; s; s = s->next, want = want->next) {
            split(recipe->key, s->u.s, s->n, &w);
            n_checked++;
            if (as_wanted(&w, want))
                continue;
            n_wrong++;
            printf("%s: \"%s\" has other words\n", recipe->key, s->u.s);
        }
    }
    assert_int_equal(n_wrong, 0);
    assert_true(n_checked >= 16 * 190);
    sz_arena_free(arena);
}

static void every_name_covers_every_text(void **state) {
    static words w;
    for (size_t i = 0; i < N_NAMES; i++) {
        sz_buf text = {0};
        random_text(i, i < N_RECIPES ? 400 : 40, &text);
        split(names[i], text.data, text.len, &w);
        assert_true(w.n > 0);
        split(names[i], "", 0, &w);
        assert_int_equal(w.n, 0);
        sz_buf_free(&text);
    }
}

static sz_status count(void *context, const char *word, size_t n) {
    (*(size_t *)context)++;
    return SZ_OK;
}

/* Long runs neither exhaust a stack nor take quadratic time. */
static void long_runs_are_cut(void **state) {
    static const char *const units[] = {
        "a", "A", " ", "\n", "1", ".", "\xCC\x81", "\xE4\xB8\xAD", " \n", "aA", "\t "};
    enum { N = 1 << 19 };
    for (size_t i = 0; i < N_RECIPES; i++) {
        sz_pretokenizer *p;
        sz_matcher *m;
        SZ_CHECK_OK(sz_pretokenizer_new(names[i], strlen(names[i]), &p));
        SZ_CHECK_OK(sz_matcher_new(&m));
        for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
            sz_buf text = {0};
            size_t n_words = 0;
            while (text.len < N)
                sz_buf_puts(&text, units[u]);
            sz_buf_puts(&text, "x"); /* after white space, what looks ahead must look back */
            SZ_CHECK_OK(sz_pretokenizer_split(p, m, text.data, text.len, count, &n_words));
            assert_true(n_words >= 1);
            sz_buf_free(&text);
        }
        sz_matcher_free(m);
        sz_pretokenizer_free(p);
    }
}

static sz_status stop(void *context, const char *word, size_t n) {
    return ++*(int *)context == 2 ? SZ_E_STATE : SZ_OK;
}

static void a_status_stops_the_cutting(void **state) {
    sz_pretokenizer *p;
    sz_matcher *m;
    int calls = 0;
    SZ_CHECK_OK(sz_pretokenizer_new("default", 7, &p)); /* several stages */
    SZ_CHECK_OK(sz_matcher_new(&m));
    assert_int_equal(sz_pretokenizer_split(p, m, "a b c d", 7, stop, &calls), SZ_E_STATE);
    assert_int_equal(calls, 2);
    sz_matcher_free(m);
    sz_pretokenizer_free(p);
}

static void unknown_names_are_refused(void **state) {
    static const char *const unknown[] = {"",      "gpt-5",       "qwen",   "qwen2 ",
                                          "Qwen2", "gpt-2 phi-2", "\033[2J"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        sz_pretokenizer *p = NULL;
        assert_int_equal(sz_pretokenizer_new(unknown[i], strlen(unknown[i]), &p), SZ_E_UNSUPPORTED);
        assert_non_null(strstr(sz_last_error(), "tokenizer.ggml.pre"));
        assert_null(strchr(sz_last_error(), '\033'));
        assert_null(p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_those_of_the_models),
        cmocka_unit_test(every_name_covers_every_text),
        cmocka_unit_test(long_runs_are_cut),
        cmocka_unit_test(a_status_stops_the_cutting),
        cmocka_unit_test(unknown_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
