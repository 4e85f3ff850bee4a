/* cot_class.c: classes of procedures as tables: of the user's, and three that teach. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/cot.h>

/* ---- Codes -------------------------------------------------------------------------------------
 */

typedef struct cell {
    int64_t y, z;
    size_t row;
} cell;

static int by_codes(const void *a, const void *b) {
    const cell *p = a, *q = b;
    if (p->y != q->y)
        return p->y < q->y ? -1 : 1;
    return (p->z > q->z) - (p->z < q->z);
}

/* Ranks of a column's outputs, and of its pairs of output and trace. */
static void rank_column(const int64_t *y, const int64_t *z, size_t x, cell *column,
                        sz_cot_class *c) {
    size_t n = c->n_hypotheses, n_x = c->n_inputs;
    uint32_t rank_y = 0, rank_yz = 0;
    for (size_t h = 0; h < n; h++)
        column[h] = (cell){y[h * n_x + x], z[h * n_x + x], h};
    qsort(column, n, sizeof *column, by_codes);
    for (size_t i = 0; i < n; i++) {
        rank_y += i > 0 && column[i].y != column[i - 1].y;
        rank_yz += i > 0 && by_codes(&column[i], &column[i - 1]) != 0;
        c->y[column[i].row * n_x + x] = rank_y;
        c->yz[column[i].row * n_x + x] = rank_yz;
    }
}

static sz_status set_weights(sz_cot_class *c, const double *p, bool renormalise) {
    double sum = 0.0, lost = 0.0;
    c->uniform = true;
    for (size_t x = 0; x < c->n_inputs; x++) {
        double w = p ? p[x] : 1.0 / (double)c->n_inputs;
        SZ_REQUIRE(w >= 0.0 && w < INFINITY, SZ_E_ARG, "the weight of input %zu is %g", x, w);
        double term = w - lost, next = sum + term;
        lost = (next - sum) - term;
        sum = next;
        c->p[x] = w;
        c->uniform = c->uniform && w == c->p[0];
    }
    SZ_REQUIRE(sum > 0.0, SZ_E_ARG, "all weights are 0");
    SZ_REQUIRE(renormalise || fabs(sum - 1.0) <= 1e-9, SZ_E_ARG, "the weights sum to %.12g", sum);
    for (size_t x = 0; x < c->n_inputs && renormalise; x++)
        c->p[x] /= sum;
    return SZ_OK;
}

/* ---- Tables ------------------------------------------------------------------------------------
 */

typedef struct row {
    const uint32_t *v;
    size_t n;
} row;

static int by_content(const void *a, const void *b) {
    const row *p = a, *q = b;
    return memcmp(p->v, q->v, p->n * sizeof *p->v);
}

static sz_status count_distinct(sz_cot_class *c) {
    row *rows = sz_alloc(c->n_hypotheses * sizeof *rows);
    SZ_REQUIRE(rows, SZ_E_NOMEM, "no memory for %zu hypotheses", c->n_hypotheses);
    for (size_t h = 0; h < c->n_hypotheses; h++)
        rows[h] = (row){c->yz + h * c->n_inputs, c->n_inputs};
    qsort(rows, c->n_hypotheses, sizeof *rows, by_content);
    c->n_distinct = 1;
    for (size_t h = 1; h < c->n_hypotheses; h++)
        c->n_distinct += by_content(&rows[h - 1], &rows[h]) != 0;
    sz_free(rows);
    return SZ_OK;
}

static sz_status fill(sz_cot_class *c, const int64_t *y, const int64_t *z, const double *p,
                      bool renormalise) {
    size_t cells = c->n_hypotheses * c->n_inputs;
    cell *column = sz_alloc(c->n_hypotheses * sizeof *column);
    c->y = sz_alloc(cells * sizeof *c->y);
    c->yz = sz_alloc(cells * sizeof *c->yz);
    c->p = sz_alloc(c->n_inputs * sizeof *c->p);
    sz_status status = SZ_OK;
    if (!column || !c->y || !c->yz || !c->p)
        status = sz_fail(SZ_E_NOMEM, "no memory for a table of %zu cells", cells);
    if (status == SZ_OK)
        status = set_weights(c, p, renormalise);
    for (size_t x = 0; x < c->n_inputs && status == SZ_OK; x++)
        rank_column(y, z, x, column, c);
    sz_free(column);
    return status == SZ_OK ? count_distinct(c) : status;
}

