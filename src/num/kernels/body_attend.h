/* body_attend.h: attention of a few queries over one block of 64 positions, and the statistics of
 * a row of logits. One source for all instruction sets. */

static inline ALWAYS_INLINE v16 load_cached(const void *p, bool f16, size_t at) {
    return f16 ? v_load_f16((const uint16_t *)p + at) : v_load((const float *)p + at);
}

/* `width` lanes-of-16 of positions for n queries at a time. */
static inline ALWAYS_INLINE void scores_tile(const float *const *query, int n, const void *key,
                                             bool f16, size_t dim, int width,
                                             float (*scores)[SZ_KV_BLOCK]) {
    v16 acc[SZ_QUERY_MAX][4];
    for (int q = 0; q < n; q++)
        for (int j = 0; j < width; j++)
            acc[q][j] = v_set1(0.0f);
    for (size_t d = 0; d < dim; d++) {
        v16 k[4];
        for (int j = 0; j < width; j++)
            k[j] = load_cached(key, f16, d * SZ_KV_BLOCK + 16 * (size_t)j);
        for (int q = 0; q < n; q++)
            for (int j = 0; j < width; j++)
                acc[q][j] = v_fma(v_set1(query[q][d]), k[j], acc[q][j]);
    }
    for (int q = 0; q < n; q++)
        for (int j = 0; j < width; j++)
            v_store(scores[q] + 16 * j, acc[q][j]);
}

/* Only the places below n_pos, and some more. */
static inline ALWAYS_INLINE void scores_wide(const float *const *query, int n, const void *key,
                                             bool f16, size_t dim, int n_pos,
                                             float (*scores)[SZ_KV_BLOCK]) {
    if (n_pos <= 16)
        scores_tile(query, n, key, f16, dim, 1, scores);
    else if (n_pos <= 32)
        scores_tile(query, n, key, f16, dim, 2, scores);
    else if (n_pos <= 48)
        scores_tile(query, n, key, f16, dim, 3, scores);
    else
        scores_tile(query, n, key, f16, dim, 4, scores);
}

/* Four lanes-of-16 of dimensions for n queries at a time. */
static inline ALWAYS_INLINE void mix_tile(float (*const scores)[SZ_KV_BLOCK], int n,
                                          const void *value, bool f16, size_t dim, size_t first,
                                          int width, int n_pos, float *const *mix) {
    v16 acc[SZ_QUERY_MAX][4];
    for (int q = 0; q < n; q++)
        for (int j = 0; j < width; j++)
            acc[q][j] = v_set1(0.0f);
    for (int pos = 0; pos < n_pos; pos++) {
        v16 v[4];
        for (int j = 0; j < width; j++)
            v[j] = load_cached(value, f16, (size_t)pos * dim + first + 16 * (size_t)j);
        for (int q = 0; q < n; q++)
            for (int j = 0; j < width; j++)
                acc[q][j] = v_fma(v_set1(scores[q][pos]), v[j], acc[q][j]);
    }
    for (int q = 0; q < n; q++)
        for (int j = 0; j < width; j++)
            v_store(mix[q] + first + 16 * (size_t)j, acc[q][j]);
}

static inline ALWAYS_INLINE void mix_rows(float (*const scores)[SZ_KV_BLOCK], int n,
                                          const void *value, bool f16, size_t dim, int n_pos,
                                          float *const *mix) {
    size_t first = 0;
    for (; first + 64 <= dim; first += 64)
        mix_tile(scores, n, value, f16, dim, first, 4, n_pos, mix);
    for (; first < dim; first += 16)
        mix_tile(scores, n, value, f16, dim, first, 1, n_pos, mix);
}

#define BY_QUERIES(call)                                                                           \
    switch (n_query) {                                                                             \
    case 1: {                                                                                      \
        enum { N = 1 };                                                                            \
        call;                                                                                      \
        break;                                                                                     \
    }                                                                                              \
    case 2: {                                                                                      \
        enum { N = 2 };                                                                            \
        call;                                                                                      \
        break;                                                                                     \
    }                                                                                              \
    case 3: {                                                                                      \
        enum { N = 3 };                                                                            \
        call;                                                                                      \
        break;                                                                                     \
    }                                                                                              \
    default: {                                                                                     \
        enum { N = 4 };                                                                            \
        call;                                                                                      \
        break;                                                                                     \
    }                                                                                              \
    }
static void attend_scores(const float *const *query, int n_query, const void *key, bool f16,
                          size_t dim, int n_pos, float (*scores)[SZ_KV_BLOCK]) {
    if (f16)
        BY_QUERIES(scores_wide(query, N, key, true, dim, n_pos, scores))
    else
        BY_QUERIES(scores_wide(query, N, key, false, dim, n_pos, scores))
}
static void attend_mix(float (*const scores)[SZ_KV_BLOCK], int n_query, const void *value, bool f16,
                       size_t dim, int n_pos, float *const *mix) {
    if (f16)
        BY_QUERIES(mix_rows(scores, N, value, true, dim, n_pos, mix))
    else
        BY_QUERIES(mix_rows(scores, N, value, false, dim, n_pos, mix))
}

