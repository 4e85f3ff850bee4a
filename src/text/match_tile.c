/* match_tile.c: distances of the alignments of one tile: the method chosen or asked for, then
 * wildcards and bounds. */
#include "text/match.h"

/* The definition, over the raw symbols; wildcards are left to the caller. */
static void count_naively(const sz_needle *p, const void *raw, size_t n, uint32_t *equal) {
    for (size_t i = 0; i < n; i++) {
        equal[i] = 0;
        for (size_t j = 0; j < p->n_solid; j++)
            equal[i] += sz_symbol_at(raw, p->raw_width, i + p->offset[j]) ==
                        sz_symbol_at(p->raw, p->raw_width, p->offset[j]);
    }
}

/* Adds the text's wildcards that stand over symbols of the pattern. */
static void count_wildcards(const sz_match_setup *s, const void *raw, size_t n, uint32_t *equal) {
    const sz_needle *p = &s->p;
    uint32_t within = 0;
    for (size_t at = 0; at < n + p->m - 1; at++) {
        bool wild = sz_symbol_at(raw, p->raw_width, at) == s->o.wildcard;
        within += wild;
        if (at + 1 >= p->m) {
            equal[at + 1 - p->m] += within;
            within -= sz_symbol_at(raw, p->raw_width, at + 1 - p->m) == s->o.wildcard;
        }
        for (size_t w = 0; wild && w < p->n_wild;
             w++) /* both are wildcards: no symbol is under it */
            if (p->wild_offset[w] <= at && at - p->wild_offset[w] < n)
                equal[at - p->wild_offset[w]]--;
    }
}

static sz_status count_split(const sz_match_setup *s, const sz_match_tile *t, const uint8_t *heavy,
                             uint32_t *equal, sz_match_report *r) {
    r->votes += sz_match_scatter(s, t, heavy, equal);
    return memchr(heavy, 1, s->p.n_codes) ? sz_match_fft(s, t, heavy, equal, r) : SZ_OK;
}

/* Fills equal[n] by a method that counts. */
static sz_status count(const sz_match_setup *s, const sz_match_tile *t, const void *raw,
                       sz_match_method method, const uint8_t *heavy, uint32_t *equal,
                       sz_match_report *r) {
    switch (method) {
    case SZ_MATCH_NAIVE:
        count_naively(&s->p, raw, t->n, equal);
        return SZ_OK;
    case SZ_MATCH_SCATTER:
        r->votes += sz_match_scatter(s, t, NULL, equal);
        return SZ_OK;
    case SZ_MATCH_FFT:
        memset(equal, 0, t->n * sizeof *equal);
        return sz_match_fft(s, t, NULL, equal, r);
    case SZ_MATCH_NTT:
        memset(equal, 0, t->n * sizeof *equal);
        return sz_match_ntt(s, t, NULL, equal);
    case SZ_MATCH_SPLIT:
        return count_split(s, t, heavy, equal, r);
    default:
        sz_match_scan(s, t, equal);
        return SZ_OK;
    }
}

void sz_match_subtract(const sz_match_setup *s, const void *raw, size_t n, uint32_t *out) {
    uint32_t most = s->o.bounded && s->o.k < UINT32_MAX ? (uint32_t)s->o.k + 1 : UINT32_MAX;
    if (s->o.wild)
        count_wildcards(s, raw, n, out);
    s->kernels->distances_within(out, n, (uint32_t)s->p.n_solid, most);
}

size_t sz_match_part(const sz_match_setup *s, size_t n) {
    return s->o.wild || n < SZ_MATCH_PART ? n : SZ_MATCH_PART;
}

static sz_status by_counting(const sz_match_setup *s, const sz_match_tile *t, const void *raw,
                             sz_match_method method, const uint8_t *heavy, uint32_t *out,
                             sz_match_report *r) {
    for (size_t at = 0, n; at < t->n; at += n) {
        n = method == SZ_MATCH_SCAN ? sz_match_part(s, t->n - at) : t->n;
        const sz_match_tile part = {sz_symbols_from(t->text, s->p.width, at), n};
        const void *below = sz_symbols_from(raw, s->p.raw_width, at);
        SZ_TRY(count(s, &part, below, method, heavy, out + at, r));
        sz_match_subtract(s, below, n, out + at);
    }
    r->by[method] += t->n;
    return SZ_OK;
}

