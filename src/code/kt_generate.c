/* kt_generate.c: scripts from a distribution as the paper's: beginnings, edits, maths, then all
 * that was kept is joined. What would leave the range of bytes is not taken. */
#include <stdio.h>
#include <string.h>

#include "code/kt_script.h"

enum { MOST_KEPT = 40, ROOM_TO_JOIN = 44 /* lines: the rest is for joining */ };

typedef struct generator {
    uint64_t seed, stream, counter;
    sz_buf text, value; /* the lines so far; the latest sequence's bytes */
    unsigned lines;
    struct kept {
        unsigned line;
        bool literal;
        uint8_t some; /* one of its values */
        size_t n;
    } kept[MOST_KEPT];
    size_t n_kept;
} generator;

static double uniform(generator *g) {
    return sz_uniform(g->seed, g->stream, g->counter++);
}
static unsigned below(generator *g, unsigned n) {
    return (unsigned)(uniform(g) * n);
}

/* Adds "sequence_i = <call>" if it makes bytes, at least one; returns whether. */
static bool try_call(generator *g, const char *format, ...) SZ_PRINTF(2, 3);
static bool try_call(generator *g, const char *format, ...) {
    char call[256];
    size_t before = g->text.len;
    va_list args;
    if (g->lines + 1 >= SZ_KT_MOST_LINES)
        return false;
    va_start(args, format);
    vsnprintf(call, sizeof call, format, args);
    va_end(args);
    sz_buf_printf(&g->text, "sequence_%u = %s\n", g->lines + 1, call);
    size_t length = g->text.len;
    sz_buf_printf(&g->text, "output = sequence_%u\n", g->lines + 1);
    sz_buf_clear(&g->value);
    bool good = !g->text.failed &&
                sz_kt_script_run(g->text.data, g->text.len, false, &g->value, NULL) == SZ_OK &&
                g->value.len > 0;
    g->text.len = good ? length : before;
    g->lines += good;
    return good;
}

