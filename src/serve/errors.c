/* errors.c: whole answers, and errors as each API words them. */
#include "exchange.h"

#include <string.h>

unsigned sz_http_status(sz_status status) {
    switch (status) {
    case SZ_E_ARG:
    case SZ_E_FORMAT:
    case SZ_E_LIMIT:
    case SZ_E_UNSUPPORTED:
    case SZ_E_STATE: /* such as a grammar that allows nothing more */
        return 400;
    case SZ_E_NOTFOUND:
        return 404;
    case SZ_E_CANCELLED:
        return 503;
    default:
        return 500;
    }
}

const char *sz_error_kind(unsigned http) {
    switch (http) {
    case 400:
    case 413:
    case 405:
        return "invalid_request_error";
    case 401:
        return "authentication_error";
    case 403:
        return "permission_error";
    case 404:
        return "not_found_error";
    case 429:
        return "rate_limit_error";
    case 503:
        return "overloaded_error";
    default:
        return "server_error";
    }
}

static void put_text_or_null(sz_buf *b, const char *key, const char *text) {
    sz_buf_printf(b, ",\"%s\":", key);
    if (text)
        sz_json_quote(b, text, strlen(text));
    else
        sz_buf_puts(b, "null");
}

void sz_put_error(sz_buf *b, sz_shape shape, unsigned http, const char *kind, const char *param,
                  const char *code, const char *message) {
    if (shape == SZ_SHAPE_OLLAMA) {
        sz_buf_puts(b, "{\"error\":");
        sz_json_quote(b, message, strlen(message));
        sz_buf_putc(b, '}');
        return;
    }
    sz_buf_puts(b, shape == SZ_SHAPE_ANTHROPIC ? "{\"type\":\"error\",\"error\":{\"type\":"
                                               : "{\"error\":{\"message\":");
    const char *first = shape == SZ_SHAPE_ANTHROPIC ? kind : message;
    sz_json_quote(b, first, strlen(first));
    if (shape == SZ_SHAPE_ANTHROPIC) {
        put_text_or_null(b, "message", message);
    } else {
        put_text_or_null(b, "type", kind);
        put_text_or_null(b, "param", param);
        put_text_or_null(b, "code", code);
    }
    sz_buf_puts(b, "}}");
}

void sz_answer_json(sz_exchange *x, unsigned status, sz_buf *text) {
    if (text->failed) {
        sz_buf_free(text);
        status = 500;
        sz_put_error(text, x->route->shape, status, "server_error", NULL, NULL, "out of memory");
    }
    sz_reply_whole(x->reply, status, "application/json", text);
}

void sz_answer_error(sz_exchange *x, unsigned status, const char *kind, const char *param,
                     const char *code, const char *message) {
    sz_buf b = {0};
    sz_put_error(&b, x->route ? x->route->shape : SZ_SHAPE_OPENAI, status, kind, param, code,
                 message);
    sz_reply_whole(x->reply, status, "application/json", &b);
}

void sz_answer_status(sz_exchange *x, sz_status status, const char *param) {
    unsigned http = sz_http_status(status);
    sz_answer_error(x, http, sz_error_kind(http), param, NULL, sz_last_error());
}

/* ---- Requests ----------------------------------------------------------------------------------
 */

enum { ARENA_BLOCK = 1 << 14, VALUE_BYTES = 96, MOST_JSON_BYTES = 128 << 20 };

static sz_status parse(const sz_exchange *x, sz_arena *arena, sz_reader *r) {
    sz_json *object;
    size_t limit = (1 << 20) + VALUE_BYTES * x->body.len;
    sz_arena_set_limit(arena, limit < MOST_JSON_BYTES ? limit : MOST_JSON_BYTES);
    SZ_REQUIRE(x->body.len > 0, SZ_E_FORMAT, "the request has no body; a JSON object is expected");
    sz_status status = sz_json_parse(x->body.data, x->body.len, arena, &object);
    if (status != SZ_OK)
        return sz_fail_within(status, "the body is not valid JSON");
    SZ_REQUIRE(object->type == SZ_JSON_OBJECT, SZ_E_FORMAT, "the body is not a JSON object");
    *r = (sz_reader){.object = object};
    return SZ_OK;
}

bool sz_exchange_object(sz_exchange *x, sz_arena **arena, sz_reader *r) {
    sz_status status = sz_arena_new(ARENA_BLOCK, arena);
    if (status == SZ_OK) {
        status = parse(x, *arena, r);
        if (status == SZ_OK)
            return true;
        sz_arena_free(*arena);
    }
    sz_answer_status(x, status, NULL);
    return false;
}

static void answer_busy(sz_exchange *x) {
    x->reply->retry_after = 1;
    sz_answer_error(x, 503, "overloaded_error", NULL, "server_busy", sz_last_error());
}

void sz_exchange_submit(sz_exchange *x, sz_job *j) {
    sz_server *s = x->server;
    sz_status status = sz_batcher_check(s->batcher, j);
    if (status != SZ_OK) {
        sz_answer_error(x, 400, "invalid_request_error", NULL,
                        status == SZ_E_LIMIT ? "context_length_exceeded" : NULL, sz_last_error());
        sz_job_release(j);
        return;
    }
    j->client = x->client;
    j->deadline_ns = j->arrived_ns + (uint64_t)s->config.request_seconds * 1000000000u;
    status = sz_batcher_submit(s->batcher, j);
    if (status == SZ_OK) {
        x->job = j;
        return;
    }
    answer_busy(x);
    sz_job_release(j);
}

/* The request in the words of OpenAI's API, as `translate` says it. */
static sz_status translated(sz_reader *r, sz_translate translate, sz_arena *arena) {
    sz_buf text = {0};
    sz_json *object;
    sz_status status = translate(r, &text);
    if (status == SZ_OK && text.failed)
        status = sz_fail(SZ_E_NOMEM, "no memory for a request");
    if (status == SZ_OK) /* strings are copied into the arena */
        status = sz_json_parse(text.data, text.len, arena, &object);
    if (status == SZ_OK)
        r->object = object;
    sz_buf_free(&text);
    return status;
}

void sz_exchange_generate(sz_exchange *x, const sz_format *format, sz_translate translate,
                          sz_status (*read)(sz_exchange *x, sz_reader *r, sz_job *j)) {
    sz_arena *arena;
    sz_reader r;
    sz_job *j = NULL;
    if (!sz_exchange_object(x, &arena, &r))
        return;
    sz_status status = translate ? translated(&r, translate, arena) : SZ_OK;
    if (status == SZ_OK)
        status = sz_job_new(x->reply, x->server->model, format, &j);
    if (status == SZ_OK)
        status = read(x, &r, j);
    if (status == SZ_OK) {
        sz_exchange_submit(x, j);
    } else {
        sz_answer_status(x, status, r.at_fault);
        sz_job_release(j);
    }
    sz_arena_free(arena);
}
