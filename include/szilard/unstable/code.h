/* code.h: one range coder for everything that turns predictions into bytes, and the integer
 * frequencies that it works with.
 *
 * Frequencies of an alphabet are positive integers that sum to 2^32. They are made by integer rules
 * from logits or probabilities, so that two machines with the same bits of logits have the same
 * frequencies, and both ends of a stream agree. A stream of symbols costs sum of -log2(f / 2^32)
 * bits, rounded up to whole bytes, plus less than 1e-7 bit per symbol.
 * Threads: pure functions of their arguments. Source: card 07b, sections 2 and 3; Subbotin 1999. */
#ifndef SZILARD_CODE_H
#define SZILARD_CODE_H

#include <szilard/unstable/base.h>

/* ---- Frequencies ---------------------------------------------------------------------------- */

enum { SZ_FREQ_MOST = 1 << 20 }; /* symbols in an alphabet */

/* freq [n] from logits [n], 2 <= n <= SZ_FREQ_MOST, finite or -infinity: in proportion to exp(z)
 * by a table in steps of 1/1024 nat, at least 1 each; what rounding leaves goes to the first of the
 * largest logits. SZ_E_NAN: a NaN, +infinity, or all -infinity. Each costs at most
 * n / 2^32 + 5e-4 nat more than under the softmax; on average 1e-6 bit. O(n), 1 ns per symbol. */
SZ_API sz_status sz_freq_from_logits(const float *logits, size_t n, uint32_t *freq);
/* freq [n] from probabilities p [n] >= 0, their sum within 1e-8 of 1: 1 + floor(p (2^32 - n)); the
 * rest goes to the first of the largest. SZ_E_ARG names the entry that is wrong. */
SZ_API sz_status sz_freq_from_probabilities(const double *p, size_t n, uint32_t *freq);
/* The weights of sz_freq_from_logits: floor(2^32 exp(-k / 1024)) but for the last unit, *n of them,
 * the last 0. Lives as long as the process. */
SZ_API const uint64_t *sz_freq_weights(size_t *n);

/* ---- Encoder -------------------------------------------------------------------------------- */

/* Appends to a buffer; what is in it before begin stays as it is. Failure of the buffer is sticky
 * there. The state is exact: 64 bits of low end and of range, carries go into the bytes written. */
typedef struct sz_range_encoder {
    uint64_t low, range;
    sz_buf *out;
    size_t start; /* of this stream in out */
} sz_range_encoder;

SZ_API void sz_range_encode_begin(sz_range_encoder *e, sz_buf *out);
/* The symbol that owns [cum, cum + freq) of 2^32. freq >= 1, cum + freq <= 2^32. */
SZ_API void sz_range_encode(sz_range_encoder *e, uint32_t cum, uint32_t freq);
/* Symbol of an alphabet with freq [n] that sum to 2^32. O(symbol). */
SZ_API void sz_range_encode_symbol(sz_range_encoder *e, const uint32_t *freq, size_t symbol);
/* The fewest bytes that tell the rest: one or none. */
SZ_API void sz_range_encode_end(sz_range_encoder *e);

/* ---- Decoder -------------------------------------------------------------------------------- */

/* Reads bytes [n], and zeros beyond them. Any bytes decode to something: whether they are what was
 * written is for a checksum to tell. Never reads beyond the end, never fails to stop. */
typedef struct sz_range_decoder {
    uint64_t code, range;
    const uint8_t *next, *end;
} sz_range_decoder;

SZ_API void sz_range_decode_begin(sz_range_decoder *d, const uint8_t *bytes, size_t n);
/* Where in 2^32 the next symbol lies; then take what owns this place. */
SZ_API uint32_t sz_range_decode_target(sz_range_decoder *d);
SZ_API void sz_range_decode_take(sz_range_decoder *d, uint32_t cum, uint32_t freq);
/* Both in one, for freq [n] that sum to 2^32. O(symbol). */
SZ_API size_t sz_range_decode_symbol(sz_range_decoder *d, const uint32_t *freq, size_t n);

/* ---- Whole numbers and checks ---------------------------------------------------------------- */

/* LEB128: seven bits per byte, the lowest first. get moves *at, which stays below `end`;
 * SZ_E_FORMAT: cut off, beyond 64 bits, or longer than needed. */
SZ_API void sz_varint_put(sz_buf *b, uint64_t value);
SZ_API sz_status sz_varint_get(const uint8_t **at, const uint8_t *end, uint64_t *out);
/* CRC-32C (Castagnoli) of bytes after those that gave `crc`; start from 0. Any change of up to 32
 * bits in a row changes it. */
SZ_API uint32_t sz_crc32c(uint32_t crc, const void *bytes, size_t n);

#endif
