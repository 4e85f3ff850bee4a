/* api_tokens.c: POST /tokenize, /detokenize and /apply-template, GET /tokenizer_info. */
#include "api.h"

#include <string.h>

/* ---- /tokenize ---------------------------------------------------------------------------------
 */

/* llama.cpp says `content`, vLLM `prompt` or `messages`. */
static sz_status read_text(sz_exchange *x, sz_reader *r, sz_buf *text, bool *rendered) {
    static const char *const names[] = {"content", "prompt", "text"};
    *rendered = sz_read_member(r, "messages") != NULL;
    if (*rendered)
        return sz_prompt_from_messages(x, r, text);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const sz_json *v = sz_read_member(r, names[i]);
        if (!v)
            continue;
        if (v->type != SZ_JSON_STRING)
            return sz_read_fail(r, names[i], "is not a text");
        sz_buf_append(text, v->u.s, v->n);
        return SZ_OK;
    }
    return sz_read_fail(r, "content", "is missing");
}

static sz_status read_flags(sz_reader *r, bool rendered, unsigned *flags) {
    bool add = sz_read_member(r, "prompt") != NULL, parse = true;
    SZ_TRY(sz_read_bool(r, "add_special", &add));
    SZ_TRY(sz_read_bool(r, "add_special_tokens", &add));
    SZ_TRY(sz_read_bool(r, "parse_special", &parse));
    *flags = (add && !rendered ? SZ_TOKENIZE_BOS : 0) | (parse ? SZ_TOKENIZE_CONTROL : 0);
    return SZ_OK;
}

static void put_ids(sz_buf *b, const sz_tokenizer *t, const int32_t *ids, size_t n, bool pieces) {
    for (size_t i = 0; i < n; i++) {
        sz_buf_puts(b, i ? "," : "");
        if (!pieces) {
            sz_buf_printf(b, "%d", ids[i]);
            continue;
        }
        size_t length = 0;
        sz_buf clean = {0};
        const char *piece = sz_tokenizer_piece(t, ids[i], &length);
        sz_buf_printf(b, "{\"id\":%d,\"piece\":", ids[i]);
        if (piece && !sz_utf8_clean(piece, length, &clean))
            sz_put_piece_bytes(b, t, ids[i]);
        else
            sz_put_piece(b, t, ids[i]);
        sz_buf_putc(b, '}');
        sz_buf_free(&clean);
    }
}

static sz_status tokenize(sz_exchange *x, sz_reader *r, sz_buf *b) {
    const sz_tokenizer *t = sz_model_tokenizer(x->server->model);
    sz_buf text = {0};
    int32_t *ids = NULL;
    size_t n = 0;
    unsigned flags;
    bool rendered, pieces = false;
    sz_status status = sz_request_check_model(x, r);
    if (status == SZ_OK)
        status = sz_read_bool(r, "with_pieces", &pieces);
    if (status == SZ_OK)
        status = read_text(x, r, &text, &rendered);
    if (status == SZ_OK)
        status = read_flags(r, rendered, &flags);
    if (status == SZ_OK)
        status = sz_tokenizer_encode(t, text.data ? text.data : "", text.len, flags, &ids, &n);
    if (status == SZ_OK) {
        sz_buf_puts(b, "{\"tokens\":[");
        put_ids(b, t, ids, n, pieces);
        sz_buf_printf(b, "],\"count\":%zu,\"max_model_len\":%u}", n,
                      sz_batcher_context(x->server->batcher));
    }
    sz_free(ids);
    sz_buf_free(&text);
    return status;
}

/* ---- /detokenize -------------------------------------------------------------------------------
 */

