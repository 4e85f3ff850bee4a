#include "check.h"
#include "support/expect_ids.h"
#include "support/small_tokenizer.h"
#include "tiny_vocab.h"

#include <stdlib.h>

static tiny_vocab v;

static sz_tokenizer *opened(void) {
    sz_tokenizer *t = NULL;
    SZ_CHECK_OK(tiny_open_vocab(&v, &t));
    return t;
}

/* ---- Merging --------------------------------------------------------------------------------- */

static void the_lowest_rank_joins_first(void **state) {
    tiny_begin_bpe(&v, "gpt-2");
    int32_t bc = tiny_merge(&v, "b c"), ab = tiny_merge(&v, "a b"), abc = tiny_merge(&v, "a bc");
    sz_tokenizer *t = opened();
    IDS(t, "abc", abc); /* b c first, which leaves nothing for a b */
    IDS(t, "abb", ab, 'b');
    IDS(t, "bcab", bc, ab);
    IDS(t, "", );
    sz_tokenizer_free(t);
}

static void of_equals_the_first_joins(void **state) {
    tiny_begin_bpe(&v, "gpt-2");
    int32_t two = tiny_merge(&v, "a a"), four = tiny_merge(&v, "aa aa");
    sz_tokenizer *t = opened();
    IDS(t, "aaa", two, 'a');
    IDS(t, "aaaa", four);
    IDS(t, "aaaaaaa", four, two, 'a');
    sz_tokenizer_free(t);
}

/* Two ways to the same product: each has a rank of its own. */
static void a_product_may_have_two_merges(void **state) {
    tiny_begin_bpe(&v, "gpt-2");
    int32_t ab = tiny_merge(&v, "a b"), abc = tiny_merge(&v, "ab c");
    tiny_merge(&v, "b c");
    assert_int_equal(tiny_merge(&v, "a bc"), abc);
    sz_tokenizer *t = opened();
    IDS(t, "abc", abc);
    IDS(t, "ab", ab);
    sz_tokenizer_free(t);
}

static void words_do_not_join_across_their_ends(void **state) {
    tiny_begin_bpe(&v, "gpt-2");
    int32_t the = tiny_merge(&v, "\xC4\xA0 a"); /* a space and an a */
    tiny_merge(&v, "a \xC4\xA0");
    sz_tokenizer *t = opened();
    IDS(t, "a a", 'a', the);
    IDS(t, "a  a", 'a', ' ', the);
    sz_tokenizer_free(t);
}

/* What follows is the definition: look for the pair of lowest rank, join it, begin again. */
typedef struct plain {
    int32_t id[512];
    size_t n;
} plain;

static int rank_of(int32_t a, int32_t b, int32_t *product) {
    char pair[64];
    snprintf(pair, sizeof pair, "%s %s", v.token[a], v.token[b]);
    for (size_t r = 0; r < v.n_merges; r++)
        if (strcmp(v.merge[r], pair) == 0) {
            for (size_t i = 0; i < v.n; i++)
                if (strncmp(v.token[i], v.token[a], strlen(v.token[a])) == 0 &&
                    strcmp(v.token[i] + strlen(v.token[a]), v.token[b]) == 0)
                    *product = (int32_t)i;
            return (int)r;
        }
    return -1;
}

static void join_plainly(plain *p) {
    for (;;) {
        int best = -1, rank = 0;
        int32_t product = 0, made = 0;
        for (size_t i = 0; i + 1 < p->n; i++) {
            int r = rank_of(p->id[i], p->id[i + 1], &made);
            if (r >= 0 && (best < 0 || r < rank)) {
                best = (int)i;
                rank = r;
                product = made;
            }
        }
        if (best < 0)
            return;
        p->id[best] = product;
        memmove(&p->id[best + 1], &p->id[best + 2], (p->n - (size_t)best - 2) * sizeof *p->id);
        p->n--;
    }
}

