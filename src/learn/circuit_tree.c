/* circuit_tree.c: mutual information of columns, and the tree that keeps most of it (Chow, Liu). */
#include "circuit.h"

#include <string.h>

enum { LEVELS = 32, CELLS = LEVELS + 1, MOST_COLUMNS = 8192 };

/* ---- Mutual information ---------------------------------------------------------------------- */

typedef struct pairs_job {
    const uint8_t *code;     /* [d][n]; LEVELS: missing */
    const double *count_log; /* c ln c for c = 0 .. n */
    size_t n, d;
    double *mi;
} pairs_job;

/* N I = sum c ln c over cells - the same over rows - over columns + N ln N. Grouped so that it is
 * exactly zero where one side is constant. */
static double information(const uint32_t *cell, const double *count_log) {
    uint32_t row[LEVELS] = {0}, column[LEVELS] = {0}, n = 0;
    double cells = 0, rows = 0, columns = 0;
    for (size_t a = 0; a < LEVELS; a++)
        for (size_t b = 0; b < LEVELS; b++) {
            uint32_t c = cell[a * CELLS + b];
            row[a] += c;
            column[b] += c;
            n += c;
            cells += count_log[c];
        }
    for (size_t a = 0; a < LEVELS; a++) {
        rows += count_log[row[a]];
        columns += count_log[column[a]];
    }
    if (n == 0)
        return 0;
    double more = rows > columns ? rows : columns, less = rows > columns ? columns : rows;
    double nats = ((cells - less) + (count_log[n] - more)) / n;
    return nats >= 1e-12 ? nats : 0;
}

static void fill_row(void *context, size_t i, int thread) {
    const pairs_job *job = context;
    uint32_t cell[CELLS * CELLS];
    job->mi[i * job->d + i] = 0;
    for (size_t j = i + 1; j < job->d; j++) {
        const uint8_t *a = job->code + i * job->n, *b = job->code + j * job->n;
        memset(cell, 0, sizeof cell);
        for (size_t s = 0; s < job->n; s++)
            cell[a[s] * CELLS + b[s]]++;
        job->mi[i * job->d + j] = job->mi[j * job->d + i] = information(cell, job->count_log);
    }
}

sz_status sz_pc_mutual_information(sz_runtime *rt, const int32_t *x, size_t n, size_t d,
                                   size_t n_categories, double *mi) {
    SZ_REQUIRE(n >= 1 && n < UINT32_MAX, SZ_E_LIMIT, "information from %zu records", n);
    SZ_REQUIRE(d >= 1 && d <= MOST_COLUMNS, SZ_E_LIMIT,
               "records of %zu columns: a tree is learned over 1 to %d", d, MOST_COLUMNS);
    SZ_TRY(sz_pc_check_records(&(sz_pc_shape){d, 1, n_categories}, x, n, true));
    uint8_t *code = sz_alloc(n * d);
    double *count_log = sz_alloc((n + 1) * sizeof *count_log);
    if (code && count_log) {
        for (size_t i = 0; i < n * d; i++) {
            size_t at = i % d * n + i / d, value = (size_t)x[i];
            bool joined = n_categories > LEVELS;
            code[at] =
                x[i] < 0 ? LEVELS : (uint8_t)(joined ? value * LEVELS / n_categories : value);
        }
        for (size_t c = 0; c <= n; c++)
            count_log[c] = c ? (double)c * sz_log((double)c) : 0;
        pairs_job job = {code, count_log, n, d, mi};
        sz_pool_run(sz_runtime_pool(rt), fill_row, &job, d);
    }
    sz_status status = code && count_log
                           ? SZ_OK
                           : sz_fail(SZ_E_NOMEM, "no memory for %zu records of %zu columns", n, d);
    sz_free(code);
    sz_free(count_log);
    return status;
}

/* ---- Spanning forest (Prim) ------------------------------------------------------------------ */

typedef struct forest {
    size_t d;
    int32_t *parent; /* -1: the first variable of a component */
    double *best;    /* information with the tree so far */
    uint32_t *queue; /* scratch of the search for centres */
    uint32_t *distance;
    size_t n_components;
    double total;
} forest;

/* Takes variable v in; the others remember their best neighbour in the tree. */
static void take(forest *f, const double *mi, size_t v) {
    f->best[v] = -1;
    for (size_t w = 0; w < f->d; w++)
        if (mi[v * f->d + w] > f->best[w] && f->best[w] >= 0) {
            f->best[w] = mi[v * f->d + w];
            f->parent[w] = (int32_t)v;
        }
}

static void grow(forest *f, const double *mi) {
    for (size_t v = 0; v < f->d; v++) {
        f->parent[v] = -1;
        f->best[v] = 0;
    }
    for (size_t taken = 0; taken < f->d; taken++) {
        size_t next = f->d;
        for (size_t v = 0; v < f->d; v++)
            if (f->best[v] >= 0 && (next == f->d || f->best[v] > f->best[next]))
                next = v;
        f->total += f->best[next];
        if (f->parent[next] < 0)
            f->n_components++;
        take(f, mi, next);
    }
}

