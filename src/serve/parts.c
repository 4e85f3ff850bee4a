/* parts.c: see parts.h. */
#include "parts.h"

#include <string.h>

static const char open_thought[] = "<think>", close_thought[] = "</think>",
                  open_call[] = "<tool_call>", close_call[] = "</tool_call>",
                  bare_call[] = "{"; /* some models leave the marks out */

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The mark that may stand next; NULL: there are no more. blank: nothing else comes before it. */
static const char *marks_of(const sz_text_parts *p, bool blank, int i) {
    if (p->phase == SZ_PHASE_THOUGHT)
        return i == 0 ? close_thought : NULL;
    if (p->thoughts && !p->began && blank)
        return i == 0 ? open_thought : i == 1 && p->calls ? open_call : NULL;
    return i == 0 && p->calls ? open_call : NULL;
}

/* Whether text[at..n) begins with the mark; *partly: it ends within it. */
static bool stands(const char *text, size_t at, size_t n, const char *mark, bool *partly) {
    size_t length = strlen(mark), left = n - at;
    if (memcmp(text + at, mark, left < length ? left : length) != 0)
        return false;
    *partly |= left < length;
    return left >= length;
}

/* Whether a call without marks may begin here. */
static bool begins_bare(const sz_text_parts *p, bool blank, char c) {
    return p->calls && !p->spoke && p->phase == SZ_PHASE_TEXT && blank && c == bare_call[0];
}

/* The first mark at or after p->at; else NULL, and *end is where a mark may begin. */
static const char *find(const sz_text_parts *p, const char *text, size_t n, bool last,
                        size_t *end) {
    bool blank = true; /* so far */
    for (size_t at = p->at; at < n; blank &= is_blank(text[at++])) {
        bool partly = false;
        *end = at;
        if (begins_bare(p, blank, text[at]))
            return bare_call;
        for (int i = 0; marks_of(p, blank, i); i++)
            if (stands(text, at, n, marks_of(p, blank, i), &partly))
                return marks_of(p, blank, i);
        if (partly && !last)
            return NULL;
    }
    *end = n;
    return NULL;
}

static void put(sz_text_parts *p, const char *text, size_t end, sz_buf *said, sz_buf *thought) {
    size_t from = p->at;
    while (p->skip_space && from < end && is_blank(text[from]))
        from++;
    p->at = end;
    if (from == end)
        return;
    p->skip_space = false;
    sz_buf_append(p->phase == SZ_PHASE_THOUGHT ? thought : said, text + from, end - from);
    for (size_t i = from; i < end && p->phase == SZ_PHASE_TEXT; i++)
        p->spoke |= !is_blank(text[i]);
    p->began |= p->spoke;
}

static void pass(sz_text_parts *p, const char *mark, size_t at) {
    p->at = at + strlen(mark);
    if (mark == open_call || mark == bare_call) {
        p->phase = SZ_PHASE_CALLS;
        p->calls_from = at;
        return;
    }
    p->phase = mark == open_thought ? SZ_PHASE_THOUGHT : SZ_PHASE_TEXT;
    p->began |= mark == close_thought;
    p->skip_space = true;
}

void sz_text_split(sz_text_parts *p, const char *text, size_t n, bool last, sz_buf *said,
                   sz_buf *thought) {
    const char *mark;
    size_t end;
    if (p->phase == SZ_PHASE_CALLS)
        return;
    while (p->phase != SZ_PHASE_CALLS && (mark = find(p, text, n, last, &end))) {
        put(p, text, end, said, thought);
        pass(p, mark, end);
    }
    if (p->phase != SZ_PHASE_CALLS)
        put(p, text, end, said, thought);
}

/* ---- Calls -------------------------------------------------------------------------------------
 */

/* bare: without marks, so that only what has both members is a call. */
static bool put_call(const char *text, size_t n, const char *id, size_t k, bool index, bool bare,
                     sz_buf *out) {
    sz_arena *arena;
    sz_json *call;
    sz_buf arguments = {0};
    if (sz_arena_new(1 << 12, &arena) != SZ_OK)
        return false;
    sz_arena_set_limit(arena, (1 << 16) + 64 * n);
    const sz_json *name = NULL, *values = NULL;
    if (sz_json_parse(text, n, arena, &call) == SZ_OK && call->type == SZ_JSON_OBJECT) {
        name = sz_json_get(call, "name");
        values = sz_json_get(call, "arguments");
        values = values ? values : sz_json_get(call, "parameters");
    }
    bool good = name && name->type == SZ_JSON_STRING && (values || !bare);
    if (good) {
        if (values && values->type == SZ_JSON_STRING)
            sz_buf_append(&arguments, values->u.s, values->n);
        else if (values)
            sz_json_put(&arguments, values);
        else
            sz_buf_puts(&arguments, "{}");
        sz_buf_puts(out, k ? ",{" : "{");
        if (index)
            sz_buf_printf(out, "\"index\":%zu,", k);
        sz_buf_printf(
            out, "\"id\":\"call_%s_%zu\",\"type\":\"function\",\"function\":{\"name\":", id, k);
        sz_json_quote(out, name->u.s, name->n);
        sz_buf_puts(out, ",\"arguments\":");
        sz_json_quote(out, arguments.data ? arguments.data : "", arguments.len);
        sz_buf_puts(out, "}}");
    }
    sz_buf_free(&arguments);
    sz_arena_free(arena);
    return good;
}

size_t sz_text_calls(const char *text, size_t n, const char *id, bool index, sz_buf *out) {
    const char *end = text + n;
    size_t k = 0, before = out->len;
    sz_buf_putc(out, '[');
    while (text < end) {
        const char *open = memmem(text, (size_t)(end - text), open_call, sizeof open_call - 1);
        if (!open)
            break;
        open += sizeof open_call - 1;
        const char *close = memmem(open, (size_t)(end - open), close_call, sizeof close_call - 1);
        const char *stop = close ? close : end;
        if (put_call(open, (size_t)(stop - open), id, k, index, false, out))
            k++;
        text = close ? close + sizeof close_call - 1 : end;
    }
    if (k == 0 && put_call(end - n, n, id, 0, index, true, out))
        k = 1;
    sz_buf_putc(out, ']');
    if (k == 0 && !out->failed)
        out->len = before;
    return k;
}
