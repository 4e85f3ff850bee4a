/* test_slz.c: the container: round trips in any portions, every flipped bit, every cut, lies. */
#include "check.h"
#include "heap_meter.h"

#include <string.h>
#include <szilard/unstable/code.h>

#include "zip/slz.h"

/* A predictor for tests: windows of 100 bytes in three segments; a byte and its repeats. */
static size_t n_segments(const void *self, size_t n) {
    return n < 3 ? 1 : 3;
}
static size_t batch(const void *self) {
    return 5;
}
static void describe(const void *self, sz_buf *b) {
    sz_buf_puts(b, "repeats");
}
static sz_status encode(void *self, sz_segment *s, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t at = 0, run; at < s[i].n; at += run) {
            for (run = 1; at + run < s[i].n && run < 255 && s[i].data[at + run] == s[i].data[at];)
                run++;
            sz_buf_putc(&s[i].code, (char)run);
            sz_buf_putc(&s[i].code, (char)s[i].data[at]);
        }
    return SZ_OK;
}
static sz_status decode(void *self, sz_segment *s, size_t n) {
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;
        memset(s[i].data, 0, s[i].n);
        for (size_t k = 0; k + 1 < s[i].code.len; k += 2)
            for (int run = (uint8_t)s[i].code.data[k]; run > 0 && at < s[i].n; run--)
                s[i].data[at++] = (uint8_t)s[i].code.data[k + 1];
    }
    return SZ_OK;
}
static void free_nothing(void *self) {}
static const sz_predictor_kind repeats = {.name = "repeats",
                                          .id = 77,
                                          .window = 100,
                                          .n_segments = n_segments,
                                          .batch = batch,
                                          .describe = describe,
                                          .encode = encode,
                                          .decode = decode,
                                          .free = free_nothing};

static sz_status open_repeats(void *user, uint8_t engine, const uint8_t *about, size_t n_about,
                              sz_predictor *out) {
    SZ_REQUIRE(engine == 77, SZ_E_UNSUPPORTED, "engine %d", engine);
    SZ_REQUIRE(n_about == 7 && memcmp(about, "repeats", 7) == 0, SZ_E_FORMAT, "about");
    *out = (sz_predictor){&repeats, NULL};
    return SZ_OK;
}

static sz_buf pack(const uint8_t *data, size_t n, sz_slz_totals *t) {
    sz_slz_memory m = {.in = data, .n = n};
    sz_slz_io io = sz_slz_in_memory(&m);
    sz_predictor p = {&repeats, NULL};
    SZ_CHECK_OK(sz_slz_encode(&p, &io, t));
    assert_int_equal(t->n_container, m.out.len);
    assert_int_equal(t->n_bytes, n);
    return m.out;
}

static sz_status unpack(const char *file, size_t n, sz_buf *out) {
    sz_slz_memory m = {.in = (const uint8_t *)file, .n = n};
    sz_slz_io io = sz_slz_in_memory(&m);
    sz_slz_totals t;
    sz_status status = sz_slz_decode(open_repeats, NULL, &io, &t);
    *out = m.out;
    return status;
}

static uint8_t text[1000];

static void fill(void) {
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i % 300 < 200 ? i / 20 : i * 37);
}

static void every_length_comes_back(void **state) {
    fill();
    for (size_t n = 0; n <= sizeof text; n += n < 310 ? 1 : 69) {
        sz_slz_totals t, listed;
        sz_buf file = pack(text, n, &t), back, about = {0};
        SZ_CHECK_OK(unpack(file.data, file.len, &back));
        assert_int_equal(back.len, n);
        assert_true(n == 0 || memcmp(back.data, text, n) == 0);
        sz_slz_memory m = {.in = (const uint8_t *)file.data, .n = file.len};
        SZ_CHECK_OK(sz_slz_list(&(sz_slz_io){&m, sz_slz_read_memory, NULL}, &about, &listed));
        assert_memory_equal(&listed, &t, sizeof t);
        assert_int_equal(about.len, t.n_stored < t.n_segments ? 7 : 0);
        assert_int_equal(t.engine, t.n_stored < t.n_segments ? 77 : SZ_PREDICTOR_NONE);
        sz_buf_free(&about);
        sz_buf_free(&file);
        sz_buf_free(&back);
    }
}

static void what_would_grow_is_stored(void **state) {
    sz_slz_totals t;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 37);
    sz_buf file = pack(text, 300, &t);
    assert_int_equal(t.n_segments, 9);
    assert_int_equal(t.n_stored, 9);
    assert_true(file.len < 300 + 100);
    sz_buf_free(&file);
}

