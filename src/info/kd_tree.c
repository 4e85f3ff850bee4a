/* kd_tree.c: a tree that halves its points along the widest side of their box. */
#include "info/kd_tree.h"

#include <string.h>

enum { LEAF = 12 };

static inline double distance(const double *a, const double *b, size_t d) {
    double most = 0;
    for (size_t i = 0; i < d; i++) {
        double x = __builtin_fabs(a[i] - b[i]);
        most = x > most ? x : most;
    }
    return most;
}

/* ---- Building -------------------------------------------------------------------------------- */

typedef struct builder {
    sz_kd_tree *t;
    const double *x;
} builder;

static void swap(uint32_t *a, uint32_t *b) {
    uint32_t t = *a;
    *a = *b;
    *b = t;
}

/* Hoare's selection: order[from..to) split so that the middle one stands in its place. */
static void split(const builder *b, size_t axis, uint32_t from, uint32_t to, uint32_t middle) {
    uint32_t *order = b->t->order;
    size_t d = b->t->d;
    while (to - from > 1) {
        double pivot = b->x[order[from + (to - from) / 2] * d + axis];
        uint32_t i = from, j = to - 1;
        for (;;) {
            while (b->x[order[i] * d + axis] < pivot)
                i++;
            while (b->x[order[j] * d + axis] > pivot)
                j--;
            if (i >= j)
                break;
            swap(&order[i++], &order[j--]);
        }
        uint32_t border = i == j && b->x[order[i] * d + axis] <= pivot ? i + 1 : i;
        if (border <= from || border >= to) /* one value repeated */
            border = from + (to - from) / 2;
        if (middle < border)
            to = border;
        else
            from = border;
    }
}

static size_t set_box(const builder *b, uint32_t node, uint32_t from, uint32_t to) {
    size_t d = b->t->d, widest = 0;
    double *low = b->t->boxes + (size_t)node * 2 * d, *high = low + d, width = -1;
    for (size_t a = 0; a < d; a++) {
        low[a] = high[a] = b->x[b->t->order[from] * d + a];
        for (uint32_t i = from + 1; i < to; i++) {
            double v = b->x[b->t->order[i] * d + a];
            low[a] = v < low[a] ? v : low[a];
            high[a] = v > high[a] ? v : high[a];
        }
        if (high[a] - low[a] > width) {
            width = high[a] - low[a];
            widest = a;
        }
    }
    return widest;
}

static uint32_t build(const builder *b, uint32_t from, uint32_t to) {
    uint32_t node = (uint32_t)b->t->n_nodes++;
    size_t axis = set_box(b, node, from, to);
    b->t->nodes[node] = (sz_kd_node){.from = from, .to = to};
    if (to - from > LEAF) {
        uint32_t middle = from + (to - from) / 2;
        split(b, axis, from, to, middle);
        uint32_t left = build(b, from, middle), right = build(b, middle, to);
        b->t->nodes[node].left = left;
        b->t->nodes[node].right = right;
    }
    return node;
}

