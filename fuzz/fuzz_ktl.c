/* fuzz_ktl.c: programs from foreign bits: decoded, run, encoded again. */
#include <stdlib.h>
#include <szilard/unstable/kt.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sz_kt_program p;
    uint64_t used;
    if (sz_kt_decode(data, 8 * (uint64_t)size, 1 << 16, &p, &used) != SZ_OK)
        return 0;
    sz_buf out = {0}, code = {0};
    bool good = sz_kt_eval(&p, &out) == SZ_OK && out.len == p.n && sz_kt_bits(&p) == used &&
                sz_kt_encode(&p, &code) == SZ_OK && code.len == (used + 7) / 8;
    if (!good)
        abort();
    sz_buf_free(&out);
    sz_buf_free(&code);
    sz_kt_program_free(&p);
    return 0;
}
