/* evict.h: what the policies of eviction share. */
#ifndef SZ_CACHE_EVICT_H
#define SZ_CACHE_EVICT_H

#include "page_list.h"

extern const sz_evict_kind sz_evict_lru, sz_evict_fifo, sz_evict_clock, sz_evict_lfu,
    sz_evict_random, sz_evict_marker, sz_evict_flush0, sz_evict_mark0, sz_evict_markpredict,
    sz_evict_combine;

/* An array for n_pages pages; SZ_E_NOMEM. */
sz_status sz_evict_array(uint32_t n_pages, size_t size, void *out);

#endif
