/* api_chat.c: POST /v1/chat/completions. */
#include "api.h"
#include "parts.h"

#include <stdio.h>
#include <string.h>

/* What a reply holds of each choice, beside the answer itself. */
typedef struct chat {
    sz_text_parts *parts; /* [n_choices] */
    bool *greeted;        /* the role was told */
} chat;

static void free_chat(void *own) {
    chat *c = own;
    sz_free(c->parts);
    sz_free(c->greeted);
    sz_free(c);
}

static sz_status begin_chat(sz_job *j, bool in_thought) {
    size_t n = j->ask.n_choices;
    chat *c = sz_calloc(1, sizeof *c);
    SZ_REQUIRE(c, SZ_E_NOMEM, "no memory for a reply");
    j->form.own = c;
    j->form.free_own = free_chat;
    c->parts = sz_calloc(n, sizeof *c->parts);
    c->greeted = sz_calloc(n, sizeof *c->greeted);
    SZ_REQUIRE(c->parts && c->greeted, SZ_E_NOMEM, "no memory for a reply");
    for (size_t i = 0; i < n; i++)
        c->parts[i] = (sz_text_parts){.thoughts = true,
                                      .calls = j->form.parse_tools,
                                      .phase = in_thought ? SZ_PHASE_THOUGHT : SZ_PHASE_TEXT,
                                      .skip_space = in_thought};
    return SZ_OK;
}

/* ---- Parts of a reply --------------------------------------------------------------------------
 */

static void put_text(sz_buf *b, const char *key, const sz_buf *text) {
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_quote(b, text->data ? text->data : "", text->len);
    b->failed |= text->failed;
}

/* Calls that cannot be read are text. */
static bool put_calls(sz_buf *b, const sz_job *j, const sz_choice *c, sz_buf *said, bool index) {
    const sz_text_parts *p = &((const chat *)j->form.own)->parts[c->index];
    const sz_answer *a = &c->answer;
    if (p->phase != SZ_PHASE_CALLS)
        return false;
    sz_buf calls = {0};
    const char *from = a->text.data + p->calls_from;
    size_t n = a->n_certain - p->calls_from;
    char id[48];
    snprintf(id, sizeof id, "%s_%u", j->form.id + strlen("chatcmpl-"), c->index);
    bool found = sz_text_calls(from, n, id, index, &calls) > 0;
    if (found) {
        sz_buf_puts(b, ",\"tool_calls\":");
        sz_buf_append(b, calls.data, calls.len);
    } else {
        sz_buf_append(said, from, n);
    }
    sz_buf_free(&calls);
    return found;
}

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

static void put_delta(sz_buf *b, sz_job *j, sz_choice *c, bool *has_calls) {
    chat *own = j->form.own;
    sz_text_parts *p = &own->parts[c->index];
    sz_buf said = {0}, thought = {0}, calls = {0};
    bool last = c->finish != SZ_FINISH_NONE;
    sz_text_split(p, c->answer.text.data, c->answer.n_certain, last, &said, &thought);
    *has_calls = last && put_calls(&calls, j, c, &said, true);
    sz_buf_puts(b, own->greeted[c->index] ? "" : "\"role\":\"assistant\",");
    own->greeted[c->index] = true;
    sz_buf_puts(b, "\"content\":");
    sz_json_quote(b, said.data ? said.data : "", said.len);
    if (thought.len)
        put_text(b, "reasoning_content", &thought);
    sz_buf_append(b, calls.data, calls.len);
    b->failed |= said.failed || thought.failed || calls.failed;
    sz_buf_free(&said);
    sz_buf_free(&thought);
    sz_buf_free(&calls);
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
    sz_text_parts *p = &((chat *)j->form.own)->parts[c->index];
    sz_buf said = {0}, thought = {0}, calls = {0};
    size_t from, first;
    sz_answer_tell(&c->answer, &from, &first);
    sz_text_split(p, c->answer.text.data, c->answer.n_certain, true, &said, &thought);
    bool has_calls = put_calls(&calls, j, c, &said, false);
    sz_buf_printf(b, "{\"index\":%u,\"message\":{\"role\":\"assistant\"", c->index);
    if (has_calls && said.len == 0)
        sz_buf_puts(b, ",\"content\":null");
    else
        put_text(b, "content", &said);
    if (thought.len)
        put_text(b, "reasoning_content", &thought);
    sz_buf_append(b, calls.data, calls.len);
    sz_buf_puts(b, "},\"finish_reason\":");
    if (has_calls)
        sz_buf_puts(b, "\"tool_calls\"");
    else
        sz_put_finish(b, c->finish);
    put_choice_extras(b, j, c, 0, c->answer.n_told_tokens);
    sz_buf_putc(b, '}');
    sz_buf_free(&said);
    sz_buf_free(&thought);
    sz_buf_free(&calls);
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

/* ---- The request -------------------------------------------------------------------------------
 */

static sz_status read_logprobs(sz_reader *r, sz_job *j) {
    int64_t n = 0;
    SZ_TRY(sz_read_bool(r, "logprobs", &j->form.logprobs));
    SZ_TRY(sz_read_int(r, "top_logprobs", 0, 20, &n));
    if (n > 0 && !j->form.logprobs)
        return sz_read_fail(r, "top_logprobs", "needs 'logprobs' to be true");
    j->form.n_logprobs = (uint32_t)n;
    if (n > j->ask.n_top)
        j->ask.n_top = (uint32_t)n;
    return SZ_OK;
}

static sz_status read_options(sz_reader *r, sz_job *j) {
    const sz_json *tools = NULL;
    SZ_TRY(sz_request_read_stream_options(r, j));
    SZ_TRY(sz_read_array(r, "tools", &tools));
    j->form.parse_tools = tools && tools->n > 0;
    return SZ_OK;
}

static bool ends_in_thought(const sz_buf *prompt) {
    static const char mark[] = "<think>";
    size_t n = prompt->len, m = sizeof mark - 1;
    while (n > 0 && strchr(" \t\r\n", prompt->data[n - 1]))
        n--;
    return n >= m && memcmp(prompt->data + n - m, mark, m) == 0;
}

static sz_status set_prompt(sz_exchange *x, sz_reader *r, sz_job *j) {
    sz_buf text = {0};
    sz_status status = sz_prompt_from_messages(x, r, &text);
    if (status == SZ_OK)
        status = sz_job_set_prompts(j, 1);
    if (status == SZ_OK)
        status = begin_chat(j, ends_in_thought(&text));
    if (status == SZ_OK)
        status = sz_prompt_ids(j->model, text.data ? text.data : "", text.len, &j->parts[0].ids,
                               &j->parts[0].n_ids);
    sz_buf_free(&text);
    return status;
}

static sz_status read_request(sz_exchange *x, sz_reader *r, sz_job *j) {
    sz_form_begin(x, &j->form, "chatcmpl-");
    SZ_TRY(sz_request_read(x, r, j));
    SZ_TRY(read_logprobs(r, j));
    SZ_TRY(read_options(r, j));
    SZ_TRY(set_prompt(x, r, j));
    SZ_TRY(sz_request_set_chains(x, r, j));
    sz_request_bound_tokens(x, j);
    return SZ_OK;
}

void sz_api_chat(sz_exchange *x) {
    sz_exchange_generate(x, &format, read_request);
}
