/* stego.h: uniform bits drawn as symbols of given laws, and read back from the symbols: a range
 * coder run backwards, with a range of 128 bits.
 *
 * Bits that are uniform give symbols whose law differs from the given one by at most 2^-88 each in
 * total variation: frequencies sum to 2^32, and the range is never below 2^120. The last symbol
 * owns what the division leaves, so that no bits are without a symbol. */
#ifndef SZ_ZIP_STEGO_H
#define SZ_ZIP_STEGO_H

#include <szilard/unstable/base.h>

#define SZ_STEGO_TOTAL (UINT64_C(1) << 32)
__extension__ typedef unsigned __int128 sz_wide;

/* Where the bits come from: the next byte, without end. */
typedef uint8_t (*sz_stego_next)(void *user);

typedef struct sz_stego_drawer {
    sz_wide code, range_less_one;
    sz_stego_next next;
    void *user;
} sz_stego_drawer;
void sz_stego_begin(sz_stego_drawer *d, sz_stego_next next, void *user);
/* The symbol of n for the next bits; symbol i owns cum[i] .. cum[i + 1] of 2^32 = cum[n], > 0. */
size_t sz_stego_draw(sz_stego_drawer *d, const uint64_t *cum, size_t n);

/* What the symbols tell of the bits. Zero-initialise; release with sz_stego_free. */
typedef struct sz_stego_tracker {
    sz_wide low, range_less_one; /* the bits lie within low .. low + range_less_one */
    sz_buf shifted;              /* bytes above low */
    bool begun;
} sz_stego_tracker;
sz_status sz_stego_track(sz_stego_tracker *t, const uint64_t *cum, size_t n, size_t symbol);
/* How many leading bits are determined, and these bits; n_bytes of them must be. */
size_t sz_stego_bits(const sz_stego_tracker *t);
void sz_stego_bytes(const sz_stego_tracker *t, uint8_t *bytes, size_t n_bytes);
void sz_stego_free(sz_stego_tracker *t);

#endif
