/* slz_read.c: a container back to its bytes. Everything read is foreign. */
#include <string.h>

#include <szilard/unstable/code.h>

#include "zip/lm.h"
#include "zip/slz.h"

typedef struct record {
    sz_segment segment;
    uint32_t original; /* check of the original bytes */
    bool coded;
} record;

typedef struct reader {
    const sz_slz_io *io;
    sz_slz_totals totals;
    uint32_t check;        /* of everything read */
    uint32_t record_check; /* since the record began */
    record *records;       /* [n] read and not yet written */
    size_t n, cap;
    size_t most; /* bytes in a record */
} reader;

static const struct {
    uint8_t engine;
    const char *name;
} engines[] = {{SZ_PREDICTOR_NONE, "none"},
               {SZ_PREDICTOR_LM, "lm"},
               {SZ_PREDICTOR_CIRCUIT, "circuit"},
               {SZ_PREDICTOR_BYTES, "bytes"},
               {SZ_PREDICTOR_KT, "kt"}};

const char *sz_slz_engine_name(uint8_t engine) {
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++)
        if (engines[i].engine == engine)
            return engines[i].name;
    return NULL;
}

/* ---- Bytes, numbers, checks ------------------------------------------------------------------ */

static sz_status get(reader *r, void *bytes, size_t n) {
    size_t got;
    SZ_TRY(r->io->read(r->io->user, bytes, n, &got));
    SZ_REQUIRE(got == n, SZ_E_FORMAT, "the file is cut off at byte %llu",
               (unsigned long long)(r->totals.n_container + got));
    r->totals.n_container += n;
    r->check = sz_crc32c(r->check, bytes, n);
    r->record_check = sz_crc32c(r->record_check, bytes, n);
    return SZ_OK;
}

static sz_status get_number(reader *r, uint64_t most, const char *what, uint64_t *out) {
    uint8_t bytes[10];
    const uint8_t *at = bytes;
    size_t n = 0;
    do
        SZ_TRY(get(r, &bytes[n], 1));
    while (bytes[n++] & 0x80 && n < sizeof bytes);
    sz_status status = sz_varint_get(&at, bytes + n, out);
    if (status != SZ_OK)
        return sz_fail_within(status, "%s at byte %llu", what,
                              (unsigned long long)r->totals.n_container);
    SZ_REQUIRE(*out <= most, SZ_E_FORMAT, "%s is %llu: more than %llu", what,
               (unsigned long long)*out, (unsigned long long)most);
    return SZ_OK;
}

static sz_status get_u32(reader *r, uint32_t *out) {
    uint8_t b[4];
    SZ_TRY(get(r, b, 4));
    *out = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    return SZ_OK;
}

/* The check that stands next must be `want`. */
static sz_status meet_check(reader *r, uint32_t want, const char *what) {
    uint32_t stands;
    SZ_TRY(get_u32(r, &stands));
    SZ_REQUIRE(stands == want, SZ_E_FORMAT, "%s is damaged: its check fails before byte %llu", what,
               (unsigned long long)r->totals.n_container);
    return SZ_OK;
}

/* ---- Parts of the file ----------------------------------------------------------------------- */

static sz_status get_header(reader *r, sz_buf *about) {
    uint8_t start[6];
    uint64_t n;
    size_t got;
    SZ_TRY(r->io->read(r->io->user, start, sizeof start, &got));
    SZ_REQUIRE(got >= 4 && memcmp(start, "SLZ1", 4) == 0, SZ_E_FORMAT,
               "this is not a file that 'szilard zip' wrote: it does not begin with SLZ1");
    SZ_REQUIRE(got == sizeof start, SZ_E_FORMAT, "the file is cut off at byte %zu", got);
    r->check = r->record_check = sz_crc32c(0, start, sizeof start);
    r->totals.n_container = sizeof start;
    SZ_TRY(get_number(r, SZ_SLZ_MOST_ABOUT, "the length of the header", &n));
    uint8_t bytes[SZ_SLZ_MOST_ABOUT];
    SZ_TRY(get(r, bytes, (size_t)n));
    SZ_TRY(meet_check(r, r->record_check, "the header"));
    SZ_REQUIRE(start[4] == SZ_SLZ_VERSION, SZ_E_UNSUPPORTED,
               "the file has version %d of the format; this program reads version %d", start[4],
               SZ_SLZ_VERSION);
    r->totals.engine = start[5];
    sz_buf_append(about, bytes, (size_t)n);
    SZ_REQUIRE(!about->failed, SZ_E_NOMEM, "no memory for the header");
    return SZ_OK;
}

static sz_status add_record(reader *r, record **out) {
    if (r->n == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 8;
        record *more = sz_realloc(r->records, r->cap * sizeof *more, cap * sizeof *more);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for %zu records", cap);
        r->records = more;
        r->cap = cap;
    }
    *out = &r->records[r->n++];
    **out = (record){0};
    return SZ_OK;
}

static sz_status get_code(reader *r, record *c) {
    uint64_t n_code;
    SZ_TRY(get_number(r, c->segment.n - 1, "the length of a code", &n_code));
    char *code = sz_alloc((size_t)n_code + 1);
    SZ_REQUIRE(code, SZ_E_NOMEM, "no memory for a code of %llu bytes", (unsigned long long)n_code);
    c->segment.code = (sz_buf){.data = code, .cap = (size_t)n_code + 1, .len = (size_t)n_code};
    SZ_TRY(get(r, code, (size_t)n_code));
    return get_u32(r, &c->original);
}

