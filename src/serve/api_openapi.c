/* api_openapi.c: GET /openapi.json: the endpoints in the words of OpenAPI 3.1, from the table of
 * routes, with the members of the requests that generate text. */
#include "api.h"

#include <string.h>

/* A member of a request: its name, its schema as JSON, and the endpoints that take it, by a part of
 * their path; the first that fits counts. */
static const struct member {
    const char *paths, *name, *schema, *what;
} members[] = {
    {"/v1/chat/completions /tokenize /apply-template /api/chat /v1/messages", "messages",
     "{\"type\":\"array\",\"items\":{\"type\":\"object\"}}", "the conversation"},
    {"/v1/completions", "prompt", "{\"type\":[\"string\",\"array\"]}",
     "a text, an array of ids, or an array of either"},
    {"/v1/completions", "echo", "{\"type\":\"boolean\"}", "the prompt is part of the text"},
    {"/v1/completions", "suffix", "{\"type\":\"string\"}",
     "what follows the text that is asked for"},
    {"/v1/completions", "logprobs", "{\"type\":[\"integer\",\"boolean\",\"null\"],\"maximum\":20}",
     "log-probabilities, and the likeliest tokens"},
    {"/v1/chat/completions", "logprobs", "{\"type\":\"boolean\"}", "log-probabilities"},
    {"/v1/chat/completions", "top_logprobs", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":20}",
     "the likeliest tokens at each place"},
    {"/v1/chat/completions /v1/messages /v1/responses /api/chat /apply-template", "tools",
     "{\"type\":\"array\",\"items\":{\"type\":\"object\"}}", "functions that may be called"},
    {"/v1/chat/completions /v1/messages /v1/responses", "tool_choice",
     "{\"type\":[\"string\",\"object\"]}", "whether one may or must be called"},
    {"/v1/chat/completions", "response_format", "{\"type\":\"object\"}",
     "JSON, or JSON of a schema"},
    {"/v1/chat/completions", "chat_template_kwargs", "{\"type\":\"object\"}",
     "variables of the template"},
    {"/v1/responses", "input", "{\"type\":[\"string\",\"array\"]}", "a text or items"},
    {"/v1/responses", "instructions", "{\"type\":\"string\"}", "the system message"},
    {"/v1/responses", "max_output_tokens", "{\"type\":\"integer\"}", "of the answer"},
    {"/v1/messages", "system", "{\"type\":[\"string\",\"array\"]}", "the system message"},
    {"/v1/messages", "stop_sequences", "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}",
     "texts that end the answer"},
    {"/v1/embeddings /api/embed", "input", "{\"type\":[\"string\",\"array\"]}",
     "a text, ids, or an array of either"},
    {"/v1/embeddings /api/embed", "dimensions", "{\"type\":\"integer\",\"minimum\":1}",
     "how many numbers are kept"},
    {"/v1/embeddings", "encoding_format", "{\"enum\":[\"float\",\"base64\"]}", "of the vectors"},
    {"/v1/embeddings /api/embed", "pooling", "{\"enum\":[\"mean\",\"last\"]}",
     "of the hidden states"},
    {"/tokenize", "content", "{\"type\":\"string\"}", "the text"},
    {"/tokenize", "with_pieces", "{\"type\":\"boolean\"}", "with the text of each token"},
    {"/tokenize", "add_special", "{\"type\":\"boolean\"}", "with the token that begins a text"},
    {"/tokenize", "parse_special", "{\"type\":\"boolean\"}", "control tokens in the text count"},
    {"/detokenize", "tokens", "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}", "the ids"},
    {"/infill", "input_prefix", "{\"type\":\"string\"}", "what stands before"},
    {"/infill", "input_suffix", "{\"type\":\"string\"}", "what stands behind"},
    {"/infill", "n_predict", "{\"type\":\"integer\"}", "tokens of the answer"},
    {"/api/chat /api/generate", "options", "{\"type\":\"object\"}", "limits and samplers"},
    {"/api/chat /api/generate", "format", "{\"type\":[\"string\",\"object\"]}",
     "\"json\" or a schema"},
    {"/api/generate", "prompt", "{\"type\":\"string\"}", "the question"},
    {"/api/generate", "system", "{\"type\":\"string\"}", "the system message"},
    {"/api/generate", "raw", "{\"type\":\"boolean\"}", "a text that goes on, without a template"},
    /* those of all that generate text in OpenAI's words */
    {"/completions /infill", "n", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":128}",
     "choices"},
    {"/completions /infill", "stop", "{\"type\":[\"string\",\"array\"]}",
     "texts that end the answer"},
    {"/completions /v1/messages", "max_tokens", "{\"type\":\"integer\",\"minimum\":-1}",
     "of the answer; -1: to the end of the context"},
    {"/completions", "stream_options", "{\"type\":\"object\"}", "include_usage"},
    {"/completions /infill", "logit_bias", "{\"type\":\"object\"}", "numbers by token ids"},
    {"/completions /infill", "frequency_penalty", "{\"type\":\"number\"}", "for each time seen"},
    {"/completions /infill", "presence_penalty", "{\"type\":\"number\"}", "for being seen"},
    {"/completions /infill", "repeat_penalty", "{\"type\":\"number\"}", "divides logits"},
    {"/completions /infill", "repeat_last_n", "{\"type\":\"integer\"}", "tokens looked back at"},
    {"/completions /infill", "ignore_eos", "{\"type\":\"boolean\"}", "the text goes on"},
    {"/completions /infill", "typical_p", "{\"type\":\"number\"}", "typical sampling"},
    {"/completions /infill", "top_n_sigma", "{\"type\":\"number\"}", "top-n-sigma"},
    {"/completions /infill", "top_h", "{\"type\":\"number\"}", "top-H"},
    {"/completions /infill", "grammar", "{\"type\":\"string\"}", "in GBNF"},
    {"/completions /infill", "regex", "{\"type\":\"string\"}", "that the answer matches"},
    {"/completions /infill", "json_schema", "{\"type\":\"object\"}", "that the answer follows"},
    {"/completions /infill /v1/messages /v1/responses", "temperature",
     "{\"type\":\"number\",\"minimum\":0,\"default\":0.8}", "0 takes the likeliest token"},
    {"/completions /infill /v1/messages /v1/responses", "top_p",
     "{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0.95}", "nucleus"},
    {"/completions /infill /v1/messages /v1/responses", "top_k",
     "{\"type\":\"integer\",\"default\":40}", "the likeliest k"},
    {"/completions /infill /v1/messages /v1/responses", "min_p",
     "{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0.05}",
     "relative to the likeliest"},
    {"/completions /infill /v1/messages /v1/responses /api/", "sampler", "{\"type\":\"string\"}",
     "a whole chain, as of the command"},
    {"/completions /infill /v1/messages /v1/responses", "seed", "{\"type\":\"integer\"}",
     "the same seed gives the same answer"},
    {"/completions /infill /v1/messages /v1/responses /api/chat /api/generate", "stream",
     "{\"type\":\"boolean\"}", "the answer comes while it is made"},
    {"/completions /infill /v1/messages /v1/responses /api/chat /api/generate", "szilard",
     "{\"type\":[\"boolean\",\"object\"]}", "the information account of the answer"},
    {"/v1 /api /tokenize", "model", "{\"type\":\"string\"}", "the one that is served"},
};

