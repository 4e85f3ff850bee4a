/* kt_lines.c: scripts as data: from a text and back, run, and coded. */
#include <string.h>

#include "code/kt_lines.h"
#include "code/ktl.h"

/* ---- From calls ------------------------------------------------------------------------------ */

static sz_status take_number(sz_kt_line *line, size_t i, char kind, int64_t value) {
    unsigned least, most;
    sz_kt_number_domain(kind, &least, &most);
    SZ_REQUIRE(value >= least && value <= most, SZ_E_UNSUPPORTED,
               "%lld has no code: numbers there are %u to %u", (long long)value, least, most);
    line->number[i] = (uint8_t)value;
    return SZ_OK;
}

static sz_status take_list(sz_kt_line *line, const sz_kt_list *l) {
    SZ_REQUIRE(l->n <= SZ_KT_MOST_ITEMS, SZ_E_UNSUPPORTED, "a list of %zu numbers has no code",
               l->n);
    line->n_list = (uint16_t)l->n;
    for (size_t i = 0; i < l->n; i++) {
        SZ_REQUIRE(l->v[i] >= 0 && l->v[i] <= 255, SZ_E_UNSUPPORTED, "%lld in a list has no code",
                   (long long)l->v[i]);
        line->list[i] = (uint8_t)l->v[i];
    }
    return SZ_OK;
}

sz_status sz_kt_lines_add(sz_kt_lines *l, size_t function, const sz_kt_argument *a,
                          const uint8_t *line_of) {
    const char *takes = sz_kt_function_at(function)->takes;
    SZ_REQUIRE(l->n < SZ_KT_MOST_CODED, SZ_E_UNSUPPORTED, "more than %d lines have no code",
               SZ_KT_MOST_CODED);
    sz_kt_line *line = &l->line[l->n];
    size_t from = 0, number = 0;
    *line = (sz_kt_line){.function = (uint8_t)function};
    for (size_t i = 0; takes[i]; i++)
        if (takes[i] == 'S')
            line->from[from++] = line_of[a[i].sequence];
        else if (takes[i] == 'P')
            line->predicate = (uint8_t)a[i].predicate;
        else if (takes[i] == 'L')
            SZ_TRY(take_list(line, &a[i].list));
        else
            SZ_TRY(take_number(line, number++, takes[i], a[i].number));
    l->n++;
    return SZ_OK;
}

static unsigned n_from(const sz_kt_line *line) {
    unsigned n = 0;
    for (const char *c = sz_kt_function_at(line->function)->takes; *c; c++)
        n += *c == 'S';
    return n;
}

void sz_kt_lines_prune(sz_kt_lines *l, unsigned output) {
    bool used[SZ_KT_MOST_CODED] = {false};
    uint8_t now[SZ_KT_MOST_CODED];
    unsigned n = 0;
    used[output] = true;
    for (unsigned i = output + 1; i-- > 0;)
        for (unsigned k = 0; used[i] && k < n_from(&l->line[i]); k++)
            used[l->line[i].from[k]] = true;
    for (unsigned i = 0; i <= output; i++) {
        if (!used[i])
            continue;
        now[i] = (uint8_t)n;
        if (n != i)
            l->line[n] = l->line[i];
        for (unsigned k = 0; k < n_from(&l->line[n]); k++)
            l->line[n].from[k] = now[l->line[n].from[k]];
        n++;
    }
    l->n = n;
}

/* ---- Text and run ---------------------------------------------------------------------------- */

static void print_argument(const sz_kt_line *line, char kind, size_t *from, size_t *number,
                           sz_buf *text) {
    static const char *const predicates[] = {"is_even", "is_odd", "is_not_zero"};
    if (kind == 'S') {
        sz_buf_printf(text, "sequence_%u", line->from[(*from)++] + 1u);
    } else if (kind == 'P') {
        sz_buf_puts(text, predicates[line->predicate]);
    } else if (kind == 'L') {
        sz_buf_putc(text, '[');
        for (size_t i = 0; i < line->n_list; i++)
            sz_buf_printf(text, "%s%u", i ? ", " : "", line->list[i]);
        sz_buf_putc(text, ']');
    } else {
        sz_buf_printf(text, "%u", line->number[(*number)++]);
    }
}

void sz_kt_lines_print(const sz_kt_lines *l, sz_buf *text) {
    for (unsigned i = 0; i < l->n; i++) {
        const sz_kt_function *f = sz_kt_function_at(l->line[i].function);
        size_t from = 0, number = 0;
        sz_buf_printf(text, "sequence_%u = %s(", i + 1, f->name);
        for (size_t k = 0; f->takes[k]; k++) {
            sz_buf_puts(text, k ? ", " : "");
            print_argument(&l->line[i], f->takes[k], &from, &number, text);
        }
        sz_buf_puts(text, ")\n");
    }
    if (l->n)
        sz_buf_printf(text, "output = sequence_%u\n", l->n);
}

