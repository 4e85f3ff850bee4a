/* match.c: distances at every alignment of a text, whole or in pieces: checks, tiles, threads. */
#include <stdio.h>

#include "text/match.h"

static const char *const names[] = {"auto",  "naive", "scan",   "scatter", "fft",   "ntt",
                                    "split", "bits",  "blocks", "jumps",   "sample"};
_Static_assert(sizeof names / sizeof *names == SZ_MATCH_METHODS, "a name for each method");

const char *sz_match_method_name(sz_match_method method) {
    return (unsigned)method < SZ_MATCH_METHODS ? names[method] : NULL;
}

bool sz_match_needs_bound(sz_match_method method) {
    return method >= SZ_MATCH_BITS && method <= SZ_MATCH_SAMPLE;
}

/* ---- Setting up ------------------------------------------------------------------------------ */

sz_status sz_match_check_pattern(const sz_symbols *p) {
    SZ_REQUIRE(p->width == 1 || p->width == 4, SZ_E_ARG,
               "symbols of %u bytes: a pattern has bytes or 32-bit symbols", p->width);
    SZ_REQUIRE(p->n > 0, SZ_E_ARG, "empty pattern");
    SZ_REQUIRE(p->n <= UINT64_C(1) << 31, SZ_E_LIMIT, "a pattern of %zu symbols: at most 2^31",
               p->n);
    return SZ_OK;
}

sz_status sz_match_check_text(const sz_symbols *text, unsigned width) {
    SZ_REQUIRE(text->width == width, SZ_E_ARG,
               "the text has symbols of %u bytes and the pattern of %u", text->width, width);
    return SZ_OK;
}

static sz_status check_options(const sz_match_options *o, size_t m) {
    SZ_REQUIRE((unsigned)o->method < SZ_MATCH_METHODS, SZ_E_ARG,
               "no method of matching has number %d", (int)o->method);
    const char *name = names[o->method];
    SZ_REQUIRE(!o->bounded || o->k >= 0, SZ_E_ARG, "k is %lld: it cannot be negative",
               (long long)o->k);
    SZ_REQUIRE(o->bounded || !sz_match_needs_bound(o->method), SZ_E_ARG,
               "method %s needs a bound k", name);
    SZ_REQUIRE(!o->wild || !sz_match_needs_bound(o->method), SZ_E_ARG,
               "method %s knows no wildcards", name);
    SZ_REQUIRE(o->method != SZ_MATCH_BITS || sz_match_bits_fit(m, (uint64_t)o->k), SZ_E_ARG,
               "method bits: %zu counters up to %lld do not fit 64 bits", m, (long long)o->k);
    size_t points = sz_match_fft_points(m);
    SZ_REQUIRE(o->method != SZ_MATCH_NTT || points <= SZ_NTT_MOST_POINTS, SZ_E_LIMIT,
               "method ntt: a pattern of %zu symbols is longer than %d", m, SZ_NTT_MOST_POINTS / 4);
    SZ_REQUIRE(o->method != SZ_MATCH_FFT || points <= SZ_FFT_MOST_POINTS, SZ_E_LIMIT,
               "method fft: a pattern of %zu symbols is longer than %d", m, SZ_FFT_MOST_POINTS / 4);
    return SZ_OK;
}

static void setup_free(sz_match_setup *s) {
    sz_needle_free(&s->p);
    sz_match_plan_free(s->plan);
}

static sz_status setup_new(const sz_symbols *pattern, const sz_match_options *o,
                           sz_match_setup *out) {
    sz_match_setup s = {.o = o ? *o : (sz_match_options){0}};
    SZ_TRY(sz_match_check_pattern(pattern));
    SZ_TRY(check_options(&s.o, pattern->n));
    if (s.o.rt)
        s.kernels = sz_runtime_kernels(s.o.rt);
    else
        SZ_TRY(sz_kernels_get(NULL, &s.kernels));
    size_t points = sz_match_fft_points(pattern->n);
    s.tile = points <= SZ_FFT_MOST_POINTS ? sz_match_fft_blocks(points) * (points - pattern->n + 1)
                                          : (size_t)1 << 20;
    SZ_TRY(sz_needle_new(pattern, s.o.wild, s.o.wildcard, &s.p));
    sz_status status = sz_match_plan_new(points, &s.plan);
    if (status != SZ_OK)
        setup_free(&s);
    else
        *out = s;
    return status;
}

/* ---- Many tiles ------------------------------------------------------------------------------ */

typedef struct job {
    const sz_match_setup *s;
    const void *raw;
    size_t n;
    uint32_t *out;
    struct done {
        sz_status status;
        sz_match_report report;
        char error[256];
    } * done; /* [tasks] */
} job;

static void run_task(void *context, size_t task, int thread) {
    (void)thread;
    job *j = context;
    size_t from = task * j->s->tile, n = j->n - from < j->s->tile ? j->n - from : j->s->tile;
    const void *raw = sz_symbols_from(j->raw, j->s->p.raw_width, from);
    j->done[task].status = sz_match_run_tile(j->s, raw, n, j->out + from, &j->done[task].report);
    if (j->done[task].status != SZ_OK)
        snprintf(j->done[task].error, sizeof j->done[task].error, "%s", sz_last_error());
}

