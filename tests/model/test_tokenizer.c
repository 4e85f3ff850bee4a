/* What all kinds of tokenizers share: special tokens, keys, text back from ids, files that are
 * wrong. */
#include "support/expect_ids.h"
#include "support/small_tokenizer.h"
#include "tiny_vocab.h"

#include "base/utf8.h"

static tiny_vocab v;

static sz_tokenizer *opened(void) {
    sz_tokenizer *t = NULL;
    SZ_CHECK_OK(tiny_open_vocab(&v, &t));
    return t;
}

static void begin(void) {
    tiny_begin_bpe(&v, "gpt-2");
    tiny_merge(&v, "a b"); /* 256 */
}

enum { AB = 256 };

/* ---- Special tokens -------------------------------------------------------------------------- */

static void control_tokens_are_parsed_on_request(void **state) {
    begin();
    int32_t end = tiny_token(&v, "<|im_end|>", TINY_CONTROL, 0);
    int32_t user = tiny_token(&v, "<tool>", TINY_USER, 0);
    sz_tokenizer *t = opened();
    IDS(t, "ab<tool>ab", AB, user, AB);
    IDS_WITH(t, SZ_TOKENIZE_CONTROL, "ab<|im_end|>ab<tool>", AB, end, AB, user);
    IDS(t, "<|im_end|>", '<', '|', 'i', 'm', '_', 'e', 'n', 'd', '|', '>');
    IDS_WITH(t, SZ_TOKENIZE_CONTROL, "<|im_end|><|im_end|", end, '<', '|', 'i', 'm', '_', 'e', 'n',
             'd', '|');
    assert_true(sz_tokenizer_is_control(t, end) && !sz_tokenizer_is_control(t, user));
    assert_true(sz_tokenizer_is_end(t, end) && !sz_tokenizer_is_end(t, user));
    sz_tokenizer_free(t);
}

static void the_longest_special_token_is_taken(void **state) {
    begin();
    int32_t one = tiny_token(&v, "<a", TINY_USER, 0), two = tiny_token(&v, "<a>", TINY_USER, 0);
    int32_t three = tiny_token(&v, "<a><b>", TINY_USER, 0), c = tiny_token(&v, "cc", TINY_USER, 0);
    sz_tokenizer *t = opened();
    IDS(t, "<a<a><a><b>cc<a><b", one, two, three, c, two, '<', 'b');
    IDS(t, "<", '<');
    sz_tokenizer_free(t);
}

/* The words around a special token do not see each other. */
static void special_tokens_part_words(void **state) {
    begin();
    int32_t x = tiny_token(&v, "<x>", TINY_USER, 0);
    sz_tokenizer *t = opened();
    IDS(t, "a<x>b", 'a', x, 'b');
    IDS(t, "ab <x> ab", AB, ' ', x, ' ', AB);
    IDS(t, "<x>", x);
    sz_tokenizer_free(t);
}

