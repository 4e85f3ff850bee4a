#include "support/expect_ids.h"
#include "support/small_tokenizer.h"
#include "tiny_vocab.h"

#define MARK "\xE2\x96\x81"

static tiny_vocab v;

enum { UNK, CLS, SEP };

static sz_tokenizer *opened(void) {
    sz_tokenizer *t = NULL;
    SZ_CHECK_OK(tiny_open_vocab(&v, &t));
    return t;
}

static int32_t piece(const char *text) {
    return tiny_token(&v, text, TINY_NORMAL, 0);
}

static void the_longest_piece_comes_first(void **state) {
    tiny_begin_wordpiece(&v);
    int32_t un = piece(MARK "un"), unf = piece(MARK "unf"), able = piece("able");
    int32_t ford = piece("ford"), f = piece("f");
    sz_tokenizer *t = opened();
    IDS(t, "unfable unf", unf, able, unf);
    IDS(t, "unable", un, able);
    IDS(t, "unford", UNK); /* un + ford would do, but unf is longer and leaves ord */
    IDS(t, "unff", unf, f);
    IDS(t, "ford", UNK); /* a rest does not begin a word */
    IDS(t, " un  un\n", un, un);
    IDS(t, "", );
    (void)ford;
    sz_tokenizer_free(t);
}

static void texts_are_folded(void **state) {
    tiny_begin_wordpiece(&v);
    int32_t cafe = piece(MARK "cafe"), hello = piece(MARK "hello"), i = piece(MARK "i");
    sz_tokenizer *t = opened();
    IDS(t, "Caf\xC3\xA9 CAFE\xCC\x81", cafe, cafe); /* composed and decomposed */
    IDS(t, "HE\xE2\x80\x8BL\xC2\xADLO", hello);     /* invisible characters fall out */
    IDS(t,
        "h\xEF\xBF\xBD"
        "ello\x01",
        hello);
    IDS(t, "\xC4\xB0", i); /* I with a dot */
    IDS(t, "hel\xFFlo", hello);
    IDS(t, "hello\xCD\xB8", UNK); /* U+0378 is no character yet */
    sz_tokenizer_free(t);
}

static void case_may_matter(void **state) {
    tiny_begin_wordpiece(&v);
    int32_t upper = piece(MARK "A"), lower = piece(MARK "a"), acute = piece(MARK "\xC3\xA9");
    tiny_bool(&v.g, "tokenizer.ggml.normalizer.lowercase", false);
    sz_tokenizer *t = opened();
    IDS(t, "a A \xC3\xA9 \xC3\x89", lower, upper, acute, UNK);
    sz_tokenizer_free(t);
}

static void words_end_at_signs_and_chinese(void **state) {
    tiny_begin_wordpiece(&v);
    int32_t a = piece(MARK "a"), dot = piece(MARK "."), dollar = piece(MARK "$");
    int32_t zhong = piece(MARK "\xE4\xB8\xAD"), dash = piece(MARK "\xE2\x80\x94");
    sz_tokenizer *t = opened();
    IDS(t, "a.a$a", a, dot, a, dollar, a);
    IDS(t,
        "a\xE4\xB8\xAD\xE4\xB8\xAD"
        "a",
        a, zhong, zhong, a);
    IDS(t,
        "a\xE2\x80\x94"
        "a",
        a, dash, a);
    IDS(t,
        "a\xC2\xA0"
        "a\xE3\x80\x80"
        "a\x0B"
        "a",
        a, a, UNK); /* a vertical tab falls out */
    sz_tokenizer_free(t);
}

static void marks_in_a_text_are_no_spaces(void **state) {
    tiny_begin_wordpiece(&v);
    int32_t a = piece(MARK "a");
    piece(MARK); /* as a lone "##" would be spelled */
    sz_tokenizer *t = opened();
    IDS(t, "a" MARK "a", UNK);
    IDS(t, MARK, UNK);
    IDS(t, "zz a", UNK, a);
    sz_tokenizer_free(t);
}

static void words_of_over_100_characters_are_unknown(void **state) {
    char text[410];
    sz_buf hundred = {0};
    tiny_begin_wordpiece(&v);
    int32_t first = piece(MARK "\xC3\xB8"), rest = piece("\xC3\xB8"); /* no accent: stays */
    sz_tokenizer *t = opened();
    for (int i = 0; i < 100; i++)
        sz_buf_puts(&hundred, "\xC3\xB8");
    int32_t want[102] = {first};
    for (int i = 1; i < 100; i++)
        want[i] = rest;
    want[100] = -1;
    expect_ids(t, hundred.data, hundred.len, 0, want);
    snprintf(text, sizeof text, "%s\xC3\xB8", hundred.data);
    expect_ids(t, text, strlen(text), 0, (const int32_t[]){UNK, -1});
    sz_buf_free(&hundred);
    sz_tokenizer_free(t);
}

static void begin_and_end_are_added(void **state) {
    tiny_begin_wordpiece(&v);
    int32_t a = piece(MARK "a");
    sz_tokenizer *t = opened();
    IDS(t, "a", a);
    IDS_WITH(t, SZ_TOKENIZE_BOS, "a", CLS, a, SEP);
    IDS_WITH(t, SZ_TOKENIZE_BOS | SZ_TOKENIZE_CONTROL, "a[SEP]A", CLS, a, SEP, a, SEP);
    IDS(t, "[SEP]", UNK, UNK, UNK); /* as text: two brackets and a word */
    TEXT(t, false, "a a", CLS, a, a, SEP);
    TEXT(t, true, "[CLS]a[SEP]", CLS, a, SEP);
    assert_int_equal(sz_tokenizer_bos(t), CLS);
    assert_int_equal(sz_tokenizer_eos(t), SEP);
    sz_tokenizer_free(t);
}

static void ids_are_those_of_another_implementation(void **state) {
    sz_arena *arena;
    sz_json *vectors;
    sz_tokenizer *t;
    SZ_CHECK_OK(vectors_open(SZ_TEST_VECTORS, "tokenizers-small.json", &arena, &vectors));
    SZ_CHECK_OK(small_tokenizer_new(vectors, "wordpiece", &t));
    const sz_json *ids = sz_json_get(sz_json_get(vectors, "wordpiece"), "ids");
    assert_int_equal(differing_ids(t, 0, sz_json_get(vectors, "strings"), ids), 0);
    sz_tokenizer_free(t);
    sz_arena_free(arena);
}

static void what_cannot_be_done_is_refused(void **state) {
    sz_tokenizer *t = NULL;
    tiny_begin_wordpiece(&v);
    tiny_bool(&v.g, "tokenizer.ggml.normalizer.strip_accents", false);
    assert_int_equal(tiny_open_vocab(&v, &t), SZ_E_UNSUPPORTED);
    assert_non_null(strstr(sz_last_error(), "strip_accents"));
    tiny_begin_vocab(&v, "bert");
    piece(MARK "a"); /* no unknown token, and none at the usual place */
    assert_int_equal(tiny_open_vocab(&v, &t), SZ_E_FORMAT);
    assert_non_null(strstr(sz_last_error(), "tokenizer.ggml.unknown_token_id"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_piece_comes_first),
        cmocka_unit_test(texts_are_folded),
        cmocka_unit_test(case_may_matter),
        cmocka_unit_test(words_end_at_signs_and_chinese),
        cmocka_unit_test(marks_in_a_text_are_no_spaces),
        cmocka_unit_test(words_of_over_100_characters_are_unknown),
        cmocka_unit_test(begin_and_end_are_added),
        cmocka_unit_test(ids_are_those_of_another_implementation),
        cmocka_unit_test(what_cannot_be_done_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
