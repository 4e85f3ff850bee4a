/* circuit_code.c: records to bytes and back by the circuit's conditionals.
 *
 * Value x of a variable owns [c(x), c(x + 1)) of 2^32, c(x) = x + floor(F(x) (2^32 - K)), where
 * F(x) is the probability of all values below x. As each emission's running sum only rises with x,
 * so does F in floating point too: every value has a share of one unit at least, an encoder needs
 * two products over hidden states and a decoder log2 K of them, never the whole distribution. */
#include <szilard/unstable/code.h>

#include "circuit_filter.h"
#include "num/dot.h"

enum { IN_STEP = 64 }; /* part of the format */

struct sz_pc_coder {
    const sz_pc *pc;
    const sz_kernels *k;
    double *below; /* [n_vars][K + 1][width]: P(X_v < x | Z_v) */
};

static size_t below_bytes(const sz_pc *pc) {
    return pc->shape.n_vars * (pc->shape.n_categories + 1) * pc->width * sizeof(double);
}

sz_status sz_pc_coder_new(sz_runtime *rt, const sz_pc *pc, sz_pc_coder **out) {
    size_t rows = pc->shape.n_categories + 1, width = pc->width;
    sz_pc_coder *c = sz_calloc(1, sizeof *c);
    if (c) {
        c->pc = pc;
        c->below = sz_alloc_pages(below_bytes(pc));
    }
    if (!c || !c->below) {
        sz_pc_coder_free(c);
        return sz_fail(SZ_E_NOMEM, "no memory to code %zu variables", pc->shape.n_vars);
    }
    c->k = sz_runtime_kernels(rt);
    for (size_t v = 0; v < pc->shape.n_vars; v++)
        for (size_t x = 0; x < pc->shape.n_categories; x++) {
            const double *emit = sz_pc_emit(pc, v, x);
            double *row = c->below + (v * rows + x) * width;
            for (size_t z = 0; z < width; z++)
                row[width + z] = row[z] + emit[z];
        }
    *out = c;
    return SZ_OK;
}

void sz_pc_coder_free(sz_pc_coder *coder) {
    if (!coder)
        return;
    sz_free_pages(coder->below, below_bytes(coder->pc));
    sz_free(coder);
}

/* c(x) */
static uint64_t start_of(const sz_pc_coder *c, size_t v, size_t x, const double *prior) {
    size_t k = c->pc->shape.n_categories;
    if (x == 0 || x == k)
        return x ? (uint64_t)1 << 32 : 0;
    double share = sz_dot(prior, c->below + (v * (k + 1) + x) * c->pc->width, c->pc->width);
    double all = (double)(((uint64_t)1 << 32) - k);
    return x + (uint64_t)((share < 1 ? share : 1) * all);
}

/* ---- Encoder --------------------------------------------------------------------------------- */

static sz_status encode_value(const sz_pc_coder *c, sz_range_encoder *e, size_t v, int32_t value,
                              const double *prior) {
    size_t x = (size_t)value;
    SZ_REQUIRE(sz_dot(prior, sz_pc_emit(c->pc, v, x), c->pc->width) > 0, SZ_E_ARG,
               "column %zu: unencodable symbol: the circuit gives the value %d probability zero", v,
               value);
    uint64_t from = start_of(c, v, x, prior), to = start_of(c, v, x + 1, prior);
    if (c->pc->shape.n_categories > 1)
        sz_range_encode(e, (uint32_t)from, (uint32_t)(to - from));
    return SZ_OK;
}

/* Rows first .. first + n - 1 of x. */
static sz_status encode_group(const sz_pc_coder *c, sz_pc_filter *f, const int32_t *x, size_t first,
                              size_t n, sz_range_encoder *e) {
    size_t d = c->pc->shape.n_vars;
    x += first * d;
    for (int64_t v = (int64_t)sz_pc_filter_begin(f, n); v >= 0;) {
        for (size_t s = 0; s < n; s++) {
            int32_t value = x[s * d + (size_t)v];
            if (value == SZ_PC_MISSING)
                continue;
            sz_status status = encode_value(c, e, (size_t)v, value, f->prior + s * c->pc->width);
            if (status != SZ_OK)
                return sz_fail_within(status, "row %zu", first + s);
        }
        v = sz_pc_filter_take(f, x + v, d);
    }
    return SZ_OK;
}

sz_status sz_pc_encode(const sz_pc_coder *coder, const int32_t *x, size_t n, sz_buf *out) {
    sz_pc_filter f;
    sz_range_encoder e;
    sz_status status = SZ_OK;
    SZ_TRY(sz_pc_check_records(&coder->pc->shape, x, n, true));
    SZ_TRY(sz_pc_filter_new(coder->pc, coder->k, IN_STEP, &f));
    sz_range_encode_begin(&e, out);
    for (size_t at = 0; at < n && status == SZ_OK; at += IN_STEP)
        status = encode_group(coder, &f, x, at, n - at < IN_STEP ? n - at : IN_STEP, &e);
    sz_range_encode_end(&e);
    sz_pc_filter_free(&f);
    SZ_TRY(status);
    SZ_REQUIRE(!out->failed, SZ_E_NOMEM, "no memory for the code of %zu records", n);
    return SZ_OK;
}

/* ---- Decoder --------------------------------------------------------------------------------- */

static int32_t decode_value(const sz_pc_coder *c, sz_range_decoder *d, size_t v,
                            const double *prior) {
    size_t low = 0, high = c->pc->shape.n_categories;
    if (high == 1)
        return 0;
    uint32_t target = sz_range_decode_target(d);
    uint64_t from = 0, to = (uint64_t)1 << 32;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        uint64_t at = start_of(c, v, middle, prior);
        if (at <= target) {
            low = middle;
            from = at;
        } else {
            high = middle;
            to = at;
        }
    }
    sz_range_decode_take(d, (uint32_t)from, (uint32_t)(to - from));
    return (int32_t)low;
}

static void decode_group(const sz_pc_coder *c, sz_pc_filter *f, sz_range_decoder *d, int32_t *x,
                         size_t n) {
    size_t n_vars = c->pc->shape.n_vars;
    for (int64_t v = (int64_t)sz_pc_filter_begin(f, n); v >= 0;) {
        for (size_t s = 0; s < n; s++) {
            int32_t *value = &x[s * n_vars + (size_t)v];
            if (*value != SZ_PC_MISSING)
                *value = decode_value(c, d, (size_t)v, f->prior + s * c->pc->width);
        }
        v = sz_pc_filter_take(f, x + v, n_vars);
    }
}

sz_status sz_pc_decode(const sz_pc_coder *coder, const uint8_t *code, size_t n_code, int32_t *x,
                       size_t n) {
    sz_pc_filter f;
    sz_range_decoder d;
    SZ_TRY(sz_pc_filter_new(coder->pc, coder->k, IN_STEP, &f));
    sz_range_decode_begin(&d, code, n_code);
    for (size_t at = 0; at < n; at += IN_STEP)
        decode_group(coder, &f, &d, x + at * coder->pc->shape.n_vars,
                     n - at < IN_STEP ? n - at : IN_STEP);
    sz_pc_filter_free(&f);
    return SZ_OK;
}
