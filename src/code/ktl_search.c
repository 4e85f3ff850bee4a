/* ktl_search.c: short programs: shortest paths over positions, each operation an edge. Bytes that
 * repeat, in whatever way, cost by their length alone, so that for each position and operation only
 * the longest stretch counts. ILV is an edge whose cost is that of its two parts' programs. */
#include <stdlib.h>
#include <string.h>

#include "code/ktl.h"

enum {
    MOST = 1 << 24,
    EXACT = 16384, /* every distance and stretch up to this length */
    WINDOW = 4096, /* and up to this one beyond */
    SUFFIXES_MOST = 1024,
    FULL_MOST = 256,
    NESTED_MOST = 256,
    LEVELS = 3
};

/* The longest stretch from a position on that one operation makes. */
typedef struct stretch {
    uint32_t n, distance;
} stretch;

/* One string to be searched, and what is known of each of its positions. */
typedef struct level {
    uint8_t *part; /* [cap] even, then odd bytes of a stretch, for the level below */
    stretch *copy, *add, *rev;
    uint32_t *bits; /* [cap + 1] of the shortest program that makes the bytes before */
    sz_kt_op *last; /* [cap + 1] its last operation */
} level;

typedef struct search {
    level level[LEVELS];
    sz_kt_program *out;
    size_t cap_ops, cap_literals;
} search;

static void level_free(level *l) {
    sz_free(l->part);
    sz_free(l->copy);
    sz_free(l->add);
    sz_free(l->rev);
    sz_free(l->bits);
    sz_free(l->last);
}

static bool level_new(size_t cap, level *l) {
    l->part = sz_alloc(cap + 1);
    l->copy = sz_alloc((cap + 1) * sizeof *l->copy);
    l->add = sz_alloc((cap + 1) * sizeof *l->add);
    l->rev = sz_alloc((cap + 1) * sizeof *l->rev);
    l->bits = sz_alloc((cap + 1) * sizeof *l->bits);
    l->last = sz_alloc((cap + 1) * sizeof *l->last);
    return l->part && l->copy && l->add && l->rev && l->bits && l->last;
}

/* ---- Stretches ------------------------------------------------------------------------------- */

static inline void keep(stretch *s, uint32_t n, size_t distance) {
    if (n > s->n)
        *s = (stretch){n, (uint32_t)distance};
}

