/* request_chain.c: the samplers that a request asks for, as a chain; and the grammar before them.
 */
#include "api.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Members by name, in the order of their stages. A value of `off` leaves a stage out; NAN: it is
 * there where the request names it. The defaults are those of `szilard run`. */
static const struct stage {
    const char *member, *sampler;
    double value, off, min, max;
} stages[] = {
    {"top_n_sigma", "top-n-sigma", NAN, NAN, 0, 100},
    {"top_k", "top-k", 40, 0, -1, 1e9},
    {"typical_p", "typical", 1, 1, 0, 1},
    {"top_p", "top-p", 0.95, 1, 0, 1},
    {"min_p", "min-p", 0.05, 0, 0, 1},
    {"temperature", "temperature", 0.8, NAN, 0, 100},
    {"top_h", "top-h", 1, 1, 1e-6, 1},
};

/* Plain decimals, as the grammar of options wants them. */
static void put_value(sz_buf *b, const char *before, double v) {
    char text[64];
    int n = snprintf(text, sizeof text, "%.9f", v);
    while (n > 0 && text[n - 1] == '0')
        n--;
    if (n > 0 && text[n - 1] == '.')
        n--;
    sz_buf_printf(b, "%s%.*s", before, n, text);
}

static void put_comma(sz_buf *b) {
    if (b->len)
        sz_buf_puts(b, ", ");
}

/* {"15043": -100, ...} */
static sz_status put_logit_bias(sz_reader *r, sz_buf *b) {
    const sz_json *map = NULL;
    SZ_TRY(sz_read_object(r, "logit_bias", &map));
    for (const sz_json *c = map ? map->u.child : NULL; c; c = c->next) {
        char *end;
        long id = strtol(c->key, &end, 10);
        double v = c->type == SZ_JSON_INT ? (double)c->u.i : c->u.f;
        if (*end || end == c->key || id < 0 || id > INT32_MAX ||
            (c->type != SZ_JSON_INT && c->type != SZ_JSON_FLOAT) || !(fabs(v) <= 100))
            return sz_read_fail(r, "logit_bias",
                                "is not an object of numbers from -100 to 100 by "
                                "token ids");
        put_comma(b);
        sz_buf_printf(b, "logit-bias id=%ld", id);
        put_value(b, " bias=", v <= -100 ? -1e9 : v); /* -100 bans, as the API says */
    }
    return SZ_OK;
}

static sz_status put_penalties(sz_reader *r, sz_buf *b) {
    double repeat = 1, frequency = 0, presence = 0, last = 64;
    SZ_TRY(sz_read_real(r, "repeat_penalty", 0.01, 100, &repeat));
    SZ_TRY(sz_read_real(r, "repetition_penalty", 0.01, 100, &repeat));
    SZ_TRY(sz_read_real(r, "frequency_penalty", -100, 100, &frequency));
    SZ_TRY(sz_read_real(r, "presence_penalty", -100, 100, &presence));
    SZ_TRY(sz_read_real(r, "repeat_last_n", -1, 1e9, &last));
    if (repeat == 1 && frequency == 0 && presence == 0)
        return SZ_OK;
    put_comma(b);
    put_value(b, "penalties repeat=", repeat);
    put_value(b, " frequency=", frequency);
    put_value(b, " presence=", presence);
    put_value(b, " last=", last < 0 ? 1e9 : floor(last));
    return SZ_OK;
}

static sz_status put_stages(sz_reader *r, sz_buf *b) {
    double values[sizeof stages / sizeof *stages], temperature = 0;
    size_t n = sizeof stages / sizeof *stages;
    for (size_t i = 0; i < n; i++) {
        const struct stage *s = &stages[i];
        values[i] = s->value;
        SZ_TRY(sz_read_real(r, s->member, s->min, s->max, &values[i]));
        temperature = strcmp(s->member, "temperature") == 0 ? values[i] : temperature;
    }
    for (size_t i = 0; i < n; i++) {
        const struct stage *s = &stages[i];
        bool is_temperature = strcmp(s->member, "temperature") == 0;
        bool off = isnan(values[i]) || values[i] == s->off ||
                   (strcmp(s->member, "top_k") == 0 && values[i] < 1);
        if (off || (temperature == 0 && !is_temperature)) /* greedy: nothing to truncate */
            continue;
        put_comma(b);
        sz_buf_puts(b, s->sampler);
        put_value(b, " ", values[i]);
    }
    return SZ_OK;
}

