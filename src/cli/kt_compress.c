/* kt_compress.c: one string to its shortest form and back, and strings made by scripts. */
#include "hiding.h"
#include "kt_command.h"
#include "peers.h"
#include "zip/propose.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- Compressing ----------------------------------------------------------------------------- */

static sz_status propose(const sz_kt_settings *s, const sz_buf *x, sz_engine *engine,
                         sz_proposer **proposer, sz_kt_pack_options *options) {
    SZ_TRY(sz_engine_open(&s->engine, engine));
    SZ_TRY(sz_proposer_new(engine->model, s->samples, proposer));
    return sz_propose(*proposer, (const uint8_t *)x->data, x->len, s->seed, &options->scripts,
                      &options->n_scripts);
}

static sz_status pack(const sz_kt_settings *s, const sz_buf *x, sz_buf *out, sz_kt_packed *packed,
                      size_t *n_proposed) {
    sz_kt_pack_options options = {
        .size = sizeof options, .steps = s->steps, .restarts = s->restarts, .seed = s->seed};
    sz_engine engine = {0};
    sz_proposer *proposer = NULL;
    sz_status status = SZ_OK;
    if (s->engine.model && x->len > 0 && x->len <= SZ_PROPOSE_MOST)
        status = propose(s, x, &engine, &proposer, &options);
    if (status == SZ_OK)
        status =
            sz_kt_pack((const uint8_t *)(x->data ? x->data : ""), x->len, &options, out, packed);
    *n_proposed = options.n_scripts;
    sz_proposer_free(proposer);
    sz_engine_close(&engine);
    return status;
}

static double share(double bits, size_t n) {
    return n ? bits / (8 * (double)n) : 0;
}

static void tell_json(const sz_kt_settings *s, const sz_buf *x, const sz_kt_packed *p,
                      size_t n_proposed, size_t n_packed, const sz_buf *text, sz_buf *b) {
    sz_buf_printf(b, "{\"bytes\":%zu,\"packed\":%zu,\"form\":\"%s\",\"bits\":{", x->len, n_packed,
                  sz_kt_form_name(p->form));
    for (int f = 0, n = 0; f < SZ_KT_N_FORMS; f++)
        if (p->bits[f] || f == SZ_KT_STORED)
            sz_buf_printf(b, "%s\"%s\":%llu", n++ ? "," : "", sz_kt_form_name((sz_kt_form)f),
                          (unsigned long long)p->bits[f]);
    sz_buf_puts(b, "},\"peers\":{");
    for (int i = 0, n = 0; sz_peers[i].name; i++) {
        uint64_t size = sz_peer_size(&sz_peers[i], x->data, x->len);
        if (size)
            sz_buf_printf(b, "%s\"%s\":%llu", n++ ? "," : "", sz_peers[i].name,
                          (unsigned long long)size);
    }
    sz_buf_printf(b, "},\"proposed\":%zu,\"proposed_right\":%zu,\"program\":", n_proposed,
                  p->n_right);
    sz_json_quote(b, text->data ? text->data : "", text->len);
    sz_buf_puts(b, "}\n");
}

static void tell(const sz_kt_settings *s, const sz_buf *x, const sz_kt_packed *p, size_t n_proposed,
                 const sz_buf *text, sz_buf *b) {
    if (text->len)
        sz_buf_append(b, text->data, text->len);
    sz_buf_puts(b, "\n      bits  of raw\n");
    for (int f = 0; f < SZ_KT_N_FORMS; f++)
        if (p->bits[f] || f == SZ_KT_STORED)
            sz_buf_printf(b, "%10llu  %6.3f  %s%s\n", (unsigned long long)p->bits[f],
                          share((double)p->bits[f], x->len), sz_kt_form_name((sz_kt_form)f),
                          f == (int)p->form ? ": above" : "");
    for (int i = 0; sz_peers[i].name; i++) {
        uint64_t size = 8 * sz_peer_size(&sz_peers[i], x->data, x->len);
        if (size)
            sz_buf_printf(b, "%10llu  %6.3f  %s\n", (unsigned long long)size,
                          share((double)size, x->len), sz_peers[i].name);
    }
    if (s->engine.model)
        sz_buf_printf(b, "%zu scripts were proposed, %zu made these bytes\n", n_proposed,
                      p->n_right);
}

/* What is there already stays, but for -f. */
static sz_status write_file(const sz_kt_settings *s, const sz_buf *b) {
    bool to_file = s->output && strcmp(s->output, "-") != 0;
    SZ_REQUIRE(!to_file || s->force || access(s->output, F_OK) != 0, SZ_E_ARG,
               "%s is there already: -f overwrites it", s->output);
    return sz_hiding_write(&(sz_hiding_options){.out = s->output}, b->data ? b->data : "", b->len);
}

static sz_status read_input(const sz_kt_settings *s, sz_buf *x) {
    SZ_TRY(sz_cli_read(s->file, x));
    SZ_REQUIRE(x->len <= SZ_KT_MOST_FILE, SZ_E_LIMIT,
               "%zu bytes are too many for one program: at most %d; 'szilard zip -m kt' takes more",
               x->len, SZ_KT_MOST_FILE);
    return SZ_OK;
}

