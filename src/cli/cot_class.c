/* cot_class.c: the class that `szilard cot` is asked about. */
#include "cot.h"
#include <stdlib.h>
#include <string.h>

/* ---- A file of tables --------------------------------------------------------------------------
 */

/* Answers that were seen, as texts; their places are codes. */
typedef struct dictionary {
    char **text;
    size_t n, cap;
} dictionary;

static void put_value(sz_buf *b, const sz_json *v) {
    if (v->type == SZ_JSON_ARRAY) {
        for (const sz_json *e = v->u.child; e; e = e->next) {
            put_value(b, e);
            sz_buf_putc(b, '\x1f');
        }
    } else if (v->type == SZ_JSON_STRING) {
        size_t n = v->n;
        while (n > 0 && strchr(" \t\r\n", v->u.s[n - 1]))
            n--;
        size_t first = 0;
        while (first < n && strchr(" \t\r\n", v->u.s[first]))
            first++;
        sz_buf_putc(b, '"');
        sz_buf_append(b, v->u.s + first, n - first);
    } else if (v->type == SZ_JSON_INT) {
        sz_buf_printf(b, "%lld", (long long)v->u.i);
    } else if (v->type == SZ_JSON_FLOAT) {
        sz_json_number(b, v->u.f);
    } else {
        sz_buf_putc(b, v->type == SZ_JSON_TRUE ? 't' : v->type == SZ_JSON_FALSE ? 'f' : '-');
    }
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static sz_status add(dictionary *d, const sz_json *v) {
    sz_buf b = {0};
    if (d->n == d->cap) {
        size_t cap = d->cap ? 2 * d->cap : 256;
        char **more = realloc(d->text, cap * sizeof *more);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for %zu answers", cap);
        d->text = more;
        d->cap = cap;
    }
    put_value(&b, v);
    sz_buf_putc(&b, '\0');
    SZ_REQUIRE(!b.failed, SZ_E_NOMEM, "no memory for an answer");
    d->text[d->n++] = b.data;
    return SZ_OK;
}

/* Codes [n] of the answers in the order in which they were added. */
static sz_status encode(const dictionary *d, int64_t *codes) {
    char **sorted = malloc(d->n * sizeof *sorted + 1);
    SZ_REQUIRE(sorted, SZ_E_NOMEM, "no memory for %zu answers", d->n);
    memcpy(sorted, d->text, d->n * sizeof *sorted);
    qsort(sorted, d->n, sizeof *sorted, by_text);
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++)
        if (i == 0 || strcmp(sorted[i], sorted[n - 1]) != 0)
            sorted[n++] = sorted[i];
    for (size_t i = 0; i < d->n; i++)
        codes[i] = (char **)bsearch(&d->text[i], sorted, n, sizeof *sorted, by_text) - sorted;
    free(sorted);
    return SZ_OK;
}

static void forget(dictionary *d) {
    for (size_t i = 0; i < d->n; i++) {
        sz_buf b = {.data = d->text[i]};
        sz_buf_free(&b);
    }
    free(d->text);
}

static bool is_number(const sz_json *v) {
    return v->type == SZ_JSON_INT || v->type == SZ_JSON_FLOAT;
}
static bool alike(const sz_json *a, const sz_json *b) {
    return a->type == b->type || (is_number(a) && is_number(b));
}

/* The answers of one hypothesis under `key`, all of them like the first of all. */
static sz_status read_row(const sz_json *h, const char *key, size_t index, size_t n_inputs,
                          const sz_json **like, dictionary *d) {
    const sz_json *list = sz_json_get(h, key);
    size_t x = 0;
    SZ_REQUIRE(list && list->type == SZ_JSON_ARRAY, SZ_E_FORMAT, "hypothesis %zu: no list '%s'",
               index, key);
    SZ_REQUIRE(list->n == n_inputs, SZ_E_FORMAT, "hypothesis %zu: '%s' has %u entries, not %zu",
               index, key, list->n, n_inputs);
    for (const sz_json *v = list->u.child; v; v = v->next, x++) {
        *like = *like ? *like : v;
        SZ_REQUIRE(alike(*like, v), SZ_E_FORMAT,
                   "hypothesis %zu, input %zu: '%s' is of another type than the others", index, x,
                   key);
        SZ_TRY(add(d, v));
    }
    return SZ_OK;
}

static sz_status read_rows(const sz_json *list, size_t n_inputs, dictionary *y, dictionary *z) {
    const sz_json *like[2] = {NULL, NULL};
    size_t index = 0;
    for (const sz_json *h = list->u.child; h; h = h->next, index++) {
        SZ_REQUIRE(h->type == SZ_JSON_OBJECT, SZ_E_FORMAT, "hypothesis %zu is no object", index);
        SZ_TRY(read_row(h, "y", index, n_inputs, &like[0], y));
        SZ_TRY(read_row(h, "z", index, n_inputs, &like[1], z));
    }
    return SZ_OK;
}

static sz_status read_weights(const sz_json *x, size_t n, double *p) {
    size_t i = 0;
    SZ_REQUIRE(x->type == SZ_JSON_ARRAY && x->n == n, SZ_E_FORMAT,
               "'x' is not a list of %zu weights", n);
    for (const sz_json *v = x->u.child; v; v = v->next) {
        SZ_REQUIRE(is_number(v), SZ_E_FORMAT, "weight %zu is no number", i);
        p[i++] = v->type == SZ_JSON_INT ? (double)v->u.i : v->u.f;
    }
    return SZ_OK;
}

