/* pass.c: what one pass computes: a token of each text that grows, and pieces of prompts in turn.
 */
#include "batcher_parts.h"

#include <string.h>

enum { SCORED_ROWS = 32 };  /* tokens of a prompt whose logits are all kept, in one pass */
enum { LEAST_PIECE = 16 };  /* of a prompt */
enum { BACKLOG = 1 << 20 }; /* bytes that a client may leave unread before its text waits */
enum { WIDE = 7 };

typedef struct sz_pass_plan {
    sz_span *spans;  /* [n_slots] */
    sz_token *drawn; /* [n_slots]; flags 0: the span is of a prompt */
    sz_choice **choice;
    size_t n, n_texts;
    size_t first, n_now; /* the spans that are being computed */
} sz_pass_plan;

sz_status sz_pass_plan_new(sz_batcher *e) {
    size_t n = e->config.n_slots;
    sz_pass_plan *p = e->plan = sz_calloc(1, sizeof *p);
    SZ_REQUIRE(p, SZ_E_NOMEM, "no memory for the engine");
    p->spans = sz_calloc(n, sizeof *p->spans);
    p->drawn = sz_calloc(n, sizeof *p->drawn);
    p->choice = sz_calloc(n, sizeof *p->choice);
    SZ_REQUIRE(p->spans && p->drawn && p->choice, SZ_E_NOMEM, "no memory for the engine");
    return SZ_OK;
}

void sz_pass_plan_free(sz_batcher *e) {
    if (!e->plan)
        return;
    sz_free(e->plan->spans);
    sz_free(e->plan->drawn);
    sz_free(e->plan->choice);
    sz_free(e->plan);
}

/* ---- Drawing -----------------------------------------------------------------------------------
 */

static void note_time(sz_batcher *e, sz_slot *s, sz_job *j) {
    uint64_t now = sz_time_ns();
    pthread_mutex_lock(&e->lock);
    if (s->drawn_ns)
        sz_histogram_add(&e->counters.between, now - s->drawn_ns);
    else if (!j->first_ns)
        sz_histogram_add(&e->counters.first, now - j->arrived_ns);
    pthread_mutex_unlock(&e->lock);
    s->drawn_ns = now;
    if (!j->first_ns)
        j->first_ns = now;
}

static void note_token(sz_batcher *e, const sz_token *t) {
    pthread_mutex_lock(&e->lock);
    e->counters.drawn_tokens++;
    e->counters.entropy += (double)t->entropy;
    e->counters.surprisal += (double)t->surprisal;
    pthread_mutex_unlock(&e->lock);
}

/* What the token makes of the choice: SZ_FINISH_NONE: it goes on. */
static sz_status take_token(sz_batcher *e, sz_choice *c, const sz_token *t, sz_finish *finish) {
    const sz_sequence *q = &e->session->sequences[e->slots[c->slot].seq];
    const sz_ask *ask = &c->part->job->ask;
    bool stopped = false;
    *finish = SZ_FINISH_END;
    if (!ask->ignore_end && sz_tokenizer_is_end(e->model->tokenizer, t->id)) {
        sz_answer_count(&c->answer, t);
        return SZ_OK;
    }
    SZ_TRY(sz_answer_foresee(&c->answer, q->logits, e->model->h.n_vocab, q->stats.log_sum_exp));
    SZ_TRY(sz_answer_add(&c->answer, t, &stopped));
    bool full = q->n_records >= e->config.context;
    *finish = stopped                                       ? SZ_FINISH_STOP
              : c->answer.sums.n >= ask->max_tokens || full ? SZ_FINISH_LENGTH
                                                            : SZ_FINISH_NONE;
    return SZ_OK;
}

/* Draws the next token of a choice and plans to compute it, or completes the choice. */
static void draw(sz_batcher *e, sz_slot *s) {
    sz_pass_plan *p = e->plan;
    sz_choice *c = s->choice;
    sz_job *j = c->part->job;
    sz_sequence *q = &e->session->sequences[s->seq];
    sz_token *t = &p->drawn[p->n];
    sz_finish finish;
    sz_status status = sz_session_draw(e->session, q, t);
    if (status == SZ_OK)
        status = take_token(e, c, t, &finish);
    if (status != SZ_OK) {
        sz_batcher_fail(e, j, status);
        return;
    }
    note_time(e, s, j);
    note_token(e, t);
    if (finish != SZ_FINISH_NONE) {
        sz_batcher_complete(e, c, finish);
        return;
    }
    j->format->told(j, c);
    p->spans[p->n] = (sz_span){.seq = s->seq, .ids = &t->id, .n = 1, .want = SZ_LAST};
    p->choice[p->n++] = c;
}

static bool grows(const sz_slot *s) {
    return s->choice && s->choice->part->prompted && !s->choice->part->job->ask.pooling &&
           sz_reply_backlog(s->choice->part->job->reply) <= BACKLOG;
}

/* ---- Prompts -----------------------------------------------------------------------------------
 */

static sz_want wanted(const sz_part *part, bool last) {
    const sz_ask *ask = &part->job->ask;
    if (ask->pooling)
        return SZ_NONE;
    if (ask->score_prompt)
        return ask->n_top ? SZ_ALL : SZ_SCORE;
    return last ? SZ_LAST : SZ_NONE;
}

