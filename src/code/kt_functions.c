/* kt_functions.c: the functions of the dialect. */
#include <stdlib.h>
#include <string.h>

#include "code/kt_script.h"

enum { FUEL = 1000000, MEMORY = 64 << 20 };

sz_status sz_kt_machine_open(sz_kt_machine *m) {
    *m = (sz_kt_machine){.fuel = FUEL};
    SZ_TRY(sz_arena_new(1 << 14, &m->arena));
    sz_arena_set_limit(m->arena, MEMORY);
    return SZ_OK;
}

void sz_kt_machine_reset(sz_kt_machine *m) {
    sz_arena_reset(m->arena);
    m->fuel = FUEL;
}

void sz_kt_machine_close(sz_kt_machine *m) {
    sz_arena_free(m->arena);
}

static sz_status spend(sz_kt_machine *m, size_t n) {
    SZ_REQUIRE(n <= m->fuel, SZ_E_LIMIT, "out of fuel: %d element operations", FUEL);
    m->fuel -= n;
    return SZ_OK;
}

sz_status sz_kt_list_new(sz_kt_machine *m, size_t n, sz_kt_list *out) {
    SZ_REQUIRE(n <= SZ_KT_MOST_LIST, SZ_E_LIMIT, "a list of %zu numbers: at most %d", n,
               SZ_KT_MOST_LIST);
    out->v = sz_arena_alloc_small(m->arena, (n + 1) * sizeof *out->v);
    out->n = n;
    SZ_REQUIRE(out->v, SZ_E_LIMIT, "lists take more than %d bytes", MEMORY);
    return SZ_OK;
}

/* A list of n that is paid for. */
static sz_status make(sz_kt_machine *m, size_t n, sz_kt_list *out) {
    SZ_TRY(spend(m, n));
    return sz_kt_list_new(m, n, out);
}

static sz_status check_values(const sz_kt_list *l) {
    for (size_t i = 0; i < l->n; i++)
        SZ_REQUIRE(l->v[i] <= SZ_KT_MOST_VALUE && l->v[i] >= -SZ_KT_MOST_VALUE, SZ_E_LIMIT,
                   "item %zu is %lld, beyond 2^31", i, (long long)l->v[i]);
    return SZ_OK;
}

