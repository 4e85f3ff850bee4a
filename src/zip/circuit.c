/* circuit.c: a probabilistic circuit as a predictor: a file as records of one byte per variable.
 *
 * A segment's code: number of bytes before the first value, those bytes as they are (the header of
 * the file), number of values of its first record that lie before the segment, then the records'
 * code. Values of a record that are in other segments are missing here, and summed out. */
#include <string.h>

#include <szilard/unstable/circuit_file.h>
#include <szilard/unstable/code.h>

#include "zip/segments.h"

enum { WINDOW = 1 << 20 }; /* about */

typedef struct circuit_engine {
    sz_predictor_kind kind; /* its window holds whole records */
    sz_runtime *rt;
    sz_pc *pc;
    sz_pc_coder *coder;
    size_t n_vars, n_categories;
    uint8_t digest[32];
    bool (*stop)(void);
    uint64_t position, header; /* in the file that is being coded */
} circuit_engine;

/* ---- The file's header ----------------------------------------------------------------------- */

static uint32_t big_endian(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Bytes before the records: of an IDX file of bytes whose records are as wide as the circuit, or of
 * a .npy file of bytes; else none. */
static size_t header_of(size_t n_vars, const uint8_t *data, size_t n) {
    if (n >= 4 && data[0] == 0 && data[1] == 0 && data[2] == 8 && data[3] >= 1 && data[3] <= 4) {
        size_t end = 4 + 4 * (size_t)data[3];
        uint64_t width = 1;
        for (size_t i = 8; i < end && end <= n; i += 4)
            width *= big_endian(data + i) % SZ_PC_MAX_VARS;
        return end <= n && width == n_vars ? end : 0;
    }
    if (n >= 10 && memcmp(data, "\x93NUMPY\1", 7) == 0) {
        size_t end = 10 + (data[8] | (size_t)data[9] << 8);
        return end <= n && memmem(data, end, "u1'", 3) ? end : 0;
    }
    return 0;
}

bool sz_predictor_circuit_fits(uint64_t n_vars, const uint8_t *data, size_t n, uint64_t n_file) {
    if (n_vars == 0 || n_vars > SZ_PC_MAX_VARS)
        return false;
    size_t header = header_of((size_t)n_vars, data, n);
    return n_file == UINT64_MAX ? header > 0 : n_file > header && (n_file - header) % n_vars == 0;
}

/* ---- Segments -------------------------------------------------------------------------------- */

/* The records that hold n values from `phase` on: all missing, or 0 where the segment has values.
 */
static sz_status new_records(const circuit_engine *e, size_t phase, size_t n, int32_t **x,
                             size_t *n_records) {
    *n_records = (phase + n + e->n_vars - 1) / e->n_vars;
    size_t cells = *n_records * e->n_vars;
    *x = sz_alloc((cells + 1) * sizeof **x);
    SZ_REQUIRE(*x, SZ_E_NOMEM, "no memory for %zu records", *n_records);
    for (size_t i = 0; i < cells; i++)
        (*x)[i] = i >= phase && i < phase + n ? 0 : SZ_PC_MISSING;
    return SZ_OK;
}

static sz_status encode_segment(const circuit_engine *e, uint64_t position, sz_segment *s) {
    size_t raw = position < e->header ? (size_t)(e->header - position) : 0, n_records;
    raw = raw < s->n ? raw : s->n;
    size_t phase = raw ? 0 : (size_t)((position - e->header) % e->n_vars);
    int32_t *x;
    SZ_TRY(new_records(e, phase, s->n - raw, &x, &n_records));
    sz_status status = SZ_OK;
    for (size_t i = raw; i < s->n && status == SZ_OK; i++) {
        x[phase + i - raw] = s->data[i];
        if (s->data[i] >= e->n_categories)
            status = sz_fail(SZ_E_ARG,
                             "byte %llu (column %zu of its record) is %d: the circuit knows the "
                             "values from 0 to %zu",
                             (unsigned long long)(position + i), (phase + i - raw) % e->n_vars,
                             s->data[i], e->n_categories - 1);
    }
    sz_varint_put(&s->code, raw);
    sz_buf_append(&s->code, s->data, raw);
    sz_varint_put(&s->code, phase);
    if (status == SZ_OK) {
        status = sz_pc_encode(e->coder, x, n_records, &s->code);
        if (status != SZ_OK)
            sz_fail_within(status, "records from byte %llu on",
                           (unsigned long long)(position + raw - phase));
    }
    sz_free(x);
    return status;
}

static sz_status decode_segment(const circuit_engine *e, sz_segment *s) {
    const uint8_t *at = (const uint8_t *)s->code.data, *end = at + s->code.len;
    uint64_t raw, phase;
    SZ_TRY(sz_varint_get(&at, end, &raw));
    SZ_REQUIRE(raw <= s->n && raw <= (uint64_t)(end - at), SZ_E_FORMAT,
               "a code says that %llu bytes go before the records", (unsigned long long)raw);
    memcpy(s->data, at, raw);
    at += raw;
    SZ_TRY(sz_varint_get(&at, end, &phase));
    SZ_REQUIRE(phase < e->n_vars, SZ_E_FORMAT, "a code begins at column %llu of %zu",
               (unsigned long long)phase, e->n_vars);
    int32_t *x;
    size_t n_records;
    SZ_TRY(new_records(e, phase, s->n - raw, &x, &n_records));
    sz_status status = sz_pc_decode(e->coder, at, (size_t)(end - at), x, n_records);
    for (size_t i = raw; i < s->n && status == SZ_OK; i++)
        s->data[i] = (uint8_t)x[phase + i - raw];
    sz_free(x);
    return status;
}

/* ---- All segments of a batch, over the pool -------------------------------------------------- */

typedef struct job {
    const circuit_engine *engine;
    uint64_t *positions; /* [segments] */
} job;

static sz_status check_stop(const circuit_engine *e) {
    SZ_REQUIRE(!e->stop || !e->stop(), SZ_E_CANCELLED, "interrupted");
    return SZ_OK;
}

static sz_status encode_one(void *context, sz_segment *s, size_t i, int thread) {
    const job *j = context;
    SZ_TRY(check_stop(j->engine));
    return encode_segment(j->engine, j->positions[i], s);
}

static sz_status decode_one(void *self, sz_segment *s, size_t i, int thread) {
    SZ_TRY(check_stop(self));
    return decode_segment(self, s);
}

static sz_status encode(void *self, sz_segment *segments, size_t n) {
    circuit_engine *e = self;
    job j = {e, sz_alloc((n + 1) * sizeof *j.positions)};
    SZ_REQUIRE(j.positions, SZ_E_NOMEM, "no memory for %zu segments", n);
    for (size_t i = 0; i < n; i++) {
        if (e->position == 0)
            e->header = header_of(e->n_vars, segments[i].data, segments[i].n);
        j.positions[i] = e->position;
        e->position += segments[i].n;
    }
    sz_status status = sz_segments_run(sz_runtime_pool(e->rt), encode_one, &j, segments, n);
    sz_free(j.positions);
    return status;
}

static sz_status decode(void *self, sz_segment *segments, size_t n) {
    circuit_engine *e = self;
    return sz_segments_run(sz_runtime_pool(e->rt), decode_one, e, segments, n);
}

/* ---- The engine ------------------------------------------------------------------------------ */

static void begin(void *self) {
    circuit_engine *e = self;
    e->position = e->header = 0;
}

static size_t n_segments(const void *self, size_t n) {
    return 1;
}

static size_t batch(const void *self) {
    const circuit_engine *e = self;
    return (size_t)sz_runtime_threads(e->rt);
}

static void describe(const void *self, sz_buf *b) {
    const circuit_engine *e = self;
    sz_buf_append(b, e->digest, sizeof e->digest);
}

static void free_engine(void *self) {
    circuit_engine *e = self;
    sz_pc_coder_free(e->coder);
    sz_pc_free(e->pc);
    sz_runtime_free(e->rt);
    sz_free(e);
}

static sz_status open_engine(circuit_engine *e, int n_threads, const char *path) {
    SZ_TRY(sz_runtime_new(
        &(sz_runtime_config){.size = sizeof(sz_runtime_config), .n_threads = n_threads}, &e->rt));
    SZ_TRY(sz_pc_open(path, &e->pc));
    sz_pc_shape shape = sz_pc_get_shape(e->pc);
    SZ_REQUIRE(shape.n_categories <= 256, SZ_E_ARG,
               "%s: a circuit over %zu categories does not code bytes", path, shape.n_categories);
    e->n_vars = shape.n_vars;
    e->n_categories = shape.n_categories;
    SZ_TRY(sz_pc_digest(e->pc, e->digest));
    return sz_pc_coder_new(e->rt, e->pc, &e->coder);
}

sz_status sz_predictor_circuit_new(const char *path, int n_threads, bool (*stop)(void),
                                   sz_predictor *out) {
    circuit_engine *e = sz_calloc(1, sizeof *e);
    SZ_REQUIRE(e, SZ_E_NOMEM, "no memory for the circuit engine");
    sz_status status = open_engine(e, n_threads, path);
    if (status != SZ_OK) {
        free_engine(e);
        return status;
    }
    size_t records = WINDOW / e->n_vars;
    e->stop = stop;
    e->kind = (sz_predictor_kind){.name = "circuit",
                                  .id = SZ_PREDICTOR_CIRCUIT,
                                  .window = e->n_vars * (records ? records : 1),
                                  .begin = begin,
                                  .n_segments = n_segments,
                                  .batch = batch,
                                  .describe = describe,
                                  .encode = encode,
                                  .decode = decode,
                                  .free = free_engine};
    *out = (sz_predictor){&e->kind, e};
    return SZ_OK;
}

sz_status sz_predictor_circuit_check(const sz_predictor *p, const uint8_t *about, size_t n_about) {
    const circuit_engine *e = p->self;
    char want[17] = "", have[17];
    SZ_REQUIRE(n_about == sizeof e->digest, SZ_E_FORMAT, "the name of the circuit has %zu bytes",
               n_about);
    sz_hex(about, 8, want);
    sz_hex(e->digest, 8, have);
    SZ_REQUIRE(memcmp(about, e->digest, n_about) == 0, SZ_E_ARG,
               "the file was coded with circuit %s..., and the one given is %s...", want, have);
    return SZ_OK;
}
