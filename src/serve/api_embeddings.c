/* api_embeddings.c: POST /v1/embeddings: hidden states of a text after the last norm, pooled, of
 * length one. */
#include "api.h"

#include <math.h>
#include <string.h>

enum { MOST_INPUTS = 2048 };

typedef struct embeddings {
    bool base64;
    uint32_t n_dims;
} embeddings;

static void free_embeddings(void *own) {
    sz_free(own);
}

static void put_base64(sz_buf *b, const uint8_t *bytes, size_t n) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)bytes[i] << 16 | (i + 1 < n ? (uint32_t)bytes[i + 1] << 8 : 0) |
                     (i + 2 < n ? bytes[i + 2] : 0);
        sz_buf_putc(b, digits[v >> 18]);
        sz_buf_putc(b, digits[v >> 12 & 63]);
        sz_buf_putc(b, i + 1 < n ? digits[v >> 6 & 63] : '=');
        sz_buf_putc(b, i + 2 < n ? digits[v & 63] : '=');
    }
}

static void normalise(float *v, size_t n) {
    double squares = 0.0;
    for (size_t i = 0; i < n; i++)
        squares += (double)v[i] * (double)v[i];
    for (size_t i = 0; i < n && squares > 0.0; i++)
        v[i] = (float)((double)v[i] / sqrt(squares));
}

static void put_vector(sz_buf *b, const embeddings *own, float *v) {
    normalise(v, own->n_dims);
    if (own->base64) {
        sz_buf_putc(b, '"');
        put_base64(b, (const uint8_t *)v, own->n_dims * sizeof *v);
        sz_buf_putc(b, '"');
        return;
    }
    sz_buf_putc(b, '[');
    for (uint32_t i = 0; i < own->n_dims; i++) {
        sz_buf_puts(b, i ? "," : "");
        sz_json_float(b, v[i]);
    }
    sz_buf_putc(b, ']');
}

static void told(sz_job *j, sz_choice *c) {}

static void finish(sz_job *j, sz_status status) {
    sz_buf b = {0};
    if (status != SZ_OK) {
        sz_fail_reply(j, status, SZ_SHAPE_OPENAI);
        return;
    }
    sz_buf_puts(&b, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < j->n_parts; i++) {
        sz_buf_printf(&b, "%s{\"object\":\"embedding\",\"index\":%zu,\"embedding\":", i ? "," : "",
                      i);
        put_vector(&b, j->form.own, j->parts[i].pooled);
        sz_buf_putc(&b, '}');
    }
    sz_buf_puts(&b, "],\"model\":");
    sz_json_quote(&b, j->form.model, strlen(j->form.model));
    sz_buf_printf(&b, ",\"usage\":{\"prompt_tokens\":%zu,\"total_tokens\":%zu}}",
                  sz_job_n_prompt(j), sz_job_n_prompt(j));
    sz_finish_json(j, &b);
}

/* As ollama words it. */
static void finish_ollama(sz_job *j, sz_status status) {
    sz_buf b = {0};
    if (status != SZ_OK) {
        sz_fail_reply(j, status, SZ_SHAPE_OLLAMA);
        return;
    }
    sz_buf_puts(&b, "{\"model\":");
    sz_json_quote(&b, j->form.model, strlen(j->form.model));
    sz_buf_puts(&b, ",\"embeddings\":[");
    for (size_t i = 0; i < j->n_parts; i++) {
        sz_buf_puts(&b, i ? "," : "");
        put_vector(&b, j->form.own, j->parts[i].pooled);
    }
    sz_buf_printf(&b, "],\"total_duration\":%llu,\"load_duration\":0,\"prompt_eval_count\":%zu}",
                  (unsigned long long)(sz_time_ns() - j->arrived_ns), sz_job_n_prompt(j));
    sz_finish_json(j, &b);
}

static const sz_format format = {told, finish};
static const sz_format format_ollama = {told, finish_ollama};

static sz_status read_pooling(sz_reader *r, sz_pooling *out) {
    const char *name = "mean";
    SZ_TRY(sz_read_text(r, "pooling", &name));
    if (strcmp(name, "mean") != 0 && strcmp(name, "last") != 0)
        return sz_read_fail(r, "pooling", "is '%.40s', not mean or last", name);
    *out = name[0] == 'm' ? SZ_POOLING_MEAN : SZ_POOLING_LAST;
    return SZ_OK;
}

static sz_status read_request(sz_exchange *x, sz_reader *r, sz_job *j) {
    sz_model_info info;
    const char *encoding = "float";
    embeddings *own = sz_calloc(1, sizeof *own);
    SZ_REQUIRE(own, SZ_E_NOMEM, "no memory for a reply");
    j->form.own = own;
    j->form.free_own = free_embeddings;
    sz_model_get_info(j->model, &info);
    int64_t n_dims = info.n_embd;
    sz_form_begin(x, &j->form, "embd-");
    SZ_TRY(sz_request_check_model(x, r));
    SZ_TRY(sz_read_text(r, "encoding_format", &encoding));
    if (strcmp(encoding, "float") != 0 && strcmp(encoding, "base64") != 0)
        return sz_read_fail(r, "encoding_format", "is '%.40s', not float or base64", encoding);
    SZ_TRY(sz_read_int(r, "dimensions", 1, info.n_embd, &n_dims));
    own->base64 = encoding[0] == 'b';
    own->n_dims = (uint32_t)n_dims;
    SZ_TRY(read_pooling(r, &j->ask.pooling));
    return sz_request_read_prompts(r, "input", MOST_INPUTS, j);
}

void sz_api_embeddings(sz_exchange *x) {
    sz_exchange_generate(x, &format, NULL, read_request);
}

void sz_api_ollama_embed(sz_exchange *x) {
    sz_exchange_generate(x, &format_ollama, NULL, read_request);
}
