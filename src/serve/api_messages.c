/* api_messages.c: POST /v1/messages, in the manner of Anthropic's API. */
#include "chat.h"

#include <string.h>

/* ---- The request in OpenAI's words -------------------------------------------------------------
 */

static const char *type_of(const sz_json *block) {
    const sz_json *type = block->type == SZ_JSON_OBJECT ? sz_json_get(block, "type") : NULL;
    return type && sz_json_is_text(type) ? type->u.s : "";
}

/* The texts of a content, joined: a text, or an array of blocks. */
static void put_texts(sz_buf *b, const sz_json *content) {
    sz_buf text = {0};
    if (content && content->type == SZ_JSON_STRING)
        sz_buf_append(&text, content->u.s, content->n);
    if (content && content->type == SZ_JSON_ARRAY) {
        for (const sz_json *c = content->u.child; c; c = c->next) {
            const sz_json *t = c->type == SZ_JSON_OBJECT ? sz_json_get(c, "text") : NULL;
            if (strcmp(type_of(c), "text") == 0 && t && t->type == SZ_JSON_STRING)
                sz_buf_append(&text, t->u.s, t->n);
        }
    }
    sz_json_quote(b, text.data ? text.data : "", text.len);
    b->failed |= text.failed;
    sz_buf_free(&text);
}

static void put_member(sz_buf *b, const sz_json *object, const char *from, const char *to) {
    const sz_json *v = sz_json_get(object, from);
    sz_buf_printf(b, "\"%s\":", to);
    if (v)
        sz_json_put(b, v);
    else
        sz_buf_puts(b, "\"\"");
}

static void put_call(sz_buf *b, const sz_json *block, bool first) {
    sz_buf_puts(b, first ? ",\"tool_calls\":[{" : ",{");
    put_member(b, block, "id", "id");
    sz_buf_puts(b, ",\"type\":\"function\",\"function\":{");
    put_member(b, block, "name", "name");
    sz_buf_putc(b, ',');
    put_member(b, block, "input", "arguments");
    sz_buf_puts(b, "}}");
}

/* Results of tools are messages of their own; they come before the text of the same turn. */
static bool put_results(sz_buf *b, const sz_json *blocks, bool *first) {
    bool any_other = false;
    for (const sz_json *c = blocks->u.child; c; c = c->next) {
        if (strcmp(type_of(c), "tool_result") != 0) {
            any_other = true;
            continue;
        }
        sz_buf_puts(b, *first ? "{\"role\":\"tool\"," : ",{\"role\":\"tool\",");
        *first = false;
        put_member(b, c, "tool_use_id", "tool_call_id");
        sz_buf_puts(b, ",\"content\":");
        put_texts(b, sz_json_get(c, "content"));
        sz_buf_putc(b, '}');
    }
    return any_other;
}

static sz_status check_blocks(sz_reader *r, const sz_json *content) {
    static const char *const known[] = {"text", "tool_use", "tool_result", "thinking",
                                        "redacted_thinking"};
    for (const sz_json *c = content->u.child; c; c = c->next) {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            found |= strcmp(type_of(c), known[i]) == 0;
        if (!found)
            return sz_read_fail(r, "messages", "has a block of type '%.40s': this model takes text",
                                type_of(c));
    }
    return SZ_OK;
}

static sz_status put_message(sz_reader *r, const sz_json *m, sz_buf *b, bool *first) {
    const sz_json *role = m->type == SZ_JSON_OBJECT ? sz_json_get(m, "role") : NULL;
    const sz_json *content = role ? sz_json_get(m, "content") : NULL;
    if (!role || !sz_json_is_text(role) || !content ||
        (content->type != SZ_JSON_STRING && content->type != SZ_JSON_ARRAY))
        return sz_read_fail(r, "messages", "has a member that is no object with role and content");
    bool blocks = content->type == SZ_JSON_ARRAY;
    if (blocks)
        SZ_TRY(check_blocks(r, content));
    if (blocks && !put_results(b, content, first))
        return SZ_OK;
    sz_buf_puts(b, *first ? "{\"role\":" : ",{\"role\":");
    *first = false;
    sz_json_quote(b, role->u.s, role->n);
    sz_buf_puts(b, ",\"content\":");
    put_texts(b, content);
    bool first_call = true;
    for (const sz_json *c = blocks ? content->u.child : NULL; c; c = c->next) {
        if (strcmp(type_of(c), "tool_use") != 0)
            continue;
        put_call(b, c, first_call);
        first_call = false;
    }
    sz_buf_puts(b, first_call ? "}" : "]}");
    return SZ_OK;
}

