/* byte_orders.c: byte models of orders 0 to 4, and a text for them. */
#include "byte_orders.h"

#include <string.h>
#include <szilard/unstable/num.h>

/* ---- Counts: an open hash table -------------------------------------------------------------- */

enum { TOTAL = 256, KINDS = 257 }; /* in place of a byte: how many followed, how many differ */

typedef struct counts {
    uint64_t *keys; /* 0: free */
    uint32_t *values;
    size_t n, cap; /* cap: a power of two */
} counts;

/* Of a context, the last `order` bytes before text[at], and what follows it. */
static uint64_t key_of(const uint8_t *text, size_t at, size_t order, size_t follows) {
    uint64_t context = 0;
    for (size_t i = 0; i < order; i++)
        context = context << 8 | text[at - 1 - i];
    return 1 + (((uint64_t)order << 32 | context) << 10 | follows);
}

static size_t place(const counts *c, uint64_t key) {
    size_t at = (key * 0x9e3779b97f4a7c15u) >> 20 & (c->cap - 1);
    while (c->keys[at] && c->keys[at] != key)
        at = (at + 1) & (c->cap - 1);
    return at;
}

static uint32_t get(const counts *c, uint64_t key) {
    size_t at = place(c, key);
    return c->keys[at] ? c->values[at] : 0;
}

static sz_status grow(counts *c) {
    counts more = {.cap = c->cap ? 2 * c->cap : 1 << 16};
    more.keys = sz_calloc(more.cap, sizeof *more.keys);
    more.values = sz_calloc(more.cap, sizeof *more.values);
    if (!more.keys || !more.values) {
        sz_free(more.keys);
        sz_free(more.values);
        return sz_fail(SZ_E_NOMEM, "no memory for %zu counts", more.cap);
    }
    for (size_t i = 0; i < c->cap; i++)
        if (c->keys[i]) {
            size_t at = place(&more, c->keys[i]);
            more.keys[at] = c->keys[i];
            more.values[at] = c->values[i];
        }
    sz_free(c->keys);
    sz_free(c->values);
    more.n = c->n;
    *c = more;
    return SZ_OK;
}

/* *before: what it was. */
static sz_status increment(counts *c, uint64_t key, uint32_t *before) {
    if (4 * (c->n + 1) > 3 * c->cap)
        SZ_TRY(grow(c));
    size_t at = place(c, key);
    c->n += c->keys[at] == 0;
    c->keys[at] = key;
    *before = c->values[at]++;
    return SZ_OK;
}

static sz_status learn(counts *c, const uint8_t *text, size_t n) {
    uint32_t before;
    for (size_t at = 0; at < n; at++)
        for (size_t order = 0; order < SZ_BYTE_ORDERS && order <= at; order++) {
            SZ_TRY(increment(c, key_of(text, at, order, text[at]), &before));
            if (before == 0)
                SZ_TRY(increment(c, key_of(text, at, order, KINDS), &before));
            SZ_TRY(increment(c, key_of(text, at, order, TOTAL), &before));
        }
    return SZ_OK;
}

/* ---- Judging --------------------------------------------------------------------------------- */

/* p [256] of one order lower becomes that of `order`. */
static void refine(const counts *c, const uint8_t *text, size_t at, size_t order, double p[256]) {
    double total = get(c, key_of(text, at, order, TOTAL));
    double kinds = get(c, key_of(text, at, order, KINDS));
    if (total == 0)
        return;
    for (size_t b = 0; b < 256; b++)
        p[b] = (get(c, key_of(text, at, order, b)) + kinds * p[b]) / (total + kinds);
}

sz_status sz_byte_orders_judge(const uint8_t *text, size_t n_train, size_t n,
                               sz_byte_figures *out) {
    counts c = {0};
    sz_status status = learn(&c, text, n_train);
    for (size_t i = 0; i < n && status == SZ_OK; i++) {
        double p[256];
        for (size_t b = 0; b < 256; b++)
            p[b] = 1.0 / 256;
        for (size_t order = 0; order < SZ_BYTE_ORDERS; order++) {
            refine(&c, text, n_train + i, order, p);
            out[i].entropy[order] = 0;
            for (size_t b = 0; b < 256; b++)
                out[i].entropy[order] -= p[b] * sz_log(p[b]);
            out[i].surprisal[order] = -sz_log(p[text[n_train + i]]);
        }
    }
    sz_free(c.keys);
    sz_free(c.values);
    return status;
}