static void plan_piece(sz_batcher *e, sz_part *part, uint32_t most) {
    sz_pass_plan *p = e->plan;
    size_t left = part->n_ids - part->n_computed;
    if (part->job->ask.score_prompt && part->job->ask.n_top && most > SCORED_ROWS)
        most = SCORED_ROWS;
    uint32_t n = left < most ? (uint32_t)left : most;
    p->drawn[p->n] = (sz_token){0};
    p->spans[p->n] = (sz_span){.seq = e->slots[part->choices[0].slot].seq,
                               .ids = part->ids + part->n_computed,
                               .n = n,
                               .want = wanted(part, n == left)};
    p->choice[p->n++] = &part->choices[0];
}

/* Pieces of the prompts that wait, each in its turn, up to the budget of the pass. */
static void plan_prompts(sz_batcher *e) {
    size_t n_waiting = 0;
    for (size_t i = 0; i < e->n_running; i++)
        n_waiting += !e->running[i]->prompted;
    uint32_t chunk = sz_session_chunk(e->session);
    uint32_t budget = e->plan->n_texts ? e->config.pass_tokens : chunk;
    for (size_t k = 0; k < e->n_running && n_waiting > 0 && budget > 0; k++) {
        sz_part *part = e->running[(e->next_prompt + k) % e->n_running];
        if (part->prompted)
            continue;
        uint32_t share = budget / (uint32_t)n_waiting;
        share = share < LEAST_PIECE ? LEAST_PIECE : share;
        plan_piece(e, part, share < budget ? share : budget);
        budget -= e->plan->spans[e->plan->n - 1].n;
        n_waiting--;
    }
    e->next_prompt++;
}

/* ---- Hidden states -----------------------------------------------------------------------------
 */

/* Adds a row after the model's last norm, as the head would see it. */
static void pool_row(const sz_batcher *e, const float *x, float *sum) {
    const sz_hparams *h = &e->model->h;
    double squares = 0.0;
    for (uint32_t i = 0; i < h->n_embd; i++)
        squares += (double)x[i] * (double)x[i];
    double scale = 1.0 / __builtin_sqrt(squares / h->n_embd + (double)h->rms_eps);
    for (uint32_t i = 0; i < h->n_embd; i++)
        sum[i] += (float)((double)x[i] * scale) * e->model->output_norm->data[i];
}

static void pool_span(const sz_batcher *e, sz_part *part, const sz_span *span, const float *rows) {
    const sz_hparams *h = &e->model->h;
    for (uint32_t i = 0; i < span->n; i++) {
        bool last = part->n_computed + i + 1 == part->n_ids;
        if (part->job->ask.pooling == SZ_POOLING_MEAN || last)
            pool_row(e, rows + (size_t)i * h->n_embd, part->pooled);
    }
}

/* Rows are those of the spans of the pass, in order. */
static bool tap(void *user, sz_tap_kind kind, uint32_t layer, const float *data, size_t n_rows,
                size_t n_cols) {
    sz_batcher *e = user;
    const sz_pass_plan *p = e->plan;
    if (kind != SZ_TAP_HIDDEN || layer + 1 < e->model->h.n_layer)
        return false;
    for (size_t i = p->first, row = 0; data && i < p->first + p->n_now; i++) {
        sz_part *part = p->choice[i]->part;
        if (part->pooled && !p->drawn[i].flags)
            pool_span(e, part, &p->spans[i], data + row * n_cols);
        row += p->spans[i].n;
    }
    return true;
}

/* ---- Computing ---------------------------------------------------------------------------------
 */

/* The records of a prompt's tokens become part of its first choice's text. */
static sz_status take_scores(sz_batcher *e, sz_choice *c, const sz_span *span, size_t first_row) {
    sz_part *part = c->part;
    const sz_token *records;
    size_t n;
    bool stopped;
    SZ_TRY(sz_session_records(e->session, span->seq, &records, &n));
    for (size_t i = 0; i < span->n; i++) {
        SZ_TRY(sz_answer_add(&c->answer, &records[part->n_computed + i], &stopped));
        if (span->want == SZ_ALL)
            SZ_TRY(sz_answer_foresee(&c->answer, sz_session_logits(e->session, first_row + i),
                                     e->model->h.n_vocab,
                                     sz_session_stats(e->session, first_row + i)->log_sum_exp));
    }
    return SZ_OK;
}

/* The other choices begin where the prompt ends, each with random numbers of its own. */
static sz_status fork_choices(sz_batcher *e, sz_part *part) {
    const sz_slot *first = &e->slots[part->choices[0].slot];
    for (uint32_t i = 1; i < part->job->ask.n_choices; i++) {
        sz_choice *c = &part->choices[i];
        sz_slot *s = &e->slots[c->slot];
        SZ_TRY(sz_session_drop(e->session, s->seq));
        sz_status status = sz_session_fork(e->session, first->seq, &s->seq);
        if (status != SZ_OK) {
            sz_session_add(e->session, &s->seq); /* the number that was just given back */
            return status;
        }
        e->session->sequences[s->seq].seed = part->job->ask.seed;
        e->session->sequences[s->seq].stream = i;
        SZ_TRY(sz_answer_copy(&part->choices[0].answer, &c->answer));
    }
    return SZ_OK;
}

