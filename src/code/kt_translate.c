/* kt_translate.c: programs of the language as scripts, for the search to begin from. */
#include <string.h>

#include "code/kt_anneal.h"

typedef struct translator {
    const sz_kt_program *p;
    size_t at; /* operation */
    sz_kt_lines *lines;
    sz_status status;
} translator;

/* Adds a line; returns its index. */
static uint8_t add(translator *t, const char *function, sz_kt_line line) {
    if (t->lines->n == SZ_KT_MOST_CODED) {
        if (t->status == SZ_OK)
            t->status = sz_fail(SZ_E_UNSUPPORTED, "more than %d lines", SZ_KT_MOST_CODED);
        return 0;
    }
    line.function = (uint8_t)sz_kt_function_index(sz_kt_function_find(function));
    t->lines->line[t->lines->n] = line;
    return (uint8_t)t->lines->n++;
}

static uint8_t add_list(translator *t, const uint8_t *bytes, size_t n) {
    sz_kt_line line = {.n_list = (uint16_t)(n < SZ_KT_MOST_ITEMS ? n : SZ_KT_MOST_ITEMS)};
    if (n > SZ_KT_MOST_ITEMS && t->status == SZ_OK)
        t->status = sz_fail(SZ_E_UNSUPPORTED, "a list of %zu numbers", n);
    memcpy(line.list, bytes, line.n_list);
    return add(t, "set_list", line);
}

/* Rising by 1 to 8, within bytes; else as a list. */
static uint8_t add_ramp(translator *t, const sz_kt_op *o, const uint8_t *made) {
    int low = o->step > 0 ? o->value : o->value + o->step * ((int)o->n - 1);
    int high = o->step > 0 ? o->value + o->step * ((int)o->n - 1) : o->value;
    int step = o->step > 0 ? o->step : -o->step;
    if (low < 0 || high > 254 || step > 8)
        return add_list(t, made, o->n);
    uint8_t up =
        step == 1 ? add(t, "range_func_up", (sz_kt_line){.number = {(uint8_t)low, (uint8_t)high}})
                  : add(t, "range_func_interval",
                        (sz_kt_line){.number = {(uint8_t)low, (uint8_t)(high + 1), (uint8_t)step}});
    return o->step > 0 ? up : add(t, "reverse_list", (sz_kt_line){.from = {up}});
}

static uint8_t add_run(translator *t, const sz_kt_op *o, const uint8_t *made) {
    for (uint32_t times = 1; times <= 8; times++) {
        if (o->n % times || o->n / times > 20)
            continue;
        sz_kt_line run = {.number = {(uint8_t)(o->n / times), o->value}};
        uint8_t once = add(t, "repeat_num", run);
        sz_kt_line more = {.from = {once}, .number = {(uint8_t)times}};
        return times == 1 ? once : add(t, "repeat_list", more);
    }
    return add_list(t, made, o->n);
}

/* Bytes of what was made before, from place `from` on. */
static uint8_t add_part(translator *t, int before, size_t from, size_t n) {
    return add(
        t, "get_subsequence_between_indices",
        (sz_kt_line){.from = {(uint8_t)before}, .number = {(uint8_t)from, (uint8_t)(from + n)}});
}

static uint8_t add_copy(translator *t, const sz_kt_op *o, int before, size_t p,
                        const uint8_t *made) {
    size_t from = o->kind == SZ_KT_REV ? p - o->distance - o->n + 1 : p - o->distance;
    if (before < 0 || (o->kind != SZ_KT_REV && o->n > o->distance) || from + o->n > 255)
        return add_list(t, made, o->n);
    uint8_t part = add_part(t, before, from, o->n);
    if (o->kind == SZ_KT_REV)
        return add(t, "reverse_list", (sz_kt_line){.from = {part}});
    sz_kt_line plus = {.from = {part}, .number = {o->value}};
    return o->kind == SZ_KT_COPY ? part : add(t, "add_item_list", plus);
}

/* The line that makes n bytes, which are made [n]. */
static uint8_t translate(translator *t, const uint8_t *made, size_t n) {
    int before = -1;
    for (size_t p = 0; p < n && t->status == SZ_OK;) {
        const sz_kt_op *o = &t->p->op[t->at++];
        uint8_t now;
        if (o->kind == SZ_KT_ILV) {
            uint8_t part[2][SZ_KT_MOST_ITEMS];
            if (o->n > SZ_KT_MOST_ITEMS) {
                t->status = sz_fail(SZ_E_UNSUPPORTED, "%u bytes interleaved", o->n);
                break;
            }
            for (size_t i = 0; i < o->n; i++)
                part[i % 2][i / 2] = made[p + i];
            uint8_t first = translate(t, part[0], (o->n + 1) / 2);
            uint8_t second = translate(t, part[1], o->n / 2);
            now = add(t, "interleave", (sz_kt_line){.from = {first, second}});
        } else if (o->kind == SZ_KT_RAMP) {
            now = add_ramp(t, o, made + p);
        } else if (o->kind == SZ_KT_RUN) {
            now = add_run(t, o, made + p);
        } else if (o->kind == SZ_KT_LIT || o->kind == SZ_KT_QUAD) {
            now = add_list(t, made + p, o->n);
        } else {
            now = add_copy(t, o, before, p, made + p);
        }
        p += o->n;
        sz_kt_line join = {.from = {(uint8_t)before, now}};
        before = before < 0 ? now : add(t, "concatenate", join);
    }
    return before < 0 ? add_list(t, made, 0) : (uint8_t)before;
}

sz_status sz_kt_lines_from_program(const sz_kt_program *p, sz_kt_lines *out) {
    translator t = {.p = p, .lines = out};
    sz_buf made = {0};
    out->n = 0;
    SZ_TRY(sz_kt_eval(p, &made));
    unsigned output = translate(&t, (const uint8_t *)(made.data ? made.data : ""), p->n);
    sz_buf_free(&made);
    SZ_TRY(t.status);
    sz_kt_lines_prune(out, output);
    return SZ_OK;
}