static sz_status check_size(size_t n_hypotheses, size_t n_inputs) {
    SZ_REQUIRE(n_hypotheses > 0 && n_inputs > 0, SZ_E_ARG, "a class without hypotheses or inputs");
    SZ_REQUIRE(n_hypotheses <= SZ_COT_CELLS / n_inputs, SZ_E_LIMIT,
               "%zu hypotheses on %zu inputs: a table has at most %d cells; draw inputs instead",
               n_hypotheses, n_inputs, SZ_COT_CELLS);
    return SZ_OK;
}

sz_status sz_cot_class_new(const int64_t *y, const int64_t *z, size_t n_hypotheses, size_t n_inputs,
                           const double *p, bool renormalise, sz_cot_class **out) {
    SZ_REQUIRE(y && z && out, SZ_E_ARG, "sz_cot_class_new: a NULL argument");
    SZ_TRY(check_size(n_hypotheses, n_inputs));
    sz_cot_class *c = sz_calloc(1, sizeof *c);
    SZ_REQUIRE(c, SZ_E_NOMEM, "no memory for a class");
    c->n_hypotheses = n_hypotheses;
    c->n_inputs = n_inputs;
    sz_status status = fill(c, y, z, p, renormalise);
    if (status == SZ_OK)
        *out = c;
    else
        sz_cot_class_free(c);
    return status;
}

void sz_cot_class_free(sz_cot_class *c) {
    if (!c)
        return;
    sz_free(c->y);
    sz_free(c->yz);
    sz_free(c->p);
    sz_free(c);
}

/* ---- Classes that teach ------------------------------------------------------------------------
 */

/* base^power, or `most` + 1 if that is more. */
static size_t power(size_t base, size_t exponent, size_t most) {
    size_t x = 1;
    for (size_t i = 0; i < exponent; i++) {
        if (x > most / base)
            return most + 1;
        x *= base;
    }
    return x;
}

typedef struct tables {
    int64_t *y, *z;
} tables;

static sz_status tables_new(size_t n_hypotheses, size_t n_inputs, tables *t) {
    SZ_TRY(check_size(n_hypotheses, n_inputs));
    t->y = sz_alloc(2 * n_hypotheses * n_inputs * sizeof *t->y);
    SZ_REQUIRE(t->y, SZ_E_NOMEM, "no memory for a table of %zu cells", n_hypotheses * n_inputs);
    t->z = t->y + n_hypotheses * n_inputs;
    return SZ_OK;
}

/* Makes the class, and frees the tables. */
static sz_status from_tables(tables *t, size_t n_hypotheses, size_t n_inputs, sz_cot_class **out) {
    sz_status status = sz_cot_class_new(t->y, t->z, n_hypotheses, n_inputs, NULL, false, out);
    sz_free(t->y);
    return status;
}

size_t sz_cot_automaton_index(size_t states, size_t symbols, const uint32_t *transition,
                              uint32_t accept_mask) {
    size_t t = 0;
    for (size_t i = states * symbols; i-- > 0;)
        t = t * states + transition[i];
    return t << states | accept_mask;
}

typedef struct automata {
    size_t states, symbols, length, n_transitions, n_inputs;
    uint8_t *strings; /* [n_inputs][length] */
} automata;

/* One set of transitions on one string, for all sets of accepting states: they share the path. */
static void run_automaton(const automata *a, size_t t, size_t x, tables *out) {
    uint32_t next[16];
    size_t state = 0, digits = t;
    int64_t path = 0;
    for (size_t i = 0; i < a->states * a->symbols; i++, digits /= a->states)
        next[i] = (uint32_t)(digits % a->states);
    for (size_t i = 0; i < a->length; i++) {
        state = next[state * a->symbols + a->strings[x * a->length + i]];
        path = path * (int64_t)a->states + (int64_t)state;
    }
    for (size_t mask = 0; mask < (size_t)1 << a->states; mask++) {
        size_t h = t << a->states | mask;
        out->y[h * a->n_inputs + x] = (int64_t)(mask >> state & 1);
        out->z[h * a->n_inputs + x] = path;
    }
}

