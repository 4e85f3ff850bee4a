/* seal.c: encryption with an authenticated tag, by libsodium. */
#include "zip/seal.h"

#include <sodium.h>
#include <string.h>

static void derive(const void *secret, size_t n, const char *use, uint8_t key[32]) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 32);
    crypto_generichash_update(&state, (const uint8_t *)use, strlen(use) + 1);
    crypto_generichash_update(&state, secret, n);
    crypto_generichash_final(&state, key, 32);
}

sz_status sz_seal_keys_make(const void *secret, size_t n, sz_seal_keys *out) {
    SZ_REQUIRE(n >= SZ_SEAL_LEAST_KEY, SZ_E_ARG, "the key has %zu bytes; %d is the least", n,
               SZ_SEAL_LEAST_KEY);
    SZ_REQUIRE(sodium_init() >= 0, SZ_E_IO, "libsodium finds no source of random numbers");
    derive(secret, n, "szilard hide 1 body", out->body);
    derive(secret, n, "szilard hide 1 length", out->length);
    derive(secret, n, "szilard hide 1 padding", out->padding);
    derive(secret, n, "szilard hide 1 choice", out->choice);
    return SZ_OK;
}

static void turn_length(const sz_seal_keys *keys, const uint8_t *nonce, const uint8_t *in,
                        uint8_t *out) {
    crypto_stream_chacha20_ietf_xor(out, in, SZ_SEAL_HEAD - SZ_SEAL_NONCE, nonce, keys->length);
}

sz_status sz_seal(const sz_seal_keys *keys, const void *message, size_t n, const uint8_t *nonce,
                  sz_buf *out) {
    SZ_REQUIRE(n <= SZ_SEAL_MOST, SZ_E_LIMIT, "the message has %zu bytes; %d is the most", n,
               SZ_SEAL_MOST);
    uint8_t head[SZ_SEAL_HEAD];
    uint8_t *body = sz_alloc(n + SZ_SEAL_TAG);
    SZ_REQUIRE(body, SZ_E_NOMEM, "no memory for a message of %zu bytes", n);
    if (nonce)
        memcpy(head, nonce, SZ_SEAL_NONCE);
    else
        randombytes_buf(head, SZ_SEAL_NONCE);
    const uint8_t length[] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16)};
    turn_length(keys, head, length, head + SZ_SEAL_NONCE);
    crypto_aead_chacha20poly1305_ietf_encrypt(body, NULL, message, n, NULL, 0, NULL, head,
                                              keys->body);
    sz_buf_append(out, head, sizeof head);
    sz_buf_append(out, body, n + SZ_SEAL_TAG);
    sz_free(body);
    SZ_REQUIRE(!out->failed, SZ_E_NOMEM, "no memory for a message of %zu bytes", n);
    return SZ_OK;
}

size_t sz_seal_length(const sz_seal_keys *keys, const uint8_t *sealed) {
    uint8_t n[SZ_SEAL_HEAD - SZ_SEAL_NONCE];
    turn_length(keys, sealed, sealed + SZ_SEAL_NONCE, n);
    return n[0] | (size_t)n[1] << 8 | (size_t)n[2] << 16;
}

sz_status sz_unseal(const sz_seal_keys *keys, const uint8_t *sealed, size_t n, sz_buf *out) {
    uint8_t *message = sz_alloc(n + 1);
    SZ_REQUIRE(message, SZ_E_NOMEM, "no memory for a message of %zu bytes", n);
    int wrong = crypto_aead_chacha20poly1305_ietf_decrypt(
        message, NULL, NULL, sealed + SZ_SEAL_HEAD, n + SZ_SEAL_TAG, NULL, 0, sealed, keys->body);
    if (!wrong)
        sz_buf_append(out, message, n);
    sz_free(message);
    SZ_REQUIRE(!wrong, SZ_E_FORMAT, "the seal does not fit");
    SZ_REQUIRE(!out->failed, SZ_E_NOMEM, "no memory for a message of %zu bytes", n);
    return SZ_OK;
}

void sz_seal_stream_begin(sz_seal_stream *s, const uint8_t key[32], const uint8_t *nonce) {
    *s = (sz_seal_stream){.used = sizeof s->block};
    memcpy(s->key, key, sizeof s->key);
    memcpy(s->nonce, nonce, sizeof s->nonce);
}

uint8_t sz_seal_stream_next(sz_seal_stream *s) {
    if (s->used == sizeof s->block) {
        memset(s->block, 0, sizeof s->block);
        crypto_stream_chacha20_ietf_xor_ic(s->block, s->block, sizeof s->block, s->nonce,
                                           s->n_blocks++, s->key);
        s->used = 0;
    }
    return s->block[s->used++];
}

void sz_seal_mix(const uint8_t key[32], uint8_t state[16], const void *bytes, size_t n) {
    crypto_generichash_state hash;
    crypto_generichash_init(&hash, key, 32, 16);
    crypto_generichash_update(&hash, state, 16);
    crypto_generichash_update(&hash, bytes, n);
    crypto_generichash_final(&hash, state, 16);
}
