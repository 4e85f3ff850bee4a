/* zip_stats.h: where the bits of a compressed text go: by kilobyte, by token, as a page. */
#ifndef SZ_CLI_ZIP_STATS_H
#define SZ_CLI_ZIP_STATS_H

#include "zip/lm.h"
#include "zip/slz.h"

typedef struct sz_zip_token {
    uint64_t at; /* in the file */
    uint32_t n;
    float bits;
} sz_zip_token;

typedef struct sz_zip_stats {
    sz_zip_token *tokens; /* [n] */
    size_t n, cap;
    sz_buf text; /* the bytes of all tokens */
    size_t n_segments;
    double head_bits; /* of the first bytes of each segment, which have little context */
    size_t head_bytes;
    bool failed; /* out of memory: not all is told */
} sz_zip_stats;

void sz_zip_stats_add(void *stats, const sz_lm_cost *cost); /* an sz_lm_cost_fn */
/* Bits per byte of some sixty parts, the dearest tokens, sizes with and without the model. */
void sz_zip_stats_print(const sz_zip_stats *s, const sz_slz_totals *t, uint64_t model_bytes,
                        sz_buf *b);
/* A page of its own, without scripts: every token on a ground that tells its cost. */
sz_status sz_zip_stats_page(const sz_zip_stats *s, const char *title, const char *path);
void sz_zip_stats_free(sz_zip_stats *s);

#endif
