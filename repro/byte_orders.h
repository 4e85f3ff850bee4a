/* byte_orders.h: text models that need no file: bytes after their last k, for k up to 4 at once,
 * smoothed as Witten and Bell do (1991). Foils for experiments with two models. */
#ifndef SZ_REPRO_BYTE_ORDERS_H
#define SZ_REPRO_BYTE_ORDERS_H

#include <szilard/unstable/base.h>

enum { SZ_BYTE_ORDERS = 5 }; /* 0 to 4 */

/* What a model of each order says about a byte, nats. */
typedef struct sz_byte_figures {
    double entropy[SZ_BYTE_ORDERS], surprisal[SZ_BYTE_ORDERS];
} sz_byte_figures;

/* Learns text [n_train] and judges text [n_train, n_train + n): out [n]. */
sz_status sz_byte_orders_judge(const uint8_t *text, size_t n_train, size_t n, sz_byte_figures *out);
/* Fills text [n] with passages of different kinds: sentences of made-up words, lists, indented
 * programs, tables of numbers. */
void sz_byte_orders_write(uint64_t seed, uint8_t *text, size_t n);

#endif
