/* match_fft_body.h: sums of correlations for one type; match_fft.c includes it for each. Two codes
 * a and b share a transform: with the places of a in the real part and those of b in the imaginary
 * part of text and pattern, the correlation with the conjugate pattern has aa + bb as its real
 * part. Sums over the pairs are taken before the one inverse of each block. */

/* 1 where the text has the code, 0 elsewhere; [n]. Returns how many there are. */
#define DEFINE_PLACES(T, name)                                                                     \
    static size_t name(const T *text, size_t n, uint32_t code, REAL *out) {                        \
        size_t found = 0;                                                                          \
        for (size_t i = 0; i < n; i++) {                                                           \
            bool is = text[i] == code;                                                             \
            out[i] = is;                                                                           \
            found += is;                                                                           \
        }                                                                                          \
        return found;                                                                              \
    }
DEFINE_PLACES(uint8_t, NAME(places_u8))
DEFINE_PLACES(uint16_t, NAME(places_u16))
DEFINE_PLACES(uint32_t, NAME(places_u32))
#undef DEFINE_PLACES

typedef struct NAME(room) {
    REAL *spectrum, *work; /* [2][points]: real, imaginary */
    REAL *sum;             /* [blocks][2][points] */
    uint64_t *total;       /* [blocks] what the rounded sums of a block must add up to */
} NAME(room);

static void NAME(room_free)(NAME(room) * r) {
    sz_free(r->spectrum);
    sz_free(r->work);
    sz_free(r->sum);
    sz_free(r->total);
}

static sz_status NAME(room_new)(const sz_match_blocks_of *b, NAME(room) * out) {
    NAME(room)
    r = {.spectrum = sz_alloc(2 * b->points * sizeof *r.spectrum),
         .work = sz_alloc(2 * b->points * sizeof *r.work),
         .sum = sz_calloc(b->n * 2 * b->points, sizeof *r.sum),
         .total = sz_calloc(b->n, sizeof *r.total)};
    if (!r.spectrum || !r.work || !r.sum || !r.total) {
        NAME(room_free)(&r);
        return sz_fail(SZ_E_NOMEM, "no memory for transforms of %zu points", b->points);
    }
    *out = r;
    return SZ_OK;
}

static size_t NAME(fill)(const sz_needle *p, const void *text, size_t n, size_t points,
                         uint32_t code, REAL *out) {
    n = n < points ? n : points;
    memset(out + n, 0, (points - n) * sizeof *out);
    return p->width == 1   ? NAME(places_u8)(text, n, code, out)
           : p->width == 2 ? NAME(places_u16)(text, n, code, out)
                           : NAME(places_u32)(text, n, code, out);
}

static void NAME(fill_pattern)(const sz_needle *p, uint32_t code, size_t points, REAL *out) {
    memset(out, 0, points * sizeof *out);
    for (uint32_t i = p->first[code]; i < p->first[code + 1]; i++)
        out[p->place[i]] = 1;
}

/* sum += work times the conjugate of the spectrum. */
static void NAME(multiply)(const REAL *restrict x, const REAL *restrict y, size_t points,
                           REAL *restrict sum) {
    for (size_t i = 0; i < points; i++) {
        REAL xr = x[i], xi = x[points + i], yr = y[i], yi = y[points + i];
        sum[i] += xr * yr + xi * yi;
        sum[points + i] += xi * yr - xr * yi;
    }
}

/* The codes a and, unless it is the last alone, b over all blocks. */
static void NAME(add_pair)(const sz_match_setup *s, const sz_match_tile *t,
                           const sz_match_blocks_of *b, const FFT *fft, const uint32_t *code,
                           bool both, NAME(room) * r) {
    const sz_needle *p = &s->p;
    size_t points = b->points;
    memset(r->spectrum + points, 0, points * sizeof *r->spectrum);
    for (size_t part = 0; part < (both ? 2 : 1); part++)
        NAME(fill_pattern)(p, code[part], points, r->spectrum + part * points);
    FORWARD(fft, r->spectrum, r->spectrum + points);
    for (size_t k = 0; k < b->n; k++) {
        size_t from = k * b->step, n = t->n + p->m - 1 - from;
        const void *text = sz_symbols_from(t->text, p->width, from);
        memset(r->work + points, 0, points * sizeof *r->work);
        for (size_t part = 0; part < (both ? 2 : 1); part++) {
            size_t found = NAME(fill)(p, text, n, points, code[part], r->work + part * points);
            r->total[k] += found * (p->first[code[part] + 1] - p->first[code[part]]);
        }
        FORWARD(fft, r->work, r->work + points);
        NAME(multiply)(r->work, r->spectrum, points, r->sum + k * 2 * points);
    }
}

/* Rounds a block's sums. False where one is too far from an integer, or all of them do not add up.
 */
static bool NAME(round_block)(const REAL *sum, size_t points, double tolerance, uint64_t total,
                              size_t n, uint32_t *equal) {
    REAL scale = (REAL)1 / (REAL)points, most = (REAL)tolerance;
    uint64_t added = 0;
    bool good = true;
    for (size_t i = 0; i < points; i++) {
        REAL v = sum[i] * scale;
        int32_t whole = (int32_t)(v + (REAL)0.5);
        REAL off = v - (REAL)whole;
        good &= off <= most && off >= -most;
        added += (uint64_t)(int64_t)whole;
        if (i < n)
            equal[i] = (uint32_t)whole;
    }
    return good && added == total;
}

/* equal[t->n] of the codes; *good: whether rounding can be trusted. */
static sz_status NAME(correlate)(const sz_match_setup *s, const sz_match_tile *t,
                                 const sz_code_list *codes, const FFT *fft, uint32_t *equal,
                                 bool *good) {
    sz_match_blocks_of b = sz_match_cut(s->p.m, t->n);
    double tolerance = s->o.tolerance > 0 ? s->o.tolerance : 0.25;
    NAME(room) r = {0};
    SZ_TRY(NAME(room_new)(&b, &r));
    for (size_t i = 0; i < codes->n; i += 2)
        NAME(add_pair)(s, t, &b, fft, codes->code + i, i + 1 < codes->n, &r);
    *good = true;
    for (size_t k = 0; k < b.n && *good; k++) {
        REAL *sum = r.sum + k * 2 * b.points;
        size_t from = k * b.step, n = t->n - from < b.step ? t->n - from : b.step;
        INVERSE(fft, sum, sum + b.points);
        *good = NAME(round_block)(sum, b.points, tolerance, r.total[k], n, equal + from);
    }
    NAME(room_free)(&r);
    return SZ_OK;
}