/* The remainder that has the divisor's sign. */
static int64_t modulo(int64_t x, int64_t y) {
    int64_t r = x % y;
    return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

/* ---- Beginnings ------------------------------------------------------------------------------ */

static sz_status range(sz_kt_machine *m, int64_t from, int64_t to, int64_t step, sz_kt_list *out) {
    SZ_REQUIRE(step >= 1, SZ_E_ARG, "the step is %lld", (long long)step);
    size_t n = to > from ? (size_t)((to - from + step - 1) / step) : 0;
    SZ_TRY(make(m, n, out));
    for (size_t i = 0; i < n; i++)
        out->v[i] = from + (int64_t)i * step;
    return SZ_OK;
}
static sz_status range_up(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    return range(m, a[0].number, a[1].number + 1, 1, out);
}
static sz_status range_interval(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    return range(m, a[0].number, a[1].number, a[2].number, out);
}

static sz_status repeat_num(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    SZ_REQUIRE(a[0].number >= 0, SZ_E_ARG, "%lld times", (long long)a[0].number);
    SZ_TRY(make(m, (size_t)a[0].number, out));
    for (size_t i = 0; i < out->n; i++)
        out->v[i] = a[1].number;
    return SZ_OK;
}

static sz_status set_list(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    *out = a[0].list;
    return spend(m, out->n);
}

/* ---- Of one list ----------------------------------------------------------------------------- */

static sz_status repeat_list(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    const sz_kt_list *l = &a[1].list;
    SZ_REQUIRE(a[0].number >= 0, SZ_E_ARG, "%lld times", (long long)a[0].number);
    SZ_REQUIRE(l->n == 0 || a[0].number <= SZ_KT_MOST_LIST, SZ_E_LIMIT, "%lld times %zu numbers",
               (long long)a[0].number, l->n);
    SZ_TRY(make(m, l->n ? (size_t)a[0].number * l->n : 0, out));
    for (size_t i = 0; i < out->n; i++)
        out->v[i] = l->v[i % l->n];
    return SZ_OK;
}

static sz_status reverse_list(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    const sz_kt_list *l = &a[0].list;
    SZ_TRY(make(m, l->n, out));
    for (size_t i = 0; i < l->n; i++)
        out->v[i] = l->v[l->n - 1 - i];
    return SZ_OK;
}

static sz_status substitute(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    const sz_kt_list *l = &a[0].list;
    SZ_TRY(make(m, l->n, out));
    for (size_t i = 0; i < l->n; i++)
        out->v[i] = l->v[i] == a[1].number ? a[2].number : l->v[i];
    return SZ_OK;
}

static sz_status with_jumps(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    const sz_kt_list *l = &a[0].list;
    SZ_REQUIRE(a[1].number >= 1, SZ_E_ARG, "the jump is %lld", (long long)a[1].number);
    size_t jump = (size_t)a[1].number;
    SZ_TRY(make(m, (l->n + jump - 1) / jump, out));
    for (size_t i = 0; i < out->n; i++)
        out->v[i] = l->v[i * jump];
    return SZ_OK;
}

/* As slices have it: negative indices count from the end, what is beyond is clipped. */
static size_t clip(int64_t i, size_t n) {
    i = i < 0 ? i + (int64_t)n : i;
    return i < 0 ? 0 : (uint64_t)i > n ? n : (size_t)i;
}
static sz_status between_indices(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    const sz_kt_list *l = &a[0].list;
    size_t from = clip(a[1].number, l->n), to = clip(a[2].number, l->n);
    SZ_TRY(make(m, to > from ? to - from : 0, out));
    memcpy(out->v, l->v + from, out->n * sizeof *out->v);
    return SZ_OK;
}

static int rising(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}
/* The n least, rising, or the n greatest, falling. */
static sz_status extremes(sz_kt_machine *m, const sz_kt_argument *a, bool greatest,
                          sz_kt_list *out) {
    const sz_kt_list *l = &a[0].list;
    sz_kt_list sorted;
    SZ_REQUIRE(a[1].number >= 0, SZ_E_ARG, "%lld numbers", (long long)a[1].number);
    SZ_TRY(make(m, l->n, &sorted));
    memcpy(sorted.v, l->v, l->n * sizeof *l->v);
    qsort(sorted.v, sorted.n, sizeof *sorted.v, rising);
    size_t n = (uint64_t)a[1].number < l->n ? (size_t)a[1].number : l->n;
    SZ_TRY(make(m, n, out));
    for (size_t i = 0; i < n; i++)
        out->v[i] = sorted.v[greatest ? l->n - 1 - i : i];
    return SZ_OK;
}
static sz_status max_n(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    return extremes(m, a, true, out);
}
static sz_status min_n(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    return extremes(m, a, false, out);
}

static sz_status add_item(sz_kt_machine *m, const sz_kt_list *l, int64_t c, sz_kt_list *out) {
    SZ_TRY(make(m, l->n, out));
    for (size_t i = 0; i < l->n; i++)
        out->v[i] = l->v[i] + c;
    return check_values(out);
}
static sz_status add_item_list(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    return add_item(m, &a[0].list, a[1].number, out);
}
static sz_status subtract_item_list(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    return add_item(m, &a[0].list, -a[1].number, out);
}
static sz_status modulo_item_list(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    const sz_kt_list *l = &a[0].list;
    SZ_REQUIRE(a[1].number != 0, SZ_E_ARG, "modulo 0");
    SZ_TRY(make(m, l->n, out));
    for (size_t i = 0; i < l->n; i++)
        out->v[i] = modulo(l->v[i], a[1].number);
    return SZ_OK;
}

static sz_status filter(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    const sz_kt_list *l = &a[1].list;
    SZ_TRY(make(m, l->n, out));
    out->n = 0;
    for (size_t i = 0; i < l->n; i++) {
        bool odd = l->v[i] % 2 != 0, zero = l->v[i] == 0;
        if (a[0].predicate == 0 ? !odd : a[0].predicate == 1 ? odd : !zero)
            out->v[out->n++] = l->v[i];
    }
    return SZ_OK;
}

static sz_status scan_add(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    const sz_kt_list *l = &a[0].list;
    int64_t sum = 0;
    SZ_TRY(make(m, l->n, out));
    for (size_t i = 0; i < l->n; i++)
        out->v[i] = sum += l->v[i];
    return check_values(out);
}

/* ---- Of two lists ---------------------------------------------------------------------------- */

static size_t shorter(const sz_kt_argument *a) {
    return a[0].list.n < a[1].list.n ? a[0].list.n : a[1].list.n;
}
static sz_status add_two(sz_kt_machine *m, const sz_kt_argument *a, int64_t sign, sz_kt_list *out) {
    SZ_TRY(make(m, shorter(a), out));
    for (size_t i = 0; i < out->n; i++)
        out->v[i] = a[0].list.v[i] + sign * a[1].list.v[i];
    return check_values(out);
}
static sz_status add_two_lists(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    return add_two(m, a, 1, out);
}
static sz_status subtract_two_lists(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    return add_two(m, a, -1, out);
}
/* Pairs with a divisor of 0 are passed over. */
static sz_status modulo_two_lists(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    size_t n = shorter(a);
    SZ_TRY(make(m, n, out));
    out->n = 0;
    for (size_t i = 0; i < n; i++)
        if (a[1].list.v[i] != 0)
            out->v[out->n++] = modulo(a[0].list.v[i], a[1].list.v[i]);
    return SZ_OK;
}

static sz_status concatenate(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    const sz_kt_list *x = &a[0].list, *y = &a[1].list;
    SZ_TRY(make(m, x->n + y->n, out));
    memcpy(out->v, x->v, x->n * sizeof *x->v);
    memcpy(out->v + x->n, y->v, y->n * sizeof *y->v);
    return SZ_OK;
}

static sz_status interleave(sz_kt_machine *m, const sz_kt_argument *a, sz_kt_list *out) {
    const sz_kt_list *x = &a[0].list, *y = &a[1].list;
    SZ_TRY(make(m, x->n + y->n, out));
    size_t at = 0;
    for (size_t i = 0; i < x->n || i < y->n; i++) {
        if (i < x->n)
            out->v[at++] = x->v[i];
        if (i < y->n)
            out->v[at++] = y->v[i];
    }
    return SZ_OK;
}

static const sz_kt_function all[SZ_KT_N_FUNCTIONS] = {
    {"range_func_up", "VV", range_up},
    {"range_func_interval", "VVE", range_interval},
    {"repeat_num", "TV", repeat_num},
    {"set_list", "L", set_list},
    {"repeat_list", "ES", repeat_list},
    {"reverse_list", "S", reverse_list},
    {"substitute", "SVV", substitute},
    {"get_subsequence_with_jumps", "SE", with_jumps},
    {"get_subsequence_between_indices", "SVV", between_indices},
    {"max_n", "SV", max_n},
    {"min_n", "SV", min_n},
    {"add_item_list", "SV", add_item_list},
    {"subtract_item_list", "SV", subtract_item_list},
    {"modulo_item_list", "SV", modulo_item_list},
    {"filter", "PS", filter},
    {"scan_add", "S", scan_add},
    {"add_two_lists", "SS", add_two_lists},
    {"subtract_two_lists", "SS", subtract_two_lists},
    {"modulo_two_lists", "SS", modulo_two_lists},
    {"concatenate", "SS", concatenate},
    {"interleave", "SS", interleave},
};

const sz_kt_function *sz_kt_function_at(size_t i) {
    return &all[i];
}

size_t sz_kt_function_index(const sz_kt_function *f) {
    return (size_t)(f - all);
}

const sz_kt_function *sz_kt_function_find(const char *name) {
    for (size_t i = 0; i < SZ_KT_N_FUNCTIONS; i++)
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
    return NULL;
}
