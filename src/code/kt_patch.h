/* kt_patch.h: a script and what it gets wrong. Its output, modulo 256, is cut or continued to the
 * wanted length, and wrong stretches are given as they are: every script codes every string. */
#ifndef SZ_CODE_KT_PATCH_H
#define SZ_CODE_KT_PATCH_H

#include "code/kt_lines.h"

/* Bits of the patch that turns `made` into x [n]. */
double sz_kt_patch_bits(const sz_kt_list *made, const uint8_t *x, size_t n);
/* The whole code of x [n]: the lines, then the patch. Appends. */
sz_status sz_kt_patched_encode(const sz_kt_lines *l, const uint8_t *x, size_t n, sz_buf *code);
/* Appends the string to out; lines tell the script. Any bytes are a string of at most `most` or an
 * error. */
sz_status sz_kt_patched_decode(const uint8_t *code, size_t n_code, size_t most, sz_kt_lines *lines,
                               sz_buf *out);

#endif
