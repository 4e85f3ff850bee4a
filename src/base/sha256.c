/* sha256.c: SHA-256 (FIPS 180-4). */
#include <string.h>

#include <szilard/unstable/base.h>

static const uint32_t round_constant[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, int n) {
    return x >> n | x << (32 - n);
}

static void expand_block(const uint8_t *p, uint32_t w[64]) {
    for (int i = 0; i < 16; i++, p += 4)
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        uint32_t s0 = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
        uint32_t s1 = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
}

/* In place of moving a .. h by one each round, their names move: in round i the k-th is s[(k - i) %
 * 8], a constant in each of eight rounds written out. */
static void compress(uint32_t state[8], const uint8_t *block) {
    uint32_t w[64], s[8];
    expand_block(block, w);
    memcpy(s, state, sizeof s);
#define AT(k) s[((k) + 64 - i) % 8]
#pragma GCC unroll 64
    for (int i = 0; i < 64; i++) {
        uint32_t a = AT(0), b = AT(1), c = AT(2), e = AT(4);
        uint32_t choose = (e & AT(5)) ^ (~e & AT(6));
        uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
        uint32_t t1 = AT(7) + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choose +
                      round_constant[i] + w[i];
        AT(3) += t1;
        AT(7) = t1 + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority;
    }
#undef AT
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

void sz_sha256_init(sz_sha256 *h) {
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    *h = (sz_sha256){0};
    memcpy(h->state, start, sizeof start);
}

void sz_sha256_update(sz_sha256 *h, const void *bytes, size_t n) {
    const uint8_t *p = bytes;
    size_t held = h->n_bytes % 64;
    h->n_bytes += n;
    if (held && held + n >= 64) {
        memcpy(h->block + held, p, 64 - held);
        compress(h->state, h->block);
        p += 64 - held;
        n -= 64 - held;
        held = 0;
    }
    for (; held == 0 && n >= 64; p += 64, n -= 64)
        compress(h->state, p);
    if (n)
        memcpy(h->block + held, p, n);
}

void sz_sha256_final(sz_sha256 *h, uint8_t out[32]) {
    uint64_t bits = h->n_bytes * 8;
    uint8_t end[72] = {0x80};
    size_t pad = (h->n_bytes % 64 < 56 ? 56 : 120) - h->n_bytes % 64;
    for (int i = 0; i < 8; i++)
        end[pad + (size_t)i] = (uint8_t)(bits >> (56 - 8 * i));
    sz_sha256_update(h, end, pad + 8);
    for (int i = 0; i < 32; i++)
        out[i] = (uint8_t)(h->state[i / 4] >> (24 - 8 * (i % 4)));
}

void sz_hex(const uint8_t *bytes, size_t n, char *out) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = 0;
}
