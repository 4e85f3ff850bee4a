/* keys.c: see keys.h. */
#include "keys.h"

#include <string.h>

enum { MOST_BYTES = 1 << 20 };

static void digest(const char *key, size_t n, uint8_t out[32]) {
    sz_sha256 h;
    sz_sha256_init(&h);
    sz_sha256_update(&h, key, n);
    sz_sha256_final(&h, out);
}

static sz_status add(sz_keys *k, const char *key, size_t n) {
    uint8_t(*more)[32] = sz_realloc(k->digests, k->n * sizeof *more, (k->n + 1) * sizeof *more);
    SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for the keys");
    k->digests = more;
    digest(key, n, k->digests[k->n++]);
    return SZ_OK;
}

static sz_status parse(sz_keys *k, const char *text) {
    static const char blank[] = " \t\r";
    while (*text) {
        const char *end = text + strcspn(text, "\n"), *next = *end ? end + 1 : end;
        text += strspn(text, blank);
        while (end > text && strchr(blank, end[-1]))
            end--;
        if (end > text && *text != '#')
            SZ_TRY(add(k, text, (size_t)(end - text)));
        text = next;
    }
    return SZ_OK;
}

sz_status sz_keys_read(const char *path, sz_keys *out) {
    sz_buf text = {0};
    *out = (sz_keys){0};
    SZ_TRY(sz_file_read(path, MOST_BYTES, &text));
    sz_status status = text.data ? parse(out, text.data) : SZ_OK;
    sz_buf_free(&text);
    SZ_TRY(status);
    SZ_REQUIRE(out->n > 0, SZ_E_FORMAT, "%s: there is no key in the file", path);
    return SZ_OK;
}

void sz_keys_free(sz_keys *k) {
    sz_free(k->digests);
    *k = (sz_keys){0};
}

bool sz_keys_has(const sz_keys *k, const char *key) {
    uint8_t seen[32];
    unsigned found = 0;
    digest(key, strlen(key), seen);
    for (size_t i = 0; i < k->n; i++) {
        volatile uint8_t difference = 0; /* every byte of every key is looked at */
        for (size_t at = 0; at < sizeof seen; at++)
            difference = (uint8_t)(difference | (seen[at] ^ k->digests[i][at]));
        found |= difference == 0;
    }
    return found != 0;
}