static void keep(generator *g, bool literal) {
    if (g->n_kept < MOST_KEPT) {
        uint8_t some = (uint8_t)g->value.data[below(g, (unsigned)g->value.len)];
        g->kept[g->n_kept++] = (struct kept){g->lines, literal, some, g->value.len};
    }
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static void begin(generator *g) {
    unsigned n = 5 + below(g, 21), kind = below(g, 4), step = 2 + below(g, 4);
    if (kind == 0) {
        unsigned from = below(g, 257 - n);
        if (try_call(g, "range_func_up(%u, %u)", from, from + n - 1))
            keep(g, false);
    } else if (kind == 1) {
        unsigned from = below(g, 257 - n * step);
        if (try_call(g, "range_func_interval(%u, %u, %u)", from, from + n * step, step))
            keep(g, false);
    } else if (kind == 2) {
        if (try_call(g, "repeat_num(%u, %u)", n < 20 ? n : 20, below(g, 256)))
            keep(g, false);
    } else {
        char list[200] = "";
        for (unsigned i = 0; i < n; i++) {
            size_t at = strlen(list);
            snprintf(list + at, sizeof list - at, "%s%u", i ? ", " : "", below(g, 256));
        }
        if (try_call(g, "set_list([%s])", list))
            keep(g, true);
    }
}

static void edit(generator *g, size_t i) {
    struct kept k = g->kept[i];
    if (uniform(g) < 0.1 && try_call(g, "reverse_list(sequence_%u)", k.line))
        keep(g, false);
    if (uniform(g) < 0.1 && try_call(g, "repeat_list(%u, sequence_%u)", 2 + below(g, 2), k.line))
        keep(g, false);
    if (uniform(g) < 0.05 &&
        try_call(g, "get_subsequence_with_jumps(sequence_%u, %u)", k.line, 2 + below(g, 4)))
        keep(g, false);
    unsigned from = below(g, (unsigned)k.n), to = from + 1 + below(g, (unsigned)(k.n - from));
    if (uniform(g) < 0.05 &&
        try_call(g, "get_subsequence_between_indices(sequence_%u, %u, %u)", k.line, from, to))
        keep(g, false);
    bool hides = uniform(g) < 0.25;
    if (uniform(g) < 0.1 &&
        try_call(g, "substitute(sequence_%u, %u, %u)", k.line, k.some, below(g, 256))) {
        keep(g, false);
        if (hides)
            g->kept[i] = g->kept[--g->n_kept];
    }
}

static void calculate(generator *g, size_t i) {
    struct kept k = g->kept[i];
    if (k.literal && uniform(g) < 0.1 &&
        try_call(g, "%s(sequence_%u, %u)", below(g, 2) ? "max_n" : "min_n", k.line,
                 1 + below(g, (unsigned)k.n)))
        keep(g, false);
    if (uniform(g) < 0.1 &&
        try_call(g, "%s(sequence_%u, %u)", below(g, 2) ? "add_item_list" : "subtract_item_list",
                 k.line, 1 + below(g, 255)))
        keep(g, false);
    if (uniform(g) < 0.1 &&
        try_call(g, "modulo_item_list(sequence_%u, %u)", k.line, 2 + below(g, 126)))
        keep(g, false);
}

static void filter(generator *g, size_t i) {
    static const char *const predicates[] = {"is_even", "is_odd", "is_not_zero"};
    if (uniform(g) < 0.3 &&
        try_call(g, "filter(%s, sequence_%u)", predicates[below(g, 3)], g->kept[i].line))
        keep(g, false);
}

static void scan(generator *g, size_t i) {
    if (uniform(g) < 0.5 && try_call(g, "scan_add(sequence_%u)", g->kept[i].line))
        keep(g, false);
}

static void combine(generator *g, size_t i) {
    unsigned other = g->kept[below(g, (unsigned)g->n_kept)].line;
    if (uniform(g) < 0.1 &&
        try_call(g, "%s(sequence_%u, sequence_%u)",
                 below(g, 2) ? "add_two_lists" : "subtract_two_lists", g->kept[i].line, other))
        keep(g, false);
    if (uniform(g) < 0.1 &&
        try_call(g, "modulo_two_lists(sequence_%u, sequence_%u)", g->kept[i].line, other))
        keep(g, false);
}

/* A step for each sequence that was there before it, with probability p for all of them. */
static void gate(generator *g, double p, void (*step)(generator *g, size_t i)) {
    size_t n = g->n_kept;
    if (uniform(g) < p)
        for (size_t i = 0; i < n && g->lines < ROOM_TO_JOIN / 2; i++)
            step(g, i);
}

/* ---- A script -------------------------------------------------------------------------------- */

static void join(generator *g, unsigned *joined, unsigned line) {
    const char *how = uniform(g) < 0.8 ? "concatenate" : "interleave";
    if (try_call(g, "%s(sequence_%u, sequence_%u)", how, *joined, line))
        *joined = g->lines;
}

static unsigned write_script(generator *g) {
    unsigned n = 1 + below(g, 5);
    for (unsigned i = 0; i < n; i++)
        begin(g);
    gate(g, 0.4, edit);
    gate(g, 0.4, calculate);
    gate(g, 0.1, scan);
    gate(g, 0.4, filter);
    gate(g, 0.4, combine);
    unsigned joined = g->kept[0].line;
    size_t kept = g->n_kept;
    for (size_t i = 1; i < kept; i++)
        join(g, &joined, g->kept[i].line);
    for (size_t i = 0; i < kept; i++)
        if (kept > 1 && uniform(g) < 0.2)
            join(g, &joined, g->kept[i].line);
    return joined;
}

sz_status sz_kt_script_generate(uint64_t seed, uint64_t index, sz_buf *text, sz_buf *out) {
    generator g = {.seed = seed, .stream = index};
    unsigned joined = write_script(&g);
    sz_buf_printf(&g.text, "output = sequence_%u\n", joined);
    sz_status status = g.text.failed ? sz_fail(SZ_E_NOMEM, "no memory for a script") : SZ_OK;
    if (status == SZ_OK)
        status = sz_kt_script_run(g.text.data, g.text.len, false, out, NULL);
    if (status == SZ_OK)
        sz_buf_append(text, g.text.data, g.text.len);
    sz_buf_free(&g.text);
    sz_buf_free(&g.value);
    SZ_TRY(status);
    SZ_REQUIRE(!text->failed && !out->failed, SZ_E_NOMEM, "no memory for a script");
    return SZ_OK;
}
