/* ktl_search.c: short programs: shortest paths over positions, each operation an edge. Bytes that
 * repeat, in whatever way, cost by their length alone, so that for each position and operation only
 * the longest stretch counts. ILV is an edge too: its parts are strands, every second byte of a
 * strand, and the shortest programs of all beginnings of a strand are found at once. Strands of
 * strides 8, 4, 2 and at last 1, the string itself, make the search exact. */
#include <stdlib.h>
#include <string.h>

#include "code/ktl.h"

enum {
    MOST = 1 << 24,
    EXACT = 16384,    /* every distance and stretch up to this length */
    WINDOW = 4096,    /* and up to this one beyond */
    FULL_MOST = 1024, /* ILV over every stretch; beyond, over the whole string and its halves */
    LEVELS = 4        /* ILV lies three deep: strides up to 8 */
};

/* The longest stretch from a position on that one operation makes. */
typedef struct stretch {
    uint32_t n, distance;
} stretch;

/* The strand that is searched, and what is known of each of its positions. */
typedef struct strand {
    uint8_t *x; /* [n] its bytes */
    size_t n, first;
    unsigned level; /* its stride is 2^level */
    stretch *copy, *add, *rev;
    int32_t *bits;  /* [n + 1] of the shortest program that makes the bytes before */
    uint32_t *last; /* [n + 1] its last operation: where it begins, eight times, and its kind */
} strand;

typedef struct search {
    const uint8_t *x; /* [n] the string */
    size_t n;
    unsigned width; /* bits of a literal */
    bool interleaves, everywhere;
    strand strand;
    struct {
        int32_t *bits; /* [rows][n]: of the beginnings of each strand, by its first byte */
        size_t rows, n;
    } level[LEVELS];
    sz_kt_program *out;
    size_t cap_ops, cap_literals;
} search;

/* ---- Stretches ------------------------------------------------------------------------------- */

static inline void keep(stretch *s, uint32_t n, size_t distance) {
    if (n > s->n)
        *s = (stretch){n, (uint32_t)distance};
}

/* COPY and COPYADD: how long bytes equal those a distance before, or differ from them alike. */
static void find_copies(const uint8_t *x, size_t n, size_t window, strand *l) {
    memset(l->copy, 0, n * sizeof *l->copy);
    memset(l->add, 0, n * sizeof *l->add);
    for (size_t d = 1; d < n && d <= window; d++) {
        uint32_t same = 0, alike = 0;
        uint8_t before = 0;
        for (size_t i = n; i-- > d;) {
            uint8_t off = (uint8_t)(x[i] - x[i - d]);
            same = off == 0 ? same + 1 : 0;
            alike = alike && off == before ? alike + 1 : 1;
            before = off;
            keep(&l->copy[i], same, d);
            keep(&l->add[i], alike, d);
        }
    }
}

/* REV: places p and p - d - i have a constant sum. */
static void find_mirrors(const uint8_t *x, size_t n, size_t window, strand *l) {
    memset(l->rev, 0, n * sizeof *l->rev);
    for (size_t sum = 0; n > 0 && sum < 2 * n - 2; sum++) {
        uint32_t same = 0;
        size_t top = sum < n - 1 ? sum : n - 1, middle = sum / 2;
        top = top - middle > window ? middle + window : top;
        for (size_t q = top; q > middle; q--) {
            same = x[q] == x[sum - q] ? same + 1 : 0;
            keep(&l->rev[q], same, 2 * q - sum);
        }
    }
}

static uint32_t run_length(const uint8_t *x, size_t i, size_t n, uint8_t step) {
    size_t j = i + 1;
    while (j < n && (uint8_t)(x[j] - x[j - 1]) == step)
        j++;
    return (uint32_t)(j - i);
}

static uint32_t bend_length(const uint8_t *x, size_t i, size_t n, uint8_t bend) {
    size_t j = i + 2;
    while (j < n && (uint8_t)(x[j] - 2 * x[j - 1] + x[j - 2]) == bend)
        j++;
    return (uint32_t)(j - i);
}

