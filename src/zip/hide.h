/* hide.h: messages within texts that a model writes, distributed exactly as its ordinary samples.
 *
 * A sealed message looks uniform (seal.h); its bits, with uniform padding behind, are drawn as the
 * text's tokens (stego.h, cover.h). Source: card 04, section 5. */
#ifndef SZ_ZIP_HIDE_H
#define SZ_ZIP_HIDE_H

#include "zip/cover.h"
#include "zip/seal.h"
#include "zip/stego.h"

typedef struct sz_hide_limits {
    size_t max_tokens; /* 0: as many as the context holds */
    bool sentence;     /* go on to the end of a sentence, within 128 tokens */
    void (*progress)(void *user, size_t n_bits, size_t n_bits_wanted); /* NULL: none */
    /* Sees each token, an index into the cover's law, before it is taken; NULL: nobody. */
    void (*watch)(void *user, const sz_cover *c, size_t index);
    void *user;
} sz_hide_limits;

/* The cover's text until the first n_bits of `next` can be read from it. SZ_E_LIMIT tells how many
 * were placed. */
sz_status sz_hide_bits(sz_cover *c, sz_stego_next next, void *user, size_t n_bits,
                       const sz_hide_limits *limits);
/* The same for a message. nonce: NULL for a fresh one. *n_bits: what was placed. */
sz_status sz_hide(sz_cover *c, const sz_seal_keys *keys, const void *message, size_t n,
                  const uint8_t *nonce, const sz_hide_limits *limits, size_t *n_bits);

/* What the receiver has: a text, or ids where the cover is as tokens. */
typedef struct sz_hidden {
    const char *text;
    size_t n_text;
    const int32_t *ids;
    size_t n_ids;
} sz_hidden;
/* Appends the message within a text that sz_hide made with the same model, prompt, samplers and
 * key. What follows the message in the text is not looked at. SZ_E_FORMAT tells what does not fit
 * and where. */
sz_status sz_reveal(sz_cover *c, const sz_seal_keys *keys, const sz_hidden *from,
                    const sz_hide_limits *limits, sz_buf *message);

/* The same by iterative coupling (Sokota et al. 2022, coupling.h) in place of the range coder: the
 * message is held in posteriors of bytes. It needs more tokens; given uniform bits the tokens' law
 * is the samplers' but for random numbers of 53 bits. */
sz_status sz_hide_iterative(sz_cover *c, const sz_seal_keys *keys, const void *message, size_t n,
                            const uint8_t *nonce, const sz_hide_limits *limits, size_t *n_bits);
sz_status sz_reveal_iterative(sz_cover *c, const sz_seal_keys *keys, const sz_hidden *from,
                              const sz_hide_limits *limits, sz_buf *message);

/* log2 of a bound on the total variation between the text's law and that of its samplers' integer
 * laws, given uniform bits. */
double sz_hide_distance_log2(size_t n_tokens);

#endif
