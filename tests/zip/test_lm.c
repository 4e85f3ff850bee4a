/* test_lm.c: the language-model engine on tiny random models: round trips of every kind of text,
 * the same bytes for every number of threads and instruction set, context restarts, costs, damage.
 */
#include "check.h"

#include <math.h>
#include <string.h>

#include "support/engine.h"
#include "zip/lm.h"
#include "zip/lm_text.h"
#include "zip/recall.h"

static const uint8_t digest[32] = {1, 2, 3};

typedef struct setup {
    engine engine;
    sz_predictor p;
} setup;

static void open_setup(const char *arch, int threads, const char *isa, bool adaptive, setup *s) {
    tiny_model config = {.arch = arch, .seed = 5, .n_ctx = 256};
    sz_lm_about about;
    SZ_CHECK_OK(engine_open_tiny(&config, threads, isa, &s->engine));
    SZ_CHECK_OK(sz_lm_about_make(s->engine.model, 64, adaptive, digest, "tiny", &about));
    SZ_CHECK_OK(sz_predictor_lm_new(s->engine.model, s->engine.rt, &about, &s->p));
}

static void close_setup(setup *s) {
    sz_predictor_free(&s->p);
    engine_close(&s->engine);
}

/* Codes n segments together, decodes them together, and hands out the codes. */
static void round_trip(const setup *s, sz_segment *segments, size_t n) {
    uint8_t *data[20];
    SZ_CHECK_OK(s->p.kind->encode(s->p.self, segments, n));
    for (size_t i = 0; i < n; i++) {
        data[i] = segments[i].data;
        segments[i].data = sz_calloc(1, segments[i].n);
    }
    SZ_CHECK_OK(s->p.kind->decode(s->p.self, segments, n));
    for (size_t i = 0; i < n; i++) {
        assert_memory_equal(segments[i].data, data[i], segments[i].n);
        sz_free(segments[i].data);
        segments[i].data = data[i];
    }
}

/* ---- Texts ----------------------------------------------------------------------------------- */

static const char *const texts[] = {
    "x",
    "\n",
    "the cat and the hat, in a ring of iron; the cat and the hat, in a ring of iron",
    "Grüße aus Köln, 你好，世界, Привет, мир, שלום, नमस्ते, 안녕하세요, "
    "🙂👩‍👩‍👧",
    "\xff\xfe\x80 not \xc3 UTF-8 \xf0\x9f\x98",
    "<|im_start|>user\n<|endoftext|>",
    "int main(void) {\n\treturn 0;\n}\n",
};
enum { N_TEXTS = sizeof texts / sizeof *texts, LONG = 700, N_ALL = N_TEXTS + 3 };
static uint8_t bytes[N_ALL][LONG];

static void make_segments(sz_segment *out) {
    for (int i = 0; i < N_TEXTS; i++) {
        out[i] = (sz_segment){.data = bytes[i], .n = strlen(texts[i])};
        memcpy(bytes[i], texts[i], out[i].n);
    }
    for (int i = N_TEXTS; i < N_ALL; i++)
        out[i] = (sz_segment){.data = bytes[i], .n = LONG};
    for (size_t i = 0; i < LONG; i++) {
        uint32_t r[4];
        sz_philox4x32(3, 1, i, r);
        bytes[N_TEXTS][i] = (uint8_t)r[0];                 /* random */
        bytes[N_TEXTS + 1][i] = (uint8_t)texts[2][i % 76]; /* repeats, over restarts */
        bytes[N_TEXTS + 2][i] = (uint8_t)(i % 9 ? 'a' + r[1] % 26 : ' ');
    }
}

static void free_codes(sz_segment *s) {
    for (int i = 0; i < N_ALL; i++)
        sz_buf_free(&s[i].code);
}

static void every_text_comes_back(void **state) {
    static const char *const arch[] = {"llama", "gemma3"};
    for (int k = 0; k < 4; k++) {
        setup s;
        sz_segment segments[N_ALL];
        make_segments(segments);
        open_setup(arch[k % 2], 1, NULL, k / 2, &s);
        round_trip(&s, segments, N_ALL);
        free_codes(segments);
        close_setup(&s);
    }
}

