/* tune_steps.c: piecewise constant scores: where they change is sorted, and summed from left to
 * right. */
#include "tune.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void sz_tune_curve_free(sz_tune_curve *c) {
    sz_free(c->pieces);
    *c = (sz_tune_curve){0};
}

double sz_tune_curve_at(const sz_tune_curve *c, double alpha) {
    size_t low = 0, high = c->n - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (alpha < c->pieces[middle].right)
            high = middle;
        else
            low = middle + 1;
    }
    return c->pieces[low].value;
}

/* ---- Sweeping ----------------------------------------------------------------------------------
 */

static int by_place(const void *a, const void *b) {
    const sz_tune_event *p = a, *q = b;
    return (p->at > q->at) - (p->at < q->at);
}

typedef struct sum { /* Neumaier's */
    double high, low;
} sum;

static void add(sum *s, double x) {
    double next = s->high + x;
    double a = s->high < 0 ? -s->high : s->high, b = x < 0 ? -x : x;
    s->low += a >= b ? (s->high - next) + x : (x - next) + s->high;
    s->high = next;
}

/* Sums of the same tasks in another order may differ by rounding. */
static bool alike(double a, double b) {
    double d = a - b, size = a < 0 ? -a : a;
    return (d < 0 ? -d : d) <= 1e-12 * (size > 1 ? size : 1);
}

static void add_piece(sz_tune_curve *c, double left, double right, double value) {
    if (c->n > 0 && alike(c->pieces[c->n - 1].value, value))
        c->pieces[c->n - 1].right = right;
    else
        c->pieces[c->n++] = (sz_tune_piece){left, right, value};
}

static void find_best(sz_tune_curve *c) {
    const sz_tune_piece *best = &c->pieces[0];
    for (size_t i = 1; i < c->n; i++) {
        const sz_tune_piece *p = &c->pieces[i];
        double wider = (p->right - p->left) - (best->right - best->left);
        if (alike(p->value, best->value) ? wider > 0 : p->value > best->value)
            best = p;
    }
    c->best = best->value;
    c->left = best->left;
    c->right = best->right;
    c->alpha = best->left + (best->right - best->left) / 2;
}

sz_status sz_tune_sweep(double start, sz_tune_event *events, size_t n, double scale, double lo,
                        double hi, sz_tune_curve *out) {
    sz_tune_curve c = {.pieces = sz_alloc((n + 1) * sizeof *c.pieces), .n_cells = 1};
    SZ_REQUIRE(c.pieces, SZ_E_NOMEM, "no memory for %zu pieces", n + 1);
    sum s = {start, 0};
    double left = lo, near = 1e-12 * (hi - lo);
    if (n > 1)
        qsort(events, n, sizeof *events, by_place);
    for (size_t i = 0; i < n;) {
        double at = events[i].at, value = (s.high + s.low) / scale;
        if (at > lo && at < hi) {
            add_piece(&c, left, at, value);
            left = at;
            c.n_cells++;
        }
        for (double first = at; i < n && events[i].at - first <= near; i++) {
            c.n_merged += events[i].at != at;
            at = events[i].at;
            add(&s, events[i].by);
        }
    }
    add_piece(&c, left, hi, (s.high + s.low) / scale);
    find_best(&c);
    *out = c;
    return SZ_OK;
}

/* ---- Step functions ----------------------------------------------------------------------------
 */

static sz_status check_steps(const sz_tune_steps *t, size_t task) {
    for (size_t i = 0; i <= t->n_breaks; i++)
        SZ_REQUIRE(t->values[i] - t->values[i] == 0.0, SZ_E_NAN, "task %zu: value %zu is %g", task,
                   i, t->values[i]);
    for (size_t i = 0; i < t->n_breaks; i++) {
        SZ_REQUIRE(t->breaks[i] - t->breaks[i] == 0.0, SZ_E_NAN, "task %zu: break %zu is %g", task,
                   i, t->breaks[i]);
        SZ_REQUIRE(i == 0 || t->breaks[i] > t->breaks[i - 1], SZ_E_ARG,
                   "task %zu: break %zu does not rise", task, i);
    }
    return SZ_OK;
}

sz_status sz_tune_mean_steps(const sz_tune_steps *tasks, size_t n, double lo, double hi,
                             sz_tune_curve *out) {
    SZ_TRY(sz_tune_check_range(lo, hi));
    SZ_REQUIRE(tasks && n > 0, SZ_E_ARG, "there are no tasks");
    size_t n_events = 0;
    sum start = {0, 0};
    for (size_t t = 0; t < n; t++) {
        SZ_TRY(check_steps(&tasks[t], t));
        n_events += tasks[t].n_breaks;
    }
    sz_tune_event *events = sz_alloc((n_events + 1) * sizeof *events);
    SZ_REQUIRE(events, SZ_E_NOMEM, "no memory for %zu breaks", n_events);
    n_events = 0;
    for (size_t t = 0; t < n; t++) {
        size_t first = 0; /* the value at lo */
        while (first < tasks[t].n_breaks && tasks[t].breaks[first] <= lo)
            first++;
        add(&start, tasks[t].values[first]);
        for (size_t i = first; i < tasks[t].n_breaks && tasks[t].breaks[i] < hi; i++)
            events[n_events++] =
                (sz_tune_event){tasks[t].breaks[i], tasks[t].values[i + 1] - tasks[t].values[i]};
    }
    sz_status status =
        sz_tune_sweep(start.high + start.low, events, n_events, (double)n, lo, hi, out);
    sz_free(events);
    return status;
}

