/* dialogue.c: messages, their rendering with the file's chat template, and forgetting the oldest.
 */
#include "dialogue.h"
#include <stdlib.h>
#include <string.h>

const char *const sz_role_names[] = {"system", "user", "assistant", NULL};

/* ---- The list of messages -------------------------------------------------------------------- */

static sz_status insert(sz_dialogue *d, size_t at, sz_role role, const char *text, size_t n) {
    if (d->n == d->cap) {
        size_t cap = d->cap ? 2 * d->cap : 16;
        sz_message *more = realloc(d->v, cap * sizeof *more);
        SZ_REQUIRE(more, SZ_E_NOMEM, "out of memory for a message");
        d->v = more;
        d->cap = cap;
    }
    char *copy = sz_strndup(text, n);
    SZ_REQUIRE(copy, SZ_E_NOMEM, "out of memory for a message");
    memmove(d->v + at + 1, d->v + at, (d->n - at) * sizeof *d->v);
    d->v[at] = (sz_message){role, copy};
    d->n++;
    return SZ_OK;
}

static void remove_range(sz_dialogue *d, size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        sz_free(d->v[i].text);
    memmove(d->v + from, d->v + to, (d->n - to) * sizeof *d->v);
    d->n -= to - from;
}

sz_status sz_dialogue_add(sz_dialogue *d, sz_role role, const char *text, size_t n) {
    return insert(d, d->n, role, text, n);
}

void sz_dialogue_truncate(sz_dialogue *d, size_t n) {
    if (n < d->n)
        remove_range(d, n, d->n);
}

size_t sz_dialogue_before_question(const sz_dialogue *d) {
    size_t n = d->n;
    while (n > 0 && d->v[n - 1].role != SZ_ROLE_USER)
        n--;
    return n > 0 ? n - 1 : SIZE_MAX;
}

void sz_dialogue_free(sz_dialogue *d) {
    sz_dialogue_truncate(d, 0);
    free(d->v);
    *d = (sz_dialogue){0};
}

static bool has_system(const sz_dialogue *d) {
    return d->n > 0 && d->v[0].role == SZ_ROLE_SYSTEM;
}

const char *sz_dialogue_system(const sz_dialogue *d) {
    return has_system(d) ? d->v[0].text : NULL;
}

sz_status sz_dialogue_set_system(sz_dialogue *d, const char *text) {
    if (has_system(d))
        remove_range(d, 0, 1);
    return text ? insert(d, 0, SZ_ROLE_SYSTEM, text, strlen(text)) : SZ_OK;
}

/* ---- Forgetting ------------------------------------------------------------------------------ */

/* Where the younger half of a text begins: after a line or a word if one ends in its first
 * quarter, else at a character. */
static size_t younger_half(const char *s, size_t n) {
    static const char *const ends[] = {"\n", " "};
    for (int i = 0; i < 2; i++) {
        const char *p = memchr(s + n / 2, ends[i][0], n / 4);
        if (p)
            return (size_t)(p - s) + 1;
    }
    size_t at = n / 2;
    while (at < n && (s[at] & 0xC0) == 0x80)
        at++;
    return at;
}

static bool halve_text(sz_dialogue *d) {
    sz_buf all = {0};
    for (size_t i = 0; i < d->n; i++)
        sz_buf_puts(&all, d->v[i].text);
    size_t from = younger_half(all.data ? all.data : "", all.len);
    bool ok = !all.failed && from > 0 && from < all.len;
    if (ok) {
        sz_dialogue_truncate(d, 0);
        ok = sz_dialogue_add(d, SZ_ROLE_USER, all.data + from, all.len - from) == SZ_OK;
    }
    sz_buf_free(&all);
    return ok;
}

bool sz_dialogue_drop_oldest(sz_dialogue *d) {
    if (d->raw)
        return halve_text(d);
    size_t first = has_system(d), next = first + 1;
    while (next < d->n && d->v[next].role != SZ_ROLE_USER)
        next++;
    if (next >= d->n)
        return false;
    remove_range(d, first, next);
    return true;
}

/* ---- Token ids --------------------------------------------------------------------------------*/

static sz_status encode(const sz_model *model, const char *text, size_t n, int32_t **ids,
                        size_t *n_ids) {
    const sz_tokenizer *t = sz_model_tokenizer(model);
    int32_t *plain, bos = sz_tokenizer_bos(t);
    size_t n_plain;
    SZ_TRY(sz_tokenizer_encode(t, text, n, SZ_TOKENIZE_CONTROL, &plain, &n_plain));
    /* Begin-of-text where the file asks for it and the template has not put it. No end-of-text: the
     * text goes on. */
    bool add = sz_tokenizer_add_bos(t) && !(n_plain > 0 && plain[0] == bos);
    int32_t *all = add ? sz_alloc((n_plain + 1) * sizeof *all) : plain;
    if (add && all) {
        all[0] = bos;
        if (n_plain)
            memcpy(all + 1, plain, n_plain * sizeof *all);
    }
    if (add)
        sz_free(plain);
    SZ_REQUIRE(all, SZ_E_NOMEM, "out of memory for %zu tokens", n_plain);
    *ids = all;
    *n_ids = n_plain + add;
    return SZ_OK;
}

