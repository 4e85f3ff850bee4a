/* table.c: mutual information of discrete variables from their contingency table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/num.h>

#include "info/distribution.h"

typedef struct margins {
    uint64_t *x, *y; /* one allocation, at x */
    uint64_t n;
} margins;

static sz_status sum_margins(const uint64_t *table, size_t rows, size_t columns, margins *m) {
    SZ_REQUIRE(rows >= 1 && columns >= 1, SZ_E_ARG, "a table of %zu x %zu cells", rows, columns);
    *m = (margins){0};
    m->x = sz_calloc(rows + columns, sizeof *m->x);
    SZ_REQUIRE(m->x, SZ_E_NOMEM, "no memory for a table of %zu x %zu cells", rows, columns);
    m->y = m->x + rows;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            uint64_t c = table[i * columns + j];
            m->x[i] += c;
            m->y[j] += c;
            if (__builtin_add_overflow(m->n, c, &m->n) || m->n > 1ull << 53) {
                sz_free(m->x);
                return sz_fail(SZ_E_ARG, "the counts sum to more than 2^53");
            }
        }
    if (m->n == 0) {
        sz_free(m->x);
        return sz_fail(SZ_E_ARG, "all counts of the table are zero");
    }
    return SZ_OK;
}

/* sum c ln c over the cells of a table, from which all plug-in figures follow. */
static double sum_c_log_c(const uint64_t *c, size_t n) {
    sz_sum s = {0};
    for (size_t i = 0; i < n; i++)
        sz_sum_add(&s, sz_x_log_x((double)c[i]));
    return sz_sum_get(&s);
}

static uint64_t support(const uint64_t *c, size_t n) {
    uint64_t k = 0;
    for (size_t i = 0; i < n; i++)
        k += c[i] > 0;
    return k;
}

/* Information and its spread: mean and variance of ln(p(x,y) / (p(x) p(y))). */
static void measure(const uint64_t *table, size_t rows, size_t columns, const margins *m,
                    sz_table_information *t) {
    double n = (double)m->n;
    sz_sum mean = {0}, square = {0};
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            double c = (double)table[i * columns + j];
            if (c == 0)
                continue;
            double l = sz_log(c * n / ((double)m->x[i] * (double)m->y[j]));
            sz_sum_add(&mean, c / n * l);
            sz_sum_add(&square, c / n * l * l);
        }
    double information = sz_sum_get(&mean);
    t->plug_in = sz_at_least_zero(information);
    double variance = sz_sum_get(&square) - information * information;
    t->standard_error = m->n > 1 ? sqrt(sz_at_least_zero(variance) / n) : NAN;
}

sz_status sz_mi_table(const uint64_t *table, size_t rows, size_t columns,
                      sz_table_information *out) {
    margins m;
    SZ_TRY(sum_margins(table, rows, columns, &m));
    double n = (double)m.n, log_n = sz_log(n);
    sz_table_information t = {.n = m.n,
                              .k_x = support(m.x, rows),
                              .k_y = support(m.y, columns),
                              .k_xy = support(table, rows * columns)};
    t.h_x = sz_at_least_zero(log_n - sum_c_log_c(m.x, rows) / n);
    t.h_y = sz_at_least_zero(log_n - sum_c_log_c(m.y, columns) / n);
    t.h_xy = sz_at_least_zero(log_n - sum_c_log_c(table, rows * columns) / n);
    measure(table, rows, columns, &m, &t);
    sz_free(m.x);
    t.miller_madow = t.plug_in + ((double)t.k_x + (double)t.k_y - (double)t.k_xy - 1.0) / (2.0 * n);
    t.g = 2.0 * n * t.plug_in;
    t.degrees = (double)(t.k_x - 1) * (double)(t.k_y - 1);
    t.p_value = t.degrees > 0 ? sz_gamma_upper(t.degrees / 2, t.g / 2) : 1.0;
    *out = t;
    return SZ_OK;
}

/* ---- Permutation test ------------------------------------------------------------------------ */

/* Samples behind a table: the row and the column of each. */
typedef struct samples {
    uint32_t *x, *y; /* one allocation, at x */
    uint64_t *table; /* of the shuffled samples */
    size_t n;
} samples;

static sz_status expand(const uint64_t *table, size_t rows, size_t columns, uint64_t n,
                        samples *s) {
    SZ_REQUIRE(n <= 1u << 30 && columns <= UINT32_MAX && rows <= UINT32_MAX, SZ_E_LIMIT,
               "a permutation test of %llu samples is too large", (unsigned long long)n);
    *s = (samples){.n = (size_t)n};
    s->x = sz_alloc(2 * s->n * sizeof *s->x);
    s->table = sz_alloc(rows * columns * sizeof *s->table);
    if (!s->x || !s->table) {
        sz_free(s->x);
        sz_free(s->table);
        return sz_fail(SZ_E_NOMEM, "no memory for a permutation test of %zu samples", s->n);
    }
    s->y = s->x + s->n;
    size_t at = 0;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            for (uint64_t c = 0; c < table[i * columns + j]; c++, at++) {
                s->x[at] = (uint32_t)i;
                s->y[at] = (uint32_t)j;
            }
    return SZ_OK;
}

