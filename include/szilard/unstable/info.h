/* info.h: information of distributions, in nats. */
#ifndef SZILARD_INFO_H
#define SZILARD_INFO_H

#include <szilard/unstable/base.h>

/* Entropy and its kin of softmax(logits / temperature), one pass (card 00).
 * logits [n], finite or -infinity; SZ_E_NAN for NaN, +infinity or an empty support.
 * Nats and nats^2; |dH| <= 4e-6 against float64. Bits: identical everywhere. */
typedef struct sz_logit_stats {
    double log_sum_exp, entropy, varentropy;
    float max;
    int32_t argmax;
} sz_logit_stats;
SZ_API sz_status sz_logits_measure(const sz_runtime *rt, const float *logits, size_t n,
                                   float temperature, sz_logit_stats *out);

#endif
