/* ktl.h: costs of operations, and programs that grow: shared by the code and the search. */
#ifndef SZ_CODE_KTL_H
#define SZ_CODE_KTL_H

#include <szilard/unstable/kt.h>

unsigned sz_ktl_log2_up(uint64_t p);    /* ceil(log2 p), 0 for p <= 1 */
unsigned sz_ktl_gamma(uint64_t k);      /* bits of Elias' code, k >= 1 */
unsigned sz_ktl_least(sz_kt_kind kind); /* bytes that an operation makes at least */
/* Bits of an operation of n bytes behind p bytes, without the bytes of LIT and the parts of ILV. */
unsigned sz_ktl_op_bits(sz_kt_kind kind, uint64_t n, uint64_t p);
unsigned sz_ktl_literal_bits(const sz_kt_program *p); /* of one byte of LIT */
sz_status sz_ktl_add_op(sz_kt_program *p, size_t *cap, sz_kt_op o);
sz_status sz_ktl_add_literals(sz_kt_program *p, size_t *cap, const uint8_t *bytes, size_t n);

#endif