static bool ends_in(const char *s, const char *tag) {
    size_t n = strlen(s), m = strlen(tag);
    while (n > 0 && strchr(" \t\r\n", s[n - 1]))
        n--;
    return n >= m && memcmp(s + n - m, tag, m) == 0;
}

static sz_status render(const sz_dialogue *d, const sz_model *model, int32_t **ids, size_t *n,
                        bool *in_thought) {
    sz_buf messages = {0};
    char *prompt = NULL;
    sz_dialogue_json(d, &messages);
    sz_status status = messages.failed ? sz_fail(SZ_E_NOMEM, "out of memory for the messages")
                                       : sz_model_render_chat(model, messages.data, NULL,
                                                              d->variables, true, &prompt);
    if (status == SZ_OK)
        status = encode(model, prompt, strlen(prompt), ids, n);
    if (status == SZ_OK)
        *in_thought = ends_in(prompt, "<think>");
    sz_string_free(prompt);
    sz_buf_free(&messages);
    return status;
}

static sz_status join(const sz_dialogue *d, const sz_model *model, int32_t **ids, size_t *n) {
    sz_buf text = {0};
    for (size_t i = 0; i < d->n; i++)
        sz_buf_puts(&text, d->v[i].text);
    sz_status status = text.failed ? sz_fail(SZ_E_NOMEM, "out of memory for the text")
                                   : encode(model, text.data, text.len, ids, n);
    sz_buf_free(&text);
    return status;
}

sz_status sz_dialogue_ids(const sz_dialogue *d, const sz_model *model, int32_t **ids, size_t *n,
                          bool *in_thought) {
    *in_thought = false;
    return d->raw ? join(d, model, ids, n) : render(d, model, ids, n, in_thought);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

void sz_dialogue_json(const sz_dialogue *d, sz_buf *b) {
    sz_buf_putc(b, '[');
    for (size_t i = 0; i < d->n; i++) {
        sz_buf_printf(b, "%s{\"role\":\"%s\",\"content\":", i ? ",\n " : "",
                      sz_role_names[d->v[i].role]);
        sz_json_quote(b, d->v[i].text, strlen(d->v[i].text));
        sz_buf_putc(b, '}');
    }
    sz_buf_putc(b, ']');
}

static sz_status add_parsed(sz_dialogue *d, const sz_json *message, size_t i) {
    const sz_json *role = sz_json_get(message, "role"), *content = sz_json_get(message, "content");
    SZ_REQUIRE(role && role->type == SZ_JSON_STRING && content && content->type == SZ_JSON_STRING,
               SZ_E_FORMAT, "message %zu: not an object with the strings role and content", i);
    int known = 0;
    while (sz_role_names[known] && strcmp(sz_role_names[known], role->u.s) != 0)
        known++;
    SZ_REQUIRE(sz_role_names[known], SZ_E_FORMAT,
               "message %zu: role '%s' is not system, user or assistant", i, role->u.s);
    SZ_REQUIRE(known != SZ_ROLE_SYSTEM || i == 0, SZ_E_FORMAT,
               "message %zu: a system message stands at the beginning only", i);
    return sz_dialogue_add(d, (sz_role)known, content->u.s, strlen(content->u.s));
}

static sz_status parse(sz_dialogue *d, const char *json, size_t n, sz_arena *arena) {
    sz_json *list;
    SZ_TRY(sz_json_parse(json, n, arena, &list));
    SZ_REQUIRE(list->type == SZ_JSON_ARRAY, SZ_E_FORMAT, "not a JSON array of messages");
    size_t i = 0;
    for (const sz_json *m = list->u.child; m; m = m->next)
        SZ_TRY(add_parsed(d, m, i++));
    return SZ_OK;
}

sz_status sz_dialogue_parse(sz_dialogue *d, const char *json, size_t n) {
    sz_dialogue fresh = {.raw = d->raw, .variables = d->variables};
    sz_arena *arena;
    SZ_TRY(sz_arena_new(1 << 16, &arena));
    sz_status status = parse(&fresh, json, n, arena);
    sz_arena_free(arena);
    if (status != SZ_OK) {
        sz_dialogue_free(&fresh);
        return status;
    }
    sz_dialogue_free(d);
    *d = fresh;
    return SZ_OK;
}