/* ---- A text ---------------------------------------------------------------------------------- */

enum { WORDS = 1500, LONGEST = 12 };

typedef struct writer {
    uint8_t *text;
    size_t n, at;
    uint64_t seed, draws;
    char words[WORDS][LONGEST + 1];
} writer;

static double uniform(writer *w) {
    return sz_uniform(w->seed, 1, w->draws++);
}

static size_t below(writer *w, size_t n) {
    return (size_t)(uniform(w) * (double)n);
}

static void put(writer *w, const char *s) {
    for (; *s && w->at < w->n; s++)
        w->text[w->at++] = (uint8_t)*s;
}

/* Two to five syllables. */
static void make_word(writer *w, char word[LONGEST + 1]) {
    static const char starts[] = "bcdfghklmnprstvw", vowels[] = "aeiou";
    size_t syllables = 1 + below(w, 5), n = 0;
    for (size_t i = 0; i < syllables && n + 2 <= LONGEST; i++) {
        word[n++] = starts[below(w, sizeof starts - 1)];
        word[n++] = vowels[below(w, sizeof vowels - 1)];
    }
    if (n < LONGEST && below(w, 2))
        word[n++] = "nrst"[below(w, 4)];
    word[n] = '\0';
}

/* By Zipf's law, nearly: the rank is uniform in its logarithm. */
static const char *some_word(writer *w) {
    size_t rank = (size_t)sz_exp(uniform(w) * sz_log(WORDS));
    return w->words[rank < WORDS ? rank : WORDS - 1];
}

static void sentences(writer *w) {
    for (size_t i = 0, n = 10 + below(w, 40); i < n; i++) {
        put(w, some_word(w));
        put(w, below(w, 9) == 0 ? ", " : below(w, 12) == 0 ? ". " : " ");
    }
    put(w, "\n");
}

static void list(writer *w) {
    const char *what = some_word(w), *verb = some_word(w);
    for (size_t i = 0, n = 3 + below(w, 8); i < n; i++) {
        put(w, "  - the ");
        put(w, what);
        put(w, " of the ");
        put(w, some_word(w));
        put(w, " is to ");
        put(w, verb);
        put(w, ";\n");
    }
}

static void repeat(writer *w, const char *s, size_t n) {
    for (size_t i = 0; i < n; i++)
        put(w, s);
}

/* Indented lines between rulers, as programs have them: half of their bytes go without saying. */
static void program(writer *w) {
    size_t depth = 1;
    put(w, "/* ");
    repeat(w, "-", 20 + below(w, 40));
    put(w, " */\n");
    for (size_t i = 0, n = 4 + below(w, 12); i < n; i++) {
        bool opens = depth < 5 && below(w, 3) == 0, closes = depth > 1 && below(w, 4) == 0;
        repeat(w, "    ", depth);
        put(w, opens ? "if (" : "");
        put(w, some_word(w));
        put(w, opens ? " == " : " = ");
        put(w, some_word(w));
        put(w, opens ? ") {\n" : ";\n");
        depth += opens;
        depth -= closes;
    }
}

/* Nobody can guess these. */
static void numbers(writer *w) {
    for (size_t i = 0, n = 2 + below(w, 6); i < n; i++) {
        char digit[2] = "";
        for (size_t k = 0; k < 5; k++) {
            digit[0] = (char)('0' + below(w, 10));
            put(w, digit);
        }
        put(w, "\t");
    }
    put(w, "\n");
}

void sz_byte_orders_write(uint64_t seed, uint8_t *text, size_t n) {
    writer w = {.text = text, .n = n, .seed = seed};
    for (size_t i = 0; i < WORDS; i++)
        make_word(&w, w.words[i]);
    while (w.at < n) {
        size_t kind = below(&w, 10);
        if (kind < 3)
            sentences(&w);
        else if (kind < 5)
            list(&w);
        else if (kind < 9)
            program(&w);
        else
            numbers(&w);
    }
}
