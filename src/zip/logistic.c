/* logistic.c: tables of the logistic function, from the integer exponentials of the range coder. */
#include "zip/logistic.h"

#include <pthread.h>
#include <szilard/unstable/code.h>

uint16_t sz_squash_table[4096];
int16_t sz_stretch_table[4096];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill(void) {
    size_t n;
    const uint64_t *exp_minus = sz_freq_weights(&n); /* 2^32 exp(-k / 1024) */
    for (int x = 0; x < 2048; x++) {
        uint64_t p = ((uint64_t)1 << 48) / (((uint64_t)1 << 32) + exp_minus[4 * x]);
        p = p > 65535 ? 65535 : p;
        sz_squash_table[2048 + x] = (uint16_t)p;
        sz_squash_table[2048 - x] = (uint16_t)(65536 - p);
    }
    sz_squash_table[0] = sz_squash_table[1];
    int x = -2047;
    for (int p = 0; p < 4096; p++) {
        while (x < 2047 && sz_squash_table[x + 2048] < p * 16 + 8)
            x++;
        sz_stretch_table[p] = (int16_t)x;
    }
}

void sz_logistic_init(void) {
    pthread_once(&once, fill);
}
