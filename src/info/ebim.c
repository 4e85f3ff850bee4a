/* ebim.c: the encoder of a bottleneck: T tells as much of X as an entropy of at most R allows. */
#include "info/ebim.h"

#include <stdlib.h>
#include <string.h>

double sz_ebim_greedy(const double *p, size_t n, double rate, size_t *heads, size_t *tails) {
    double h = 0, head = p[0];
    for (size_t x = 0; x < n; x++)
        h -= sz_x_log_x(p[x]);
    *heads = *tails = 1;
    while (*heads < n) {
        double a = p[n - 2], b = p[n - 1], next = p[*heads];
        bool two_left = *heads == n - 1; /* then both merges are the same one, to a single column */
        double with_tail = h + sz_x_log_x(a) + sz_x_log_x(b) - sz_x_log_x(a + b);
        if (!two_left && with_tail <= rate + SZ_EBIM_SLACK) {
            *tails = 2;
            return with_tail;
        }
        h += sz_x_log_x(head) + sz_x_log_x(next) - sz_x_log_x(head + next);
        head += next;
        ++*heads;
        if (!two_left && h <= rate + SZ_EBIM_SLACK)
            return h;
    }
    *tails = 0;
    return 0;
}

void sz_ebim_merge_ends(const double *p, size_t n, size_t heads, size_t tails, sz_ebim_map *m) {
    m->n_codes = 0;
    for (size_t x = 0; x < n; x++) {
        if (x == 0 || (x >= heads && x <= n - tails))
            m->law[m->n_codes++] = 0;
        m->code[x] = (uint32_t)m->n_codes - 1;
        m->law[m->n_codes - 1] += p[x];
    }
}

/* ---- Symbols by falling mass --------------------------------------------------------------- */

typedef struct symbol {
    double p;
    uint32_t index;
} symbol;

