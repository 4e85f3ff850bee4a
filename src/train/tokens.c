/* tokens.c: texts as files of token ids, and those files in memory. */
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/npy.h>
#include <szilard/unstable/train.h>

enum { PIECE_BYTES = 1 << 20 };

/* ---- Writing
 * -------------------------------------------------------------------------------------
 */

typedef struct tokenizing {
    const sz_tokenizer *t;
    sz_writer *w; /* NULL: only count */
    uint64_t n;
} tokenizing;

/* The length of a piece that ends with a line, or else with a whole character. */
static size_t piece_length(const char *s, size_t n) {
    if (n <= PIECE_BYTES)
        return n;
    for (size_t i = PIECE_BYTES; i > PIECE_BYTES / 2; i--)
        if (s[i - 1] == '\n')
            return i;
    size_t whole = sz_utf8_complete(s, PIECE_BYTES);
    return whole ? whole : PIECE_BYTES;
}

static sz_status add_ids(tokenizing *k, const int32_t *ids, size_t n) {
    k->n += n;
    return k->w ? sz_writer_write(k->w, ids, n * sizeof *ids) : SZ_OK;
}

static sz_status add_text(tokenizing *k, const char *path) {
    sz_map map;
    SZ_TRY(sz_map_open(path, &map));
    sz_status status = map.size ? SZ_OK : sz_fail(SZ_E_ARG, "%s is empty", path);
    for (size_t at = 0, n; at < map.size && status == SZ_OK; at += n) {
        const char *s = (const char *)map.data + at;
        int32_t *ids = NULL;
        size_t n_ids;
        n = piece_length(s, map.size - at);
        status = sz_tokenizer_encode(k->t, s, n, 0, &ids, &n_ids);
        if (status == SZ_OK)
            status = add_ids(k, ids, n_ids);
        sz_free(ids);
        sz_map_release(s, n);
    }
    sz_map_close(&map);
    int32_t end = sz_tokenizer_eos(k->t);
    return status == SZ_OK && end >= 0 ? add_ids(k, &end, 1) : status;
}

static sz_status add_texts(tokenizing *k, const char *const *texts, size_t n) {
    for (size_t i = 0; i < n; i++)
        SZ_TRY(add_text(k, texts[i]));
    return SZ_OK;
}

/* Twice over the texts: the header tells how many tokens there are. */
sz_status sz_tokens_write(const sz_tokenizer *t, const char *const *texts, size_t n_texts,
                          const char *path, uint64_t *n_tokens) {
    tokenizing k = {.t = t};
    SZ_REQUIRE(n_texts > 0, SZ_E_ARG, "there is no text to tokenize");
    SZ_TRY(add_texts(&k, texts, n_texts));
    uint64_t n = k.n;
    k.n = 0;
    SZ_TRY(sz_writer_open(path, &k.w));
    sz_status status = sz_npy_header(k.w, "<i4", &n, 1);
    if (status == SZ_OK)
        status = add_texts(&k, texts, n_texts);
    if (status == SZ_OK && k.n != n)
        status = sz_fail(SZ_E_STATE, "a text changed while it was read");
    if (status != SZ_OK) {
        sz_writer_abort(k.w);
        return status;
    }
    *n_tokens = n;
    return sz_writer_commit(k.w);
}

/* ---- Reading
 * -------------------------------------------------------------------------------------
 */

static bool has(const char *header, const char *what) {
    return strstr(header, what) != NULL;
}

/* The shape (n,) of a header that says no other; -1: something else. */
static long long shape_of(const char *header) {
    const char *s = strstr(header, "'shape': (");
    char *end;
    if (!s || s[10] < '0' || s[10] > '9')
        return -1;
    long long n = strtoll(s + 10, &end, 10);
    return strncmp(end, ",)", 2) == 0 ? n : -1;
}

static sz_status read_header(const sz_map *m, const char *path, sz_tokens *out) {
    char header[256] = "";
    size_t length = m->size >= 10 ? m->data[8] | (size_t)m->data[9] << 8 : 0;
    SZ_REQUIRE(m->size >= 10 && memcmp(m->data, "\x93NUMPY\1", 7) == 0 && length < sizeof header &&
                   length <= m->size - 10,
               SZ_E_FORMAT, "%s is not a .npy file of version 1", path);
    memcpy(header, m->data + 10, length);
    SZ_REQUIRE(has(header, "'<i4'") && !has(header, "True") && shape_of(header) >= 0, SZ_E_FORMAT,
               "%s does not hold one row of int32, as token files do", path);
    uint64_t n = (uint64_t)shape_of(header), bytes = m->size - 10 - length;
    SZ_REQUIRE(n == bytes / sizeof(int32_t) && bytes % sizeof(int32_t) == 0, SZ_E_FORMAT,
               "%s is cut short or too long: %llu bytes for %llu tokens", path,
               (unsigned long long)bytes, (unsigned long long)n);
    SZ_REQUIRE((10 + length) % sizeof(int32_t) == 0, SZ_E_FORMAT, "%s: the tokens are not aligned",
               path);
    out->ids = (const int32_t *)(m->data + 10 + length);
    out->n = n;
    return SZ_OK;
}

sz_status sz_tokens_parse(const void *data, size_t size, const char *name, sz_tokens *out) {
    const sz_map whole = {data, size};
    *out = (sz_tokens){0};
    return read_header(&whole, name, out);
}

sz_status sz_tokens_open(const char *path, sz_tokens *out) {
    sz_map map;
    SZ_TRY(sz_map_open(path, &map));
    sz_status status = read_header(&map, path, out);
    if (status == SZ_OK)
        out->map = map;
    else
        sz_map_close(&map);
    return status;
}

void sz_tokens_close(sz_tokens *t) {
    sz_map_close(&t->map);
    *t = (sz_tokens){0};
}

/* ---- Order
 * ---------------------------------------------------------------------------------------
 */

/* A Feistel network of four rounds over 2 `half` bits; values beyond n are sent on until they are
 * not (Black and Rogaway 2002). */
uint64_t sz_shuffle(uint64_t seed, uint64_t epoch, uint64_t n, uint64_t index) {
    enum { STREAM = 0x5eed };
    unsigned half = 1;
    while (half < 32 && (uint64_t)1 << 2 * half < n)
        half++;
    uint64_t mask = ((uint64_t)1 << half) - 1, x = index;
    do {
        uint64_t left = x >> half, right = x & mask;
        for (uint64_t round = 0; round < 4; round++) {
            uint32_t r[4];
            sz_philox4x32(seed, STREAM + epoch, round << 32 | right, r);
            uint64_t next = left ^ (r[0] & mask);
            left = right;
            right = next;
        }
        x = left << half | right;
    } while (x >= n);
    return x;
}
