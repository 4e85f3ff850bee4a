/* fuzz_json.c: any bytes as a JSON text; what parses is written out, and that reads back as itself.
 */
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/base.h>

enum { MOST_HEAP = 64 << 20 };

static void need(bool what) {
    if (!what)
        abort();
}

static void write_value(sz_buf *b, const sz_json *v, int depth) {
    static const char *const words[] = {"null", "false", "true"};
    need(depth <= 128);
    bool object = v->type == SZ_JSON_OBJECT;
    uint32_t n = 0;
    switch (v->type) {
    case SZ_JSON_NULL:
    case SZ_JSON_FALSE:
    case SZ_JSON_TRUE:
        sz_buf_puts(b, words[v->type]);
        return;
    case SZ_JSON_INT:
        sz_buf_printf(b, "%lld", (long long)v->u.i);
        return;
    case SZ_JSON_FLOAT:
        sz_json_number(b, v->u.f);
        return;
    case SZ_JSON_STRING:
        need(v->u.s[v->n] == '\0');
        sz_json_quote(b, v->u.s, v->n);
        return;
    default:
        break;
    }
    sz_buf_putc(b, object ? '{' : '[');
    for (const sz_json *child = v->u.child; child; child = child->next, n++) {
        need((child->key != NULL) == object);
        if (n)
            sz_buf_putc(b, ',');
        if (object) {
            need(strlen(child->key) != child->key_n || sz_json_get(v, child->key) == child);
            sz_json_quote(b, child->key, child->key_n);
            sz_buf_putc(b, ':');
        }
        write_value(b, child, depth + 1);
    }
    need(n == v->n);
    sz_buf_putc(b, object ? '}' : ']');
}

/* The text of the value in `text`, or nothing if it is not JSON. */
static bool rewrite(const char *text, size_t n, sz_buf *out) {
    sz_arena *arena;
    sz_json *v = NULL;
    need(sz_arena_new(4096, &arena) == SZ_OK);
    sz_arena_set_limit(arena, MOST_HEAP);
    bool parsed = sz_json_parse(text, n, arena, &v) == SZ_OK;
    need(parsed == (v != NULL));
    if (parsed)
        write_value(out, v, 0);
    else
        need(strncmp(sz_last_error(), "JSON line ", 10) == 0);
    sz_arena_free(arena);
    return parsed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sz_buf once = {0}, twice = {0};
    if (rewrite((const char *)data, size, &once)) {
        need(rewrite(once.data, once.len, &twice));
        need(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
    }
    sz_buf_free(&once);
    sz_buf_free(&twice);
    return 0;
}
