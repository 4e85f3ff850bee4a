/* zip_engine.h: which engine codes a file, which one a file asks for, and the model behind it. */
#ifndef SZ_CLI_ZIP_ENGINE_H
#define SZ_CLI_ZIP_ENGINE_H

#include "engine.h"
#include "zip_file.h"

/* The model that is open, kept from file to file. */
typedef struct sz_zip_model {
    const sz_zip_options *options;
    sz_engine engine;
    uint8_t digest[32];
} sz_zip_model;

/* The engine of that name, to code with: NULL or "bytes", else a model, which it borrows. */
sz_status sz_zip_engine_named(sz_zip_model *m, const char *name, sz_predictor *out);
/* Bits per byte of data from `known` to n, with what comes before known to the engine. */
sz_status sz_zip_engine_rate(const sz_predictor *p, const uint8_t *data, size_t n, size_t known,
                             double *bits);
/* The one that is best for a file of n_file bytes (UINT64_MAX: unknown) that begins with data [n].
 */
sz_status sz_zip_engine_auto(sz_zip_model *m, const uint8_t *data, size_t n, uint64_t n_file,
                             sz_predictor *out);
/* An sz_slz_open_fn; user: the sz_zip_model. */
sz_status sz_zip_engine_open(void *user, uint8_t engine, const uint8_t *about, size_t n_about,
                             sz_predictor *out);
void sz_zip_model_close(sz_zip_model *m);

/* zip_circuits.c. The circuit that NAME means, *path: free(); NULL where it means none. */
sz_status sz_zip_circuit_named(const char *name, char **path);
/* The circuit among the models of this machine that a compressed file names. */
sz_status sz_zip_circuit_known(const sz_zip_options *o, const uint8_t *about, size_t n_about,
                               sz_predictor *out);
/* Replaces *out by the circuit that codes the second half of data in fewer than *bits per byte, if
 * there is one among the models of this machine whose records fit the file. */
sz_status sz_zip_circuit_best(const sz_zip_options *o, const uint8_t *data, size_t n,
                              uint64_t n_file, double *bits, sz_predictor *out);

#endif