/* COPY and COPYADD: how long bytes equal those a distance before, or differ from them alike. */
static void find_copies(const uint8_t *x, size_t n, size_t window, level *l) {
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
static void find_mirrors(const uint8_t *x, size_t n, size_t window, level *l) {
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

/* The operation at i for every length up to the longest. */
static void relax(level *l, size_t i, uint32_t least, uint32_t longest, bool exact, sz_kt_op o) {
    for (uint32_t n = least; n <= longest; n++) {
        if (!exact && n > WINDOW)
            n = longest;
        uint32_t bits =
            l->bits[i] + sz_ktl_op_bits(o.kind, n, i) + (o.kind == SZ_KT_LIT ? 8 * n : 0);
        if (bits < l->bits[i + n]) {
            l->bits[i + n] = bits;
            l->last[i + n] = o;
            l->last[i + n].n = n;
        }
    }
}

static void relax_values(level *l, const uint8_t *x, size_t i, size_t n, bool exact) {
    if (i + 1 >= n)
        return;
    uint8_t step = (uint8_t)(x[i + 1] - x[i]);
    int turned = step < 128 ? step : step - 256;
    if (step == 0)
        relax(l, i, 2, run_length(x, i, n, 0), exact, (sz_kt_op){SZ_KT_RUN, .value = x[i]});
    else if (turned >= -16 && turned <= 16)
        relax(l, i, 2, run_length(x, i, n, step), exact,
              (sz_kt_op){SZ_KT_RAMP, .value = x[i], .step = (int16_t)turned});
    if (i + 3 >= n)
        return;
    uint8_t bend = (uint8_t)(x[i + 2] - 2 * x[i + 1] + x[i]);
    turned = bend < 128 ? bend : bend - 256;
    if (turned != 0 && turned >= -8 && turned <= 8)
        relax(l, i, 4, bend_length(x, i, n, bend), exact,
              (sz_kt_op){SZ_KT_QUAD, .value = x[i], .step = step, .bend = (int8_t)turned});
}

static void relax_position(level *l, const uint8_t *x, size_t i, size_t n, bool exact) {
    const stretch *copy = &l->copy[i], *add = &l->add[i], *rev = &l->rev[i];
    uint32_t rest = (uint32_t)(n - i);
    relax(l, i, 1, exact || i == 0 || rest < WINDOW ? rest : WINDOW, exact,
          (sz_kt_op){SZ_KT_LIT, .literal = (uint32_t)i});
    relax_values(l, x, i, n, exact);
    relax(l, i, 2, copy->n, exact, (sz_kt_op){SZ_KT_COPY, .distance = copy->distance});
    uint8_t addend = add->n ? (uint8_t)(x[i] - x[i - add->distance]) : 0;
    relax(l, i, 3, add->n, exact,
          (sz_kt_op){SZ_KT_COPYADD, .distance = add->distance, .value = addend});
    relax(l, i, 3, rev->n, exact, (sz_kt_op){SZ_KT_REV, .distance = rev->distance});
}

/* ---- Levels ---------------------------------------------------------------------------------- */

/* How the parts of a stretch are searched: those of a suffix may be interleaved again. */
static sz_kt_effort part_effort(size_t depth, size_t n, bool suffix) {
    return suffix && depth + 2 < LEVELS && n <= NESTED_MOST ? SZ_KT_SUFFIXES : SZ_KT_LINEAR;
}

static void solve(search *s, size_t depth, const uint8_t *x, size_t n, sz_kt_effort effort);

/* Even bytes, then odd ones, of x[i..i + n). */
static const uint8_t *parts_of(search *s, size_t depth, const uint8_t *x, size_t n) {
    uint8_t *part = s->level[depth].part;
    for (size_t i = 0; i < n; i++)
        part[i % 2 ? (n + 1) / 2 + i / 2 : i / 2] = x[i];
    return part;
}

static void relax_interleaved(search *s, size_t depth, const uint8_t *x, size_t i, size_t n,
                              sz_kt_effort effort) {
    level *l = &s->level[depth], *below = &s->level[depth + 1];
    uint32_t bits = l->bits[i] + sz_ktl_op_bits(SZ_KT_ILV, n, i);
    if (bits >= l->bits[i + n])
        return;
    const uint8_t *part = parts_of(s, depth, x + i, n);
    solve(s, depth + 1, part, (n + 1) / 2, effort);
    bits += below->bits[(n + 1) / 2];
    if (bits >= l->bits[i + n])
        return;
    solve(s, depth + 1, part + (n + 1) / 2, n / 2, effort);
    bits += below->bits[n / 2];
    if (bits < l->bits[i + n]) {
        l->bits[i + n] = bits;
        l->last[i + n] = (sz_kt_op){SZ_KT_ILV, .n = (uint32_t)n};
    }
}

/* Fills bits and last of a level. */
static void solve(search *s, size_t depth, const uint8_t *x, size_t n, sz_kt_effort effort) {
    level *l = &s->level[depth];
    bool exact = n <= EXACT, nest = effort != SZ_KT_LINEAR && n <= SUFFIXES_MOST;
    size_t window = exact ? n : WINDOW;
    find_copies(x, n, window, l);
    find_mirrors(x, n, window, l);
    memset(l->bits, 0xff, (n + 1) * sizeof *l->bits);
    l->bits[0] = 0;
    for (size_t i = 0; i < n; i++) {
        relax_position(l, x, i, n, exact);
        if (!nest || n - i < 4)
            continue;
        bool all = effort == SZ_KT_FULL && n <= FULL_MOST;
        for (size_t length = all ? 4 : n - i; length <= n - i; length++)
            relax_interleaved(s, depth, x, i, length, part_effort(depth, n, length == n - i));
    }
}

/* ---- The program ----------------------------------------------------------------------------- */

static sz_status write_ops(search *s, size_t depth, const uint8_t *x, size_t n);

static sz_status write_parts(search *s, size_t depth, const uint8_t *x, size_t n,
                             sz_kt_effort effort) {
    const uint8_t *part = parts_of(s, depth, x, n);
    solve(s, depth + 1, part, (n + 1) / 2, effort);
    SZ_TRY(write_ops(s, depth + 1, part, (n + 1) / 2));
    solve(s, depth + 1, part + (n + 1) / 2, n / 2, effort);
    return write_ops(s, depth + 1, part + (n + 1) / 2, n / 2);
}

/* The operations of a solved level, from its begin: their ends are marked on the way back. */
static sz_status write_ops(search *s, size_t depth, const uint8_t *x, size_t n) {
    level *l = &s->level[depth];
    for (size_t at = n, end = 0; at > 0; at = end) { /* l->copy[i].n: where the one from i ends */
        end = at - l->last[at].n;
        l->copy[end].n = (uint32_t)at;
    }
    for (size_t at = 0; at < n;) {
        size_t end = l->copy[at].n;
        sz_kt_op o = l->last[end];
        if (o.kind == SZ_KT_LIT) {
            SZ_TRY(sz_ktl_add_literals(s->out, &s->cap_literals, x + at, o.n));
            o.literal = (uint32_t)(s->out->n_literals - o.n);
        }
        SZ_TRY(sz_ktl_add_op(s->out, &s->cap_ops, o));
        if (o.kind == SZ_KT_ILV)
            SZ_TRY(write_parts(s, depth, x + at, o.n, part_effort(depth, n, end == n)));
        at = end;
    }
    return SZ_OK;
}

sz_status sz_kt_search(const uint8_t *x, size_t n, sz_kt_effort effort, sz_kt_program *out) {
    SZ_REQUIRE(n <= MOST, SZ_E_LIMIT, "a string of %zu bytes: at most %d", n, MOST);
    SZ_REQUIRE(effort <= SZ_KT_FULL, SZ_E_ARG, "no effort has number %d", (int)effort);
    sz_kt_program p = {.n = (uint32_t)n};
    search s = {.out = &p};
    bool enough = level_new(n, &s.level[0]);
    for (size_t i = 1; i < LEVELS && effort != SZ_KT_LINEAR && enough; i++)
        enough = level_new((n >> i) + 2, &s.level[i]);
    sz_status status =
        enough ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory to search programs for %zu bytes", n);
    if (status == SZ_OK) {
        solve(&s, 0, x, n, effort);
        status = write_ops(&s, 0, x, n);
    }
    for (size_t i = 0; i < LEVELS; i++)
        level_free(&s.level[i]);
    if (status != SZ_OK)
        sz_kt_program_free(&p);
    else
        *out = p;
    return status;
}
