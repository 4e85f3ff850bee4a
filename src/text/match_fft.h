/* match_fft.h: what the correlations by transforms share. */
#ifndef SZ_TEXT_MATCH_FFT_H
#define SZ_TEXT_MATCH_FFT_H

#include "text/fft.h"
#include "text/match.h"

/* The codes whose places are correlated: those of the pattern that are heavy, or all. */
typedef struct sz_code_list {
    uint32_t *code;
    size_t n;
} sz_code_list;
sz_status sz_code_list_new(const sz_needle *p, const uint8_t *heavy, sz_code_list *out);

/* A tile cut into blocks of one transform each, which overlap by m - 1 symbols. */
typedef struct sz_match_blocks_of {
    size_t points, step, n; /* step: alignments of a block */
} sz_match_blocks_of;
sz_match_blocks_of sz_match_cut(size_t m, size_t n);

#endif
