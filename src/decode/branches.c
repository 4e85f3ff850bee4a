/* branches.c: texts that grow side by side: n from the start on, or one that splits where the model
 * is uncertain. */
#include "continuations.h"

#include <string.h>

typedef struct branch {
    uint32_t seq;
    bool live, split;
    double log_probability;
    sz_token next;
} branch;

typedef struct growth {
    sz_session *s;
    const sz_branching *config;
    size_t base, max_tokens; /* records of the prompt; tokens of a continuation */
    branch *branches;        /* [config->n] */
    size_t n, n_live;
    uint32_t *seqs; /* [config->n], of one pass */
    sz_token *tokens;
    sz_continuations *out;
} growth;

static sz_sequence *sequence_of(const growth *g, const branch *b) {
    return &g->s->sequences[b->seq];
}

/* A branch of its own from a sequence's end on. */
static sz_status add(growth *g, uint32_t seq, double log_probability) {
    branch *b = &g->branches[g->n];
    SZ_TRY(sz_session_fork(g->s, seq, &b->seq));
    b->live = true;
    b->log_probability = log_probability;
    g->out->v[g->n].parent = g->out->v[g->n].branched_at = SIZE_MAX;
    g->n++;
    g->n_live++;
    return SZ_OK;
}

/* ---- Splitting ------------------------------------------------------------------------------- */

/* The likeliest token but one. */
static int32_t likeliest_but(const sz_session *s, const sz_sequence *q, int32_t id) {
    int32_t top[2];
    sz_logits_top(q->logits, s->model->h.n_vocab, 2, top);
    return top[0] == id ? top[1] : top[0];
}

/* The most uncertain branch that has not split in this step; NULL if none is uncertain enough. */
static branch *most_uncertain(const growth *g) {
    branch *most = NULL;
    double entropy = g->config->above;
    for (size_t i = 0; i < g->n; i++) {
        branch *b = &g->branches[i];
        if (b->live && !b->split && sequence_of(g, b)->stats.entropy > entropy) {
            most = b;
            entropy = sequence_of(g, b)->stats.entropy;
        }
    }
    return most;
}

static sz_status split(growth *g) {
    for (branch *b; g->n < g->config->n && (b = most_uncertain(g));) {
        branch *other = &g->branches[g->n];
        const sz_sequence *q = sequence_of(g, b);
        size_t length = q->n_records - g->base;
        b->split = true;
        if (g->s->model->h.n_vocab < 2)
            continue;
        SZ_TRY(add(g, b->seq, b->log_probability));
        g->out->v[g->n - 1].parent = (size_t)(b - g->branches);
        g->out->v[g->n - 1].branched_at = length;
        other->split = true;
        other->next = sz_token_chosen(q, likeliest_but(g->s, q, b->next.id));
    }
    return SZ_OK;
}

/* ---- Growing --------------------------------------------------------------------------------- */

static sz_status draw_all(growth *g) {
    for (size_t i = 0; i < g->n; i++) {
        branch *b = &g->branches[i];
        b->split = false;
        if (b->live)
            SZ_TRY(sz_session_draw(g->s, sequence_of(g, b), &b->next));
    }
    return SZ_OK;
}

/* Puts a branch with its last token among the results, and gives its sequence back. */
static sz_status finish(growth *g, size_t i, bool ended) {
    branch *b = &g->branches[i];
    sz_continuation *out = &g->out->v[i];
    size_t parent = out->parent, at = out->branched_at;
    SZ_TRY(sz_continuation_take(sequence_of(g, b), g->base, &b->next, b->log_probability,
                                g->config->length_penalty, ended, out));
    out->parent = parent;
    out->branched_at = at;
    b->live = false;
    g->n_live--;
    return sz_session_drop(g->s, b->seq);
}

/* What ends or reaches the bound is finished; the others are computed, all in one pass. */
static sz_status extend(growth *g) {
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++) {
        branch *b = &g->branches[i];
        if (!b->live)
            continue;
        const sz_sequence *q = sequence_of(g, b);
        bool ended = sz_tokenizer_is_end(g->s->model->tokenizer, b->next.id);
        b->log_probability += sz_log_probability(q, b->next.id);
        if (ended || q->n_records - g->base + 1 == g->max_tokens) {
            SZ_TRY(finish(g, i, ended));
            continue;
        }
        g->seqs[n] = b->seq;
        g->tokens[n++] = b->next;
    }
    g->out->n_passes += n > 0;
    g->out->n_computed += n;
    return n ? sz_session_advance(g->s, g->seqs, g->tokens, n) : SZ_OK;
}

static sz_status grow(growth *g, uint32_t seq, size_t n_first, bool splits) {
    for (size_t i = 0; i < n_first; i++)
        SZ_TRY(add(g, seq, 0.0));
    while (g->n_live > 0) {
        SZ_TRY(draw_all(g));
        if (splits)
            SZ_TRY(split(g));
        SZ_TRY(extend(g));
    }
    return SZ_OK;
}

static sz_status run(sz_session *s, uint32_t seq, const sz_branching *config, size_t n_first,
                     bool splits, sz_continuations *out) {
    sz_continuations made;
    growth g = {.s = s, .config = config, .out = &made};
    SZ_TRY(sz_continuations_begin(s, seq, config, &g.max_tokens));
    g.base = s->sequences[seq].n_records;
    SZ_TRY(sz_continuations_reserve(&made, config->n));
    g.branches = sz_calloc(config->n, sizeof *g.branches);
    g.seqs = sz_alloc(config->n * sizeof *g.seqs);
    g.tokens = sz_alloc(config->n * sizeof *g.tokens);
    sz_status status = g.branches && g.seqs && g.tokens
                           ? grow(&g, seq, n_first, splits)
                           : sz_fail(SZ_E_NOMEM, "no memory for %zu continuations", config->n);
    made.n = g.n;
    for (size_t i = 0; i < g.n; i++)
        if (g.branches[i].live)
            sz_session_drop(s, g.branches[i].seq);
    sz_free(g.branches);
    sz_free(g.seqs);
    sz_free(g.tokens);
    if (status == SZ_OK)
        *out = made;
    else
        sz_continuations_free(&made);
    return status;
}

sz_status sz_session_best_of(sz_session *s, uint32_t seq, const sz_branching *config,
                             sz_continuations *out) {
    SZ_REQUIRE(config && out, SZ_E_ARG, "sz_session_best_of: a NULL argument");
    SZ_TRY(run(s, seq, config, config->n, false, out));
    sz_continuations_sort(out);
    return SZ_OK;
}

sz_status sz_session_branch(sz_session *s, uint32_t seq, const sz_branching *config,
                            sz_continuations *out) {
    SZ_REQUIRE(config && out, SZ_E_ARG, "sz_session_branch: a NULL argument");
    SZ_REQUIRE(config->above >= 0.0, SZ_E_ARG, "branches above %g nats: not a threshold",
               config->above);
    return run(s, seq, config, 1, true, out);
}
