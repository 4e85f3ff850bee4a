/* fuzz_kt_script.c: any bytes as a script: a bounded run or an error, and the same price twice. */
#include <stdlib.h>
#include <szilard/unstable/kt.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sz_buf out = {0};
    double bits = 0, again = 0;
    if (sz_kt_script_run((const char *)data, size, false, &out, &bits) == SZ_OK) {
        size_t n = out.len;
        if (sz_kt_script_run((const char *)data, size, false, &out, &again) != SZ_OK ||
            out.len != 2 * n || bits != again)
            abort();
    }
    sz_buf_free(&out);
    return 0;
}
