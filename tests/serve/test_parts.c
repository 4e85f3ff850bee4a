/* Texts in their parts, whole and cut at every place. */
#include "check.h"

#include <serve/parts.h>
#include <string.h>

static const struct text {
    const char *text, *said, *thought;
    size_t n_calls;
} texts[] = {
    {"plain", "plain", "", 0},
    {"<think>\na\n</think>\n\nb", "b", "a\n", 0},
    {"  <think>a</think>b<think>c</think>", "  b<think>c</think>", "a", 0},
    {"no <think>thought</think>", "no <think>thought</think>", "", 0},
    {"<think>open", "", "open", 0},
    {"<thin", "<thin", "", 0},
    {"a <tool_call>{\"name\":\"f\",\"arguments\":{\"x\":1}}</tool_call>", "a ", "", 1},
    {"<think>t</think><tool_call>\n{\"name\":\"f\"}\n</tool_call>\n<tool_call>{\"name\":\"g\"}", "",
     "t", 2},
    {"<tool_call>broken</tool_call>", "<tool_call>broken</tool_call>", "", 0},
    {"{\"name\":\"f\",\"arguments\":{}}", "", "", 1},
    {" {\"name\":\"f\"}", " {\"name\":\"f\"}", "", 0},
    {"<think>t</think>{\"name\":\"f\",\"arguments\":\"{}\"}", "", "t", 1},
    {"see {\"name\":\"f\",\"arguments\":{}}", "see {\"name\":\"f\",\"arguments\":{}}", "", 0},
    {"{ not JSON", "{ not JSON", "", 0},
    {"", "", "", 0},
};

/* Tells the text up to `cut` first, then all of it. */
static void check_cut(const struct text *t, size_t cut) {
    sz_text_parts p = {.thoughts = true, .calls = true};
    sz_buf said = {0}, thought = {0}, calls = {0};
    size_t n = strlen(t->text), n_calls = 0;
    sz_text_split(&p, t->text, cut, false, &said, &thought);
    sz_text_split(&p, t->text, n, true, &said, &thought);
    if (p.phase == SZ_PHASE_CALLS) {
        n_calls = sz_text_calls(t->text + p.calls_from, n - p.calls_from, "id", true, &calls);
        if (n_calls == 0)
            sz_buf_append(&said, t->text + p.calls_from, n - p.calls_from);
    }
    if (strcmp(said.data ? said.data : "", t->said) != 0 ||
        strcmp(thought.data ? thought.data : "", t->thought) != 0 || n_calls != t->n_calls)
        fail_msg("'%s' cut at %zu: said '%s', thought '%s', %zu calls", t->text, cut,
                 said.data ? said.data : "", thought.data ? thought.data : "", n_calls);
    sz_buf_free(&said);
    sz_buf_free(&thought);
    sz_buf_free(&calls);
}

static void test_every_cut(void **state) {
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t cut = 0; cut <= strlen(texts[i].text); cut++)
            check_cut(&texts[i], cut);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
