/* ktl.c: programs of the language: their code, what they make, how they read. */
#include <stdlib.h>
#include <string.h>

#include "code/ktl.h"

enum { DEEPEST = 3 };

static const struct kind {
    const char *name;
    uint8_t code, n_code; /* its prefix and how many bits that has */
    uint8_t least;        /* bytes it makes at least: gamma counts from there */
} kinds[] = {
    [SZ_KT_LIT] = {"LIT", 0, 2, 1},          [SZ_KT_RAMP] = {"RAMP", 1, 2, 2},
    [SZ_KT_COPY] = {"COPY", 2, 2, 2},        [SZ_KT_RUN] = {"RUN", 6, 3, 2},
    [SZ_KT_COPYADD] = {"COPYADD", 14, 4, 3}, [SZ_KT_REV] = {"REV", 30, 5, 3},
    [SZ_KT_QUAD] = {"QUAD", 62, 6, 4},       [SZ_KT_ILV] = {"ILV", 63, 6, 2},
};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

void sz_kt_program_free(sz_kt_program *p) {
    sz_free(p->op);
    sz_free(p->literals);
    *p = (sz_kt_program){0};
}

unsigned sz_ktl_log2_up(uint64_t p) {
    return p <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(p - 1);
}

unsigned sz_ktl_gamma(uint64_t k) {
    return 2 * (63 - (unsigned)__builtin_clzll(k)) + 1;
}

unsigned sz_ktl_least(sz_kt_kind kind) {
    return kinds[kind].least;
}

unsigned sz_ktl_op_bits(sz_kt_kind kind, uint64_t n, uint64_t p) {
    static const uint8_t fields[N_KINDS] = {
        [SZ_KT_RAMP] = 13, [SZ_KT_RUN] = 8, [SZ_KT_COPYADD] = 8, [SZ_KT_QUAD] = 20};
    bool distant = kind == SZ_KT_COPY || kind == SZ_KT_COPYADD || kind == SZ_KT_REV;
    return kinds[kind].n_code + sz_ktl_gamma(n - kinds[kind].least + 1) + fields[kind] +
           (distant ? sz_ktl_log2_up(p) : 0);
}

unsigned sz_ktl_literal_bits(const sz_kt_program *p) {
    return p->n_alphabet ? sz_ktl_log2_up(p->n_alphabet) : 8;
}

/* ---- Walking a program ----------------------------------------------------------------------- */

/* Where a walk stands: the next operation, in a buffer of its own. */
typedef struct walk {
    const sz_kt_program *p;
    size_t at; /* operation */
    unsigned depth;
} walk;

static sz_status next_op(walk *w, uint64_t made, uint64_t n, const sz_kt_op **out) {
    SZ_REQUIRE(w->at < w->p->n_ops, SZ_E_ARG, "the program ends after %zu operations", w->at);
    const sz_kt_op *o = *out = &w->p->op[w->at];
    SZ_REQUIRE((unsigned)o->kind < N_KINDS && o->n >= kinds[o->kind].least && o->n <= n - made,
               SZ_E_ARG, "operation %zu makes %u bytes where %llu are wanted", w->at, o->n,
               (unsigned long long)(n - made));
    bool distant = o->kind == SZ_KT_COPY || o->kind == SZ_KT_COPYADD || o->kind == SZ_KT_REV;
    bool reaches = o->distance >= 1 && o->distance <= made &&
                   (o->kind != SZ_KT_REV || (uint64_t)o->n + o->distance <= made + 1);
    SZ_REQUIRE(!distant || reaches, SZ_E_ARG, "operation %zu reaches back %u of %llu bytes", w->at,
               o->distance, (unsigned long long)made);
    SZ_REQUIRE(o->kind != SZ_KT_LIT ||
                   (o->literal <= w->p->n_literals && o->n <= w->p->n_literals - o->literal),
               SZ_E_ARG, "operation %zu has no literals", w->at);
    SZ_REQUIRE(o->kind != SZ_KT_RAMP || (o->step && o->step >= -16 && o->step <= 16), SZ_E_ARG,
               "operation %zu has the step %d", w->at, o->step);
    SZ_REQUIRE(o->kind != SZ_KT_QUAD ||
                   (o->bend && o->bend >= -8 && o->bend <= 8 && o->step >= 0 && o->step <= 255),
               SZ_E_ARG, "operation %zu has the slope %d and the bend %d", w->at, o->step, o->bend);
    SZ_REQUIRE(o->kind != SZ_KT_ILV || w->depth < DEEPEST, SZ_E_ARG,
               "operation %zu interleaves more than %d deep", w->at, DEEPEST);
    w->at++;
    return SZ_OK;
}

