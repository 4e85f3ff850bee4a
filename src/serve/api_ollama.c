/* api_ollama.c: /api/chat, /api/generate, /api/tags and /api/version, in the manner of ollama:
 * lines of JSON, and a stream unless the request says otherwise. */
#include "chat.h"

#include <string.h>

/* ---- The request in OpenAI's words -------------------------------------------------------------
 */

/* Members of `options` by our names. */
static const char *const option_names[][2] = {
    {"temperature", "temperature"},
    {"top_k", "top_k"},
    {"top_p", "top_p"},
    {"min_p", "min_p"},
    {"typical_p", "typical_p"},
    {"seed", "seed"},
    {"stop", "stop"},
    {"num_predict", "max_tokens"},
    {"repeat_penalty", "repeat_penalty"},
    {"repeat_last_n", "repeat_last_n"},
    {"presence_penalty", "presence_penalty"},
    {"frequency_penalty", "frequency_penalty"},
};

static sz_status put_format(sz_reader *r, sz_buf *b) {
    const sz_json *v = sz_read_member(r, "format");
    if (!v || (v->type == SZ_JSON_STRING && v->n == 0))
        return SZ_OK;
    if (v->type == SZ_JSON_STRING && strcmp(v->u.s, "json") == 0) {
        sz_buf_puts(b, ",\"response_format\":{\"type\":\"json_object\"}");
    } else if (v->type == SZ_JSON_OBJECT) {
        sz_buf_puts(b, ",\"json_schema\":");
        sz_json_put(b, v);
    } else {
        return sz_read_fail(r, "format", "is neither \"json\" nor a schema");
    }
    return SZ_OK;
}

static sz_status put_common(sz_reader *r, sz_buf *b) {
    static const char *const same[] = {"model", "tools", "szilard", "sampler"};
    const sz_json *options = NULL, *think = sz_read_member(r, "think");
    SZ_TRY(sz_read_object(r, "options", &options));
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        sz_copy_member(b, r, same[i], same[i]);
    sz_reader own = {.object = options};
    for (size_t i = 0; options && i < sizeof option_names / sizeof *option_names; i++)
        sz_copy_member(b, &own, option_names[i][0], option_names[i][1]);
    if (think && (think->type == SZ_JSON_TRUE || think->type == SZ_JSON_FALSE))
        sz_buf_printf(b, ",\"chat_template_kwargs\":{\"enable_thinking\":%s}",
                      think->type == SZ_JSON_TRUE ? "true" : "false");
    const sz_json *stream = sz_read_member(r, "stream");
    sz_buf_puts(b,
                stream && stream->type == SZ_JSON_FALSE ? ",\"stream\":false" : ",\"stream\":true");
    return put_format(r, b);
}

static sz_status translate_chat(sz_reader *r, sz_buf *b) {
    const sz_json *list = NULL;
    SZ_TRY(sz_read_array(r, "messages", &list));
    if (!list || list->n == 0)
        return sz_read_fail(r, "messages", "is missing or empty");
    sz_buf_puts(b, "{\"messages\":");
    sz_json_put(b, list);
    SZ_TRY(put_common(r, b));
    sz_buf_putc(b, '}');
    return SZ_OK;
}

/* A prompt is a conversation of one message, unless it is raw. */
static sz_status translate_generate(sz_reader *r, sz_buf *b) {
    const char *prompt = "", *system = NULL;
    bool raw = false;
    SZ_TRY(sz_read_text(r, "prompt", &prompt));
    SZ_TRY(sz_read_text(r, "system", &system));
    SZ_TRY(sz_read_bool(r, "raw", &raw));
    if (raw) {
        sz_buf_puts(b, "{\"raw_prompt\":");
        sz_json_quote(b, prompt, strlen(prompt));
    } else {
        sz_buf_puts(b, "{\"messages\":[");
        if (system) {
            sz_buf_puts(b, "{\"role\":\"system\",\"content\":");
            sz_json_quote(b, system, strlen(system));
            sz_buf_puts(b, "},");
        }
        sz_buf_puts(b, "{\"role\":\"user\",\"content\":");
        sz_json_quote(b, prompt, strlen(prompt));
        sz_buf_puts(b, "}]");
    }
    SZ_TRY(put_common(r, b));
    sz_buf_putc(b, '}');
    return SZ_OK;
}

/* ---- Replies -----------------------------------------------------------------------------------
 */

static void put_head(sz_buf *b, const sz_job *j) {
    sz_buf_puts(b, "{\"model\":");
    sz_json_quote(b, j->form.model, strlen(j->form.model));
    sz_buf_puts(b, ",\"created_at\":\"");
    sz_put_time(b, j->form.created);
    sz_buf_puts(b, "\",");
}

static void put_quoted(sz_buf *b, const char *key, const sz_buf *text) {
    sz_buf_printf(b, "\"%s\":", key);
    sz_json_quote(b, text->data ? text->data : "", text->len);
}

/* Calls with their arguments as objects. */
static void put_calls(sz_buf *b, const sz_buf *calls) {
    sz_arena *arena;
    sz_json *list;
    if (sz_arena_new(1 << 12, &arena) != SZ_OK)
        return;
    sz_buf_puts(b, ",\"tool_calls\":[");
    if (sz_json_parse(calls->data, calls->len, arena, &list) == SZ_OK) {
        for (const sz_json *c = list->u.child; c; c = c->next) {
            const sz_json *function = sz_json_get(c, "function");
            const sz_json *arguments = sz_json_get(function, "arguments");
            sz_buf_puts(b, c == list->u.child ? "{\"function\":{\"name\":"
                                              : ",{\"function\":{\"name\":");
            sz_json_put(b, sz_json_get(function, "name"));
            sz_buf_puts(b, ",\"arguments\":");
            sz_buf_append(b, arguments->u.s, arguments->n);
            sz_buf_puts(b, "}}");
        }
    }
    sz_buf_putc(b, ']');
    sz_arena_free(arena);
}