/* A piece of a prompt was computed. */
static sz_status advance_prompt(sz_batcher *e, sz_choice *c, const sz_span *span,
                                size_t first_row) {
    sz_part *part = c->part;
    const sz_ask *ask = &part->job->ask;
    if (ask->score_prompt)
        SZ_TRY(take_scores(e, c, span, first_row));
    part->n_computed += span->n;
    part->prompted = part->n_computed == part->n_ids;
    if (!part->prompted || ask->pooling)
        return SZ_OK;
    return fork_choices(e, part);
}

static void follow_prompt(sz_batcher *e, sz_choice *c, const sz_span *span, size_t first_row) {
    sz_part *part = c->part;
    sz_status status = advance_prompt(e, c, span, first_row);
    if (status != SZ_OK) {
        sz_batcher_fail(e, part->job, status);
    } else if (part->prompted && part->job->ask.pooling) {
        sz_batcher_pooled(e, part);
    } else if (part->prompted && part->job->ask.max_tokens == 0) {
        sz_job *j = sz_job_retain(part->job);
        for (uint32_t i = 0; i < j->ask.n_choices; i++)
            sz_batcher_complete(e, &part->choices[i], SZ_FINISH_LENGTH);
        sz_job_release(j);
    }
}

/* What came of spans [first, first + n): draws become part of the samplers' memory, prompts grow. A
 * job that fails takes its other choices along, so each is looked at again. */
static void follow(sz_batcher *e, size_t first, size_t n) {
    sz_pass_plan *p = e->plan;
    size_t row = 0;
    for (size_t i = first; i < first + n; i++) {
        const sz_span *span = &p->spans[i];
        sz_sequence *q = &e->session->sequences[span->seq];
        if (p->drawn[i].flags && p->choice[i] && q->chain)
            sz_chain_accept(q->chain, &p->drawn[i]);
        else if (!p->drawn[i].flags && p->choice[i])
            follow_prompt(e, p->choice[i], span, row);
        row += span->want == SZ_ALL ? span->n : span->want != SZ_NONE;
    }
}

static bool has_pooled(const sz_pass_plan *p, size_t first, size_t n) {
    for (size_t i = first; i < first + n; i++)
        if (p->choice[i] && p->choice[i]->part->pooled)
            return true;
    return false;
}

static sz_status compute(sz_batcher *e, size_t first, size_t n) {
    sz_pass_plan *p = e->plan;
    p->first = first;
    p->n_now = n;
    sz_session_set_tap(e->session, has_pooled(p, first, n) ? tap : NULL, e);
    return sz_session_pass(e->session, p->spans + first, n, NULL, p->drawn + first);
}

static void note_pass(sz_batcher *e) {
    const sz_pass_plan *p = e->plan;
    sz_counters *c = &e->counters;
    bool wide = p->n >= WIDE, mixed = p->n_texts > 0 && p->n > p->n_texts;
    pthread_mutex_lock(&e->lock);
    c->passes++;
    c->wide_passes += wide;
    c->mixed_passes += mixed;
    c->wide_mixed_passes += wide && mixed;
    if (p->n > c->most_texts)
        c->most_texts = p->n;
    for (size_t i = p->n_texts; i < p->n; i++)
        c->prompt_tokens += p->spans[i].n;
    c->kv_bytes = sz_session_kv_bytes(e->session);
    pthread_mutex_unlock(&e->lock);
}

/* A pass that fails is computed again span by span, so that only who cannot go on pays for it. */
static void compute_one_by_one(sz_batcher *e) {
    sz_pass_plan *p = e->plan;
    for (size_t i = 0; i < p->n; i++) {
        sz_choice *c = p->choice[i];
        if (!c)
            continue;
        /* what was pooled before the pass failed cannot be taken back */
        sz_status status =
            c->part->pooled ? sz_fail(SZ_E_NAN, "the pass failed") : compute(e, i, 1);
        if (status == SZ_OK)
            follow(e, i, 1);
        else
            sz_batcher_fail(e, c->part->job, status);
    }
}

void sz_pass_forget(sz_batcher *e, const sz_job *j) {
    for (size_t i = 0; i < e->plan->n; i++)
        if (e->plan->choice[i] && e->plan->choice[i]->part->job == j)
            e->plan->choice[i] = NULL;
}

bool sz_batcher_pass(sz_batcher *e) {
    sz_pass_plan *p = e->plan;
    p->n = 0;
    for (uint32_t i = 0; i < e->config.n_slots; i++)
        if (grows(&e->slots[i]))
            draw(e, &e->slots[i]);
    p->n_texts = p->n;
    plan_prompts(e);
    if (p->n == 0)
        return false;
    note_pass(e);
    if (compute(e, 0, p->n) == SZ_OK)
        follow(e, 0, p->n);
    else
        compute_one_by_one(e);
    p->n = 0;
    return true;
}
