/* lm_encode.c: a segment to its code: many tokens per pass, their frequencies row by row on all
 * threads, then the coder, one symbol after the other. */
#include "zip/lm_engine.h"

typedef struct encoding {
    sz_lm *e;
    size_t index; /* of the segment */
    const sz_segment *segment;
    sz_lm_text text;
    int32_t *fed;        /* [n_rows]: the token whose logits are row i; the first begins */
    int32_t *wanted;     /* [n_rows]: what row i predicts; n_vocab where only escapes follow */
    int32_t *candidates; /* [n_rows] */
    size_t n_rows;
    sz_lm_place *places; /* [chunk] of the rows at hand */
    size_t row;          /* the first row at hand */
    size_t item;         /* the next to be coded */
    sz_recall *recall;
    sz_range_encoder coder;
    sz_status status; /* of any thread */
} encoding;

static void free_encoding(encoding *x) {
    sz_lm_text_free(&x->text);
    sz_free(x->fed);
    sz_free(x->wanted);
    sz_free(x->candidates);
    sz_free(x->places);
    sz_recall_free(x->recall);
}

/* What every row is fed and must predict. */
static void lay_out(encoding *x) {
    size_t row = 0;
    x->fed[0] = x->e->begin;
    x->wanted[0] = (int32_t)x->e->n_vocab;
    for (size_t i = 0; i < x->text.n; i++) {
        if (x->text.items[i] == SZ_LM_ESCAPE)
            continue;
        x->wanted[row++] = x->text.items[i];
        if (row < x->n_rows) {
            x->fed[row] = x->text.items[i];
            x->wanted[row] = (int32_t)x->e->n_vocab;
        }
    }
}

static sz_status find_candidates(encoding *x) {
    for (size_t i = 0; i < x->n_rows; i++)
        x->candidates[i] = -1;
    if (!x->e->about.adaptive)
        return SZ_OK;
    sz_recall *scout;
    SZ_TRY(sz_recall_new(x->segment->n, &x->recall));
    SZ_TRY(sz_recall_new(x->segment->n, &scout));
    for (size_t i = 0; i < x->n_rows; i++) {
        x->candidates[i] = sz_recall_candidate(scout);
        sz_recall_append(scout, x->wanted[i]);
    }
    sz_recall_free(scout);
    return SZ_OK;
}

static sz_status prepare(encoding *x) {
    SZ_TRY(sz_lm_text_make(x->e->tokenizer, x->segment->data, x->segment->n, &x->text));
    bool tail = x->text.items[x->text.n - 1] == SZ_LM_ESCAPE;
    x->n_rows = x->text.n_tokens + tail;
    x->fed = sz_alloc(x->n_rows * sizeof *x->fed);
    x->wanted = sz_alloc(x->n_rows * sizeof *x->wanted);
    x->candidates = sz_alloc(x->n_rows * sizeof *x->candidates);
    x->places = sz_alloc(x->e->chunk * sizeof *x->places);
    SZ_REQUIRE(x->fed && x->wanted && x->candidates && x->places, SZ_E_NOMEM,
               "no memory for %zu tokens", x->n_rows);
    lay_out(x);
    return find_candidates(x);
}

static void find_place(void *context, size_t task, int thread) {
    encoding *x = context;
    uint32_t *freq = x->e->freq[thread];
    size_t row = x->row + task;
    sz_status status =
        sz_lm_frequencies(sz_session_logits(x->e->session, task), x->e->n_vocab, freq);
    if (status == SZ_OK)
        x->places[task] = sz_lm_place_find(freq, x->e->n_vocab, x->wanted[row], x->candidates[row]);
    else
        __atomic_store_n(&x->status, status, __ATOMIC_RELAXED);
}

static void tell(const encoding *x, double bits) {
    size_t at = x->text.at[x->item];
    size_t end = x->item + 1 < x->text.n ? x->text.at[x->item + 1] : x->segment->n;
    if (x->e->cost)
        x->e->cost(x->e->cost_user,
                   &(sz_lm_cost){x->index, at, end - at, x->segment->data + at, bits});
}

/* The escapes before a row's token, then the token. */
static void code_row(encoding *x, const sz_lm_place *p) {
    sz_lm_place escape = {.symbol = (int32_t)x->e->n_vocab,
                          .candidate = p->candidate,
                          .cum = ((uint64_t)1 << 32) - SZ_LM_ESCAPE_FREQ,
                          .freq = SZ_LM_ESCAPE_FREQ,
                          .candidate_freq = p->candidate_freq};
    for (; x->item < x->text.n && x->text.items[x->item] == SZ_LM_ESCAPE; x->item++) {
        double bits = sz_lm_encode(&x->coder, x->recall, &escape);
        bits += sz_lm_encode_byte(&x->coder, x->segment->data[x->text.at[x->item]]);
        tell(x, bits);
    }
    if (x->item == x->text.n)
        return;
    tell(x, sz_lm_encode(&x->coder, x->recall, p));
    if (x->recall)
        sz_recall_append(x->recall, x->text.items[x->item]);
    x->item++;
}

static sz_status code_rows(encoding *x) {
    sz_lm *e = x->e;
    SZ_TRY(sz_session_truncate(e->session, 0, 0));
    while (x->row < x->n_rows) {
        SZ_TRY(sz_lm_make_room(e, 0, x->fed, x->row));
        size_t room = e->about.context - sz_session_length(e->session, 0);
        size_t n = x->n_rows - x->row;
        n = n < room ? n : room;
        n = n < e->chunk ? n : e->chunk;
        sz_span span = {.ids = x->fed + x->row, .n = (uint32_t)n, .want = SZ_ALL};
        SZ_TRY(sz_session_forward(e->session, &span, 1));
        sz_pool_run(sz_runtime_pool(e->rt), find_place, x, n);
        SZ_REQUIRE(x->status == SZ_OK, x->status, "the model gave logits that are not finite");
        for (size_t i = 0; i < n; i++)
            code_row(x, &x->places[i]);
        x->row += n;
    }
    return SZ_OK;
}

static sz_status encode_segment(sz_lm *e, sz_segment *s, size_t index) {
    encoding x = {.e = e, .index = index, .segment = s};
    sz_status status = prepare(&x);
    sz_range_encode_begin(&x.coder, &s->code);
    if (status == SZ_OK)
        status = code_rows(&x);
    sz_range_encode_end(&x.coder);
    free_encoding(&x);
    if (status == SZ_OK && s->code.failed)
        status = sz_fail(SZ_E_NOMEM, "no memory for the code of %zu bytes", s->n);
    return status;
}

sz_status sz_lm_encode_segments(void *self, sz_segment *segments, size_t n) {
    for (size_t i = 0; i < n; i++)
        SZ_TRY(encode_segment(self, &segments[i], i));
    return SZ_OK;
}
