/* writing.h: what the engines of hide share on both sides: writing a cover token by token within
 * its limits, and reading one. */
#ifndef SZ_ZIP_WRITING_H
#define SZ_ZIP_WRITING_H

#include "zip/hide.h"

typedef struct sz_hide_writer {
    sz_cover *c;
    const sz_hide_limits *limits;
    size_t n_wanted, n_placed; /* bits */
    size_t stalled, extra;     /* tokens that held nothing in a row; after the last bit */
} sz_hide_writer;

/* Whether another token must be written; all bits being placed, the end of the limits is no error
 * but the end. */
bool sz_hide_goes_on(sz_hide_writer *w);
/* The law of the next token. SZ_E_LIMIT: no room, or nothing can be hidden. */
sz_status sz_hide_law(sz_hide_writer *w);
/* Writes a token of the pool; n_placed: bits that can then be read. */
sz_status sz_hide_put(sz_hide_writer *w, size_t pool, size_t n_placed);

typedef struct sz_hide_reader {
    sz_cover *c;
    const sz_hidden *from;
    size_t at;                /* bytes or ids that were read */
    size_t n_known, n_wanted; /* bits */
} sz_hide_reader;

/* Bytes or ids that are left. */
size_t sz_hide_rest(const sz_hide_reader *r);
/* Takes the next token; *pool: what chose it, in the law that c held when it was drawn. */
sz_status sz_hide_read(sz_hide_reader *r, size_t *pool, size_t *index);
/* The message in the sealed bytes, or what to say of them. */
sz_status sz_hide_unseal(const sz_hide_reader *r, const sz_seal_keys *keys, const uint8_t *sealed,
                         size_t n, sz_buf *message);
/* SZ_E_FORMAT if the rest of the text could never hold a message of n bytes. */
sz_status sz_hide_check_length(const sz_hide_reader *r, size_t n);

#endif
