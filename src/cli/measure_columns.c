/* measure_columns.c: choosing columns of a table, and counting what they hold. */
#include "measure.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/num.h>

enum { MAX_CODES = 1 << 22 };

static sz_status find_column(const sz_table *t, const char *name, size_t n, size_t *out) {
    for (size_t j = 0; j < t->columns; j++)
        if (strlen(t->column[j].name) == n && memcmp(t->column[j].name, name, n) == 0) {
            *out = j;
            return SZ_OK;
        }
    char *end;
    unsigned long number = strtoul(name, &end, 10);
    SZ_REQUIRE(end == name + n && number >= 1 && number <= t->columns, SZ_E_ARG,
               "there is no column '%.*s': the table has %zu, '%s' is the first", (int)n, name,
               t->columns, t->column[0].name);
    *out = number - 1;
    return SZ_OK;
}

static sz_status parse_list(const sz_table *t, const char *list, size_t *index, size_t *n) {
    for (const char *at = list; *n < t->columns;) {
        size_t length = strcspn(at, ",");
        SZ_TRY(find_column(t, at, length, &index[(*n)++]));
        if (!at[length])
            return SZ_OK;
        at += length + 1;
    }
    return sz_fail(SZ_E_ARG, "'%s' names more columns than the table has", list);
}

sz_status sz_table_pick(const sz_table *t, const char *list, size_t from, size_t otherwise,
                        double **v, size_t *n, bool *labels) {
    size_t *index = sz_alloc(t->columns * sizeof *index);
    SZ_REQUIRE(index, SZ_E_NOMEM, "no memory for %zu columns", t->columns);
    *n = 0;
    sz_status status = SZ_OK;
    if (list)
        status = parse_list(t, list, index, n);
    else if (from + otherwise > t->columns || otherwise == 0)
        status = sz_fail(SZ_E_ARG, "the table has %zu column%s, %zu are needed", t->columns,
                         t->columns == 1 ? "" : "s", from + (otherwise ? otherwise : 1));
    for (size_t j = 0; status == SZ_OK && !list && j < otherwise; j++)
        index[(*n)++] = from + j;
    double *out = status == SZ_OK ? sz_alloc(t->rows * *n * sizeof *out) : NULL;
    if (status == SZ_OK && !out)
        status = sz_fail(SZ_E_NOMEM, "no memory for %zu columns", *n);
    for (size_t i = 0; status == SZ_OK && i < t->rows; i++)
        for (size_t j = 0; j < *n; j++)
            out[i * *n + j] = t->v[i * t->columns + index[j]];
    for (size_t j = 0; status == SZ_OK && j < *n; j++) {
        const sz_column *c = &t->column[index[j]];
        if (labels)
            *labels = (j > 0 && *labels) || c->labels;
        else if (c->labels)
            status = sz_fail(SZ_E_ARG, "column '%s' holds words, not numbers", c->name);
        for (size_t i = 0; i < t->rows && status == SZ_OK; i++)
            if (isnan(out[i * *n + j]))
                status = sz_fail(SZ_E_ARG, "column '%s', row %zu is no number", c->name, i + 1);
    }
    if (status != SZ_OK) {
        sz_free(out);
        out = NULL;
    }
    sz_free(index);
    *v = out;
    return status;
}

static void range(const double *v, size_t n, double *low, double *high) {
    *low = *high = v[0];
    for (size_t i = 1; i < n; i++) {
        *low = v[i] < *low ? v[i] : *low;
        *high = v[i] > *high ? v[i] : *high;
    }
}

bool sz_is_discrete(const double *v, size_t n) {
    double low, high;
    for (size_t i = 0; i < n; i++)
        if (!(fabs(v[i]) < 9e15) || v[i] != floor(v[i]))
            return false;
    range(v, n, &low, &high);
    return high - low < MAX_CODES;
}

sz_status sz_count_symbols(const double *v, size_t n, uint64_t **counts, size_t *cells) {
    double low, high;
    SZ_REQUIRE(sz_is_discrete(v, n), SZ_E_ARG,
               "the values are not whole numbers within a range of %d", MAX_CODES);
    range(v, n, &low, &high);
    *cells = (size_t)(high - low) + 1;
    *counts = sz_calloc(*cells, sizeof **counts);
    SZ_REQUIRE(*counts, SZ_E_NOMEM, "no memory for %zu symbols", *cells);
    for (size_t i = 0; i < n; i++)
        (*counts)[(size_t)(v[i] - low)]++;
    return SZ_OK;
}

