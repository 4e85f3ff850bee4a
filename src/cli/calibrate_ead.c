/* calibrate_ead.c: the threshold of entropy adaptive decoding for a pair of models, from a text,
 * and what it would cost and save on this machine. */
#include "calibrate.h"
#include <math.h>
#include <string.h>
#include <szilard/unstable/router.h>

enum { PIECE = 512, CHUNK = 64, SINGLES = 8 };

/* ---- Reading the text with both models ------------------------------------------------------- */

typedef struct reading {
    int32_t *ids; /* [n_ids] */
    size_t n_ids, n;
    double *entropy[2];  /* [n] by role: of the tokens that have a predecessor in their piece */
    double surprisal[2]; /* sums */
    double many_s[2], single_s[2]; /* per token of a chunk, and of one alone */
} reading;

static sz_status read_text(const sz_calibration *s, const sz_engine *e, reading *r) {
    SZ_TRY(sz_calibration_read(s, e, &r->ids, &r->n_ids));
    SZ_REQUIRE(r->n_ids >= 16, SZ_E_ARG, "the text has %zu tokens, at least 16 are needed",
               r->n_ids);
    for (int role = 0; role < 2; role++) {
        r->entropy[role] = sz_alloc(r->n_ids * sizeof(double));
        SZ_REQUIRE(r->entropy[role], SZ_E_NOMEM, "out of memory for %zu tokens", r->n_ids);
    }
    return SZ_OK;
}

/* One piece, as a text of its own. */
static sz_status read_piece(sz_session *s, const int32_t *ids, size_t n, reading *r, int role,
                            size_t *at) {
    const sz_token *t;
    size_t n_records;
    SZ_TRY(sz_session_truncate(s, 0, 0));
    SZ_TRY(sz_session_prompt_ids(s, 0, ids, n));
    SZ_TRY(sz_session_records(s, 0, &t, &n_records));
    for (size_t i = 1; i < n_records; i++) {
        r->entropy[role][(*at)++] = (double)t[i].entropy;
        r->surprisal[role] += (double)t[i].surprisal;
    }
    return SZ_OK;
}

static sz_status time_singles(sz_session *s, const int32_t *ids, double *seconds) {
    SZ_TRY(sz_session_truncate(s, 0, SINGLES));
    uint64_t start = sz_time_ns();
    for (int i = 0; i < SINGLES; i++) {
        sz_span span = {0, ids + i, 1, SZ_LAST};
        SZ_TRY(sz_session_forward(s, &span, 1));
    }
    *seconds = (double)(sz_time_ns() - start) * 1e-9 / SINGLES;
    return SZ_OK;
}

static sz_status read_with(sz_model *m, reading *r, int role) {
    sz_session *s;
    sz_session_config config = {.size = sizeof config,
                                .context = PIECE,
                                .n_sequences = 1,
                                .chunk = CHUNK,
                                .score_prompts = true};
    SZ_TRY(sz_session_new(m, &config, &s));
    sz_status status = SZ_OK;
    size_t n = 0;
    uint64_t start = sz_time_ns();
    for (size_t at = 0; at < r->n_ids && status == SZ_OK; at += PIECE) {
        size_t left = r->n_ids - at;
        status = read_piece(s, r->ids + at, left < PIECE ? left : PIECE, r, role, &n);
    }
    r->many_s[role] = (double)(sz_time_ns() - start) * 1e-9 / (double)r->n_ids;
    if (status == SZ_OK && sz_session_length(s, 0) > SINGLES)
        status = time_singles(s, r->ids, &r->single_s[role]);
    else
        r->single_s[role] = NAN;
    sz_session_free(s);
    r->n = n;
    return status;
}

/* ---- What it comes to ------------------------------------------------------------------------ */

typedef struct outcome {
    sz_ead controller;
    bool small_signal;
    double hysteresis, fraction;
    double speed_up; /* over the large model alone, catching up included */
} outcome;

static double value_of(const sz_router_kind *kind, const double *values, const char *name) {
    for (size_t i = 0; kind->options[i].name; i++)
        if (strcmp(kind->options[i].name, name) == 0)
            return values[i];
    return NAN;
}

/* The controller that --router describes, but for its tau. */
static sz_status describe(const char *router, outcome *o) {
    const sz_router_kind *kind;
    sz_setting setting;
    double values[SZ_OPTIONS_MAX];
    SZ_TRY(sz_router_parse(router, &kind));
    SZ_TRY(sz_setting_read(&router, &setting));
    SZ_TRY(sz_setting_values(&setting, "router ead", kind->options, values));
    o->hysteresis = value_of(kind, values, "hysteresis");
    o->small_signal = value_of(kind, values, "small-signal") != 0;
    o->controller = (sz_ead){.tau_up = 1,
                             .tau_down = o->hysteresis,
                             .window = (uint32_t)value_of(kind, values, "window"),
                             .min_duration = (uint32_t)value_of(kind, values, "min")};
    if (value_of(kind, values, "start-large") != 0)
        o->controller.active = SZ_ROUTER_LARGE;
    return SZ_OK;
}

/* Each token is written by one model, and read by the other in a pass of many, sooner or later. */
static double speed_up(const reading *r, double f) {
    double both = f * (r->single_s[SZ_ROUTER_LARGE] + r->many_s[SZ_ROUTER_SMALL]) +
                  (1 - f) * (r->single_s[SZ_ROUTER_SMALL] + r->many_s[SZ_ROUTER_LARGE]);
    return r->single_s[SZ_ROUTER_LARGE] / both;
}

