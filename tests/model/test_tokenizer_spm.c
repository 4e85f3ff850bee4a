#include "support/expect_ids.h"
#include "support/small_tokenizer.h"
#include "tiny_vocab.h"

#define MARK "\xE2\x96\x81"

static tiny_vocab v;

enum { UNK, BOS, EOS, BYTE };

static sz_tokenizer *opened(void) {
    sz_tokenizer *t = NULL;
    SZ_CHECK_OK(tiny_open_vocab(&v, &t));
    return t;
}

static void begin(bool prefix) {
    tiny_begin_spm(&v);
    tiny_bool(&v.g, "tokenizer.ggml.add_space_prefix", prefix);
}

static int32_t piece(const char *text, float score) {
    return tiny_token(&v, text, TINY_NORMAL, score);
}

/* ---- Joining --------------------------------------------------------------------------------- */

static void the_best_score_joins_first(void **state) {
    begin(false);
    int32_t a = piece("a", -10), b = piece("b", -11), c = piece("c", -12);
    int32_t ab = piece("ab", -2), bc = piece("bc", -1), abc = piece("abc", -5);
    sz_tokenizer *t = opened();
    IDS(t, "abc", abc); /* bc, then a bc */
    IDS(t, "abcb", abc, b);
    IDS(t, "abab", ab, ab);
    IDS(t, "acb", a, c, b);
    IDS(t, "bcbc", bc, bc);
    sz_tokenizer_free(t);
}

static void of_equals_the_first_joins(void **state) {
    begin(false);
    int32_t a = piece("a", 0), aa = piece("aa", 0), aaa = piece("aaa", -1);
    sz_tokenizer *t = opened();
    IDS(t, "aaa", aaa); /* aa a joins as well */
    IDS(t, "aa", aa);
    IDS(t, "aaaa", aa, aa);
    IDS(t, "a", a);
    sz_tokenizer_free(t);
}

static void scores_may_have_any_sign(void **state) {
    begin(false);
    piece("x", 0), piece("y", 0), piece("z", 0);
    int32_t xy = piece("xy", 3), z = 261, yz = piece("yz", 3.5f);
    int32_t x = 259;
    sz_tokenizer *t = opened();
    IDS(t, "xyz", x, yz);
    IDS(t, "xy", xy);
    IDS(t, "z", z);
    sz_tokenizer_free(t);
}

/* ---- Spaces ---------------------------------------------------------------------------------- */

static void a_space_is_put_before_the_text(void **state) {
    begin(true);
    int32_t mark = piece(MARK, -9), a = piece("a", -9), marked = piece(MARK "a", -1);
    sz_tokenizer *t = opened();
    IDS(t, "a", marked);
    IDS(t, " a", mark, marked);
    IDS(t, "a a", marked, marked);
    IDS(t, "aa", marked, a);
    IDS(t, "", );
    TEXT(t, false, "a", marked);
    TEXT(t, false, " a", mark, marked);
    TEXT(t, false, "a a", marked, marked);
    sz_tokenizer_free(t);
}

static void the_prefix_may_be_switched_off(void **state) {
    begin(false);
    int32_t mark = piece(MARK, -9), a = piece("a", -9), marked = piece(MARK "a", -1);
    sz_tokenizer *t = opened();
    IDS(t, "a", a);
    IDS(t, " a", marked);
    IDS(t, "a  a", a, mark, marked);
    TEXT(t, false, " a", marked);
    sz_tokenizer_free(t);
}

/* As the first Llama tokenizers did, and files that do not say otherwise. */
static void a_space_follows_special_tokens(void **state) {
    tiny_begin_spm(&v);
    piece(MARK, -9), piece("a", -9);
    int32_t marked = piece(MARK "a", -1), user = tiny_token(&v, "<x>", TINY_USER, 0);
    sz_tokenizer *t = opened();
    IDS_WITH(t, SZ_TOKENIZE_CONTROL, "a<s>a", marked, BOS, marked);
    IDS(t, "a<x>a", marked, user, marked);
    TEXT(t, true, "a<s>a", marked, BOS, marked);
    TEXT(t, false, "a<x>a", marked, user, marked);
    TEXT(t, false, "a a", marked, marked);
    sz_tokenizer_free(t);
}

