/* match_fft.c: equal symbols as a sum of correlations, one per symbol of the alphabet, by fast
 * Fourier transforms: in float, again in double where rounding fails, then modulo a prime. */
#include "text/match_fft.h"

#include <pthread.h>

enum { LEAST_POINTS = 1 << 15, TILE_POINTS = 1 << 19, FLOAT_MOST = 1 << 16 };

#define REAL    float
#define FFT     sz_fft32
#define FORWARD sz_fft32_forward
#define INVERSE sz_fft32_inverse
#define NAME(x) float_##x
#include "text/match_fft_body.h"

#undef REAL
#undef FFT
#undef FORWARD
#undef INVERSE
#undef NAME
#define REAL    double
#define FFT     sz_fft64
#define FORWARD sz_fft64_forward
#define INVERSE sz_fft64_inverse
#define NAME(x) double_##x
#include "text/match_fft_body.h"

size_t sz_match_fft_points(size_t m) {
    size_t points = LEAST_POINTS;
    while (points < 4 * m)
        points *= 2;
    return points;
}

size_t sz_match_fft_blocks(size_t points) {
    return points < TILE_POINTS / 2 ? TILE_POINTS / points : 2;
}

sz_match_blocks_of sz_match_cut(size_t m, size_t n) {
    size_t points = sz_match_fft_points(m), step = points - m + 1;
    return (sz_match_blocks_of){points, step, (n + step - 1) / step};
}

sz_status sz_code_list_new(const sz_needle *p, const uint8_t *heavy, sz_code_list *out) {
    sz_code_list list = {.code = sz_alloc((p->n_codes + 1) * sizeof *list.code)};
    SZ_REQUIRE(list.code, SZ_E_NOMEM, "no memory for %u symbols", p->n_codes);
    for (uint32_t c = 0; c < p->n_codes; c++)
        if (p->first[c + 1] > p->first[c] && (!heavy || heavy[c]))
            list.code[list.n++] = c;
    *out = list;
    return SZ_OK;
}

/* ---- The tables of factors: made when first needed, by whichever thread comes first ---------- */

struct sz_match_plan {
    pthread_mutex_t lock;
    size_t points;
    sz_fft32 f32;
    sz_fft64 f64;
};

sz_status sz_match_plan_new(size_t points, sz_match_plan **out) {
    sz_match_plan *p = sz_calloc(1, sizeof *p);
    SZ_REQUIRE(p, SZ_E_NOMEM, "no memory for a plan of transforms");
    p->points = points;
    pthread_mutex_init(&p->lock, NULL);
    *out = p;
    return SZ_OK;
}

void sz_match_plan_free(sz_match_plan *p) {
    if (!p)
        return;
    sz_fft32_free(&p->f32);
    sz_fft64_free(&p->f64);
    pthread_mutex_destroy(&p->lock);
    sz_free(p);
}

static sz_status make_tables(sz_match_plan *p, bool wide) {
    sz_status status = SZ_OK;
    pthread_mutex_lock(&p->lock);
    if (wide && !p->f64.n)
        status = sz_fft64_new(p->points, &p->f64);
    if (!wide && !p->f32.n)
        status = sz_fft32_new(p->points, &p->f32);
    pthread_mutex_unlock(&p->lock);
    return status;
}

/* ---- A tile ---------------------------------------------------------------------------------- */

static sz_status in_float(const sz_match_setup *s, const sz_match_tile *t,
                          const sz_code_list *codes, uint32_t *equal, bool *good) {
    *good = false;
    if (s->p.m > FLOAT_MOST)
        return SZ_OK;
    SZ_TRY(make_tables(s->plan, false));
    return float_correlate(s, t, codes, &s->plan->f32, equal, good);
}

static sz_status in_double(const sz_match_setup *s, const sz_match_tile *t,
                           const sz_code_list *codes, uint32_t *equal, bool *good) {
    SZ_TRY(make_tables(s->plan, true));
    return double_correlate(s, t, codes, &s->plan->f64, equal, good);
}

static sz_status correlate(const sz_match_setup *s, const sz_match_tile *t,
                           const sz_code_list *codes, const uint8_t *heavy, uint32_t *equal,
                           sz_match_report *r) {
    bool good;
    SZ_TRY(in_float(s, t, codes, equal, &good));
    if (good)
        return SZ_OK;
    if (s->p.m <= FLOAT_MOST)
        r->redone_f64 += t->n;
    SZ_TRY(in_double(s, t, codes, equal, &good));
    if (good)
        return SZ_OK;
    r->redone_ntt += t->n;
    memset(equal, 0, t->n * sizeof *equal);
    return sz_match_ntt(s, t, heavy, equal);
}

sz_status sz_match_fft(const sz_match_setup *s, const sz_match_tile *t, const uint8_t *heavy,
                       uint32_t *equal, sz_match_report *r) {
    sz_code_list codes;
    SZ_TRY(sz_code_list_new(&s->p, heavy, &codes));
    uint32_t *counts = sz_calloc(t->n, sizeof *counts);
    sz_status status = counts ? correlate(s, t, &codes, heavy, counts, r)
                              : sz_fail(SZ_E_NOMEM, "no memory for %zu alignments", t->n);
    for (size_t i = 0; i < t->n && status == SZ_OK; i++)
        equal[i] += counts[i];
    sz_free(counts);
    sz_free(codes.code);
    return status;
}