/* Fisher and Yates, keyed by the permutation's number. */
static void shuffle(samples *s, uint64_t seed, uint64_t permutation) {
    for (size_t i = s->n - 1; i > 0; i--) {
        size_t j = (size_t)(sz_uniform(seed, permutation, i) * (double)(i + 1));
        uint32_t t = s->y[i];
        s->y[i] = s->y[j];
        s->y[j] = t;
    }
}

sz_status sz_mi_permutation(const uint64_t *table, size_t rows, size_t columns,
                            uint32_t permutations, uint64_t seed, double *p_value) {
    sz_table_information t;
    samples s;
    SZ_REQUIRE(permutations >= 1, SZ_E_ARG, "no permutations were asked for");
    SZ_TRY(sz_mi_table(table, rows, columns, &t));
    SZ_TRY(expand(table, rows, columns, t.n, &s));
    /* The margins do not change: information rises with sum c ln c alone. */
    double observed = sum_c_log_c(table, rows * columns);
    double slack = 1e-12 * (observed > 1 ? observed : 1);
    uint64_t reached = 0;
    for (uint32_t b = 0; b < permutations; b++) {
        shuffle(&s, seed, b);
        memset(s.table, 0, rows * columns * sizeof *s.table);
        for (size_t i = 0; i < s.n; i++)
            s.table[s.x[i] * columns + s.y[i]]++;
        reached += sum_c_log_c(s.table, rows * columns) >= observed - slack;
    }
    sz_free(s.x);
    sz_free(s.table);
    *p_value = (1.0 + (double)reached) / (1.0 + (double)permutations);
    return SZ_OK;
}

/* ---- Three and more variables ---------------------------------------------------------------- */

sz_status sz_mi_conditional(const uint64_t *table, size_t n_z, size_t n_x, size_t n_y,
                            double *out) {
    sz_sum sum = {0};
    uint64_t total = 0;
    for (size_t z = 0; z < n_z; z++) {
        const uint64_t *layer = table + z * n_x * n_y;
        sz_table_information t;
        if (support(layer, n_x * n_y) == 0)
            continue;
        SZ_TRY(sz_mi_table(layer, n_x, n_y, &t));
        total += t.n;
        sz_sum_add(&sum, (double)t.n * t.plug_in);
    }
    SZ_REQUIRE(total > 0, SZ_E_ARG, "all counts of the table are zero");
    *out = sz_sum_get(&sum) / (double)total;
    return SZ_OK;
}

typedef struct key {
    const uint32_t *row;
    size_t d;
} key;

static int compare_keys(const void *a, const void *b) {
    const key *x = a, *y = b;
    for (size_t i = 0; i < x->d; i++)
        if (x->row[i] != y->row[i])
            return x->row[i] < y->row[i] ? -1 : 1;
    return 0;
}

/* Plug-in entropy of the rows' `d` codes, by sorting. */
static double entropy_of_rows(key *keys, size_t n) {
    sz_sum s = {0};
    qsort(keys, n, sizeof *keys, compare_keys);
    for (size_t from = 0, i = 1; i <= n; i++)
        if (i == n || compare_keys(&keys[i], &keys[from]) != 0) {
            sz_sum_add(&s, sz_x_log_x((double)(i - from)));
            from = i;
        }
    return sz_log((double)n) - sz_sum_get(&s) / (double)n;
}

sz_status sz_mi_total_correlation(const uint32_t *codes, size_t n, size_t d, double *out) {
    SZ_REQUIRE(n >= 1 && d >= 1, SZ_E_ARG, "%zu samples of %zu variables", n, d);
    key *keys = sz_alloc(n * sizeof *keys);
    SZ_REQUIRE(keys, SZ_E_NOMEM, "no memory for %zu samples", n);
    sz_sum sum = {0};
    for (size_t column = 0; column < d; column++) {
        for (size_t i = 0; i < n; i++)
            keys[i] = (key){codes + i * d + column, 1};
        sz_sum_add(&sum, entropy_of_rows(keys, n));
    }
    for (size_t i = 0; i < n; i++)
        keys[i] = (key){codes + i * d, d};
    sz_sum_add(&sum, -entropy_of_rows(keys, n));
    sz_free(keys);
    *out = sz_at_least_zero(sz_sum_get(&sum));
    return SZ_OK;
}
