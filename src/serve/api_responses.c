/* api_responses.c: POST /v1/responses in its basic form: a text or items as input, one message as
 * output, whole or as a stream. Nothing is stored. */
#include "chat.h"

#include <string.h>

/* ---- The request in the words of chat completions
 * ------------------------------------------------ */

static const char *text_of(const sz_json *object, const char *key) {
    const sz_json *v = sz_json_get(object, key);
    return v && sz_json_is_text(v) ? v->u.s : "";
}

static void put_member(sz_buf *b, const char *before, const sz_json *object, const char *from,
                       const char *to) {
    const sz_json *v = sz_json_get(object, from);
    sz_buf_printf(b, "%s\"%s\":", before, to);
    if (v && v->type != SZ_JSON_NULL)
        sz_json_put(b, v);
    else
        sz_buf_puts(b, "\"\"");
}

static sz_status put_item(sz_reader *r, const sz_json *item, sz_buf *b) {
    const char *type = item->type == SZ_JSON_OBJECT ? text_of(item, "type") : "none";
    if (type[0] == '\0' || strcmp(type, "message") == 0) {
        put_member(b, "{", item, "role", "role");
        put_member(b, ",", item, "content", "content");
        sz_buf_putc(b, '}');
    } else if (strcmp(type, "function_call") == 0) {
        put_member(b, "{\"role\":\"assistant\",\"tool_calls\":[{", item, "call_id", "id");
        put_member(b, ",\"type\":\"function\",\"function\":{", item, "name", "name");
        put_member(b, ",", item, "arguments", "arguments");
        sz_buf_puts(b, "}}]}");
    } else if (strcmp(type, "function_call_output") == 0) {
        put_member(b, "{\"role\":\"tool\",", item, "call_id", "tool_call_id");
        put_member(b, ",", item, "output", "content");
        sz_buf_putc(b, '}');
    } else {
        return sz_read_fail(r, "input", "has an item of type '%.40s', which is not known here",
                            type);
    }
    return SZ_OK;
}

static sz_status put_input(sz_reader *r, sz_buf *b) {
    const sz_json *input = sz_read_member(r, "input");
    const char *instructions = NULL;
    SZ_TRY(sz_read_text(r, "instructions", &instructions));
    if (!input || (input->type != SZ_JSON_STRING && input->type != SZ_JSON_ARRAY))
        return sz_read_fail(r, "input", "is neither a text nor an array of items");
    sz_buf_puts(b, "{\"messages\":[");
    if (instructions) {
        sz_buf_puts(b, "{\"role\":\"system\",\"content\":");
        sz_json_quote(b, instructions, strlen(instructions));
        sz_buf_puts(b, "},");
    }
    if (input->type == SZ_JSON_STRING) {
        sz_buf_puts(b, "{\"role\":\"user\",\"content\":");
        sz_json_put(b, input);
        sz_buf_putc(b, '}');
    } else {
        for (const sz_json *c = input->u.child; c; c = c->next) {
            sz_buf_puts(b, c == input->u.child ? "" : ",");
            SZ_TRY(put_item(r, c, b));
        }
    }
    sz_buf_putc(b, ']');
    return SZ_OK;
}

/* Functions stand flat here. */
static void put_tools(sz_buf *b, const sz_json *tools) {
    bool any = false;
    sz_buf_puts(b, ",\"tools\":[");
    for (const sz_json *c = tools->u.child; c; c = c->next) {
        if (c->type != SZ_JSON_OBJECT || strcmp(text_of(c, "type"), "function") != 0)
            continue;
        put_member(b,
                   any ? ",{\"type\":\"function\",\"function\":{"
                       : "{\"type\":\"function\",\"function\":{",
                   c, "name", "name");
        put_member(b, ",", c, "description", "description");
        put_member(b, ",", c, "parameters", "parameters");
        sz_buf_puts(b, "}}");
        any = true;
    }
    sz_buf_putc(b, ']');
}

/* A function that must be called stands flat, too. */
static void put_tool_choice(sz_buf *b, const sz_json *v) {
    if (!v)
        return;
    sz_buf_puts(b, ",\"tool_choice\":");
    if (v->type == SZ_JSON_OBJECT) {
        put_member(b, "{\"type\":\"function\",\"function\":{", v, "name", "name");
        sz_buf_puts(b, "}}");
    } else {
        sz_json_put(b, v);
    }
}

/* text.format is what response_format was. */
static sz_status put_format(sz_reader *r, sz_buf *b) {
    const sz_json *text = NULL;
    SZ_TRY(sz_read_object(r, "text", &text));
    const sz_json *format = text ? sz_json_get(text, "format") : NULL;
    if (format && format->type == SZ_JSON_OBJECT) {
        sz_buf_puts(b, ",\"response_format\":");
        sz_json_put(b, format);
    }
    return SZ_OK;
}

