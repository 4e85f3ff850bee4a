/* zip_engine.c: engines by name and by their number in a file. */
#include "zip_engine.h"
#include "signals.h"
#include <string.h>

static sz_status open_bytes(const sz_zip_options *o, sz_predictor *out) {
    return sz_predictor_bytes_new(o->threads ? o->threads : 1, sz_interrupted, out);
}

sz_status sz_zip_engine_choose(const sz_zip_options *o, sz_predictor *out) {
    SZ_REQUIRE(!o->model || strcmp(o->model, "bytes") == 0, SZ_E_ARG,
               "there is no engine or model '%s'; 'bytes' needs none", o->model);
    return open_bytes(o, out);
}

sz_status sz_zip_engine_open(void *user, uint8_t engine, const uint8_t *about, size_t n_about,
                             sz_predictor *out) {
    SZ_REQUIRE(engine == SZ_PREDICTOR_BYTES, SZ_E_UNSUPPORTED,
               "the file was coded with engine %d, which this program does not know", engine);
    return open_bytes(user, out);
}