/* ---- Edges ----------------------------------------------------------------------------------- */

/* Paths that end in an operation of this kind at i and have `bits`, and `each` more for every byte:
 * for lengths n to `most`. Written so that a compiler makes vectors of it. */
static void relax_alike(strand *l, size_t i, uint32_t n, uint32_t most, int32_t bits, int32_t each,
                        sz_kt_kind kind) {
    int32_t *best = l->bits + i;
    uint32_t *last = l->last + i, now = (uint32_t)(i << 3) | (uint32_t)kind;
    for (; n <= most; n++) {
        int32_t cost = bits + each * (int32_t)n;
        bool less = cost < best[n];
        best[n] = less ? cost : best[n];
        last[n] = less ? now : last[n];
    }
}

/* The operation at i for every length up to the longest; `each`: bits for each byte. Lengths whose
 * code is as long are done together. */
static void relax(strand *l, size_t i, uint32_t longest, bool exact, unsigned each,
                  sz_kt_kind kind) {
    uint32_t least = sz_ktl_least(kind), most = exact || longest < WINDOW ? longest : WINDOW;
    for (uint32_t n = least, end; n <= most; n = end + 1) {
        end = 2 * (n - least + 1) - 2 + least;
        int32_t bits = l->bits[i] + (int32_t)sz_ktl_op_bits(kind, n, i);
        relax_alike(l, i, n, end < most ? end : most, bits, (int32_t)each, kind);
    }
    if (most < longest)
        relax_alike(l, i, longest, longest, l->bits[i] + (int32_t)sz_ktl_op_bits(kind, longest, i),
                    (int32_t)each, kind);
}

/* As a number of either sign. */
static int turned(uint8_t difference) {
    return difference < 128 ? difference : difference - 256;
}

static uint8_t step_at(const uint8_t *x, size_t i) {
    return (uint8_t)(x[i + 1] - x[i]);
}
static uint8_t bend_at(const uint8_t *x, size_t i) {
    return (uint8_t)(x[i + 2] - 2 * x[i + 1] + x[i]);
}

static void relax_values(strand *l, size_t i, bool exact) {
    const uint8_t *x = l->x;
    size_t n = l->n;
    if (i + 1 >= n)
        return;
    int step = turned(step_at(x, i));
    if (step == 0)
        relax(l, i, run_length(x, i, n, 0), exact, 0, SZ_KT_RUN);
    else if (step >= -16 && step <= 16)
        relax(l, i, run_length(x, i, n, step_at(x, i)), exact, 0, SZ_KT_RAMP);
    if (i + 3 >= n)
        return;
    int bend = turned(bend_at(x, i));
    if (bend != 0 && bend >= -8 && bend <= 8)
        relax(l, i, bend_length(x, i, n, bend_at(x, i)), exact, 0, SZ_KT_QUAD);
}

static void relax_position(strand *l, size_t i, bool exact, unsigned width) {
    uint32_t rest = (uint32_t)(l->n - i);
    relax(l, i, exact || i == 0 || rest < WINDOW ? rest : WINDOW, exact, width, SZ_KT_LIT);
    relax_values(l, i, exact);
    relax(l, i, l->copy[i].n, exact, 0, SZ_KT_COPY);
    relax(l, i, l->add[i].n, exact, 0, SZ_KT_COPYADD);
    relax(l, i, l->rev[i].n, exact, 0, SZ_KT_REV);
}

/* The operation that ends at place `end` of the strand's shortest program. */
static sz_kt_op last_op(const strand *l, size_t end) {
    size_t i = l->last[end] >> 3;
    sz_kt_op o = {.kind = (sz_kt_kind)(l->last[end] & 7), .n = (uint32_t)(end - i)};
    const stretch *s = o.kind == SZ_KT_COPY      ? &l->copy[i]
                       : o.kind == SZ_KT_COPYADD ? &l->add[i]
                                                 : &l->rev[i];
    if (o.kind == SZ_KT_COPY || o.kind == SZ_KT_COPYADD || o.kind == SZ_KT_REV)
        o.distance = s->distance;
    if (o.kind == SZ_KT_COPYADD)
        o.value = (uint8_t)(l->x[i] - l->x[i - s->distance]);
    if (o.kind == SZ_KT_RUN || o.kind == SZ_KT_RAMP || o.kind == SZ_KT_QUAD)
        o.value = l->x[i];
    if (o.kind == SZ_KT_RAMP)
        o.step = (int16_t)turned(step_at(l->x, i));
    if (o.kind == SZ_KT_QUAD) {
        o.step = step_at(l->x, i);
        o.bend = (int8_t)turned(bend_at(l->x, i));
    }
    return o;
}

