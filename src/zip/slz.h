/* slz.h: the container of compressed files, .slz. Whole numbers are LEB128, checks CRC-32C, lowest
 * byte first.
 *
 *     header   "SLZ1", u8 version, u8 engine (0: none, all is stored), number n, n bytes about the
 * engine, u32 check records  u8 1 (stored) or 2 (coded), number of bytes, number of bytes of code
 * where coded, the bytes or the code, u32 check of the original bytes where coded, u32 check of the
 *              record
 *     end      u8 0, number of bytes in all, u32 check of everything before
 *
 * Any flipped bit meets at least one check. Neither side needs to seek, and memory is bounded by
 * the engine's window and batch, whatever the file says. */
#ifndef SZ_ZIP_SLZ_H
#define SZ_ZIP_SLZ_H

#include "zip/predictor.h"

enum {
    SZ_SLZ_VERSION = 1,
    SZ_SLZ_MOST_ABOUT = 1024,       /* bytes about the engine */
    SZ_SLZ_MOST_SEGMENT = 16 << 20, /* bytes in a record */
};

/* Where bytes come from and go to. */
typedef struct sz_slz_io {
    void *user;
    /* Up to n bytes; fewer only at the end. */
    sz_status (*read)(void *user, void *bytes, size_t n, size_t *n_read);
    sz_status (*write)(void *user, const void *bytes, size_t n); /* NULL: nowhere */
} sz_slz_io;

typedef struct sz_slz_totals {
    uint64_t n_bytes;     /* of the original */
    uint64_t n_container; /* of the compressed file */
    uint64_t n_segments, n_stored;
    uint8_t engine;
} sz_slz_totals;

sz_status sz_slz_encode(const sz_predictor *p, const sz_slz_io *io, sz_slz_totals *out);

/* Makes the predictor that a file asks for; `about` is what its describe wrote. */
typedef sz_status (*sz_slz_open_fn)(void *user, uint8_t engine, const uint8_t *about,
                                    size_t n_about, sz_predictor *out);
/* SZ_E_FORMAT: not such a file, damaged, or followed by more bytes. What was written until then is
 * right as far as it goes. */
sz_status sz_slz_decode(sz_slz_open_fn open, void *open_user, const sz_slz_io *io,
                        sz_slz_totals *out);
/* Reads records and checks them, decodes nothing. `about` gets what is said about the engine. */
sz_status sz_slz_list(const sz_slz_io *io, sz_buf *about, sz_slz_totals *out);
/* The name of an engine's number; NULL if there is none. */
const char *sz_slz_engine_name(uint8_t engine);

/* Both sides in memory: `in` is read from `at` on, and what is written goes to `out`, sz_buf_free.
 */
typedef struct sz_slz_memory {
    const uint8_t *in;
    size_t n, at;
    sz_buf out;
} sz_slz_memory;
sz_slz_io sz_slz_in_memory(sz_slz_memory *m);
sz_status sz_slz_read_memory(void *user, void *bytes, size_t n, size_t *n_read);
sz_status sz_slz_write_memory(void *user, const void *bytes, size_t n);

#endif
