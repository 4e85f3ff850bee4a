/* npy.c: the header of .npy files. */
#include <string.h>

#include <szilard/unstable/npy.h>

sz_status sz_npy_header(sz_writer *w, const char *type, const uint64_t *dim, uint32_t n_dim) {
    SZ_REQUIRE(n_dim <= SZ_NPY_MAX_DIM && strlen(type) == 3, SZ_E_ARG,
               "no .npy header for %u dimensions of type '%s'", n_dim, type);
    sz_buf b = {0};
    sz_buf_append(&b, "\x93NUMPY\1\0\0\0", 10); /* magic, version, length of the text */
    sz_buf_printf(&b, "{'descr': '%s', 'fortran_order': False, 'shape': (", type);
    for (uint32_t i = 0; i < n_dim; i++)
        sz_buf_printf(&b, i ? " %llu," : "%llu,", (unsigned long long)dim[i]);
    if (n_dim > 1 && !b.failed)
        b.len--; /* only a tuple of one ends with a comma */
    sz_buf_puts(&b, "), }");
    while (b.len % 64 != 63 && !b.failed)
        sz_buf_putc(&b, ' ');
    sz_buf_putc(&b, '\n');
    sz_status status = b.failed ? sz_fail(SZ_E_NOMEM, "no memory for a .npy header") : SZ_OK;
    if (status == SZ_OK) {
        b.data[8] = (char)((b.len - 10) & 0xff);
        b.data[9] = (char)((b.len - 10) >> 8);
        status = sz_writer_write(w, b.data, b.len);
    }
    sz_buf_free(&b);
    return status;
}