static sz_status run_line(const sz_kt_line *line, sz_kt_machine *m, unsigned into) {
    const sz_kt_function *f = sz_kt_function_at(line->function);
    sz_kt_argument a[3] = {0};
    size_t from = 0, number = 0;
    for (size_t k = 0; f->takes[k]; k++)
        if (f->takes[k] == 'S') {
            a[k].list = m->sequence[line->from[from++]];
        } else if (f->takes[k] == 'P') {
            a[k].predicate = line->predicate;
        } else if (f->takes[k] == 'L') {
            SZ_TRY(sz_kt_list_new(m, line->n_list, &a[k].list));
            for (size_t i = 0; i < line->n_list; i++)
                a[k].list.v[i] = line->list[i];
        } else {
            a[k].number = line->number[number++];
        }
    return f->call(m, a, &m->sequence[into]);
}

sz_status sz_kt_lines_run(const sz_kt_lines *l, sz_kt_machine *m, sz_kt_list *out) {
    sz_kt_machine_reset(m);
    for (unsigned i = 0; i < l->n; i++) {
        sz_status status = run_line(&l->line[i], m, i);
        if (status != SZ_OK)
            return sz_fail_within(status, "sequence_%u", i + 1);
    }
    *out = l->n ? m->sequence[l->n - 1] : (sz_kt_list){0};
    return SZ_OK;
}

/* ---- Code ------------------------------------------------------------------------------------ */

enum { N_CHOICES = SZ_KT_N_FUNCTIONS + 1 /* or the end */ };

double sz_kt_lines_bits(const sz_kt_lines *l) {
    double bits = sz_kt_log2(N_CHOICES);
    for (unsigned i = 0; i < l->n; i++) {
        bits += sz_kt_log2(N_CHOICES);
        for (const char *c = sz_kt_function_at(l->line[i].function)->takes; *c; c++)
            bits += *c == 'S'   ? sz_kt_log2(i)
                    : *c == 'P' ? sz_kt_log2(3)
                    : *c == 'L' ? sz_ktl_gamma(l->line[i].n_list + 1u) + 8 * l->line[i].n_list
                    : *c == 'V' ? 8
                    : *c == 'T' ? sz_kt_log2(20)
                                : 3;
    }
    return bits;
}

void sz_kt_lines_put(const sz_kt_lines *l, sz_range_encoder *e) {
    for (unsigned i = 0; i < l->n; i++) {
        const sz_kt_line *line = &l->line[i];
        size_t from = 0, number = 0;
        sz_range_encode_of(e, line->function, 1, N_CHOICES);
        for (const char *c = sz_kt_function_at(line->function)->takes; *c; c++) {
            unsigned least, most;
            sz_kt_number_domain(*c, &least, &most);
            if (*c == 'S')
                sz_range_encode_of(e, line->from[from++], 1, i);
            else if (*c == 'P')
                sz_range_encode_of(e, line->predicate, 1, 3);
            else if (*c == 'L')
                sz_kt_put_bytes(e, line->list, line->n_list);
            else
                sz_range_encode_of(e, line->number[number++] - least, 1, most - least + 1);
        }
    }
    sz_range_encode_of(e, SZ_KT_N_FUNCTIONS, 1, N_CHOICES);
}

static unsigned get_one_of(sz_range_decoder *d, unsigned n) {
    uint64_t place = sz_range_decode_place_of(d, n);
    sz_range_decode_of(d, place, 1, n);
    return (unsigned)place;
}

static sz_status get_line(sz_range_decoder *d, unsigned i, sz_kt_line *line) {
    size_t from = 0, number = 0, n_list = 0;
    for (const char *c = sz_kt_function_at(line->function)->takes; *c; c++) {
        unsigned least, most;
        sz_kt_number_domain(*c, &least, &most);
        SZ_REQUIRE(*c != 'S' || i > 0, SZ_E_FORMAT, "sequence_1 needs a sequence before it");
        if (*c == 'S') {
            line->from[from++] = (uint8_t)get_one_of(d, i);
        } else if (*c == 'P') {
            line->predicate = (uint8_t)get_one_of(d, 3);
        } else if (*c == 'L') {
            SZ_TRY(sz_kt_get_bytes(d, SZ_KT_MOST_ITEMS, line->list, &n_list));
            line->n_list = (uint16_t)n_list;
        } else {
            line->number[number++] = (uint8_t)(get_one_of(d, most - least + 1) + least);
        }
    }
    return SZ_OK;
}

sz_status sz_kt_lines_get(sz_range_decoder *d, sz_kt_lines *out) {
    out->n = 0;
    for (unsigned f; (f = get_one_of(d, N_CHOICES)) < SZ_KT_N_FUNCTIONS; out->n++) {
        SZ_REQUIRE(out->n < SZ_KT_MOST_CODED, SZ_E_FORMAT, "a script has more than %d lines",
                   SZ_KT_MOST_CODED);
        out->line[out->n] = (sz_kt_line){.function = (uint8_t)f};
        SZ_TRY(get_line(d, out->n, &out->line[out->n]));
    }
    return SZ_OK;
}