static void threads_and_instructions_change_nothing(void **state) {
    sz_segment want[N_ALL];
    setup s;
    make_segments(want);
    open_setup("llama", 1, NULL, true, &s);
    round_trip(&s, want, N_ALL);
    close_setup(&s);
    for (int k = 0; k < 2; k++) {
        sz_segment got[N_ALL];
        make_segments(got);
        open_setup("llama", 3, k ? "portable" : NULL, true, &s);
        round_trip(&s, got, N_ALL);
        for (int i = 0; i < N_ALL; i++) {
            assert_int_equal(got[i].code.len, want[i].code.len);
            assert_memory_equal(got[i].code.data, want[i].code.data, want[i].code.len);
        }
        free_codes(got);
        close_setup(&s);
    }
    free_codes(want);
}

/* More segments than are decoded at once; each decodes alone as it does among others. */
static void batches_change_nothing(void **state) {
    enum { N = 19 };
    setup s;
    sz_segment segments[N] = {0};
    open_setup("llama", 2, NULL, true, &s);
    for (int i = 0; i < N; i++)
        segments[i] = (sz_segment){.data = (uint8_t *)texts[2] + i, .n = 40};
    round_trip(&s, segments, N);
    uint8_t back[40];
    segments[7].data = back;
    SZ_CHECK_OK(s.p.kind->decode(s.p.self, &segments[7], 1));
    assert_memory_equal(back, texts[2] + 7, 40);
    for (int i = 0; i < N; i++)
        sz_buf_free(&segments[i].code);
    close_setup(&s);
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

typedef struct account {
    double bits;
    size_t next; /* where the next token must begin */
} account;

static void add_cost(void *user, const sz_lm_cost *c) {
    account *a = user;
    assert_int_equal(c->at, a->next);
    assert_true(c->bits >= 0 && c->n > 0);
    a->next += c->n;
    a->bits += c->bits;
}

static void codes_are_as_long_as_they_cost(void **state) {
    for (int adaptive = 0; adaptive < 2; adaptive++) {
        setup s;
        sz_segment segments[N_ALL];
        make_segments(segments);
        open_setup("llama", 1, NULL, adaptive, &s);
        for (int i = 0; i < N_ALL; i++) {
            account a = {0};
            sz_predictor_lm_watch(&s.p, add_cost, &a);
            SZ_CHECK_OK(s.p.kind->encode(s.p.self, &segments[i], 1));
            assert_int_equal(a.next, segments[i].n);
            assert_true(fabs((double)segments[i].code.len * 8 - a.bits) <= 8.5);
        }
        free_codes(segments);
        close_setup(&s);
    }
}

static void repeats_are_recalled(void **state) {
    size_t size[2];
    for (int adaptive = 0; adaptive < 2; adaptive++) {
        setup s;
        sz_segment segments[N_ALL];
        make_segments(segments);
        open_setup("llama", 1, NULL, adaptive, &s);
        SZ_CHECK_OK(s.p.kind->encode(s.p.self, &segments[N_TEXTS + 1], 1));
        size[adaptive] = segments[N_TEXTS + 1].code.len;
        free_codes(segments);
        close_setup(&s);
    }
    assert_true(2 * size[1] < size[0]);
}

/* ---- Texts as items -------------------------------------------------------------------------- */

static void items_are_the_text(void **state) {
    setup s;
    sz_segment segments[N_ALL];
    make_segments(segments);
    open_setup("llama", 1, NULL, false, &s);
    const sz_tokenizer *t = sz_model_tokenizer(s.engine.model);
    for (int i = 0; i < N_ALL; i++) {
        sz_lm_text x;
        size_t at = 0, n;
        SZ_CHECK_OK(sz_lm_text_make(t, segments[i].data, segments[i].n, &x));
        for (size_t k = 0; k < x.n; k++) {
            assert_int_equal(x.at[k], at);
            if (x.items[k] != SZ_LM_ESCAPE) {
                const char *piece = sz_lm_piece(t, x.items[k], &n);
                assert_non_null(piece);
                assert_memory_equal(piece, segments[i].data + at, n);
            } else {
                n = 1;
            }
            at += n;
        }
        assert_int_equal(at, segments[i].n);
        sz_lm_text_free(&x);
    }
    close_setup(&s);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static void any_code_ends(void **state) {
    setup s;
    uint8_t code[100], out[300];
    open_setup("llama", 1, NULL, true, &s);
    for (uint64_t round = 0; round < 12; round++) {
        for (size_t i = 0; i < sizeof code; i++)
            code[i] = (uint8_t)(sz_uniform(9, round, i) * 256);
        sz_segment x = {.data = out, .n = sizeof out - round};
        x.code = (sz_buf){.data = (char *)code, .len = round * 8, .cap = sizeof code};
        sz_status status = s.p.kind->decode(s.p.self, &x, 1);
        assert_true(status == SZ_OK || status == SZ_E_FORMAT);
    }
    close_setup(&s);
}

static void headers_are_checked(void **state) {
    setup s;
    sz_lm_about about;
    sz_buf b = {0};
    open_setup("llama", 1, NULL, true, &s);
    s.p.kind->describe(s.p.self, &b);
    uint8_t *h = (uint8_t *)b.data;
    SZ_CHECK_OK(sz_lm_about_read(h, b.len, &about));
    assert_int_equal(about.context, 64);
    assert_int_equal(about.overlap, 8);
    assert_true(about.adaptive);
    assert_string_equal(about.name, "tiny");
    assert_memory_equal(about.digest, digest, 32);
    for (size_t n = 0; n < 67; n++)
        assert_int_equal(sz_lm_about_read(h, n, &about), SZ_E_FORMAT);
    for (size_t i = 0; i < 67; i++) { /* each byte but the name is bound by the identity */
        h[i] ^= 1;
        assert_true(sz_lm_about_read(h, b.len, &about) != SZ_OK);
        h[i] ^= 1;
    }
    assert_int_equal(sz_lm_about_make(s.engine.model, 63, true, digest, "", &about), SZ_E_ARG);
    sz_buf_free(&b);
    close_setup(&s);
}

/* ---- Recalling ------------------------------------------------------------------------------- */

static void the_longest_context_is_recalled(void **state) {
    static const int32_t tokens[] = {1, 2, 3, 4, 5, 9, 4, 6, 1, 2, 3, 4};
    sz_recall *r;
    SZ_CHECK_OK(sz_recall_new(100, &r));
    assert_int_equal(sz_recall_candidate(r), -1);
    for (size_t i = 0; i < 12; i++)
        sz_recall_append(r, tokens[i]);
    assert_int_equal(sz_recall_candidate(r), 5); /* not 6, which followed the last 4 */
    uint32_t p = sz_recall_probability(r, 1u << 30);
    SZ_CHECK_ABS((double)p / 65536, 0.25, 0.005); /* the model's, as long as nothing is learned */
    for (int i = 0; i < 100; i++) {
        sz_recall_probability(r, 1u << 30);
        sz_recall_learn(r, true);
    }
    assert_true(sz_recall_probability(r, 1u << 30) > 58000);
    for (int i = 0; i < 200; i++) {
        assert_in_range(sz_recall_probability(r, 1u << 30), 1, 65535);
        sz_recall_learn(r, false);
    }
    assert_true(sz_recall_probability(r, 1u << 30) < 4000);
    sz_recall_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_comes_back),
        cmocka_unit_test(threads_and_instructions_change_nothing),
        cmocka_unit_test(batches_change_nothing),
        cmocka_unit_test(codes_are_as_long_as_they_cost),
        cmocka_unit_test(repeats_are_recalled),
        cmocka_unit_test(items_are_the_text),
        cmocka_unit_test(any_code_ends),
        cmocka_unit_test(headers_are_checked),
        cmocka_unit_test(the_longest_context_is_recalled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
