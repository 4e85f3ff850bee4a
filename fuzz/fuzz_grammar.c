/* fuzz_grammar.c: any bytes as a grammar, and any bytes as the text that it reads. The first byte
 * tells the notation (g GBNF, r regular expression, s JSON schema); a NUL byte ends the grammar. */
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/grammar.h>

static void need(bool what) {
    if (!what)
        abort();
}

static sz_status from_schema(const char *text, size_t n, sz_grammar **out) {
    sz_arena *arena;
    sz_json *schema;
    if (sz_arena_new(1 << 12, &arena) != SZ_OK)
        return SZ_E_NOMEM;
    sz_status status = sz_json_parse(text, n, arena, &schema);
    if (status == SZ_OK)
        status = sz_grammar_from_schema(schema, out);
    sz_arena_free(arena);
    return status;
}

static sz_status parse(char notation, const char *text, size_t n, sz_grammar **out) {
    if (notation == 'r')
        return sz_grammar_from_regex(text, n, out);
    return notation == 's' ? from_schema(text, n, out) : sz_grammar_parse(text, n, out);
}

/* The state after each byte is the same when it is asked for again. */
static void read_text(sz_grammar *g, const uint8_t *text, size_t n) {
    uint32_t at = sz_grammar_start(g);
    for (size_t i = 0; i < n && at != SZ_GRAMMAR_DEAD; i++) {
        uint32_t next, again;
        if (sz_grammar_step(g, at, text[i], &next) != SZ_OK)
            return;
        need(sz_grammar_step(g, at, text[i], &again) == SZ_OK && next == again);
        at = next;
    }
    need(at != SZ_GRAMMAR_DEAD || !sz_grammar_accepts(g, at));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    const uint8_t *text = memchr(data, 0, size);
    size_t n = text ? (size_t)(text - data) - (text > data) : size - 1;
    sz_grammar *g = NULL;
    if (parse((char)data[0], (const char *)data + 1, n, &g) != SZ_OK) {
        need(g == NULL && sz_last_error()[0]);
        return 0;
    }
    if (text)
        read_text(g, text + 1, size - (size_t)(text + 1 - data));
    sz_grammar_free(g);
    return 0;
}