static void put_tools(sz_buf *b, const sz_json *tools) {
    sz_buf_puts(b, ",\"tools\":[");
    for (const sz_json *c = tools->u.child; c; c = c->next) {
        if (c->type != SZ_JSON_OBJECT)
            continue;
        sz_buf_puts(b, b->data[b->len - 1] == '[' ? "" : ",");
        sz_buf_puts(b, "{\"type\":\"function\",\"function\":{");
        put_member(b, c, "name", "name");
        sz_buf_putc(b, ',');
        put_member(b, c, "description", "description");
        sz_buf_putc(b, ',');
        put_member(b, c, "input_schema", "parameters");
        sz_buf_puts(b, "}}");
    }
    sz_buf_putc(b, ']');
}

/* {"type": "auto" | "any" | "none" | "tool", "name": ...} */
static void put_tool_choice(sz_buf *b, const sz_json *v) {
    const char *type = v ? type_of(v) : "";
    if (strcmp(type, "tool") == 0) {
        sz_buf_puts(b, ",\"tool_choice\":{\"type\":\"function\",\"function\":{");
        put_member(b, v, "name", "name");
        sz_buf_puts(b, "}}");
    } else if (strcmp(type, "any") == 0 || strcmp(type, "none") == 0) {
        sz_buf_printf(b, ",\"tool_choice\":\"%s\"", type[0] == 'a' ? "required" : type);
    }
}

static sz_status translate(sz_reader *r, sz_buf *b) {
    static const char *const same[] = {"model",
                                       "max_tokens",
                                       "temperature",
                                       "top_p",
                                       "top_k",
                                       "stream",
                                       "seed",
                                       "sampler",
                                       "szilard",
                                       "min_p",
                                       "chat_template_kwargs"};
    const sz_json *list = NULL, *tools = NULL, *system = sz_read_member(r, "system");
    bool first = system == NULL;
    SZ_TRY(sz_read_array(r, "messages", &list));
    SZ_TRY(sz_read_array(r, "tools", &tools));
    if (!list || list->n == 0)
        return sz_read_fail(r, "messages", "is missing or empty");
    if (!sz_read_member(r, "max_tokens"))
        return sz_read_fail(r, "max_tokens", "is missing");
    sz_buf_puts(b, "{\"messages\":[");
    if (system) {
        sz_buf_puts(b, "{\"role\":\"system\",\"content\":");
        put_texts(b, system);
        sz_buf_putc(b, '}');
    }
    for (const sz_json *m = list->u.child; m; m = m->next)
        SZ_TRY(put_message(r, m, b, &first));
    sz_buf_putc(b, ']');
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        sz_copy_member(b, r, same[i], same[i]);
    sz_copy_member(b, r, "stop_sequences", "stop");
    put_tool_choice(b, sz_read_member(r, "tool_choice"));
    if (tools)
        put_tools(b, tools);
    sz_buf_putc(b, '}');
    return SZ_OK;
}

/* ---- The reply ---------------------------------------------------------------------------------
 */

/* The stop string that ended an answer stands right behind what is certain. */
static const char *stop_string(const sz_job *j, const sz_choice *c) {
    const sz_answer *a = &c->answer;
    for (size_t i = 0; c->finish == SZ_FINISH_STOP && i < j->ask.n_stops; i++)
        if (strncmp(a->text.data + a->n_certain, j->ask.stops[i], strlen(j->ask.stops[i])) == 0)
            return j->ask.stops[i];
    return NULL;
}

static void put_stop(sz_buf *b, const sz_job *j, const sz_choice *c, bool calls) {
    const char *stop = stop_string(j, c);
    sz_buf_printf(b, "\"stop_reason\":\"%s\",\"stop_sequence\":",
                  calls                           ? "tool_use"
                  : c->finish == SZ_FINISH_LENGTH ? "max_tokens"
                  : stop                          ? "stop_sequence"
                                                  : "end_turn");
    if (stop)
        sz_json_quote(b, stop, strlen(stop));
    else
        sz_buf_puts(b, "null");
}

static void put_usage(sz_buf *b, const sz_job *j) {
    sz_buf_printf(b,
                  "\"usage\":{\"input_tokens\":%zu,\"cache_creation_input_tokens\":0,"
                  "\"cache_read_input_tokens\":%zu,\"output_tokens\":%zu}",
                  sz_job_n_prompt(j) - sz_job_n_cached(j), sz_job_n_cached(j), sz_job_n_drawn(j));
}

