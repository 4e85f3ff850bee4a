/* lm_decode.c: codes to segments: all segments of a batch advance by one token per pass. */
#include "zip/lm_engine.h"

#include <string.h>

typedef struct decoding {
    sz_segment *segment;
    size_t at;    /* bytes so far */
    int32_t *fed; /* [n_fed]: tokens, the first begins; room for one per byte */
    size_t n_fed;
    sz_recall *recall;
    sz_range_decoder coder;
    sz_status status;
} decoding;

typedef struct pass {
    sz_lm *e;
    decoding *active[SZ_LM_BATCH]; /* [n], in the order of rows */
    sz_span spans[SZ_LM_BATCH];
    size_t n;
} pass;

/* Takes a symbol's bytes. Returns whether the row has nothing more to tell. */
static bool take_symbol(sz_lm *e, decoding *x, int32_t symbol) {
    size_t left = x->segment->n - x->at, n;
    if ((size_t)symbol == e->n_vocab) {
        x->segment->data[x->at++] = sz_lm_decode_byte(&x->coder);
        return x->at == x->segment->n;
    }
    const char *piece = sz_lm_piece(e->tokenizer, symbol, &n);
    if (!piece || n > left) {
        x->status = SZ_E_FORMAT;
        return true;
    }
    memcpy(x->segment->data + x->at, piece, n);
    x->at += n;
    x->fed[x->n_fed++] = symbol;
    if (x->recall)
        sz_recall_append(x->recall, symbol);
    return true;
}

static void decode_row(void *context, size_t task, int thread) {
    pass *p = context;
    sz_lm *e = p->e;
    decoding *x = p->active[task];
    uint32_t *freq = e->freq[thread];
    bool done = false;
    while (!done && x->status == SZ_OK) {
        x->status = sz_lm_frequencies(sz_session_logits(e->session, task), e->n_vocab, freq);
        if (x->status == SZ_OK)
            done = take_symbol(e, x, sz_lm_decode(&x->coder, x->recall, freq, e->n_vocab));
    }
}

static sz_status gather(pass *p, decoding *all, size_t n) {
    p->n = 0;
    for (size_t i = 0; i < n; i++) {
        decoding *x = &all[i];
        uint32_t seq = p->e->sequences[i];
        if (x->at == x->segment->n)
            continue;
        SZ_TRY(sz_lm_make_room(p->e, seq, x->fed, x->n_fed - 1));
        p->active[p->n] = x;
        p->spans[p->n++] =
            (sz_span){.seq = seq, .ids = x->fed + x->n_fed - 1, .n = 1, .want = SZ_LAST};
    }
    return SZ_OK;
}

static sz_status decode_all(sz_lm *e, decoding *all, size_t n) {
    pass p = {.e = e};
    for (size_t i = 0; i < n; i++)
        SZ_TRY(sz_session_truncate(e->session, e->sequences[i], 0));
    for (;;) {
        SZ_TRY(gather(&p, all, n));
        if (p.n == 0)
            return SZ_OK;
        SZ_TRY(sz_session_forward(e->session, p.spans, p.n));
        sz_pool_run(sz_runtime_pool(e->rt), decode_row, &p, p.n);
        for (size_t i = 0; i < p.n; i++)
            SZ_REQUIRE(p.active[i]->status == SZ_OK, p.active[i]->status,
                       "the code of a segment is not one of a text: it is damaged, or the model "
                       "computes otherwise here");
    }
}

static sz_status begin_decoding(sz_lm *e, sz_segment *s, decoding *x) {
    *x = (decoding){.segment = s, .n_fed = 1};
    x->fed = sz_alloc((s->n + 1) * sizeof *x->fed);
    SZ_REQUIRE(x->fed, SZ_E_NOMEM, "no memory for %zu tokens", s->n);
    x->fed[0] = e->begin;
    sz_range_decode_begin(&x->coder, (const uint8_t *)s->code.data, s->code.len);
    return e->about.adaptive ? sz_recall_new(s->n, &x->recall) : SZ_OK;
}

static sz_status decode_batch(sz_lm *e, sz_segment *segments, size_t n) {
    decoding all[SZ_LM_BATCH] = {0};
    sz_status status = SZ_OK;
    for (size_t i = 0; i < n && status == SZ_OK; i++)
        status = begin_decoding(e, &segments[i], &all[i]);
    if (status == SZ_OK)
        status = decode_all(e, all, n);
    for (size_t i = 0; i < n; i++) {
        sz_free(all[i].fed);
        sz_recall_free(all[i].recall);
    }
    return status;
}

sz_status sz_lm_decode_segments(void *self, sz_segment *segments, size_t n) {
    for (size_t i = 0; i < n; i += SZ_LM_BATCH)
        SZ_TRY(decode_batch(self, segments + i, n - i < SZ_LM_BATCH ? n - i : SZ_LM_BATCH));
    return SZ_OK;
}