static void put_said(sz_buf *b, const sz_said *said, bool message) {
    sz_buf_puts(b, message ? "\"message\":{\"role\":\"assistant\"," : "");
    put_quoted(b, message ? "content" : "response", &said->text);
    if (said->thought.len) {
        sz_buf_putc(b, ',');
        put_quoted(b, "thinking", &said->thought);
    }
    if (said->calls.len)
        put_calls(b, &said->calls);
    sz_buf_puts(b, message ? "}" : "");
}

static void put_times(sz_buf *b, const sz_job *j) {
    uint64_t now = sz_time_ns(), first = j->first_ns ? j->first_ns : now;
    sz_buf_printf(b,
                  ",\"total_duration\":%llu,\"load_duration\":0,\"prompt_eval_count\":%zu,"
                  "\"prompt_eval_duration\":%llu,\"eval_count\":%zu,\"eval_duration\":%llu",
                  (unsigned long long)(now - j->arrived_ns), sz_job_n_prompt(j),
                  (unsigned long long)(first - j->arrived_ns), sz_job_n_drawn(j),
                  (unsigned long long)(now - first));
}

static void put_line(sz_buf *b, sz_job *j, sz_choice *c, bool message, size_t first) {
    sz_said said = {0};
    bool last = c->finish != SZ_FINISH_NONE;
    sz_chat_take(j, c, &said);
    put_head(b, j);
    put_said(b, &said, message);
    sz_buf_printf(b, ",\"done\":%s", last ? "true" : "false");
    if (last) {
        sz_buf_printf(b, ",\"done_reason\":\"%s\"",
                      c->finish == SZ_FINISH_LENGTH ? "length" : "stop");
        put_times(b, j);
    }
    sz_put_choice_szilard(b, j, c, first, c->answer.n_told_tokens);
    sz_buf_puts(b, "}\n");
    sz_said_free(&said);
}

static void tell(sz_job *j, sz_choice *c, bool message) {
    size_t from, first;
    sz_buf b = {0};
    if (!j->form.stream ||
        (!sz_answer_tell(&c->answer, &from, &first) && c->finish == SZ_FINISH_NONE))
        return;
    sz_reply_stream(j->reply, "application/x-ndjson");
    put_line(&b, j, c, message, first);
    sz_reply_append(j->reply, &b);
    sz_buf_free(&b);
}

static void end(sz_job *j, sz_status status, bool message) {
    sz_buf b = {0};
    size_t from, first;
    if (status != SZ_OK && j->reply->streamed) {
        sz_put_error(&b, SZ_SHAPE_OLLAMA, 500, NULL, NULL, NULL, sz_last_error());
        sz_buf_putc(&b, '\n');
        sz_reply_append(j->reply, &b);
        sz_reply_end(j->reply);
        sz_buf_free(&b);
    } else if (status != SZ_OK) {
        sz_fail_reply(j, status, SZ_SHAPE_OLLAMA);
    } else if (j->form.stream) {
        sz_reply_end(j->reply);
    } else {
        sz_answer_tell(&j->choices[0].answer, &from, &first);
        put_line(&b, j, &j->choices[0], message, 0);
        sz_finish_json(j, &b);
    }
}

static void told_chat(sz_job *j, sz_choice *c) {
    tell(j, c, true);
}
static void finish_chat(sz_job *j, sz_status status) {
    end(j, status, true);
}
static void told_generate(sz_job *j, sz_choice *c) {
    tell(j, c, false);
}
static void finish_generate(sz_job *j, sz_status status) {
    end(j, status, false);
}

static const sz_format chat = {told_chat, finish_chat};
static const sz_format generate = {told_generate, finish_generate};

void sz_api_ollama_chat(sz_exchange *x) {
    sz_exchange_generate(x, &chat, translate_chat, sz_chat_read);
}

void sz_api_ollama_generate(sz_exchange *x) {
    sz_exchange_generate(x, &generate, translate_generate, sz_chat_read);
}

/* ---- What is here ------------------------------------------------------------------------------
 */

void sz_api_ollama_tags(sz_exchange *x) {
    const sz_server *s = x->server;
    sz_model_info info;
    sz_buf b = {0};
    sz_model_get_info(s->model, &info);
    sz_buf_puts(&b, "{\"models\":[{\"name\":");
    sz_json_quote(&b, s->config.model_name, strlen(s->config.model_name));
    sz_buf_puts(&b, ",\"model\":");
    sz_json_quote(&b, s->config.model_name, strlen(s->config.model_name));
    sz_buf_puts(&b, ",\"modified_at\":\"");
    sz_put_time(&b, s->started);
    sz_buf_printf(&b,
                  "\",\"size\":%llu,\"digest\":\"\",\"details\":{\"format\":\"gguf\",\"family\":",
                  (unsigned long long)info.file_bytes);
    sz_json_quote(&b, info.architecture, strlen(info.architecture));
    sz_buf_printf(
        &b, ",\"parameter_size\":\"%.1fM\",\"quantization_level\":", (double)info.n_params * 1e-6);
    sz_json_quote(&b, info.file_type, strlen(info.file_type));
    sz_buf_puts(&b, "}}]}");
    sz_answer_json(x, 200, &b);
}

void sz_api_ollama_version(sz_exchange *x) {
    sz_buf b = {0};
    sz_buf_printf(&b, "{\"version\":\"%s\"}", sz_version());
    sz_answer_json(x, 200, &b);
}