static sz_status detokenize(sz_exchange *x, sz_reader *r, sz_buf *b) {
    const sz_tokenizer *t = sz_model_tokenizer(x->server->model);
    const sz_json *list = NULL;
    sz_buf text = {0};
    bool special = true;
    sz_status status = SZ_OK;
    SZ_TRY(sz_request_check_model(x, r));
    SZ_TRY(sz_read_array(r, "tokens", &list));
    SZ_TRY(sz_read_bool(r, "special", &special));
    if (!list)
        return sz_read_fail(r, "tokens", "is missing");
    for (const sz_json *c = list->u.child; c && status == SZ_OK; c = c->next) {
        if (c->type != SZ_JSON_INT || c->u.i < 0 || c->u.i >= sz_tokenizer_n_vocab(t)) {
            status = sz_read_fail(r, "tokens", "has a member that is not an id of the vocabulary");
            break;
        }
        int32_t id = (int32_t)c->u.i;
        status = sz_tokenizer_decode(t, &id, 1, special, c == list->u.child, &text);
    }
    if (status == SZ_OK) {
        const char *s = text.data ? text.data : "";
        sz_buf_puts(b, "{\"content\":");
        sz_json_quote(b, s, text.len);
        sz_buf_puts(b, ",\"prompt\":"); /* as vLLM calls it */
        sz_json_quote(b, s, text.len);
        sz_buf_putc(b, '}');
    }
    b->failed |= text.failed;
    sz_buf_free(&text);
    return status;
}

/* ---- /apply-template ---------------------------------------------------------------------------
 */

static sz_status apply_template(sz_exchange *x, sz_reader *r, sz_buf *b) {
    sz_buf text = {0};
    sz_status status = sz_prompt_from_messages(x, r, &text);
    if (status == SZ_OK) {
        sz_buf_puts(b, "{\"prompt\":");
        sz_json_quote(b, text.data ? text.data : "", text.len);
        sz_buf_putc(b, '}');
    }
    sz_buf_free(&text);
    return status;
}

static void answer(sz_exchange *x, sz_status (*make)(sz_exchange *, sz_reader *, sz_buf *)) {
    sz_arena *arena;
    sz_reader r;
    sz_buf b = {0};
    if (!sz_exchange_object(x, &arena, &r))
        return;
    sz_status status = make(x, &r, &b);
    if (status == SZ_OK) {
        sz_answer_json(x, 200, &b);
    } else {
        sz_answer_status(x, status, r.at_fault);
        sz_buf_free(&b);
    }
    sz_arena_free(arena);
}

void sz_api_tokenize(sz_exchange *x) {
    answer(x, tokenize);
}

void sz_api_detokenize(sz_exchange *x) {
    answer(x, detokenize);
}

void sz_api_apply_template(sz_exchange *x) {
    answer(x, apply_template);
}

/* ---- /tokenizer_info ---------------------------------------------------------------------------
 */

static void put_special(sz_buf *b, const char *key, const sz_tokenizer *t, int32_t id) {
    sz_buf_printf(b, ",\"%s\":", key);
    if (id >= 0)
        sz_put_piece(b, t, id);
    else
        sz_buf_puts(b, "null");
    sz_buf_printf(b, ",\"%s_id\":", key);
    if (id >= 0)
        sz_buf_printf(b, "%d", id);
    else
        sz_buf_puts(b, "null");
}

static void put_template(sz_buf *b, const sz_model *m) {
    const sz_gguf *g = sz_model_gguf(m);
    sz_str source;
    sz_buf_puts(b, ",\"chat_template\":");
    if (sz_gguf_find(g, "tokenizer.chat_template") &&
        sz_gguf_get_str(g, "tokenizer.chat_template", &source) == SZ_OK)
        sz_json_quote(b, source.s, source.n);
    else
        sz_buf_puts(b, "null");
}

void sz_api_tokenizer_info(sz_exchange *x) {
    const sz_tokenizer *t = sz_model_tokenizer(x->server->model);
    sz_buf b = {0};
    sz_buf_printf(&b, "{\"vocab_size\":%u", sz_tokenizer_n_vocab(t));
    put_special(&b, "bos_token", t, sz_tokenizer_bos(t));
    put_special(&b, "eos_token", t, sz_tokenizer_eos(t));
    put_special(&b, "eot_token", t, sz_tokenizer_eot(t));
    sz_buf_printf(&b, ",\"add_bos_token\":%s", sz_tokenizer_add_bos(t) ? "true" : "false");
    put_template(&b, x->server->model);
    sz_buf_putc(&b, '}');
    sz_answer_json(x, 200, &b);
}
