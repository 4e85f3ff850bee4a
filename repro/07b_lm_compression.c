/* 07b_lm_compression.c: files cost what a language model's surprisals say, half of what xz takes;
 * an adaptive layer learns repeats; incompressible bytes are stored. In the short form with the
 * byte engine alone, on a source of known entropy. */
#include "repro.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/num.h>
#include <unistd.h>

#include "zip/lm.h"
#include "zip/slz.h"

enum { TEXT = 16384, REPEATED = 8192, RANDOM = 65536, SOURCE = 65536, LETTERS = 8 };

/* ---- Coding in memory ------------------------------------------------------------------------ */

static sz_status pack(const sz_predictor *p, const uint8_t *data, size_t n, sz_buf *out) {
    sz_slz_memory m = {.in = data, .n = n};
    sz_slz_io io = sz_slz_in_memory(&m);
    sz_slz_totals totals;
    sz_status status = sz_slz_encode(p, &io, &totals);
    *out = m.out;
    return status;
}

static sz_status pack_size(const sz_predictor *p, const uint8_t *data, size_t n, double *out) {
    sz_buf file = {0};
    sz_status status = pack(p, data, n, &file);
    *out = (double)file.len;
    sz_buf_free(&file);
    return status;
}

/* ---- The short form: the byte engine on a source of order 2
 * --------------------------------------
 */

/* The next letter depends on the two before it, by a law of its own for each pair. Returns the
 * entropy of what was drawn, in bits. */
static double draw_source(uint64_t seed, uint8_t *out, size_t n) {
    double bits = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t pair = i < 2 ? 0 : (uint64_t)out[i - 1] << 8 | out[i - 2];
        double p[LETTERS], total = 0, u;
        for (size_t k = 0; k < LETTERS; k++) {
            double x = sz_uniform(seed, 1 + pair, k);
            total += p[k] = x * x * x * x;
        }
        u = sz_uniform(seed, 0, i) * total;
        size_t k = 0;
        while (k + 1 < LETTERS && u >= p[k])
            u -= p[k++];
        out[i] = (uint8_t)('a' + k);
        bits -= sz_log(p[k] / total) / 0.69314718055994531;
    }
    return bits;
}

static sz_status open_bytes(void *user, uint8_t engine, const uint8_t *about, size_t n_about,
                            sz_predictor *out) {
    return sz_predictor_bytes_new(1, NULL, out);
}

static sz_status bytes_rows(sz_repro_run *run, uint8_t *data) {
    sz_predictor p;
    sz_buf file = {0};
    SZ_TRY(sz_predictor_bytes_new(1, NULL, &p));
    double bits = draw_source(run->seed, data, SOURCE), size;
    sz_status status = pack(&p, data, SOURCE, &file);
    if (status == SZ_OK) {
        sz_slz_memory m = {.in = (const uint8_t *)file.data, .n = file.len};
        sz_slz_io io = sz_slz_in_memory(&m);
        sz_slz_totals totals;
        sz_repro_check(run, "", (double)file.len * 8 / bits, "<=", 1.06,
                       "byte engine: size by the entropy of a source of order 2");
        status = sz_slz_decode(open_bytes, NULL, &io, &totals);
        bool same = status == SZ_OK && m.out.len == SOURCE && !memcmp(m.out.data, data, SOURCE);
        sz_repro_check(run, "exact", same, "==", 1, "byte engine: the text comes back");
        sz_buf_free(&m.out);
    }
    sz_buf_free(&file);
    for (size_t i = 0; i < RANDOM; i++)
        data[i] = (uint8_t)(sz_uniform(run->seed, 99, i) * 256);
    if (status == SZ_OK)
        status = pack_size(&p, data, RANDOM, &size);
    if (status == SZ_OK)
        sz_repro_check(run, "<= 100", size - RANDOM, "<=", 100, "random bytes: growth in bytes");
    sz_predictor_free(&p);
    return status;
}

/* ---- The long form: a language model --------------------------------------------------------- */

typedef struct lab {
    sz_runtime *rt;
    sz_model *model;
    uint8_t *data; /* [TEXT] */
} lab;

static sz_status make_predictor(const lab *l, bool adaptive, sz_predictor *out) {
    static const uint8_t digest[32];
    sz_lm_about about;
    SZ_TRY(sz_lm_about_make(l->model, 0, adaptive, digest, "", &about));
    return sz_predictor_lm_new(l->model, l->rt, &about, out);
}

static void add_bits(void *user, const sz_lm_cost *cost) {
    *(double *)user += cost->bits;
}

/* One segment: the bytes of its code, what its tokens cost, and whether it comes back. */
typedef struct outcome {
    double bytes, bits;
    bool same;
} outcome;

