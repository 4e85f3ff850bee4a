/* fuzz_profile.c: any bytes as a profile of heads; what opens is within its bounds. */
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/cache.h>

static void need(bool what) {
    if (!what)
        abort();
}

static void use(const sz_kv_profile *p) {
    sz_kv_profile_info info = sz_kv_profile_get_info(p);
    size_t n = (size_t)info.n_layer * info.n_head;
    need(n >= 1 && info.k <= info.head_dim);
    for (size_t i = 0; i < n; i++)
        need(info.rank[i] > 0.9 && info.rank[i] <= info.head_dim + 0.1 && info.deviation[i] >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sz_gguf *g;
    sz_kv_profile *p = NULL;
    if (sz_gguf_parse(data, size, "fuzz", &g) != SZ_OK)
        return 0;
    if (sz_kv_profile_from_gguf(g, &p) == SZ_OK)
        use(p);
    else
        need(p == NULL && sz_last_error()[0] != '\0');
    sz_kv_profile_free(p);
    sz_gguf_close(g);
    return 0;
}
