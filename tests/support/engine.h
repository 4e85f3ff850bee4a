/* engine.h: a runtime with one model, as nearly every test of the engine needs it. */
#ifndef SZ_TESTS_ENGINE_H
#define SZ_TESTS_ENGINE_H

#include <szilard/unstable/model.h>

#include "tiny_model.h"

typedef struct engine {
    sz_runtime *rt;
    sz_model *model;
} engine;

/* threads 0: 1; isa NULL: the best one. Close in any case. */
sz_status engine_open(const char *path, int threads, const char *isa, engine *out);
sz_status engine_open_tiny(const tiny_model *config, int threads, const char *isa, engine *out);
void engine_close(engine *e);

/* n ids below n_vocab that depend on the seed alone. */
void random_ids(uint64_t seed, uint32_t n_vocab, int32_t *ids, size_t n);

/* A tiny model of each architecture, two of them with an attention window shorter than a block. */
extern const tiny_model every_architecture[];
extern const size_t n_architectures;

#endif