static void special_tokens_may_be_of_any_characters(void **state) {
    begin();
    int32_t wide = tiny_token(&v, "<\xEF\xBD\x9Cx\xEF\xBD\x9C>", TINY_CONTROL, 0);
    int32_t lines = tiny_token(&v, "\n\n\n", TINY_USER, 0);
    sz_tokenizer *t = opened();
    IDS_WITH(t, SZ_TOKENIZE_CONTROL, "ab<\xEF\xBD\x9Cx\xEF\xBD\x9C>", AB, wide);
    IDS(t, "\n\n\n\n\n", lines, '\n', '\n');
    TEXT(t, true, "ab<\xEF\xBD\x9Cx\xEF\xBD\x9C>", AB, wide);
    TEXT(t, false, "ab", AB, wide);
    TEXT(t, false, "\n\n\n", lines);
    sz_tokenizer_free(t);
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static void begin_and_end_are_added_by_key(void **state) {
    begin();
    int32_t bos = tiny_token(&v, "<bos>", TINY_CONTROL, 0);
    int32_t eos = tiny_token(&v, "<eos>", TINY_CONTROL, 0);
    tiny_int(&v.g, "tokenizer.ggml.bos_token_id", bos);
    tiny_int(&v.g, "tokenizer.ggml.eos_token_id", eos);
    tiny_bool(&v.g, "tokenizer.ggml.add_bos_token", true);
    tiny_bool(&v.g, "tokenizer.ggml.add_eos_token", true);
    tiny_bool(&v.g, "tokenizer.ggml.add_sep_token", true); /* only between two texts */
    sz_tokenizer *t = opened();
    IDS_WITH(t, SZ_TOKENIZE_BOS, "ab", bos, AB, eos);
    IDS_WITH(t, SZ_TOKENIZE_BOS, "", bos, eos);
    IDS(t, "ab", AB);
    /* A text that begins with it gets one more: the file asks for it, whatever the text. */
    IDS_WITH(t, SZ_TOKENIZE_BOS | SZ_TOKENIZE_CONTROL, "<bos>ab", bos, bos, AB, eos);
    assert_int_equal(sz_tokenizer_bos(t), bos);
    assert_int_equal(sz_tokenizer_eos(t), eos);
    assert_true(sz_tokenizer_is_end(t, eos) && !sz_tokenizer_is_end(t, bos));
    sz_tokenizer_free(t);
}

static void the_end_of_a_turn_is_found(void **state) {
    begin();
    int32_t im_end = tiny_token(&v, "<|im_end|>", TINY_NORMAL, 0); /* typed as text by mistake */
    int32_t eot = tiny_token(&v, "<stop>", TINY_CONTROL, 0);
    sz_tokenizer *t = opened();
    assert_int_equal(sz_tokenizer_eot(t), im_end);
    assert_true(sz_tokenizer_is_control(t, im_end) && sz_tokenizer_is_end(t, im_end));
    assert_false(sz_tokenizer_is_end(t, eot));
    sz_tokenizer_free(t);
    begin();
    tiny_token(&v, "<|im_end|>", TINY_CONTROL, 0);
    eot = tiny_token(&v, "<stop>", TINY_CONTROL, 0);
    tiny_int(&v.g, "tokenizer.ggml.eot_token_id", eot); /* a key goes before a name */
    t = opened();
    assert_int_equal(sz_tokenizer_eot(t), eot);
    assert_true(sz_tokenizer_is_end(t, eot));
    sz_tokenizer_free(t);
}

static void no_id_may_be_minus_one(void **state) {
    begin();
    tiny_int(&v.g, "tokenizer.ggml.bos_token_id", -1); /* also as u32 by some writers */
    sz_tokenizer *t = opened();
    assert_int_equal(sz_tokenizer_bos(t), -1);
    assert_int_equal(sz_tokenizer_n_vocab(t), 257);
    sz_tokenizer_free(t);
}

/* ---- Text back from ids ---------------------------------------------------------------------- */

static void pieces_are_bytes(void **state) {
    begin();
    int32_t odd = tiny_token(&v, "\xE4\xB8\xAD", TINY_NORMAL, 0); /* stands for no bytes */
    sz_tokenizer *t = opened();
    size_t n;
    for (int b = 0; b < 256; b++) {
        const char *piece = sz_tokenizer_piece(t, b, &n);
        assert_int_equal(n, 1);
        assert_int_equal((unsigned char)*piece, b);
        assert_int_equal(piece[1], 0);
        assert_int_equal(sz_tokenizer_find(t, piece, 1), b);
    }
    assert_string_equal(sz_tokenizer_piece(t, odd, &n), "\xE4\xB8\xAD");
    assert_int_equal(sz_tokenizer_find(t, "ab", 2), AB);
    assert_int_equal(sz_tokenizer_find(t, "ba", 2), -1);
    assert_null(sz_tokenizer_piece(t, -1, &n));
    assert_null(sz_tokenizer_piece(t, odd + 1, NULL));
    assert_false(sz_tokenizer_is_end(t, odd + 1) || sz_tokenizer_is_control(t, -1));
    sz_tokenizer_free(t);
}

static void ids_beyond_the_vocabulary_are_refused(void **state) {
    begin();
    sz_tokenizer *t = opened();
    sz_buf out = {0};
    const int32_t ids[] = {'a', 300, 'b'}, negative[] = {-5};
    assert_int_equal(sz_tokenizer_decode(t, ids, 3, true, true, &out), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "id 300 at position 1"));
    assert_int_equal(sz_tokenizer_decode(t, negative, 1, true, true, &out), SZ_E_ARG);
    SZ_CHECK_OK(sz_tokenizer_decode(t, NULL, 0, true, true, &out));
    sz_buf_free(&out);
    sz_tokenizer_free(t);
}

/* ---- Properties ------------------------------------------------------------------------------ */

static void every_kind(void (*check)(const sz_tokenizer *t)) {
    static const char *const kinds[] = {"bpe", "spm", "spm-prefix"};
    sz_arena *arena;
    sz_json *vectors;
    SZ_CHECK_OK(vectors_open(SZ_TEST_VECTORS, "tokenizers-small.json", &arena, &vectors));
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        sz_tokenizer *t;
        SZ_CHECK_OK(small_tokenizer_new(vectors, kinds[k], &t));
        check(t);
        sz_tokenizer_free(t);
    }
    sz_arena_free(arena);
}

static void check_random_texts(const sz_tokenizer *t) {
    for (uint64_t seed = 0; seed < 400; seed++) {
        sz_buf text = {0};
        random_text(seed, 1 + seed % 60, &text);
        assert_true(comes_back(t, text.data, text.len));
        sz_buf_free(&text);
    }
}

