/* chat.c: see chat.h. */
#include "chat.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void free_chat(void *own) {
    sz_chat *c = own;
    sz_free(c->parts);
    sz_free(c->begun);
    sz_buf_free(&c->thought);
    sz_buf_free(&c->said);
    sz_free(c);
}

static sz_status begin_chat(sz_job *j, bool in_thought) {
    size_t n = j->ask.n_choices;
    sz_chat *c = sz_calloc(1, sizeof *c);
    SZ_REQUIRE(c, SZ_E_NOMEM, "no memory for a reply");
    j->form.own = c;
    j->form.free_own = free_chat;
    c->parts = sz_calloc(n, sizeof *c->parts);
    c->begun = sz_calloc(n, sizeof *c->begun);
    SZ_REQUIRE(c->parts && c->begun, SZ_E_NOMEM, "no memory for a reply");
    for (size_t i = 0; i < n; i++)
        c->parts[i] = (sz_text_parts){.thoughts = true,
                                      .calls = j->form.parse_tools,
                                      .phase = in_thought ? SZ_PHASE_THOUGHT : SZ_PHASE_TEXT,
                                      .skip_space = in_thought};
    return SZ_OK;
}

/* ---- Parts of an answer ------------------------------------------------------------------------
 */

/* Calls that cannot be read are text. */
static void take_calls(sz_job *j, sz_choice *c, sz_said *out) {
    const sz_text_parts *p = &((const sz_chat *)j->form.own)->parts[c->index];
    const sz_answer *a = &c->answer;
    const char *from = a->text.data + p->calls_from;
    size_t n = a->n_certain - p->calls_from;
    char id[48];
    const char *number = strrchr(j->form.id, '-');
    snprintf(id, sizeof id, "%s_%u", number ? number + 1 : j->form.id, c->index);
    if (sz_text_calls(from, n, id, j->form.stream, &out->calls) == 0)
        sz_buf_append(&out->text, from, n);
}

void sz_chat_take(sz_job *j, sz_choice *c, sz_said *out) {
    sz_text_parts *p = &((sz_chat *)j->form.own)->parts[c->index];
    bool last = c->finish != SZ_FINISH_NONE;
    sz_text_split(p, c->answer.text.data, c->answer.n_certain, last, &out->text, &out->thought);
    if (last && p->phase == SZ_PHASE_CALLS)
        take_calls(j, c, out);
}

void sz_said_free(sz_said *s) {
    sz_buf_free(&s->text);
    sz_buf_free(&s->thought);
    sz_buf_free(&s->calls);
}

/* ---- What translations of other APIs share ------------------------------------------------------
 */

void sz_copy_member(sz_buf *b, const sz_reader *r, const char *from, const char *to) {
    const sz_json *v = sz_read_member(r, from);
    if (!v)
        return;
    sz_buf_printf(b, ",\"%s\":", to);
    sz_json_put(b, v);
}

void sz_send_named_event(sz_job *j, const char *name, sz_buf *b) {
    sz_buf event = {0};
    sz_buf_printf(&event, "event: %s\ndata: ", name);
    sz_buf_append(&event, b->data, b->len);
    sz_buf_puts(&event, "\n\n");
    event.failed |= b->failed;
    sz_reply_append(j->reply, &event);
    sz_buf_free(&event);
    sz_buf_clear(b);
}

void sz_put_time(sz_buf *b, int64_t unix_time) {
    time_t t = (time_t)unix_time;
    struct tm parts;
    char text[32] = "";
    if (gmtime_r(&t, &parts))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    sz_buf_puts(b, text);
}

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
    sz_tool_choice choice;
    SZ_TRY(sz_request_read_stream_options(r, j));
    SZ_TRY(sz_read_array(r, "tools", &tools));
    SZ_TRY(sz_read_tool_choice(r, &choice));
    j->form.parse_tools = tools && tools->n > 0 && choice.mode != SZ_TOOLS_NONE;
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
    const char *raw = NULL; /* as a translation may say: a text without a template */
    SZ_TRY(sz_read_text(r, "raw_prompt", &raw));
    sz_status status = SZ_OK;
    if (raw)
        sz_buf_puts(&text, raw);
    else
        status = sz_prompt_from_messages(x, r, &text);
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

sz_status sz_chat_read(sz_exchange *x, sz_reader *r, sz_job *j) {
    sz_form_begin(x, &j->form, "chatcmpl-");
    SZ_TRY(sz_request_read(x, r, j));
    SZ_TRY(read_logprobs(r, j));
    SZ_TRY(read_options(r, j));
    SZ_TRY(set_prompt(x, r, j));
    SZ_TRY(sz_request_set_chains(x, r, j));
    return sz_request_bound_tokens(x, j);
}