/* Reads a record, or the end, where *more becomes false. */
static sz_status get_record(reader *r, bool *more) {
    uint8_t kind;
    uint64_t n;
    record *c;
    r->record_check = 0;
    SZ_TRY(get(r, &kind, 1));
    SZ_REQUIRE(kind <= 2, SZ_E_FORMAT, "a record of kind %d before byte %llu", kind,
               (unsigned long long)r->totals.n_container);
    *more = kind != 0;
    if (kind == 0) {
        SZ_TRY(get_number(r, UINT64_MAX, "the length of all", &n));
        SZ_TRY(meet_check(r, r->check, "the file"));
        SZ_REQUIRE(n == r->totals.n_bytes, SZ_E_FORMAT,
                   "the records hold %llu bytes, and the file says %llu",
                   (unsigned long long)r->totals.n_bytes, (unsigned long long)n);
        return SZ_OK;
    }
    SZ_TRY(add_record(r, &c));
    SZ_TRY(get_number(r, r->most, "the length of a record", &n));
    SZ_REQUIRE(n > 0, SZ_E_FORMAT, "an empty record before byte %llu",
               (unsigned long long)r->totals.n_container);
    c->segment.n = (size_t)n;
    c->coded = kind == 2;
    c->segment.data = sz_alloc(c->segment.n);
    SZ_REQUIRE(c->segment.data, SZ_E_NOMEM, "no memory for %zu bytes", c->segment.n);
    if (c->coded)
        SZ_TRY(get_code(r, c));
    else
        SZ_TRY(get(r, c->segment.data, c->segment.n));
    r->totals.n_bytes += n;
    r->totals.n_segments++;
    r->totals.n_stored += !c->coded;
    return meet_check(r, r->record_check, "a record");
}

static sz_status get_end(reader *r) {
    uint8_t byte;
    size_t n;
    SZ_TRY(r->io->read(r->io->user, &byte, 1, &n));
    SZ_REQUIRE(n == 0, SZ_E_FORMAT, "the file goes on behind its end at byte %llu",
               (unsigned long long)r->totals.n_container);
    return SZ_OK;
}

/* ---- Decoding -------------------------------------------------------------------------------- */

static void drop_records(reader *r) {
    for (size_t i = 0; i < r->n; i++) {
        sz_free(r->records[i].segment.data);
        sz_buf_free(&r->records[i].segment.code);
    }
    r->n = 0;
}

static sz_status decode_records(reader *r, const sz_predictor *p) {
    sz_segment *coded = sz_alloc((r->n + 1) * sizeof *coded);
    SZ_REQUIRE(coded, SZ_E_NOMEM, "no memory for %zu segments", r->n);
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->records[i].coded)
            coded[n++] = r->records[i].segment;
    sz_status status = n ? p->kind->decode(p->self, coded, n) : SZ_OK;
    sz_free(coded);
    return status;
}

static sz_status flush_records(reader *r, const sz_predictor *p) {
    SZ_TRY(decode_records(r, p));
    for (size_t i = 0; i < r->n; i++) {
        const record *c = &r->records[i];
        SZ_REQUIRE(!c->coded || sz_crc32c(0, c->segment.data, c->segment.n) == c->original,
                   SZ_E_FORMAT,
                   "decoding gave other bytes than were coded: the file is damaged, or this "
                   "program computes otherwise than the one that wrote it");
        if (r->io->write)
            SZ_TRY(r->io->write(r->io->user, c->segment.data, c->segment.n));
    }
    drop_records(r);
    return SZ_OK;
}

static sz_status read_all(reader *r, const sz_predictor *p) {
    size_t batch = p ? p->kind->batch(p->self) : 1;
    bool more = true;
    r->most = p ? p->kind->window : SZ_SLZ_MOST_SEGMENT;
    while (more) {
        SZ_TRY(get_record(r, &more));
        if (p && (r->n >= batch || !more))
            SZ_TRY(flush_records(r, p));
        if (!p)
            drop_records(r);
    }
    return get_end(r);
}

/* The predictor of a file that says that it holds no code. */
static size_t one(const void *self) {
    return 1;
}
static sz_status refuse(void *self, sz_segment *segments, size_t n) {
    return sz_fail(SZ_E_FORMAT, "the file names no engine and holds a code");
}
static void free_nothing(void *self) {}
static const sz_predictor_kind none = {
    .window = SZ_SLZ_MOST_SEGMENT, .batch = one, .decode = refuse, .free = free_nothing};

static sz_status open_predictor(sz_slz_open_fn open, void *user, uint8_t engine,
                                const sz_buf *about, sz_predictor *out) {
    if (engine != SZ_PREDICTOR_NONE)
        return open(user, engine, (const uint8_t *)about->data, about->len, out);
    *out = (sz_predictor){&none, NULL};
    return SZ_OK;
}

sz_status sz_slz_decode(sz_slz_open_fn open, void *open_user, const sz_slz_io *io,
                        sz_slz_totals *out) {
    reader r = {.io = io};
    sz_buf about = {0};
    sz_predictor p = {0};
    sz_status status = get_header(&r, &about);
    if (status == SZ_OK)
        status = open_predictor(open, open_user, r.totals.engine, &about, &p);
    if (status == SZ_OK)
        status = read_all(&r, &p);
    drop_records(&r);
    sz_free(r.records);
    sz_predictor_free(&p);
    sz_buf_free(&about);
    if (status == SZ_OK)
        *out = r.totals;
    return status;
}

sz_status sz_slz_list(const sz_slz_io *io, sz_buf *about, sz_slz_totals *out) {
    reader r = {.io = io};
    sz_status status = get_header(&r, about);
    if (status == SZ_OK)
        status = read_all(&r, NULL);
    drop_records(&r);
    sz_free(r.records);
    if (status == SZ_OK)
        *out = r.totals;
    return status;
}
