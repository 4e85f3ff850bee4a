/* zip_circuits.c: circuits among the models of this machine: by name, by digest, by what a file
 * looks like. */
#include "paths.h"
#include "signals.h"
#include "store.h"
#include "zip_engine.h"
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/circuit_file.h>
#include <szilard/unstable/gguf.h>

/* Whether the file is a circuit, and over how many variables. */
static bool is_circuit(const char *path, uint32_t *n_vars) {
    sz_gguf *g;
    sz_str type = {0};
    if (sz_gguf_open(path, &g) != SZ_OK)
        return false;
    bool is = sz_gguf_get_str(g, "general.type", &type) == SZ_OK && type.n == 7 &&
              memcmp(type.s, "circuit", 7) == 0 &&
              sz_gguf_get_u32(g, "circuit.variables", n_vars) == SZ_OK && *n_vars > 0;
    sz_gguf_close(g);
    return is;
}

sz_status sz_zip_circuit_named(const char *name, char **path) {
    uint32_t n_vars;
    *path = NULL;
    if (sz_store_find(name, path) != SZ_OK) /* whoever opens the model tells what is wrong */
        return SZ_OK;
    if (!is_circuit(*path, &n_vars)) {
        free(*path);
        *path = NULL;
    }
    return SZ_OK;
}

static sz_status open_circuit(const sz_zip_options *o, const char *path, sz_predictor *out) {
    return sz_predictor_circuit_new(path, o->threads ? o->threads : 1, sz_interrupted, out);
}

sz_status sz_zip_circuit_known(const sz_zip_options *o, const uint8_t *about, size_t n_about,
                               sz_predictor *out) {
    sz_local_models all;
    uint32_t n_vars;
    SZ_TRY(sz_store_scan(&all));
    bool found = false;
    for (size_t i = 0; i < all.n && !found; i++) {
        if (!is_circuit(all.v[i].path, &n_vars) || open_circuit(o, all.v[i].path, out) != SZ_OK)
            continue;
        found = sz_predictor_circuit_check(out, about, n_about) == SZ_OK;
        if (!found)
            sz_predictor_free(out);
    }
    sz_store_free(&all);
    char wanted[65] = "";
    if (n_about == 32)
        sz_hex(about, 32, wanted);
    SZ_REQUIRE(found, SZ_E_NOTFOUND,
               "was coded with the circuit %s, which is not among the models of this machine: name "
               "its file with -m",
               wanted);
    return SZ_OK;
}

sz_status sz_zip_circuit_best(const sz_zip_options *o, const uint8_t *data, size_t n,
                              uint64_t n_file, double *bits, sz_predictor *out) {
    sz_local_models all;
    uint32_t n_vars;
    SZ_TRY(sz_store_scan(&all));
    for (size_t i = 0; i < all.n; i++) {
        sz_predictor p;
        double rate;
        if (!is_circuit(all.v[i].path, &n_vars) ||
            !sz_predictor_circuit_fits(n_vars, data, n, n_file) ||
            open_circuit(o, all.v[i].path, &p) != SZ_OK)
            continue;
        /* A value that a circuit does not know is no error here: it is not the right one. */
        if (sz_zip_engine_rate(&p, data, n, n / 2, &rate) == SZ_OK && rate < *bits) {
            *bits = rate;
            sz_predictor_free(out);
            *out = p;
        } else {
            sz_predictor_free(&p);
        }
    }
    sz_store_free(&all);
    return SZ_OK;
}
