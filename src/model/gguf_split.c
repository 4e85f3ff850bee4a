/* gguf_split.c: models in several files: NAME-00001-of-00003.gguf and so on. The first file has the
 * metadata and is the one to open; the tensors of all are found through it. */
#include "model/gguf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PARTS = 1024, SUFFIX_BYTES = 24 /* of "-00001-of-00003.gguf" with its NUL, and room */ };

static sz_status read_count(const sz_gguf *g, const char *key, uint32_t *out) {
    *out = 0;
    return sz_gguf_find(g, key) ? sz_gguf_get_u32(g, key, out) : SZ_OK;
}

static size_t write_suffix(char out[SUFFIX_BYTES], uint32_t i, uint32_t n) {
    return (size_t)snprintf(out, SUFFIX_BYTES, "-%05u-of-%05u.gguf", i + 1, n);
}

/* The path of part i, made from that of part `from`. The caller frees it. */
static sz_status part_path(const sz_gguf *g, uint32_t from, uint32_t i, uint32_t n, char **out) {
    char suffix[SUFFIX_BYTES];
    size_t length = write_suffix(suffix, from, n), path = strlen(g->name);
    SZ_REQUIRE(path >= length && strcmp(g->name + path - length, suffix) == 0, SZ_E_FORMAT,
               "%s: is part %u of %u by its key split.no, but its name does not end in %s, so the "
               "other parts cannot be found",
               g->name, from + 1, n, suffix);
    *out = sz_strdup(g->name);
    SZ_REQUIRE(*out, SZ_E_NOMEM, "%s: no memory for the names of its parts", g->name);
    write_suffix(*out + path - length, i, n);
    return SZ_OK;
}

static sz_status refuse_later_part(const sz_gguf *g, uint32_t number, uint32_t n) {
    char *first;
    SZ_REQUIRE(number < n, SZ_E_FORMAT, "%s: key split.no is %u, but split.count is %u", g->name,
               number, n);
    SZ_TRY(part_path(g, number, 0, n, &first));
    sz_fail(SZ_E_FORMAT, "%s: this is part %u of %u; open the first one, %s", g->name, number + 1,
            n, first);
    sz_free(first);
    return SZ_E_FORMAT;
}

static sz_status check_part(const sz_gguf *part, uint32_t i, uint32_t n) {
    uint32_t number, count;
    SZ_TRY(read_count(part, "split.no", &number));
    SZ_TRY(read_count(part, "split.count", &count));
    SZ_REQUIRE(number == i && count == n, SZ_E_FORMAT,
               "%s: is part %u of %u by its keys split.no and split.count, not part %u of %u",
               part->name, number + 1, count, i + 1, n);
    return SZ_OK;
}

static sz_status open_part(sz_gguf *g, uint32_t i, uint32_t n) {
    char *path;
    SZ_TRY(part_path(g, 0, i, n, &path));
    sz_status status = sz_gguf_open_one(path, &g->part[i - 1]);
    if (status != SZ_OK)
        status = sz_fail_within(status, "%s: part %u of %u", g->name, i + 1, n);
    sz_free(path);
    SZ_TRY(status);
    g->n_parts = i;
    return check_part(g->part[i - 1], i, n);
}

/* Adds the tensors of a part after those that g has; there is room for them. */
static sz_status take_tensors(sz_gguf *g, const sz_gguf *part) {
    for (size_t i = 0; i < part->n_tensors; i++) {
        const sz_gguf_tensor *t = &part->tensor[i];
        bool is_new;
        char shown[80];
        SZ_TRY(sz_name_table_add(&g->tensors, t->name, strlen(t->name), (uint32_t)g->n_tensors,
                                 &is_new));
        SZ_REQUIRE(is_new, SZ_E_FORMAT, "%s: tensor %s is in another part, too", part->name,
                   sz_show_text(t->name, strlen(t->name), shown));
        g->tensor[g->n_tensors++] = *t;
    }
    return SZ_OK;
}

static sz_status join_tensors(sz_gguf *g) {
    size_t n = g->n_tensors;
    for (uint32_t i = 0; i < g->n_parts; i++)
        n += g->part[i]->n_tensors;
    uint32_t stated = 0;
    SZ_TRY(read_count(g, "split.tensors.count", &stated));
    SZ_REQUIRE(stated == 0 || stated == n, SZ_E_FORMAT,
               "%s: key split.tensors.count is %u, but the parts have %zu tensors", g->name, stated,
               n);
    SZ_REQUIRE(n <= SZ_GGUF_MAX_TENSORS, SZ_E_LIMIT,
               "%s: the parts have %zu tensors; at most %d "
               "are possible",
               g->name, n, SZ_GGUF_MAX_TENSORS);
    sz_gguf_tensor *all = sz_arena_alloc_small(g->arena, n * sizeof *all + 1);
    SZ_REQUIRE(all, SZ_E_NOMEM, "%s: no memory for %zu tensors", g->name, n);
    if (g->n_tensors > 0)
        memcpy(all, g->tensor, g->n_tensors * sizeof *all);
    g->tensor = all;
    for (uint32_t i = 0; i < g->n_parts; i++)
        SZ_TRY(take_tensors(g, g->part[i]));
    return SZ_OK;
}

sz_status sz_gguf_open_parts(sz_gguf *g) {
    uint32_t number, n;
    SZ_TRY(read_count(g, "split.no", &number));
    SZ_TRY(read_count(g, "split.count", &n));
    if (n <= 1 && number == 0)
        return SZ_OK;
    SZ_REQUIRE(n <= MAX_PARTS, SZ_E_LIMIT, "%s: key split.count is %u; at most %d are possible",
               g->name, n, MAX_PARTS);
    if (number > 0)
        return refuse_later_part(g, number, n);
    g->part = sz_calloc(n - 1, sizeof *g->part);
    SZ_REQUIRE(g->part, SZ_E_NOMEM, "%s: no memory for %u parts", g->name, n);
    for (uint32_t i = 1; i < n; i++)
        SZ_TRY(open_part(g, i, n));
    return join_tensors(g);
}
