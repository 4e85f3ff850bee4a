/* cache_trace.h: traces of requests for pages, from files. */
#ifndef SZ_CLI_CACHE_TRACE_H
#define SZ_CLI_CACHE_TRACE_H

#include <szilard/unstable/evict.h>

typedef struct sz_cache_trace {
    uint32_t *page; /* [n] numbers in the order of the ids */
    uint8_t *bit;   /* [n]; NULL: the file has none */
    size_t n;
    uint32_t n_pages;
} sz_cache_trace;

/* A line for each request: an id, which may be any word, and a bit, 0 or 1, behind blanks or a
 * comma; a first line that begins with "page" or "id" names the columns page, bit and size. A file
 * whose name ends with .u64 or .bin holds ids as 64-bit numbers, little end first. "-": standard
 * input. Errors name the file and the line. Pages of different sizes are refused. */
sz_status sz_cache_trace_read(const char *path, sz_cache_trace *out);
void sz_cache_trace_free(sz_cache_trace *t);
/* Bits alone, one a line, for n requests. */
sz_status sz_cache_bits_read(const char *path, size_t n, uint8_t **out);

#endif
