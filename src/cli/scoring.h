/* scoring.h: what `score` and `perplexity` share: their options, the text as token ids, and the
 * passes that compute it. */
#ifndef SZ_CLI_SCORING_H
#define SZ_CLI_SCORING_H

#include "energy.h"
#include "engine.h"

/* Filled by sz_argp_scoring, an argp child. */
typedef struct sz_scoring {
    sz_engine_options engine;
    const char *file; /* NULL or "-": standard input */
    uint32_t context; /* 0: not given */
    uint32_t chunk;   /* 0: not given */
    sz_kv_type kv_type;
    bool ids, special, json;
} sz_scoring;
extern const struct argp
    sz_argp_scoring; /* -m -t -c --kv-type --chunk --ids --special --json FILE */

typedef struct sz_scorer {
    sz_engine engine;
    sz_model_info info;
    int32_t *ids; /* [n], n >= 1 */
    size_t n;
    sz_session *session;    /* one sequence */
    uint32_t chunk;         /* most tokens per pass */
    size_t n_computed;      /* tokens, in all passes */
    uint64_t compute_ns;    /* of the passes alone */
    sz_energy_meter *meter; /* from the first pass on; NULL: none */
} sz_scorer;

/* Opens the model and reads the text. Close in any case. */
sz_status sz_scorer_open(const sz_scoring *options, sz_scorer *out);
/* Makes the session; context 0: the session's default. */
sz_status sz_scorer_begin(sz_scorer *s, const sz_scoring *options, uint32_t context);
/* Appends up to `chunk` of ids [n] in one pass; *done is their number. */
sz_status sz_scorer_pass(sz_scorer *s, const int32_t *ids, size_t n, sz_want want, size_t *done);
double sz_scorer_rate(const sz_scorer *s); /* tokens per second of the passes */
/* Appends "isa", "threads" and "products", which tells whose kernels ran, as members. */
void sz_scorer_put_machine(const sz_scorer *s, sz_buf *b);
/* What the passes took; source SZ_ENERGY_NONE: not known. */
sz_energy sz_scorer_energy(const sz_scorer *s);
void sz_scorer_close(sz_scorer *s);

/* The input's name for messages. */
const char *sz_scoring_source(const sz_scoring *options);

#endif