static sz_status translate(sz_reader *r, sz_buf *b) {
    static const char *const same[] = {
        "model",   "temperature",          "top_p", "stream", "seed", "sampler", "top_k", "min_p",
        "szilard", "chat_template_kwargs", "stop"};
    const sz_json *tools = NULL;
    SZ_TRY(put_input(r, b));
    SZ_TRY(sz_read_array(r, "tools", &tools));
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        sz_copy_member(b, r, same[i], same[i]);
    sz_copy_member(b, r, "max_output_tokens", "max_tokens");
    put_tool_choice(b, sz_read_member(r, "tool_choice"));
    if (tools)
        put_tools(b, tools);
    SZ_TRY(put_format(r, b));
    sz_buf_putc(b, '}');
    return SZ_OK;
}

/* ---- The reply ---------------------------------------------------------------------------------
 */

static void put_text(sz_buf *b, const sz_buf *text) {
    sz_json_quote(b, text->data ? text->data : "", text->len);
}

static void put_part(sz_buf *b, const sz_buf *text) {
    sz_buf_puts(b, "{\"type\":\"output_text\",\"text\":");
    put_text(b, text);
    sz_buf_puts(b, ",\"annotations\":[],\"logprobs\":[]}");
}

static void put_message(sz_buf *b, const sz_job *j, const char *status, const sz_buf *text) {
    sz_buf_printf(b,
                  "{\"type\":\"message\",\"id\":\"msg_%s\",\"status\":\"%s\",\"role\":"
                  "\"assistant\",\"content\":[",
                  j->form.id + strlen("resp_"), status);
    if (text)
        put_part(b, text);
    sz_buf_puts(b, "]}");
}

static void put_reasoning(sz_buf *b, const sz_job *j, const sz_buf *thought) {
    sz_buf_printf(b,
                  "{\"type\":\"reasoning\",\"id\":\"rs_%s\",\"summary\":[{\"type\":\"summary_"
                  "text\",\"text\":",
                  j->form.id + strlen("resp_"));
    put_text(b, thought);
    sz_buf_puts(b, "}]}");
}

static void put_calls(sz_buf *b, const sz_buf *calls, bool any) {
    sz_arena *arena;
    sz_json *list;
    if (calls->len == 0 || sz_arena_new(1 << 12, &arena) != SZ_OK)
        return;
    if (sz_json_parse(calls->data, calls->len, arena, &list) == SZ_OK) {
        for (const sz_json *c = list->u.child; c; c = c->next) {
            const sz_json *function = sz_json_get(c, "function");
            sz_buf_puts(b, any ? "," : "");
            put_member(b, "{\"type\":\"function_call\",\"status\":\"completed\",", c, "id", "id");
            put_member(b, ",", c, "id", "call_id");
            put_member(b, ",", function, "name", "name");
            put_member(b, ",", function, "arguments", "arguments");
            sz_buf_putc(b, '}');
            any = true;
        }
    }
    sz_arena_free(arena);
}

static void put_output(sz_buf *b, const sz_job *j, const sz_buf *thought, const sz_buf *text,
                       const sz_buf *calls) {
    bool any = thought->len > 0, message = text->len > 0 || calls->len == 0;
    sz_buf_putc(b, '[');
    if (any)
        put_reasoning(b, j, thought);
    if (message) {
        sz_buf_puts(b, any ? "," : "");
        put_message(b, j, "completed", text);
    }
    put_calls(b, calls, any || message);
    sz_buf_putc(b, ']');
}

static void put_usage(sz_buf *b, const sz_job *j) {
    size_t prompt = sz_job_n_prompt(j), drawn = sz_job_n_drawn(j);
    sz_buf_printf(b,
                  "{\"input_tokens\":%zu,\"input_tokens_details\":{\"cached_tokens\":%zu},"
                  "\"output_tokens\":%zu,\"output_tokens_details\":{\"reasoning_tokens\":0},"
                  "\"total_tokens\":%zu}",
                  prompt, sz_job_n_cached(j), drawn, prompt + drawn);
}

/* c NULL: it has only begun. */
static void put_response(sz_buf *b, const sz_job *j, const sz_choice *c, const sz_buf *thought,
                         const sz_buf *text, const sz_buf *calls) {
    bool cut = c && c->finish == SZ_FINISH_LENGTH;
    sz_buf_printf(
        b,
        "{\"id\":\"%s\",\"object\":\"response\",\"created_at\":%lld,\"status\":\"%s\",\"model\":",
        j->form.id, (long long)j->form.created,
        !c    ? "in_progress"
        : cut ? "incomplete"
              : "completed");
    sz_json_quote(b, j->form.model, strlen(j->form.model));
    sz_buf_printf(b,
                  ",\"error\":null,\"incomplete_details\":%s,\"instructions\":null,\"metadata\":{},"
                  "\"parallel_tool_calls\":true,\"tool_choice\":\"auto\",\"tools\":[],"
                  "\"temperature\":null,\"top_p\":null,\"output\":",
                  cut ? "{\"reason\":\"max_output_tokens\"}" : "null");
    if (c) {
        put_output(b, j, thought, text, calls);
        sz_buf_puts(b, ",\"usage\":");
        put_usage(b, j);
        sz_put_choice_szilard(b, j, c, 0, c->answer.n_told_tokens);
    } else {
        sz_buf_puts(b, "[],\"usage\":null");
    }
    sz_buf_putc(b, '}');
}

