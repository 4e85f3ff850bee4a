/* npy.h: arrays in .npy files, version 1.0 of the format: a header, then the elements in row-major
 * order, little endian. */
#ifndef SZILARD_NPY_H
#define SZILARD_NPY_H

#include <szilard/unstable/base.h>

enum { SZ_NPY_MAX_DIM = 8 };

/* Writes the header of an array with shape dim [n_dim]; the elements follow by sz_writer_write.
 * type: "<f4", "<f8", "<i4", ... With its padding the header takes a multiple of 64 bytes.
 * SZ_E_ARG: more than SZ_NPY_MAX_DIM dimensions, or a type that is not three characters long. */
SZ_API sz_status sz_npy_header(sz_writer *w, const char *type, const uint64_t *dim, uint32_t n_dim);

#endif
