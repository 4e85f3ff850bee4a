/* fft_body.h: the transforms for one type; fft.c includes it for each. REAL is the type, FFT its
 * plan, NAME(x) the public name of x. */

/* Steps of radix 4 take spans n, n/4, ... down to 4, and one of radix 2 the span 2 where n is no
 * power of four. A step of span L has factors exp(-2 pi i r j / L), r = 1, 2, 3, j < L/4. */
static void NAME(fill)(REAL *twist, size_t span) {
    size_t q = span / 4;
    for (size_t r = 1; r <= 3; r++)
        for (size_t j = 0; j < q; j++) {
            double sine, cosine;
            sz_sincos(-6.283185307179586 * (double)(r * j) / (double)span, &sine, &cosine);
            twist[2 * (r - 1) * q + j] = (REAL)cosine;
            twist[(2 * (r - 1) + 1) * q + j] = (REAL)sine;
        }
}

sz_status NAME(new)(size_t n, FFT *out) {
    FFT t = {.n = n, .twist = sz_alloc(2 * n * sizeof *t.twist)};
    SZ_REQUIRE(t.twist, SZ_E_NOMEM, "no memory for a transform of %zu points", n);
    REAL *at = t.twist;
    for (size_t span = n; span >= 4; at += 6 * (span / 4), span /= 4)
        NAME(fill)(at, span);
    *out = t;
    return SZ_OK;
}

void NAME(free)(FFT *t) {
    sz_free(t->twist);
    *t = (FFT){0};
}

typedef struct NAME(quarter) { /* of one span: real and imaginary part */
    REAL *re, *im;
} NAME(quarter);

static inline void NAME(split)(REAL *re, REAL *im, size_t q, NAME(quarter) out[4]) {
    for (size_t r = 0; r < 4; r++)
        out[r] = (NAME(quarter)){re + r * q, im + r * q};
}

/* One span, from points to four interleaved sets of frequencies. */
static inline void NAME(forward_span)(REAL *restrict re, REAL *restrict im, const REAL *restrict w,
                                      size_t q) {
    NAME(quarter) x[4];
    NAME(split)(re, im, q, x);
    const REAL *w1 = w, *w2 = w + 2 * q, *w3 = w + 4 * q;
    for (size_t j = 0; j < q; j++) {
        REAL ar = x[0].re[j] + x[2].re[j], ai = x[0].im[j] + x[2].im[j];
        REAL br = x[0].re[j] - x[2].re[j], bi = x[0].im[j] - x[2].im[j];
        REAL cr = x[1].re[j] + x[3].re[j], ci = x[1].im[j] + x[3].im[j];
        REAL dr = x[1].im[j] - x[3].im[j], di = x[3].re[j] - x[1].re[j]; /* times -i */
        x[0].re[j] = ar + cr;
        x[0].im[j] = ai + ci;
        REAL r1 = br + dr, i1 = bi + di, r2 = ar - cr, i2 = ai - ci, r3 = br - dr, i3 = bi - di;
        x[1].re[j] = r1 * w1[j] - i1 * w1[q + j];
        x[1].im[j] = r1 * w1[q + j] + i1 * w1[j];
        x[2].re[j] = r2 * w2[j] - i2 * w2[q + j];
        x[2].im[j] = r2 * w2[q + j] + i2 * w2[j];
        x[3].re[j] = r3 * w3[j] - i3 * w3[q + j];
        x[3].im[j] = r3 * w3[q + j] + i3 * w3[j];
    }
}

/* The mirror of forward_span, times 4. */
static inline void NAME(inverse_span)(REAL *restrict re, REAL *restrict im, const REAL *restrict w,
                                      size_t q) {
    NAME(quarter) x[4];
    NAME(split)(re, im, q, x);
    const REAL *w1 = w, *w2 = w + 2 * q, *w3 = w + 4 * q;
    for (size_t j = 0; j < q; j++) {
        REAL r1 = x[1].re[j] * w1[j] + x[1].im[j] * w1[q + j];
        REAL i1 = x[1].im[j] * w1[j] - x[1].re[j] * w1[q + j];
        REAL r2 = x[2].re[j] * w2[j] + x[2].im[j] * w2[q + j];
        REAL i2 = x[2].im[j] * w2[j] - x[2].re[j] * w2[q + j];
        REAL r3 = x[3].re[j] * w3[j] + x[3].im[j] * w3[q + j];
        REAL i3 = x[3].im[j] * w3[j] - x[3].re[j] * w3[q + j];
        REAL ar = x[0].re[j] + r2, ai = x[0].im[j] + i2;
        REAL br = x[0].re[j] - r2, bi = x[0].im[j] - i2;
        REAL cr = r1 + r3, ci = i1 + i3;
        REAL dr = i3 - i1, di = r1 - r3; /* (y1 - y3) times i */
        x[0].re[j] = ar + cr;
        x[0].im[j] = ai + ci;
        x[1].re[j] = br + dr;
        x[1].im[j] = bi + di;
        x[2].re[j] = ar - cr;
        x[2].im[j] = ai - ci;
        x[3].re[j] = br - dr;
        x[3].im[j] = bi - di;
    }
}

static void NAME(pairs)(REAL *re, REAL *im, size_t n) {
    for (size_t j = 0; j < n; j += 2) {
        REAL r = re[j] - re[j + 1], i = im[j] - im[j + 1];
        re[j] += re[j + 1];
        im[j] += im[j + 1];
        re[j + 1] = r;
        im[j + 1] = i;
    }
}

void NAME(forward)(const FFT *t, REAL *re, REAL *im) {
    const REAL *w = t->twist;
    size_t span = t->n;
    for (; span >= 4; w += 6 * (span / 4), span /= 4)
        for (size_t at = 0; at < t->n; at += span)
            NAME(forward_span)(re + at, im + at, w, span / 4);
    if (span == 2)
        NAME(pairs)(re, im, t->n);
}

void NAME(inverse)(const FFT *t, REAL *re, REAL *im) {
    const REAL *w = t->twist;
    size_t span = t->n;
    for (; span >= 4; span /= 4)
        w += 6 * (span / 4);
    if (span == 2)
        NAME(pairs)(re, im, t->n);
    for (span *= 4; span <= t->n; span *= 4) {
        w -= 6 * (span / 4);
        for (size_t at = 0; at < t->n; at += span)
            NAME(inverse_span)(re + at, im + at, w, span / 4);
    }
}
