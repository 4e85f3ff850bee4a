/* stages.c: what each sampler of a chain did, as text and as JSON. */
#include "stages.h"
#include <math.h>
#include <string.h>

static void put_number(sz_buf *b, const char *key, double v) {
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_number(b, v);
}

void sz_stages_put_json(sz_buf *b, const sz_chain *chain) {
    sz_buf_puts(b, ",\"stages\":[");
    for (size_t i = 0; chain && i < sz_chain_length(chain); i++) {
        const sz_stage_account *a = sz_chain_account(chain, i);
        sz_buf_printf(b, "%s{\"sampler\":\"%s\",\"kept_n\":%zu", i ? "," : "", a->sampler,
                      a->kept_n);
        put_number(b, "kept_mass", a->kept_mass);
        put_number(b, "entropy_nats", a->entropy);
        for (size_t j = 0; j < a->n_notes; j++)
            put_number(b, a->notes[j].name, a->notes[j].value);
        sz_buf_puts(b, "}");
    }
    sz_buf_puts(b, "]");
}

/* "budget_nats" becomes "budget 1.234" in the unit of the screen. */
static void put_note(sz_buf *b, const char *name, double v, sz_unit unit) {
    const char *suffix = strstr(name, "_nats");
    size_t n = suffix ? (size_t)(suffix - name) : strlen(name);
    sz_buf_puts(b, ", ");
    for (size_t i = 0; i < n; i++)
        sz_buf_putc(b, name[i] == '_' ? ' ' : name[i]);
    sz_buf_printf(b, " %.4g", suffix ? sz_unit_convert(v, unit) : v);
}

void sz_stages_put(sz_buf *b, const sz_chain *chain, size_t n_vocab, sz_unit unit,
                   const char *indent) {
    size_t before = n_vocab;
    double mass = 1;
    for (size_t i = 0; chain && i < sz_chain_length(chain); i++) {
        const sz_stage_account *a = sz_chain_account(chain, i);
        double removed = mass - a->kept_mass > 0 ? mass - a->kept_mass : 0;
        sz_buf_printf(b, "%s %-14s keeps %zu of %zu, removes mass %.4f; entropy %.3f %s", indent,
                      a->sampler, a->kept_n, before, removed, sz_unit_convert(a->entropy, unit),
                      sz_unit_name(unit));
        for (size_t j = 0; j < a->n_notes; j++)
            put_note(b, a->notes[j].name, a->notes[j].value, unit);
        sz_buf_putc(b, '\n');
        before = a->kept_n;
        mass = a->kept_mass;
    }
}
