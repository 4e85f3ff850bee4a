/* test_hide.c: texts that carry messages: there and back over lengths, threads and instruction
 * sets; their law; what a wrong key, prompt, model or a changed text is told as. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/engine.h"
#include "zip/hide.h"

static const char key[] = "a key that nobody should use";
static const tiny_model config = {.n_ctx = 8192};

typedef struct side {
    engine e;
    sz_session *session;
    sz_cover cover;
    sz_seal_keys keys;
} side;

typedef struct setup {
    const char *prompt, *sampler, *secret, *isa;
    int threads;
    bool as_tokens, iterative;
    uint64_t model_seed;
} setup;
static const setup plain = {"Once upon", "temperature 1", key, NULL, 1, false, false, 0};

static void open_side(const setup *s, side *out) {
    tiny_model m = config;
    *out = (side){0};
    m.seed = s->model_seed;
    sz_cover_config c = {.sampler = s->sampler, .as_tokens = s->as_tokens};
    SZ_CHECK_OK(engine_open_tiny(&m, s->threads, s->isa, &out->e));
    sz_session_config session = {.context = 8192, .n_sequences = 1};
    SZ_CHECK_OK(sz_session_new(out->e.model, &session, &out->session));
    SZ_CHECK_OK(sz_session_prompt(out->session, 0, s->prompt));
    SZ_CHECK_OK(sz_seal_keys_make(s->secret, strlen(s->secret), &out->keys));
    memcpy(c.key, out->keys.choice, sizeof c.key);
    SZ_CHECK_OK(sz_cover_open(out->e.rt, out->session, out->e.model, &c, &out->cover));
}

static void close_side(side *s) {
    sz_cover_close(&s->cover);
    sz_session_free(s->session);
    engine_close(&s->e);
}

static void hide(const setup *s, const void *message, size_t n, side *out) {
    const sz_hide_limits limits = {0};
    size_t n_bits;
    open_side(s, out);
    SZ_CHECK_OK((s->iterative ? sz_hide_iterative : sz_hide)(&out->cover, &out->keys, message, n,
                                                             NULL, &limits, &n_bits));
    assert_int_equal(n_bits, 8 * (n + SZ_SEAL_HEAD + SZ_SEAL_TAG));
}

static sz_status reveal(const setup *s, const sz_hidden *from, sz_buf *message) {
    const sz_hide_limits limits = {0};
    side receiver;
    open_side(s, &receiver);
    sz_status status = (s->iterative ? sz_reveal_iterative : sz_reveal)(
        &receiver.cover, &receiver.keys, from, &limits, message);
    close_side(&receiver);
    return status;
}

static sz_hidden sent(const side *s) {
    return (sz_hidden){s->cover.text.data, s->cover.text.len, s->cover.ids, s->cover.n_ids};
}

static void there_and_back(const setup *from, const setup *to, size_t n) {
    uint8_t message[512];
    sz_buf got = {0};
    side s;
    for (size_t i = 0; i < n; i++)
        message[i] = (uint8_t)(256 * sz_uniform(3, n, i));
    hide(from, message, n, &s);
    const sz_hidden text = sent(&s);
    SZ_CHECK_OK(reveal(to, &text, &got));
    assert_int_equal(got.len, n);
    if (n > 0)
        assert_memory_equal(got.data, message, n);
    sz_buf_free(&got);
    close_side(&s);
}

static void lengths_and_ways(void **state) {
    static const size_t lengths[] = {0, 1, 2, 7, 64};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (int way = 0; way < 4; way++) {
            setup s = plain;
            s.as_tokens = way % 2;
            s.iterative = way / 2;
            there_and_back(&s, &s, lengths[i]);
        }
    setup s = plain;
    s.as_tokens = true;
    there_and_back(&s, &s, 300);
}

static void samplers(void **state) {
    static const char *const chains[] = {"top-k 50", "min-p 0.02, temperature 1.5",
                                         "mirostat, temperature 1", "top-h 0.6",
                                         "penalties, top-k 20"};
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++)
        for (int as_tokens = 0; as_tokens < 2; as_tokens++) {
            setup s = plain;
            s.sampler = chains[i];
            s.as_tokens = as_tokens;
            there_and_back(&s, &s, 10);
        }
}

static void other_threads_and_instruction_sets(void **state) {
    for (int threads = 1; threads <= 3; threads++)
        for (const char *const *isa = sz_isa_available(); *isa; isa++) {
            setup from = plain, to = plain;
            from.threads = 4 - threads;
            to.threads = threads;
            to.isa = *isa;
            to.iterative = from.iterative = threads == 2;
            there_and_back(&from, &to, 20);
        }
}

/* The text of a message is unlike that of the same message sealed anew. */
static void texts_are_fresh(void **state) {
    side a, b;
    hide(&plain, "twice", 5, &a);
    hide(&plain, "twice", 5, &b);
    assert_true(a.cover.text.len != b.cover.text.len ||
                memcmp(a.cover.text.data, b.cover.text.data, a.cover.text.len) != 0);
    close_side(&a);
    close_side(&b);
}

