/* kt_script.h: the functions of the dialect over lists of integers. */
#ifndef SZ_CODE_KT_SCRIPT_H
#define SZ_CODE_KT_SCRIPT_H

#include <szilard/unstable/kt.h>
#include <szilard/unstable/num.h>

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
void sz_kt_machine_close(sz_kt_machine *m);
/* Room for n numbers; SZ_E_LIMIT beyond the bounds of a list, of fuel or of memory. */
sz_status sz_kt_list_new(sz_kt_machine *m, size_t n, sz_kt_list *out);

typedef struct sz_kt_argument {
    sz_kt_list list;
    int64_t number;
    int predicate;
} sz_kt_argument;

/* takes: a letter for each argument. S: a sequence, L: a list of numbers, P: a predicate; V, T, E:
 * a number that costs 8 bits, log2 20 or 3. */
typedef struct sz_kt_function {
    const char *name, *takes;
    sz_status (*call)(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out);
} sz_kt_function;
const sz_kt_function *sz_kt_function_find(const char *name); /* NULL: there is none */

#endif