/* ---- Centres --------------------------------------------------------------------------------- */

typedef struct links {
    int32_t *first, *next; /* children of v: first[v], next[that] ...; -1 ends */
} links;

static void reach(const forest *f, int32_t v, uint32_t distance, size_t *tail) {
    if (v < 0 || f->distance[v] != UINT32_MAX)
        return;
    f->distance[v] = distance;
    f->queue[(*tail)++] = (uint32_t)v;
}

/* Breadth first over the edges of start's component: returns the variable reached last; distance
 * holds how far each is. */

static size_t spread(const forest *f, const links *l, size_t start) {
    size_t head = 0, tail = 0;
    for (size_t v = 0; v < f->d; v++)
        f->distance[v] = UINT32_MAX;
    reach(f, (int32_t)start, 0, &tail);
    while (head < tail) {
        uint32_t v = f->queue[head++];
        reach(f, f->parent[v], f->distance[v] + 1, &tail);
        for (int32_t w = l->first[v]; w >= 0; w = l->next[w])
            reach(f, w, f->distance[v] + 1, &tail);
    }
    return f->queue[tail - 1];
}

/* The middle of a longest path, the lower index of two. */
static size_t centre(const forest *f, const links *l, size_t start, uint32_t *size) {
    size_t a = spread(f, l, start), b = spread(f, l, a), middle = f->d;
    uint32_t *from_a = f->distance, length = from_a[b];
    *size = 0;
    for (size_t v = 0; v < f->d; v++)
        *size += from_a[v] != UINT32_MAX;
    /* Back from b: the neighbour that is one nearer to a. */
    for (size_t v = b;;) {
        if (from_a[v] == length / 2 || from_a[v] == (length + 1) / 2)
            middle = v < middle ? v : middle;
        if (from_a[v] == 0)
            return middle;
        size_t nearer = f->parent[v] >= 0 && from_a[f->parent[v]] + 1 == from_a[v]
                            ? (size_t)f->parent[v]
                            : f->d;
        for (int32_t w = l->first[v]; w >= 0 && nearer == f->d; w = l->next[w])
            if (from_a[w] + 1 == from_a[v])
                nearer = (size_t)w;
        v = nearer;
    }
}

/* Turns the edges on the way from v up, so that v has the parent `above`. */
static void make_root(int32_t *parent, size_t v, int32_t above) {
    for (int32_t at = (int32_t)v; at >= 0;) {
        int32_t next = parent[at];
        parent[at] = above;
        above = at;
        at = next;
    }
}

static void link_children(const forest *f, links *l) {
    for (size_t v = 0; v < f->d; v++)
        l->first[v] = -1;
    for (size_t v = f->d; v-- > 0;)
        if (f->parent[v] >= 0) {
            l->next[v] = l->first[f->parent[v]];
            l->first[f->parent[v]] = (int32_t)v;
        }
}

/* `centres` [n_components] is scratch. */
static void choose_root(forest *f, links *l, uint32_t *centres) {
    uint32_t largest = 0, size;
    size_t root = 0;
    link_children(f, l);
    for (size_t v = 0, seen = 0; v < f->d; v++) {
        if (f->parent[v] >= 0)
            continue;
        size_t at = centre(f, l, v, &size);
        centres[seen++] = (uint32_t)at;
        if (size > largest) {
            largest = size;
            root = at;
        }
    }
    for (size_t i = 0; i < f->n_components; i++)
        make_root(f->parent, centres[i], centres[i] == root ? -1 : (int32_t)root);
}

sz_status sz_pc_chow_liu(const double *mi, size_t d, int32_t *parent, double *total) {
    SZ_REQUIRE(d >= 1 && d <= MOST_COLUMNS, SZ_E_LIMIT, "a tree of %zu columns: 1 to %d", d,
               MOST_COLUMNS);
    for (size_t i = 0; i < d * d; i++)
        SZ_REQUIRE(mi[i] >= 0 && mi[i] < 1e300, SZ_E_ARG,
                   "the information of columns %zu and %zu is %g", i / d, i % d, mi[i]);
    uint32_t *index = sz_alloc(3 * d * sizeof *index);
    int32_t *lists = sz_alloc(2 * d * sizeof *lists);
    double *best = sz_alloc(d * sizeof *best);
    sz_status status = index && lists && best
                           ? SZ_OK
                           : sz_fail(SZ_E_NOMEM, "no memory for a tree of %zu columns", d);
    if (status == SZ_OK) {
        forest f = {.d = d, .parent = parent, .best = best, .queue = index};
        f.distance = index + d;
        grow(&f, mi);
        choose_root(&f, &(links){lists, lists + d}, index + 2 * d);
        if (total)
            *total = f.total;
    }
    sz_free(index);
    sz_free(lists);
    sz_free(best);
    return status;
}