/* ---- Two tables of scores ----------------------------------------------------------------------
 */

/* The open interval in which the label wins; empty: lo >= hi. */
static void win(const float *a, const float *b, size_t n_classes, size_t label, double *lo,
                double *hi) {
    for (size_t c = 0; c < n_classes && *lo < *hi; c++) {
        if (c == label)
            continue;
        double at_0 = (double)a[label] - (double)a[c], at_1 = (double)b[label] - (double)b[c];
        double slope = at_1 - at_0, crossing = -at_0 / slope;
        if (slope > 0.0)
            *lo = crossing > *lo ? crossing : *lo;
        else if (slope < 0.0)
            *hi = crossing < *hi ? crossing : *hi;
        else if (at_0 < 0.0 || (at_0 == 0.0 && c < label))
            *hi = *lo;
    }
}

static sz_status check_scores(const float *s, size_t n, const char *which, size_t example) {
    for (size_t c = 0; c < n; c++)
        SZ_REQUIRE(s[c] - s[c] == 0.0f, SZ_E_NAN, "example %zu: score %zu of %s is %g", example, c,
                   which, (double)s[c]);
    return SZ_OK;
}

static sz_status check_label(int32_t label, size_t n_classes, size_t example) {
    SZ_REQUIRE(label >= 0 && (size_t)label < n_classes, SZ_E_ARG,
               "example %zu: label %d is not one of %zu classes", example, (int)label, n_classes);
    return SZ_OK;
}

static sz_status interpolate(const float *a, const float *b, const int32_t *labels, size_t n,
                             size_t n_classes, double lo, double hi, sz_tune_event *events,
                             size_t *n_events, double *start) {
    for (size_t i = 0; i < n; i++) {
        const float *p = a + i * n_classes, *q = b + i * n_classes;
        double left = lo, right = hi;
        SZ_TRY(check_label(labels[i], n_classes, i));
        SZ_TRY(check_scores(p, n_classes, "a", i));
        SZ_TRY(check_scores(q, n_classes, "b", i));
        win(p, q, n_classes, (size_t)labels[i], &left, &right);
        if (!(left < right))
            continue;
        if (left > lo)
            events[(*n_events)++] = (sz_tune_event){left, 1};
        else
            *start += 1;
        if (right < hi)
            events[(*n_events)++] = (sz_tune_event){right, -1};
    }
    return SZ_OK;
}

sz_status sz_tune_interpolate(const float *a, const float *b, const int32_t *labels, size_t n,
                              size_t n_classes, double lo, double hi, sz_tune_curve *out) {
    SZ_TRY(sz_tune_check_range(lo, hi));
    SZ_REQUIRE(a && b && labels && n > 0 && n_classes > 0, SZ_E_ARG, "there are no examples");
    sz_tune_event *events = sz_alloc(2 * n * sizeof *events);
    SZ_REQUIRE(events, SZ_E_NOMEM, "no memory for %zu examples", n);
    size_t n_events = 0;
    double start = 0;
    sz_status status = interpolate(a, b, labels, n, n_classes, lo, hi, events, &n_events, &start);
    if (status == SZ_OK)
        status = sz_tune_sweep(start, events, n_events, 1, lo, hi, out);
    sz_free(events);
    return status;
}

/* ---- Polynomial scores -------------------------------------------------------------------------
 */

typedef struct example {
    const double *scores; /* [n_classes][degree + 1] */
    size_t n_classes, degree, label;
} example;

static bool is_right(const example *e, double x) {
    double best = sz_tune_evaluate(e->scores + e->label * (e->degree + 1), e->degree, x);
    for (size_t c = 0; c < e->n_classes; c++) {
        double s = sz_tune_evaluate(e->scores + c * (e->degree + 1), e->degree, x);
        if (c != e->label && (s > best || (s == best && c < e->label)))
            return false;
    }
    return true;
}

/* The roots of all differences cut [lo, hi] into cells; the middle of each decides it. */
static sz_status cut(const example *e, double lo, double hi, sz_tune_list *breaks) {
    double difference[SZ_TUNE_DEGREE + 1], roots[SZ_TUNE_DEGREE];
    const double *own = e->scores + e->label * (e->degree + 1);
    breaks->n = 0;
    for (size_t c = 0; c < e->n_classes; c++) {
        if (c == e->label)
            continue;
        for (size_t k = 0; k <= e->degree; k++)
            difference[k] = own[k] - e->scores[c * (e->degree + 1) + k];
        size_t n = sz_tune_roots(difference, e->degree, lo, hi, roots);
        for (size_t k = 0; k < n; k++)
            SZ_TRY(sz_tune_push(breaks, roots[k]));
    }
    sz_tune_tidy(breaks, lo, hi);
    return SZ_OK;
}