static void random_texts_come_back(void **state) {
    every_kind(check_random_texts);
}

static void check_all_characters(const sz_tokenizer *t) {
    sz_buf text = {0};
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        char bytes[4];
        if (c < 0xD800 || c > 0xDFFF)
            sz_buf_append(&text, bytes, (size_t)sz_utf8_encode(c, bytes));
        if (c % 4096 == 4095) {
            assert_true(comes_back(t, text.data, text.len));
            sz_buf_clear(&text);
        }
    }
    sz_buf_free(&text);
}

static void all_characters_come_back(void **state) {
    every_kind(check_all_characters);
}

static void check_random_bytes(const sz_tokenizer *t) {
    char text[200];
    for (uint64_t seed = 0; seed < 300; seed++) {
        size_t n = (size_t)(sz_uniform(seed, 3, 0) * sizeof text);
        for (size_t i = 0; i < n; i++)
            text[i] = (char)(int)(sz_uniform(seed, 3, i + 1) * 256);
        assert_true(comes_back(t, text, n));
    }
}

static void random_bytes_come_back(void **state) {
    every_kind(check_random_bytes);
}

/* A megabyte without a place to stop: joined by a heap, or this would take minutes. */
static void check_long_words(const sz_tokenizer *t) {
    static const char *const units[] = {"a", "ab", " ", "\n", "7", ".", "\xE4\xB8\xAD", "\xFF"};
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        sz_buf text = {0};
        while (text.len < 1 << 20)
            sz_buf_puts(&text, units[u]);
        int32_t *ids = NULL;
        size_t n;
        SZ_CHECK_OK(sz_tokenizer_encode(t, text.data, text.len, 0, &ids, &n));
        assert_true(n > 1 << 10);
        sz_free(ids);
        sz_buf_free(&text);
    }
}

static void long_words_are_no_trouble(void **state) {
    every_kind(check_long_words);
}

/* ---- Files that are wrong -------------------------------------------------------------------- */

static void refused(sz_status want, const char *word) {
    sz_tokenizer *t = NULL;
    sz_status got = tiny_open_vocab(&v, &t);
    if (got != want || !strstr(sz_last_error(), word) || !strstr(sz_last_error(), "tiny.gguf"))
        fail_msg("got %s \"%s\", not %s with \"%s\"", sz_status_name(got),
                 got == SZ_OK ? "" : sz_last_error(), sz_status_name(want), word);
    assert_null(t);
}

