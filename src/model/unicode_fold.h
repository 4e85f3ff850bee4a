/* unicode_fold.h: what uncased WordPiece does to letters before it looks them up. */
#ifndef SZ_MODEL_UNICODE_FOLD_H
#define SZ_MODEL_UNICODE_FOLD_H

#include <stdint.h>

/* Canonical decomposition of cp without its marks, in lower case: 1 to 3 code points in out[3]. A
 * mark itself is returned as it is. */
int sz_unicode_fold(uint32_t cp, uint32_t *out);

#endif
