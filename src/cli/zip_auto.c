/* zip_auto.c: -m auto: the engine that codes a sample of the file in fewer bytes: bytes, the small
 * language model for texts, the circuits of this machine for records. */
#include "paths.h"
#include "signals.h"
#include "store.h"
#include "zip/lm.h"
#include "zip_engine.h"
#include <stdlib.h>
#include <string.h>

enum { SAMPLE = 3072, MOST_BYTES = 4 << 20 };
static const char model_name[] = "smollm2";

/* Text as language models have read it: hardly any control character, and valid UTF-8 but for a
 * character that the end cuts. */
static bool is_text(const uint8_t *data, size_t n) {
    sz_buf clean = {0};
    size_t control = 0;
    for (size_t i = 0; i < n; i++)
        control += data[i] < 32 && !strchr("\t\n\r\f", data[i]);
    bool valid = sz_utf8_clean((const char *)data, sz_utf8_complete((const char *)data, n), &clean);
    sz_buf_free(&clean);
    return valid && control == 0;
}

static sz_status code_length(const sz_predictor *p, const uint8_t *data, size_t n, size_t *out) {
    sz_segment s = {.data = (uint8_t *)data, .n = n};
    if (p->kind->begin)
        p->kind->begin(p->self);
    sz_status status = p->kind->encode(p->self, &s, 1);
    *out = s.code.len;
    sz_buf_free(&s.code);
    return status;
}

sz_status sz_zip_engine_rate(const sz_predictor *p, const uint8_t *data, size_t n, size_t known,
                             double *bits) {
    size_t all, before = 0;
    SZ_TRY(code_length(p, data, n, &all));
    if (known > 0)
        SZ_TRY(code_length(p, data, known, &before));
    *bits = all > before && n > known ? 8.0 * (double)(all - before) / (double)(n - known) : 0;
    return SZ_OK;
}

static bool has_model(void) {
    char *path;
    bool found = sz_store_find(model_name, &path) == SZ_OK;
    if (found)
        free(path);
    return found;
}

/* Whether the language model, in the middle of nowhere, takes fewer bits than the byte engine does
 * with all that comes before the sample. */
static sz_status try_model(sz_zip_model *m, const uint8_t *data, size_t n, double bits,
                           sz_predictor *out) {
    size_t sample = n < SAMPLE ? n : SAMPLE;
    double by_model;
    sz_predictor lm = {0};
    SZ_TRY(sz_zip_engine_named(m, model_name, &lm));
    sz_status status = sz_zip_engine_rate(&lm, data + n - sample, sample, 0, &by_model);
    if (status != SZ_OK || by_model >= bits) {
        sz_predictor_free(&lm);
        return status;
    }
    sz_predictor_free(out);
    *out = lm;
    return SZ_OK;
}

sz_status sz_zip_engine_auto(sz_zip_model *m, const uint8_t *data, size_t n, uint64_t n_file,
                             sz_predictor *out) {
    size_t sample = n < SAMPLE ? n : SAMPLE;
    double bits;
    SZ_TRY(sz_zip_engine_named(m, NULL, out));
    if (n == 0)
        return SZ_OK;
    bool text = n_file <= MOST_BYTES && is_text(data, n) && has_model();
    sz_status status = sz_zip_engine_rate(out, data, n, text ? n - sample : n / 2, &bits);
    if (status == SZ_OK)
        status = text ? try_model(m, data, n, bits, out)
                      : sz_zip_circuit_best(m->options, data, n, n_file, &bits, out);
    if (status != SZ_OK)
        sz_predictor_free(out);
    return status;
}
