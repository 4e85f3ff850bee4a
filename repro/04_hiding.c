/* 04_hiding.c: messages hidden in a random source of 50 symbols, and in texts of the default model:
 * what arrives, how much of the text's surprisal they use, and whether symbols keep their law. */
#include "repro.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "zip/hide.h"

enum { BINS = 16, BYTES = 256 };
static const double ln2 = 0.69314718055994530942;

/* Where symbols fall in their laws: bins of equal probability. */
typedef struct spread {
    uint64_t seed, n;
    double count[BINS], nats;
} spread;

static void put_symbol(spread *s, const uint64_t *cum, size_t symbol) {
    double part = (double)(cum[symbol + 1] - cum[symbol]) * 0x1p-32;
    double place = (double)cum[symbol] * 0x1p-32 + part * sz_uniform(s->seed, 44, s->n++);
    s->count[(size_t)(BINS * place)]++;
    s->nats -= sz_log(part);
}

static double chi2(const spread *s) {
    double sum = 0, expected = (double)s->n / BINS;
    for (size_t b = 0; b < BINS; b++)
        sum += (s->count[b] - expected) * (s->count[b] - expected) / expected;
    return sum;
}

static double p_value(const spread *s) {
    return sz_gamma_upper((BINS - 1) / 2.0, chi2(s) / 2);
}

static void random_bytes(uint64_t seed, uint64_t stream, uint8_t *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(256 * sz_uniform(seed, stream, i));
}

static uint8_t zero(void *user) {
    return 0;
}

/* ---- A source of 50 symbols, each with a law for the next ------------------------------------ */

enum { SYMBOLS = 50, MESSAGES = 10 };

typedef struct sealed {
    sz_buf bytes;
    size_t at;
    sz_seal_stream padding;
} sealed;

static uint8_t next_byte(void *user) {
    sealed *s = user;
    return s->at < s->bytes.len ? (uint8_t)s->bytes.data[s->at++]
                                : sz_seal_stream_next(&s->padding);
}

static void make_laws(uint64_t seed, uint64_t law[SYMBOLS][SYMBOLS + 1]) {
    for (size_t i = 0; i < SYMBOLS; i++) {
        double weight[SYMBOLS], sum = 0;
        for (size_t j = 0; j < SYMBOLS; j++) {
            double u = sz_uniform(seed, 45 + i, j);
            sum += weight[j] = sz_exp(8 * u * u);
        }
        law[i][0] = 0;
        for (size_t j = 0; j < SYMBOLS; j++)
            law[i][j + 1] = law[i][j] + 1 +
                            (uint64_t)(weight[j] / sum * (double)(SZ_STEGO_TOTAL - 2 * SYMBOLS));
        law[i][SYMBOLS] = SZ_STEGO_TOTAL;
    }
}

/* Symbols until n_bits are determined; the first n_bytes of them. */
static sz_status draw_symbols(uint64_t law[SYMBOLS][SYMBOLS + 1], sz_stego_next next, void *user,
                              uint8_t *bytes, size_t n_bytes, spread *s) {
    sz_stego_drawer d;
    sz_stego_tracker t = {0};
    size_t symbol = 0;
    sz_stego_begin(&d, next, user);
    while (sz_stego_bits(&t) < 8 * n_bytes) {
        const uint64_t *cum = law[symbol];
        symbol = sz_stego_draw(&d, cum, SYMBOLS);
        sz_status status = sz_stego_track(&t, cum, SYMBOLS, symbol);
        if (status != SZ_OK) {
            sz_stego_free(&t);
            return status;
        }
        put_symbol(s, cum, symbol);
    }
    sz_stego_bytes(&t, bytes, n_bytes);
    sz_stego_free(&t);
    return SZ_OK;
}

static sz_status one_source_message(const sz_repro_run *run, uint64_t number,
                                    uint64_t law[SYMBOLS][SYMBOLS + 1], spread *s, bool *arrived) {
    uint8_t message[BYTES], secret[32], nonce[SZ_SEAL_NONCE], read[BYTES + 64];
    sz_seal_keys keys;
    sealed from = {0};
    sz_buf back = {0};
    random_bytes(run->seed, 400 + number, message, sizeof message);
    random_bytes(run->seed, 500 + number, secret, sizeof secret);
    random_bytes(run->seed, 600 + number, nonce, sizeof nonce);
    SZ_TRY(sz_seal_keys_make(secret, sizeof secret, &keys));
    sz_status status = sz_seal(&keys, message, sizeof message, nonce, &from.bytes);
    if (status == SZ_OK) {
        sz_seal_stream_begin(&from.padding, keys.padding, nonce);
        status = draw_symbols(law, next_byte, &from, read, from.bytes.len, s);
    }
    if (status == SZ_OK)
        status = sz_unseal(&keys, read, sz_seal_length(&keys, read), &back);
    *arrived = status == SZ_OK && back.len == BYTES && memcmp(back.data, message, BYTES) == 0;
    sz_buf_free(&from.bytes);
    sz_buf_free(&back);
    return status;
}

static sz_status source_of_symbols(sz_repro_run *run) {
    static uint64_t law[SYMBOLS][SYMBOLS + 1];
    spread s = {.seed = run->seed}, without = {.seed = run->seed};
    size_t arrived = 0;
    uint8_t nothing[BYTES];
    const double sealed_bits = 8 * (BYTES + SZ_SEAL_HEAD + SZ_SEAL_TAG);
    make_laws(run->seed, law);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        bool whole;
        SZ_TRY(one_source_message(run, i, law, &s, &whole));
        arrived += whole;
    }
    SZ_TRY(draw_symbols(law, zero, NULL, nothing, sizeof nothing, &without));
    sz_repro_check(run, "", (double)arrived, "==", MESSAGES,
                   "source of 50 symbols: messages of 256 bytes that arrive");
    sz_repro_check(run, "0.998", MESSAGES * sealed_bits / (s.nats / ln2), ">=", 0.97,
                   "source: sealed bits over the symbols' surprisal");
    sz_repro_check(run, "", p_value(&s), ">=", 0.001, "source: chi-square of %d bins, p", BINS);
    sz_repro_check(run, "60000", chi2(&without), ">=", 1000,
                   "source: chi-square of zeros without the cipher");
    return SZ_OK;
}

