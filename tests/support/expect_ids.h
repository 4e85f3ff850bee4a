/* expect_ids.h: ids of a text spelled out in a test. */
#ifndef SZ_TESTS_EXPECT_IDS_H
#define SZ_TESTS_EXPECT_IDS_H

#include "check.h"

#include <string.h>
#include <szilard/unstable/tokenizer.h>

/* The ids of a text are those of want, which ends with -1. */
static inline void expect_ids(const sz_tokenizer *t, const char *text, size_t n, unsigned flags,
                              const int32_t *want) {
    int32_t *ids = NULL;
    size_t n_ids = 0, i = 0;
    SZ_CHECK_OK(sz_tokenizer_encode(t, text, n, flags, &ids, &n_ids));
    while (i < n_ids && want[i] == ids[i])
        i++;
    if (i < n_ids || want[i] != -1)
        fail_msg("\"%s\": id %zu is %d, not %d", text, i, i < n_ids ? ids[i] : -1, want[i]);
    sz_free(ids);
}

/* IDS(t, "text", 1, 2): exactly these; IDS_WITH takes SZ_TOKENIZE_* flags. */
#define IDS_WITH(t, flags, text, ...)                                                              \
    expect_ids(t, text, sizeof(text) - 1, flags, (const int32_t[]){__VA_ARGS__ __VA_OPT__(, ) - 1})
#define IDS(t, ...) IDS_WITH(t, 0, __VA_ARGS__)

/* The text of these ids is `want`. */
static inline void expect_text(const sz_tokenizer *t, const int32_t *ids, bool control,
                               const char *want) {
    sz_buf text = {0};
    size_t n = 0;
    while (ids[n] != -1)
        n++;
    SZ_CHECK_OK(sz_tokenizer_decode(t, ids, n, control, true, &text));
    assert_string_equal(text.data ? text.data : "", want);
    sz_buf_free(&text);
}
#define TEXT(t, control, want, ...)                                                                \
    expect_text(t, (const int32_t[]){__VA_ARGS__, -1}, control, want)

#endif
