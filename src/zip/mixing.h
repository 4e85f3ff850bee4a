/* mixing.h: a model of bytes that needs no training: contexts of several lengths predict each bit,
 * and their predictions are mixed (Mahoney's logistic mixing). Integers only, so that the same
 * bytes come out of every machine. */
#ifndef SZ_ZIP_MIXING_H
#define SZ_ZIP_MIXING_H

#include <szilard/unstable/base.h>

typedef struct sz_mixing sz_mixing;

/* For up to n_bytes of text: memory grows with them up to sz_mixing_bytes. Not for threads at once.
 */
sz_status sz_mixing_new(size_t n_bytes, sz_mixing **out);
void sz_mixing_free(sz_mixing *m);
/* Asked now and then while coding; where it says true, coding ends with SZ_E_CANCELLED. */
void sz_mixing_set_stop(sz_mixing *m, bool (*stop)(void));
/* Bytes that a model for n_bytes of text holds. */
size_t sz_mixing_bytes(size_t n_bytes);

/* Appends the code of data [n], n <= the model's n_bytes, to out. The model starts afresh. */
sz_status sz_mixing_encode(sz_mixing *m, const uint8_t *data, size_t n, sz_buf *out);
/* Any code gives n bytes; a checksum must tell whether they are the right ones. */
sz_status sz_mixing_decode(sz_mixing *m, const uint8_t *code, size_t n_code, uint8_t *data,
                           size_t n);

#endif
