/* kt_bench.c: how short programs get on many strings, and whether a model's proposals help. */
#include "kt_command.h"
#include "peers.h"
#include "signals.h"
#include "term.h"
#include "zip/propose.h"
#include <math.h>
#include <string.h>

typedef struct totals {
    size_t n_strings, n_right; /* a proposal made the string */
    double n_bytes, linear, program, all, without, script;
    double right_script, right_gzip; /* bits of the proposals that are right; of gzip there */
    double gzip_each;                /* bits; each string by itself */
    bool generated;
    sz_buf joined, failed; /* all strings; those that no proposal made */
    uint64_t peers[4];     /* bytes, of the joined strings */
    uint64_t failed_gzip;
} totals;

typedef struct bench {
    const sz_kt_settings *s;
    sz_engine engine;
    sz_proposer *proposer; /* NULL: none */
    totals t;
} bench;

static sz_status add_linear(const uint8_t *x, size_t n, totals *t) {
    sz_kt_program p;
    SZ_TRY(sz_kt_search(x, n, SZ_KT_LINEAR, &p));
    t->linear += (double)sz_kt_bits(&p);
    sz_kt_program_free(&p);
    return SZ_OK;
}

/* Bits of the shortest form, its byte included. */
static sz_status pack(const uint8_t *x, size_t n, const sz_kt_pack_options *o, double *bits,
                      sz_kt_packed *packed) {
    sz_buf out = {0}, again = {0};
    sz_kt_form form;
    sz_status status = sz_kt_pack(x, n, o, &out, packed);
    if (status == SZ_OK)
        status = sz_kt_unpack((const uint8_t *)out.data, out.len, UINT32_MAX, &again, NULL, &form);
    if (status == SZ_OK && (again.len != n || (n && memcmp(again.data, x, n) != 0)))
        status = sz_fail(SZ_E_STATE, "a program does not make its string");
    if (status == SZ_OK)
        *bits += 8 + (double)packed->bits[packed->form];
    sz_buf_free(&out);
    sz_buf_free(&again);
    return status;
}

/* The least price of the proposals that make x; infinity: none does. */
static double right_price(const sz_kt_pack_options *o, const uint8_t *x, size_t n) {
    double best = INFINITY, bits;
    for (size_t i = 0; i < o->n_scripts; i++) {
        sz_buf made = {0};
        if (sz_kt_script_run(o->scripts[i].s, o->scripts[i].n, false, &made, &bits) == SZ_OK &&
            made.len == n && memcmp(made.data, x, n) == 0 && bits < best)
            best = bits;
        sz_buf_free(&made);
    }
    return best;
}

static sz_status add_proposals(bench *b, const uint8_t *x, size_t n, sz_kt_pack_options *o,
                               uint64_t gzip) {
    totals *t = &b->t;
    SZ_TRY(sz_propose(b->proposer, x, n, b->s->seed + t->n_strings, &o->scripts, &o->n_scripts));
    double price = right_price(o, x, n);
    if (price < INFINITY) {
        t->n_right++;
        t->right_script += price;
        t->right_gzip += 8 * (double)gzip;
    } else {
        sz_buf_append(&t->failed, x, n);
    }
    return SZ_OK;
}

static sz_status add_string(bench *b, const uint8_t *x, size_t n) {
    totals *t = &b->t;
    sz_kt_pack_options o = {
        .size = sizeof o, .steps = b->s->steps, .restarts = b->s->restarts, .seed = b->s->seed};
    sz_kt_packed packed = {0};
    SZ_REQUIRE(!sz_interrupted(), SZ_E_CANCELLED, "interrupted");
    SZ_TRY(add_linear(x, n, t));
    SZ_TRY(pack(x, n, &o, &t->without, &packed));
    t->program += (double)packed.bits[SZ_KT_PROGRAM];
    uint64_t gzip = sz_peer_size(&sz_peers[0], x, n);
    t->gzip_each += 8 * (double)gzip;
    if (b->proposer && n > 0 && n <= SZ_PROPOSE_MOST) {
        SZ_TRY(add_proposals(b, x, n, &o, gzip));
        SZ_TRY(pack(x, n, &o, &t->all, &packed));
    } else if (b->proposer) {
        t->all += 8 + (double)packed.bits[packed.form];
    }
    sz_buf_append(&t->joined, x, n);
    t->n_strings++;
    t->n_bytes += (double)n;
    SZ_REQUIRE(!t->joined.failed && !t->failed.failed, SZ_E_NOMEM, "no memory for the strings");
    return SZ_OK;
}

/* ---- Strings --------------------------------------------------------------------------------- */

static sz_status add_generated(bench *b, uint64_t index) {
    sz_buf text = {0}, x = {0}, again = {0};
    double bits = 0;
    sz_status status = sz_kt_script_generate(b->s->seed, index, &text, &x);
    if (status == SZ_OK)
        status = sz_kt_script_run(text.data, text.len, false, &again, &bits);
    b->t.script += bits;
    if (status == SZ_OK)
        status = add_string(b, (const uint8_t *)x.data, x.len);
    sz_buf_free(&text);
    sz_buf_free(&x);
    sz_buf_free(&again);
    return status;
}

