#include "reference_tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "../check.h"
#include "small_tokenizer.h"

bool real_tokenizer(const char *name, sz_tokenizer **out) {
    const char *folder = getenv("SZ_MODEL_DIR"), *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    char path[512];
    if (folder && *folder)
        snprintf(path, sizeof path, "%s/%s.gguf", folder, name);
    else if (cache && *cache)
        snprintf(path, sizeof path, "%s/szilard/models/%s.gguf", cache, name);
    else
        snprintf(path, sizeof path, "%s/.cache/szilard/models/%s.gguf", home ? home : "", name);
    sz_gguf *g = NULL;
    sz_status status = sz_gguf_open(path, &g);
    if (status == SZ_E_NOTFOUND) {
        printf("%s is not there\n", path);
        return false;
    }
    SZ_CHECK_OK(status);
    SZ_CHECK_OK(sz_tokenizer_from_gguf(g, out));
    sz_gguf_close(g);
    return true;
}

bool has_all_bytes(const sz_tokenizer *t, const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (sz_tokenizer_find(t, text + i, 1) < 0)
            return false;
    return true;
}

void check_reference(const char *folder, const char *name, const sz_tokenizer *t) {
    sz_arena *arena;
    sz_json *vectors;
    size_t n_checked = 0, n_wrong = 0;
    SZ_CHECK_OK(vectors_open(folder, "tokenizers.json", &arena, &vectors));
    const sz_json *strings = sz_json_get(vectors, "strings");
    const sz_json *model = sz_json_get(sz_json_get(vectors, "models"), name);
    assert_non_null(model);
    const sz_json *want = model->u.child;
    for (const sz_json *s = strings->u.child; s && want; s = s->next, want = want->next) {
        const unsigned special = SZ_TOKENIZE_CONTROL | SZ_TOKENIZE_BOS;
        n_wrong += !same_ids(t, 0, s->u.s, s->n, sz_json_get(want, "ids"));
        n_wrong += !same_ids(t, special, s->u.s, s->n, sz_json_get(want, "ids_special"));
        if (has_all_bytes(t, s->u.s, s->n))
            n_wrong += !comes_back(t, s->u.s, s->n);
        n_checked++;
    }
    assert_int_equal(n_wrong, 0);
    assert_int_equal(n_checked, strings->n);
    assert_int_equal(n_checked, 30);
    sz_arena_free(arena);
}
