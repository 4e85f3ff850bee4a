/* api_props.c: GET /props: what the server was set to. */
#include "api.h"

#include <szilard/unstable/sampler.h>

#include <string.h>

static void put_option(sz_buf *b, const sz_option *o, bool first) {
    sz_buf_puts(b, first ? "{\"name\":" : ",{\"name\":");
    sz_json_quote(b, o->name, strlen(o->name));
    sz_buf_puts(b, ",\"help\":");
    sz_json_quote(b, o->help, strlen(o->help));
    sz_buf_puts(b, ",\"default\":");
    if (o->text)
        sz_json_quote(b, o->text, strlen(o->text));
    else
        sz_json_number(b, o->value);
    if (!o->text) {
        sz_buf_puts(b, ",\"min\":");
        sz_json_number(b, o->min);
        sz_buf_puts(b, ",\"max\":");
        sz_json_number(b, o->max);
        sz_buf_printf(b, ",\"whole\":%s", o->whole ? "true" : "false");
    }
    if (o->words) {
        sz_buf_puts(b, ",\"words\":");
        sz_json_quote(b, o->words, strlen(o->words));
    }
    sz_buf_putc(b, '}');
}

/* From the samplers' own tables. */
static void put_samplers(sz_buf *b) {
    sz_buf_puts(b, ",\"samplers\":[");
    for (const sz_sampler_kind *const *k = sz_sampler_kinds(); *k; k++) {
        sz_buf_puts(b, k == sz_sampler_kinds() ? "{\"name\":" : ",{\"name\":");
        sz_json_quote(b, (*k)->name, strlen((*k)->name));
        sz_buf_puts(b, ",\"help\":");
        sz_json_quote(b, (*k)->help, strlen((*k)->help));
        sz_buf_puts(b, ",\"options\":[");
        for (const sz_option *o = (*k)->options; o && o->name; o++)
            put_option(b, o, o == (*k)->options);
        sz_buf_puts(b, "]}");
    }
    sz_buf_putc(b, ']');
}

static void put_endpoints(sz_buf *b) {
    sz_buf_puts(b, ",\"endpoints\":[");
    for (const sz_route *r = sz_routes; r->path; r++) {
        sz_buf_printf(b, "%s{\"method\":\"%s\",\"path\":\"%s\",\"what\":", r > sz_routes ? "," : "",
                      r->method, r->path);
        sz_json_quote(b, r->what, strlen(r->what));
        sz_buf_putc(b, '}');
    }
    sz_buf_putc(b, ']');
}

void sz_api_props(sz_exchange *x) {
    const sz_server *s = x->server;
    sz_model_info info;
    sz_buf b = {0};
    sz_model_get_info(s->model, &info);
    sz_buf_printf(&b, "{\"version\":\"%s\",\"model\":", sz_version());
    sz_json_quote(&b, s->config.model_name, strlen(s->config.model_name));
    sz_buf_puts(&b, ",\"model_path\":"); /* the file's name; where it lies is nobody's business */
    const char *base = strrchr(s->config.model_path, '/');
    base = base ? base + 1 : s->config.model_path;
    sz_json_quote(&b, base, strlen(base));
    sz_buf_puts(&b, ",\"architecture\":");
    sz_json_quote(&b, info.architecture, strlen(info.architecture));
    sz_buf_printf(&b, ",\"total_slots\":%u,\"n_ctx\":%u,\"n_vocab\":%u,\"max_tokens\":%u",
                  sz_batcher_slots(s->batcher), sz_batcher_context(s->batcher), info.n_vocab,
                  s->config.max_tokens);
    sz_buf_printf(&b, ",\"has_chat_template\":%s", sz_model_template(s->model) ? "true" : "false");
    sz_buf_puts(&b, ",\"default_sampler\":\"top-k 40, top-p 0.95, min-p 0.05, temperature 0.8\"");
    put_samplers(&b);
    put_endpoints(&b);
    sz_buf_putc(&b, '}');
    sz_answer_json(x, 200, &b);
}
