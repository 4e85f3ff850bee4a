/* fuzz_kt_pack.c: packed programs from foreign bytes: what they make, packed again, is no longer.
 */
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/kt.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sz_buf out = {0}, text = {0};
    sz_kt_form form;
    if (sz_kt_unpack(data, size, 4096, &out, &text, &form) == SZ_OK && out.len <= 64) {
        sz_buf packed = {0}, again = {0};
        sz_kt_packed p;
        if (sz_kt_pack((const uint8_t *)(out.data ? out.data : ""), out.len, NULL, &packed, &p) !=
                SZ_OK ||
            packed.len > out.len + 1 || (form != SZ_KT_SCRIPT && packed.len > size) ||
            sz_kt_unpack((uint8_t *)packed.data, packed.len, 64, &again, NULL, &form) != SZ_OK ||
            again.len != out.len || (out.len && memcmp(again.data, out.data, out.len) != 0))
            abort();
        sz_buf_free(&packed);
        sz_buf_free(&again);
    }
    sz_buf_free(&out);
    sz_buf_free(&text);
    return 0;
}
