/* learn.h: models whose weights are floats that learn. */
#ifndef SZ_MODEL_LEARN_H
#define SZ_MODEL_LEARN_H

#include "model.h"

/* As sz_model_open, but every weight is a tensor with a gradient, listed in m->learned, and passes
 * have no cache (sz_pass). Weights of any format are read as floats. */
sz_status sz_model_open_learning(sz_runtime *rt, const char *path, sz_model **out);
/* The model with the metadata of its file, weights as they are now, in F32. name: NULL keeps the
 * old one; values: instead of the tensors' own, or NULL. */
sz_status sz_model_save_learned(const sz_model *m, const char *name, const float *const *values,
                                const char *path);

#endif
