/* grammar_masks.h: which tokens a grammar allows in a state, remembered. */
#ifndef SZ_DECODE_GRAMMAR_MASKS_H
#define SZ_DECODE_GRAMMAR_MASKS_H

#include <szilard/unstable/grammar.h>

typedef struct sz_grammar_masks sz_grammar_masks; /* its owners must stay on one thread */

/* Takes the grammar over, also on failure. */
sz_status sz_grammar_masks_new(const sz_model *model, sz_grammar *grammar, sz_grammar_masks **out);
void sz_grammar_masks_share(sz_grammar_masks *m);   /* one owner more */
void sz_grammar_masks_release(sz_grammar_masks *m); /* one owner less; NULL is fine */
const sz_grammar *sz_grammar_masks_grammar(const sz_grammar_masks *m);

/* Bit i of *bits, borrowed until the next call: token i may come next. */
sz_status sz_grammar_masks_find(sz_grammar_masks *m, uint32_t state, const uint64_t **bits);
/* The state after a token; SZ_GRAMMAR_DEAD where the grammar does not know it. */
sz_status sz_grammar_masks_follow(sz_grammar_masks *m, int32_t id, uint32_t *state);

#endif
