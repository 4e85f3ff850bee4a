/* vocabulary.c: sorting a vocabulary by bytes. */
#include "vocabulary.h"

#include <stdlib.h>
#include <string.h>

typedef struct entry {
    const char *bytes;
    uint32_t length;
    int32_t id;
} entry;

static int by_bytes(const void *a, const void *b) {
    const entry *x = a, *y = b;
    uint32_t n = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->bytes, y->bytes, n);
    if (order)
        return order;
    return x->length != y->length ? (x->length > y->length) - (x->length < y->length)
                                  : (x->id > y->id) - (x->id < y->id);
}

static size_t collect(const sz_tokenizer *t, entry *all, sz_vocabulary *v) {
    size_t n = 0;
    for (int32_t id = 0; id < (int32_t)v->n_vocab; id++) {
        size_t length = 0;
        const char *bytes = sz_tokenizer_piece(t, id, &length);
        if (sz_tokenizer_is_end(t, id))
            v->end[v->n_end++] = id;
        else if (bytes && length > 0 && !sz_tokenizer_is_control(t, id))
            all[n++] = (entry){bytes, (uint32_t)length, id};
    }
    return n;
}

static void fill(const entry *all, sz_vocabulary *v) {
    for (size_t i = 0; i < v->n; i++) {
        uint32_t shared = 0, most = i == 0 ? 0 : all[i - 1].length;
        most = most < all[i].length ? most : all[i].length;
        while (shared < most && all[i].bytes[shared] == all[i - 1].bytes[shared])
            shared++;
        v->id[i] = all[i].id;
        v->bytes[i] = all[i].bytes;
        v->length[i] = all[i].length;
        v->shared[i] = shared;
        v->longest = all[i].length > v->longest ? all[i].length : v->longest;
    }
}

sz_status sz_vocabulary_make(const sz_tokenizer *t, sz_vocabulary *out) {
    sz_vocabulary v = {.n_vocab = sz_tokenizer_n_vocab(t)};
    size_t most = v.n_vocab + 1;
    entry *all = sz_alloc(most * sizeof *all);
    v.id = sz_alloc(most * sizeof *v.id);
    v.bytes = sz_alloc(most * sizeof *v.bytes);
    v.length = sz_alloc(most * sizeof *v.length);
    v.shared = sz_alloc(most * sizeof *v.shared);
    v.end = sz_alloc(most * sizeof *v.end);
    if (!all || !v.id || !v.bytes || !v.length || !v.shared || !v.end) {
        sz_free(all);
        sz_vocabulary_free(&v);
        return sz_fail(SZ_E_NOMEM, "no memory to sort a vocabulary of %u tokens", v.n_vocab);
    }
    v.n = collect(t, all, &v);
    qsort(all, v.n, sizeof *all, by_bytes);
    fill(all, &v);
    sz_free(all);
    *out = v;
    return SZ_OK;
}

void sz_vocabulary_free(sz_vocabulary *v) {
    sz_free(v->id);
    sz_free(v->bytes);
    sz_free(v->length);
    sz_free(v->shared);
    sz_free(v->end);
    *v = (sz_vocabulary){0};
}