static void finish_whole(sz_job *j) {
    sz_choice *c = &j->choices[0];
    sz_said said = {0};
    sz_buf b = {0};
    size_t from, first;
    sz_answer_tell(&c->answer, &from, &first);
    sz_chat_take(j, c, &said);
    put_response(&b, j, c, &said.thought, &said.text, &said.calls);
    sz_said_free(&said);
    sz_finish_json(j, &b);
}

/* ---- A stream ----------------------------------------------------------------------------------
 */

/* Begins an event; end_event sends it. */
static void begin_event(sz_job *j, sz_buf *b, const char *name) {
    sz_chat *own = j->form.own;
    sz_buf_printf(b, "{\"type\":\"%s\",\"sequence_number\":%u", name, own->n_events++);
}

static void end_event(sz_job *j, sz_buf *b, const char *name) {
    sz_buf_putc(b, '}');
    sz_send_named_event(j, name, b);
}

static void send_response(sz_job *j, const char *name, const sz_choice *c, const sz_buf *calls) {
    sz_chat *own = j->form.own;
    sz_buf b = {0};
    begin_event(j, &b, name);
    sz_buf_puts(&b, ",\"response\":");
    put_response(&b, j, c, &own->thought, &own->said, calls);
    end_event(j, &b, name);
    sz_buf_free(&b);
}

/* Where in the output the text of the message is. */
static void put_place(sz_buf *b, const sz_job *j, const char *tail) {
    sz_buf_printf(b, ",\"item_id\":\"msg_%s\",\"output_index\":0,\"content_index\":0%s",
                  j->form.id + strlen("resp_"), tail);
}

static void begin_stream(sz_job *j) {
    static const sz_buf nothing = {0};
    sz_chat *own = j->form.own;
    sz_buf b = {0};
    if (own->begun[0])
        return;
    own->begun[0] = true;
    sz_reply_stream(j->reply, "text/event-stream; charset=utf-8");
    send_response(j, "response.created", NULL, &nothing);
    send_response(j, "response.in_progress", NULL, &nothing);
    begin_event(j, &b, "response.output_item.added");
    sz_buf_puts(&b, ",\"output_index\":0,\"item\":");
    put_message(&b, j, "in_progress", NULL);
    end_event(j, &b, "response.output_item.added");
    begin_event(j, &b, "response.content_part.added");
    put_place(&b, j, ",\"part\":");
    put_part(&b, &nothing);
    end_event(j, &b, "response.content_part.added");
    sz_buf_free(&b);
}

static void send_delta(sz_job *j, const sz_choice *c, const sz_buf *text, size_t first) {
    sz_buf b = {0};
    begin_event(j, &b, "response.output_text.delta");
    put_place(&b, j, ",\"logprobs\":[],\"delta\":");
    put_text(&b, text);
    sz_put_choice_szilard(&b, j, c, first, c->answer.n_told_tokens);
    end_event(j, &b, "response.output_text.delta");
    sz_buf_free(&b);
}

static void end_stream(sz_job *j, const sz_choice *c, const sz_buf *calls) {
    sz_chat *own = j->form.own;
    sz_buf b = {0};
    begin_event(j, &b, "response.output_text.done");
    put_place(&b, j, ",\"logprobs\":[],\"text\":");
    put_text(&b, &own->said);
    end_event(j, &b, "response.output_text.done");
    begin_event(j, &b, "response.content_part.done");
    put_place(&b, j, ",\"part\":");
    put_part(&b, &own->said);
    end_event(j, &b, "response.content_part.done");
    begin_event(j, &b, "response.output_item.done");
    sz_buf_puts(&b, ",\"output_index\":0,\"item\":");
    put_message(&b, j, "completed", &own->said);
    end_event(j, &b, "response.output_item.done");
    send_response(j, c->finish == SZ_FINISH_LENGTH ? "response.incomplete" : "response.completed",
                  c, calls);
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
    begin_stream(j);
    sz_chat_take(j, c, &said);
    sz_buf_append(&own->thought, said.thought.data, said.thought.len);
    sz_buf_append(&own->said, said.text.data, said.text.len);
    if (said.text.len)
        send_delta(j, c, &said.text, first);
    if (last)
        end_stream(j, c, &said.calls);
    sz_said_free(&said);
}

static void finish(sz_job *j, sz_status status) {
    if (status != SZ_OK)
        sz_fail_reply(j, status, SZ_SHAPE_OPENAI);
    else if (j->form.stream)
        sz_reply_end(j->reply);
    else
        finish_whole(j);
}

static const sz_format format = {told, finish};

static sz_status read_request(sz_exchange *x, sz_reader *r, sz_job *j) {
    SZ_TRY(sz_chat_read(x, r, j));
    sz_form_begin(x, &j->form, "resp_");
    return SZ_OK;
}

void sz_api_responses(sz_exchange *x) {
    sz_exchange_generate(x, &format, translate, read_request);
}
