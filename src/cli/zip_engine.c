/* zip_engine.c: engines by name and by their number in a file. */
#include "zip_engine.h"
#include "paths.h"
#include "signals.h"
#include "zip/lm.h"
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/gguf.h>

static sz_status open_bytes(const sz_zip_options *o, sz_predictor *out) {
    return sz_predictor_bytes_new(o->threads ? o->threads : 1, sz_interrupted, out);
}

static sz_status open_kt(const sz_zip_options *o, sz_predictor *out) {
    return sz_predictor_kt_new(o->threads ? o->threads : 1, sz_interrupted, out);
}

/* ---- Models ---------------------------------------------------------------------------------- */

static sz_status digest_file(const char *path, uint8_t out[32]) {
    sz_map map;
    sz_sha256 h;
    SZ_TRY(sz_map_open(path, &map));
    sz_sha256_init(&h);
    sz_sha256_update(&h, map.data, map.size);
    sz_sha256_final(&h, out);
    sz_map_close(&map);
    return SZ_OK;
}

static sz_status open_model(sz_zip_model *m, const char *name) {
    if (m->engine.model)
        return SZ_OK;
    sz_engine_options options = {.model = name, .threads = m->options->threads};
    SZ_TRY(sz_engine_open(&options, &m->engine));
    return digest_file(m->engine.path, m->digest);
}

void sz_zip_model_close(sz_zip_model *m) {
    sz_engine_close(&m->engine);
}

/* The name under which another machine looks for the model: that of its file. */
static sz_status choose_lm(sz_zip_model *m, const char *name, sz_predictor *out) {
    sz_lm_about about;
    const sz_zip_options *o = m->options;
    SZ_TRY(open_model(m, name));
    SZ_TRY(sz_lm_about_make(m->engine.model, o->context, !o->plain, m->digest,
                            sz_path_base(m->engine.path), &about));
    SZ_TRY(sz_predictor_lm_new(m->engine.model, m->engine.rt, &about, out));
    sz_predictor_lm_split(out, o->segments);
    return SZ_OK;
}

static sz_status open_lm(sz_zip_model *m, const uint8_t *bytes, size_t n, sz_predictor *out) {
    sz_lm_about about;
    char wanted[65], there[65];
    SZ_TRY(sz_lm_about_read(bytes, n, &about));
    sz_hex(about.digest, 32, wanted);
    sz_status status = open_model(m, m->options->model ? m->options->model : about.name);
    if (status != SZ_OK)
        return sz_fail_within(status, "needs the model %s (SHA-256 %s)", about.name, wanted);
    sz_hex(m->digest, 32, there);
    SZ_REQUIRE(memcmp(m->digest, about.digest, 32) == 0, SZ_E_ARG,
               "was coded with the model %s, SHA-256 %s; %s is another one, SHA-256 %s: name the "
               "right one with -m",
               about.name, wanted, m->engine.path, there);
    return sz_predictor_lm_new(m->engine.model, m->engine.rt, &about, out);
}

/* ---- Circuits -------------------------------------------------------------------------------- */

static sz_status open_circuit(const sz_zip_options *o, const uint8_t *about, size_t n_about,
                              sz_predictor *out) {
    char *path = NULL;
    if (o->model)
        SZ_TRY(sz_zip_circuit_named(o->model, &path));
    if (!o->model || strcmp(o->model, "auto") == 0)
        return sz_zip_circuit_known(o, about, n_about, out);
    SZ_REQUIRE(path, SZ_E_ARG, "it was coded with a circuit: -m %s is none", o->model);
    sz_status status =
        sz_predictor_circuit_new(path, o->threads ? o->threads : 1, sz_interrupted, out);
    free(path);
    SZ_TRY(status);
    status = sz_predictor_circuit_check(out, about, n_about);
    if (status != SZ_OK)
        sz_predictor_free(out);
    return status;
}

/* ---- By name and by number ------------------------------------------------------------------- */

sz_status sz_zip_engine_named(sz_zip_model *m, const char *name, sz_predictor *out) {
    if (!name || strcmp(name, "bytes") == 0)
        return open_bytes(m->options, out);
    if (strcmp(name, "kt") == 0)
        return open_kt(m->options, out);
    char *circuit;
    SZ_TRY(sz_zip_circuit_named(name, &circuit));
    if (!circuit)
        return choose_lm(m, name, out);
    const sz_zip_options *o = m->options;
    sz_status status =
        sz_predictor_circuit_new(circuit, o->threads ? o->threads : 1, sz_interrupted, out);
    free(circuit);
    return status;
}

sz_status sz_zip_engine_open(void *user, uint8_t engine, const uint8_t *about, size_t n_about,
                             sz_predictor *out) {
    sz_zip_model *m = user;
    switch (engine) {
    case SZ_PREDICTOR_BYTES:
        return open_bytes(m->options, out);
    case SZ_PREDICTOR_LM:
        return open_lm(m, about, n_about, out);
    case SZ_PREDICTOR_KT:
        return open_kt(m->options, out);
    case SZ_PREDICTOR_CIRCUIT:
        return open_circuit(m->options, about, n_about, out);
    default:
        return sz_fail(SZ_E_UNSUPPORTED,
                       "the file was coded with engine %d, which this program does not know",
                       engine);
    }
}