static void tokens_may_span_spaces(void **state) {
    begin(false);
    piece(MARK, -9), piece("a", -9), piece("b", -9);
    int32_t tail = piece("a" MARK, -3), both = piece("a" MARK "b", -1), two = piece(MARK MARK, -2);
    sz_tokenizer *t = opened();
    IDS(t, "a b", both);
    IDS(t, "a b a b", both, 259, both);
    IDS(t, "a  ", 260, two); /* two marks have the better score */
    IDS(t, "a ", tail);
    sz_tokenizer_free(t);
}

/* A mark in a text is no space: it goes by bytes, and comes back. */
static void the_mark_itself_comes_back(void **state) {
    for (int prefix = 0; prefix < 2; prefix++) {
        begin(prefix);
        piece(MARK, -9), piece("a", -9), piece(MARK "a", -1);
        sz_tokenizer *t = opened();
        if (!prefix)
            IDS(t, MARK "a", BYTE + 0xE2, BYTE + 0x96, BYTE + 0x81, 260);
        static const char *const texts[] = {MARK, MARK MARK, " " MARK, MARK " ", "a" MARK "a a"};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            assert_true(comes_back(t, texts[i], strlen(texts[i])));
        sz_tokenizer_free(t);
    }
}

/* ---- Bytes and kinds of tokens --------------------------------------------------------------- */

static void what_is_no_token_goes_by_bytes(void **state) {
    begin(false);
    int32_t e = piece("\xC3\xA9", -9);
    sz_tokenizer *t = opened();
    IDS(t, "\xC3\xA9\xC3\xA8", e, BYTE + 0xC3, BYTE + 0xA8);
    IDS(t, "\xFF\xC3", BYTE + 0xFF, BYTE + 0xC3);
    TEXT(t, false, "\xC3\xA8", BYTE + 0xC3, BYTE + 0xA8);
    sz_tokenizer_free(t);
}

static void without_byte_tokens_it_is_unknown(void **state) {
    tiny_begin_vocab(&v, "llama");
    tiny_token(&v, "<unk>", TINY_UNKNOWN, 0);
    int32_t a = piece("a", -1), newline = piece("\n", -1);
    tiny_int(&v.g, "tokenizer.ggml.bos_token_id", -1);
    tiny_bool(&v.g, "tokenizer.ggml.add_bos_token", false);
    tiny_bool(&v.g, "tokenizer.ggml.add_space_prefix", false);
    sz_tokenizer *t = opened();
    IDS(t, "aba\n", a, UNK, a, newline);
    sz_tokenizer_free(t);
}

/* Control, unknown and byte tokens are never made from text; user-defined ones always are. */
static void kinds_of_tokens_are_kept_apart(void **state) {
    begin(false);
    piece("<", -9), piece("s", -9), piece(">", -9), piece("<s", -1), piece("a", -5);
    int32_t open = 259, s = 260, close = 261, opened_s = 262;
    int32_t user = tiny_token(&v, "s>", TINY_USER, 0);
    sz_tokenizer *t = opened();
    IDS(t, "<s", opened_s);
    IDS(t, "<s>", open, user); /* not the control token of that name */
    IDS_WITH(t, SZ_TOKENIZE_CONTROL, "<s>", BOS);
    IDS_WITH(t, SZ_TOKENIZE_CONTROL, "<unk>s>", UNK, user);
    IDS(t, "<0x41>", open, BYTE + '0', BYTE + 'x', BYTE + '4', BYTE + '1', close);
    IDS_WITH(t, SZ_TOKENIZE_CONTROL, "<0x0A>s", open, BYTE + '0', BYTE + 'x', BYTE + '0',
             BYTE + 'A', close, s);
    sz_tokenizer_free(t);
}

/* Converters write the spaces of user-defined tokens as spaces; older ones left the marks. */
static void user_tokens_may_be_spaces(void **state) {
    for (int marked = 0; marked < 2; marked++) {
        begin(false);
        piece(MARK, -9), piece("a", -9), piece(MARK "a", -1);
        int32_t two = tiny_token(&v, marked ? MARK MARK : "  ", TINY_USER, 0);
        sz_tokenizer *t = opened();
        IDS(t, "a  ", 260, two);
        TEXT(t, false, "a  ", 260, two);
        assert_true(comes_back(t, "  a   a" MARK MARK "  ", 15));
        sz_tokenizer_free(t);
    }
}

