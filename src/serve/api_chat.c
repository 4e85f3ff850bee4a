/* api_chat.c: POST /v1/chat/completions. */
#include "chat.h"

#include <string.h>

static void put_choice_extras(sz_buf *b, const sz_job *j, const sz_choice *c, size_t first,
                              size_t last) {
    sz_buf_puts(b, ",\"logprobs\":");
    if (j->form.logprobs)
        sz_put_logprobs(b, j, &c->answer, first, last);
    else
        sz_buf_puts(b, "null");
    sz_put_choice_szilard(b, j, c, first, last);
}

/* ---- A stream ----------------------------------------------------------------------------------
 */

/* The account of all comes with the chunk that ends the last choice. */
static void put_chunk_end(sz_buf *b, const sz_job *j, const sz_choice *c) {
    sz_buf_puts(b, "}]");
    if (j->form.include_usage)
        sz_buf_puts(b, ",\"usage\":null");
    if (c->finish != SZ_FINISH_NONE && j->n_open == 1)
        sz_put_reply_szilard(b, j);
    sz_buf_putc(b, '}');
}

static void put_text(sz_buf *b, const char *key, const sz_buf *text) {
    sz_buf_printf(b, "\"%s\":", key);
    sz_json_quote(b, text->data ? text->data : "", text->len);
    b->failed |= text->failed;
}

static void put_delta(sz_buf *b, sz_job *j, sz_choice *c, bool *has_calls) {
    sz_chat *own = j->form.own;
    sz_said said = {0};
    sz_chat_take(j, c, &said);
    *has_calls = said.calls.len > 0;
    sz_buf_puts(b, own->begun[c->index] ? "" : "\"role\":\"assistant\",");
    own->begun[c->index] = true;
    put_text(b, "content", &said.text);
    if (said.thought.len) {
        sz_buf_putc(b, ',');
        put_text(b, "reasoning_content", &said.thought);
    }
    if (*has_calls) {
        sz_buf_puts(b, ",\"tool_calls\":");
        sz_buf_append(b, said.calls.data, said.calls.len);
    }
    sz_said_free(&said);
}

static void send_chunk(sz_job *j, sz_choice *c, size_t first, size_t last) {
    sz_buf b = {0};
    bool has_calls;
    sz_put_head(&b, j, "chat.completion.chunk");
    sz_buf_printf(&b, ",\"choices\":[{\"index\":%u,\"delta\":{", c->index);
    put_delta(&b, j, c, &has_calls);
    sz_buf_puts(&b, "},\"finish_reason\":");
    if (has_calls)
        sz_buf_puts(&b, "\"tool_calls\"");
    else
        sz_put_finish(&b, c->finish);
    put_choice_extras(&b, j, c, first, last);
    put_chunk_end(&b, j, c);
    sz_send_event(j, &b);
    sz_buf_free(&b);
}

static void told(sz_job *j, sz_choice *c) {
    size_t from, first;
    if (!j->form.stream)
        return;
    bool more = sz_answer_tell(&c->answer, &from, &first);
    if (!more && c->finish == SZ_FINISH_NONE)
        return;
    sz_reply_stream(j->reply, "text/event-stream; charset=utf-8");
    send_chunk(j, c, first, c->answer.n_told_tokens);
}

/* ---- A whole reply -----------------------------------------------------------------------------
 */

static void put_choice(sz_buf *b, sz_job *j, sz_choice *c) {
    sz_said said = {0};
    size_t from, first;
    sz_answer_tell(&c->answer, &from, &first);
    sz_chat_take(j, c, &said);
    bool has_calls = said.calls.len > 0;
    sz_buf_printf(b, "{\"index\":%u,\"message\":{\"role\":\"assistant\",", c->index);
    if (has_calls && said.text.len == 0)
        sz_buf_puts(b, "\"content\":null");
    else
        put_text(b, "content", &said.text);
    if (said.thought.len) {
        sz_buf_putc(b, ',');
        put_text(b, "reasoning_content", &said.thought);
    }
    if (has_calls) {
        sz_buf_puts(b, ",\"tool_calls\":");
        sz_buf_append(b, said.calls.data, said.calls.len);
    }
    sz_buf_puts(b, "},\"finish_reason\":");
    if (has_calls)
        sz_buf_puts(b, "\"tool_calls\"");
    else
        sz_put_finish(b, c->finish);
    put_choice_extras(b, j, c, 0, c->answer.n_told_tokens);
    sz_buf_putc(b, '}');
    sz_said_free(&said);
}

static void finish_whole(sz_job *j) {
    sz_buf b = {0};
    sz_put_head(&b, j, "chat.completion");
    sz_buf_puts(&b, ",\"choices\":[");
    for (uint32_t i = 0; i < j->ask.n_choices; i++) {
        if (i)
            sz_buf_putc(&b, ',');
        put_choice(&b, j, &j->choices[i]);
    }
    sz_buf_puts(&b, "],\"usage\":");
    sz_put_usage(&b, j);
    sz_put_reply_szilard(&b, j);
    sz_buf_putc(&b, '}');
    sz_finish_json(j, &b);
}

static void finish(sz_job *j, sz_status status) {
    if (status != SZ_OK)
        sz_fail_reply(j, status, SZ_SHAPE_OPENAI);
    else if (j->form.stream)
        sz_finish_events(j, "chat.completion.chunk");
    else
        finish_whole(j);
}

static const sz_format format = {told, finish};

void sz_api_chat(sz_exchange *x) {
    sz_exchange_generate(x, &format, NULL, sz_chat_read);
}
