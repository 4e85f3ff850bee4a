/* lm_symbol.c: coding one token. */
#include "zip/lm_symbol.h"

#include <szilard/unstable/num.h>

#define ALL ((uint64_t)1 << 32)

static double bits_of(double share) {
    return -sz_log(share) / 0.69314718055994531;
}

sz_status sz_lm_frequencies(const float *logits, size_t n_vocab, uint32_t *freq) {
    SZ_TRY(sz_freq_from_logits(logits, n_vocab, freq));
    uint32_t largest = 0;
    for (size_t i = 0; i < n_vocab; i++)
        largest = freq[i] > largest ? freq[i] : largest;
    size_t most = 0; /* the first with 2^32 / n_vocab or more, so that it can give some away */
    while (freq[most] != largest)
        most++;
    freq[most] -= SZ_LM_ESCAPE_FREQ;
    freq[n_vocab] = SZ_LM_ESCAPE_FREQ;
    return SZ_OK;
}

sz_lm_place sz_lm_place_find(const uint32_t *freq, size_t n_vocab, int32_t symbol,
                             int32_t candidate) {
    sz_lm_place p = {.symbol = symbol, .candidate = candidate, .freq = freq[symbol]};
    for (int32_t i = 0; i < symbol; i++)
        p.cum += freq[i];
    if (candidate >= 0)
        p.candidate_freq = freq[candidate];
    return p;
}

double sz_lm_encode(sz_range_encoder *e, sz_recall *recall, const sz_lm_place *p) {
    if (!recall || p->candidate < 0) {
        sz_range_encode_step(e, p->cum, p->freq);
        return bits_of((double)p->freq / (double)ALL);
    }
    uint64_t yes = (uint64_t)sz_recall_probability(recall, p->candidate_freq) << 16;
    bool right = p->symbol == p->candidate;
    sz_range_encode_step(e, right ? 0 : yes, right ? yes : ALL - yes);
    sz_recall_learn(recall, right);
    if (right)
        return bits_of((double)yes / (double)ALL);
    uint64_t total = ALL - p->candidate_freq;
    uint64_t cum = p->cum - (p->candidate < p->symbol ? p->candidate_freq : 0);
    sz_range_encode_of(e, cum, p->freq, total);
    return bits_of((double)(ALL - yes) / (double)ALL) + bits_of((double)p->freq / (double)total);
}

double sz_lm_encode_byte(sz_range_encoder *e, uint8_t byte) {
    sz_range_encode_step(e, (uint64_t)byte << 24, 1 << 24);
    return 8;
}

int32_t sz_lm_decode(sz_range_decoder *d, sz_recall *recall, uint32_t *freq, size_t n_vocab) {
    int32_t candidate = recall ? sz_recall_candidate(recall) : -1;
    uint64_t total = ALL;
    if (candidate >= 0) {
        uint64_t yes = (uint64_t)sz_recall_probability(recall, freq[candidate]) << 16;
        bool right = sz_range_decode_place(d) < yes;
        sz_range_decode_step(d, right ? 0 : yes, right ? yes : ALL - yes);
        sz_recall_learn(recall, right);
        if (right)
            return candidate;
        total -= freq[candidate];
        freq[candidate] = 0;
    }
    uint64_t cum;
    size_t i = sz_range_find(freq, n_vocab + 1, sz_range_decode_place_of(d, total), &cum);
    sz_range_decode_of(d, cum, freq[i], total);
    return (int32_t)i;
}

uint8_t sz_lm_decode_byte(sz_range_decoder *d) {
    uint8_t byte = (uint8_t)(sz_range_decode_place(d) >> 24);
    sz_range_decode_step(d, (uint64_t)byte << 24, 1 << 24);
    return byte;
}
