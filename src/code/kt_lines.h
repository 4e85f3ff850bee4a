/* kt_lines.h: a script as data: what its code writes and the annealing changes. The output is the
 * last line's sequence, and no line is without use. */
#ifndef SZ_CODE_KT_LINES_H
#define SZ_CODE_KT_LINES_H

#include "code/kt_script.h"
#include "code/range.h"

enum { SZ_KT_MOST_CODED = 48 /* lines */, SZ_KT_MOST_ITEMS = 256 /* of a list that is given */ };

typedef struct sz_kt_line {
    uint8_t function;  /* sz_kt_function_at */
    uint8_t predicate; /* P */
    uint8_t from[2];   /* S: lines before, in the order of the arguments */
    uint8_t number[3]; /* V: 0 to 255; T: 1 to 20; E: 1 to 8 */
    uint16_t n_list;   /* L */
    uint8_t list[SZ_KT_MOST_ITEMS];
} sz_kt_line;

typedef struct sz_kt_lines {
    unsigned n;
    sz_kt_line line[SZ_KT_MOST_CODED];
} sz_kt_lines;

/* Least and greatest number that an argument of this kind may have in a code. */
static inline void sz_kt_number_domain(char kind, unsigned *least, unsigned *most) {
    *least = kind == 'V' ? 0 : 1;
    *most = kind == 'V' ? 255 : kind == 'T' ? 20 : 8;
}

/* Adds a line that is made as its call in a script was; SZ_E_UNSUPPORTED: it has no code.
 * line_of: the index of the line that made each sequence. */
sz_status sz_kt_lines_add(sz_kt_lines *l, size_t function, const sz_kt_argument *a,
                          const uint8_t *line_of);
/* Keeps what the line `output` needs, and makes it the last. */
void sz_kt_lines_prune(sz_kt_lines *l, unsigned output);
/* Parses a script that runs. */
sz_status sz_kt_lines_parse(const char *text, size_t n, sz_kt_lines *out);
void sz_kt_lines_print(const sz_kt_lines *l, sz_buf *text);
/* The sequence of the last line; empty where there is none. It lives in the machine, which is
 * begun afresh. */
sz_status sz_kt_lines_run(const sz_kt_lines *l, sz_kt_machine *m, sz_kt_list *out);

/* The code: each function, reference, number and item is one of its alternatives, all alike. */
double sz_kt_lines_bits(const sz_kt_lines *l);
void sz_kt_lines_put(const sz_kt_lines *l, sz_range_encoder *e);
sz_status sz_kt_lines_get(sz_range_decoder *d, sz_kt_lines *out);

#endif