/* Either `sampler`, a whole chain in the grammar of the command, or the single members. */
static sz_status put_chain(sz_reader *r, sz_buf *b) {
    const char *chain = NULL;
    SZ_TRY(sz_read_text(r, "sampler", &chain));
    SZ_TRY(put_logit_bias(r, b));
    if (chain) {
        put_comma(b);
        sz_buf_puts(b, chain);
        return SZ_OK;
    }
    SZ_TRY(put_penalties(r, b));
    return put_stages(r, b);
}

/* ---- Grammars ----------------------------------------------------------------------------------
 */

static sz_status any_json(sz_grammar **out) {
    static const sz_json object = {.type = SZ_JSON_OBJECT};
    static const sz_json type = {
        .type = SZ_JSON_STRING, .n = 6, .u.s = "object", .key = "type", .key_n = 4};
    sz_json schema = object, member = type;
    schema.n = 1;
    schema.u.child = &member;
    return sz_grammar_from_schema(&schema, out);
}

static sz_status from_response_format(sz_reader *r, const sz_json *format, sz_grammar **out) {
    sz_reader own = {.object = format};
    const char *type = NULL;
    const sz_json *schema = NULL, *outer = NULL;
    if (sz_read_text(&own, "type", &type) != SZ_OK || !type)
        return sz_read_fail(r, "response_format", "has no type");
    if (strcmp(type, "text") == 0)
        return SZ_OK;
    if (strcmp(type, "json_object") != 0 && strcmp(type, "json_schema") != 0)
        return sz_read_fail(r, "response_format",
                            "has the type '%.40s', not text, json_object or json_schema", type);
    SZ_TRY(sz_read_object(&own, "json_schema", &outer));
    SZ_TRY(sz_read_object(&own, "schema", &schema));
    if (outer && !schema) {
        own.object = outer;
        SZ_TRY(sz_read_object(&own, "schema", &schema));
    }
    if (schema)
        return sz_grammar_from_schema(schema, out);
    if (strcmp(type, "json_schema") == 0)
        return sz_read_fail(r, "response_format", "has no json_schema.schema");
    return any_json(out);
}

/* *out NULL: the request names no grammar. */
static sz_status make_grammar(sz_reader *r, sz_grammar **out) {
    const char *gbnf = NULL, *regex = NULL;
    const sz_json *schema = NULL, *format = NULL;
    *out = NULL;
    SZ_TRY(sz_read_text(r, "grammar", &gbnf));
    SZ_TRY(sz_read_text(r, "regex", &regex));
    SZ_TRY(sz_read_object(r, "json_schema", &schema));
    SZ_TRY(sz_read_object(r, "response_format", &format));
    r->at_fault = gbnf     ? "grammar"
                  : regex  ? "regex"
                  : schema ? "json_schema"
                  : format ? "response_format"
                           : "tool_choice";
    sz_status status = SZ_OK;
    if (gbnf && gbnf[0])
        status = sz_grammar_parse(gbnf, strlen(gbnf), out);
    else if (regex)
        status = sz_grammar_from_regex(regex, strlen(regex), out);
    else if (schema)
        status = sz_grammar_from_schema(schema, out);
    else if (format)
        status = from_response_format(r, format, out);
    else
        status = sz_tool_grammar(r, out);
    return status == SZ_OK ? SZ_OK : sz_fail_within(status, "'%s'", r->at_fault);
}

/* ---- Chains ------------------------------------------------------------------------------------
 */

static sz_status make_chain(sz_reader *r, const sz_model *m, const char *text, sz_chain **out) {
    sz_grammar *grammar;
    sz_chain *chain = NULL;
    SZ_TRY(make_grammar(r, &grammar));
    r->at_fault = NULL;
    sz_status status = sz_chain_new(&chain);
    if (status == SZ_OK && grammar)
        status = sz_chain_add_grammar(chain, m, grammar); /* which it owns from here on */
    else
        sz_grammar_free(grammar);
    if (status == SZ_OK) {
        r->at_fault = "sampler";
        status = sz_chain_extend(chain, text);
    }
    if (status != SZ_OK) {
        sz_chain_free(chain);
        return status;
    }
    *out = chain;
    return SZ_OK;
}

sz_status sz_request_set_chains(sz_exchange *x, sz_reader *r, sz_job *j) {
    sz_buf text = {0};
    sz_status status = put_chain(r, &text);
    if (status == SZ_OK && text.failed)
        status = sz_fail(SZ_E_NOMEM, "no memory for the samplers");
    for (size_t i = 0; i < j->n_parts && status == SZ_OK; i++)
        status = make_chain(r, j->model, text.data ? text.data : "", &j->parts[i].chain);
    sz_buf_free(&text);
    return status;
}