static sz_status make_strings(automata *a, size_t n_draws, uint64_t seed) {
    a->strings = sz_alloc(a->n_inputs * a->length + 1);
    SZ_REQUIRE(a->strings, SZ_E_NOMEM, "no memory for %zu strings", a->n_inputs);
    for (size_t x = 0; x < a->n_inputs; x++) {
        size_t digits = x;
        for (size_t i = a->length; i-- > 0; digits /= a->symbols) {
            double u = n_draws ? sz_uniform(seed, x, i) : 0.0;
            a->strings[x * a->length + i] =
                (uint8_t)(n_draws ? (size_t)(u * (double)a->symbols) : digits % a->symbols);
        }
    }
    return SZ_OK;
}

sz_status sz_cot_class_automata(size_t states, size_t symbols, size_t length, size_t n_draws,
                                uint64_t seed, sz_cot_class **out) {
    SZ_REQUIRE(states >= 1 && symbols >= 1 && states * symbols <= 16 && states <= 8, SZ_E_ARG,
               "automata of %zu states over %zu symbols: at most 16 transitions", states, symbols);
    SZ_REQUIRE(length >= 1 && power(states, length, (size_t)1 << 60) <= (size_t)1 << 60, SZ_E_ARG,
               "strings of %zu symbols: their paths do not fit 60 bits", length);
    automata a = {states, symbols, length, 0, n_draws, NULL};
    tables t = {0};
    a.n_transitions = power(states, states * symbols, SZ_COT_CELLS);
    if (n_draws == 0)
        a.n_inputs = power(symbols, length, SZ_COT_CELLS);
    SZ_REQUIRE(a.n_transitions <= (size_t)SZ_COT_CELLS >> states, SZ_E_LIMIT,
               "there are more than %d automata of %zu states over %zu symbols", SZ_COT_CELLS,
               states, symbols);
    size_t n = a.n_transitions << states;
    SZ_TRY(tables_new(n, a.n_inputs, &t));
    sz_status status = make_strings(&a, n_draws, seed);
    for (size_t i = 0; i < a.n_transitions && status == SZ_OK; i++)
        for (size_t x = 0; x < a.n_inputs; x++)
            run_automaton(&a, i, x, &t);
    sz_free(a.strings);
    if (status != SZ_OK) {
        sz_free(t.y);
        return status;
    }
    SZ_TRY(from_tables(&t, n, a.n_inputs, out));
    (*out)->n_draws = n_draws;
    return SZ_OK;
}

sz_status sz_cot_class_checks(size_t alphabet, size_t checks, sz_cot_class **out) {
    SZ_REQUIRE(alphabet >= 2 && checks >= 1 && checks <= 28, SZ_E_ARG,
               "%zu checks over %zu letters: at least 1 over 2", checks, alphabet);
    size_t n = power(alphabet, checks, SZ_COT_CELLS);
    tables t;
    SZ_TRY(tables_new(n, n, &t));
    for (size_t u = 0; u < n; u++)
        for (size_t x = 0; x < n; x++) {
            int64_t equal = 0;
            size_t a = u, b = x;
            for (size_t i = 0; i < checks; i++, a /= alphabet, b /= alphabet)
                equal = 2 * equal + (a % alphabet == b % alphabet);
            t.y[u * n + x] = u == x;
            t.z[u * n + x] = equal;
        }
    return from_tables(&t, n, n, out);
}

sz_status sz_cot_class_parity(size_t bits, sz_cot_class **out) {
    SZ_REQUIRE(bits >= 1 && bits <= 14, SZ_E_ARG, "parities of %zu bits: 1 to 14", bits);
    size_t n = (size_t)1 << bits;
    tables t;
    SZ_TRY(tables_new(n, n, &t));
    for (size_t set = 0; set < n; set++)
        for (size_t x = 0; x < n; x++) {
            int64_t running = 0, parity = 0;
            for (size_t i = 0; i < bits; i++) {
                parity ^= (int64_t)(set & x & (size_t)1 << i) != 0;
                running = 2 * running + parity;
            }
            t.y[set * n + x] = parity;
            t.z[set * n + x] = running;
        }
    return from_tables(&t, n, n, out);
}
