/* text.c: the model's text functions of szilard.h, over its tokenizer and chat template. */
#include <string.h>
#include <time.h>

#include "model.h"

const char *sz_model_piece(const sz_model *m, int32_t id) {
    return sz_tokenizer_piece(m->tokenizer, id, NULL);
}

bool sz_model_is_end(const sz_model *m, int32_t id) {
    return sz_tokenizer_is_end(m->tokenizer, id);
}

sz_status sz_model_tokenize(const sz_model *m, const char *text, size_t n_text, bool special,
                            int32_t *ids, size_t cap, size_t *n_ids) {
    int32_t *all;
    size_t n;
    unsigned flags = special ? SZ_TOKENIZE_CONTROL | SZ_TOKENIZE_BOS : 0;
    SZ_TRY(sz_tokenizer_encode(m->tokenizer, text, n_text, flags, &all, &n));
    if (n <= cap && n > 0)
        memcpy(ids, all, n * sizeof *ids);
    sz_free(all);
    *n_ids = n;
    SZ_REQUIRE(n <= cap, SZ_E_LIMIT, "%zu token ids do not fit into %zu", n, cap);
    return SZ_OK;
}

sz_status sz_model_detokenize(const sz_model *m, const int32_t *ids, size_t n_ids, bool special,
                              char *text, size_t cap, size_t *n_text) {
    sz_buf b = {0};
    sz_status status = sz_tokenizer_decode(m->tokenizer, ids, n_ids, special, true, &b);
    if (status == SZ_OK && b.failed)
        status = sz_fail(SZ_E_NOMEM, "no memory for the text of %zu tokens", n_ids);
    if (status == SZ_OK && b.len <= cap && b.len > 0)
        memcpy(text, b.data, b.len);
    if (status == SZ_OK) {
        *n_text = b.len;
        if (b.len > cap)
            status = sz_fail(SZ_E_LIMIT, "%zu bytes of text do not fit into %zu", b.len, cap);
    }
    sz_buf_free(&b);
    return status;
}

/* ---- Chat template --------------------------------------------------------------------------- */

static void put_token(sz_buf *b, const char *key, const sz_model *m, int32_t id) {
    size_t n = 0;
    const char *piece = sz_tokenizer_piece(m->tokenizer, id, &n);
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_quote(b, piece ? piece : "", n);
}

/* The members of a JSON object without its braces, from any text of one object. */
static sz_status put_extra(sz_buf *b, const char *extra, sz_arena *arena) {
    sz_json *object;
    if (!extra)
        return SZ_OK;
    sz_status status = sz_json_parse(extra, strlen(extra), arena, &object);
    if (status != SZ_OK)
        return sz_fail_within(status, "template variables");
    SZ_REQUIRE(object->type == SZ_JSON_OBJECT, SZ_E_ARG, "template variables: not a JSON object");
    const char *from = strchr(extra, '{'), *to = strrchr(extra, '}');
    if (object->n > 0) {
        sz_buf_putc(b, ',');
        sz_buf_append(b, from + 1, (size_t)(to - from - 1));
    }
    return SZ_OK;
}

static sz_status render(const sz_model *m, const sz_buf *variables, sz_arena *arena, char **out) {
    sz_json *object;
    sz_buf text = {0};
    SZ_REQUIRE(!variables->failed, SZ_E_NOMEM, "no memory for the template's variables");
    SZ_TRY(sz_json_parse(variables->data, variables->len, arena, &object));
    sz_status status =
        sz_template_render(m->chat_template, object, (int64_t)time(NULL), NULL, &text);
    if (status == SZ_OK && !text.data)
        sz_buf_puts(&text, "");
    if (status == SZ_OK) {
        *out = sz_strndup(text.data ? text.data : "", text.len);
        if (!*out)
            status = sz_fail(SZ_E_NOMEM, "no memory for the rendered template");
    }
    sz_buf_free(&text);
    return status;
}

/* Why the model has no template: the file has none, or one that cannot be parsed. */
static sz_status no_template(const sz_model *m) {
    sz_template *t = NULL;
    sz_str source;
    SZ_REQUIRE(sz_gguf_find(m->gguf, "tokenizer.chat_template"), SZ_E_NOTFOUND,
               "%s: the file has no usable tokenizer.chat_template", sz_gguf_name(m->gguf));
    SZ_TRY(sz_gguf_get_str(m->gguf, "tokenizer.chat_template", &source));
    sz_status status = sz_template_parse(source.s, source.n, &t);
    sz_template_free(t);
    return sz_fail_within(status == SZ_OK ? SZ_E_STATE : status, "%s: tokenizer.chat_template",
                          sz_gguf_name(m->gguf));
}

sz_status sz_model_render_chat(const sz_model *m, const char *messages_json, const char *tools_json,
                               const char *extra_json, bool add_generation_prompt, char **out) {
    if (!m->chat_template)
        return no_template(m);
    sz_arena *arena;
    SZ_TRY(sz_arena_new(1 << 16, &arena));
    sz_buf b = {0};
    sz_buf_printf(&b, "{\"messages\":%s", messages_json);
    if (tools_json)
        sz_buf_printf(&b, ",\"tools\":%s", tools_json);
    sz_buf_printf(&b, ",\"add_generation_prompt\":%s", add_generation_prompt ? "true" : "false");
    put_token(&b, "bos_token", m, sz_tokenizer_bos(m->tokenizer));
    put_token(&b, "eos_token", m, sz_tokenizer_eos(m->tokenizer));
    sz_status status = put_extra(&b, extra_json, arena);
    sz_buf_putc(&b, '}');
    if (status == SZ_OK)
        status = render(m, &b, arena, out);
    sz_buf_free(&b);
    sz_arena_free(arena);
    return status;
}

void sz_string_free(char *string) {
    sz_free(string);
}
