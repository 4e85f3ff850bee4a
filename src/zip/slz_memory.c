/* slz_memory.c: compressed files in memory. */
#include <string.h>

#include "zip/slz.h"

sz_status sz_slz_read_memory(void *user, void *bytes, size_t n, size_t *n_read) {
    sz_slz_memory *m = user;
    *n_read = n < m->n - m->at ? n : m->n - m->at;
    if (*n_read)
        memcpy(bytes, m->in + m->at, *n_read);
    m->at += *n_read;
    return SZ_OK;
}

sz_status sz_slz_write_memory(void *user, const void *bytes, size_t n) {
    sz_slz_memory *m = user;
    sz_buf_append(&m->out, bytes, n);
    return m->out.failed ? sz_fail(SZ_E_NOMEM, "no memory for %zu bytes", n) : SZ_OK;
}

sz_slz_io sz_slz_in_memory(sz_slz_memory *m) {
    return (sz_slz_io){m, sz_slz_read_memory, sz_slz_write_memory};
}