static void attend_softmax(float *scores, int from, int to, float *max, float *sum) {
    for (int i = 0; i < SZ_KV_BLOCK; i++)
        if (i < from || i >= to)
            scores[i] = -INFINITY;
    v16 largest = v_load(scores);
    for (int j = 1; j < 4; j++)
        largest = v_max(largest, v_load(scores + 16 * j));
    *max = v_max_lane(largest);
    v16 total = v_set1(0.0f), shift = v_set1(*max);
    for (int j = 0; j < 4; j++) {
        v16 p = v_exp(v_sub(v_load(scores + 16 * j), shift));
        v_store(scores + 16 * j, p);
        total = v_add(total, p);
    }
    *sum = v_sum(total);
}

/* ---- Statistics of softmax(logits / temperature): card 00, mergeable one-pass form ----------- */

/* Sums in float are kept short, 16 terms per lane, so that |dH| stays below 4e-6: a chunk has four
 * vectors of sums, which take the groups of 16 in turn. Chunks are added in double. */
enum { STATS_CHUNK = 1024, STATS_SUMS = 4 };

typedef struct moments { /* sums of e^d, d e^d and d^2 e^d, d = (logit - max) / temperature */
    float max;
    double s0, s1, s2;
} moments;

static inline v16 load_logits(const float *z, size_t n) {
    return n >= 16 ? v_load(z) : v_load_n(z, n, -INFINITY);
}

static inline float largest_logit(const float *z, size_t n, bool *bad) {
    v16 max = v_set1(-INFINITY), flag = v_set1(0.0f);
    for (size_t i = 0; i < n; i += 16) {
        v16 v = load_logits(z + i, n - i);
        max = v_max(v, max);
        flag = v_max(flag, v_select_gt(v_set1(INFINITY), v, v_set1(0.0f), v_set1(1.0f)));
    }
    *bad |= v_max_lane(flag) > 0.0f;
    return v_max_lane(max);
}

static inline double sum_of(const v16 s[STATS_SUMS]) {
    return (double)v_sum(v_add(v_add(s[0], s[1]), v_add(s[2], s[3])));
}

static inline moments chunk_moments(const float *z, size_t n, float temperature, bool *bad) {
    moments m = {.max = largest_logit(z, n, bad)};
    if (m.max == -INFINITY || *bad)
        return m;
    v16 s0[STATS_SUMS], s1[STATS_SUMS], s2[STATS_SUMS];
    for (int j = 0; j < STATS_SUMS; j++)
        s0[j] = s1[j] = s2[j] = v_set1(0.0f);
    for (size_t i = 0; i < n; i += 16 * STATS_SUMS)
        for (size_t j = 0; j < STATS_SUMS && i + 16 * j < n; j++) {
            v16 d = v_sub(load_logits(z + i + 16 * j, n - i - 16 * j), v_set1(m.max));
            if (temperature != 1.0f)
                d = v_div(d, v_set1(temperature));
            d = v_max(d, v_set1(-105.0f));
            v16 e = v_exp(d), ed = v_mul(e, d);
            s0[j] = v_add(s0[j], e);
            s1[j] = v_add(s1[j], ed);
            s2[j] = v_fma(ed, d, s2[j]);
        }
    m.s0 = sum_of(s0);
    m.s1 = sum_of(s1);
    m.s2 = sum_of(s2);
    return m;
}

/* Brings m to the reference point `max` >= m.max. */
static inline void shift_moments(moments *m, float max, float temperature) {
    if (m->s0 != 0.0 && m->max != max) {
        double d = ((double)m->max - (double)max) / (double)temperature, e = sz_exp(d);
        m->s2 = (m->s2 + 2.0 * d * m->s1 + d * d * m->s0) * e;
        m->s1 = (m->s1 + d * m->s0) * e;
        m->s0 = m->s0 * e;
    }
    m->max = max;
}

static void softmax_stats(const float *logits, size_t n, float temperature, sz_softmax_stats *out) {
    moments all = {.max = -INFINITY};
    size_t best = 0;
    bool bad = false;
    for (size_t at = 0; at < n; at += STATS_CHUNK) {
        size_t count = n - at < STATS_CHUNK ? n - at : STATS_CHUNK;
        moments m = chunk_moments(logits + at, count, temperature, &bad);
        if (m.max > all.max) {
            shift_moments(&all, m.max, temperature);
            best = at;
        }
        shift_moments(&m, all.max, temperature);
        all.s0 += m.s0;
        all.s1 += m.s1;
        all.s2 += m.s2;
    }
    *out = (sz_softmax_stats){.max = all.max, .has_nan = bad || all.s0 == 0.0};
    if (out->has_nan)
        return;
    while (logits[best] != all.max)
        best++;
    double log_s0 = sz_log(all.s0), mean = all.s1 / all.s0;
    out->argmax = (int32_t)best;
    out->lse = (double)all.max / (double)temperature + log_s0;
    out->entropy = log_s0 - mean; /* H = lse - E[z] */
    double variance = all.s2 / all.s0 - mean * mean;
    out->varentropy = variance > 0.0 ? variance : 0.0;
    if (out->entropy < 0.0)
        out->entropy = 0.0;
}
