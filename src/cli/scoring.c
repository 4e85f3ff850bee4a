/* scoring.c: options, input and passes of the commands that score a given text. */
#include "scoring.h"
#include "ids.h"
#include <string.h>
#include <szilard/unstable/num.h>

enum { OPT_KV_TYPE = 300, OPT_CHUNK, OPT_IDS, OPT_SPECIAL, OPT_JSON };

static const struct argp_option options[] = {
    {"ids", OPT_IDS, NULL, 0,
     "The input is a JSON array of token ids in place of text; nothing is added to it", 2},
    {"special", OPT_SPECIAL, NULL, 0, "Parse control tokens in the text", 2},
    {"json", OPT_JSON, NULL, 0, "Print JSON", 2},
    {NULL, 0, NULL, 0, "Memory:", 3},
    {"context", 'c', "N", 0, "Tokens of context", 3},
    {"chunk", OPT_CHUNK, "N", 0,
     "Tokens computed per pass; default: 512, fewer for large vocabularies. It changes memory and "
     "speed, never a result",
     3},
    {"kv-type", OPT_KV_TYPE, "f16|f32|q8_0", 0,
     "Storage type of keys and values; default: f32, so that what is measured is the model", 3},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    sz_scoring *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->engine;
        o->kv_type = SZ_KV_F32;
        return 0;
    case OPT_IDS:
        o->ids = true;
        return 0;
    case OPT_SPECIAL:
        o->special = true;
        return 0;
    case OPT_JSON:
        o->json = true;
        return 0;
    case 'c':
        o->context = (uint32_t)sz_cli_int(state, "--context", arg, 3, 1 << 30);
        return 0;
    case OPT_CHUNK:
        o->chunk = (uint32_t)sz_cli_int(state, "--chunk", arg, 1, 1 << 20);
        return 0;
    case OPT_KV_TYPE:
        o->kv_type = (sz_kv_type)sz_cli_choice(state, "--kv-type", arg, sz_kv_choices);
        return 0;
    case ARGP_KEY_ARG:
        if (o->file)
            argp_error(state, "'%s' is left over: one text at a time", arg);
        o->file = arg;
        return 0;
    case ARGP_KEY_END:
        if (!o->engine.model)
            argp_error(state, "no model given: name one with -m, such as -m smollm2");
        if (o->ids && o->special)
            argp_error(state, "--special is for text: ids hold control tokens as they are");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&sz_argp_engine, 0, NULL, 0}, {0}};
const struct argp sz_argp_scoring = {options, parse, NULL, NULL, children, NULL, NULL};

const char *sz_scoring_source(const sz_scoring *o) {
    return o->file && strcmp(o->file, "-") != 0 ? o->file : "standard input";
}

/* ---- Opening --------------------------------------------------------------------------------- */

static sz_status read_ids(const sz_scoring *o, sz_scorer *s, const sz_buf *text) {
    const char *source = sz_scoring_source(o);
    if (o->ids)
        return sz_ids_parse(source, text->data, text->len, s->info.n_vocab, &s->ids, &s->n);
    unsigned flags = SZ_TOKENIZE_BOS | (o->special ? SZ_TOKENIZE_CONTROL : 0);
    sz_status status = sz_tokenizer_encode(sz_model_tokenizer(s->engine.model), text->data,
                                           text->len, flags, &s->ids, &s->n);
    return status == SZ_OK ? SZ_OK : sz_fail_within(status, "%s", source);
}

sz_status sz_scorer_open(const sz_scoring *o, sz_scorer *out) {
    sz_buf text = {0};
    *out = (sz_scorer){0};
    SZ_TRY(sz_engine_open(&o->engine, &out->engine));
    sz_model_get_info(out->engine.model, &out->info);
    sz_status status = sz_cli_read(o->file, &text);
    if (status == SZ_OK)
        status = read_ids(o, out, &text);
    sz_buf_free(&text);
    SZ_TRY(status);
    SZ_REQUIRE(out->n > 0, SZ_E_ARG, "%s: there is nothing to score: no token",
               sz_scoring_source(o));
    return SZ_OK;
}

/* So many that the logits of a pass take at most 128 MB. */
static uint32_t default_chunk(uint32_t n_vocab) {
    uint32_t fits = (1u << 25) / n_vocab;
    return fits >= 512 ? 512 : fits < 16 ? 16 : fits / 16 * 16;
}

sz_status sz_scorer_begin(sz_scorer *s, const sz_scoring *o, uint32_t context) {
    s->chunk = o->chunk ? o->chunk : default_chunk(s->info.n_vocab);
    sz_session_config config = {.size = sizeof config,
                                .context = context,
                                .n_sequences = 1,
                                .chunk = s->chunk,
                                .kv_type = o->kv_type};
    SZ_TRY(sz_session_new(s->engine.model, &config, &s->session));
    s->meter = sz_energy_meter_begin();
    return SZ_OK;
}

void sz_scorer_close(sz_scorer *s) {
    sz_energy_meter_close(s->meter);
    sz_session_free(s->session);
    sz_free(s->ids);
    sz_engine_close(&s->engine);
    *s = (sz_scorer){0};
}

/* ---- Passes ---------------------------------------------------------------------------------- */

sz_status sz_scorer_pass(sz_scorer *s, const int32_t *ids, size_t n, sz_want want, size_t *done) {
    sz_span span = {.ids = ids, .n = n < s->chunk ? (uint32_t)n : s->chunk, .want = want};
    uint64_t start = sz_time_ns();
    SZ_TRY(sz_session_forward(s->session, &span, 1));
    s->compute_ns += sz_time_ns() - start;
    s->n_computed += span.n;
    if (s->meter)
        sz_energy_meter_poll(s->meter);
    *done = span.n;
    return SZ_OK;
}

double sz_scorer_rate(const sz_scorer *s) {
    return s->compute_ns ? (double)s->n_computed / ((double)s->compute_ns * 1e-9) : 0;
}

sz_energy sz_scorer_energy(const sz_scorer *s) {
    sz_energy e = {.source = SZ_ENERGY_NONE};
    if (s->meter)
        sz_energy_meter_read(s->meter, &e);
    return e;
}

void sz_scorer_put_machine(const sz_scorer *s, sz_buf *b) {
    const char *separator = "";
    sz_buf_printf(b, "\"isa\":\"%s\",\"threads\":%d,\"products\":{", sz_runtime_isa(s->engine.rt),
                  sz_runtime_threads(s->engine.rt));
    for (const char *const *isa = sz_isa_available(); *isa; isa++, separator = ",")
        sz_buf_printf(b, "%s\"%s\":%llu", separator, *isa,
                      (unsigned long long)sz_isa_products(*isa));
    sz_buf_putc(b, '}');
}
