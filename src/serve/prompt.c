/* prompt.c: conversations as prompts, and prompts as ids. */
#include "api.h"

#include <string.h>

/* ---- Messages as the template wants them --------------------------------------------------------
 */

/* The text of a content that is written as parts; others than text are refused. */
static sz_status put_parts(sz_reader *r, const sz_json *parts, sz_buf *text) {
    for (const sz_json *p = parts->u.child; p; p = p->next) {
        const sz_json *type = p->type == SZ_JSON_OBJECT ? sz_json_get(p, "type") : NULL;
        const sz_json *t = p->type == SZ_JSON_OBJECT ? sz_json_get(p, "text") : NULL;
        const char *name = type && type->type == SZ_JSON_STRING ? type->u.s : "text";
        bool known = strcmp(name, "text") == 0 || strcmp(name, "input_text") == 0 ||
                     strcmp(name, "output_text") == 0 || strcmp(name, "refusal") == 0;
        if (!known || !t || t->type != SZ_JSON_STRING)
            return sz_read_fail(r, "messages", "has a part of type '%.40s': this model takes text",
                                name);
        sz_buf_append(text, t->u.s, t->n);
    }
    return SZ_OK;
}

static sz_status put_content(sz_reader *r, const sz_json *content, sz_buf *b) {
    sz_buf text = {0};
    if (content->type != SZ_JSON_ARRAY) {
        if (content->type != SZ_JSON_STRING && content->type != SZ_JSON_NULL)
            return sz_read_fail(r, "messages", "has a content that is neither a text nor parts");
        sz_json_put(b, content);
        return SZ_OK;
    }
    sz_status status = put_parts(r, content, &text);
    sz_json_quote(b, text.data ? text.data : "", text.len);
    b->failed |= text.failed;
    sz_buf_free(&text);
    return status;
}

/* Arguments come as a text of JSON; templates want them as the object that it is. */
static void put_arguments(sz_buf *b, const sz_json *v) {
    sz_arena *arena = NULL;
    sz_json *parsed;
    bool object = v->type == SZ_JSON_STRING && sz_arena_new(1 << 12, &arena) == SZ_OK &&
                  sz_json_parse(v->u.s, v->n, arena, &parsed) == SZ_OK &&
                  parsed->type == SZ_JSON_OBJECT;
    sz_json_put(b, object ? parsed : v);
    sz_arena_free(arena);
}

static void put_with_arguments(sz_buf *b, const sz_json *v);

static void put_member(sz_buf *b, const sz_json *c, bool first) {
    if (!first)
        sz_buf_putc(b, ',');
    sz_json_quote(b, c->key, c->key_n);
    sz_buf_putc(b, ':');
    if (strcmp(c->key, "arguments") == 0)
        put_arguments(b, c);
    else
        put_with_arguments(b, c);
}

static void put_with_arguments(sz_buf *b, const sz_json *v) {
    if (v->type != SZ_JSON_OBJECT && v->type != SZ_JSON_ARRAY) {
        sz_json_put(b, v);
        return;
    }
    bool object = v->type == SZ_JSON_OBJECT;
    sz_buf_putc(b, object ? '{' : '[');
    for (const sz_json *c = v->u.child; c; c = c->next) {
        if (object) {
            put_member(b, c, c == v->u.child);
            continue;
        }
        if (c != v->u.child)
            sz_buf_putc(b, ',');
        put_with_arguments(b, c);
    }
    sz_buf_putc(b, object ? '}' : ']');
}