typedef struct events {
    sz_tune_event *v;
    size_t n, cap;
    double start;
} events;

static sz_status add_event(events *e, double at, double by) {
    if (e->n == e->cap) {
        size_t cap = e->cap ? 2 * e->cap : 64;
        sz_tune_event *more = sz_realloc(e->v, e->cap * sizeof *more, cap * sizeof *more);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for %zu breaks", cap);
        e->v = more;
        e->cap = cap;
    }
    e->v[e->n++] = (sz_tune_event){at, by};
    return SZ_OK;
}

static sz_status add_example(const example *e, double lo, double hi, sz_tune_list *breaks,
                             events *out) {
    bool before = false;
    SZ_TRY(cut(e, lo, hi, breaks));
    for (size_t i = 0; i <= breaks->n; i++) {
        double left = i == 0 ? lo : breaks->v[i - 1], right = i < breaks->n ? breaks->v[i] : hi;
        bool right_here = is_right(e, left + (right - left) / 2);
        if (i == 0)
            out->start += right_here;
        else if (right_here != before)
            SZ_TRY(add_event(out, left, right_here ? 1 : -1));
        before = right_here;
    }
    return SZ_OK;
}

sz_status sz_tune_polynomials(const double *scores, const int32_t *labels, size_t n,
                              size_t n_classes, size_t degree, double lo, double hi,
                              sz_tune_curve *out) {
    SZ_TRY(sz_tune_check_range(lo, hi));
    SZ_REQUIRE(scores && labels && n > 0 && n_classes > 0, SZ_E_ARG, "there are no examples");
    SZ_REQUIRE(degree <= SZ_TUNE_DEGREE, SZ_E_ARG, "polynomials of degree %zu: at most %d", degree,
               SZ_TUNE_DEGREE);
    size_t per_example = n_classes * (degree + 1);
    events e = {0};
    sz_tune_list breaks = {0};
    sz_status status = SZ_OK;
    for (size_t i = 0; i < n && status == SZ_OK; i++) {
        example x = {scores + i * per_example, n_classes, degree, (size_t)labels[i]};
        status = check_label(labels[i], n_classes, i);
        for (size_t k = 0; k < per_example && status == SZ_OK; k++)
            if (!(x.scores[k] - x.scores[k] == 0.0))
                status = sz_fail(SZ_E_NAN, "example %zu: coefficient %zu is %g", i, k, x.scores[k]);
        if (status == SZ_OK)
            status = add_example(&x, lo, hi, &breaks, &e);
    }
    if (status == SZ_OK)
        status = sz_tune_sweep(e.start, e.v, e.n, 1, lo, hi, out);
    sz_free(e.v);
    sz_free(breaks.v);
    return status;
}

/* (d + alpha)^degree, ascending in alpha. */
static void expand(double d, size_t degree, double *c) {
    memset(c, 0, (degree + 1) * sizeof *c);
    c[0] = 1;
    for (size_t k = 0; k < degree; k++)
        for (size_t i = k + 2; i-- > 0;)
            c[i] = (i <= k ? d * c[i] : 0) + (i > 0 ? c[i - 1] : 0);
}

sz_status sz_tune_graph(const double *distance, const double *m, const int32_t *labels, size_t n,
                        size_t n_classes, size_t degree, bool normalised, double lo, double hi,
                        sz_tune_curve *out) {
    SZ_REQUIRE(distance && m && n > 0 && n_classes > 0, SZ_E_ARG, "there are no nodes");
    SZ_REQUIRE(degree <= SZ_TUNE_DEGREE, SZ_E_ARG, "a kernel of degree %zu: at most %d", degree,
               SZ_TUNE_DEGREE);
    for (size_t i = 0; i < n * n && normalised;
         i++) /* a common positive denominator decides nothing */
        SZ_REQUIRE(distance[i] + lo > 0, SZ_E_ARG,
                   "nodes %zu and %zu: %g + %g is not above 0, rows cannot be normalised", i / n,
                   i % n, distance[i], lo);
    size_t terms = degree + 1;
    double power[SZ_TUNE_DEGREE + 1], *scores = sz_calloc(n * n_classes * terms, sizeof *scores);
    SZ_REQUIRE(scores, SZ_E_NOMEM, "no memory for %zu nodes", n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            expand(distance[i * n + j], degree, power);
            for (size_t c = 0; c < n_classes; c++)
                for (size_t k = 0; k < terms; k++)
                    scores[(i * n_classes + c) * terms + k] += power[k] * m[j * n_classes + c];
        }
    sz_status status = sz_tune_polynomials(scores, labels, n, n_classes, degree, lo, hi, out);
    sz_free(scores);
    return status;
}