/* ---- Output ---------------------------------------------------------------------------------- */

static sz_status eval_ops(walk *w, uint8_t *out, uint64_t n);

static sz_status interleave(walk *w, const sz_kt_op *o, uint8_t *out) {
    uint32_t first = (o->n + 1) / 2, second = o->n / 2;
    uint8_t *part = sz_alloc(o->n);
    SZ_REQUIRE(part, SZ_E_NOMEM, "no memory for %u bytes", o->n);
    w->depth++;
    sz_status status = eval_ops(w, part, first);
    if (status == SZ_OK)
        status = eval_ops(w, part + first, second);
    w->depth--;
    for (uint32_t i = 0; i < o->n && status == SZ_OK; i++)
        out[i] = part[i % 2 ? first + i / 2 : i / 2];
    sz_free(part);
    return status;
}

/* out: where the operation's bytes go; those before it in the buffer lie before it. */
static void make_bytes(const sz_kt_program *p, const sz_kt_op *o, uint8_t *out) {
    uint8_t value = o->value, slope = (uint8_t)o->step;
    for (uint32_t i = 0; i < o->n; i++)
        switch (o->kind) {
        case SZ_KT_LIT:
            out[i] = p->literals[o->literal + i];
            break;
        case SZ_KT_RUN:
            out[i] = value;
            break;
        case SZ_KT_COPY:
            out[i] = out[(ptrdiff_t)i - (ptrdiff_t)o->distance];
            break;
        case SZ_KT_COPYADD:
            out[i] = (uint8_t)(out[(ptrdiff_t)i - (ptrdiff_t)o->distance] + value);
            break;
        case SZ_KT_REV:
            out[i] = out[-(ptrdiff_t)o->distance - (ptrdiff_t)i];
            break;
        case SZ_KT_QUAD:
            out[i] = value;
            value = (uint8_t)(value + slope);
            slope = (uint8_t)(slope + o->bend);
            break;
        default: /* RAMP */
            out[i] = value;
            value = (uint8_t)(value + o->step);
        }
}

static sz_status eval_ops(walk *w, uint8_t *out, uint64_t n) {
    for (uint64_t made = 0; made < n;) {
        const sz_kt_op *o;
        SZ_TRY(next_op(w, made, n, &o));
        if (o->kind == SZ_KT_ILV)
            SZ_TRY(interleave(w, o, out + made));
        else
            make_bytes(w->p, o, out + made);
        made += o->n;
    }
    return SZ_OK;
}

sz_status sz_kt_eval(const sz_kt_program *p, sz_buf *out) {
    walk w = {.p = p};
    uint8_t *bytes = sz_alloc((size_t)p->n + 1);
    SZ_REQUIRE(bytes, SZ_E_NOMEM, "no memory for %u bytes", p->n);
    sz_status status = eval_ops(&w, bytes, p->n);
    if (status == SZ_OK && w.at != p->n_ops)
        status = sz_fail(SZ_E_ARG, "operation %zu has nothing left to make", w.at);
    if (status == SZ_OK)
        sz_buf_append(out, bytes, p->n);
    sz_free(bytes);
    SZ_TRY(status);
    SZ_REQUIRE(!out->failed, SZ_E_NOMEM, "no memory for %u bytes", p->n);
    return SZ_OK;
}