/* Random merges over four letters, words short and long. */
static void random_merges_join_as_defined(void **state) {
    for (uint64_t seed = 0; seed < 20; seed++) {
        static char pairs[60][64];
        uint64_t at = 0;
        tiny_begin_bpe(&v, "gpt-2");
        size_t made[64] = {'a', 'b', 'c', 'd'}, n = 4;
        for (int i = 0; i < 40; i++) {
            size_t a = made[(size_t)(sz_uniform(seed, 1, at++) * (double)n)];
            size_t b = made[(size_t)(sz_uniform(seed, 1, at++) * (double)n)];
            if (strlen(v.token[a]) + strlen(v.token[b]) > 12)
                continue;
            snprintf(pairs[i], sizeof pairs[i], "%s %s", v.token[a], v.token[b]);
            size_t before = v.n;
            int32_t id = tiny_merge(&v, pairs[i]);
            if (v.n > before)
                made[n++] = (size_t)id;
        }
        sz_tokenizer *t = opened();
        for (int k = 0; k < 40; k++) {
            char text[200];
            plain p = {.n = 0};
            size_t length = 1 + (size_t)(sz_uniform(seed, 1, at++) * (k % 2 ? 190 : 20));
            for (size_t i = 0; i < length; i++) {
                text[i] = (char)('a' + (int)(sz_uniform(seed, 1, at++) * 4));
                p.id[p.n++] = text[i];
            }
            text[length] = 0;
            join_plainly(&p);
            p.id[p.n] = -1;
            expect_ids(t, text, length, 0, p.id);
        }
        sz_tokenizer_free(t);
    }
}