static sz_status measure(const lab *l, bool adaptive, size_t n, bool decode, outcome *out) {
    sz_predictor p;
    sz_segment s = {.data = l->data, .n = n};
    *out = (outcome){0};
    SZ_TRY(make_predictor(l, adaptive, &p));
    sz_predictor_lm_watch(&p, add_bits, &out->bits);
    sz_status status = p.kind->encode(p.self, &s, 1);
    out->bytes = (double)s.code.len;
    if (status == SZ_OK && decode) {
        s.data = sz_alloc(n);
        status = s.data ? p.kind->decode(p.self, &s, 1) : sz_fail(SZ_E_NOMEM, "no memory");
        out->same = status == SZ_OK && memcmp(s.data, l->data, n) == 0;
        sz_free(s.data);
    }
    sz_buf_free(&s.code);
    sz_predictor_free(&p);
    return status;
}

/* What `xz -9e` makes of data [n], on this machine. */
static sz_status measure_xz(const uint8_t *data, size_t n, double *out) {
    char path[] = "/tmp/szilard-07b-XXXXXX", command[128];
    int fd = mkstemp(path);
    SZ_REQUIRE(fd >= 0 && write(fd, data, n) == (ssize_t)n, SZ_E_IO, "cannot write %s", path);
    close(fd);
    snprintf(command, sizeof command, "xz -9e -c %s | wc -c", path);
    FILE *f = popen(command, "r");
    int got = f ? fscanf(f, "%lf", out) : 0;
    if (f)
        pclose(f);
    unlink(path);
    SZ_REQUIRE(got == 1 && *out > 0, SZ_E_NOTFOUND, "the comparison needs the program xz");
    return SZ_OK;
}

/* The first TEXT bytes of the files, which no model has read: this project's own. */
static sz_status read_own(const lab *l, const char *const *files) {
    size_t n = 0;
    for (; *files && n < TEXT; files++) {
        sz_buf b = {0};
        sz_status status = sz_file_read(*files, 1 << 24, &b);
        if (status != SZ_OK)
            return sz_fail_within(status, "run it in a checkout of the project");
        size_t part = b.len < TEXT - n ? b.len : TEXT - n;
        memcpy(l->data + n, b.data, part);
        n += part;
        sz_buf_free(&b);
    }
    SZ_REQUIRE(n == TEXT, SZ_E_FORMAT, "the project's own files are too short");
    return SZ_OK;
}

static const char *const prose[] = {"docs/bits.md", "docs/architecture.md", "docs/measuring.md",
                                    "docs/data.md", "docs/performance.md",  NULL};
static const char *const code[] = {"src/zip/mixing.c", "src/zip/slz_read.c", "src/decode/pass.c",
                                   NULL};

static sz_status lm_rows(sz_repro_run *run, const lab *l) {
    outcome alone, adaptive;
    double xz;
    SZ_TRY(read_own(l, prose));
    SZ_TRY(measure_xz(l->data, TEXT, &xz));
    SZ_TRY(measure(l, false, TEXT, false, &alone));
    SZ_TRY(measure(l, true, TEXT, false, &adaptive));
    sz_repro_check(run, "0.1 % + 16 B", alone.bytes - alone.bits / 8, "<=", 16 + alone.bits / 8000,
                   "size less the sum of surprisals, bytes");
    sz_repro_check(run, "0.55", adaptive.bytes / xz, "<=", 0.55, "prose: size by xz -9e");
    sz_repro_check(run, "1.6", adaptive.bytes * 8 / TEXT, "<=", 1.6, "prose: bits per byte");
    sz_repro_check(run, "+0.5 %", adaptive.bytes / alone.bytes, "<=", 1.005,
                   "prose: adaptive layer by the model alone");
    memcpy(l->data + REPEATED, l->data, REPEATED);
    SZ_TRY(measure(l, false, TEXT, false, &alone));
    SZ_TRY(measure(l, true, TEXT, false, &adaptive));
    sz_repro_check(run, "-15 %", adaptive.bytes / alone.bytes, "<=", 0.85,
                   "a text twice: adaptive layer by the model alone");
    SZ_TRY(read_own(l, code));
    SZ_TRY(measure_xz(l->data, TEXT, &xz));
    SZ_TRY(measure(l, true, TEXT, false, &adaptive));
    sz_repro_check(run, "0.75", adaptive.bytes / xz, "<=", 0.75, "source code: size by xz -9e");
    SZ_TRY(measure(l, true, 3000, true, &adaptive));
    sz_repro_check(run, "exact", adaptive.same, "==", 1, "3000 bytes of it come back");
    return SZ_OK;
}

static sz_status run_all(sz_repro_run *run) {
    lab l = {.data = sz_alloc(SOURCE)};
    SZ_REQUIRE(l.data, SZ_E_NOMEM, "no memory for %d bytes", SOURCE);
    sz_status status = bytes_rows(run, l.data);
    if (!run->smoke && status == SZ_OK) {
        char *path;
        sz_runtime_config config = {.size = sizeof config};
        status = run->find_model("smollm2", &path);
        if (status == SZ_OK) {
            status = sz_runtime_new(&config, &l.rt);
            if (status == SZ_OK)
                status = sz_model_open(l.rt, path, NULL, &l.model);
            free(path);
        }
        if (status == SZ_OK)
            status = lm_rows(run, &l);
    }
    sz_model_close(l.model);
    sz_runtime_free(l.rt);
    sz_free(l.data);
    return status;
}

const sz_repro sz_repro_07b = {"07b", run_all};