static void begin_is_added_by_habit_and_by_key(void **state) {
    for (int said = 0; said < 3; said++) {
        begin(false);
        int32_t a = piece("a", -1);
        if (said > 0)
            tiny_bool(&v.g, "tokenizer.ggml.add_bos_token", said == 2);
        tiny_bool(&v.g, "tokenizer.ggml.add_eos_token", said == 2);
        sz_tokenizer *t = opened();
        assert_int_equal(sz_tokenizer_add_bos(t), said != 1);
        IDS(t, "a", a);
        if (said == 0)
            IDS_WITH(t, SZ_TOKENIZE_BOS, "a", BOS, a);
        else if (said == 1)
            IDS_WITH(t, SZ_TOKENIZE_BOS, "a", a);
        else
            IDS_WITH(t, SZ_TOKENIZE_BOS, "a", BOS, a, EOS);
        sz_tokenizer_free(t);
    }
}

/* ---- Against another implementation ---------------------------------------------------------- */

static void ids_are_those_of_sentencepiece(void **state) {
    static const char *const kinds[] = {"spm", "spm-prefix"};
    sz_arena *arena;
    sz_json *vectors;
    SZ_CHECK_OK(vectors_open(SZ_TEST_VECTORS, "tokenizers-small.json", &arena, &vectors));
    const sz_json *strings = sz_json_get(vectors, "strings");
    for (int k = 0; k < 2; k++) {
        sz_tokenizer *t;
        SZ_CHECK_OK(small_tokenizer_new(vectors, kinds[k], &t));
        const sz_json *ids = sz_json_get(sz_json_get(vectors, kinds[k]), "ids");
        assert_int_equal(differing_ids(t, 0, strings, ids), 0);
        for (const sz_json *s = strings->u.child; s; s = s->next)
            assert_true(comes_back(t, s->u.s, s->n));
        sz_tokenizer_free(t);
    }
    sz_arena_free(arena);
}

/* ---- Files that are wrong -------------------------------------------------------------------- */

static void wrong_scores_are_refused(void **state) {
    const float inf = __builtin_inff();
    const char *const tokens[] = {"<unk>", "<s>", "</s>", "a"};
    const float scores[] = {0, 0, 0, inf};
    for (int i = 0; i < 3; i++) {
        sz_tokenizer *t = NULL;
        sz_gguf *g;
        tiny_begin_vocab(&v, "llama");
        tiny_strs(&v.g, "tokenizer.ggml.tokens", tokens, 4);
        if (i < 2)
            tiny_floats(&v.g, "tokenizer.ggml.scores", scores, 4 - (size_t)i);
        SZ_CHECK_OK(tiny_open(&v.g, &g));
        assert_int_equal(sz_tokenizer_from_gguf(g, &t), i < 2 ? SZ_E_FORMAT : SZ_E_NOTFOUND);
        assert_non_null(strstr(sz_last_error(), "tokenizer.ggml.scores"));
        sz_gguf_close(g);
        tiny_free(&v.g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_score_joins_first),
        cmocka_unit_test(of_equals_the_first_joins),
        cmocka_unit_test(scores_may_have_any_sign),
        cmocka_unit_test(a_space_is_put_before_the_text),
        cmocka_unit_test(the_prefix_may_be_switched_off),
        cmocka_unit_test(a_space_follows_special_tokens),
        cmocka_unit_test(tokens_may_span_spaces),
        cmocka_unit_test(the_mark_itself_comes_back),
        cmocka_unit_test(what_is_no_token_goes_by_bytes),
        cmocka_unit_test(without_byte_tokens_it_is_unknown),
        cmocka_unit_test(kinds_of_tokens_are_kept_apart),
        cmocka_unit_test(user_tokens_may_be_spaces),
        cmocka_unit_test(begin_is_added_by_habit_and_by_key),
        cmocka_unit_test(ids_are_those_of_sentencepiece),
        cmocka_unit_test(wrong_scores_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
