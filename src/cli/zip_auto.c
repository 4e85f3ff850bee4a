/* zip_auto.c: -m auto: the engine that codes a sample of the file in fewer bytes. */
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
    sz_status status = p->kind->encode(p->self, &s, 1);
    *out = s.code.len;
    sz_buf_free(&s.code);
    return status;
}

/* What the byte engine takes for the last n bytes, with the ones before them known. */
static sz_status length_after(const sz_predictor *p, const uint8_t *data, size_t n_data, size_t n,
                              size_t *out) {
    size_t all, before;
    SZ_TRY(code_length(p, data, n_data, &all));
    SZ_TRY(code_length(p, data, n_data - n, &before));
    *out = all > before ? all - before : 0;
    return SZ_OK;
}

static bool has_model(void) {
    char *path;
    bool found = sz_store_find(model_name, &path) == SZ_OK;
    if (found)
        free(path);
    return found;
}

sz_status sz_zip_engine_auto(sz_zip_model *m, const uint8_t *data, size_t n, uint64_t n_file,
                             sz_predictor *out) {
    size_t sample = n < SAMPLE ? n : SAMPLE, by_bytes, by_model;
    sz_predictor bytes, lm = {0};
    SZ_TRY(sz_zip_engine_named(m, NULL, &bytes));
    *out = bytes;
    if (n == 0 || n_file > MOST_BYTES || !is_text(data, n) || !has_model())
        return SZ_OK;
    sz_status status = length_after(&bytes, data, n, sample, &by_bytes);
    if (status == SZ_OK)
        status = sz_zip_engine_named(m, model_name, &lm);
    if (status == SZ_OK)
        status = code_length(&lm, data + n - sample, sample, &by_model);
    if (status != SZ_OK || by_model >= by_bytes) {
        sz_predictor_free(&lm);
        return status;
    }
    sz_predictor_free(&bytes);
    *out = lm;
    return SZ_OK;
}
