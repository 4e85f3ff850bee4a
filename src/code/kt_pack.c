/* kt_pack.c: the shortest form of a string: stored, a program, or a script. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "code/kt_anneal.h"
#include "code/ktl.h"

enum { MOST_ANNEALED = 256, RESTARTS = 8 };

const char *sz_kt_form_name(sz_kt_form form) {
    static const char *const names[SZ_KT_N_FORMS] = {"stored", "program", "alphabet", "script"};
    return (unsigned)form < SZ_KT_N_FORMS ? names[form] : NULL;
}

/* What is being packed, and the shortest so far. */
typedef struct packer {
    const uint8_t *x; /* [n] */
    size_t n;
    const sz_kt_pack_options *options;
    sz_kt_packed packed;
    sz_buf best;
} packer;

static sz_status offer(packer *p, sz_kt_form form, uint64_t bits, const sz_buf *code) {
    SZ_REQUIRE(!code->failed, SZ_E_NOMEM, "no memory for a code");
    if (p->packed.bits[form] == 0 || bits < p->packed.bits[form])
        p->packed.bits[form] = bits;
    if (bits >= p->packed.bits[p->packed.form])
        return SZ_OK;
    sz_buf_clear(&p->best);
    sz_buf_append(&p->best, code->data, code->len);
    SZ_REQUIRE(!p->best.failed, SZ_E_NOMEM, "no memory for a code");
    p->packed.form = form;
    return SZ_OK;
}

static sz_status offer_program(packer *p, sz_kt_form form, sz_kt_program *program) {
    sz_buf code = {0};
    sz_status status = sz_kt_encode(program, &code);
    if (status == SZ_OK)
        status = offer(p, form, sz_kt_bits(program), &code);
    sz_buf_free(&code);
    return status;
}

static sz_status offer_script(packer *p, const sz_kt_lines *lines) {
    sz_buf code = {0};
    sz_status status = sz_kt_patched_encode(lines, p->x, p->n, &code);
    if (status == SZ_OK)
        status = offer(p, SZ_KT_SCRIPT, 8 * (uint64_t)code.len, &code);
    sz_buf_free(&code);
    return status;
}

/* ---- Scripts --------------------------------------------------------------------------------- */

/* The one that costs less stays in best. */
static void keep_cheaper(const packer *p, sz_kt_machine *m, const sz_kt_lines *lines,
                         sz_kt_lines *best, double *bits) {
    double cost = sz_kt_script_cost(lines, m, p->x, p->n);
    if (cost < *bits) {
        *bits = cost;
        *best = *lines;
    }
}

/* Lines that give the differences of the string, and their running sums. */
static sz_status summed(const packer *p, sz_kt_lines *out) {
    uint8_t step[MOST_ANNEALED];
    sz_kt_program program;
    for (size_t i = 0; i < p->n; i++)
        step[i] = (uint8_t)(p->x[i] - (i ? p->x[i - 1] : 0));
    SZ_TRY(sz_kt_search(step, p->n, SZ_KT_FULL, &program));
    sz_status status = sz_kt_lines_from_program(&program, out);
    sz_kt_program_free(&program);
    SZ_TRY(status);
    SZ_REQUIRE(out->n < SZ_KT_MOST_CODED, SZ_E_UNSUPPORTED, "too many lines");
    size_t scan = sz_kt_function_index(sz_kt_function_find("scan_add"));
    out->line[out->n] = (sz_kt_line){.function = (uint8_t)scan, .from = {(uint8_t)(out->n - 1)}};
    out->n++;
    return SZ_OK;
}

/* The proposals, and what the program and the differences give, as scripts; the cheapest. */
static sz_status choose_script(packer *p, const sz_kt_program *program, sz_kt_machine *m,
                               sz_kt_lines *best, double *bits) {
    const sz_kt_pack_options *o = p->options;
    sz_kt_lines *lines = sz_alloc(sizeof *lines);
    SZ_REQUIRE(lines, SZ_E_NOMEM, "no memory for a script");
    for (size_t i = 0; i < o->n_scripts; i++) {
        sz_kt_list made;
        if (sz_kt_lines_parse(o->scripts[i].s, o->scripts[i].n, lines) != SZ_OK)
            continue;
        keep_cheaper(p, m, lines, best, bits);
        p->packed.n_right +=
            sz_kt_lines_run(lines, m, &made) == SZ_OK && sz_kt_patch_bits(&made, p->x, p->n) <= 1;
    }
    if (o->steps > 0 && p->n <= MOST_ANNEALED) {
        if (sz_kt_lines_from_program(program, lines) == SZ_OK)
            keep_cheaper(p, m, lines, best, bits);
        if (p->n > 0 && summed(p, lines) == SZ_OK)
            keep_cheaper(p, m, lines, best, bits);
    }
    sz_free(lines);
    return SZ_OK;
}

static sz_status pack_script(packer *p, const sz_kt_program *program) {
    const sz_kt_pack_options *o = p->options;
    sz_kt_machine m;
    double bits = INFINITY;
    if (!o || (o->n_scripts == 0 && o->steps == 0))
        return SZ_OK;
    sz_kt_lines *best = sz_calloc(1, sizeof *best);
    SZ_REQUIRE(best, SZ_E_NOMEM, "no memory for a script");
    sz_status status = sz_kt_machine_open(&m);
    if (status == SZ_OK) {
        status = choose_script(p, program, &m, best, &bits);
        sz_kt_machine_close(&m);
    }
    if (status == SZ_OK && o->steps > 0 && p->n <= MOST_ANNEALED && best->n > 0)
        status = sz_kt_anneal(
            &(sz_kt_annealing){p->x, p->n, o->steps, o->restarts ? o->restarts : RESTARTS, o->seed},
            best, &bits);
    if (status == SZ_OK && best->n > 0 && bits < INFINITY)
        status = offer_script(p, best);
    sz_free(best);
    return status;
}

