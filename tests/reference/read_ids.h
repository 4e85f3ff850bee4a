/* read_ids.h: token ids from a JSON array. For the programs here. */
#ifndef SZ_TESTS_READ_IDS_H
#define SZ_TESTS_READ_IDS_H

#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/base.h>

/* The integers between the first '[' of the file and the next ']'; NULL if it is not that. The
 * caller frees. */
static inline long *read_ids(const char *path, size_t *n) {
    sz_buf text = {0};
    *n = 0;
    if (sz_file_read(path, 64 << 20, &text) != SZ_OK || text.len == 0)
        return NULL;
    long *ids = calloc(text.len, sizeof *ids);
    char *p = text.data + strcspn(text.data, "[");
    while (ids && *p && *p != ']') {
        char *end;
        long id = strtol(p + 1, &end, 10);
        if (end == p + 1)
            break;
        ids[(*n)++] = id;
        p = end + strcspn(end, ",]");
    }
    bool good = ids && *n > 0 && *p == ']';
    sz_buf_free(&text);
    if (good)
        return ids;
    free(ids);
    return NULL;
}

#endif
