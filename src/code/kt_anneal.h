/* kt_anneal.h: the search for short scripts: changes at random, accepted as a temperature falls. */
#ifndef SZ_CODE_KT_ANNEAL_H
#define SZ_CODE_KT_ANNEAL_H

#include "code/kt_patch.h"

typedef struct sz_kt_annealing {
    const uint8_t *x; /* [n] */
    size_t n;
    uint32_t steps, restarts;
    uint64_t seed;
} sz_kt_annealing;

/* Bits of the script and its patch for x; infinity where it does not run. */
double sz_kt_script_cost(const sz_kt_lines *l, sz_kt_machine *m, const uint8_t *x, size_t n);
/* Makes *best shorter where it finds how, beginning from it; *bits: its cost. */
sz_status sz_kt_anneal(const sz_kt_annealing *a, sz_kt_lines *best, double *bits);
/* A program's operations as lines; SZ_E_UNSUPPORTED: too many. What lines cannot say as shortly is
 * given as a list. */
sz_status sz_kt_lines_from_program(const sz_kt_program *p, sz_kt_lines *out);

#endif