static void add_report(sz_match_report *to, const sz_match_report *r) {
    for (size_t i = 0; i < SZ_MATCH_METHODS; i++)
        to->by[i] += r->by[i];
    to->redone_f64 += r->redone_f64;
    to->redone_ntt += r->redone_ntt;
    to->votes += r->votes;
}

/* Distances of n alignments of any number. */
static sz_status run_all(const sz_match_setup *s, const void *raw, size_t n, uint32_t *out,
                         sz_match_report *r) {
    size_t tasks = (n + s->tile - 1) / s->tile;
    job j = {.s = s, .raw = raw, .n = n, .out = out};
    j.done = sz_calloc(tasks, sizeof *j.done);
    SZ_REQUIRE(j.done, SZ_E_NOMEM, "no memory for %zu parts of the text", tasks);
    if (s->o.rt)
        sz_pool_run(sz_runtime_pool(s->o.rt), run_task, &j, tasks);
    for (size_t i = 0; i < tasks && !s->o.rt; i++)
        run_task(&j, i, 0);
    sz_status status = SZ_OK;
    for (size_t i = 0; i < tasks; i++) {
        if (status == SZ_OK && j.done[i].status != SZ_OK) {
            status = j.done[i].status;
            sz_set_error(j.done[i].error);
        }
        add_report(r, &j.done[i].report);
    }
    sz_free(j.done);
    return status;
}

sz_status sz_match_distances(const sz_symbols *text, const sz_symbols *pattern,
                             const sz_match_options *o, uint32_t *out, sz_match_report *report) {
    sz_match_setup s;
    sz_match_report r = {0};
    SZ_TRY(setup_new(pattern, o, &s));
    sz_status status = sz_match_check_text(text, pattern->width);
    if (status == SZ_OK && text->n >= pattern->n)
        status = run_all(&s, text->data, text->n - pattern->n + 1, out, &r);
    setup_free(&s);
    if (status == SZ_OK && report)
        *report = r;
    return status;
}

/* ---- A text in pieces ------------------------------------------------------------------------ */

struct sz_match_stream {
    sz_match_setup s;
    uint8_t *text; /* symbols that are still needed, [begin, end) of cap */
    size_t begin, end, cap;
    uint64_t first; /* the alignment at begin */
    uint32_t *out;  /* [room] */
    size_t room;
    sz_match_report report;
};

void sz_match_stream_free(sz_match_stream *m) {
    if (!m)
        return;
    setup_free(&m->s);
    sz_free(m->text);
    sz_free(m->out);
    sz_free(m);
}

sz_status sz_match_stream_new(const sz_symbols *pattern, const sz_match_options *o,
                              sz_match_stream **out) {
    sz_match_stream *m = sz_calloc(1, sizeof *m);
    SZ_REQUIRE(m, SZ_E_NOMEM, "no memory for a matcher");
    sz_status status = setup_new(pattern, o, &m->s);
    if (status == SZ_OK) {
        size_t threads = m->s.o.rt ? (size_t)sz_pool_threads(sz_runtime_pool(m->s.o.rt)) : 1;
        m->room = threads * m->s.tile;
        m->cap = m->room + 2 * (m->s.p.m - 1);
        m->text = sz_alloc(m->cap * m->s.p.raw_width);
        m->out = sz_alloc(m->room * sizeof *m->out);
        if (!m->text || !m->out)
            status = sz_fail(SZ_E_NOMEM, "no memory for a text of %zu symbols", m->cap);
    }
    if (status != SZ_OK) {
        sz_match_stream_free(m);
        return status;
    }
    *out = m;
    return SZ_OK;
}

/* Appends what there is room for; returns how many symbols. */
static size_t append(sz_match_stream *m, const void *symbols, size_t n) {
    unsigned width = m->s.p.raw_width;
    if (n > m->cap - m->end && m->begin > 0) {
        memmove(m->text, m->text + m->begin * width, (m->end - m->begin) * width);
        m->end -= m->begin;
        m->begin = 0;
    }
    n = n < m->cap - m->end ? n : m->cap - m->end;
    memcpy(m->text + m->end * width, symbols, n * width);
    m->end += n;
    return n;
}

static sz_status deliver(sz_match_stream *m, sz_match_sink sink, void *user) {
    size_t length = m->s.p.m;
    while (m->end - m->begin >= length) {
        size_t n = m->end - m->begin - length + 1;
        n = n < m->room ? n : m->room;
        const void *raw = m->text + m->begin * m->s.p.raw_width;
        SZ_TRY(run_all(&m->s, raw, n, m->out, &m->report));
        SZ_TRY(sink(user, m->first, m->out, n));
        m->begin += n;
        m->first += n;
    }
    return SZ_OK;
}

sz_status sz_match_stream_feed(sz_match_stream *m, const sz_symbols *piece, sz_match_sink sink,
                               void *user) {
    SZ_TRY(sz_match_check_text(piece, m->s.p.raw_width));
    for (size_t at = 0; at < piece->n;) {
        at += append(m, sz_symbols_from(piece->data, piece->width, at), piece->n - at);
        SZ_TRY(deliver(m, sink, user));
    }
    return SZ_OK;
}

const sz_match_report *sz_match_stream_report(const sz_match_stream *m) {
    return &m->report;
}
