/* fuzz_slz.c: any bytes as a compressed file; the byte engine decodes what its checks let through,
 * and the same bytes, as a text, come back from a file of their own. */
#include <stdlib.h>
#include <string.h>

#include "zip/slz.h"

enum { MOST = 1 << 16 }; /* bytes that a file may ask for */

static sz_predictor engine;

static void need(bool what) {
    if (!what)
        abort();
}

static size_t one(const void *self) {
    return 1;
}
static size_t one_of(const void *self, size_t n) {
    return 1;
}
static sz_status encode(void *self, sz_segment *segments, size_t n) {
    return engine.kind->encode(engine.self, segments, n);
}
static sz_status decode(void *self, sz_segment *segments, size_t n) {
    for (size_t i = 0; i < n; i++)
        SZ_REQUIRE(segments[i].n <= MOST, SZ_E_LIMIT, "too long for a fuzzer");
    return engine.kind->decode(engine.self, segments, n);
}
static void free_nothing(void *self) {}
static const sz_predictor_kind bounded = {.name = "bytes",
                                          .id = SZ_PREDICTOR_BYTES,
                                          .window = MOST,
                                          .n_segments = one_of,
                                          .batch = one,
                                          .encode = encode,
                                          .decode = decode,
                                          .free = free_nothing};

static sz_status open_engine(void *user, uint8_t number, const uint8_t *about, size_t n_about,
                             sz_predictor *out) {
    *out = (sz_predictor){&bounded, NULL};
    return SZ_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sz_slz_totals t, listed;
    sz_buf about = {0};
    if (!engine.kind)
        need(sz_predictor_bytes_new(1, NULL, &engine) == SZ_OK);
    sz_slz_memory file = {.in = data, .n = size};
    sz_status status = sz_slz_decode(
        open_engine, NULL, &(sz_slz_io){&file, sz_slz_read_memory, sz_slz_write_memory}, &t);
    need(status != SZ_OK || file.out.len == t.n_bytes);
    sz_buf_free(&file.out);
    sz_slz_memory again = {.in = data, .n = size};
    sz_status list = sz_slz_list(&(sz_slz_io){&again, sz_slz_read_memory, NULL}, &about, &listed);
    need(status != SZ_OK || list == SZ_OK);
    sz_buf_free(&about);

    sz_slz_memory text = {.in = data, .n = size < 4096 ? size : 4096};
    sz_predictor p = {&bounded, NULL};
    need(sz_slz_encode(&p, &(sz_slz_io){&text, sz_slz_read_memory, sz_slz_write_memory}, &t) ==
         SZ_OK);
    sz_slz_memory back = {.in = (const uint8_t *)text.out.data, .n = text.out.len};
    need(sz_slz_decode(open_engine, NULL,
                       &(sz_slz_io){&back, sz_slz_read_memory, sz_slz_write_memory}, &t) == SZ_OK);
    need(back.out.len == text.n && (text.n == 0 || memcmp(back.out.data, data, text.n) == 0));
    sz_buf_free(&text.out);
    sz_buf_free(&back.out);
    return 0;
}