/* ---- Strands --------------------------------------------------------------------------------- */

static size_t strand_length(const search *s, unsigned level, size_t first) {
    return first < s->n ? ((s->n - first - 1) >> level) + 1 : 0;
}

static const int32_t *known_bits(const search *s, unsigned level, size_t first) {
    return s->level[level].bits + first * s->level[level].n;
}

/* ILV over n bytes from i on: its parts are beginnings of two strands of the next level. */
static void relax_interleaved(search *s, size_t i, size_t n) {
    strand *l = &s->strand;
    size_t first = l->first + (i << l->level), second = first + ((size_t)1 << l->level);
    int32_t bits = l->bits[i] + (int32_t)sz_ktl_op_bits(SZ_KT_ILV, n, i) +
                   known_bits(s, l->level + 1, first)[(n + 1) / 2] +
                   known_bits(s, l->level + 1, second)[n / 2];
    relax_alike(l, i, (uint32_t)n, (uint32_t)n, bits, 0, SZ_KT_ILV);
}

/* Fills bits and last of the strand; those of the next level are known. */
static void solve(search *s, unsigned level, size_t first) {
    strand *l = &s->strand;
    size_t n = strand_length(s, level, first);
    bool exact = n <= EXACT, nest = s->interleaves && level + 1 < LEVELS;
    l->level = level;
    l->first = first;
    l->n = n;
    for (size_t i = 0; i < n; i++)
        l->x[i] = s->x[first + (i << level)];
    find_copies(l->x, n, exact ? n : WINDOW, l);
    find_mirrors(l->x, n, exact ? n : WINDOW, l);
    for (size_t i = 1; i <= n; i++)
        l->bits[i] = INT32_MAX;
    l->bits[0] = 0;
    for (size_t i = 0; i < n; i++) {
        relax_position(l, i, exact, s->width);
        if (nest && n >= 4 && (s->everywhere || i == 0))
            for (size_t length = s->everywhere ? 4 : n; length <= n - i; length++)
                relax_interleaved(s, i, length);
    }
}

/* All strands but the string itself, those of the longest stride first. */
static sz_status solve_strands(search *s) {
    for (unsigned level = LEVELS - 1; level > 0 && s->interleaves; level--) {
        size_t rows = s->everywhere ? s->n : (size_t)1 << level, n = (s->n >> level) + 2;
        s->level[level].bits = sz_alloc((rows + 1) * n * sizeof(int32_t));
        SZ_REQUIRE(s->level[level].bits, SZ_E_NOMEM, "no memory to search programs for %zu bytes",
                   s->n);
        s->level[level].rows = rows;
        s->level[level].n = n;
        for (size_t first = 0; first < rows; first++) {
            solve(s, level, first);
            memcpy(s->level[level].bits + first * n, s->strand.bits,
                   (s->strand.n + 1) * sizeof(int32_t));
        }
    }
    return SZ_OK;
}

/* ---- The program ----------------------------------------------------------------------------- */

/* The operations of the solved strand's first n bytes, in order; sz_free them. */
static sz_status take_path(const strand *l, size_t n, sz_kt_op **ops, size_t *n_ops) {
    size_t count = 0;
    for (size_t at = n; at > 0; at = l->last[at] >> 3)
        count++;
    *ops = sz_alloc((count + 1) * sizeof **ops);
    SZ_REQUIRE(*ops, SZ_E_NOMEM, "no memory for %zu operations", count);
    *n_ops = count;
    for (size_t at = n; at > 0; at = l->last[at] >> 3)
        (*ops)[--count] = last_op(l, at);
    return SZ_OK;
}

