/* labels: models */
#include "check.h"
#include "support/reference_tokenizer.h"
#include "support/small_tokenizer.h"

static const char *const names[] = {"gemma3-270m-q4_k_m", "qwen2.5-coder-0.5b-instruct-q4_k_m"};
static sz_tokenizer *t[2];

static void ids_are_those_of_the_reference(void **state) {
    for (int i = 0; i < 2; i++)
        if (t[i])
            check_reference(SZ_TEST_VECTORS, names[i], t[i]);
}

static void random_texts_come_back(void **state) {
    for (uint64_t seed = 0; seed < 600; seed++) {
        sz_buf text = {0};
        random_text(seed, 1 + seed % 50, &text);
        for (int i = 0; i < 2; i++)
            assert_true(!t[i] || comes_back(t[i], text.data, text.len));
        sz_buf_free(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_those_of_the_reference),
        cmocka_unit_test(random_texts_come_back),
    };
    bool any = real_tokenizer(names[0], &t[0]);
    any |= real_tokenizer(names[1], &t[1]);
    if (!any)
        return 77;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sz_tokenizer_free(t[0]);
    sz_tokenizer_free(t[1]);
    return failed;
}