/* The share at which both together are as fast as the large model alone; NaN: none is, even of the
 * small model alone. */
static double break_even(const reading *r) {
    double gained =
        r->single_s[SZ_ROUTER_LARGE] - r->single_s[SZ_ROUTER_SMALL] - r->many_s[SZ_ROUTER_LARGE];
    return gained > 0 ? gained / (gained + r->many_s[SZ_ROUTER_SMALL]) : NAN;
}

static sz_status calibrate(const sz_calibration *s, const sz_engine *e, reading *r, outcome *o) {
    SZ_TRY(describe(s->routing.router, o));
    SZ_TRY(sz_router_check_pair(e->small, e->model));
    SZ_TRY(read_text(s, e, r));
    SZ_TRY(read_with(e->small, r, SZ_ROUTER_SMALL));
    SZ_TRY(read_with(e->model, r, SZ_ROUTER_LARGE));
    SZ_TRY(sz_ead_calibrate(&o->controller, r->entropy[SZ_ROUTER_SMALL],
                            r->entropy[SZ_ROUTER_LARGE], r->n, o->small_signal, s->fraction,
                            &o->fraction));
    o->speed_up = speed_up(r, o->fraction);
    return SZ_OK;
}

/* ---- Printing -------------------------------------------------------------------------------- */

static void put_router(sz_buf *b, const outcome *o) {
    const sz_ead *c = &o->controller;
    sz_buf_printf(b, "ead tau=%.6f window=%u min=%u", c->tau_up, c->window, c->min_duration);
    if (o->hysteresis != 1)
        sz_buf_printf(b, " hysteresis=%g", o->hysteresis);
    sz_buf_puts(b, o->small_signal ? " small-signal=1" : "");
}

static void put_text(sz_buf *b, const reading *r, const outcome *o) {
    put_router(b, o);
    sz_buf_printf(b,
                  "\n\nlarge model    writes %.1f %% of %zu tokens\n"
                  "surprisal      small %.3f, large %.3f nats per token\n"
                  "time per token small %.1f ms alone, %.1f among many; large %.1f and %.1f\n"
                  "speed          %.2f times the large model's, both reading all tokens\n",
                  100 * o->fraction, r->n, r->surprisal[0] / (double)r->n,
                  r->surprisal[1] / (double)r->n, 1e3 * r->single_s[0], 1e3 * r->many_s[0],
                  1e3 * r->single_s[1], 1e3 * r->many_s[1], o->speed_up);
    if (break_even(r) > 0)
        sz_buf_printf(b, "break-even     at %.0f %% by the large model\n", 100 * break_even(r));
    else
        sz_buf_puts(b,
                    "break-even     none: a token among many is hardly cheaper than one alone\n");
}

static void put_pair(sz_buf *b, const char *key, double small, double large) {
    sz_buf_printf(b, ",\"%s\":[", key);
    sz_json_number(b, small);
    sz_buf_putc(b, ',');
    sz_json_number(b, large);
    sz_buf_putc(b, ']');
}

static void put_json(sz_buf *b, const sz_engine *e, const reading *r, const outcome *o) {
    sz_model_info small, large;
    sz_model_get_info(e->small, &small);
    sz_model_get_info(e->model, &large);
    sz_buf_puts(b, "{\"router\":\"");
    put_router(b, o);
    sz_buf_puts(b, "\",\"tau_nats\":");
    sz_json_number(b, o->controller.tau_up);
    sz_buf_puts(b, ",\"large_fraction\":");
    sz_json_number(b, o->fraction);
    sz_buf_printf(b, ",\"tokens\":%zu,\"models\":[", r->n);
    sz_json_quote(b, small.name, strlen(small.name));
    sz_buf_putc(b, ',');
    sz_json_quote(b, large.name, strlen(large.name));
    sz_buf_putc(b, ']');
    put_pair(b, "surprisal_nats", r->surprisal[0] / (double)r->n, r->surprisal[1] / (double)r->n);
    put_pair(b, "seconds_alone", r->single_s[0], r->single_s[1]);
    put_pair(b, "seconds_among_many", r->many_s[0], r->many_s[1]);
    sz_buf_puts(b, ",\"speed_up\":");
    sz_json_number(b, o->speed_up);
    sz_buf_puts(b, ",\"break_even_fraction\":");
    sz_json_number(b, break_even(r));
    sz_buf_puts(b, "}\n");
}

int sz_calibrate_ead(sz_calibration *s) {
    sz_engine e = {0};
    reading r = {0};
    outcome o = {0};
    sz_buf b = {0};
    sz_status status = sz_engine_open(&s->engine, &e);
    if (status == SZ_OK)
        status = calibrate(s, &e, &r, &o);
    if (status == SZ_OK && s->json)
        put_json(&b, &e, &r, &o);
    else if (status == SZ_OK)
        put_text(&b, &r, &o);
    int exit_status = status == SZ_OK ? sz_cli_print(&b) : sz_cli_error();
    sz_free(r.ids);
    sz_free(r.entropy[0]);
    sz_free(r.entropy[1]);
    sz_engine_close(&e);
    return exit_status;
}
