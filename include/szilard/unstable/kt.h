/* kt.h: short programs for byte strings: a total language priced in bits, the search for its
 * shortest programs, and the dialect of the KoLMogorov test (card 08).
 *
 * Conventions. Lengths of programs are exact, in bits of a code that is really written. Every
 * string of bits is a program or a defined error; no program runs longer than its output. Threads:
 * pure functions. Bits: identical everywhere. Source: Yoran et al. 2025, arXiv 2503.13992 (dialect
 * and prior); the language and its search are the project's own. */
#ifndef SZILARD_KT_H
#define SZILARD_KT_H

#include <szilard/unstable/base.h>

/* ---- The language -----------------------------------------------------------------------------
 *
 * A program is the gamma code of n + 1, then operations until n bytes exist. gamma(k) is Elias': as
 * many zeros as k has bits behind its first, then k. p: bytes made so far; a distance d takes
 * ceil(log2 p) bits, which hold d - 1. Bytes are modulo 256.
 *
 *     LIT      00      gamma(L)    L bytes                      these bytes
 *     RAMP     01      gamma(L-1)  start 8, step 5              start + i step; -16..-1, 1..16
 *     COPY     10      gamma(L-1)  distance                     byte by byte, may overlap
 *     RUN      110     gamma(L-1)  value 8                      L times
 *     COPYADD  1110    gamma(L-2)  distance, addend 8           COPY plus the addend
 *     REV      11110   gamma(L-2)  distance                     out[p - d - i]: backwards
 *     QUAD     111110  gamma(L-3)  start 8, slope 8, bend 4     second differences; -8..-1, 1..8
 *     ILV      111111  gamma(L-1)  two programs' operations     (L + 1)/2 and L/2 bytes, in turn,
 * each with a buffer of its own; 3 deep
 */
typedef enum sz_kt_kind {
    SZ_KT_LIT,
    SZ_KT_RAMP,
    SZ_KT_COPY,
    SZ_KT_RUN,
    SZ_KT_COPYADD,
    SZ_KT_REV,
    SZ_KT_QUAD,
    SZ_KT_ILV
} sz_kt_kind;

/* An operation. ILV is followed by the operations of its first part, then by those of the second.
 */
typedef struct sz_kt_op {
    sz_kt_kind kind;
    uint32_t n;        /* bytes that it makes */
    uint32_t distance; /* COPY, COPYADD, REV */
    uint8_t value;     /* start, run's value, addend */
    int16_t step;      /* RAMP: step; QUAD: slope, 0..255 */
    int8_t bend;       /* QUAD */
    uint32_t literal;  /* LIT: its place in the program's literals */
} sz_kt_op;

typedef struct sz_kt_program {
    uint32_t n; /* bytes of output */
    sz_kt_op *op;
    size_t n_ops;
    uint8_t *literals;
    size_t n_literals;
    uint16_t n_alphabet; /* 0: literals take 8 bits; else ceil(log2 n_alphabet) */
    uint8_t alphabet[256];
} sz_kt_program;
SZ_API void sz_kt_program_free(sz_kt_program *p);

/* Bits of its code. */
SZ_API uint64_t sz_kt_bits(const sz_kt_program *p);
/* The code: bits from the highest of each byte on, the last byte filled with zeros. Appends. */
SZ_API sz_status sz_kt_encode(const sz_kt_program *p, sz_buf *code);
/* A program with an alphabet has, behind the length of its output, 8 bits that hold the number of
 * values less one, then the values in rising order, 8 bits each: a form of its own, which a reader
 * must know beforehand. The empty string has no alphabet.
 *
 * Reads a code of n_bits; *used (may be NULL) how many of them it took. SZ_E_FORMAT names the bit
 * where it is cut short, overruns n, or reaches before the begin; SZ_E_LIMIT beyond `most` bytes.
 */
SZ_API sz_status sz_kt_decode(const uint8_t *code, uint64_t n_bits, uint32_t most,
                              sz_kt_program *out, uint64_t *used);
/* The same for a program with an alphabet. */
SZ_API sz_status sz_kt_decode_alphabet(const uint8_t *code, uint64_t n_bits, uint32_t most,
                                       sz_kt_program *out, uint64_t *used);
