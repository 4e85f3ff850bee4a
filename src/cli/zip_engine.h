/* zip_engine.h: which engine codes a file, and which one a file asks for. */
#ifndef SZ_CLI_ZIP_ENGINE_H
#define SZ_CLI_ZIP_ENGINE_H

#include "zip_file.h"

/* The engine that -m names, to code with. */
sz_status sz_zip_engine_choose(const sz_zip_options *options, sz_predictor *out);
/* An sz_slz_open_fn; user: the sz_zip_options. */
sz_status sz_zip_engine_open(void *user, uint8_t engine, const uint8_t *about, size_t n_about,
                             sz_predictor *out);

#endif
