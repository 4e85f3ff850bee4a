/* match.h: what the methods of matching share: the pattern prepared, and tiles of the text. */
#ifndef SZ_TEXT_MATCH_H
#define SZ_TEXT_MATCH_H

#include <string.h>
#include <szilard/unstable/text.h>

#include "num/kernels/kernels.h"

/* The pattern with its symbols as codes. Bytes are their own codes; 32-bit symbols are numbered as
 * they come, and every symbol that the pattern lacks has the code n_codes. Codes take `width`
 * bytes: 1, 2 or 4. Wildcards have no code and stand apart. */
typedef struct sz_needle {
    size_t m, n_solid, n_wild;
    unsigned width, raw_width;
    const void *raw;       /* [m] copied */
    uint32_t *offset;      /* [n_solid] places that are no wildcards, rising */
    void *code;            /* [n_solid] of `width` bytes */
    uint32_t *wild_offset; /* [n_wild] */
    uint32_t n_codes;
    uint32_t *symbol;  /* [n_codes] the symbol of a code */
    uint32_t greatest; /* of the symbols; 32-bit symbols only */
    uint32_t *first;   /* [n_codes + 1] where a code's places begin in place[] */
    uint32_t *place;   /* [n_solid] places by code, rising within a code */
    uint32_t *direct;  /* [n_direct] code of a small symbol: a vocabulary's are; NULL: hashed */
    size_t n_direct;
    uint32_t *slot; /* hash table of codes, + 1; [slot_mask + 1] */
    uint32_t slot_mask;
} sz_needle;

sz_status sz_needle_new(const sz_symbols *symbols, bool wild, uint32_t wildcard, sz_needle *out);
void sz_needle_free(sz_needle *p);
/* The code of a 32-bit symbol. */
uint32_t sz_needle_code(const sz_needle *p, uint32_t symbol);
/* The text's codes, [n] of p->width bytes; for 32-bit symbols only. */
void sz_needle_encode(const sz_needle *p, const uint32_t *text, size_t n, void *out);

static inline uint32_t sz_symbol_at(const void *text, unsigned width, size_t i) {
    return width == 1   ? ((const uint8_t *)text)[i]
           : width == 2 ? ((const uint16_t *)text)[i]
                        : ((const uint32_t *)text)[i];
}
static inline const void *sz_symbols_from(const void *text, unsigned width, size_t i) {
    return (const uint8_t *)text + i * width;
}

typedef struct sz_match_plan sz_match_plan; /* transforms of a pattern's size, made when needed */

typedef struct sz_match_setup {
    sz_match_options o;
    const sz_kernels *kernels;
    sz_needle p;
    size_t tile; /* alignments computed together */
    sz_match_plan *plan;
} sz_match_setup;

/* A part of the text as codes, n + m - 1 of them, for n alignments. */
typedef struct sz_match_tile {
    const void *text;
    size_t n;
} sz_match_tile;

sz_status sz_match_check_pattern(const sz_symbols *pattern);
sz_status sz_match_check_text(const sz_symbols *text, unsigned width);
bool sz_match_needs_bound(sz_match_method method);
/* Distances of n alignments, at most a tile; raw has n + m - 1 symbols. */
sz_status sz_match_run_tile(const sz_match_setup *s, const void *raw, size_t n, uint32_t *out,
                            sz_match_report *r);

/* Patterns up to this length are scanned without a look at costs. */
enum { SZ_MATCH_SHORT = 32 };

/* Each fills equal[n] with the number of equal symbols at each alignment. */
void sz_match_scan(const sz_match_setup *s, const sz_match_tile *t, uint32_t *equal);
/* heavy: [n_codes] flags, symbols left out; NULL: none. Returns the votes. */
uint64_t sz_match_scatter(const sz_match_setup *s, const sz_match_tile *t, const uint8_t *heavy,
                          uint32_t *equal);
/* Adds the equal symbols of the heavy codes (NULL: of all) to equal[n]. */
sz_status sz_match_fft(const sz_match_setup *s, const sz_match_tile *t, const uint8_t *heavy,
                       uint32_t *equal, sz_match_report *r);
sz_status sz_match_ntt(const sz_match_setup *s, const sz_match_tile *t, const uint8_t *heavy,
                       uint32_t *equal);

/* From equal symbols to distances, in place: wildcards, then the bound. */
void sz_match_subtract(const sz_match_setup *s, const void *raw, size_t n, uint32_t *out);
/* Scans go by parts, so that counts become distances within the first cache; how many alignments
 * come next of n. Wildcards of the text are counted in one go. */
enum { SZ_MATCH_PART = 2048 };
size_t sz_match_part(const sz_match_setup *s, size_t n);
/* Distances by comparing 32-bit symbols that have no codes. */
sz_status sz_match_scan_raw(const sz_match_setup *s, const uint32_t *raw, size_t n, uint32_t *out);
/* Whether that compares halves: the pattern's symbols are below 65535, the text's are cut there. */
bool sz_match_scans_halves(const sz_match_setup *s);

/* Each fills out[n] with min(D, k + 1). */
sz_status sz_match_bits(const sz_match_setup *s, const sz_match_tile *t, uint32_t *out);
/* SZ_END: too many candidates; out is not filled. forced: goes on nevertheless. */
sz_status sz_match_blocks(const sz_match_setup *s, const sz_match_tile *t, bool forced,
                          uint32_t *out);
sz_status sz_match_jumps(const sz_match_setup *s, const sz_match_tile *t, uint32_t *out);
sz_status sz_match_sample(const sz_match_setup *s, const sz_match_tile *t, uint32_t *out);
bool sz_match_bits_fit(size_t m, uint64_t k);
/* Mismatches of one alignment, stopping beyond `most`: min(D, most + 1). */
uint64_t sz_match_verify(const sz_needle *p, const void *text, size_t at, uint64_t most);

/* Points of a transform for this pattern, and how many blocks of a tile share the pattern's. */
size_t sz_match_fft_points(size_t m);
size_t sz_match_fft_blocks(size_t points);
sz_status sz_match_plan_new(size_t points, sz_match_plan **out);
void sz_match_plan_free(sz_match_plan *p);
enum { SZ_NTT_MOST_POINTS = 1 << 23, SZ_FFT_MOST_POINTS = 1 << 24 };

/* The cheapest way for a tile; heavy [n_codes] is filled where that is SPLIT. */
sz_status sz_match_choose(const sz_match_setup *s, const sz_match_costs *c, const sz_match_tile *t,
                          uint8_t *heavy, sz_match_method *out);
/* Marks what is cheaper by transforms. occ: occurrences of each code in the tile. Returns the cost
 * of scatter for the rest and transforms for the heavy ones. */
double sz_match_divide(const sz_match_setup *s, const sz_match_costs *c, size_t n,
                       const uint64_t *occ, uint8_t *heavy);
/* Occurrences of each code, occ [n_codes]. */
void sz_match_occurrences(const sz_needle *p, const void *text, size_t n, uint64_t *occ);

#endif