static int by_falling_mass(const void *a, const void *b) {
    const symbol *x = a, *y = b;
    if (x->p != y->p)
        return x->p > y->p ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

typedef struct order {
    symbol *symbol; /* of positive mass */
    double *p;      /* their masses */
    size_t n;
} order;

static sz_status order_new(const double *p, size_t n, order *out) {
    double scale;
    SZ_REQUIRE(n < UINT32_MAX, SZ_E_LIMIT, "p has %zu entries, which are too many", n);
    SZ_TRY(sz_distribution_scale(p, n, "p", &scale));
    order o = {sz_alloc(n * sizeof *o.symbol), sz_alloc(n * sizeof *o.p), 0};
    *out = o;
    SZ_REQUIRE(o.symbol && o.p, SZ_E_NOMEM, "no memory for %zu symbols", n);
    for (size_t i = 0; i < n; i++)
        if (p[i] > 0)
            o.symbol[o.n++] = (symbol){sz_probability(p, i, scale), (uint32_t)i};
    qsort(o.symbol, o.n, sizeof *o.symbol, by_falling_mass);
    for (size_t i = 0; i < o.n; i++)
        o.p[i] = o.symbol[i].p;
    *out = o;
    return SZ_OK;
}

/* ---- The code from a map ------------------------------------------------------------------- */

static sz_status map_new(size_t n, sz_ebim_map *m) {
    *m = (sz_ebim_map){.code = sz_alloc(n * sizeof *m->code)};
    m->law = sz_alloc((n + 1) * sizeof *m->law);
    SZ_REQUIRE(m->code && m->law, SZ_E_NOMEM, "no memory for a map of %zu symbols", n);
    return SZ_OK;
}

static void greedy_map(const order *o, double rate, sz_ebim_map *m) {
    size_t heads, tails;
    m->entropy = m->information = sz_ebim_greedy(o->p, o->n, rate, &heads, &tails);
    sz_ebim_merge_ends(o->p, o->n, heads, tails, m);
}

static void identity_map(const order *o, double entropy, sz_ebim_map *m) {
    for (size_t x = 0; x < o->n; x++)
        m->code[x] = (uint32_t)x;
    memcpy(m->law, o->p, o->n * sizeof *o->p);
    m->n_codes = o->n;
    m->entropy = m->information = entropy;
}

typedef struct column {
    double law;
    uint32_t first, code; /* its lowest symbol, and its number in the map */
} column;

static int by_falling_law(const void *a, const void *b) {
    const column *x = a, *y = b;
    return by_falling_mass(&(symbol){x->law, x->first}, &(symbol){y->law, y->first});
}

/* Columns by falling mass of the map, ties by their lowest symbol. */
static sz_status sort_columns(const order *o, const sz_ebim_map *m, uint32_t *rank) {
    column *columns = sz_alloc(m->n_codes * sizeof *columns);
    SZ_REQUIRE(columns, SZ_E_NOMEM, "no memory for %zu columns", m->n_codes);
    for (size_t t = 0; t < m->n_codes; t++)
        columns[t] = (column){m->law[t], UINT32_MAX, (uint32_t)t};
    for (size_t x = 0; x < o->n; x++) {
        column *c = &columns[m->code[x]];
        c->first = o->symbol[x].index < c->first ? o->symbol[x].index : c->first;
    }
    qsort(columns, m->n_codes, sizeof *columns, by_falling_law);
    for (size_t t = 0; t < m->n_codes; t++)
        rank[columns[t].code] = (uint32_t)t;
    sz_free(columns);
    return SZ_OK;
}

static sz_status code_new(const order *o, size_t n, const sz_ebim_map *m, sz_ebim_code *c) {
    bool new_column = m->moved > 0 && m->to == m->n_codes;
    uint32_t *rank = sz_alloc((m->n_codes + 1) * sizeof *rank);
    c->n = n;
    c->n_codes = m->n_codes + new_column;
    c->code = sz_calloc(n, sizeof *c->code);
    c->law = sz_calloc(c->n_codes, sizeof *c->law);
    sz_status status = rank && c->code && c->law ? sort_columns(o, m, rank)
                                                 : sz_fail(SZ_E_NOMEM, "no memory for a code");
    if (status == SZ_OK) {
        rank[m->n_codes] = (uint32_t)m->n_codes;
        for (size_t x = 0; x < o->n; x++)
            c->code[o->symbol[x].index] = rank[m->code[x]];
        for (size_t t = 0; t < m->n_codes; t++)
            c->law[rank[t]] = m->law[t];
        c->information = m->information;
    }
    if (status == SZ_OK && m->moved > 0) {
        c->split_symbol = o->symbol[m->symbol].index;
        c->split_code = rank[m->to];
        c->split_mass = m->moved;
        c->law[c->code[c->split_symbol]] -= m->moved;
        c->law[c->split_code] += m->moved;
    }
    for (size_t t = 0; status == SZ_OK && t < c->n_codes; t++)
        c->rate -= sz_x_log_x(c->law[t]);
    sz_free(rank);
    return status;
}

static sz_status solve(const order *o, size_t n, double rate, sz_ebim_method method, sz_ebim_map *m,
                       sz_ebim_code *c) {
    double entropy = 0;
    for (size_t x = 0; x < o->n; x++)
        entropy -= sz_x_log_x(o->p[x]);
    SZ_TRY(map_new(o->n, m));
    c->identity = rate >= entropy - SZ_EBIM_SLACK;
    c->gap_bound = o->n > 1 ? sz_binary_entropy(o->p[1]) : 0;
    if (c->identity)
        identity_map(o, entropy, m);
    else
        greedy_map(o, rate, m);
    if (!c->identity && method != SZ_EBIM_GREEDY)
        SZ_TRY(sz_ebim_search(o->p, o->n, rate, method, m));
    return code_new(o, n, m, c);
}

sz_status sz_ebim(const double *p, size_t n, double rate, sz_ebim_method method,
                  sz_ebim_code *out) {
    SZ_REQUIRE(rate >= 0, SZ_E_ARG, "a rate of %g is not at least 0", rate);
    order o = {0};
    sz_ebim_map m = {0};
    sz_ebim_code c = {0};
    sz_status status = order_new(p, n, &o);
    if (status == SZ_OK)
        status = solve(&o, n, rate, method, &m, &c);
    if (status == SZ_OK)
        *out = c;
    else
        sz_ebim_code_free(&c);
    sz_free(o.symbol);
    sz_free(o.p);
    sz_free(m.code);
    sz_free(m.law);
    return status;
}

void sz_ebim_code_free(sz_ebim_code *c) {
    if (!c)
        return;
    sz_free(c->code);
    sz_free(c->law);
    *c = (sz_ebim_code){0};
}
