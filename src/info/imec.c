/* imec.c: a message coupled with a sequence, symbol by symbol (FIMEC of Sokota et al. 2022). The
 * blocks of the message have independent posteriors; each step couples the law of the next symbol
 * with the most uncertain one. */
#include "info/mass.h"

#include <string.h>

struct sz_imec {
    size_t n_blocks, n_values;
    uint64_t *posterior; /* [n_blocks][n_values], each row sums to SZ_MASS_ONE */
    double *entropy;     /* [n_blocks] */
};

sz_status sz_imec_new(size_t n_blocks, unsigned bits, sz_imec **out) {
    SZ_REQUIRE(bits >= 1 && bits <= 16, SZ_E_ARG, "blocks of %u bits; 1 to 16 are possible", bits);
    SZ_REQUIRE(n_blocks >= 1 && n_blocks <= SIZE_MAX >> (bits + 4), SZ_E_ARG,
               "a message of %zu blocks", n_blocks);
    sz_imec *m = sz_calloc(1, sizeof *m);
    SZ_REQUIRE(m, SZ_E_NOMEM, "no memory for an iterative coupling");
    m->n_blocks = n_blocks;
    m->n_values = (size_t)1 << bits;
    m->posterior = sz_alloc(n_blocks * m->n_values * sizeof *m->posterior);
    m->entropy = sz_alloc(n_blocks * sizeof *m->entropy);
    if (!m->posterior || !m->entropy) {
        sz_imec_free(m);
        return sz_fail(SZ_E_NOMEM, "no memory for %zu blocks of %u bits", n_blocks, bits);
    }
    for (size_t i = 0; i < n_blocks * m->n_values; i++)
        m->posterior[i] = SZ_MASS_ONE >> bits;
    for (size_t b = 0; b < n_blocks; b++)
        m->entropy[b] = sz_mass_entropy(m->posterior + b * m->n_values, m->n_values);
    *out = m;
    return SZ_OK;
}

void sz_imec_free(sz_imec *m) {
    if (!m)
        return;
    sz_free(m->posterior);
    sz_free(m->entropy);
    sz_free(m);
}

size_t sz_imec_block(const sz_imec *m) {
    size_t most = 0;
    for (size_t b = 1; b < m->n_blocks; b++)
        most = m->entropy[b] > m->entropy[most] ? b : most;
    return most;
}

const uint64_t *sz_imec_posterior(const sz_imec *m, size_t block) {
    return m->posterior + block * m->n_values;
}

double sz_imec_uncertainty(const sz_imec *m) {
    sz_sum h = {0};
    for (size_t b = 0; b < m->n_blocks; b++)
        sz_sum_add(&h, m->entropy[b]);
    return sz_sum_get(&h);
}

sz_status sz_imec_couple(const sz_imec *m, const double *q, size_t n, sz_coupling *out) {
    uint64_t *mass;
    SZ_TRY(sz_mass_new(q, n, "q", &mass));
    const uint64_t *const both[] = {sz_imec_posterior(m, sz_imec_block(m)), mass};
    sz_status status = sz_mec_greedy_masses(both, (const size_t[]){m->n_values, n}, 2, out);
    sz_free(mass);
    return status;
}

/* The posterior of a block becomes the coupling's column of the symbol. */
static sz_status observe(sz_imec *m, size_t block, const sz_coupling *c, uint32_t symbol) {
    uint64_t *posterior = m->posterior + block * m->n_values, sum = 0;
    for (size_t i = 0; i < c->n; i++)
        sum += c->index[2 * i + 1] == symbol ? c->mass[i] : 0;
    SZ_REQUIRE(sum > 0, SZ_E_ARG, "symbol %u has no mass", symbol);
    memset(posterior, 0, m->n_values * sizeof *posterior);
    for (size_t i = 0; i < c->n; i++)
        if (c->index[2 * i + 1] == symbol)
            posterior[c->index[2 * i]] =
                (uint64_t)(((unsigned __int128)c->mass[i] << 62) / sum); /* >= 1: sum <= 2^62 */
    sz_mass_complete(posterior, m->n_values);
    m->entropy[block] = sz_mass_entropy(posterior, m->n_values);
    return SZ_OK;
}

/* The first symbol at which the row's sum exceeds the share u of its mass. */
static sz_status draw_from_row(const sz_coupling *c, uint32_t row, size_t n, double u,
                               uint32_t *symbol) {
    uint64_t *mass = sz_calloc(n, sizeof *mass), sum = 0, total = 0;
    SZ_REQUIRE(mass, SZ_E_NOMEM, "no memory for %zu masses", n);
    for (size_t i = 0; i < c->n; i++)
        if (c->index[2 * i] == row) {
            mass[c->index[2 * i + 1]] = c->mass[i];
            total += c->mass[i];
        }
    uint64_t target = (uint64_t)(u * (double)total);
    target = target < total ? target : total - 1;
    size_t y = 0;
    while (sum + mass[y] <= target)
        sum += mass[y++];
    sz_free(mass);
    *symbol = (uint32_t)y;
    return SZ_OK;
}

sz_status sz_imec_encode(sz_imec *m, const uint32_t *message, const double *q, size_t n, double u,
                         uint32_t *symbol) {
    size_t block = sz_imec_block(m);
    sz_coupling c;
    SZ_REQUIRE(u >= 0 && u < 1, SZ_E_ARG, "the random number is %g, not in [0, 1)", u);
    SZ_REQUIRE(message[block] < m->n_values, SZ_E_ARG, "block %zu of the message is %u, not < %zu",
               block, message[block], m->n_values);
    SZ_REQUIRE(sz_imec_posterior(m, block)[message[block]] > 0, SZ_E_STATE,
               "block %zu of the message is not what was coupled before", block);
    SZ_TRY(sz_imec_couple(m, q, n, &c));
    sz_status status = draw_from_row(&c, message[block], n, u, symbol);
    if (status == SZ_OK)
        status = observe(m, block, &c, *symbol);
    sz_coupling_free(&c);
    return status;
}

sz_status sz_imec_decode(sz_imec *m, const double *q, size_t n, uint32_t symbol) {
    sz_coupling c;
    SZ_TRY(sz_imec_couple(m, q, n, &c));
    sz_status status = observe(m, sz_imec_block(m), &c, symbol);
    sz_coupling_free(&c);
    return status;
}

void sz_imec_message(const sz_imec *m, uint32_t *message) {
    for (size_t b = 0; b < m->n_blocks; b++) {
        const uint64_t *posterior = sz_imec_posterior(m, b);
        uint32_t likeliest = 0;
        for (uint32_t x = 1; x < m->n_values; x++)
            likeliest = posterior[x] > posterior[likeliest] ? x : likeliest;
        message[b] = likeliest;
    }
}