static sz_status put_message(sz_reader *r, const sz_json *m, sz_buf *b) {
    const sz_json *role = m->type == SZ_JSON_OBJECT ? sz_json_get(m, "role") : NULL;
    if (!role || !sz_json_is_text(role))
        return sz_read_fail(r, "messages", "has a member that is no object with a role");
    sz_buf_puts(b, "{\"role\":");
    const char *name = strcmp(role->u.s, "developer") == 0 ? "system" : role->u.s;
    sz_json_quote(b, name, strlen(name));
    bool has_content = false;
    for (const sz_json *c = m->u.child; c; c = c->next) {
        if (c == role)
            continue;
        if (strcmp(c->key, "content") != 0) {
            sz_buf_putc(b, ',');
            put_member(b, c, true);
            continue;
        }
        has_content = true;
        sz_buf_puts(b, ",\"content\":");
        if (c->type == SZ_JSON_NULL)
            sz_buf_puts(b, "\"\"");
        else
            SZ_TRY(put_content(r, c, b));
    }
    if (!has_content)
        sz_buf_puts(b, ",\"content\":\"\"");
    sz_buf_putc(b, '}');
    return SZ_OK;
}

static sz_status put_messages(sz_reader *r, const sz_json *list, sz_buf *b) {
    sz_buf_putc(b, '[');
    for (const sz_json *m = list->u.child; m; m = m->next) {
        if (m != list->u.child)
            sz_buf_putc(b, ',');
        SZ_TRY(put_message(r, m, b));
    }
    sz_buf_putc(b, ']');
    SZ_REQUIRE(!b->failed, SZ_E_NOMEM, "no memory for the messages");
    return SZ_OK;
}

/* ---- Rendering ---------------------------------------------------------------------------------
 */

static sz_status render(const sz_exchange *x, sz_reader *r, const sz_buf *messages, sz_buf *out) {
    const sz_json *tools = NULL, *extra = NULL;
    sz_buf tools_json = {0}, extra_json = {0};
    char *text = NULL;
    bool generate = true;
    sz_tool_choice choice;
    SZ_TRY(sz_read_array(r, "tools", &tools));
    SZ_TRY(sz_read_object(r, "chat_template_kwargs", &extra));
    SZ_TRY(sz_read_bool(r, "add_generation_prompt", &generate));
    SZ_TRY(sz_read_tool_choice(r, &choice));
    if (tools && tools->n > 0 && choice.mode != SZ_TOOLS_NONE)
        sz_json_put(&tools_json, tools);
    if (extra)
        sz_json_put(&extra_json, extra);
    sz_status status = sz_model_render_chat(x->server->model, messages->data, tools_json.data,
                                            extra_json.data, generate, &text);
    if (status == SZ_OK)
        sz_buf_puts(out, text);
    else
        r->at_fault = "messages";
    sz_string_free(text);
    sz_buf_free(&tools_json);
    sz_buf_free(&extra_json);
    return status;
}

sz_status sz_prompt_from_messages(const sz_exchange *x, sz_reader *r, sz_buf *out) {
    const sz_json *list = NULL;
    sz_buf messages = {0};
    SZ_TRY(sz_read_array(r, "messages", &list));
    if (!list || list->n == 0)
        return sz_read_fail(r, "messages", "is missing or empty");
    sz_status status = put_messages(r, list, &messages);
    if (status == SZ_OK)
        status = render(x, r, &messages, out);
    sz_buf_free(&messages);
    return status;
}

sz_status sz_prompt_ids(const sz_model *m, const char *text, size_t n, int32_t **ids,
                        size_t *n_ids) {
    const sz_tokenizer *t = sz_model_tokenizer(m);
    int32_t *plain, *all, bos = sz_tokenizer_bos(t);
    size_t n_plain;
    SZ_TRY(sz_tokenizer_encode(t, text, n, SZ_TOKENIZE_CONTROL, &plain, &n_plain));
    if (!sz_tokenizer_add_bos(t) || (n_plain > 0 && plain[0] == bos)) {
        *ids = plain;
        *n_ids = n_plain;
        return SZ_OK;
    }
    all = sz_alloc((n_plain + 1) * sizeof *all);
    if (all) {
        all[0] = bos;
        if (n_plain)
            memcpy(all + 1, plain, n_plain * sizeof *all);
    }
    sz_free(plain);
    SZ_REQUIRE(all, SZ_E_NOMEM, "no memory for %zu tokens", n_plain);
    *ids = all;
    *n_ids = n_plain + 1;
    return SZ_OK;
}
