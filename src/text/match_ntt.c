/* match_ntt.c: the same correlations modulo the prime 119 2^23 + 1, where nothing is rounded. */
#include "text/match_fft.h"

enum { PRIME = 998244353, GENERATOR = 3 };

static inline uint32_t times(uint32_t a, uint32_t b) {
    return (uint32_t)((uint64_t)a * b % PRIME);
}
static inline uint32_t plus(uint32_t a, uint32_t b) {
    uint32_t sum = a + b;
    return sum >= PRIME ? sum - PRIME : sum;
}
static inline uint32_t minus(uint32_t a, uint32_t b) {
    return a >= b ? a - b : a + PRIME - b;
}
static uint32_t power(uint32_t a, uint64_t e) {
    uint32_t out = 1;
    for (; e; e >>= 1, a = times(a, a))
        if (e & 1)
            out = times(out, a);
    return out;
}

/* root [points / 2]: powers of a root of unity of order `points`. */
static void forward(const uint32_t *root, size_t points, uint32_t *x) {
    for (size_t half = points / 2, stride = 1; half; half /= 2, stride *= 2)
        for (size_t at = 0; at < points; at += 2 * half)
            for (size_t j = 0; j < half; j++) {
                uint32_t a = x[at + j], b = x[at + j + half];
                x[at + j] = plus(a, b);
                x[at + j + half] = times(minus(a, b), root[j * stride]);
            }
}

/* points times the inverse; takes the powers of the inverse root. */
static void inverse(const uint32_t *root, size_t points, uint32_t *x) {
    for (size_t half = 1, stride = points / 2; half < points; half *= 2, stride /= 2)
        for (size_t at = 0; at < points; at += 2 * half)
            for (size_t j = 0; j < half; j++) {
                uint32_t a = x[at + j], b = times(x[at + j + half], root[j * stride]);
                x[at + j] = plus(a, b);
                x[at + j + half] = minus(a, b);
            }
}

static void powers(uint32_t base, size_t n, uint32_t *out) {
    out[0] = 1;
    for (size_t i = 1; i < n; i++)
        out[i] = times(out[i - 1], base);
}

typedef struct room {
    uint32_t *root, *back;     /* [points / 2] */
    uint32_t *spectrum, *work; /* [points] */
    uint32_t *sum;             /* [blocks][points] */
} room;

static void room_free(room *r) {
    sz_free(r->root);
    sz_free(r->back);
    sz_free(r->spectrum);
    sz_free(r->work);
    sz_free(r->sum);
}

static sz_status room_new(const sz_match_blocks_of *b, room *out) {
    room r = {.root = sz_alloc(b->points / 2 * sizeof *r.root),
              .back = sz_alloc(b->points / 2 * sizeof *r.back),
              .spectrum = sz_alloc(b->points * sizeof *r.spectrum),
              .work = sz_alloc(b->points * sizeof *r.work),
              .sum = sz_calloc(b->n * b->points, sizeof *r.sum)};
    if (!r.root || !r.back || !r.spectrum || !r.work || !r.sum) {
        room_free(&r);
        return sz_fail(SZ_E_NOMEM, "no memory for transforms of %zu points", b->points);
    }
    uint32_t root = power(GENERATOR, (PRIME - 1) / b->points);
    powers(root, b->points / 2, r.root);
    powers(power(root, PRIME - 2), b->points / 2, r.back);
    *out = r;
    return SZ_OK;
}

/* The pattern goes in backwards, so that the product of the spectra is a correlation. */
static void add_code(const sz_needle *p, const sz_match_tile *t, const sz_match_blocks_of *b,
                     uint32_t code, room *r) {
    memset(r->spectrum, 0, b->points * sizeof *r->spectrum);
    for (uint32_t i = p->first[code]; i < p->first[code + 1]; i++)
        r->spectrum[(b->points - p->place[i]) % b->points] = 1;
    forward(r->root, b->points, r->spectrum);
    for (size_t k = 0; k < b->n; k++) {
        size_t from = k * b->step, n = t->n + p->m - 1 - from;
        n = n < b->points ? n : b->points;
        memset(r->work + n, 0, (b->points - n) * sizeof *r->work);
        for (size_t i = 0; i < n; i++)
            r->work[i] = sz_symbol_at(t->text, p->width, from + i) == code;
        forward(r->root, b->points, r->work);
        uint32_t *sum = r->sum + k * b->points;
        for (size_t i = 0; i < b->points; i++)
            sum[i] = plus(sum[i], times(r->work[i], r->spectrum[i]));
    }
}

sz_status sz_match_ntt(const sz_match_setup *s, const sz_match_tile *t, const uint8_t *heavy,
                       uint32_t *equal) {
    sz_match_blocks_of b = sz_match_cut(s->p.m, t->n);
    sz_code_list codes;
    room r = {0};
    SZ_REQUIRE(b.points <= SZ_NTT_MOST_POINTS, SZ_E_LIMIT,
               "a pattern of %zu symbols is too long for transforms modulo a prime (%d)", s->p.m,
               SZ_NTT_MOST_POINTS / 4);
    SZ_TRY(sz_code_list_new(&s->p, heavy, &codes));
    sz_status status = room_new(&b, &r);
    if (status == SZ_OK) {
        for (size_t i = 0; i < codes.n; i++)
            add_code(&s->p, t, &b, codes.code[i], &r);
        uint32_t scale = power((uint32_t)b.points, PRIME - 2);
        for (size_t k = 0; k < b.n; k++) {
            uint32_t *sum = r.sum + k * b.points;
            inverse(r.back, b.points, sum);
            for (size_t i = 0; i < b.step && k * b.step + i < t->n; i++)
                equal[k * b.step + i] += times(sum[i], scale);
        }
        room_free(&r);
    }
    sz_free(codes.code);
    return status;
}