static sz_status add_all(bench *b) {
    const sz_kt_settings *s = b->s;
    sz_progress progress;
    sz_buf file = {0};
    sz_status status = SZ_OK;
    b->t.generated = !s->file;
    if (s->file)
        SZ_TRY(sz_cli_read(s->file, &file));
    uint64_t blocks = (file.len + s->length - 1) / s->length, n = s->file ? blocks : s->n;
    n = n < s->n ? n : s->n;
    sz_progress_begin(&progress, "strings", "", 0, n);
    for (uint64_t i = 0; i < n && status == SZ_OK; i++) {
        size_t at = (size_t)i * s->length, rest = file.len - at;
        status = s->file ? add_string(b, (const uint8_t *)file.data + at,
                                      rest < s->length ? rest : s->length)
                         : add_generated(b, i);
        sz_progress_update(&progress, i + 1);
    }
    sz_progress_end(&progress);
    sz_buf_free(&file);
    return status;
}

static void ask_peers(totals *t) {
    for (int i = 0; sz_peers[i].name && t->joined.len; i++)
        t->peers[i] = sz_peer_size(&sz_peers[i], t->joined.data, t->joined.len);
    if (t->failed.len)
        t->failed_gzip = sz_peer_size(&sz_peers[0], t->failed.data, t->failed.len);
}

/* ---- Telling --------------------------------------------------------------------------------- */

/* The paper's rate: right scripts, gzip of the rest joined, a bit for each string. */
static double paper_rate(const totals *t) {
    return (t->right_script + 8 * (double)t->failed_gzip + (double)t->n_strings) / (8 * t->n_bytes);
}

typedef struct row {
    const char *key, *text;
    double value;
    bool there;
} row;

static size_t rows_of(const bench *b, row *r) {
    static char names[4][40];
    const totals *t = &b->t;
    double raw = 8 * t->n_bytes;
    size_t n = 0;
    bool model = b->proposer != NULL, gzip = t->gzip_each > 0;
    r[n++] = (row){"linear", "shortest programs without interleaving", t->linear / raw, true};
    r[n++] = (row){"program", "shortest programs", t->program / raw, true};
    r[n++] = (row){"forms", "the shorter of all forms, 8 bits for which", t->without / raw, true};
    r[n++] = (row){"scripts", "the scripts that made them, at the uniform prior", t->script / raw,
                   t->generated};
    r[n++] = (row){"gzip_each", "gzip -9 of each string", t->gzip_each / raw, gzip};
    for (int i = 0; sz_peers[i].name; i++) {
        snprintf(names[i], sizeof names[i], "%s of all joined", sz_peers[i].name);
        r[n++] = (row){sz_peers[i].name, names[i], 8 * (double)t->peers[i] / raw, t->peers[i] > 0};
    }
    r[n++] =
        (row){"forms_with_model", "the shorter of all forms, with proposals", t->all / raw, model};
    r[n++] = (row){"accuracy", "strings that a proposal made",
                   (double)t->n_right / (double)t->n_strings, model};
    r[n++] = (row){"precision", "right scripts, share of gzip -9 of the same",
                   t->right_script / t->right_gzip, model && t->right_gzip > 0};
    r[n++] = (row){"rate", "the paper's compression rate", paper_rate(t),
                   model && (t->failed_gzip > 0 || t->failed.len == 0)};
    return n;
}

static void tell(const bench *b, sz_buf *out) {
    row rows[16];
    size_t n = rows_of(b, rows);
    if (b->s->json)
        sz_buf_printf(out, "{\"strings\":%zu,\"bytes\":%.0f", b->t.n_strings, b->t.n_bytes);
    else
        sz_buf_printf(out, "%zu strings, %.0f bytes; shares of the bytes:\n", b->t.n_strings,
                      b->t.n_bytes);
    for (size_t i = 0; i < n && b->t.n_bytes > 0; i++) {
        if (!rows[i].there)
            continue;
        if (b->s->json) {
            sz_buf_printf(out, ",\"%s\":", rows[i].key);
            sz_json_number(out, rows[i].value);
        } else {
            sz_buf_printf(out, "%8.4f  %s\n", rows[i].value, rows[i].text);
        }
    }
    sz_buf_puts(out, b->s->json ? "}\n" : "");
}

int sz_kt_bench(const sz_kt_settings *s) {
    bench b = {.s = s};
    sz_buf out = {0};
    sz_status status = SZ_OK;
    sz_catch_interrupts(NULL);
    if (s->engine.model)
        status = sz_engine_open(&s->engine, &b.engine);
    if (status == SZ_OK && s->engine.model)
        status = sz_proposer_new(b.engine.model, s->samples, &b.proposer);
    if (status == SZ_OK)
        status = add_all(&b);
    if (status == SZ_OK) {
        ask_peers(&b.t);
        tell(&b, &out);
    }
    int exit_status = status == SZ_OK ? sz_cli_print(&out) : sz_cli_error();
    sz_buf_free(&out);
    sz_buf_free(&b.t.joined);
    sz_buf_free(&b.t.failed);
    sz_proposer_free(b.proposer);
    sz_engine_close(&b.engine);
    return exit_status;
}