/* ---- Code ------------------------------------------------------------------------------------ */

typedef struct bits {
    sz_buf *out;
    uint64_t n;
} bits;

static void put_bits(bits *b, uint64_t value, unsigned n) {
    while (n-- > 0) {
        if (b->n % 8 == 0)
            sz_buf_putc(b->out, 0);
        if (!b->out->failed && (value >> n & 1))
            b->out->data[b->out->len - 1] |= (char)(0x80u >> b->n % 8);
        b->n++;
    }
}

static void put_gamma(bits *b, uint64_t k) {
    unsigned length = 63 - (unsigned)__builtin_clzll(k);
    put_bits(b, 0, length);
    put_bits(b, k, length + 1);
}

/* -most..-1, 1..most as 0.. */
static unsigned without_zero(int v, int most) {
    return (unsigned)(v < 0 ? v + most : v + most - 1);
}

/* A byte as itself, or as its place in the alphabet. */
static sz_status put_literal(bits *b, const sz_kt_program *p, uint8_t value) {
    unsigned place = value;
    if (p->n_alphabet) {
        place = 0;
        while (place < p->n_alphabet && p->alphabet[place] != value)
            place++;
        SZ_REQUIRE(place < p->n_alphabet, SZ_E_ARG, "the alphabet lacks the literal %u", value);
    }
    put_bits(b, place, sz_ktl_literal_bits(p));
    return SZ_OK;
}

static void put_alphabet(bits *b, const sz_kt_program *p) {
    if (p->n_alphabet)
        put_bits(b, p->n_alphabet - 1u, 8);
    for (unsigned i = 0; i < p->n_alphabet; i++)
        put_bits(b, p->alphabet[i], 8);
}

static sz_status encode_ops(walk *w, bits *b, uint64_t n) {
    for (uint64_t made = 0; made < n;) {
        const sz_kt_op *o;
        SZ_TRY(next_op(w, made, n, &o));
        put_bits(b, kinds[o->kind].code, kinds[o->kind].n_code);
        put_gamma(b, o->n - kinds[o->kind].least + 1u);
        if (o->kind == SZ_KT_COPY || o->kind == SZ_KT_COPYADD || o->kind == SZ_KT_REV)
            put_bits(b, o->distance - 1, sz_ktl_log2_up(made));
        if (o->kind == SZ_KT_RAMP || o->kind == SZ_KT_RUN || o->kind == SZ_KT_COPYADD ||
            o->kind == SZ_KT_QUAD)
            put_bits(b, o->value, 8);
        if (o->kind == SZ_KT_RAMP)
            put_bits(b, without_zero(o->step, 16), 5);
        if (o->kind == SZ_KT_QUAD) {
            put_bits(b, (uint64_t)o->step, 8);
            put_bits(b, without_zero(o->bend, 8), 4);
        }
        for (uint32_t i = 0; o->kind == SZ_KT_LIT && i < o->n; i++)
            SZ_TRY(put_literal(b, w->p, w->p->literals[o->literal + i]));
        if (o->kind == SZ_KT_ILV) {
            w->depth++;
            SZ_TRY(encode_ops(w, b, (o->n + 1) / 2));
            SZ_TRY(encode_ops(w, b, o->n / 2));
            w->depth--;
        }
        made += o->n;
    }
    return SZ_OK;
}

sz_status sz_kt_encode(const sz_kt_program *p, sz_buf *code) {
    walk w = {.p = p};
    bits b = {.out = code};
    put_gamma(&b, (uint64_t)p->n + 1);
    put_alphabet(&b, p);
    SZ_TRY(encode_ops(&w, &b, p->n));
    SZ_REQUIRE(!code->failed, SZ_E_NOMEM, "no memory for a program of %zu operations", p->n_ops);
    return SZ_OK;
}

