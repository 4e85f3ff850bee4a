/* labels: model */
#include "check.h"
#include "support/reference_tokenizer.h"
#include "support/small_tokenizer.h"

static const char name[] = "smollm2-135m-instruct-q4_1";
static sz_tokenizer *t;

static void ids_are_those_of_the_reference(void **state) {
    check_reference(SZ_TEST_VECTORS, name, t);
}

/* The vocabulary has no tokens for some control characters and for bytes of unused planes. */
static void random_texts_come_back(void **state) {
    size_t n_whole = 0;
    for (uint64_t seed = 0; seed < 600; seed++) {
        sz_buf text = {0};
        random_text(seed, 1 + seed % 50, &text);
        if (has_all_bytes(t, text.data, text.len)) {
            assert_true(comes_back(t, text.data, text.len));
            n_whole++;
        }
        sz_buf_free(&text);
    }
    assert_true(n_whole > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_those_of_the_reference),
        cmocka_unit_test(random_texts_come_back),
    };
    if (!real_tokenizer(name, &t))
        return 77;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sz_tokenizer_free(t);
    return failed;
}
