/* enumerate.c: every path through finite choices, and the measure that a program's paths add up to.
 */
#include <math.h>
#include <string.h>
#include <szilard/unstable/inference.h>
#include <szilard/unstable/num.h>

/* ---- The odometer ------------------------------------------------------------------------------
 */

void sz_odometer_begin(sz_odometer *o) {
    o->depth = o->at = 0;
    o->probability = 1.0;
    o->too_deep = false;
}

static uint32_t next_possible(const double *p, size_t n, uint32_t from) {
    while (from < n && !(p[from] > 0.0))
        from++;
    return from;
}

size_t sz_odometer_choose(sz_odometer *o, const double *p, size_t n) {
    if (o->at == SZ_ODOMETER_DEPTH) {
        o->too_deep = true;
        return 0;
    }
    if (o->at == o->depth)
        o->digit[o->depth++] = 0;
    uint32_t chosen = o->digit[o->at] = next_possible(p, n, o->digit[o->at]);
    if (chosen >= n) { /* no choice is possible */
        o->probability = 0.0;
        chosen = 0;
    } else {
        o->probability *= p[chosen];
    }
    o->more[o->at++] = next_possible(p, n, chosen + 1) < n;
    return chosen;
}

bool sz_odometer_next(sz_odometer *o) {
    while (o->depth > 0 && !o->more[o->depth - 1])
        o->depth--;
    if (o->depth == 0)
        return false;
    o->digit[o->depth - 1]++;
    o->at = 0;
    o->probability = 1.0;
    return true;
}

/* ---- Programs ----------------------------------------------------------------------------------
 */

typedef struct visitor {
    sz_odometer odometer;
    bool draws_uniforms;
} visitor;

static double not_finite(void *self) {
    ((visitor *)self)->draws_uniforms = true;
    return 0.5;
}

static size_t choose_next(void *self, const double *p, size_t n) {
    return sz_odometer_choose(&((visitor *)self)->odometer, p, n);
}

static sz_status visit_all(const sz_program *p, uint64_t max_paths, visitor *f,
                           void (*visit)(void *user, const sz_weighted *w, double probability),
                           void *user) {
    sz_effects e = {f, not_finite, choose_next};
    uint64_t n_paths = 0;
    sz_odometer_begin(&f->odometer);
    do {
        sz_weighted w;
        SZ_REQUIRE(n_paths++ < max_paths, SZ_E_LIMIT, "there are more than %llu paths",
                   (unsigned long long)max_paths);
        sz_status status = sz_program_sample(p, &e, &w);
        SZ_REQUIRE(!f->draws_uniforms, SZ_E_UNSUPPORTED,
                   "the program draws real numbers: its paths cannot be counted");
        SZ_REQUIRE(!f->odometer.too_deep, SZ_E_LIMIT, "a path makes more than %d choices",
                   SZ_ODOMETER_DEPTH);
        SZ_TRY(status);
        if (f->odometer.probability > 0.0)
            visit(user, &w, f->odometer.probability);
    } while (sz_odometer_next(&f->odometer));
    return SZ_OK;
}

sz_status sz_program_enumerate(const sz_program *p, uint64_t max_paths,
                               void (*visit)(void *user, const sz_weighted *w, double probability),
                               void *user) {
    SZ_REQUIRE(p && visit, SZ_E_ARG, "sz_program_enumerate: a NULL argument");
    visitor *f = sz_calloc(1, sizeof *f);
    SZ_REQUIRE(f, SZ_E_NOMEM, "no memory to visit all paths");
    sz_status status = visit_all(p, max_paths, f, visit, user);
    sz_free(f);
    return status;
}

/* ---- Measures ----------------------------------------------------------------------------------
 */

static size_t place_of(const sz_atoms *a, double output) {
    size_t low = 0, high = a->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (a->output[middle] < output)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has(const sz_atoms *a, size_t at, double output) {
    return at < a->n && a->output[at] == output;
}

static sz_status make_room(sz_atoms *a) {
    size_t cap = a->cap ? 2 * a->cap : 16;
    double *output = sz_realloc(a->output, a->cap * sizeof *output, cap * sizeof *output);
    if (output)
        a->output = output;
    double *mass = sz_realloc(a->mass, a->cap * sizeof *mass, cap * sizeof *mass);
    if (mass)
        a->mass = mass;
    SZ_REQUIRE(output && mass, SZ_E_NOMEM, "no memory for %zu results", cap);
    a->cap = cap;
    return SZ_OK;
}

sz_status sz_atoms_add(sz_atoms *a, double output, double mass) {
    SZ_REQUIRE(output == output, SZ_E_NAN, "a result is NaN");
    size_t at = place_of(a, output);
    if (has(a, at, output)) {
        a->mass[at] += mass;
        return SZ_OK;
    }
    if (a->n == a->cap)
        SZ_TRY(make_room(a));
    memmove(a->output + at + 1, a->output + at, (a->n - at) * sizeof *a->output);
    memmove(a->mass + at + 1, a->mass + at, (a->n - at) * sizeof *a->mass);
    a->output[at] = output;
    a->mass[at] = mass;
    a->n++;
    return SZ_OK;
}

double sz_atoms_total(const sz_atoms *a) {
    double sum = 0.0;
    for (size_t i = 0; i < a->n; i++)
        sum += a->mass[i];
    return sum;
}

double sz_atoms_distance(const sz_atoms *a, const sz_atoms *b) {
    double most = 0.0;
    for (int side = 0; side < 2; side++) {
        const sz_atoms *x = side ? b : a, *y = side ? a : b;
        for (size_t i = 0; i < x->n; i++) {
            size_t at = place_of(y, x->output[i]);
            double d = x->mass[i] - (has(y, at, x->output[i]) ? y->mass[at] : 0.0);
            d = d < 0.0 ? -d : d;
            most = d > most ? d : most;
        }
    }
    return most;
}

void sz_atoms_free(sz_atoms *a) {
    sz_free(a->output);
    sz_free(a->mass);
    *a = (sz_atoms){0};
}

typedef struct sum {
    sz_atoms *atoms;
    sz_status status; /* the first failure, with its text */
} sum;

static void add_path(void *user, const sz_weighted *w, double probability) {
    sum *s = user;
    if (s->status == SZ_OK && w->log_weight > -INFINITY)
        s->status = sz_atoms_add(s->atoms, w->output, probability * sz_exp(w->log_weight));
}

sz_status sz_program_measure(const sz_program *p, uint64_t max_paths, sz_atoms *out) {
    sz_atoms atoms = {0};
    sum s = {&atoms, SZ_OK};
    sz_status status = sz_program_enumerate(p, max_paths, add_path, &s);
    if (status == SZ_OK)
        status = s.status;
    if (status == SZ_OK)
        *out = atoms;
    else
        sz_atoms_free(&atoms);
    return status;
}