#define REFUSED(setup_, text_, part)                                                               \
    do {                                                                                           \
        sz_buf out_ = {0};                                                                         \
        assert_int_equal(reveal(setup_, text_, &out_), SZ_E_FORMAT);                               \
        assert_int_equal(out_.len, 0);                                                             \
        if (!strstr(sz_last_error(), part))                                                        \
            fail_msg("'%s' does not tell of %s", sz_last_error(), part);                           \
    } while (0)

static void what_does_not_fit_is_told(void **state) {
    for (int way = 0; way < 4; way++) {
        side s;
        bool as_tokens = way % 2;
        setup right = plain, wrong;
        right.as_tokens = as_tokens;
        right.iterative = way / 2;
        hide(&right, "a message", 9, &s);
        sz_hidden text = sent(&s);
        wrong = right;
        wrong.secret = "a key that nobody would use";
        REFUSED(&wrong, &text, "key");
        wrong = right;
        wrong.prompt = "Once more";
        REFUSED(&wrong, &text, "differ");
        wrong = right;
        wrong.sampler = "temperature 0.7";
        REFUSED(&wrong, &text, "differ");
        wrong = right;
        wrong.model_seed = 9;
        REFUSED(&wrong, &text, "differ");
        text.n_text /= 2;
        text.n_ids /= 2;
        REFUSED(&right, &text, "changed"); /* what is left of a token may read as another one */
        text = sent(&s);
        if (as_tokens)
            s.cover.ids[s.cover.n_ids / 2] ^= 1;
        else
            s.cover.text.data[s.cover.text.len / 2] ^= 1;
        REFUSED(&right, &text, "changed");
        close_side(&s);
    }
    setup right = plain;
    sz_hidden foreign = {.text = "A text that nobody hid anything in.", .n_text = 35}, empty = {0};
    REFUSED(&right, &foreign, "differ");
    REFUSED(&right, &empty, "text ends");
}

static void what_follows_the_message_does_not_matter(void **state) {
    side s;
    sz_buf longer = {0}, got = {0};
    hide(&plain, "short", 5, &s);
    sz_buf_append(&longer, s.cover.text.data, s.cover.text.len);
    sz_buf_puts(&longer, "\r\n-- \r\nA signature");
    const sz_hidden text = {.text = longer.data, .n_text = longer.len};
    SZ_CHECK_OK(reveal(&plain, &text, &got));
    assert_memory_equal(got.data, "short", 5);
    sz_buf_free(&longer);
    sz_buf_free(&got);
    close_side(&s);
}

/* Whatever is done to a text, it ends in an error or in the message itself. */
static void mangled_texts(void **state) {
    for (int as_tokens = 0; as_tokens < 2; as_tokens++) {
        side s;
        setup right = plain;
        right.as_tokens = as_tokens;
        hide(&right, "m", 1, &s);
        for (uint64_t round = 0; round < 40; round++) {
            sz_hidden text = sent(&s);
            size_t n = as_tokens ? text.n_ids : text.n_text;
            size_t at = (size_t)(sz_uniform(8, round, 0) * (double)n);
            double other = sz_uniform(8, round, 1);
            int32_t *id = &s.cover.ids[as_tokens ? at : 0], old_id = *id;
            char *byte = &s.cover.text.data[as_tokens ? 0 : at], old_byte = *byte;
            *id = as_tokens ? (int32_t)(other * 293) : old_id;
            *byte = as_tokens ? old_byte : (char)(uint8_t)(256 * other);
            sz_buf got = {0};
            sz_status status = reveal(&right, &text, &got);
            assert_true(status == SZ_E_FORMAT || (status == SZ_OK && got.data[0] == 'm'));
            sz_buf_free(&got);
            *id = old_id;
            *byte = old_byte;
        }
        close_side(&s);
    }
}

static void limits_are_kept(void **state) {
    side s;
    size_t n_bits;
    open_side(&plain, &s);
    const sz_hide_limits few = {.max_tokens = 12};
    assert_int_equal(sz_hide(&s.cover, &s.keys, "message", 7, NULL, &few, &n_bits), SZ_E_LIMIT);
    assert_non_null(strstr(sz_last_error(), "12 tokens hold"));
    close_side(&s);
    setup greedy = plain; /* holds nothing, and says so */
    greedy.sampler = "greedy";
    open_side(&greedy, &s);
    const sz_hide_limits none = {0};
    assert_int_equal(sz_hide(&s.cover, &s.keys, "message", 7, NULL, &none, &n_bits), SZ_E_LIMIT);
    assert_non_null(strstr(sz_last_error(), "almost nothing"));
    close_side(&s);
}