static uint64_t bits_of(const sz_kt_program *p, size_t *at, uint64_t n) {
    uint64_t bits = 0;
    for (uint64_t made = 0; made < n && *at < p->n_ops;) {
        const sz_kt_op *o = &p->op[(*at)++];
        bits += sz_ktl_op_bits(o->kind, o->n, made);
        if (o->kind == SZ_KT_LIT)
            bits += (uint64_t)sz_ktl_literal_bits(p) * o->n;
        if (o->kind == SZ_KT_ILV) {
            bits += bits_of(p, at, (o->n + 1) / 2);
            bits += bits_of(p, at, o->n / 2);
        }
        made += o->n;
    }
    return bits;
}

uint64_t sz_kt_bits(const sz_kt_program *p) {
    size_t at = 0;
    uint64_t alphabet = p->n_alphabet ? 8 + 8ull * p->n_alphabet : 0;
    return sz_ktl_gamma((uint64_t)p->n + 1) + alphabet + bits_of(p, &at, p->n);
}

/* ---- Reading a code -------------------------------------------------------------------------- */

typedef struct reader {
    const uint8_t *code;
    uint64_t n, at;
    sz_kt_program *p;
    size_t cap_ops, cap_literals;
} reader;

static sz_status get_bits(reader *r, unsigned n, uint64_t *out) {
    SZ_REQUIRE(n <= r->n - r->at, SZ_E_FORMAT, "the program ends at bit %llu, within an operation",
               (unsigned long long)r->n);
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++, r->at++)
        v = v << 1 | (r->code[r->at / 8] >> (7 - r->at % 8) & 1);
    *out = v;
    return SZ_OK;
}

static sz_status get_gamma(reader *r, uint64_t *out) {
    unsigned length = 0;
    uint64_t bit = 0, rest = 0;
    for (;; length++) {
        SZ_TRY(get_bits(r, 1, &bit));
        if (bit)
            break;
        SZ_REQUIRE(length < 40, SZ_E_FORMAT, "the length at bit %llu is beyond all bounds",
                   (unsigned long long)r->at);
    }
    SZ_TRY(get_bits(r, length, &rest));
    *out = (uint64_t)1 << length | rest;
    return SZ_OK;
}

static sz_status get_kind(reader *r, sz_kt_kind *out) {
    uint64_t code = 0, bit;
    for (unsigned n = 1; n <= 6; n++) {
        SZ_TRY(get_bits(r, 1, &bit));
        code = code << 1 | bit;
        for (unsigned k = 0; k < N_KINDS; k++)
            if (kinds[k].n_code == n && kinds[k].code == code) {
                *out = (sz_kt_kind)k;
                return SZ_OK;
            }
    }
    return sz_fail(SZ_E_FORMAT, "no operation at bit %llu", (unsigned long long)r->at);
}

sz_status sz_ktl_add_op(sz_kt_program *p, size_t *cap, sz_kt_op o) {
    if (p->n_ops == *cap) {
        size_t more_cap = *cap ? 2 * *cap : 16;
        sz_kt_op *more = sz_realloc(p->op, p->n_ops * sizeof *more, more_cap * sizeof *more);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for %zu operations", more_cap);
        p->op = more;
        *cap = more_cap;
    }
    p->op[p->n_ops++] = o;
    return SZ_OK;
}

sz_status sz_ktl_add_literals(sz_kt_program *p, size_t *cap, const uint8_t *bytes, size_t n) {
    if (n > *cap - p->n_literals) {
        size_t more_cap = 2 * *cap + n;
        uint8_t *more = sz_realloc(p->literals, p->n_literals, more_cap);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for %zu literals", more_cap);
        p->literals = more;
        *cap = more_cap;
    }
    memcpy(p->literals + p->n_literals, bytes, n);
    p->n_literals += n;
    return SZ_OK;
}

