/* propose.h: a language model proposes scripts for a string (card 08, section 4.5): it reads what
 * the functions do and four solved examples, and writes under a grammar, so that nothing but the
 * dialect can come out. Only running them counts. */
#ifndef SZ_ZIP_PROPOSE_H
#define SZ_ZIP_PROPOSE_H

#include <szilard/unstable/kt.h>
#include <szilard/unstable/model.h>

typedef struct sz_proposer sz_proposer;

enum { SZ_PROPOSE_MOST = 512 /* bytes of a string */, SZ_PROPOSE_MOST_SCRIPTS = 64 };

/* Asks for n_scripts at a time. The model is borrowed. */
sz_status sz_proposer_new(sz_model *model, size_t n_scripts, sz_proposer **out);
void sz_proposer_free(sz_proposer *p);
/* Scripts for x [n], n <= SZ_PROPOSE_MOST, drawn with the seed; *texts [*n_texts] live until the
 * next call. Most do not make the string. */
sz_status sz_propose(sz_proposer *p, const uint8_t *x, size_t n, uint64_t seed,
                     const sz_kt_text **texts, size_t *n_texts);

#endif
