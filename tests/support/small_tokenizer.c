#include "small_tokenizer.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

sz_status vectors_open(const char *folder, const char *name, sz_arena **arena, sz_json **out) {
    char path[512];
    sz_buf text = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    SZ_TRY(sz_arena_new(1 << 20, arena));
    sz_status status = sz_file_read(path, 1 << 24, &text);
    if (status == SZ_OK)
        status = sz_json_parse(text.data, text.len, *arena, out);
    sz_buf_free(&text);
    return status;
}

/* ---- Learned vocabularies -------------------------------------------------------------------- */

static void put_texts(sz_gguf_writer *w, const char *key, const sz_json *array, sz_arena *arena) {
    sz_str *s = sz_arena_alloc(arena, array->n * sizeof *s);
    size_t n = 0;
    for (const sz_json *i = array->u.child; s && i; i = i->next)
        s[n++] = (sz_str){i->u.s, i->n};
    sz_gguf_put_strs(w, key, s, n);
}

/* As converters to GGUF spell WordPiece: a token that begins a word has a mark, a rest has none. */
static void put_wordpiece(sz_gguf_writer *w, const sz_json *tokens, sz_arena *arena) {
    sz_str *s = sz_arena_alloc(arena, tokens->n * sizeof *s);
    int32_t *type = sz_arena_alloc(arena, tokens->n * sizeof *type);
    size_t n = 0;
    for (const sz_json *i = tokens->u.child; s && type && i; i = i->next, n++) {
        bool special = i->n > 2 && i->u.s[0] == '[' && i->u.s[i->n - 1] == ']';
        bool rest = i->n > 2 && strncmp(i->u.s, "##", 2) == 0;
        char *text = sz_arena_alloc_small(arena, i->n + 4);
        type[n] = special ? 3 : 1;
        int length =
            sprintf(text, "%s%s", special || rest ? "" : "\xE2\x96\x81", i->u.s + 2 * rest);
        s[n] = (sz_str){text, (size_t)length};
    }
    sz_gguf_put_strs(w, "tokenizer.ggml.tokens", s, n);
    sz_gguf_put_i32s(w, "tokenizer.ggml.token_type", type, n);
    sz_gguf_put_u32(w, "tokenizer.ggml.unknown_token_id", 1);
    sz_gguf_put_u32(w, "tokenizer.ggml.cls_token_id", 2);
    sz_gguf_put_u32(w, "tokenizer.ggml.seperator_token_id", 3);
}

static void put_spm(sz_gguf_writer *w, const sz_json *v, sz_arena *arena) {
    const sz_json *scores = sz_json_get(v, "scores"), *types = sz_json_get(v, "types");
    float *score = sz_arena_alloc(arena, scores->n * sizeof *score);
    int32_t *type = sz_arena_alloc(arena, types->n * sizeof *type);
    size_t n = 0;
    for (const sz_json *i = scores->u.child; i; i = i->next)
        score[n++] = (float)(i->type == SZ_JSON_INT ? (double)i->u.i : i->u.f);
    sz_gguf_put_f32s(w, "tokenizer.ggml.scores", score, n);
    n = 0;
    for (const sz_json *i = types->u.child; i; i = i->next)
        type[n++] = (int32_t)i->u.i;
    sz_gguf_put_i32s(w, "tokenizer.ggml.token_type", type, n);
    sz_gguf_put_bool(w, "tokenizer.ggml.add_space_prefix",
                     sz_json_get(v, "prefix")->type == SZ_JSON_TRUE);
    put_texts(w, "tokenizer.ggml.tokens", sz_json_get(v, "tokens"), arena);
}

static void put_vocabulary(sz_gguf_writer *w, const sz_json *v, const char *kind, sz_arena *arena) {
    bool bpe = strcmp(kind, "bpe") == 0, wordpiece = strcmp(kind, "wordpiece") == 0;
    const char *model = bpe ? "gpt2" : wordpiece ? "bert" : "llama";
    sz_gguf_put_str(w, "tokenizer.ggml.model", model, strlen(model));
    if (wordpiece) {
        put_wordpiece(w, sz_json_get(v, "tokens"), arena);
    } else if (bpe) {
        const sz_json *pre = sz_json_get(v, "pre");
        sz_gguf_put_str(w, "tokenizer.ggml.pre", pre->u.s, pre->n);
        put_texts(w, "tokenizer.ggml.tokens", sz_json_get(v, "tokens"), arena);
        put_texts(w, "tokenizer.ggml.merges", sz_json_get(v, "merges"), arena);
    } else {
        put_spm(w, v, arena);
    }
}