static sz_status within_bound(const sz_match_setup *s, const sz_match_tile *t,
                              sz_match_method method, uint32_t *out) {
    switch (method) {
    case SZ_MATCH_BITS:
        return sz_match_bits(s, t, out);
    case SZ_MATCH_JUMPS:
        return sz_match_jumps(s, t, out);
    case SZ_MATCH_SAMPLE:
        return sz_match_sample(s, t, out);
    default:
        return sz_match_blocks(s, t, s->o.method == method, out);
    }
}

static sz_status choose(const sz_match_setup *s, const sz_match_tile *t, uint8_t *heavy,
                        sz_match_method *method) {
    if (*method == SZ_MATCH_AUTO && s->p.m <= SZ_MATCH_SHORT)
        *method = SZ_MATCH_SCAN;
    if (*method != SZ_MATCH_AUTO && *method != SZ_MATCH_SPLIT)
        return SZ_OK;
    const sz_match_costs *costs = s->o.costs ? s->o.costs : sz_match_costs_measured();
    if (*method == SZ_MATCH_AUTO)
        return sz_match_choose(s, costs, t, heavy, method);
    uint64_t *occ = sz_alloc(((size_t)s->p.n_codes + 1) * sizeof *occ);
    SZ_REQUIRE(occ, SZ_E_NOMEM, "no memory for %u symbols", s->p.n_codes);
    sz_match_occurrences(&s->p, t->text, t->n + s->p.m - 1, occ);
    sz_match_divide(s, costs, t->n, occ, heavy);
    sz_free(occ);
    return SZ_OK;
}

static sz_status by_choice(const sz_match_setup *s, const sz_match_tile *t, const void *raw,
                           uint8_t *heavy, uint32_t *out, sz_match_report *r) {
    sz_match_method method = s->o.method;
    SZ_TRY(choose(s, t, heavy, &method));
    if (sz_match_needs_bound(method)) {
        sz_status status = within_bound(s, t, method, out);
        if (status == SZ_OK)
            r->by[method] += t->n;
        if (status != SZ_END)
            return status;
        method = SZ_MATCH_SCAN;
    }
    return by_counting(s, t, raw, method, heavy, out, r);
}

/* Whether 32-bit symbols are compared sooner than they are turned into narrow codes, which all
 * other methods need. */
static bool scan_raw(const sz_match_setup *s) {
    const sz_needle *p = &s->p;
    if (p->raw_width == 1 || s->o.method > SZ_MATCH_SCAN || s->o.method == SZ_MATCH_NAIVE)
        return false;
    if (p->n_solid <= SZ_MATCH_SHORT)
        return true;
    const sz_match_costs *c = s->o.costs ? s->o.costs : sz_match_costs_measured();
    double raw = (double)p->n_solid * c->scan[sz_match_scans_halves(s) ? 2 : 4];
    double other = c->code + (double)p->n_solid * c->scan[p->width];
    if (s->o.method == SZ_MATCH_AUTO) {
        double rest = s->o.bounded && c->roll < c->visit ? c->roll : c->visit;
        other = other < c->code + rest ? other : c->code + rest;
    }
    return raw < other;
}

sz_status sz_match_run_tile(const sz_match_setup *s, const void *raw, size_t n, uint32_t *out,
                            sz_match_report *r) {
    const sz_needle *p = &s->p;
    sz_match_tile t = {raw, n};
    void *codes = NULL;
    sz_status status = SZ_OK;
    if (scan_raw(s)) {
        SZ_TRY(sz_match_scan_raw(s, raw, n, out));
        r->by[SZ_MATCH_SCAN] += n;
        return SZ_OK;
    }
    uint8_t *heavy = sz_calloc((size_t)p->n_codes + 1, 1);
    SZ_REQUIRE(heavy, SZ_E_NOMEM, "no memory for %u symbols", p->n_codes);
    if (p->raw_width == 4 && s->o.method != SZ_MATCH_NAIVE) {
        t.text = codes = sz_alloc((n + p->m - 1) * p->width);
        if (codes)
            sz_needle_encode(p, raw, n + p->m - 1, codes);
        else
            status = sz_fail(SZ_E_NOMEM, "no memory for %zu symbols", n + p->m - 1);
    }
    if (status == SZ_OK)
        status = by_choice(s, &t, raw, heavy, out, r);
    sz_free(codes);
    sz_free(heavy);
    return status;
}
