/* segments.h: segments coded side by side, and the first failure brought to the caller. */
#ifndef SZ_ZIP_SEGMENTS_H
#define SZ_ZIP_SEGMENTS_H

#include "zip/predictor.h"

/* Codes segment number i on a thread of the pool. */
typedef sz_status (*sz_segment_fn)(void *context, sz_segment *s, size_t i, int thread);
sz_status sz_segments_run(sz_pool *pool, sz_segment_fn fn, void *context, sz_segment *segments,
                          size_t n);

#endif