static void wrong_keys_are_refused(void **state) {
    static const char *const ids[] = {"bos", "eos", "eot", "eom", "unknown"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        for (int32_t id = -2; id <= 257; id += 259) {
            char key[64];
            begin();
            snprintf(key, sizeof key, "tokenizer.ggml.%s_token_id", ids[i]);
            tiny_int(&v.g, key, id);
            refused(SZ_E_FORMAT, key);
        }
    begin(), tiny_bool(&v.g, "tokenizer.ggml.add_bos_token", true);
    refused(SZ_E_FORMAT, "bos_token_id");
    begin(), tiny_bool(&v.g, "tokenizer.ggml.add_eos_token", true);
    refused(SZ_E_FORMAT, "eos_token_id");
    begin(), tiny_int(&v.g, "tokenizer.ggml.add_bos_token", 1);
    refused(SZ_E_FORMAT, "tokenizer.ggml.add_bos_token");
    begin(), tiny_str(&v.g, "tokenizer.ggml.bos_token_id", "1");
    refused(SZ_E_FORMAT, "tokenizer.ggml.bos_token_id");
}

static void wrong_vocabularies_are_refused(void **state) {
    tiny_begin_vocab(&v, "gpt2");
    refused(SZ_E_FORMAT, "tokenizer.ggml.tokens");
    begin(), tiny_token(&v, "a", TINY_NORMAL, 0); /* twice */
    refused(SZ_E_FORMAT, "tokens 97 and 257 are both \"a\"");
    begin(), tiny_token(&v, "x", 7, 0);
    refused(SZ_E_FORMAT, "tokenizer.ggml.token_type[257] is 7");
    begin(), tiny_token(&v, "x", -1, 0);
    refused(SZ_E_FORMAT, "tokenizer.ggml.token_type[257] is -1");
    tiny_begin_vocab(&v, "t5");
    refused(SZ_E_UNSUPPORTED, "tokenizer.ggml.model is \"t5\"");
    tiny_begin_vocab(&v, "llama\033[31m");
    refused(SZ_E_UNSUPPORTED, "llama?[31m");
    begin();
    v.n--; /* types and scores are as long as the tokens; merges name one that is gone */
    refused(SZ_E_FORMAT, "tokenizer.ggml.merges[0]");
}

static void arrays_must_fit(void **state) {
    static const char *const tokens[] = {"a", "b", "ab"};
    static const int32_t types[] = {1, 1};
    const struct {
        int n_types;
        const char *text, *message;
    } cases[] = {{2, NULL, "tokenizer.ggml.token_type has 2 elements for 3 tokens"},
                 {0, "x", "tokenizer.ggml.token_type must be an array of numbers"}};
    for (int i = 0; i < 2; i++) {
        sz_tokenizer *t = NULL;
        sz_gguf *g;
        tiny_begin_vocab(&v, "gpt2");
        tiny_strs(&v.g, "tokenizer.ggml.tokens", tokens, 3);
        if (cases[i].text)
            tiny_str(&v.g, "tokenizer.ggml.token_type", cases[i].text);
        else
            tiny_ints(&v.g, "tokenizer.ggml.token_type", types, 2);
        SZ_CHECK_OK(tiny_open(&v.g, &g));
        assert_int_equal(sz_tokenizer_from_gguf(g, &t), SZ_E_FORMAT);
        assert_non_null(strstr(sz_last_error(), cases[i].message));
        sz_gguf_close(g);
        tiny_free(&v.g);
    }
}

static void vocabularies_are_bounded(void **state) {
    sz_tokenizer *t = NULL;
    sz_gguf *g;
    char *text = sz_calloc((9 << 20) + 1, 1);
    memset(text, 'x', 9 << 20);
    tiny_begin_vocab(&v, "gpt2");
    tiny_strs(&v.g, "tokenizer.ggml.tokens", (const char *const[]){text}, 1);
    SZ_CHECK_OK(tiny_open(&v.g, &g));
    assert_int_equal(sz_tokenizer_from_gguf(g, &t), SZ_E_LIMIT);
    assert_non_null(strstr(sz_last_error(), "tokenizer.ggml.tokens"));
    sz_gguf_close(g);
    tiny_free(&v.g);
    tiny_begin_vocab(&v, "gpt2");
    tiny_array(&v.g, "tokenizer.ggml.tokens", SZ_GGUF_STRING, (1 << 19) + 1);
    for (int i = 0; i <= 1 << 19; i++)
        tiny_u64(&v.g, 0);
    SZ_CHECK_OK(tiny_open(&v.g, &g));
    assert_int_equal(sz_tokenizer_from_gguf(g, &t), SZ_E_FORMAT);
    assert_non_null(strstr(sz_last_error(), "524289 tokens"));
    sz_gguf_close(g);
    tiny_free(&v.g);
    sz_free(text);
}

static void arguments_are_checked(void **state) {
    begin();
    sz_tokenizer *t = opened();
    int32_t *ids;
    size_t n;
    sz_buf out = {0};
    assert_int_equal(sz_tokenizer_from_gguf(NULL, &t), SZ_E_ARG);
    assert_int_equal(sz_tokenizer_encode(NULL, "", 0, 0, &ids, &n), SZ_E_ARG);
    assert_int_equal(sz_tokenizer_encode(t, NULL, 1, 0, &ids, &n), SZ_E_ARG);
    assert_int_equal(sz_tokenizer_encode(t, "", (size_t)2 << 30, 0, &ids, &n), SZ_E_LIMIT);
    assert_int_equal(sz_tokenizer_decode(t, NULL, 1, 0, 0, &out), SZ_E_ARG);
    SZ_CHECK_OK(sz_tokenizer_encode(t, NULL, 0, 0, &ids, &n));
    assert_int_equal(n, 0);
    sz_free(ids);
    sz_tokenizer_free(t);
    sz_tokenizer_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_tokens_are_parsed_on_request),
        cmocka_unit_test(the_longest_special_token_is_taken),
        cmocka_unit_test(special_tokens_part_words),
        cmocka_unit_test(special_tokens_may_be_of_any_characters),
        cmocka_unit_test(begin_and_end_are_added_by_key),
        cmocka_unit_test(the_end_of_a_turn_is_found),
        cmocka_unit_test(no_id_may_be_minus_one),
        cmocka_unit_test(pieces_are_bytes),
        cmocka_unit_test(ids_beyond_the_vocabulary_are_refused),
        cmocka_unit_test(random_texts_come_back),
        cmocka_unit_test(all_characters_come_back),
        cmocka_unit_test(random_bytes_come_back),
        cmocka_unit_test(long_words_are_no_trouble),
        cmocka_unit_test(wrong_keys_are_refused),
        cmocka_unit_test(wrong_vocabularies_are_refused),
        cmocka_unit_test(arrays_must_fit),
        cmocka_unit_test(vocabularies_are_bounded),
        cmocka_unit_test(arguments_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
