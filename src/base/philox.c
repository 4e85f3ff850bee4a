/* philox.c: Philox4x32-10, a counter-based generator (Salmon et al. 2011): the numbers are a pure
 * function of key, stream and counter. */
#include <szilard/unstable/base.h>

void sz_philox4x32(uint64_t key, uint64_t stream, uint64_t counter, uint32_t out[4]) {
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(b >> 32) ^ c1 ^ k0, n2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)b;
        c3 = (uint32_t)a;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

double sz_uniform(uint64_t seed, uint64_t stream, uint64_t counter) {
    uint32_t r[4];
    sz_philox4x32(seed, stream, counter, r);
    uint64_t bits = (uint64_t)r[0] << 21 ^ (uint64_t)r[1] >> 11;
    return (double)(bits & ((1ull << 53) - 1)) * 0x1p-53;
}
