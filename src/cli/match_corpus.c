/* match_corpus.c: reads a corpus: folders walked in the order of names, documents cut into words.
 */
#include "match_corpus.h"
#include "paths.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEEPEST = 64 };

/* ---- Paths ----------------------------------------------------------------------------------- */

static sz_status add_path(sz_match_corpus *c, const char *path) {
    if (c->n_paths == c->cap_paths) {
        size_t cap = c->cap_paths ? 2 * c->cap_paths : 64;
        char **more = sz_realloc(c->path, c->n_paths * sizeof *more, cap * sizeof *more);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for %zu paths", cap);
        c->path = more;
        c->cap_paths = cap;
    }
    c->path[c->n_paths] = sz_strdup(path);
    SZ_REQUIRE(c->path[c->n_paths], SZ_E_NOMEM, "no memory for a path");
    c->n_paths++;
    return SZ_OK;
}

static sz_status walk(sz_match_corpus *c, const char *folder, int depth);

/* Regular files and folders; what else lies in a folder is passed over. */
static sz_status add_entry(sz_match_corpus *c, const char *folder, const char *name, int depth) {
    struct stat info;
    sz_buf path = {0};
    sz_buf_printf(&path, "%s/%s", folder, name);
    SZ_REQUIRE(!path.failed, SZ_E_NOMEM, "no memory for a path");
    sz_status status = SZ_OK;
    if (lstat(path.data, &info) == 0 && S_ISDIR(info.st_mode))
        status = walk(c, path.data, depth + 1);
    else if (stat(path.data, &info) == 0 && S_ISREG(info.st_mode))
        status = add_path(c, path.data);
    sz_buf_free(&path);
    return status;
}

static sz_status walk(sz_match_corpus *c, const char *folder, int depth) {
    struct dirent **entry;
    SZ_REQUIRE(depth < DEEPEST, SZ_E_LIMIT, "%s: folders nest deeper than %d", folder, DEEPEST);
    int n = scandir(folder, &entry, NULL, alphasort);
    SZ_REQUIRE(n >= 0, SZ_E_IO, "%s: cannot read the folder", folder);
    sz_status status = SZ_OK;
    for (int i = 0; i < n; i++) {
        if (status == SZ_OK && entry[i]->d_name[0] != '.')
            status = add_entry(c, folder, entry[i]->d_name, depth);
        free(entry[i]);
    }
    free(entry);
    return status;
}

static sz_status list_paths(sz_match_corpus *c, char *const *paths, size_t n) {
    struct stat info;
    for (size_t i = 0; i < n; i++)
        if (strcmp(paths[i], "-") != 0 && stat(paths[i], &info) == 0 && S_ISDIR(info.st_mode))
            SZ_TRY(walk(c, paths[i], 0));
        else
            SZ_TRY(add_path(c, paths[i]));
    SZ_REQUIRE(c->n_paths > 0, SZ_E_NOTFOUND, "%s: there is no file in it", paths[0]);
    return SZ_OK;
}

/* ---- Words ----------------------------------------------------------------------------------- */

static void add_symbol(sz_match_corpus *c, uint32_t symbol, uint64_t from, uint64_t to) {
    uint64_t place[2] = {from, to};
    sz_buf_append(&c->symbols, &symbol, sizeof symbol);
    sz_buf_append(&c->place, place, sizeof place);
    c->n_symbols++;
}