/* ---- Texts of a model ------------------------------------------------------------------------ */

enum { KEYS = 20 };
typedef struct writer {
    sz_runtime *rt;
    sz_model *model;
    sz_session *session;
} writer;

/* A cover over the prompt, as both sides make it. */
static sz_status open_cover(writer *w, const sz_seal_keys *keys, sz_cover *out) {
    sz_cover_config config = {.sampler = "top-k 50, temperature 1", .as_tokens = true};
    memcpy(config.key, keys->choice, sizeof config.key);
    *out = (sz_cover){0};
    SZ_TRY(sz_session_drop(w->session, 0));
    SZ_TRY(sz_session_prompt(w->session, 0, "The sea was calm that morning, and"));
    return sz_cover_open(w->rt, w->session, w->model, &config, out);
}

static void watch(void *user, const sz_cover *c, size_t index) {
    put_symbol(user, c->token_cum, index);
}

static sz_status read_back(writer *w, const sz_seal_keys *keys, const sz_cover *sent,
                           sz_buf *back) {
    const sz_hide_limits limits = {0};
    const sz_hidden from = {.ids = sent->ids, .n_ids = sent->n_ids};
    sz_cover receiver;
    sz_status status = open_cover(w, keys, &receiver);
    if (status == SZ_OK)
        status = sz_reveal(&receiver, keys, &from, &limits, back);
    sz_cover_close(&receiver);
    return status;
}

static sz_status one_text(const sz_repro_run *run, writer *w, uint64_t number, spread *s,
                          bool *arrived) {
    uint8_t message[BYTES], secret[32];
    sz_seal_keys keys;
    sz_cover sender;
    sz_buf back = {0};
    size_t n_bits;
    const sz_hide_limits limits = {.watch = watch, .user = s};
    random_bytes(run->seed, 700 + number, message, sizeof message);
    random_bytes(run->seed, 800 + number, secret, sizeof secret);
    SZ_TRY(sz_seal_keys_make(secret, sizeof secret, &keys));
    sz_status status = open_cover(w, &keys, &sender);
    if (status == SZ_OK) /* the seed makes the nonce, so that a run can be repeated */
        status = sz_hide(&sender, &keys, message, sizeof message, secret, &limits, &n_bits);
    if (status == SZ_OK)
        status = read_back(w, &keys, &sender, &back);
    *arrived = status == SZ_OK && back.len == BYTES && memcmp(back.data, message, BYTES) == 0;
    sz_cover_close(&sender);
    sz_buf_free(&back);
    return status;
}

static sz_status without_cipher(writer *w, spread *s) {
    const sz_hide_limits limits = {.max_tokens = 500, .watch = watch, .user = s};
    const sz_seal_keys none = {0};
    sz_cover c;
    sz_status status = open_cover(w, &none, &c);
    if (status == SZ_OK)
        status = sz_hide_bits(&c, zero, NULL, SIZE_MAX / 2, &limits);
    sz_cover_close(&c);
    return status == SZ_E_LIMIT ? SZ_OK : status; /* as many tokens as were allowed */
}

static sz_status texts(sz_repro_run *run, writer *w) {
    spread s = {.seed = run->seed}, without = {.seed = run->seed};
    size_t arrived = 0;
    const double sealed_bits = 8 * (BYTES + SZ_SEAL_HEAD + SZ_SEAL_TAG);
    for (uint64_t i = 0; i < KEYS; i++) {
        bool whole;
        SZ_TRY(one_text(run, w, i, &s, &whole));
        arrived += whole;
    }
    SZ_TRY(without_cipher(w, &without));
    sz_repro_check(run, "20", (double)arrived, "==", KEYS,
                   "smollm2: messages of 256 bytes that arrive, of %d keys", KEYS);
    sz_repro_check(run, "", KEYS * sealed_bits / (s.nats / ln2), ">=", 0.97,
                   "smollm2: sealed bits over the tokens' surprisal, %zu tokens", (size_t)s.n);
    sz_repro_check(run, "", p_value(&s), ">=", 0.001, "smollm2: chi-square of %d bins, p", BINS);
    sz_repro_check(run, "", p_value(&without), "<=", 0.001,
                   "smollm2: the same for zeros without the cipher");
    return SZ_OK;
}

static sz_status with_model(sz_repro_run *run, const char *path) {
    writer w = {0};
    sz_session_config config = {.context = 2048, .n_sequences = 1};
    sz_status status = sz_runtime_new(NULL, &w.rt);
    if (status == SZ_OK)
        status = sz_model_open(w.rt, path, NULL, &w.model);
    if (status == SZ_OK)
        status = sz_session_new(w.model, &config, &w.session);
    if (status == SZ_OK)
        status = texts(run, &w);
    sz_session_free(w.session);
    sz_model_close(w.model);
    sz_runtime_free(w.rt);
    return status;
}

sz_status sz_repro_04_hiding(sz_repro_run *run) {
    SZ_TRY(source_of_symbols(run));
    if (run->smoke)
        return SZ_OK;
    char *path;
    SZ_TRY(run->find_model("smollm2", &path));
    sz_status status = with_model(run, path);
    free(path);
    return status;
}