static void put_head(sz_buf *b, const sz_job *j) {
    sz_buf_printf(
        b, "{\"id\":\"%s\",\"type\":\"message\",\"role\":\"assistant\",\"model\":", j->form.id);
    sz_json_quote(b, j->form.model, strlen(j->form.model));
}

/* tool_calls as blocks; each: called with the block's JSON. */
static void each_call(const sz_buf *calls, void (*each)(void *, const sz_json *), void *user) {
    sz_arena *arena;
    sz_json *list;
    if (calls->len == 0 || sz_arena_new(1 << 12, &arena) != SZ_OK)
        return;
    if (sz_json_parse(calls->data, calls->len, arena, &list) == SZ_OK)
        for (const sz_json *c = list->u.child; c; c = c->next)
            each(user, c);
    sz_arena_free(arena);
}

static void put_tool_use(void *user, const sz_json *call) {
    sz_buf *b = user;
    const sz_json *function = sz_json_get(call, "function");
    const sz_json *arguments = sz_json_get(function, "arguments");
    sz_buf_puts(b, b->data[b->len - 1] == '[' ? "{\"type\":\"tool_use\","
                                              : ",{\"type\":\"tool_use\",");
    put_member(b, call, "id", "id");
    sz_buf_putc(b, ',');
    put_member(b, function, "name", "name");
    sz_buf_puts(b, ",\"input\":");
    sz_buf_append(b, arguments->u.s, arguments->n); /* JSON in a text */
    sz_buf_putc(b, '}');
}

static void put_block(sz_buf *b, const char *type, const char *key, const sz_buf *text) {
    sz_buf_printf(b, "%s{\"type\":\"%s\",\"%s\":", b->data[b->len - 1] == '[' ? "" : ",", type,
                  key);
    sz_json_quote(b, text->data ? text->data : "", text->len);
    sz_buf_putc(b, '}');
}

static void finish_whole(sz_job *j) {
    sz_choice *c = &j->choices[0];
    sz_said said = {0};
    sz_buf b = {0};
    size_t from, first;
    sz_answer_tell(&c->answer, &from, &first);
    sz_chat_take(j, c, &said);
    put_head(&b, j);
    sz_buf_puts(&b, ",\"content\":[");
    if (said.thought.len)
        put_block(&b, "thinking", "thinking", &said.thought);
    if (said.text.len || said.calls.len == 0)
        put_block(&b, "text", "text", &said.text);
    each_call(&said.calls, put_tool_use, &b);
    sz_buf_puts(&b, "],");
    put_stop(&b, j, c, said.calls.len > 0);
    sz_buf_putc(&b, ',');
    put_usage(&b, j);
    sz_put_choice_szilard(&b, j, c, 0, c->answer.n_told_tokens);
    sz_buf_putc(&b, '}');
    sz_said_free(&said);
    sz_finish_json(j, &b);
}

/* ---- A stream ----------------------------------------------------------------------------------
 */

static void close_block(sz_job *j, sz_chat *own) {
    sz_buf b = {0};
    if (!own->block_open)
        return;
    sz_buf_printf(&b, "{\"type\":\"content_block_stop\",\"index\":%u}", own->n_blocks - 1);
    sz_send_named_event(j, "content_block_stop", &b);
    own->block_open = false;
    sz_buf_free(&b);
}

static void open_block(sz_job *j, sz_chat *own, sz_text_phase kind) {
    static const char *const blocks[] = {"{\"type\":\"text\",\"text\":\"\"}",
                                         "{\"type\":\"thinking\",\"thinking\":\"\"}"};
    sz_buf b = {0};
    if (own->block_open && own->block == kind)
        return;
    close_block(j, own);
    sz_buf_printf(&b, "{\"type\":\"content_block_start\",\"index\":%u,\"content_block\":%s}",
                  own->n_blocks++, blocks[kind]);
    sz_send_named_event(j, "content_block_start", &b);
    own->block_open = true;
    own->block = kind;
    sz_buf_free(&b);
}

