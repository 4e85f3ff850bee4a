/* tune_poly.c: piecewise polynomial scores: upper envelopes, and nets between two activations. */
#include "tune.h"
#include <math.h>
#include <string.h>

void sz_tune_poly_free(sz_tune_poly *p) {
    sz_free(p->breaks);
    sz_free(p->c);
    *p = (sz_tune_poly){0};
}

static size_t piece_of(const sz_tune_poly *p, double alpha) {
    size_t low = 0, high = p->n - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (alpha < p->breaks[middle + 1])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

double sz_tune_poly_at(const sz_tune_poly *p, double alpha) {
    return sz_tune_evaluate(p->c + piece_of(p, alpha) * (p->degree + 1), p->degree, alpha);
}

/* Every piece at its ends and where its derivative vanishes. */
static void find_best(sz_tune_poly *p) {
    p->best = -INFINITY;
    for (size_t i = 0; i < p->n; i++) {
        const double *c = p->c + i * (p->degree + 1);
        double derivative[SZ_TUNE_DEGREE + 1] = {0}, at[SZ_TUNE_DEGREE + 2];
        for (size_t k = 1; k <= p->degree; k++)
            derivative[k - 1] = (double)k * c[k];
        size_t n = p->degree < 2 ? 0
                                 : sz_tune_roots(derivative, p->degree - 1, p->breaks[i],
                                                 p->breaks[i + 1], at + 1);
        at[0] = p->breaks[i];
        at[n + 1] = p->breaks[i + 1];
        for (size_t k = 0; k < n + 2; k++) {
            double y = sz_tune_evaluate(c, p->degree, at[k]);
            if (y > p->best) {
                p->best = y;
                p->alpha = at[k];
            }
        }
    }
}

/* A piecewise polynomial over breaks, filled cell by cell from `value`, which adds a task's
 * polynomial at the middle of a cell. */
typedef sz_status (*adder)(void *user, double middle, double *c);

static sz_status assemble(sz_tune_list *breaks, size_t degree, double lo, double hi, adder add,
                          void *user, sz_tune_poly *out) {
    sz_tune_poly p = {.n = breaks->n + 1, .degree = degree};
    p.breaks = sz_alloc((p.n + 1) * sizeof *p.breaks);
    p.c = sz_calloc(p.n * (degree + 1), sizeof *p.c);
    sz_status status =
        p.breaks && p.c ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for %zu pieces", p.n);
    if (status == SZ_OK) {
        p.breaks[0] = lo;
        if (breaks->n > 0)
            memcpy(p.breaks + 1, breaks->v, breaks->n * sizeof *breaks->v);
        p.breaks[p.n] = hi;
    }
    for (size_t i = 0; i < p.n && status == SZ_OK; i++)
        status =
            add(user, p.breaks[i] + (p.breaks[i + 1] - p.breaks[i]) / 2, p.c + i * (degree + 1));
    if (status == SZ_OK) {
        find_best(&p);
        *out = p;
    } else {
        sz_tune_poly_free(&p);
    }
    return status;
}

/* ---- Envelopes ---------------------------------------------------------------------------------
 */

typedef struct envelope {
    const double *c;
    size_t n_tasks, n_candidates, degree;
} envelope;

static sz_status add_largest(void *user, double middle, double *c) {
    const envelope *e = user;
    size_t terms = e->degree + 1;
    for (size_t t = 0; t < e->n_tasks; t++) {
        const double *best = NULL;
        double most = -INFINITY;
        for (size_t k = 0; k < e->n_candidates; k++) {
            const double *p = e->c + (t * e->n_candidates + k) * terms;
            double y = sz_tune_evaluate(p, e->degree, middle);
            if (!best || y > most) {
                best = p;
                most = y;
            }
        }
        for (size_t k = 0; k < terms; k++)
            c[k] += best[k] / (double)e->n_tasks;
    }
    return SZ_OK;
}

static sz_status add_crossings(const double *p, const double *q, size_t degree, double lo,
                               double hi, sz_tune_list *breaks) {
    double difference[SZ_TUNE_DEGREE + 1], roots[SZ_TUNE_DEGREE];
    for (size_t k = 0; k <= degree; k++)
        difference[k] = p[k] - q[k];
    size_t n = sz_tune_roots(difference, degree, lo, hi, roots);
    for (size_t k = 0; k < n; k++)
        SZ_TRY(sz_tune_push(breaks, roots[k]));
    return SZ_OK;
}

static sz_status cross_all(const envelope *e, double lo, double hi, sz_tune_list *breaks) {
    size_t terms = e->degree + 1;
    for (size_t t = 0; t < e->n_tasks; t++)
        for (size_t i = 0; i < e->n_candidates; i++)
            for (size_t j = 0; j < i; j++) {
                const double *task = e->c + t * e->n_candidates * terms;
                SZ_TRY(
                    add_crossings(task + i * terms, task + j * terms, e->degree, lo, hi, breaks));
            }
    sz_tune_tidy(breaks, lo, hi);
    return SZ_OK;
}

sz_status sz_tune_envelope(const double *c, size_t n_tasks, size_t n_candidates, size_t degree,
                           double lo, double hi, sz_tune_poly *out) {
    SZ_TRY(sz_tune_check_range(lo, hi));
    SZ_REQUIRE(c && n_tasks > 0 && n_candidates > 0, SZ_E_ARG, "there are no tasks");
    SZ_REQUIRE(degree <= SZ_TUNE_DEGREE, SZ_E_ARG, "polynomials of degree %zu: at most %d", degree,
               SZ_TUNE_DEGREE);
    for (size_t i = 0; i < n_tasks * n_candidates * (degree + 1); i++)
        SZ_REQUIRE(c[i] - c[i] == 0.0, SZ_E_NAN, "task %zu: a coefficient is %g",
                   i / (n_candidates * (degree + 1)), c[i]);
    envelope e = {c, n_tasks, n_candidates, degree};
    sz_tune_list breaks = {0};
    sz_status status = cross_all(&e, lo, hi, &breaks);
    if (status == SZ_OK)
        status = assemble(&breaks, degree, lo, hi, add_largest, &e, out);
    sz_free(breaks.v);
    return status;
}

/* ---- Nets --------------------------------------------------------------------------------------
 */

enum { MOST_WIDTH = 4096, MOST_HIDDEN = (SZ_TUNE_DEGREE - 2) / 2 };

typedef struct net {
    const double *const *weights;
    const size_t *widths;
    size_t n_layers;
    sz_tune_bend first, second;
    const double *x, *y;
    size_t n;
    double *units[2]; /* [widest][MOST_HIDDEN + 2]: polynomials of a layer */
} net;

enum { TERMS = MOST_HIDDEN + 2 };

/* Pre-activations of layer l + 1 from the units of layer l, whose degree is l. */
static void multiply(const net *g, size_t l, size_t degree) {
    for (size_t i = 0; i < g->widths[l + 1]; i++) {
        double *out = g->units[1] + i * TERMS;
        memset(out, 0, TERMS * sizeof *out);
        for (size_t j = 0; j < g->widths[l]; j++)
            for (size_t k = 0; k <= degree; k++)
                out[k] += g->weights[l][i * g->widths[l] + j] * g->units[0][j * TERMS + k];
    }
}

/* Units of the next layer: pre-activation times its slope at `middle`, alpha s1 + (1 - alpha) s2.
 */
static void bend(const net *g, size_t width, size_t degree, double middle) {
    for (size_t i = 0; i < width; i++) {
        const double *z = g->units[1] + i * TERMS;
        double *out = g->units[0] + i * TERMS;
        bool above = sz_tune_evaluate(z, degree, middle) > 0.0;
        double s1 = above ? g->first.above : g->first.below,
               s2 = above ? g->second.above : g->second.below;
        memset(out, 0, TERMS * sizeof *out);
        for (size_t k = 0; k <= degree; k++) {
            out[k] += s2 * z[k];
            out[k + 1] = (s1 - s2) * z[k];
        }
    }
}

static void load(const net *g, size_t example) {
    memset(g->units[0], 0, g->widths[0] * TERMS * sizeof *g->units[0]);
    for (size_t j = 0; j < g->widths[0]; j++)
        g->units[0][j * TERMS] = g->x[example * g->widths[0] + j];
}

/* Within (lo, hi), where the units of layers before l are polynomials: cuts where those of l change
 * side, and goes on in each part. */
static sz_status cut_layer(const net *g, size_t example, size_t l, double lo, double hi,
                           sz_tune_list *breaks) {
    double roots[SZ_TUNE_DEGREE], middle = lo + (hi - lo) / 2;
    sz_tune_list own = {0};
    sz_status status = SZ_OK;
    load(g, example);
    for (size_t k = 0; k <= l; k++) {
        multiply(g, k, k);
        if (k < l)
            bend(g, g->widths[k + 1], k, middle);
    }
    for (size_t i = 0; i < g->widths[l + 1] && status == SZ_OK; i++) {
        size_t n = sz_tune_roots(g->units[1] + i * TERMS, l, lo, hi, roots);
        for (size_t k = 0; k < n && status == SZ_OK; k++)
            status = sz_tune_push(&own, roots[k]);
    }
    sz_tune_tidy(&own, lo, hi);
    for (size_t i = 0; i < own.n && status == SZ_OK; i++)
        status = sz_tune_push(breaks, own.v[i]);
    for (size_t i = 0; i <= own.n && l + 2 < g->n_layers && status == SZ_OK; i++)
        status = cut_layer(g, example, l + 1, i == 0 ? lo : own.v[i - 1], i < own.n ? own.v[i] : hi,
                           breaks);
    sz_free(own.v);
    return status;
}

/* Minus the squared loss of every example, as a polynomial around `middle`. */
static sz_status add_losses(void *user, double middle, double *c) {
    const net *g = user;
    size_t degree = g->n_layers - 1;
    for (size_t e = 0; e < g->n; e++) {
        load(g, e);
        for (size_t l = 0; l < g->n_layers; l++) {
            multiply(g, l, l);
            if (l + 1 < g->n_layers)
                bend(g, g->widths[l + 1], l, middle);
        }
        double residual[TERMS];
        memcpy(residual, g->units[1], sizeof residual);
        residual[0] -= g->y[e];
        for (size_t i = 0; i <= degree; i++)
            for (size_t j = 0; j <= degree; j++)
                c[i + j] -= residual[i] * residual[j] / (double)g->n;
    }
    return SZ_OK;
}

static sz_status check_net(const net *g) {
    SZ_REQUIRE(g->n > 0 && g->n_layers >= 1, SZ_E_ARG, "there are no examples, or no layers");
    SZ_REQUIRE(g->n_layers - 1 <= MOST_HIDDEN, SZ_E_ARG, "%zu hidden layers: at most %d",
               g->n_layers - 1, MOST_HIDDEN);
    SZ_REQUIRE(g->widths[g->n_layers] == 1, SZ_E_ARG, "the net has %zu outputs, not one",
               g->widths[g->n_layers]);
    for (size_t l = 0; l <= g->n_layers; l++)
        SZ_REQUIRE(g->widths[l] >= 1 && g->widths[l] <= MOST_WIDTH, SZ_E_ARG,
                   "layer %zu has %zu units: 1 to %d", l, g->widths[l], MOST_WIDTH);
    for (size_t i = 0; i < g->n * g->widths[0]; i++)
        SZ_REQUIRE(g->x[i] - g->x[i] == 0.0, SZ_E_NAN, "example %zu has an input %g",
                   i / g->widths[0], g->x[i]);
    return SZ_OK;
}

sz_status sz_tune_activation(const double *const *weights, const size_t *widths, size_t n_layers,
                             sz_tune_bend first, sz_tune_bend second, const double *x,
                             const double *y, size_t n, double lo, double hi, sz_tune_poly *out) {
    net g = {weights, widths, n_layers, first, second, x, y, n, {NULL, NULL}};
    sz_tune_list breaks = {0};
    SZ_TRY(sz_tune_check_range(lo, hi));
    SZ_TRY(check_net(&g));
    for (int k = 0; k < 2; k++)
        g.units[k] = sz_alloc((size_t)MOST_WIDTH * TERMS * sizeof(double));
    sz_status status =
        g.units[0] && g.units[1] ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for a net");
    for (size_t e = 0; e < n && n_layers > 1 && status == SZ_OK; e++)
        status = cut_layer(&g, e, 0, lo, hi, &breaks);
    sz_tune_tidy(&breaks, lo, hi);
    if (status == SZ_OK)
        status = assemble(&breaks, 2 * (n_layers - 1), lo, hi, add_losses, &g, out);
    sz_free(breaks.v);
    sz_free(g.units[0]);
    sz_free(g.units[1]);
    return status;
}