sz_status sz_kd_build(const double *x, size_t n, size_t d, sz_kd_tree *out) {
    SZ_REQUIRE(n >= 1 && n < 1u << 31 && d >= 1, SZ_E_ARG, "%zu points of %zu dimensions", n, d);
    size_t most = 4 * n / LEAF + 2;
    sz_kd_tree t = {.n = n, .d = d};
    t.points = sz_alloc(n * d * sizeof *t.points);
    t.order = sz_alloc(n * sizeof *t.order);
    t.nodes = sz_alloc(most * sizeof *t.nodes);
    t.boxes = sz_alloc(most * 2 * d * sizeof *t.boxes);
    if (!t.points || !t.order || !t.nodes || !t.boxes) {
        sz_kd_free(&t);
        return sz_fail(SZ_E_NOMEM, "no memory for %zu points of %zu dimensions", n, d);
    }
    for (size_t i = 0; i < n; i++)
        t.order[i] = (uint32_t)i;
    build(&(builder){&t, x}, 0, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        memcpy(t.points + i * d, x + t.order[i] * d, d * sizeof *x);
    *out = t;
    return SZ_OK;
}

void sz_kd_free(sz_kd_tree *t) {
    sz_free(t->points);
    sz_free(t->order);
    sz_free(t->nodes);
    sz_free(t->boxes);
    *t = (sz_kd_tree){0};
}

/* ---- Searching ------------------------------------------------------------------------------- */

/* Least and greatest distance of x from a node's box. */
static inline double nearest_in_box(const sz_kd_tree *t, uint32_t node, const double *x) {
    const double *low = t->boxes + (size_t)node * 2 * t->d, *high = low + t->d;
    double most = 0;
    for (size_t a = 0; a < t->d; a++) {
        double out = x[a] < low[a] ? low[a] - x[a] : x[a] > high[a] ? x[a] - high[a] : 0;
        most = out > most ? out : most;
    }
    return most;
}

static inline double farthest_in_box(const sz_kd_tree *t, uint32_t node, const double *x) {
    const double *low = t->boxes + (size_t)node * 2 * t->d, *high = low + t->d;
    double most = 0;
    for (size_t a = 0; a < t->d; a++) {
        double below = x[a] - low[a], above = high[a] - x[a];
        double out = below > above ? below : above;
        most = out > most ? out : most;
    }
    return most;
}

typedef struct search {
    const sz_kd_tree *t;
    const double *x;
    uint32_t self;
    size_t k, n;
    sz_neighbour *found; /* sorted */
} search;

static void offer(search *s, double d, uint32_t at) {
    size_t i = s->n < s->k ? s->n++ : s->k - 1;
    for (; i > 0 && s->found[i - 1].distance > d; i--)
        s->found[i] = s->found[i - 1];
    s->found[i] = (sz_neighbour){d, at};
}

static void search_node(search *s, uint32_t node) {
    const sz_kd_node *n = &s->t->nodes[node];
    size_t d = s->t->d;
    if (n->left == 0) {
        for (uint32_t i = n->from; i < n->to; i++) {
            double far = distance(s->x, s->t->points + i * d, d);
            if (i != s->self && (s->n < s->k || far < s->found[s->k - 1].distance))
                offer(s, far, i);
        }
        return;
    }
    double left = nearest_in_box(s->t, n->left, s->x), right = nearest_in_box(s->t, n->right, s->x);
    bool left_first = left < right || (left == right && s->self < s->t->nodes[n->right].from);
    double first = left_first ? left : right, second = left_first ? right : left;
    if (s->n < s->k || first < s->found[s->k - 1].distance)
        search_node(s, left_first ? n->left : n->right);
    if (s->n < s->k || second < s->found[s->k - 1].distance)
        search_node(s, left_first ? n->right : n->left);
}

void sz_kd_nearest(const sz_kd_tree *t, uint32_t self, size_t k, sz_neighbour *out) {
    search s = {.t = t, .x = t->points + self * t->d, .self = self, .k = k, .found = out};
    search_node(&s, 0);
}

static size_t count_node(const sz_kd_tree *t, uint32_t node, const double *x, double r,
                         bool closed) {
    const sz_kd_node *n = &t->nodes[node];
    double least = nearest_in_box(t, node, x), most = farthest_in_box(t, node, x);
    if (closed ? least > r : least >= r)
        return 0;
    if (closed ? most <= r : most < r)
        return n->to - n->from;
    if (n->left)
        return count_node(t, n->left, x, r, closed) + count_node(t, n->right, x, r, closed);
    size_t count = 0;
    for (uint32_t i = n->from; i < n->to; i++) {
        double far = distance(x, t->points + i * t->d, t->d);
        count += closed ? far <= r : far < r;
    }
    return count;
}

size_t sz_kd_count(const sz_kd_tree *t, const double *x, double r, bool closed) {
    return count_node(t, 0, x, r, closed);
}