/* Appends the output. SZ_E_ARG: operations that no code can say. */
SZ_API sz_status sz_kt_eval(const sz_kt_program *p, sz_buf *out);
/* Appends a line for each operation: "RUN 20 7", "COPY 14 2", parts of ILV indented. */
SZ_API sz_status sz_kt_print(const sz_kt_program *p, sz_buf *text);

/* ---- Search ---------------------------------------------------------------------------------- */

/* Flags. */
typedef enum sz_kt_effort {
    SZ_KT_LINEAR = 0,   /* the shortest program without ILV */
    SZ_KT_FULL = 1,     /* the shortest program */
    SZ_KT_ALPHABET = 2, /* the shortest one that lists the string's values first */
} sz_kt_effort;
/* A short program for x [n]. Exact: no program of its class is shorter, up to n = 16,384 for LINEAR
 * and n = 1024 for FULL. Beyond, distances and stretches above 4096 are not looked at; ILV is
 * looked for over the whole string, its halves and theirs. Never longer than
 * gamma(n + 1) + 2 + gamma(n) + 8 n bits. SZ_E_LIMIT: n > 2^24. O(n^2) for LINEAR, O(n^3) with a
 * small factor for FULL. */
SZ_API sz_status sz_kt_search(const uint8_t *x, size_t n, sz_kt_effort effort, sz_kt_program *out);

/* ---- The dialect of the test --------------------------------------------------------------------
 *
 * Lines "sequence_i = function(arguments)" and "output = sequence_j" over lists of integers; the
 * functions are those of the paper. Interpreted with fuel: a million element operations, lists of
 * 65,536, values of 2^31, 64 lines. */

/* Runs a script and appends its output, which must be bytes. bits (may be NULL): its cost by the
 * uniform prior; strict: the predicate of filter is charged, which the paper's code leaves out.
 * SZ_E_FORMAT names the line; SZ_E_LIMIT: out of fuel. */
SZ_API sz_status sz_kt_script_run(const char *text, size_t n, bool strict, sz_buf *out,
                                  double *bits);
/* The script number `index` of a seed, from the paper's distribution of programs, and its output.
 */
SZ_API sz_status sz_kt_script_generate(uint64_t seed, uint64_t index, sz_buf *text, sz_buf *out);

/* ---- The shortest of all forms -----------------------------------------------------------------
 *
 * A byte that tells the form, then the string as it is, the code of a program, of a program with an
 * alphabet, or of a script: its functions, references (to one of the lines before), numbers and
 * items by the range coder, each of their alternatives alike, then a patch where its output,
 * modulo 256, is not yet the string. Numbers are 0 to 255, times up to 20 or 8. */

typedef enum sz_kt_form {
    SZ_KT_STORED,
    SZ_KT_PROGRAM,
    SZ_KT_WITH_ALPHABET,
    SZ_KT_SCRIPT,
    SZ_KT_N_FORMS
} sz_kt_form;
SZ_API const char *sz_kt_form_name(sz_kt_form form); /* "stored", "program", ... */

typedef struct sz_kt_text { /* borrowed, not NUL-terminated */
    const char *s;
    size_t n;
} sz_kt_text;

typedef struct sz_kt_pack_options {
    size_t size;
    uint32_t steps, restarts; /* of annealing scripts, strings up to 256 bytes; 0: none, and 8 */
    uint64_t seed;
    const sz_kt_text
        *scripts; /* [n_scripts] proposals, tried with a patch; those that fail are not */
    size_t n_scripts;
} sz_kt_pack_options;

/* What each form takes, in bits of its code without the byte before it; 0: not found. */
typedef struct sz_kt_packed {
    sz_kt_form form; /* that was written */
    uint64_t bits[SZ_KT_N_FORMS];
    size_t n_right; /* of the proposals: they made the string without a patch */
} sz_kt_packed;

/* Appends the shortest form of x [n] to out; never more than n + 1 bytes. options NULL: without
 * scripts. Errors as sz_kt_search. */
SZ_API sz_status sz_kt_pack(const uint8_t *x, size_t n, const sz_kt_pack_options *options,
                            sz_buf *out, sz_kt_packed *packed);
/* Appends the string to out, and the program or script to text (may be NULL). Any bytes are a
 * string of at most `most` bytes, or an error: SZ_E_FORMAT, SZ_E_LIMIT. */
SZ_API sz_status sz_kt_unpack(const uint8_t *bytes, size_t n, uint32_t most, sz_buf *out,
                              sz_buf *text, sz_kt_form *form);

#endif