static void send_delta(sz_job *j, sz_chat *own, sz_text_phase kind, const sz_buf *text,
                       const sz_choice *c, size_t first) {
    sz_buf b = {0};
    open_block(j, own, kind);
    sz_buf_printf(&b, "{\"type\":\"content_block_delta\",\"index\":%u,\"delta\":{\"type\":\"%s\":",
                  own->n_blocks - 1,
                  kind == SZ_PHASE_TEXT ? "text_delta\",\"text" : "thinking_delta\",\"thinking");
    sz_json_quote(&b, text->data ? text->data : "", text->len);
    sz_buf_putc(&b, '}');
    sz_put_choice_szilard(&b, j, c, first, c->answer.n_told_tokens);
    sz_buf_putc(&b, '}');
    sz_send_named_event(j, "content_block_delta", &b);
    sz_buf_free(&b);
}

static void send_call(void *user, const sz_json *call) {
    sz_job *j = user;
    sz_chat *own = j->form.own;
    const sz_json *function = sz_json_get(call, "function");
    const sz_json *arguments = sz_json_get(function, "arguments");
    sz_buf b = {0};
    close_block(j, own);
    sz_buf_printf(
        &b,
        "{\"type\":\"content_block_start\",\"index\":%u,\"content_block\":{\"type\":\"tool_use\",",
        own->n_blocks++);
    put_member(&b, call, "id", "id");
    sz_buf_putc(&b, ',');
    put_member(&b, function, "name", "name");
    sz_buf_puts(&b, ",\"input\":{}}}");
    sz_send_named_event(j, "content_block_start", &b);
    sz_buf_printf(&b,
                  "{\"type\":\"content_block_delta\",\"index\":%u,\"delta\":{\"type\":\"input_json_"
                  "delta\",\"partial_json\":",
                  own->n_blocks - 1);
    sz_json_quote(&b, arguments->u.s, arguments->n);
    sz_buf_puts(&b, "}}");
    sz_send_named_event(j, "content_block_delta", &b);
    own->block_open = true;
    own->block = SZ_PHASE_CALLS;
    sz_buf_free(&b);
}

static void begin_stream(sz_job *j, sz_chat *own) {
    sz_buf b = {0};
    if (own->begun[0])
        return;
    own->begun[0] = true;
    sz_reply_stream(j->reply, "text/event-stream; charset=utf-8");
    sz_buf_puts(&b, "{\"type\":\"message_start\",\"message\":");
    put_head(&b, j);
    sz_buf_puts(&b, ",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,");
    put_usage(&b, j);
    sz_buf_puts(&b, "}}");
    sz_send_named_event(j, "message_start", &b);
    sz_buf_free(&b);
}

static void end_stream(sz_job *j, sz_choice *c, bool calls) {
    sz_buf b = {0};
    close_block(j, j->form.own);
    sz_buf_puts(&b, "{\"type\":\"message_delta\",\"delta\":{");
    put_stop(&b, j, c, calls);
    sz_buf_puts(&b, "},");
    put_usage(&b, j);
    sz_put_reply_szilard(&b, j);
    sz_buf_putc(&b, '}');
    sz_send_named_event(j, "message_delta", &b);
    sz_buf_puts(&b, "{\"type\":\"message_stop\"}");
    sz_send_named_event(j, "message_stop", &b);
    sz_buf_free(&b);
}

static void told(sz_job *j, sz_choice *c) {
    sz_chat *own = j->form.own;
    sz_said said = {0};
    size_t from, first;
    if (!j->form.stream)
        return;
    bool more = sz_answer_tell(&c->answer, &from, &first), last = c->finish != SZ_FINISH_NONE;
    if (!more && !last)
        return;
    begin_stream(j, own);
    sz_chat_take(j, c, &said);
    if (said.thought.len)
        send_delta(j, own, SZ_PHASE_THOUGHT, &said.thought, c, first);
    if (said.text.len || (last && own->n_blocks == 0 && said.calls.len == 0))
        send_delta(j, own, SZ_PHASE_TEXT, &said.text, c, first);
    each_call(&said.calls, send_call, j);
    if (last)
        end_stream(j, c, said.calls.len > 0);
    sz_said_free(&said);
}

static void finish(sz_job *j, sz_status status) {
    if (status != SZ_OK)
        sz_fail_reply(j, status, SZ_SHAPE_ANTHROPIC);
    else if (j->form.stream)
        sz_reply_end(j->reply);
    else
        finish_whole(j);
}

static const sz_format format = {told, finish};

static sz_status read_request(sz_exchange *x, sz_reader *r, sz_job *j) {
    SZ_TRY(sz_chat_read(x, r, j));
    sz_form_begin(x, &j->form, "msg_");
    return SZ_OK;
}

void sz_api_messages(sz_exchange *x) {
    sz_exchange_generate(x, &format, translate, read_request);
}
