/* hide_iterative.c: hiding by iterative minimum-entropy coupling: each token is drawn from the
 * coupling of its law with what the reader does not know yet of the message. */
#include <szilard/unstable/coupling.h>

#include "zip/writing.h"

enum { BLOCK_BITS = 8 };
/* When nothing is left to tell: the likeliest message is then wrong with a chance below this. */
static const double known_nats = 1e-9;

/* A part of the sealed message, and the laws that it is coupled with. */
typedef struct part {
    sz_imec *coupling;
    uint32_t *bytes; /* [n] */
    size_t n;
    double *q; /* [n_vocab] */
} part;

static sz_status part_open(size_t n, size_t n_vocab, part *out) {
    *out = (part){.n = n};
    out->bytes = sz_alloc(n * sizeof *out->bytes);
    out->q = sz_alloc(n_vocab * sizeof *out->q);
    SZ_REQUIRE(out->bytes && out->q, SZ_E_NOMEM, "no memory for %zu bytes", n);
    return sz_imec_new(n, BLOCK_BITS, &out->coupling);
}

static void part_close(part *p) {
    sz_imec_free(p->coupling);
    sz_free(p->bytes);
    sz_free(p->q);
    *p = (part){0};
}

static bool is_known(const part *p) {
    return sz_imec_uncertainty(p->coupling) <= known_nats;
}

static size_t bits_known(const part *p) {
    double unknown = sz_unit_convert(sz_imec_uncertainty(p->coupling), SZ_BIT);
    return is_known(p) ? BLOCK_BITS * p->n : (size_t)(BLOCK_BITS * (double)p->n - unknown);
}

static void take_law(const sz_cover *c, double *q) {
    for (size_t i = 0; i < c->n_pools; i++)
        q[i] = (double)(c->pool_cum[i + 1] - c->pool_cum[i]) * 0x1p-32;
}

/* ---- Sender ---------------------------------------------------------------------------------- */

/* In [0, 1), 53 bits that look uniform. */
static double uniform(sz_seal_stream *random) {
    uint64_t bits = 0;
    for (int i = 0; i < 7; i++)
        bits = bits << 8 | sz_seal_stream_next(random);
    return (double)(bits >> 3) * 0x1p-53;
}

static sz_status write_part(sz_hide_writer *w, part *p, const uint8_t *bytes,
                            sz_seal_stream *random) {
    size_t before = w->n_placed;
    for (size_t i = 0; i < p->n; i++)
        p->bytes[i] = bytes[i];
    while (!is_known(p)) {
        uint32_t pool;
        SZ_TRY(sz_hide_law(w));
        take_law(w->c, p->q);
        SZ_TRY(sz_imec_encode(p->coupling, p->bytes, p->q, w->c->n_pools, uniform(random), &pool));
        SZ_TRY(sz_hide_put(w, pool, before + bits_known(p)));
    }
    return SZ_OK;
}

/* The end of a character or sentence, drawn from the law itself. */
static sz_status write_end(sz_hide_writer *w, sz_seal_stream *random) {
    while (sz_hide_goes_on(w)) {
        SZ_TRY(sz_hide_law(w));
        uint64_t target = (uint64_t)(uniform(random) * (double)SZ_STEGO_TOTAL);
        size_t pool = 0;
        while (w->c->pool_cum[pool + 1] <= target)
            pool++;
        SZ_TRY(sz_hide_put(w, pool, w->n_wanted));
    }
    return SZ_OK;
}

static sz_status write_sealed(sz_cover *c, const sz_seal_keys *keys, const sz_buf *sealed,
                              const sz_hide_limits *limits) {
    const uint8_t *bytes = (const uint8_t *)sealed->data;
    size_t n_vocab = sz_tokenizer_n_vocab(c->tokenizer);
    sz_hide_writer w = {.c = c, .limits = limits, .n_wanted = 8 * sealed->len};
    sz_seal_stream random;
    part head = {0}, body = {0};
    sz_seal_stream_begin(&random, keys->padding, bytes);
    sz_status status = part_open(SZ_SEAL_HEAD, n_vocab, &head);
    if (status == SZ_OK)
        status = part_open(sealed->len - SZ_SEAL_HEAD, n_vocab, &body);
    if (status == SZ_OK)
        status = write_part(&w, &head, bytes, &random);
    if (status == SZ_OK)
        status = write_part(&w, &body, bytes + SZ_SEAL_HEAD, &random);
    if (status == SZ_OK)
        status = write_end(&w, &random);
    part_close(&head);
    part_close(&body);
    return status;
}

sz_status sz_hide_iterative(sz_cover *c, const sz_seal_keys *keys, const void *message, size_t n,
                            const uint8_t *nonce, const sz_hide_limits *limits, size_t *n_bits) {
    sz_buf sealed = {0};
    sz_status status = sz_seal(keys, message, n, nonce, &sealed);
    if (status == SZ_OK) {
        *n_bits = 8 * sealed.len;
        status = write_sealed(c, keys, &sealed, limits);
    }
    sz_buf_free(&sealed);
    return status;
}

/* ---- Receiver -------------------------------------------------------------------------------- */

static sz_status read_part(sz_hide_reader *r, size_t n, const sz_hide_limits *limits,
                           uint8_t *bytes) {
    part p;
    size_t before = r->n_known;
    r->n_wanted = before + 8 * n;
    sz_status status = part_open(n, sz_tokenizer_n_vocab(r->c->tokenizer), &p);
    while (status == SZ_OK && !is_known(&p)) {
        size_t pool = 0, index = 0;
        status = sz_hide_read(r, &pool, &index);
        if (status != SZ_OK)
            break;
        take_law(r->c, p.q);
        status = sz_imec_decode(p.coupling, p.q, r->c->n_pools, (uint32_t)pool);
        if (status == SZ_OK)
            status = sz_cover_take(r->c, index);
        r->n_known = before + bits_known(&p);
        if (limits->progress)
            limits->progress(limits->user, r->n_known, r->n_wanted);
    }
    if (status == SZ_OK)
        sz_imec_message(p.coupling, p.bytes);
    for (size_t i = 0; status == SZ_OK && i < n; i++)
        bytes[i] = (uint8_t)p.bytes[i];
    part_close(&p);
    return status;
}

sz_status sz_reveal_iterative(sz_cover *c, const sz_seal_keys *keys, const sz_hidden *from,
                              const sz_hide_limits *limits, sz_buf *message) {
    sz_hide_reader r = {.c = c, .from = from};
    uint8_t head[SZ_SEAL_HEAD];
    if (c->config.as_tokens)
        sz_cover_foresee(c, from->ids, from->n_ids);
    SZ_TRY(read_part(&r, sizeof head, limits, head));
    size_t n = sz_seal_length(keys, head);
    SZ_TRY(sz_hide_check_length(&r, n));
    uint8_t *sealed = sz_alloc(sizeof head + n + SZ_SEAL_TAG);
    SZ_REQUIRE(sealed, SZ_E_NOMEM, "no memory for a message of %zu bytes", n);
    for (size_t i = 0; i < sizeof head; i++)
        sealed[i] = head[i];
    sz_status status = read_part(&r, n + SZ_SEAL_TAG, limits, sealed + sizeof head);
    if (status == SZ_OK)
        status = sz_hide_unseal(&r, keys, sealed, n, message);
    sz_free(sealed);
    return status;
}