static sz_status from_json(const sz_json *root, bool renormalise, sz_cot_class **out,
                           size_t *star) {
    const sz_json *list = root->type == SZ_JSON_OBJECT ? sz_json_get(root, "hypotheses") : NULL;
    SZ_REQUIRE(list && list->type == SZ_JSON_ARRAY && list->n > 0, SZ_E_FORMAT,
               "there is no list 'hypotheses'");
    const sz_json *first =
        list->u.child->type == SZ_JSON_OBJECT ? sz_json_get(list->u.child, "y") : NULL;
    const sz_json *x = sz_json_get(root, "x"), *truth = sz_json_get(root, "star");
    SZ_REQUIRE(first && first->type == SZ_JSON_ARRAY && first->n > 0, SZ_E_FORMAT,
               "hypothesis 0: no list 'y'");
    size_t n_h = list->n, n_x = first->n;
    dictionary y = {0}, z = {0};
    int64_t *codes = sz_alloc(2 * n_h * n_x * sizeof *codes);
    double *p = sz_alloc(n_x * sizeof *p);
    sz_status status = codes && p ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for a table");
    if (status == SZ_OK)
        status = read_rows(list, n_x, &y, &z);
    if (status == SZ_OK)
        status = encode(&y, codes);
    if (status == SZ_OK)
        status = encode(&z, codes + n_h * n_x);
    if (status == SZ_OK && x)
        status = read_weights(x, n_x, p);
    if (status == SZ_OK)
        status =
            sz_cot_class_new(codes, codes + n_h * n_x, n_h, n_x, x ? p : NULL, renormalise, out);
    if (status == SZ_OK && truth && truth->type == SZ_JSON_INT)
        *star = (size_t)truth->u.i;
    forget(&y);
    forget(&z);
    sz_free(codes);
    sz_free(p);
    return status;
}

sz_status sz_cot_read(const char *path, bool renormalise, sz_cot_class **out, size_t *star) {
    sz_buf text = {0};
    sz_arena *arena;
    sz_json *root;
    *star = 0;
    SZ_TRY(sz_cli_read(path, &text));
    sz_status status = sz_arena_new(1 << 20, &arena);
    if (status == SZ_OK) {
        status = sz_json_parse(text.data ? text.data : "", text.len, arena, &root);
        if (status == SZ_OK)
            status = from_json(root, renormalise, out, star);
        sz_arena_free(arena);
    }
    sz_buf_free(&text);
    return status == SZ_OK ? SZ_OK : sz_fail_within(status, "%s", path);
}

/* ---- The truth ---------------------------------------------------------------------------------
 */

/* "0,1,1,2,2,0:4": transitions of an automaton, and the mask of accepting states. */
static sz_status read_automaton(const sz_cot_options *o, size_t *star) {
    uint32_t transition[16];
    size_t n = 0;
    const char *at = o->star;
    for (; n < 16; n++) {
        char *end;
        unsigned long v = strtoul(at, &end, 10);
        SZ_REQUIRE(end != at && v < o->states, SZ_E_ARG, "--star: '%s' is not a state below %zu",
                   at, o->states);
        transition[n] = (uint32_t)v;
        at = end + 1;
        if (*end == ':')
            break;
        SZ_REQUIRE(*end == ',', SZ_E_ARG, "--star: '%s' has no ':' before the mask", o->star);
    }
    SZ_REQUIRE(n + 1 == o->states * o->symbols, SZ_E_ARG, "--star: %zu transitions, not %zu", n + 1,
               o->states * o->symbols);
    unsigned long mask = strtoul(at, NULL, 10);
    SZ_REQUIRE(mask < 1ul << o->states, SZ_E_ARG, "--star: the mask %lu is of more states", mask);
    *star = sz_cot_automaton_index(o->states, o->symbols, transition, (uint32_t)mask);
    return SZ_OK;
}

static sz_status make_class(const sz_cot_options *o, sz_cot_class **out, size_t *star) {
    *star = 0;
    if (strcmp(o->class_name, "dfa") == 0)
        return sz_cot_class_automata(o->states, o->symbols, o->length, o->n_draws, o->seed, out);
    if (strcmp(o->class_name, "checks") == 0)
        return sz_cot_class_checks(o->symbols, o->checks, out);
    if (strcmp(o->class_name, "parity") == 0)
        return sz_cot_class_parity(o->checks, out);
    return sz_cot_read(o->class_name, o->renormalise, out, star);
}

sz_status sz_cot_open(const sz_cot_options *o, sz_cot_class **out, size_t *star) {
    SZ_TRY(make_class(o, out, star));
    sz_status status = SZ_OK;
    if (o->star && strcmp(o->class_name, "dfa") == 0 && strchr(o->star, ':'))
        status = read_automaton(o, star);
    else if (o->star)
        *star = (size_t)strtoul(o->star, NULL, 10);
    if (status == SZ_OK && *star >= (*out)->n_hypotheses)
        status = sz_fail(SZ_E_ARG, "the truth %zu is not one of %zu hypotheses", *star,
                         (*out)->n_hypotheses);
    if (status != SZ_OK)
        sz_cot_class_free(*out);
    return status;
}
