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
    uint32_t *bits; /* [n + 1] of the shortest program that makes the bytes before */
    sz_kt_op *last; /* [n + 1] its last operation */
} strand;

typedef struct search {
    const uint8_t *x; /* [n] the string */
    size_t n;
    unsigned width; /* bits of a literal */
    bool interleaves, everywhere;
    strand strand;
    struct {
        uint32_t *bits; /* [rows][n]: of the beginnings of each strand, by its first byte */
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

static inline void keep_path(strand *l, size_t i, uint32_t n, uint32_t bits, const sz_kt_op *o) {
    if (bits < l->bits[i + n]) {
        l->bits[i + n] = bits;
        l->last[i + n] = *o;
        l->last[i + n].n = n;
    }
}

/* The operation at i for every length up to the longest; `each`: bits for each byte. */
static void relax(strand *l, size_t i, uint32_t least, uint32_t longest, bool exact, unsigned each,
                  sz_kt_op o) {
    for (uint32_t n = least; n <= longest; n++) {
        if (!exact && n > WINDOW)
            n = longest;
        keep_path(l, i, n, l->bits[i] + sz_ktl_op_bits(o.kind, n, i) + each * n, &o);
    }
}

static void relax_values(strand *l, const uint8_t *x, size_t i, size_t n, bool exact) {
    if (i + 1 >= n)
        return;
    uint8_t step = (uint8_t)(x[i + 1] - x[i]);
    int turned = step < 128 ? step : step - 256;
    if (step == 0)
        relax(l, i, 2, run_length(x, i, n, 0), exact, 0, (sz_kt_op){SZ_KT_RUN, .value = x[i]});
    else if (turned >= -16 && turned <= 16)
        relax(l, i, 2, run_length(x, i, n, step), exact, 0,
              (sz_kt_op){SZ_KT_RAMP, .value = x[i], .step = (int16_t)turned});
    if (i + 3 >= n)
        return;
    uint8_t bend = (uint8_t)(x[i + 2] - 2 * x[i + 1] + x[i]);
    turned = bend < 128 ? bend : bend - 256;
    if (turned != 0 && turned >= -8 && turned <= 8)
        relax(l, i, 4, bend_length(x, i, n, bend), exact, 0,
              (sz_kt_op){SZ_KT_QUAD, .value = x[i], .step = step, .bend = (int8_t)turned});
}

static void relax_position(strand *l, size_t i, bool exact, unsigned width) {
    const uint8_t *x = l->x;
    size_t n = l->n;
    const stretch *copy = &l->copy[i], *add = &l->add[i], *rev = &l->rev[i];
    uint32_t rest = (uint32_t)(n - i);
    relax(l, i, 1, exact || i == 0 || rest < WINDOW ? rest : WINDOW, exact, width,
          (sz_kt_op){SZ_KT_LIT, .literal = (uint32_t)i});
    relax_values(l, x, i, n, exact);
    relax(l, i, 2, copy->n, exact, 0, (sz_kt_op){SZ_KT_COPY, .distance = copy->distance});
    uint8_t addend = add->n ? (uint8_t)(x[i] - x[i - add->distance]) : 0;
    relax(l, i, 3, add->n, exact, 0,
          (sz_kt_op){SZ_KT_COPYADD, .distance = add->distance, .value = addend});
    relax(l, i, 3, rev->n, exact, 0, (sz_kt_op){SZ_KT_REV, .distance = rev->distance});
}

/* ---- Strands ---------------------------------------------------------------------------------- */

static size_t strand_length(const search *s, unsigned level, size_t first) {
    return first < s->n ? ((s->n - first - 1) >> level) + 1 : 0;
}

static const uint32_t *known_bits(const search *s, unsigned level, size_t first) {
    return s->level[level].bits + first * s->level[level].n;
}

/* ILV over n bytes from i on: its parts are beginnings of two strands of the next level. */
static void relax_interleaved(search *s, size_t i, size_t n) {
    strand *l = &s->strand;
    size_t first = l->first + (i << l->level), second = first + ((size_t)1 << l->level);
    uint32_t bits = l->bits[i] + sz_ktl_op_bits(SZ_KT_ILV, n, i) +
                    known_bits(s, l->level + 1, first)[(n + 1) / 2] +
                    known_bits(s, l->level + 1, second)[n / 2];
    keep_path(l, i, (uint32_t)n, bits, &(sz_kt_op){.kind = SZ_KT_ILV});
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
    memset(l->bits, 0xff, (n + 1) * sizeof *l->bits);
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
        s->level[level].bits = sz_alloc((rows + 1) * n * sizeof(uint32_t));
        SZ_REQUIRE(s->level[level].bits, SZ_E_NOMEM, "no memory to search programs for %zu bytes",
                   s->n);
        s->level[level].rows = rows;
        s->level[level].n = n;
        for (size_t first = 0; first < rows; first++) {
            solve(s, level, first);
            memcpy(s->level[level].bits + first * n, s->strand.bits,
                   (s->strand.n + 1) * sizeof(uint32_t));
        }
    }
    return SZ_OK;
}

/* ---- The program ----------------------------------------------------------------------------- */

/* The operations of the solved strand's first n bytes, in order; sz_free them. */
static sz_status take_path(const strand *l, size_t n, sz_kt_op **ops, size_t *n_ops) {
    size_t count = 0;
    for (size_t at = n; at > 0; at -= l->last[at].n)
        count++;
    *ops = sz_alloc((count + 1) * sizeof **ops);
    SZ_REQUIRE(*ops, SZ_E_NOMEM, "no memory for %zu operations", count);
    *n_ops = count;
    for (size_t at = n; at > 0; at -= l->last[at].n)
        (*ops)[--count] = l->last[at];
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