/* Whether one of the words of `paths` is a part of the path. */
static bool fits(const char *paths, const char *path) {
    while (*paths) {
        size_t n = strcspn(paths, " ");
        if (memmem(path, strlen(path), paths, n))
            return true;
        paths += n + strspn(paths + n, " ");
    }
    return false;
}

/* Members of the same name before this one. */
static bool is_first(const struct member *m, const char *path) {
    for (const struct member *before = members; before < m; before++)
        if (strcmp(before->name, m->name) == 0 && fits(before->paths, path))
            return false;
    return true;
}

static void put_body(sz_buf *b, const char *path) {
    bool any = false;
    sz_buf_puts(b,
                ",\"requestBody\":{\"required\":true,\"content\":{\"application/json\":{\"schema\":"
                "{\"type\":\"object\",\"properties\":{");
    for (const struct member *m = members; m < members + sizeof members / sizeof *members; m++) {
        if (!fits(m->paths, path) || !is_first(m, path))
            continue;
        sz_buf_printf(b, "%s\"%s\":{\"description\":", any ? "," : "", m->name);
        sz_json_quote(b, m->what, strlen(m->what));
        sz_buf_printf(b, ",%s", m->schema + 1); /* the schema's own members follow */
        any = true;
    }
    sz_buf_puts(b, "}}}}}");
}

static void put_operation(sz_buf *b, const sz_route *r) {
    sz_buf_printf(b, "\"%s\":{\"summary\":", r->method[0] == 'P' ? "post" : "get");
    sz_json_quote(b, r->what, strlen(r->what));
    if (r->method[0] == 'P')
        put_body(b, r->path);
    if (!r->open)
        sz_buf_puts(b, ",\"security\":[{},{\"key\":[]}]");
    sz_buf_puts(b, ",\"responses\":{\"200\":{\"description\":\"the answer\"},\"default\":"
                   "{\"description\":\"an error in the API's own shape\"}}}");
}

/* "/page/{name}" for "/page/" and anything. */
static void put_path(sz_buf *b, const sz_route *r) {
    size_t n = strcspn(r->path, "*");
    sz_buf_printf(b, "\"%.*s%s\":{", (int)n, r->path, r->path[n] ? "{name}" : "");
    if (r->path[n])
        sz_buf_puts(b, "\"parameters\":[{\"name\":\"name\",\"in\":\"path\",\"required\":true,"
                       "\"schema\":{\"type\":\"string\"}}],");
}

void sz_api_openapi(sz_exchange *x) {
    sz_buf b = {0};
    sz_buf_printf(&b,
                  "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Szilard\",\"version\":\"%s\"},"
                  "\"components\":{\"securitySchemes\":{\"key\":{\"type\":\"http\",\"scheme\":"
                  "\"bearer\"}}},\"paths\":{",
                  sz_version());
    for (const sz_route *r = sz_routes; r->path; r++) {
        sz_buf_puts(&b, r > sz_routes ? "," : "");
        put_path(&b, r);
        put_operation(&b, r);
        sz_buf_putc(&b, '}');
    }
    sz_buf_puts(&b, "}}");
    sz_answer_json(x, 200, &b);
}