/* ---- Both ways ------------------------------------------------------------------------------- */

static sz_status pack_programs(packer *p) {
    sz_kt_program program;
    SZ_TRY(sz_kt_search(p->x, p->n, SZ_KT_FULL, &program));
    sz_status status = offer_program(p, SZ_KT_PROGRAM, &program);
    if (status == SZ_OK)
        status = pack_script(p, &program);
    sz_kt_program_free(&program);
    SZ_TRY(status);
    if (p->n == 0)
        return SZ_OK;
    SZ_TRY(sz_kt_search(p->x, p->n, SZ_KT_FULL | SZ_KT_ALPHABET, &program));
    status = offer_program(p, SZ_KT_WITH_ALPHABET, &program);
    sz_kt_program_free(&program);
    return status;
}

sz_status sz_kt_pack(const uint8_t *x, size_t n, const sz_kt_pack_options *options, sz_buf *out,
                     sz_kt_packed *packed) {
    packer p = {.x = x, .n = n, .options = options};
    p.packed.bits[SZ_KT_STORED] = 8 * (uint64_t)n;
    if (n)
        sz_buf_append(&p.best, x, n);
    sz_status status = pack_programs(&p);
    if (status == SZ_OK) {
        sz_buf_putc(out, (char)p.packed.form);
        sz_buf_append(out, p.best.data, p.best.len);
        *packed = p.packed;
        if (out->failed)
            status = sz_fail(SZ_E_NOMEM, "no memory for a code");
    }
    sz_buf_free(&p.best);
    return status;
}

static sz_status unpack_program(const uint8_t *code, size_t n, uint32_t most, sz_kt_form form,
                                sz_buf *out, sz_buf *text) {
    sz_kt_program p;
    uint64_t used;
    SZ_TRY((form == SZ_KT_PROGRAM ? sz_kt_decode : sz_kt_decode_alphabet)(code, 8 * (uint64_t)n,
                                                                          most, &p, &used));
    sz_status status = SZ_OK;
    if (n != (used + 7) / 8 || (used % 8 && code[n - 1] << used % 8 & 255))
        status = sz_fail(SZ_E_FORMAT, "something stands behind the program's end at bit %llu",
                         (unsigned long long)used);
    if (status == SZ_OK)
        status = sz_kt_eval(&p, out);
    if (status == SZ_OK && text)
        status = sz_kt_print(&p, text);
    sz_kt_program_free(&p);
    return status;
}

static sz_status unpack_lines(const uint8_t *code, size_t n, uint32_t most, sz_kt_lines *lines,
                              sz_buf *out, sz_buf *text) {
    sz_buf again = {0};
    size_t before = out->len;
    SZ_TRY(sz_kt_patched_decode(code, n, most, lines, out));
    const char *made = out->data ? out->data + before : "";
    sz_status status =
        sz_kt_patched_encode(lines, (const uint8_t *)made, out->len - before, &again);
    if (status == SZ_OK && (again.len != n || (n && memcmp(again.data, code, n) != 0))) {
        status = sz_fail(SZ_E_FORMAT, "the code is not that of a script");
        out->len = before;
    }
    sz_buf_free(&again);
    if (status == SZ_OK && text)
        sz_kt_lines_print(lines, text);
    return status;
}

static sz_status unpack_script(const uint8_t *code, size_t n, uint32_t most, sz_buf *out,
                               sz_buf *text) {
    sz_kt_lines *lines = sz_calloc(1, sizeof *lines);
    SZ_REQUIRE(lines, SZ_E_NOMEM, "no memory for a script");
    sz_status status = unpack_lines(code, n, most, lines, out, text);
    sz_free(lines);
    return status;
}

sz_status sz_kt_unpack(const uint8_t *bytes, size_t n, uint32_t most, sz_buf *out, sz_buf *text,
                       sz_kt_form *form) {
    SZ_REQUIRE(n > 0, SZ_E_FORMAT, "there is no program: the file is empty");
    SZ_REQUIRE(bytes[0] < SZ_KT_N_FORMS, SZ_E_FORMAT, "no form of a program has number %u",
               bytes[0]);
    sz_kt_form f = (sz_kt_form)bytes[0];
    if (f == SZ_KT_PROGRAM || f == SZ_KT_WITH_ALPHABET) {
        SZ_TRY(unpack_program(bytes + 1, n - 1, most, f, out, text));
    } else if (f == SZ_KT_SCRIPT) {
        SZ_TRY(unpack_script(bytes + 1, n - 1, most, out, text));
    } else {
        SZ_REQUIRE(n - 1 <= most, SZ_E_LIMIT, "%zu bytes are stored: at most %u are wanted", n - 1,
                   most);
        sz_buf_append(out, bytes + 1, n - 1);
        if (text)
            sz_buf_printf(text, "stored: %zu bytes\n", n - 1);
    }
    SZ_REQUIRE(!out->failed && (!text || !text->failed), SZ_E_NOMEM, "no memory for the output");
    *form = f;
    return SZ_OK;
}
