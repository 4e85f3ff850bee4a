/* slz_write.c: a stream of bytes to a container. */
#include <string.h>

#include <szilard/unstable/code.h>

#include "zip/slz.h"

typedef struct writer {
    const sz_predictor *p;
    const sz_slz_io *io;
    sz_slz_totals totals;
    uint32_t check;       /* of everything written */
    sz_segment *segments; /* [n] waiting to be coded; data points into windows */
    size_t n, cap;
    uint8_t **windows; /* [n_windows], of p->kind->window bytes each */
    size_t n_windows, most_windows;
    sz_buf record;
    bool has_header;
} writer;

static sz_status put(writer *w, const void *bytes, size_t n) {
    w->check = sz_crc32c(w->check, bytes, n);
    w->totals.n_container += n;
    return w->io->write ? w->io->write(w->io->user, bytes, n) : SZ_OK;
}

static void put_u32(sz_buf *b, uint32_t v) {
    for (int i = 0; i < 4; i++)
        sz_buf_putc(b, (char)(v >> 8 * i));
}

/* Closes what is in w->record with its check and writes it. */
static sz_status put_record(writer *w, uint32_t check) {
    put_u32(&w->record, check);
    SZ_REQUIRE(!w->record.failed, SZ_E_NOMEM, "no memory for a record");
    SZ_TRY(put(w, w->record.data, w->record.len));
    sz_buf_clear(&w->record);
    return SZ_OK;
}

/* Files that hold no code need no engine, and say nothing of one. */
static sz_status put_header(writer *w, bool coded) {
    sz_buf about = {0}, *b = &w->record;
    if (coded && w->p->kind->describe)
        w->p->kind->describe(w->p->self, &about);
    w->totals.engine = coded ? w->p->kind->id : SZ_PREDICTOR_NONE;
    w->has_header = true;
    sz_buf_append(b, "SLZ1", 4);
    sz_buf_putc(b, SZ_SLZ_VERSION);
    sz_buf_putc(b, (char)w->totals.engine);
    sz_varint_put(b, about.len);
    sz_buf_append(b, about.data, about.len);
    b->failed |= about.failed;
    sz_buf_free(&about);
    return put_record(w, sz_crc32c(0, b->data, b->len));
}

static bool is_stored(const sz_segment *s) {
    return s->code.len >= s->n;
}

static sz_status put_segment(writer *w, const sz_segment *s) {
    sz_buf *b = &w->record;
    bool stored = is_stored(s);
    sz_buf_putc(b, stored ? 1 : 2);
    sz_varint_put(b, s->n);
    if (!stored)
        sz_varint_put(b, s->code.len);
    if (stored)
        sz_buf_append(b, s->data, s->n);
    else
        sz_buf_append(b, s->code.data, s->code.len);
    if (!stored)
        put_u32(b, sz_crc32c(0, s->data, s->n));
    w->totals.n_segments++;
    w->totals.n_stored += stored;
    return put_record(w, b->failed ? 0 : sz_crc32c(0, b->data, b->len));
}

static sz_status put_segments(writer *w, bool last) {
    bool coded = !last;
    if (w->n > 0)
        SZ_TRY(w->p->kind->encode(w->p->self, w->segments, w->n));
    for (size_t i = 0; i < w->n; i++)
        coded |= !is_stored(&w->segments[i]);
    if (!w->has_header)
        SZ_TRY(put_header(w, coded));
    for (size_t i = 0; i < w->n; i++) {
        SZ_TRY(put_segment(w, &w->segments[i]));
        sz_buf_free(&w->segments[i].code);
    }
    w->n = w->n_windows = 0;
    return SZ_OK;
}

/* Cuts a window of n bytes into pieces whose lengths differ by one at most. */
static sz_status cut(writer *w, uint8_t *window, size_t n) {
    size_t pieces = w->p->kind->n_segments(w->p->self, n);
    if (w->n + pieces > w->cap) {
        size_t cap = w->n + pieces;
        sz_segment *more =
            sz_realloc(w->segments, w->cap * sizeof *more, cap * sizeof *w->segments);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for %zu segments", cap);
        w->segments = more;
        w->cap = cap;
    }
    for (size_t i = 0; i < pieces; i++) {
        size_t from = n * i / pieces, to = n * (i + 1) / pieces;
        w->segments[w->n++] = (sz_segment){.data = window + from, .n = to - from};
    }
    return SZ_OK;
}

static sz_status next_window(writer *w, uint8_t **out) {
    if (w->n_windows == w->most_windows) {
        uint8_t **more = sz_realloc(w->windows, w->most_windows * sizeof *more,
                                    (w->most_windows + 1) * sizeof *more);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for a window");
        w->windows = more;
        w->windows[w->n_windows] = sz_alloc(w->p->kind->window);
        SZ_REQUIRE(w->windows[w->n_windows], SZ_E_NOMEM, "no memory for %zu bytes",
                   w->p->kind->window);
        w->most_windows++;
    }
    *out = w->windows[w->n_windows++];
    return SZ_OK;
}

static sz_status put_all(writer *w) {
    size_t n, batch = w->p->kind->batch(w->p->self);
    if (w->p->kind->begin)
        w->p->kind->begin(w->p->self);
    do {
        uint8_t *window;
        SZ_TRY(next_window(w, &window));
        SZ_TRY(w->io->read(w->io->user, window, w->p->kind->window, &n));
        w->totals.n_bytes += n;
        if (n > 0)
            SZ_TRY(cut(w, window, n));
        if (w->n >= batch || n < w->p->kind->window)
            SZ_TRY(put_segments(w, n < w->p->kind->window));
    } while (n == w->p->kind->window);
    sz_buf_putc(&w->record, 0);
    sz_varint_put(&w->record, w->totals.n_bytes);
    SZ_REQUIRE(!w->record.failed, SZ_E_NOMEM, "no memory for a record");
    return put_record(w, sz_crc32c(w->check, w->record.data, w->record.len));
}

sz_status sz_slz_encode(const sz_predictor *p, const sz_slz_io *io, sz_slz_totals *out) {
    writer w = {.p = p, .io = io};
    sz_status status = put_all(&w);
    for (size_t i = 0; i < w.n; i++)
        sz_buf_free(&w.segments[i].code);
    for (size_t i = 0; i < w.most_windows; i++)
        sz_free(w.windows[i]);
    sz_free(w.windows);
    sz_free(w.segments);
    sz_buf_free(&w.record);
    if (status == SZ_OK)
        *out = w.totals;
    return status;
}