static sz_status compress(const sz_kt_settings *s, sz_buf *x, sz_buf *packed, sz_buf *text,
                          sz_buf *told) {
    sz_kt_packed p = {0};
    sz_kt_form form;
    sz_buf again = {0};
    size_t n_proposed;
    SZ_TRY(read_input(s, x));
    SZ_TRY(pack(s, x, packed, &p, &n_proposed));
    sz_status status = sz_kt_unpack((const uint8_t *)packed->data, packed->len, SZ_KT_MOST_FILE,
                                    &again, text, &form);
    if (status == SZ_OK && (again.len != x->len || (x->len && memcmp(again.data, x->data, x->len))))
        status = sz_fail(SZ_E_STATE, "the program does not make these bytes");
    sz_buf_free(&again);
    SZ_TRY(status);
    if (s->output)
        SZ_TRY(write_file(s, packed));
    if (s->output && strcmp(s->output, "-") == 0)
        return SZ_OK;
    if (s->json)
        tell_json(s, x, &p, n_proposed, packed->len, text, told);
    else
        tell(s, x, &p, n_proposed, text, told);
    return SZ_OK;
}

int sz_kt_compress(const sz_kt_settings *s) {
    sz_buf x = {0}, packed = {0}, text = {0}, told = {0};
    sz_status status = compress(s, &x, &packed, &text, &told);
    int exit_status = status == SZ_OK ? sz_cli_print(&told) : sz_cli_error();
    sz_buf_free(&x);
    sz_buf_free(&packed);
    sz_buf_free(&text);
    sz_buf_free(&told);
    return exit_status;
}

/* ---- Running --------------------------------------------------------------------------------- */

/* The forms of packed programs begin with a byte that no text has. */
static bool is_script(const sz_buf *b) {
    return b->len > 0 && (uint8_t)b->data[0] >= SZ_KT_N_FORMS;
}

static void put_shown(sz_buf *shown, const sz_buf *text, size_t n_bits, double bits) {
    sz_buf_append(shown, text->data, text->len);
    sz_buf_printf(shown, "%zu bytes, %.2f bits\n", n_bits, bits);
}

static sz_status run(const sz_kt_settings *s, sz_buf *program, sz_buf *out) {
    sz_buf made = {0}, text = {0};
    sz_kt_form form;
    double bits = 0;
    SZ_TRY(sz_cli_read(s->file, program));
    sz_status status;
    if (is_script(program)) {
        status = sz_kt_script_run(program->data, program->len, s->strict, &made, &bits);
        sz_buf_append(&text, program->data, program->len);
    } else {
        bits = 8.0 * (double)program->len;
        status = sz_kt_unpack((const uint8_t *)(program->data ? program->data : ""), program->len,
                              UINT32_MAX, &made, &text, &form);
    }
    if (status != SZ_OK)
        sz_fail_within(status, "%s", s->file ? s->file : "standard input");
    else if (s->show)
        put_shown(out, &text, made.len, bits);
    else if (made.len)
        sz_buf_append(out, made.data, made.len);
    sz_buf_free(&made);
    sz_buf_free(&text);
    return status;
}

int sz_kt_run(const sz_kt_settings *s) {
    sz_buf program = {0}, out = {0};
    sz_status status = run(s, &program, &out);
    if (status == SZ_OK)
        status = write_file(s, &out);
    int exit_status = status == SZ_OK ? SZ_EXIT_OK : sz_cli_error();
    sz_buf_free(&program);
    sz_buf_free(&out);
    return exit_status;
}

/* ---- Generating ------------------------------------------------------------------------------ */

static sz_status put_generated(const sz_kt_settings *s, uint64_t i, sz_buf *b) {
    sz_buf text = {0}, made = {0}, again = {0};
    double bits = 0;
    sz_status status = sz_kt_script_generate(s->seed, i, &text, &made);
    if (status == SZ_OK)
        status = sz_kt_script_run(text.data, text.len, s->strict, &again, &bits);
    if (status == SZ_OK) {
        sz_buf_printf(b, "{\"index\":%llu,\"script\":", (unsigned long long)i);
        sz_json_quote(b, text.data, text.len);
        sz_buf_puts(b, ",\"bits\":");
        sz_json_number(b, bits);
        sz_buf_puts(b, ",\"output\":[");
        for (size_t k = 0; k < made.len; k++)
            sz_buf_printf(b, "%s%u", k ? "," : "", (uint8_t)made.data[k]);
        sz_buf_puts(b, "]}\n");
    }
    sz_buf_free(&text);
    sz_buf_free(&made);
    sz_buf_free(&again);
    return status;
}

int sz_kt_generate(const sz_kt_settings *s) {
    sz_buf b = {0};
    sz_status status = SZ_OK;
    for (uint64_t i = 0; i < s->n && status == SZ_OK; i++) {
        status = put_generated(s, i, &b);
        if (status == SZ_OK)
            status = sz_cli_flush(&b);
    }
    sz_buf_free(&b);
    return status == SZ_OK ? SZ_EXIT_OK : sz_cli_error();
}