static void whole_words_may_ignore_the_merges(void **state) {
    for (int ignores = 0; ignores < 2; ignores++) {
        tiny_begin_bpe(&v, ignores ? "llama-bpe" : "qwen2");
        int32_t bos = tiny_token(&v, "<bos>", TINY_CONTROL, 0);
        int32_t he = tiny_merge(&v, "h e");
        int32_t word = tiny_token(&v, "hello", TINY_NORMAL, 0); /* no merge makes it */
        tiny_int(&v.g, "tokenizer.ggml.bos_token_id", bos);
        sz_tokenizer *t = opened();
        if (ignores)
            IDS(t, "hello", word);
        else
            IDS(t, "hello", he, 'l', 'l', 'o');
        IDS(t, "hellos", he, 'l', 'l', 'o', 's');
        assert_int_equal(sz_tokenizer_add_bos(t), ignores); /* the other habit of that name */
        sz_tokenizer_free(t);
    }
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static void any_bytes_are_encoded(void **state) {
    char text[256], random[300];
    tiny_begin_bpe(&v, "gpt-2");
    tiny_merge(&v, "\xC3\xA3 \xC4\xA3"); /* the two bytes of e3 81 */
    sz_tokenizer *t = opened();
    for (int b = 0; b < 256; b++)
        text[b] = (char)b;
    assert_true(comes_back(t, text, 256));
    IDS(t, "a\xFF\xC3(\xE3\x81", 'a', 0xFF, 0xC3, '(', 0xE3, 0x81); /* not valid: never joined */
    for (uint64_t seed = 0; seed < 300; seed++) {
        size_t n = (size_t)(sz_uniform(seed, 2, 0) * sizeof random);
        for (size_t i = 0; i < n; i++)
            random[i] = (char)(int)(sz_uniform(seed, 2, i + 1) * 256);
        assert_true(comes_back(t, random, n));
    }
    sz_tokenizer_free(t);
}

static void a_byte_without_a_token_is_left_out(void **state) {
    tiny_begin_bpe(&v, "gpt-2");
    int32_t ab = tiny_merge(&v, "a b");
    v.token['!'] = "unused";
    sz_tokenizer *t = opened();
    IDS(t, "a!b", 'a', 'b'); /* what it parted stays apart */
    IDS(t, "ab!", ab);
    sz_tokenizer_free(t);
}

/* ---- Learned vocabulary ---------------------------------------------------------------------- */

static void ids_are_those_of_another_implementation(void **state) {
    sz_arena *arena;
    sz_json *vectors;
    sz_tokenizer *t;
    SZ_CHECK_OK(vectors_open(SZ_TEST_VECTORS, "tokenizers-small.json", &arena, &vectors));
    SZ_CHECK_OK(small_tokenizer_new(vectors, "bpe", &t));
    const sz_json *strings = sz_json_get(vectors, "strings");
    const sz_json *ids = sz_json_get(sz_json_get(vectors, "bpe"), "ids");
    assert_int_equal(differing_ids(t, 0, strings, ids), 0);
    for (const sz_json *s = strings->u.child; s; s = s->next)
        assert_true(comes_back(t, s->u.s, s->n));
    sz_tokenizer_free(t);
    sz_arena_free(arena);
}

/* The same words again and again, some of them after others took their place in the memory of
 * words, give the ids that they give alone. */
static void remembered_words_keep_their_ids(void **state) {
    sz_arena *arena;
    sz_json *vectors;
    sz_tokenizer *t;
    sz_buf text = {0};
    int32_t *all, *one;
    size_t n_all, n_one, at = 0;
    SZ_CHECK_OK(vectors_open(SZ_TEST_VECTORS, "tokenizers-small.json", &arena, &vectors));
    SZ_CHECK_OK(small_tokenizer_new(vectors, "bpe", &t));
    enum { WORDS = 30000 };
    for (int i = 0; i < WORDS; i++)
        sz_buf_printf(&text, " w%c%c%c", 'a' + i * 7 % 26, 'a' + i / 5 % 26, 'a' + i % 23);
    SZ_CHECK_OK(sz_tokenizer_encode(t, text.data, text.len, 0, &all, &n_all));
    for (size_t i = 0; i < WORDS; i++) {
        SZ_CHECK_OK(sz_tokenizer_encode(t, text.data + 5 * i, 5, 0, &one, &n_one));
        assert_true(at + n_one <= n_all);
        assert_memory_equal(all + at, one, n_one * sizeof *one);
        at += n_one;
        sz_free(one);
    }
    assert_int_equal(at, n_all);
    sz_free(all);
    sz_buf_free(&text);
    sz_tokenizer_free(t);
    sz_arena_free(arena);
}

/* ---- Files that are wrong -------------------------------------------------------------------- */

static void refused(sz_status want, const char *word) {
    sz_tokenizer *t = NULL;
    sz_status got = tiny_open_vocab(&v, &t);
    if (got != want || !strstr(sz_last_error(), word))
        fail_msg("got %s \"%s\", not %s with \"%s\"", sz_status_name(got),
                 got == SZ_OK ? "" : sz_last_error(), sz_status_name(want), word);
    assert_null(t);
}

static void wrong_merges_are_refused(void **state) {
    static const char *const wrong[] = {"ab", "", " ", "a ", " b", "a zz", "zz a", "a b", "\033 b"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        tiny_begin_bpe(&v, "gpt-2");
        v.merge[v.n_merges++] = wrong[i]; /* without its product */
        refused(SZ_E_FORMAT, "tokenizer.ggml.merges[0]");
        assert_null(strchr(sz_last_error(), '\033'));
    }
    tiny_begin_bpe(&v, "gpt-2");
    refused(SZ_E_NOTFOUND, "tokenizer.ggml.merges");
}

static void unknown_pretokenisers_are_refused(void **state) {
    tiny_begin_bpe(&v, "gpt-99");
    tiny_merge(&v, "a b");
    refused(SZ_E_UNSUPPORTED, "tokenizer.ggml.pre is \"gpt-99\"");
    tiny_begin_bpe(&v, NULL); /* files from before the key */
    tiny_merge(&v, "a b");
    sz_tokenizer_free(opened());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_rank_joins_first),
        cmocka_unit_test(of_equals_the_first_joins),
        cmocka_unit_test(a_product_may_have_two_merges),
        cmocka_unit_test(words_do_not_join_across_their_ends),
        cmocka_unit_test(random_merges_join_as_defined),
        cmocka_unit_test(whole_words_may_ignore_the_merges),
        cmocka_unit_test(any_bytes_are_encoded),
        cmocka_unit_test(a_byte_without_a_token_is_left_out),
        cmocka_unit_test(ids_are_those_of_another_implementation),
        cmocka_unit_test(remembered_words_keep_their_ids),
        cmocka_unit_test(wrong_merges_are_refused),
        cmocka_unit_test(unknown_pretokenisers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
