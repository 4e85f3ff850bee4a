/* fuzz_tokens.c: token files: every id that one is said to hold can be read. */
#include <string.h>
#include <szilard/unstable/train.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sz_tokens t;
    uint8_t *copy = sz_alloc(size ? size : 1); /* aligned, and nothing behind it */
    volatile int32_t sum = 0;
    if (copy && size)
        memcpy(copy, data, size);
    if (copy && sz_tokens_parse(copy, size, "fuzz", &t) == SZ_OK)
        for (uint64_t i = 0; i < t.n; i++)
            sum ^= t.ids[i];
    sz_free(copy);
    return 0;
}
