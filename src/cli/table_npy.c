/* table_npy.c: arrays of one or two dimensions in NumPy's .npy files, versions 1 to 3. */
#include "table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/tensor_type.h>

typedef struct npy {
    char kind; /* f, i, u, b */
    size_t size;
    bool big_endian, by_column;
    size_t n_dim, dim[2];
    const uint8_t *data;
    size_t bytes;
} npy;

/* The text after "'key':" in the header, blanks skipped; NULL if it is not there. */
static const char *value_of(const char *header, const char *key) {
    char quoted[24];
    snprintf(quoted, sizeof quoted, "'%s':", key);
    const char *at = strstr(header, quoted);
    for (at = at ? at + strlen(quoted) : NULL; at && *at == ' ';)
        at++;
    return at;
}

static sz_status read_type(const char *header, npy *a) {
    const char *descr = value_of(header, "descr"), *order = value_of(header, "fortran_order");
    SZ_REQUIRE(descr && order && (descr[0] == '\'' || descr[0] == '"'), SZ_E_FORMAT,
               "the header lacks descr or fortran_order, or is of records");
    const char *type = descr + 1;
    a->big_endian = *type == '>';
    if (strchr("<>|=", *type))
        type++;
    a->kind = *type;
    a->size = *type ? strtoul(type + 1, NULL, 10) : 0;
    a->by_column = strncmp(order, "True", 4) == 0;
    bool known =
        (a->kind == 'f' && (a->size == 2 || a->size == 4 || a->size == 8)) ||
        (strchr("iu", a->kind) && (a->size == 1 || a->size == 2 || a->size == 4 || a->size == 8)) ||
        (a->kind == 'b' && a->size == 1);
    SZ_REQUIRE(
        known && !a->big_endian, SZ_E_UNSUPPORTED,
        "elements of type '%.8s': f2 to f8, i1 to i8, u1 to u8 and b1 can be read, little endian",
        descr + 1);
    return SZ_OK;
}

static sz_status read_shape(const char *header, npy *a) {
    const char *shape = value_of(header, "shape");
    SZ_REQUIRE(shape && *shape == '(', SZ_E_FORMAT, "the header lacks shape");
    a->dim[0] = a->dim[1] = 1;
    for (const char *at = shape + 1; *at && *at != ')';) {
        char *end;
        size_t n = strtoul(at, &end, 10);
        SZ_REQUIRE(end != at && a->n_dim < 2, SZ_E_UNSUPPORTED,
                   "an array of more than two dimensions");
        a->dim[a->n_dim++] = n;
        at = end + strspn(end, ", ");
    }
    size_t cells, bytes;
    SZ_REQUIRE(!__builtin_mul_overflow(a->dim[0], a->dim[1], &cells) &&
                   !__builtin_mul_overflow(cells, a->size, &bytes) && bytes == a->bytes,
               SZ_E_FORMAT, "the data has %zu bytes, not %zu x %zu elements of %zu", a->bytes,
               a->dim[0], a->dim[1], a->size);
    return SZ_OK;
}

bool sz_table_is_npy(const void *data, size_t size) {
    return size >= 12 && memcmp(data, "\x93NUMPY", 6) == 0;
}

static sz_status parse(const uint8_t *data, size_t size, npy *a) {
    SZ_REQUIRE(sz_table_is_npy(data, size), SZ_E_FORMAT, "not a .npy file");
    size_t wide = data[6] >= 2 ? 4 : 2, n = data[8] | (size_t)data[9] << 8;
    if (wide == 4)
        n |= (size_t)data[10] << 16 | (size_t)data[11] << 24;
    SZ_REQUIRE(data[6] >= 1 && data[6] <= 3 && n <= size - 8 - wide && n < 1 << 16, SZ_E_FORMAT,
               "the header of the .npy file is broken");
    char *header = sz_strndup((const char *)data + 8 + wide, n);
    SZ_REQUIRE(header, SZ_E_NOMEM, "no memory for a header");
    a->data = data + 8 + wide + n;
    a->bytes = size - 8 - wide - n;
    sz_status status = read_type(header, a);
    if (status == SZ_OK)
        status = read_shape(header, a);
    sz_free(header);
    return status;
}

static double element(const npy *a, size_t i) {
    const uint8_t *p = a->data + i * a->size;
    uint64_t bits = 0;
    float f;
    double d;
    memcpy(&bits, p, a->size);
    memcpy(&f, p, a->size == 4 ? 4 : 1);
    memcpy(&d, p, a->size == 8 ? 8 : 1);
    if (a->kind == 'f')
        return a->size == 2 ? (double)sz_f16_to_f32((uint16_t)bits) : a->size == 4 ? (double)f : d;
    unsigned unused = (unsigned)(64 - 8 * a->size);
    return a->kind == 'i' ? (double)((int64_t)(bits << unused) >> unused) : (double)bits;
}

sz_status sz_table_from_npy(const void *data, size_t size, sz_table *out) {
    npy a = {0};
    SZ_TRY(parse(data, size, &a));
    SZ_TRY(sz_table_new(a.dim[0], a.dim[1], out));
    out->vector = a.n_dim == 1;
    out->single = a.kind == 'f' && a.size < 8;
    for (size_t i = 0; i < a.dim[0]; i++)
        for (size_t j = 0; j < a.dim[1]; j++)
            out->v[i * a.dim[1] + j] =
                element(&a, a.by_column ? j * a.dim[0] + i : i * a.dim[1] + j);
    return SZ_OK;
}