static sz_status get_literals(reader *r, sz_kt_op *o) {
    o->literal = (uint32_t)r->p->n_literals;
    unsigned width = sz_ktl_literal_bits(r->p);
    SZ_REQUIRE((uint64_t)width * o->n <= r->n - r->at, SZ_E_FORMAT,
               "%u literals at bit %llu: the program ends", o->n, (unsigned long long)r->at);
    for (uint32_t i = 0; i < o->n; i++) {
        uint64_t byte;
        SZ_TRY(get_bits(r, width, &byte));
        SZ_REQUIRE(!r->p->n_alphabet || byte < r->p->n_alphabet, SZ_E_FORMAT,
                   "a literal before bit %llu is beyond the alphabet", (unsigned long long)r->at);
        byte = r->p->n_alphabet ? r->p->alphabet[byte] : byte;
        SZ_TRY(sz_ktl_add_literals(r->p, &r->cap_literals, &(uint8_t){(uint8_t)byte}, 1));
    }
    return SZ_OK;
}

static sz_status get_fields(reader *r, sz_kt_op *o, uint64_t made) {
    uint64_t v;
    if (o->kind == SZ_KT_COPY || o->kind == SZ_KT_COPYADD || o->kind == SZ_KT_REV) {
        SZ_TRY(get_bits(r, sz_ktl_log2_up(made), &v));
        uint64_t back = v + 1 + (o->kind == SZ_KT_REV ? o->n - 1u : 0u);
        SZ_REQUIRE(back <= made, SZ_E_FORMAT,
                   "the operation before bit %llu reaches back %llu of %llu bytes",
                   (unsigned long long)r->at, (unsigned long long)back, (unsigned long long)made);
        o->distance = (uint32_t)v + 1;
    }
    if (o->kind == SZ_KT_RAMP || o->kind == SZ_KT_RUN || o->kind == SZ_KT_COPYADD ||
        o->kind == SZ_KT_QUAD) {
        SZ_TRY(get_bits(r, 8, &v));
        o->value = (uint8_t)v;
    }
    if (o->kind == SZ_KT_RAMP) {
        SZ_TRY(get_bits(r, 5, &v));
        o->step = (int16_t)(v < 16 ? (int)v - 16 : (int)v - 15);
    }
    if (o->kind == SZ_KT_QUAD) {
        SZ_TRY(get_bits(r, 8, &v));
        o->step = (int16_t)v;
        SZ_TRY(get_bits(r, 4, &v));
        o->bend = (int8_t)(v < 8 ? (int)v - 8 : (int)v - 7);
    }
    return o->kind == SZ_KT_LIT ? get_literals(r, o) : SZ_OK;
}

static sz_status get_ops(reader *r, uint64_t n, unsigned depth) {
    for (uint64_t made = 0; made < n;) {
        sz_kt_op o = {0};
        uint64_t length;
        SZ_TRY(get_kind(r, &o.kind));
        SZ_TRY(get_gamma(r, &length));
        length += kinds[o.kind].least - 1u;
        SZ_REQUIRE(length <= n - made, SZ_E_FORMAT,
                   "%s of %llu bytes before bit %llu: %llu are left", kinds[o.kind].name,
                   (unsigned long long)length, (unsigned long long)r->at,
                   (unsigned long long)(n - made));
        SZ_REQUIRE(o.kind != SZ_KT_ILV || depth < DEEPEST, SZ_E_FORMAT,
                   "ILV before bit %llu is more than %d deep", (unsigned long long)r->at, DEEPEST);
        o.n = (uint32_t)length;
        SZ_TRY(get_fields(r, &o, made));
        SZ_TRY(sz_ktl_add_op(r->p, &r->cap_ops, o));
        if (o.kind == SZ_KT_ILV) {
            SZ_TRY(get_ops(r, (length + 1) / 2, depth + 1));
            SZ_TRY(get_ops(r, length / 2, depth + 1));
        }
        made += length;
    }
    return SZ_OK;
}

static sz_status get_alphabet(reader *r) {
    uint64_t n, value;
    SZ_TRY(get_bits(r, 8, &n));
    for (uint64_t i = 0; i <= n; i++) {
        SZ_TRY(get_bits(r, 8, &value));
        SZ_REQUIRE(i == 0 || value > r->p->alphabet[i - 1], SZ_E_FORMAT,
                   "the alphabet does not rise before bit %llu", (unsigned long long)r->at);
        r->p->alphabet[i] = (uint8_t)value;
    }
    r->p->n_alphabet = (uint16_t)(n + 1);
    return SZ_OK;
}

