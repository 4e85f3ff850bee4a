/* kt_script.h: the functions of the dialect over lists of integers. */
#ifndef SZ_CODE_KT_SCRIPT_H
#define SZ_CODE_KT_SCRIPT_H

#include <szilard/unstable/kt.h>
#include <szilard/unstable/num.h>

#include "code/range.h"

enum { SZ_KT_MOST_LINES = 64, SZ_KT_MOST_LIST = 65536 };
#define SZ_KT_MOST_VALUE ((int64_t)1 << 31)

typedef struct sz_kt_list {
    int64_t *v;
    size_t n;
} sz_kt_list;

/* What a script has made so far, and what it may still spend. */
typedef struct sz_kt_machine {
    sz_arena *arena;
    sz_kt_list sequence[SZ_KT_MOST_LINES + 1];
    bool known[SZ_KT_MOST_LINES + 1];
    uint64_t fuel; /* element operations */
} sz_kt_machine;
sz_status sz_kt_machine_open(sz_kt_machine *m);
void sz_kt_machine_reset(sz_kt_machine *m); /* as newly opened, but for the memory held */
void sz_kt_machine_close(sz_kt_machine *m);
/* Room for n numbers; SZ_E_LIMIT beyond the bounds of a list, of fuel or of memory. */
sz_status sz_kt_list_new(sz_kt_machine *m, size_t n, sz_kt_list *out);

typedef struct sz_kt_argument {
    sz_kt_list list;
    int64_t number;
    int predicate;
    unsigned sequence; /* that the list is */
} sz_kt_argument;

/* takes: a letter for each argument. S: a sequence, L: a list of numbers, P: a predicate; V, T, E:
 * a number that costs 8 bits, log2 20 or 3. */
typedef struct sz_kt_function {
    const char *name, *takes;
    sz_status (*call)(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out);
} sz_kt_function;
enum { SZ_KT_N_FUNCTIONS = 21 };
const sz_kt_function *sz_kt_function_find(const char *name); /* NULL: there is none */
const sz_kt_function *sz_kt_function_at(size_t i);
size_t sz_kt_function_index(const sz_kt_function *f);

/* The script as data too, where lines is not NULL. */
struct sz_kt_lines;
sz_status sz_kt_script_read(const char *text, size_t n, bool strict, struct sz_kt_lines *lines,
                            sz_buf *out, double *bits);

/* ---- Numbers of a code (kt_numbers.c) -------------------------------------------------------- */

double sz_kt_log2(unsigned n); /* 0 for n <= 1 */
/* Elias' gamma of n + 1, each of its bits a symbol. */
void sz_kt_put_length(sz_range_encoder *e, size_t n);
sz_status sz_kt_get_length(sz_range_decoder *d, size_t most, size_t *out);
void sz_kt_put_bytes(sz_range_encoder *e, const uint8_t *bytes, size_t n);
sz_status sz_kt_get_bytes(sz_range_decoder *d, size_t most, uint8_t *bytes /* [most] */, size_t *n);

#endif