static bool in_word(unsigned char b) {
    return b >= 0x80 || (b >= '0' && b <= '9') || (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
}

/* Words as hashes (FNV), ASCII letters in lower case. */
static void add_words(sz_match_corpus *c, const char *text, size_t n, uint64_t base) {
    for (size_t i = 0; i < n;) {
        uint64_t h = 0xcbf29ce484222325u;
        size_t from = i;
        for (; i < n && in_word((unsigned char)text[i]); i++) {
            unsigned char b = (unsigned char)text[i];
            h = (h ^ (b >= 'A' && b <= 'Z' ? b + 32u : b)) * 0x100000001b3u;
        }
        if (i > from)
            add_symbol(c, (uint32_t)(h ^ h >> 32), base + from, base + i);
        else
            i++;
    }
}

static sz_status add_tokens(sz_match_corpus *c, const sz_tokenizer *t, const char *text, size_t n,
                            uint64_t base) {
    int32_t *ids;
    size_t n_ids, at = 0;
    SZ_TRY(sz_tokenizer_encode(t, text, n, 0, &ids, &n_ids));
    for (size_t i = 0; i < n_ids; i++) {
        size_t length = 0;
        sz_tokenizer_piece(t, ids[i], &length);
        size_t end = at + length < n ? at + length : n;
        add_symbol(c, (uint32_t)ids[i], base + at, base + end);
        at = end;
    }
    sz_free(ids);
    return SZ_OK;
}

static sz_status add_document(sz_match_corpus *c, const sz_tokenizer *t, sz_match_document d,
                              const char *text, size_t n, uint64_t base) {
    sz_status status = SZ_OK;
    if (t)
        status = add_tokens(c, t, text, n, base);
    else
        add_words(c, text, n, base);
    size_t end = c->n_symbols;
    sz_buf_append(&c->document, &d, sizeof d);
    sz_buf_append(&c->begin, &end, sizeof end);
    c->n_docs++;
    SZ_TRY(status);
    SZ_REQUIRE(!c->symbols.failed && !c->place.failed && !c->document.failed && !c->begin.failed,
               SZ_E_NOMEM, "no memory for a corpus of %zu words", c->n_symbols);
    return SZ_OK;
}

/* ---- Documents ------------------------------------------------------------------------------- */

/* The "text" of an object; what stands there without one is an error that names the line. */
static sz_status add_json(sz_match_corpus *c, const sz_tokenizer *t, sz_match_document d,
                          const char *line, size_t n) {
    sz_arena *arena;
    sz_json *v;
    SZ_TRY(sz_arena_new(1 << 16, &arena));
    sz_status status = sz_json_parse(line, n, arena, &v);
    const sz_json *text =
        status == SZ_OK && v->type == SZ_JSON_OBJECT ? sz_json_get(v, "text") : NULL;
    if (status == SZ_OK && (!text || text->type != SZ_JSON_STRING))
        status = sz_fail(SZ_E_FORMAT, "no object with a string under \"text\"");
    d.unescaped = true;
    if (status == SZ_OK)
        status = add_document(c, t, d, text->u.s, text->n, 0);
    else
        sz_fail_within(status, "%s: line %u", c->path[d.file], d.line);
    sz_arena_free(arena);
    return status;
}

static sz_status add_lines(sz_match_corpus *c, const sz_tokenizer *t, uint32_t file,
                           const char *text, size_t n) {
    bool json = sz_has_suffix(c->path[file], ".jsonl");
    sz_match_document d = {.file = file, .line = 1};
    for (size_t at = 0; at < n; d.line++) {
        const char *end = memchr(text + at, '\n', n - at);
        size_t length = end ? (size_t)(end - text) - at : n - at;
        if (!json)
            SZ_TRY(add_document(c, t, d, text + at, length, at));
        else if (length > 0)
            SZ_TRY(add_json(c, t, d, text + at, length));
        at += length + 1;
    }
    return SZ_OK;
}

static sz_status add_file(sz_match_corpus *c, const sz_tokenizer *t, uint32_t file,
                          sz_match_unit unit) {
    sz_buf text = {0};
    bool lines = unit == SZ_UNIT_LINE || sz_has_suffix(c->path[file], ".jsonl") ||
                 (unit == SZ_UNIT_AUTO && c->n_paths == 1);
    sz_status status = sz_cli_read(c->path[file], &text);
    if (status == SZ_OK && lines)
        status = add_lines(c, t, file, text.data, text.len);
    else if (status == SZ_OK)
        status = add_document(c, t, (sz_match_document){.file = file}, text.data, text.len, 0);
    sz_buf_free(&text);
    return status;
}

sz_status sz_match_corpus_read(char *const *paths, size_t n, sz_match_unit unit,
                               const sz_tokenizer *tokenizer, sz_match_corpus *out) {
    sz_match_corpus c = {0};
    size_t zero = 0;
    sz_buf_append(&c.begin, &zero, sizeof zero);
    sz_status status = list_paths(&c, paths, n);
    for (size_t i = 0; i < c.n_paths && status == SZ_OK; i++)
        status = add_file(&c, tokenizer, (uint32_t)i, unit);
    if (status != SZ_OK)
        sz_match_corpus_free(&c);
    else
        *out = c;
    return status;
}

void sz_match_corpus_free(sz_match_corpus *c) {
    for (size_t i = 0; i < c->n_paths; i++)
        sz_free(c->path[i]);
    sz_free(c->path);
    sz_buf_free(&c->symbols);
    sz_buf_free(&c->place);
    sz_buf_free(&c->begin);
    sz_buf_free(&c->document);
    *c = (sz_match_corpus){0};
}
