/* trainer.h: a run of training, for the files that share it. */
#ifndef SZ_TRAIN_TRAINER_H
#define SZ_TRAIN_TRAINER_H

#include <szilard/unstable/train.h>

#include "model/learn.h"

struct sz_trainer {
    sz_runtime *rt;
    sz_model *model;
    sz_tokens tokens; /* borrowed */
    sz_train_config config;
    sz_optimiser *optimiser;
    sz_arena *arena;            /* of a round */
    uint64_t n_windows, n_held; /* for learning; for validation, after them */
    uint64_t steps;
    size_t arena_bytes;
    int32_t *ids, *targets; /* [batch * length] */
    uint32_t *position, *first;
};

#endif
