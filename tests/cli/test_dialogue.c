/* test_dialogue.c: messages, what is forgotten first, and their JSON. */
#include "check.h"
#include "cli/dialogue.h"
#include "cli/sampling.h"
#include <stdlib.h>
#include <string.h>

static void add(sz_dialogue *d, sz_role role, const char *text) {
    SZ_CHECK_OK(sz_dialogue_add(d, role, text, strlen(text)));
}

static void check_texts(const sz_dialogue *d, const char *joined) {
    char got[512] = "";
    for (size_t i = 0; i < d->n; i++) {
        strcat(got, i ? "|" : "");
        strcat(got, d->v[i].text);
    }
    assert_string_equal(got, joined);
}

static void test_drop_oldest(void **state) {
    sz_dialogue d = {0};
    SZ_CHECK_OK(sz_dialogue_set_system(&d, "system"));
    add(&d, SZ_ROLE_USER, "q1");
    add(&d, SZ_ROLE_ASSISTANT, "a1");
    add(&d, SZ_ROLE_USER, "q2");
    add(&d, SZ_ROLE_ASSISTANT, "a2");
    add(&d, SZ_ROLE_USER, "q3");
    assert_true(sz_dialogue_drop_oldest(&d));
    check_texts(&d, "system|q2|a2|q3");
    assert_true(sz_dialogue_drop_oldest(&d));
    check_texts(&d, "system|q3");
    assert_false(sz_dialogue_drop_oldest(&d)); /* the question itself stays */
    check_texts(&d, "system|q3");
    sz_dialogue_free(&d);
}

static void test_system(void **state) {
    sz_dialogue d = {0};
    assert_null(sz_dialogue_system(&d));
    add(&d, SZ_ROLE_USER, "q");
    SZ_CHECK_OK(sz_dialogue_set_system(&d, "one"));
    SZ_CHECK_OK(sz_dialogue_set_system(&d, "two"));
    assert_string_equal(sz_dialogue_system(&d), "two");
    check_texts(&d, "two|q");
    SZ_CHECK_OK(sz_dialogue_set_system(&d, NULL));
    check_texts(&d, "q");
    sz_dialogue_free(&d);
}

static void test_raw_halves(void **state) {
    sz_dialogue d = {.raw = true};
    add(&d, SZ_ROLE_USER, "first line\nsecond line\n");
    add(&d, SZ_ROLE_ASSISTANT, "third line\nfourth line");
    assert_true(sz_dialogue_drop_oldest(&d));
    check_texts(&d, "third line\nfourth line");
    while (sz_dialogue_drop_oldest(&d))
        assert_true(d.n == 1 && d.v[0].text[0]);
    assert_true(strlen(d.v[0].text) <= 1);
    sz_dialogue_truncate(&d, 0);
    add(&d, SZ_ROLE_USER, "\xC3\xA9\xC3\xA9\xC3\xA9"); /* cut at a character */
    assert_true(sz_dialogue_drop_oldest(&d));
    assert_int_equal((unsigned char)d.v[0].text[0], 0xC3);
    sz_dialogue_free(&d);
}

static void test_json(void **state) {
    sz_dialogue d = {0}, back = {0};
    sz_buf b = {0};
    SZ_CHECK_OK(sz_dialogue_set_system(&d, "be \"short\""));
    add(&d, SZ_ROLE_USER, "a\nb\\ \xE2\x82\xAC");
    add(&d, SZ_ROLE_ASSISTANT, "");
    sz_dialogue_json(&d, &b);
    SZ_CHECK_OK(sz_dialogue_parse(&back, b.data, b.len));
    assert_int_equal(back.n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(back.v[i].role, d.v[i].role);
        assert_string_equal(back.v[i].text, d.v[i].text);
    }
    static const char *const wrong[] = {
        "{}",
        "[1]",
        "[{\"role\":\"user\"}]",
        "[{\"role\":\"robot\",\"content\":\"x\"}]",
        "[{\"role\":\"user\",\"content\":3}]",
        "[",
        "[{\"role\":\"user\",\"content\":\"\"},{\"role\":\"system\",\"content\":\"\"}]"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(sz_dialogue_parse(&back, wrong[i], strlen(wrong[i])), SZ_E_FORMAT);
        assert_int_equal(back.n, 3); /* as it was */
    }
    sz_buf_free(&b);
    sz_dialogue_free(&d);
    sz_dialogue_free(&back);
}

static void check_chain(const char *name, const char *value, const char *want) {
    sz_sampling s = sz_sampling_default();
    char chain[SZ_CHAIN_MAX];
    if (name)
        SZ_CHECK_OK(sz_sampling_set(&s, name, value));
    SZ_CHECK_OK(sz_sampling_chain(&s, chain));
    assert_string_equal(chain, want);
}

static void test_sampling(void **state) {
    check_chain(NULL, NULL, "top-k 40, top-p 0.95, min-p 0.05, temperature 0.8");
    check_chain("temp", "0", "temperature 0");
    check_chain("temp", "0.00001", "top-k 40, top-p 0.95, min-p 0.05, temperature 0.00001");
    check_chain("top-k", "0", "top-p 0.95, min-p 0.05, temperature 0.8");
    check_chain("top-p", "1", "top-k 40, min-p 0.05, temperature 0.8");
    check_chain("min-p", "0", "top-k 40, top-p 0.95, temperature 0.8");
    check_chain("repeat-penalty", "1.1",
                "penalties 1.1, top-k 40, top-p 0.95, min-p 0.05, temperature 0.8");
    check_chain("sampler", "min-p 0.1", "min-p 0.1");
    sz_sampling s = sz_sampling_default();
    char chain[SZ_CHAIN_MAX];
    assert_int_equal(sz_sampling_set(&s, "temp", "nan"), SZ_E_ARG);
    assert_int_equal(sz_sampling_set(&s, "top-p", "1.5"), SZ_E_ARG);
    assert_int_equal(sz_sampling_set(&s, "seed", "-2"), SZ_E_ARG);
    assert_int_equal(sz_sampling_set(&s, "sampler", "top-k k"), SZ_E_ARG);
    SZ_CHECK_OK(sz_sampling_set(&s, "sampler", "top-k 3"));
    SZ_CHECK_OK(sz_sampling_set(&s, "temp", "1"));
    assert_int_equal(sz_sampling_chain(&s, chain), SZ_E_ARG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drop_oldest), cmocka_unit_test(test_system),
        cmocka_unit_test(test_raw_halves),  cmocka_unit_test(test_json),
        cmocka_unit_test(test_sampling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
