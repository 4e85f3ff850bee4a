/* constraint.h: what an answer must look like: --grammar, --json-schema, --regex. */
#ifndef SZ_CLI_CONSTRAINT_H
#define SZ_CLI_CONSTRAINT_H

#include <szilard/unstable/grammar.h>

typedef enum sz_constraint_kind {
    SZ_CONSTRAINT_NONE,
    SZ_CONSTRAINT_GRAMMAR,
    SZ_CONSTRAINT_SCHEMA,
    SZ_CONSTRAINT_REGEX
} sz_constraint_kind;

typedef struct sz_constraint {
    sz_constraint_kind kind;
    const char *text; /* a file of a grammar; a schema or its file; an expression */
} sz_constraint;

/* A new grammar for one answer; *out NULL where there is no constraint. */
sz_status sz_constraint_make(const sz_constraint *c, sz_grammar **out);

#endif
