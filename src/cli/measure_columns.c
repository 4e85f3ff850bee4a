/* measure_columns.c: choosing columns of a table, and counting what they hold. */
#include "measure.h"
#include <math.h>
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
        status = sz_fail(SZ_E_ARG, "the table has %zu columns, %zu are needed", t->columns,
                         from + (otherwise ? otherwise : 1));
    for (size_t j = 0; status == SZ_OK && !list && j < otherwise; j++)
        index[(*n)++] = from + j;
    double *out = status == SZ_OK ? sz_alloc(t->rows * *n * sizeof *out) : NULL;
    if (status == SZ_OK && !out)
        status = sz_fail(SZ_E_NOMEM, "no memory for %zu columns", *n);
    for (size_t i = 0; status == SZ_OK && i < t->rows; i++)
        for (size_t j = 0; j < *n; j++)
            out[i * *n + j] = t->v[i * t->columns + index[j]];
    for (size_t j = 0; labels && status == SZ_OK && j < *n; j++)
        *labels = (j > 0 && *labels) || t->column[index[j]].labels;
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
