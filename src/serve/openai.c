/* openai.c: what replies in the shape of OpenAI's API have in common. */
#include "api.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

void sz_form_begin(const sz_exchange *x, sz_form *f, const char *prefix) {
    uint8_t random[12];
    char hex[25];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        uint64_t now = sz_time_ns();
        memcpy(random, &now, sizeof now);
    }
    sz_hex(random, sizeof random, hex);
    snprintf(f->id, sizeof f->id, "%s%s", prefix, hex);
    snprintf(f->model, sizeof f->model, "%s", x->server->config.model_name);
    f->created = (int64_t)time(NULL);
}

void sz_put_head(sz_buf *b, const sz_job *j, const char *object) {
    sz_buf_printf(b, "{\"id\":\"%s\",\"object\":\"%s\",\"created\":%lld,\"model\":", j->form.id,
                  object, (long long)j->form.created);
    sz_json_quote(b, j->form.model, strlen(j->form.model));
    sz_buf_printf(b, ",\"system_fingerprint\":\"szilard-%s\"", sz_version());
}

void sz_put_usage(sz_buf *b, const sz_job *j) {
    size_t prompt = sz_job_n_prompt(j), drawn = sz_job_n_drawn(j);
    sz_buf_printf(b,
                  "{\"prompt_tokens\":%zu,\"completion_tokens\":%zu,\"total_tokens\":%zu,"
                  "\"prompt_tokens_details\":{\"cached_tokens\":%zu}}",
                  prompt, drawn, prompt + drawn, sz_job_n_cached(j));
}

void sz_put_finish(sz_buf *b, sz_finish finish) {
    static const char *const names[] = {"null",       "\"stop\"", "\"stop\"",
                                        "\"length\"", "\"stop\"", "\"stop\""};
    sz_buf_puts(b, names[finish]);
}

void sz_send_event(sz_job *j, sz_buf *b) {
    sz_buf event = {0};
    sz_buf_puts(&event, "data: ");
    sz_buf_append(&event, b->data, b->len);
    sz_buf_puts(&event, "\n\n");
    event.failed |= b->failed;
    sz_reply_append(j->reply, &event);
    sz_buf_free(&event);
    sz_buf_clear(b);
}

void sz_end_events(sz_job *j) {
    sz_buf done = {0};
    sz_buf_puts(&done, "[DONE]");
    sz_send_event(j, &done);
    sz_buf_free(&done);
    sz_reply_end(j->reply);
}

void sz_finish_events(sz_job *j, const char *object) {
    sz_buf b = {0};
    if (j->form.include_usage) {
        sz_put_head(&b, j, object);
        sz_buf_puts(&b, ",\"choices\":[],\"usage\":");
        sz_put_usage(&b, j);
        sz_buf_putc(&b, '}');
        sz_send_event(j, &b);
    }
    sz_buf_free(&b);
    sz_end_events(j);
}

void sz_finish_json(sz_job *j, sz_buf *text) {
    unsigned status = 200;
    if (text->failed) {
        sz_buf_free(text);
        status = 500;
        sz_put_error(text, SZ_SHAPE_OPENAI, status, "server_error", NULL, NULL, "out of memory");
    }
    sz_reply_whole(j->reply, status, "application/json", text);
}

void sz_fail_reply(sz_job *j, sz_status status, sz_shape shape) {
    unsigned http = status == SZ_E_CANCELLED && sz_job_cancelled(j) == SZ_CANCEL_LATE
                        ? 504
                        : sz_http_status(status);
    const char *kind = sz_error_kind(http);
    sz_buf b = {0};
    sz_put_error(&b, shape, http, kind, NULL, NULL, sz_last_error());
    if (j->reply->streamed) { /* only this thread begins streams */
        sz_send_event(j, &b);
        sz_reply_end(j->reply);
        sz_buf_free(&b);
    } else {
        sz_reply_whole(j->reply, http, "application/json", &b);
    }
}

/* {"token":..,"logprob":..,"bytes":[..]} without the closing brace. */
static void put_logprob(sz_buf *b, const sz_tokenizer *t, int32_t id, float log_probability) {
    sz_buf_puts(b, "{\"token\":");
    sz_put_piece(b, t, id);
    sz_buf_puts(b, ",\"logprob\":");
    sz_json_float(b, log_probability);
    sz_buf_puts(b, ",\"bytes\":");
    sz_put_piece_bytes(b, t, id);
}

void sz_put_logprobs(sz_buf *b, const sz_job *j, const sz_answer *a, size_t first, size_t last) {
    sz_buf_puts(b, "{\"content\":[");
    for (size_t i = first; i < last; i++) {
        const sz_token *t = &a->tokens[i].record;
        if (i > first)
            sz_buf_putc(b, ',');
        put_logprob(b, a->tokenizer, t->id, -t->surprisal);
        sz_buf_puts(b, ",\"top_logprobs\":[");
        for (uint32_t k = 0; k < j->form.n_logprobs; k++) {
            const sz_likely *l = &a->likely[i * a->n_top + k];
            if (l->id < 0)
                break;
            if (k)
                sz_buf_putc(b, ',');
            put_logprob(b, a->tokenizer, l->id, l->log_probability);
            sz_buf_putc(b, '}');
        }
        sz_buf_puts(b, "]}");
    }
    sz_buf_puts(b, "],\"refusal\":null}");
}
