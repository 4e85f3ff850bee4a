/* operators.h: what each operator of a pass cost, told as it ends. */
#ifndef SZILARD_OPERATORS_H
#define SZILARD_OPERATORS_H

#include <szilard.h>

/* What an operator asks of the machine at most. */
typedef enum sz_operator_kind {
    SZ_OPERATOR_ROWS,  /* rows of activations, which lie in caches */
    SZ_OPERATOR_INT8,  /* weights times activations, both integers of 8 bits or less */
    SZ_OPERATOR_FLOAT, /* weights, keys or values times activations, in floats */
} sz_operator_kind;

typedef struct sz_operator_cost {
    char name[64]; /* "norm", "attention"; of products the tensors: "ffn_gate, ffn_up" */
    sz_operator_kind kind;
    uint64_t ns;            /* from start to end, on the thread that runs the pass */
    uint64_t bytes;         /* what it reads and writes, each counted once */
    uint64_t multiply_adds; /* of products and attention */
} sz_operator_cost;

/* Called on the thread that runs the pass, once for each operator; cost is borrowed. */
typedef void (*sz_meter_fn)(void *user, const sz_operator_cost *cost);
/* NULL: none, as at first. Without a meter no clock is read. Bits do not depend on it. */
SZ_API void sz_session_set_meter(sz_session *s, sz_meter_fn meter, void *user);

#endif
