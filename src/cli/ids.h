/* ids.h: token ids as people and programs write them. */
#ifndef SZ_CLI_IDS_H
#define SZ_CLI_IDS_H

#include <szilard/unstable/base.h>

/* A JSON array of ids, an object with one under "ids" (what `tokenize --json` prints), or numbers
 * with blanks or commas between them. Errors name `source`, the position and the id; each must be
 * below n_vocab. *ids: sz_free; never NULL on success. */
sz_status sz_ids_parse(const char *source, const char *text, size_t n_text, uint32_t n_vocab,
                       int32_t **ids, size_t *n_ids);

#endif