static sz_status write_op(search *s, unsigned level, size_t first, sz_kt_op o);

/* The program of the first n bytes of a strand. */
static sz_status write_ops(search *s, unsigned level, size_t first, size_t n) {
    sz_kt_op *ops;
    size_t n_ops;
    solve(s, level, first);
    SZ_TRY(take_path(&s->strand, n, &ops, &n_ops));
    sz_status status = SZ_OK;
    for (size_t i = 0, at = 0; i < n_ops && status == SZ_OK; at += ops[i++].n)
        status = write_op(s, level, first + (at << level), ops[i]);
    sz_free(ops);
    return status;
}

/* One operation; `first`: the place of its first byte in the string. */
static sz_status write_op(search *s, unsigned level, size_t first, sz_kt_op o) {
    if (o.kind == SZ_KT_LIT) {
        o.literal = (uint32_t)s->out->n_literals;
        for (size_t i = 0; i < o.n; i++)
            SZ_TRY(sz_ktl_add_literals(s->out, &s->cap_literals, s->x + first + (i << level), 1));
    }
    SZ_TRY(sz_ktl_add_op(s->out, &s->cap_ops, o));
    if (o.kind != SZ_KT_ILV)
        return SZ_OK;
    SZ_TRY(write_ops(s, level + 1, first, (o.n + 1) / 2));
    return write_ops(s, level + 1, first + ((size_t)1 << level), o.n / 2);
}

static bool strand_new(size_t n, strand *l) {
    l->x = sz_alloc(n + 1);
    l->copy = sz_alloc((n + 1) * sizeof *l->copy);
    l->add = sz_alloc((n + 1) * sizeof *l->add);
    l->rev = sz_alloc((n + 1) * sizeof *l->rev);
    l->bits = sz_alloc((n + 1) * sizeof *l->bits);
    l->last = sz_alloc((n + 1) * sizeof *l->last);
    return l->x && l->copy && l->add && l->rev && l->bits && l->last;
}

static void search_free(search *s) {
    strand *l = &s->strand;
    sz_free(l->x);
    sz_free(l->copy);
    sz_free(l->add);
    sz_free(l->rev);
    sz_free(l->bits);
    sz_free(l->last);
    for (size_t i = 0; i < LEVELS; i++)
        sz_free(s->level[i].bits);
}

/* The values that occur, rising. */
static void find_alphabet(const uint8_t *x, size_t n, sz_kt_program *p) {
    bool there[256] = {false};
    for (size_t i = 0; i < n; i++)
        there[x[i]] = true;
    for (unsigned v = 0; v < 256; v++)
        if (there[v])
            p->alphabet[p->n_alphabet++] = (uint8_t)v;
}

sz_status sz_kt_search(const uint8_t *x, size_t n, sz_kt_effort effort, sz_kt_program *out) {
    SZ_REQUIRE(n <= MOST, SZ_E_LIMIT, "a string of %zu bytes: at most %d", n, MOST);
    SZ_REQUIRE(effort <= (SZ_KT_FULL | SZ_KT_ALPHABET), SZ_E_ARG, "no effort has number %d",
               (int)effort);
    sz_kt_program p = {.n = (uint32_t)n};
    if (effort & SZ_KT_ALPHABET)
        find_alphabet(x, n, &p);
    search s = {.x = x, .n = n, .width = sz_ktl_literal_bits(&p), .out = &p};
    s.interleaves = (effort & SZ_KT_FULL) && n >= 4;
    s.everywhere = n <= FULL_MOST;
    sz_status status = strand_new(n, &s.strand)
                           ? solve_strands(&s)
                           : sz_fail(SZ_E_NOMEM, "no memory to search programs for %zu bytes", n);
    if (status == SZ_OK)
        status = write_ops(&s, 0, 0, n);
    search_free(&s);
    if (status != SZ_OK)
        sz_kt_program_free(&p);
    else
        *out = p;
    return status;
}