static sz_status decode(const uint8_t *code, uint64_t n_bits, uint32_t most, bool alphabet,
                        sz_kt_program *out, uint64_t *used) {
    sz_kt_program p = {0};
    reader r = {.code = code, .n = n_bits, .p = &p};
    uint64_t n;
    SZ_TRY(get_gamma(&r, &n));
    n--;
    SZ_REQUIRE(n <= most, SZ_E_LIMIT, "the program makes %llu bytes: at most %u are wanted",
               (unsigned long long)n, most);
    p.n = (uint32_t)n;
    if (alphabet && n > 0)
        SZ_TRY(get_alphabet(&r));
    sz_status status = get_ops(&r, n, 0);
    if (status != SZ_OK) {
        sz_kt_program_free(&p);
        return status;
    }
    if (used)
        *used = r.at;
    *out = p;
    return SZ_OK;
}

sz_status sz_kt_decode(const uint8_t *code, uint64_t n_bits, uint32_t most, sz_kt_program *out,
                       uint64_t *used) {
    return decode(code, n_bits, most, false, out, used);
}

sz_status sz_kt_decode_alphabet(const uint8_t *code, uint64_t n_bits, uint32_t most,
                                sz_kt_program *out, uint64_t *used) {
    return decode(code, n_bits, most, true, out, used);
}

/* ---- Text ------------------------------------------------------------------------------------ */

static void print_op(const sz_kt_program *p, const sz_kt_op *o, sz_buf *text) {
    sz_buf_printf(text, "%s %u", kinds[o->kind].name, o->n);
    if (o->kind == SZ_KT_COPY || o->kind == SZ_KT_COPYADD || o->kind == SZ_KT_REV)
        sz_buf_printf(text, " %u", o->distance);
    if (o->kind == SZ_KT_RAMP || o->kind == SZ_KT_RUN || o->kind == SZ_KT_COPYADD ||
        o->kind == SZ_KT_QUAD)
        sz_buf_printf(text, " %u", o->value);
    if (o->kind == SZ_KT_RAMP || o->kind == SZ_KT_QUAD)
        sz_buf_printf(text, " %d", o->step);
    if (o->kind == SZ_KT_QUAD)
        sz_buf_printf(text, " %d", o->bend);
    for (uint32_t i = 0; o->kind == SZ_KT_LIT && i < o->n; i++)
        sz_buf_printf(text, " %u", p->literals[o->literal + i]);
    sz_buf_putc(text, '\n');
}

static sz_status print_ops(walk *w, uint64_t n, sz_buf *text) {
    for (uint64_t made = 0; made < n;) {
        const sz_kt_op *o;
        SZ_TRY(next_op(w, made, n, &o));
        for (unsigned i = 0; i < w->depth; i++)
            sz_buf_puts(text, "  ");
        print_op(w->p, o, text);
        if (o->kind == SZ_KT_ILV) {
            w->depth++;
            SZ_TRY(print_ops(w, (o->n + 1) / 2, text));
            SZ_TRY(print_ops(w, o->n / 2, text));
            w->depth--;
        }
        made += o->n;
    }
    return SZ_OK;
}

sz_status sz_kt_print(const sz_kt_program *p, sz_buf *text) {
    walk w = {.p = p};
    for (unsigned i = 0; i < p->n_alphabet; i++)
        sz_buf_printf(text, "%s %u%s", i ? "" : "ALPHABET", p->alphabet[i],
                      i + 1u < p->n_alphabet ? "" : "\n");
    SZ_TRY(print_ops(&w, p->n, text));
    SZ_REQUIRE(!text->failed, SZ_E_NOMEM, "no memory for a program of %zu operations", p->n_ops);
    return SZ_OK;
}
