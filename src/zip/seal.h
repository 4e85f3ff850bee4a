/* seal.h: a message as bytes that look uniform to anybody without the key, and back.
 *
 * Sealed: a nonce of 12 bytes, the length in 3, the message, a tag of 16. ChaCha20 and Poly1305
 * (RFC 8439, libsodium); every use has a key of its own, made from the secret by BLAKE2b. */
#ifndef SZ_ZIP_SEAL_H
#define SZ_ZIP_SEAL_H

#include <szilard/unstable/base.h>

enum {
    SZ_SEAL_NONCE = 12,
    SZ_SEAL_HEAD = SZ_SEAL_NONCE + 3,
    SZ_SEAL_TAG = 16,
    SZ_SEAL_MOST = (1 << 24) - 1, /* bytes of a message */
    SZ_SEAL_LEAST_KEY = 16
};

typedef struct sz_seal_keys {
    uint8_t body[32], length[32], padding[32], choice[32];
} sz_seal_keys;
/* secret: any bytes, at least SZ_SEAL_LEAST_KEY of them. */
sz_status sz_seal_keys_make(const void *secret, size_t n, sz_seal_keys *out);

/* Appends the sealed message. nonce: NULL for a fresh one; one that is given must never be used
 * again with the key. */
sz_status sz_seal(const sz_seal_keys *keys, const void *message, size_t n, const uint8_t *nonce,
                  sz_buf *out);
/* Length of the message from the first SZ_SEAL_HEAD bytes: noise where the key is wrong. */
size_t sz_seal_length(const sz_seal_keys *keys, const uint8_t *sealed);
/* Appends the message in sealed [SZ_SEAL_HEAD + n + SZ_SEAL_TAG]. SZ_E_FORMAT: the tag does not
 * fit. */
sz_status sz_unseal(const sz_seal_keys *keys, const uint8_t *sealed, size_t n, sz_buf *out);

/* An endless string of uniform bytes after a nonce. */
typedef struct sz_seal_stream {
    uint8_t key[32], nonce[SZ_SEAL_NONCE], block[64];
    uint32_t n_blocks;
    size_t used; /* of the block */
} sz_seal_stream;
void sz_seal_stream_begin(sz_seal_stream *s, const uint8_t key[32], const uint8_t *nonce);
uint8_t sz_seal_stream_next(sz_seal_stream *s);

/* 16 uniform bytes from a key, what came before and a number; `state` is changed by them. */
void sz_seal_mix(const uint8_t key[32], uint8_t state[16], const void *bytes, size_t n);

#endif