/* ---- The law --------------------------------------------------------------------------------- */

typedef struct stream {
    uint64_t seed, at;
    bool zeros;
} stream;
static uint8_t next_byte(void *user) {
    stream *s = user;
    return s->zeros ? 0 : (uint8_t)(256 * sz_uniform(s->seed, 77, s->at++));
}

/* Chi-square statistic of 16 bins of where tokens fall in their law, each at a random place of its
 * own part: uniform if the tokens follow the law. */
static double spread(bool as_tokens, bool zeros, size_t n_tokens) {
    setup s = plain;
    side sender;
    stream bits = {.seed = 21, .zeros = zeros};
    sz_stego_drawer drawer;
    double count[16] = {0}, chi2 = 0;
    s.as_tokens = as_tokens;
    open_side(&s, &sender);
    sz_cover *c = &sender.cover;
    sz_stego_begin(&drawer, next_byte, &bits);
    for (size_t i = 0; i < n_tokens; i++) {
        SZ_CHECK_OK(sz_cover_law(c));
        size_t pool = sz_stego_draw(&drawer, c->pool_cum, c->n_pools);
        size_t token = sz_cover_choose(c, pool);
        double part = (double)(c->token_cum[token + 1] - c->token_cum[token]);
        double place = (double)c->token_cum[token] + part * sz_uniform(22, as_tokens, i);
        count[(size_t)(16 * (place * 0x1p-32))]++;
        SZ_CHECK_OK(sz_cover_take(c, token));
    }
    for (size_t b = 0; b < 16; b++) {
        double expected = (double)n_tokens / 16, off = count[b] - expected;
        chi2 += off * off / expected;
    }
    close_side(&sender);
    return chi2;
}

static void tokens_follow_their_law(void **state) {
    for (int as_tokens = 0; as_tokens < 2; as_tokens++)
        assert_true(sz_gamma_upper(7.5, spread(as_tokens, false, 3000) / 2) >= 0.001);
    assert_true(sz_gamma_upper(7.5, spread(true, true, 500) / 2) < 1e-6);
}

/* Pools and the draws within give every token its own probability: over many keys, the first
 * token of a text against the law of the samplers, as a chi-square over all tokens. */
static void first_tokens_follow_the_sampler(void **state) {
    enum { TEXTS = 20000 };
    side s;
    open_side(&plain, &s);
    sz_cover *c = &s.cover;
    SZ_CHECK_OK(sz_cover_law(c));
    assert_true(c->n_pools < c->n); /* there is something to pool */
    double *count = calloc(c->n, sizeof *count), chi2 = 0, rest = 0, rest_expected = 0;
    size_t degrees = 0;
    for (size_t i = 0; i < TEXTS; i++) {
        stream bits = {.seed = 1000 + i};
        sz_stego_drawer drawer;
        sz_stego_begin(&drawer, next_byte, &bits);
        for (size_t k = 0; k < 32; k++)
            c->config.key[k] = (uint8_t)(256 * sz_uniform(500, i, k));
        count[sz_cover_choose(c, sz_stego_draw(&drawer, c->pool_cum, c->n_pools))]++;
    }
    for (size_t t = 0; t < c->n; t++) {
        double expected = TEXTS * (double)(c->token_cum[t + 1] - c->token_cum[t]) * 0x1p-32;
        if (expected < 8) {
            rest += count[t];
            rest_expected += expected;
            continue;
        }
        chi2 += (count[t] - expected) * (count[t] - expected) / expected;
        degrees++;
    }
    if (rest_expected > 0)
        chi2 += (rest - rest_expected) * (rest - rest_expected) / rest_expected;
    degrees -= rest_expected == 0;
    assert_true(degrees > 20 && sz_gamma_upper((double)degrees / 2, chi2 / 2) >= 0.001);
    free(count);
    close_side(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_and_ways),
        cmocka_unit_test(samplers),
        cmocka_unit_test(other_threads_and_instruction_sets),
        cmocka_unit_test(texts_are_fresh),
        cmocka_unit_test(what_does_not_fit_is_told),
        cmocka_unit_test(what_follows_the_message_does_not_matter),
        cmocka_unit_test(mangled_texts),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(tokens_follow_their_law),
        cmocka_unit_test(first_tokens_follow_the_sampler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