/* Codes of one column of symbols, `stride` apart. */
static sz_status rank_column(const double *v, size_t n, size_t stride, uint32_t *codes, size_t *k) {
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        double x = v[i * stride];
        SZ_REQUIRE(fabs(x) < 9e15 && x == floor(x), SZ_E_ARG,
                   "row %zu: %g is no symbol: neither a whole number nor a word", i + 1, x);
        low = x < low ? x : low;
        high = x > high ? x : high;
    }
    SZ_REQUIRE(high - low < MAX_CODES, SZ_E_LIMIT, "symbols from %g to %g: at most %d apart", low,
               high, MAX_CODES);
    size_t span = (size_t)(high - low) + 1;
    uint32_t *rank = sz_calloc(span, sizeof *rank);
    SZ_REQUIRE(rank, SZ_E_NOMEM, "no memory for %zu symbols", span);
    for (size_t i = 0; i < n; i++)
        rank[(size_t)(v[i * stride] - low)] = 1;
    *k = 0;
    for (size_t i = 0; i < span; i++)
        rank[i] = rank[i] ? (uint32_t)(*k)++ : 0;
    for (size_t i = 0; i < n; i++)
        codes[i] = rank[(size_t)(v[i * stride] - low)];
    sz_free(rank);
    return SZ_OK;
}

/* Columns are joined one by one, and what does not occur is left out each time. */
sz_status sz_column_codes(const double *v, size_t n, size_t d, uint32_t *codes, size_t *k) {
    SZ_TRY(rank_column(v, n, d, codes, k));
    uint32_t *next = sz_alloc(n * sizeof *next);
    double *joint = sz_alloc(n * sizeof *joint);
    sz_status status = next && joint ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for %zu symbols", n);
    for (size_t j = 1; j < d && status == SZ_OK; j++) {
        size_t k_next;
        status = rank_column(v + j, n, d, next, &k_next);
        for (size_t i = 0; i < n && status == SZ_OK; i++)
            joint[i] = (double)codes[i] * (double)k_next + next[i];
        if (status == SZ_OK)
            status = rank_column(joint, n, 1, codes, k);
    }
    sz_free(next);
    sz_free(joint);
    return status;
}

sz_status sz_count_bytes(const char *path, uint64_t counts[256], uint64_t *pairs) {
    static unsigned char piece[1 << 16];
    bool standard = strcmp(path, "-") == 0;
    FILE *f = standard ? stdin : fopen(path, "rb");
    SZ_REQUIRE(f, SZ_E_IO, "%s: %s", path, strerror(errno));
    int before = -1;
    for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;)
        for (size_t i = 0; i < n; i++) {
            counts[piece[i]]++;
            if (pairs && before >= 0)
                pairs[before * 256 + piece[i]]++;
            before = piece[i];
        }
    sz_status status = ferror(f)    ? sz_fail(SZ_E_IO, "%s: %s", path, strerror(errno))
                       : before < 0 ? sz_fail(SZ_E_FORMAT, "%s: there are no values", path)
                                    : SZ_OK;
    if (!standard)
        fclose(f);
    return status;
}

bool sz_settle_single(const sz_table *t, double *v, size_t n) {
    double sum = 0, least = 0;
    for (size_t i = 0; i < n; i++) {
        sum += v[i];
        least = v[i] < least ? v[i] : least;
    }
    bool law = least >= 0 && fabs(sum - 1) <= (t->single ? 1e-3 : 1e-6);
    for (size_t i = 0; i < n && law && t->single; i++)
        v[i] /= sum;
    return law;
}

sz_status sz_column_normalise(double *v, size_t n, sz_reading reading) {
    double sum = 0, most = -INFINITY;
    if (reading == SZ_READ_LOGITS) {
        sz_logit_entropies e;
        SZ_TRY(sz_entropy_logits(v, n, &e));
        for (size_t i = 0; i < n; i++)
            v[i] = sz_exp(v[i] - e.log_sum_exp);
    }
    for (size_t i = 0; i < n; i++) {
        sum += v[i];
        most = v[i] > most ? v[i] : most;
    }
    bool scale = reading == SZ_READ_COUNTS || (reading == SZ_READ_AUTO && most > 1);
    SZ_REQUIRE(!scale || sum > 0, SZ_E_ARG, "the counts of a column sum to %g", sum);
    for (size_t i = 0; scale && i < n; i++)
        v[i] /= sum;
    return SZ_OK;
}