static void every_flipped_bit_is_seen(void **state) {
    sz_slz_totals t;
    fill();
    sz_buf file = pack(text, 420, &t), back;
    assert_true(t.n_stored > 0 && t.n_stored < t.n_segments);
    for (size_t bit = 0; bit < 8 * file.len; bit++) {
        file.data[bit / 8] ^= (char)(1 << bit % 8);
        sz_status status = unpack(file.data, file.len, &back);
        if (status != SZ_E_FORMAT)
            fail_msg("bit %zu of byte %zu: %s", bit % 8, bit / 8, sz_status_name(status));
        sz_buf_free(&back);
        file.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    sz_buf_free(&file);
}

static void every_cut_and_every_tail_is_seen(void **state) {
    sz_slz_totals t;
    fill();
    sz_buf file = pack(text, 420, &t), back;
    for (size_t n = 0; n < file.len; n++) {
        assert_int_equal(unpack(file.data, n, &back), SZ_E_FORMAT);
        sz_buf_free(&back);
    }
    sz_buf_putc(&file, 0);
    assert_int_equal(unpack(file.data, file.len, &back), SZ_E_FORMAT);
    assert_non_null(strstr(sz_last_error(), "behind its end"));
    sz_buf_free(&back);
    sz_buf_free(&file);
}

/* Files whose checks are right and whose numbers are not. */
static void put_check(sz_buf *b, size_t from) {
    uint32_t c = sz_crc32c(0, b->data + from, b->len - from);
    for (int i = 0; i < 4; i++)
        sz_buf_putc(b, (char)(c >> 8 * i));
}

static sz_status try_record(uint8_t version, uint8_t engine, uint8_t kind, uint64_t n,
                            uint64_t code) {
    sz_buf b = {0}, back;
    sz_buf_append(&b, "SLZ1", 4);
    sz_buf_putc(&b, (char)version);
    sz_buf_putc(&b, (char)engine);
    sz_varint_put(&b, 7);
    sz_buf_puts(&b, "repeats");
    put_check(&b, 0);
    size_t from = b.len;
    sz_buf_putc(&b, (char)kind);
    sz_varint_put(&b, n);
    if (kind == 2)
        sz_varint_put(&b, code);
    sz_buf_append(&b, "\x02\x05\x01\x06", 4);
    if (kind == 2)
        sz_buf_append(&b, "\0\0\0\0", 4);
    put_check(&b, from);
    sz_status status = unpack(b.data, b.len, &back);
    sz_buf_free(&back);
    sz_buf_free(&b);
    return status;
}

static void lies_are_refused(void **state) {
    assert_int_equal(try_record(2, 77, 1, 4, 0), SZ_E_UNSUPPORTED);
    assert_int_equal(try_record(1, 78, 1, 4, 0), SZ_E_UNSUPPORTED);
    assert_int_equal(try_record(1, 77, 3, 4, 0), SZ_E_FORMAT);
    assert_int_equal(try_record(1, 77, 1, 0, 0), SZ_E_FORMAT);
    assert_int_equal(try_record(1, 77, 1, UINT64_MAX, 0), SZ_E_FORMAT);
    assert_int_equal(try_record(1, 77, 1, SZ_SLZ_MOST_SEGMENT, 0), SZ_E_FORMAT);
    assert_int_equal(try_record(1, 77, 2, 100, 100), SZ_E_FORMAT);
    assert_int_equal(try_record(1, 77, 2, 100, UINT64_MAX), SZ_E_FORMAT);
    assert_int_equal(try_record(1, 77, 2, 3, 4), SZ_E_FORMAT);
    assert_int_equal(try_record(1, 77, 2, 7, 4), SZ_E_FORMAT); /* decodes to other bytes */
    assert_int_equal(try_record(1, 77, 0, 1, 0), SZ_E_FORMAT);
    assert_int_equal(try_record(1, 0, 2, 100, 4), SZ_E_FORMAT);
}

/* A long file that nobody holds: bytes as they are asked for, checked as they come back. */
typedef struct flow {
    uint64_t at, n, back;
    sz_slz_memory file; /* the container: small */
    bool wrong;
} flow;

static uint8_t byte_at(uint64_t i) {
    return (uint8_t)(i / 5000);
}
static sz_status read_flow(void *user, void *bytes, size_t n, size_t *n_read) {
    flow *f = user;
    *n_read = n < f->n - f->at ? n : (size_t)(f->n - f->at);
    for (size_t i = 0; i < *n_read; i++)
        ((uint8_t *)bytes)[i] = byte_at(f->at + i);
    f->at += *n_read;
    return SZ_OK;
}
static sz_status write_file(void *user, const void *bytes, size_t n) {
    return sz_slz_write_memory(&((flow *)user)->file, bytes, n);
}
static sz_status read_file(void *user, void *bytes, size_t n, size_t *n_read) {
    return sz_slz_read_memory(&((flow *)user)->file, bytes, n, n_read);
}
static sz_status check_flow(void *user, const void *bytes, size_t n) {
    flow *f = user;
    for (size_t i = 0; i < n; i++)
        f->wrong |= ((const uint8_t *)bytes)[i] != byte_at(f->back + i);
    f->back += n;
    return SZ_OK;
}

static void memory_does_not_grow_with_the_file(void **state) {
    flow f = {.n = 3 << 20};
    sz_slz_totals t;
    SZ_CHECK_OK(sz_slz_encode(&(sz_predictor){&repeats, NULL},
                              &(sz_slz_io){&f, read_flow, write_file}, &t));
    f.file.in = (uint8_t *)f.file.out.data;
    f.file.n = f.file.out.len;
    size_t before = heap_begin();
    SZ_CHECK_OK(sz_slz_decode(open_repeats, NULL, &(sz_slz_io){&f, read_file, check_flow}, &t));
    assert_false(f.wrong);
    assert_int_equal(f.back, f.n);
    f.at = 0;
    SZ_CHECK_OK(
        sz_slz_encode(&(sz_predictor){&repeats, NULL}, &(sz_slz_io){&f, read_flow, NULL}, &t));
    assert_int_equal(t.n_bytes, f.n);
    assert_true(heap_peak() - before < 1 << 14); /* of 3 MiB */
    sz_buf_free(&f.file.out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_comes_back),
        cmocka_unit_test(what_would_grow_is_stored),
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(every_cut_and_every_tail_is_seen),
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(memory_does_not_grow_with_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
