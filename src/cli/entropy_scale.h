/* entropy_scale.h: the colours that stand for the entropy of a token. */
#ifndef SZ_CLI_ENTROPY_SCALE_H
#define SZ_CLI_ENTROPY_SCALE_H

#include "term.h"
#include <szilard/unstable/info.h>

/* Escape sequence that colours text by `nats`, for a terminal of `depth` colours; "" if it has
 * none. dim: weaker, for thoughts. */
const char *sz_entropy_colour(double nats, sz_depth depth, bool dim, char out[32]);
/* One line that tells which colour stands for how much. */
void sz_entropy_legend(sz_buf *b, sz_depth depth, sz_unit unit);
/* A row of at most `width` bars, each the mean of its share of the n values. */
void sz_entropy_bars(sz_buf *b, const float *nats, size_t n, size_t width);

#endif
