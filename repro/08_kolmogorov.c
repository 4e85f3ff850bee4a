/* 08_kolmogorov.c: the KoLMogorov test on scripts from the paper's kind of distribution: how short
 * programs get by search, beside the scripts themselves. */
#include "repro.h"

#include <string.h>
#include <szilard/unstable/kt.h>
#include <szilard/unstable/num.h>

typedef struct totals {
    double bytes, script_bits, linear, full; /* bits but for bytes */
    size_t sequences, wrong;
} totals;

/* Bits of the shortest program that is found; counts it where it does not make the string. */
static sz_status search(const sz_buf *x, sz_kt_effort effort, size_t *wrong, double *bits) {
    sz_kt_program p, q;
    sz_buf code = {0}, out = {0};
    SZ_TRY(sz_kt_search((const uint8_t *)x->data, x->len, effort, &p));
    uint64_t n = sz_kt_bits(&p);
    sz_status status = sz_kt_encode(&p, &code);
    if (status == SZ_OK)
        status = sz_kt_decode((const uint8_t *)code.data, n, UINT32_MAX, &q, NULL);
    if (status == SZ_OK) { /* what was written is what is run */
        status = sz_kt_eval(&q, &out);
        sz_kt_program_free(&q);
    }
    *wrong += status != SZ_OK || out.len != x->len || memcmp(out.data, x->data, x->len) != 0;
    *bits += (double)n;
    sz_kt_program_free(&p);
    sz_buf_free(&code);
    sz_buf_free(&out);
    return status;
}

static sz_status add_sequence(const sz_repro_run *run, uint64_t index, totals *t) {
    sz_buf text = {0}, x = {0}, again = {0};
    double bits = 0;
    sz_status status = sz_kt_script_generate(run->seed, index, &text, &x);
    if (status == SZ_OK)
        status = sz_kt_script_run(text.data, text.len, false, &again, &bits);
    if (status == SZ_OK) {
        t->wrong += again.len != x.len || memcmp(again.data, x.data, x.len) != 0;
        t->script_bits += bits;
        t->bytes += (double)x.len;
        t->sequences++;
        status = search(&x, SZ_KT_LINEAR, &t->wrong, &t->linear);
    }
    if (status == SZ_OK && !run->smoke)
        status = search(&x, SZ_KT_FULL, &t->wrong, &t->full);
    sz_buf_free(&text);
    sz_buf_free(&x);
    sz_buf_free(&again);
    return status;
}

static sz_status scripts(sz_repro_run *run) {
    size_t n = run->smoke ? 20 : 400;
    totals t = {0};
    for (uint64_t i = 0; i < n; i++)
        SZ_TRY(add_sequence(run, i, &t));
    double raw = 8 * t.bytes;
    sz_repro_check(run, "100 %", (double)t.wrong, "==", 0,
                   "%zu scripts: programs and scripts that do not make their string", n);
    sz_repro_check(run, "73", t.bytes / (double)t.sequences, "<=", 100, "mean length, bytes");
    sz_repro_check(run, "0.325", t.script_bits / raw, "<=", 0.45,
                   "the scripts at the uniform prior, share of the bytes");
    sz_repro_check(run, "0.47", t.linear / raw, "<=", run->smoke ? 0.60 : 0.50,
                   "shortest programs without ILV, share of the bytes");
    if (run->smoke)
        return SZ_OK;
    sz_repro_check(run, "<= 0.93", t.full / t.linear, "<=", 0.93,
                   "shortest programs with ILV, share of those without");
    sz_repro_check(run, "<= 0.44", t.full / raw, "<=", 0.44,
                   "shortest programs, share of the bytes");
    return SZ_OK;
}

static sz_status random_bytes(sz_repro_run *run) {
    enum { N = 256, STRINGS = 50 };
    double bits = 0;
    size_t wrong = 0;
    for (uint64_t i = 0; i < STRINGS; i++) {
        sz_buf x = {0};
        for (uint64_t j = 0; j < N; j++)
            sz_buf_putc(&x, (char)(int)(sz_uniform(run->seed, 800 + i, j) * 256));
        sz_status status = search(&x, SZ_KT_LINEAR, &wrong, &bits);
        sz_buf_free(&x);
        SZ_TRY(status);
    }
    sz_repro_check(run, "<= 1.03", bits / (8.0 * N * STRINGS), "<=", 1.03,
                   "random strings of 256 bytes: programs, share of the bytes");
    sz_repro_check(run, "100 %", (double)wrong, "==", 0, "random bytes: programs that are wrong");
    return SZ_OK;
}

static sz_status run_all(sz_repro_run *run) {
    SZ_TRY(scripts(run));
    return random_bytes(run);
}

const sz_repro sz_repro_08 = {"08", run_all};