sz_status small_tokenizer_new(const sz_json *vectors, const char *kind, sz_tokenizer **out) {
    char path[64];
    sz_gguf_writer *w = NULL;
    sz_gguf *g = NULL;
    sz_arena *arena;
    snprintf(path, sizeof path, "/tmp/szilard-small-%d.gguf", (int)getpid());
    SZ_TRY(sz_arena_new(1 << 16, &arena));
    sz_status status = sz_gguf_writer_new(&w);
    if (status == SZ_OK) {
        put_vocabulary(w, sz_json_get(vectors, kind), kind, arena);
        status = sz_gguf_writer_save(w, path);
    }
    if (status == SZ_OK)
        status = sz_gguf_open(path, &g);
    if (status == SZ_OK)
        status = sz_tokenizer_from_gguf(g, out);
    sz_gguf_close(g);
    sz_gguf_writer_free(w);
    sz_arena_free(arena);
    unlink(path);
    return status;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

bool same_ids(const sz_tokenizer *t, unsigned flags, const char *text, size_t n,
              const sz_json *want) {
    int32_t *ids = NULL;
    size_t n_ids = 0;
    sz_status status = sz_tokenizer_encode(t, text, n, flags, &ids, &n_ids);
    const sz_json *w = want->u.child;
    size_t i = 0;
    while (status == SZ_OK && i < n_ids && w && w->u.i == ids[i]) {
        i++;
        w = w->next;
    }
    bool same = status == SZ_OK && i == n_ids && !w;
    if (!same)
        printf("\"%.60s\": id %zu is %d, not %lld (%s)\n", text, i, i < n_ids ? ids[i] : -1,
               w ? (long long)w->u.i : -1, status == SZ_OK ? "" : sz_last_error());
    sz_free(ids);
    return same;
}

size_t differing_ids(const sz_tokenizer *t, unsigned flags, const sz_json *strings,
                     const sz_json *ids) {
    size_t differing = 0;
    const sz_json *want = ids->u.child;
    for (const sz_json *s = strings->u.child; s && want; s = s->next, want = want->next)
        if (want->type != SZ_JSON_NULL)
            differing += !same_ids(t, flags, s->u.s, s->n, want);
    return strings->n == ids->n ? differing : strings->n + 1;
}

/* ---- There and back -------------------------------------------------------------------------- */

/* Token by token, as a stream shows it: whole characters first, the rest kept for later. */
static bool streams(const sz_tokenizer *t, const int32_t *ids, size_t n, const char *text,
                    size_t n_text) {
    sz_buf held = {0};
    size_t shown = 0;
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        ok = sz_tokenizer_decode(t, &ids[i], 1, true, i == 0, &held) == SZ_OK;
        size_t whole = held.len ? sz_utf8_complete(held.data, held.len) : 0;
        ok = ok && shown + whole <= n_text && memcmp(text + shown, held.data, whole) == 0;
        ok = ok && (whole == 0 || sz_utf8_valid(held.data, whole) == whole ||
                    sz_utf8_valid(text, n_text) != n_text);
        shown += whole;
        if (whole > 0) {
            memmove(held.data, held.data + whole, held.len - whole);
            held.len -= whole;
        }
    }
    ok = ok && shown + held.len == n_text;
    sz_buf_free(&held);
    return ok;
}

bool comes_back(const sz_tokenizer *t, const char *text, size_t n) {
    int32_t *ids = NULL;
    size_t n_ids = 0;
    sz_buf back = {0};
    bool same = sz_tokenizer_encode(t, text, n, 0, &ids, &n_ids) == SZ_OK &&
                sz_tokenizer_decode(t, ids, n_ids, true, true, &back) == SZ_OK && back.len == n &&
                (n == 0 || memcmp(back.data, text, n) == 0) && streams(t, ids, n_ids, text, n);
    if (!same)
        printf("\"%.80s\" comes back as \"%.80s\"\n", text, back.data ? back.data : "");
    sz_buf_free(&back);
    sz_free(ids);
    return same;
}

static uint32_t draw(uint64_t seed, uint64_t *counter, uint32_t n) {
    return (uint32_t)(sz_uniform(seed, 5, (*counter)++) * n);
}

void random_text(uint64_t seed, size_t n, sz_buf *out) {
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0x20, 0x7E},       {0x20, 0x7E},       {0x61, 0x7A},       {0x30, 0x39},
                  {0, 0x1F},          {0x7F, 0xFF},       {0x300, 0x36F},     {0x370, 0x52F},
                  {0x590, 0x6FF},     {0x900, 0xD7F},     {0xE00, 0xE5B},     {0x1100, 0x11FF},
                  {0x2000, 0x206F},   {0x2580, 0x2590},   {0x3000, 0x30FF},   {0x4E00, 0x9FFF},
                  {0xAC00, 0xD7A3},   {0xE000, 0xFFFF},   {0x1F1E6, 0x1F64F}, {0x20000, 0x2FFFF},
                  {0xE0000, 0xE01EF}, {0x10000, 0x10FFFF}};
    static const char *const pieces[] = {"  ",           "\n\n", "\r\n",   "'s",
                                         "'LL",          " the", "\t ",    "123",
                                         "\xE2\x96\x81", "</s>", "<0x41>", "\xC2\xA0"};
    enum { N_RANGES = sizeof ranges / sizeof *ranges, N_PIECES = sizeof pieces / sizeof *pieces };
    uint64_t counter = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t range = draw(seed, &counter, N_RANGES + 6);
        if (range >= N_RANGES) {
            sz_buf_puts(out, pieces[draw(seed, &counter, N_PIECES)]);
            continue;
        }
        for (uint32_t run = 1 + draw(seed, &counter, 4); run > 0; run--) {
            uint32_t span = ranges[range].last - ranges[range].first + 1;
            uint32_t c = ranges[range].first + draw(seed, &counter, span);
            char text[4];
            if (c < 0xD800 || c > 0xDFFF)
                sz_buf_append(out, text, (size_t)sz_utf8_encode(c, text));
        }
    }
}
