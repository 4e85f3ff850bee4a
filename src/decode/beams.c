/* beams.c: beam search. */
#include "continuations.h"

#include <math.h>
#include <stdlib.h>

#define NOBODY UINT32_MAX

typedef struct beam {
    uint32_t seq; /* NOBODY: this one is free */
    double log_probability;
} beam;

/* A beam with one more token. */
typedef struct extension {
    uint32_t beam;
    int32_t id;
    double log_probability;
} extension;

typedef struct search {
    sz_session *s;
    const sz_branching *config;
    size_t base, max_tokens, n_vocab;
    size_t k;          /* extensions of a beam that can matter: n that go on, and all ends */
    beam *beams, *old; /* [config->n] */
    size_t n_beams;
    extension *extensions; /* [config->n * k] */
    extension *chosen;     /* [config->n] */
    int32_t *top;          /* [k] */
    uint32_t *seqs;        /* [config->n] */
    sz_token *tokens;
    sz_continuations *out;
} search;

static int likelier(const void *a, const void *b) {
    const extension *x = a, *y = b;
    if (x->log_probability != y->log_probability)
        return x->log_probability > y->log_probability ? -1 : 1;
    if (x->beam != y->beam)
        return x->beam < y->beam ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static size_t extend_all(search *f) {
    size_t n = 0;
    for (size_t i = 0; i < f->n_beams; i++) {
        const sz_sequence *q = &f->s->sequences[f->beams[i].seq];
        size_t k = sz_logits_top(q->logits, f->n_vocab, f->k, f->top);
        for (size_t j = 0; j < k; j++) {
            double log_p = f->beams[i].log_probability + sz_log_probability(q, f->top[j]);
            if (log_p > -INFINITY)
                f->extensions[n++] = (extension){(uint32_t)i, f->top[j], log_p};
        }
    }
    qsort(f->extensions, n, sizeof *f->extensions, likelier);
    return n;
}

/* Puts a text among the n best, in place of the worst if there are n already. */
static sz_status finish(search *f, const extension *e, bool ended) {
    const sz_sequence *q = &f->s->sequences[f->beams[e->beam].seq];
    double penalty = f->config->length_penalty;
    double score = sz_continuation_score(e->log_probability, q->n_records - f->base + 1, penalty);
    sz_continuations *out = f->out;
    size_t at = out->n;
    if (out->n == f->config->n) {
        at = 0;
        for (size_t i = 1; i < out->n; i++)
            at = out->v[i].score < out->v[at].score ? i : at;
        if (!(score > out->v[at].score))
            return SZ_OK;
    }
    sz_continuation c;
    sz_token last = sz_token_chosen(q, e->id);
    SZ_TRY(sz_continuation_take(q, f->base, &last, e->log_probability, penalty, ended, &c));
    sz_free(out->v[at].tokens);
    out->v[at] = c;
    out->n += at == out->n;
    return SZ_OK;
}

/* Those that go on are chosen, the likeliest first; those that end before the last of them are
 * finished. */
static sz_status choose(search *f, size_t n_extensions, bool at_bound, size_t *n_chosen) {
    *n_chosen = 0;
    for (size_t i = 0; i < n_extensions && *n_chosen < f->config->n; i++) {
        const extension *e = &f->extensions[i];
        bool ended = sz_tokenizer_is_end(f->s->model->tokenizer, e->id);
        if (ended || at_bound)
            SZ_TRY(finish(f, e, ended));
        if (!ended)
            f->chosen[(*n_chosen)++] = *e;
    }
    return SZ_OK;
}

/* Whether a text that still grows may get among the n best: its probability only falls, and its
 * length is bounded. */
static bool may_improve(const search *f, size_t n_chosen) {
    if (n_chosen == 0 || f->out->n < f->config->n)
        return n_chosen > 0;
    double bound = sz_continuation_score(f->chosen[0].log_probability, f->max_tokens,
                                         f->config->length_penalty);
    for (size_t i = 0; i < f->out->n; i++)
        if (bound > f->out->v[i].score)
            return true;
    return false;
}

static void drop_childless(search *f, size_t n_chosen) {
    for (size_t i = 0; i < f->n_beams; i++) {
        bool wanted = false;
        for (size_t j = 0; j < n_chosen && !wanted; j++)
            wanted = f->chosen[j].beam == i;
        f->old[i] = f->beams[i];
        if (!wanted)
            sz_session_drop(f->s, f->beams[i].seq);
    }
}

/* Whether no earlier choice goes on from the same beam. */
static bool is_first_child(const search *f, size_t j) {
    for (size_t i = 0; i < j; i++)
        if (f->chosen[i].beam == f->chosen[j].beam)
            return false;
    return true;
}

/* The first child of a beam gets its sequence, the others forks. */
static sz_status inherit(search *f, size_t n_chosen) {
    drop_childless(f, n_chosen);
    for (size_t j = 0; j < f->config->n; j++)
        f->beams[j].seq =
            j < n_chosen && is_first_child(f, j) ? f->old[f->chosen[j].beam].seq : NOBODY;
    f->n_beams = n_chosen;
    for (size_t j = 0; j < n_chosen; j++) {
        if (f->beams[j].seq == NOBODY)
            SZ_TRY(sz_session_fork(f->s, f->old[f->chosen[j].beam].seq, &f->beams[j].seq));
        f->beams[j].log_probability = f->chosen[j].log_probability;
    }
    return SZ_OK;
}

static sz_status advance(search *f) {
    for (size_t j = 0; j < f->n_beams; j++) {
        f->seqs[j] = f->beams[j].seq;
        f->tokens[j] = sz_token_chosen(&f->s->sequences[f->seqs[j]], f->chosen[j].id);
    }
    f->out->n_passes++;
    f->out->n_computed += f->n_beams;
    return sz_session_advance(f->s, f->seqs, f->tokens, f->n_beams);
}

static sz_status run_steps(search *f) {
    for (size_t step = 1;; step++) {
        size_t n_chosen;
        SZ_TRY(choose(f, extend_all(f), step == f->max_tokens, &n_chosen));
        if (step == f->max_tokens || !may_improve(f, n_chosen))
            return SZ_OK;
        SZ_TRY(inherit(f, n_chosen));
        SZ_TRY(advance(f));
    }
}

static sz_status allocate(search *f) {
    size_t n = f->config->n;
    f->beams = sz_alloc(n * sizeof *f->beams);
    for (size_t i = 0; f->beams && i < n; i++)
        f->beams[i].seq = NOBODY;
    f->old = sz_calloc(n, sizeof *f->old);
    f->extensions = sz_alloc(n * f->k * sizeof *f->extensions);
    f->chosen = sz_alloc(n * sizeof *f->chosen);
    f->top = sz_alloc(f->k * sizeof *f->top);
    f->seqs = sz_alloc(n * sizeof *f->seqs);
    f->tokens = sz_alloc(n * sizeof *f->tokens);
    SZ_REQUIRE(f->beams && f->old && f->extensions && f->chosen && f->top && f->seqs && f->tokens,
               SZ_E_NOMEM, "no memory for %zu beams", n);
    return SZ_OK;
}

static void release(search *f) {
    for (size_t i = 0; f->beams && i < f->config->n; i++)
        if (f->beams[i].seq != NOBODY)
            sz_session_drop(f->s, f->beams[i].seq);
    sz_free(f->beams);
    sz_free(f->old);
    sz_free(f->extensions);
    sz_free(f->chosen);
    sz_free(f->top);
    sz_free(f->seqs);
    sz_free(f->tokens);
}

static sz_status begin(search *f, uint32_t seq) {
    const sz_tokenizer *t = f->s->model->tokenizer;
    f->n_vocab = f->s->model->h.n_vocab;
    f->k = f->config->n;
    for (uint32_t id = 0; id < f->n_vocab; id++)
        f->k += sz_tokenizer_is_end(t, (int32_t)id);
    f->k = f->k < f->n_vocab ? f->k : f->n_vocab;
    f->base = f->s->sequences[seq].n_records;
    SZ_TRY(allocate(f));
    SZ_TRY(sz_session_fork(f->s, seq, &f->beams[0].seq));
    f->beams[0].log_probability = 0.0;
    f->n_beams = 1;
    return SZ_OK;
}

sz_status sz_session_beam_search(sz_session *s, uint32_t seq, const sz_branching *config,
                                 sz_continuations *out) {
    sz_continuations made;
    search f = {.s = s, .config = config, .out = &made};
    SZ_REQUIRE(config && out, SZ_E_ARG, "sz_session_beam_search: a NULL argument");
    SZ_TRY(sz_continuations_begin(s, seq, config, &f.max_tokens));
    SZ_TRY(sz_continuations_reserve(&made, config->n));
    sz_status status = begin(&f, seq);
    if (status == SZ_OK)
        status = run_steps(&f);
    release(&f);
    if (status != SZ_OK) {
        sz_continuations_free(&made);
        return status;
    }
    sz_continuations_sort(&made);
    *out = made;
    return SZ_OK;
}
