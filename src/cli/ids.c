/* ids.c: token ids from JSON or from plain words. */
#include "ids.h"
#include <string.h>

typedef struct list {
    const char *source;
    uint32_t n_vocab;
    int32_t *ids;
    size_t n, cap;
} list;

static sz_status add(list *l, int64_t id) {
    SZ_REQUIRE(id >= 0 && id < (int64_t)l->n_vocab, SZ_E_ARG,
               "%s: id %lld at position %zu is not in the vocabulary of %u tokens", l->source,
               (long long)id, l->n, l->n_vocab);
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 256;
        int32_t *more = sz_realloc(l->ids, l->n * sizeof *more, cap * sizeof *more);
        SZ_REQUIRE(more, SZ_E_NOMEM, "%s: no memory for %zu ids", l->source, cap);
        l->ids = more;
        l->cap = cap;
    }
    l->ids[l->n++] = (int32_t)id;
    return SZ_OK;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static const uint64_t most_memory = 4ull << 30; /* of the parsed JSON */

static sz_status add_array(list *l, const sz_json *array) {
    for (const sz_json *v = array->u.child; v; v = v->next) {
        SZ_REQUIRE(v->type == SZ_JSON_INT, SZ_E_FORMAT,
                   "%s: the element at position %zu is not a whole number", l->source, l->n);
        SZ_TRY(add(l, v->u.i));
    }
    return SZ_OK;
}

static sz_status parse_json(list *l, const char *text, size_t n, sz_arena *arena) {
    sz_json *v;
    sz_arena_set_limit(arena, most_memory);
    sz_status status = sz_json_parse(text, n, arena, &v);
    if (status != SZ_OK)
        return sz_fail_within(status, "%s", l->source);
    const sz_json *array = v->type == SZ_JSON_OBJECT ? sz_json_get(v, "ids") : v;
    SZ_REQUIRE(array && array->type == SZ_JSON_ARRAY, SZ_E_FORMAT,
               "%s: neither an array of ids nor an object with one under \"ids\"", l->source);
    return add_array(l, array);
}

/* ---- Words ----------------------------------------------------------------------------------- */

static bool is_between(char c) {
    return c == ' ' || c == ',' || (c >= '\t' && c <= '\r');
}

static sz_status add_word(list *l, const char *word, size_t n) {
    int64_t id = 0;
    size_t digits = 0;
    while (digits < n && word[digits] >= '0' && word[digits] <= '9' && id < INT32_MAX)
        id = 10 * id + (word[digits++] - '0');
    SZ_REQUIRE(n > 0 && digits == n, SZ_E_FORMAT, "%s: '%.*s' at position %zu is not a token id",
               l->source, (int)(n < 40 ? n : 40), word, l->n);
    return add(l, id);
}

static sz_status parse_words(list *l, const char *text, size_t n) {
    for (size_t at = 0; at < n;) {
        size_t from = at;
        while (at < n && !is_between(text[at]))
            at++;
        if (at > from)
            SZ_TRY(add_word(l, text + from, at - from));
        while (at < n && is_between(text[at]))
            at++;
    }
    return SZ_OK;
}

sz_status sz_ids_parse(const char *source, const char *text, size_t n_text, uint32_t n_vocab,
                       int32_t **ids, size_t *n_ids) {
    list l = {.source = source, .n_vocab = n_vocab};
    sz_arena *arena = NULL;
    size_t at = 0;
    l.ids = sz_alloc((l.cap = 256) * sizeof *l.ids);
    SZ_REQUIRE(l.ids, SZ_E_NOMEM, "%s: no memory for ids", source);
    while (at < n_text && is_between(text[at]))
        at++;
    bool json = at < n_text && (text[at] == '[' || text[at] == '{');
    sz_status status = json ? sz_arena_new(1 << 16, &arena) : SZ_OK;
    if (status == SZ_OK)
        status = json ? parse_json(&l, text, n_text, arena) : parse_words(&l, text, n_text);
    sz_arena_free(arena);
    if (status != SZ_OK) {
        sz_free(l.ids);
        return status;
    }
    *ids = l.ids;
    *n_ids = l.n;
    return SZ_OK;
}
