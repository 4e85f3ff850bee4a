#include "check.h"
#include "model/gguf.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- Making files byte by byte --------------------------------------------------------------- */

static sz_buf file; /* of the running test */

static void u32(uint32_t v) {
    sz_buf_append(&file, &v, 4);
}
static void u64(uint64_t v) {
    sz_buf_append(&file, &v, 8);
}
static void text(const char *s) {
    u64(strlen(s));
    sz_buf_puts(&file, s);
}
static void header(uint32_t version, uint64_t n_tensors, uint64_t n_kv) {
    sz_buf_clear(&file);
    sz_buf_puts(&file, "GGUF");
    u32(version);
    u64(n_tensors);
    u64(n_kv);
}
static void key(const char *name, uint32_t type) {
    text(name);
    u32(type);
}
static void array(const char *name, uint32_t element, uint64_t n) {
    key(name, SZ_GGUF_ARRAY);
    u32(element);
    u64(n);
}
static void tensor(const char *name, uint32_t type, uint64_t row, uint64_t rows, uint64_t offset) {
    text(name);
    u32(2);
    u64(row);
    u64(rows);
    u32(type);
    u64(offset);
}
static void data(size_t n) {
    while (file.len % 32)
        sz_buf_putc(&file, 0);
    for (size_t i = 0; i < n; i++)
        sz_buf_putc(&file, (char)i);
}

static sz_gguf *parsed(void) {
    sz_gguf *g = NULL;
    SZ_CHECK_OK(sz_gguf_parse(file.data, file.len, "made", &g));
    return g;
}

/* The file as it stands is refused with that status and a message that holds both words. */
static void refused(sz_status want, const char *word, const char *other) {
    sz_gguf *g = NULL;
    sz_status got = sz_gguf_parse(file.data, file.len, "made", &g);
    const char *error = got == SZ_OK ? "" : sz_last_error();
    if (got != want || !strstr(error, "made: ") || !strstr(error, word) || !strstr(error, other))
        fail_msg("got %s \"%s\", not %s with \"%s\" and \"%s\"", sz_status_name(got), error,
                 sz_status_name(want), word, other);
    assert_null(g);
}

static int release(void **state) {
    sz_buf_free(&file);
    return 0;
}

/* ---- Files that follow the format ------------------------------------------------------------ */

static const char *scratch_path(void) {
    static char path[64];
    snprintf(path, sizeof path, "/tmp/szilard-test-gguf-%d", (int)getpid());
    return path;
}

static const float weights[64] = {1.5f, -2, 0.25f, [40] = 3};
static const uint8_t bytes[5] = {9, 8, 7, 6, 5};

static void put_everything(sz_gguf_writer *w) {
    const sz_str words[3] = {{"one", 3}, {"", 0}, {"th\0ree", 6}};
    const float f[2] = {0.5f, -1e30f};
    const int32_t i[3] = {-1, 0, INT32_MAX};
    sz_gguf_put_u32(w, "u32", 4000000000u);
    sz_gguf_put_i32(w, "i32", -7);
    sz_gguf_put_u64(w, "u64", UINT64_MAX);
    sz_gguf_put_f32(w, "f32", 1.25f);
    sz_gguf_put_bool(w, "bool", true);
    sz_gguf_put_str(w, "str", "some text", 9);
    sz_gguf_put_strs(w, "strs", words, 3);
    sz_gguf_put_strs(w, "none", NULL, 0);
    sz_gguf_put_f32s(w, "f32s", f, 2);
    sz_gguf_put_i32s(w, "i32s", i, 3);
    sz_gguf_put_tensor(w, "matrix", SZ_F32, 2, (const uint64_t[]){16, 4}, weights);
    sz_gguf_put_tensor(w, "odd", SZ_I8, 1, (const uint64_t[]){5}, bytes);
    sz_gguf_put_tensor(w, "cube", SZ_F16, 3, (const uint64_t[]){4, 2, 3}, weights);
}

static void check_scalars(const sz_gguf *g) {
    uint32_t u;
    int64_t i;
    float f;
    bool b;
    sz_str s;
    SZ_CHECK_OK(sz_gguf_get_u32(g, "u32", &u));
    assert_true(u == 4000000000u);
    SZ_CHECK_OK(sz_gguf_get_i64(g, "i32", &i));
    assert_int_equal(i, -7);
    SZ_CHECK_OK(sz_gguf_get_f32(g, "f32", &f));
    assert_true(f == 1.25f);
    SZ_CHECK_OK(sz_gguf_get_bool(g, "bool", &b));
    assert_true(b);
    SZ_CHECK_OK(sz_gguf_get_str(g, "str", &s));
    assert_int_equal(s.n, 9);
    assert_memory_equal(s.s, "some text", 9);
}

static void check_arrays(const sz_gguf *g) {
    const sz_gguf_kv *words = sz_gguf_find(g, "strs");
    assert_int_equal(words->type, SZ_GGUF_ARRAY);
    assert_int_equal(words->element, SZ_GGUF_STRING);
    assert_int_equal(words->n, 3);
    assert_int_equal(sz_gguf_str_at(g, words, 1).n, 0);
    assert_int_equal(sz_gguf_str_at(g, words, 2).n, 6);
    assert_memory_equal(sz_gguf_str_at(g, words, 2).s, "th\0ree", 6);
    assert_int_equal(sz_gguf_str_at(g, words, 3).n, 0);
    assert_int_equal(sz_gguf_find(g, "none")->n, 0);
    assert_true(sz_gguf_num_at(g, sz_gguf_find(g, "f32s"), 1) == (double)-1e30f);
    assert_int_equal(sz_gguf_int_at(g, sz_gguf_find(g, "i32s"), 0), -1);
    assert_int_equal(sz_gguf_int_at(g, sz_gguf_find(g, "i32s"), 2), INT32_MAX);
    assert_int_equal(sz_gguf_int_at(g, sz_gguf_find(g, "i32s"), 3), 0);
    assert_int_equal(sz_gguf_int_at(g, sz_gguf_find(g, "u64"), 0), INT64_MAX);
}

static void check_tensors(const sz_gguf *g) {
    const sz_gguf_tensor *t = sz_gguf_find_tensor(g, "matrix");
    assert_int_equal(sz_gguf_n_tensors(g), 3);
    assert_int_equal(t->n_dim, 2);
    assert_int_equal(t->dim[0], 16);
    assert_int_equal(t->dim[3], 1);
    assert_int_equal(t->bytes, sizeof weights);
    assert_memory_equal(t->data, weights, sizeof weights);
    assert_memory_equal(sz_gguf_find_tensor(g, "odd")->data, bytes, 5);
    assert_int_equal(sz_gguf_find_tensor(g, "cube")->bytes, 48);
    assert_string_equal(sz_gguf_tensor_at(g, 1)->name, "odd");
    assert_null(sz_gguf_tensor_at(g, 3));
    assert_null(sz_gguf_find_tensor(g, "matri"));
}

static void what_is_written_is_read(void **state) {
    sz_gguf_writer *w;
    sz_gguf *g;
    SZ_CHECK_OK(sz_gguf_writer_new(&w));
    put_everything(w);
    SZ_CHECK_OK(sz_gguf_writer_save(w, scratch_path()));
    sz_gguf_writer_free(w);
    SZ_CHECK_OK(sz_gguf_open(scratch_path(), &g));
    assert_string_equal(sz_gguf_name(g), scratch_path());
    assert_int_equal(sz_gguf_version(g), 3);
    assert_int_equal(sz_gguf_file_bytes(g) % 32, 0);
    assert_int_equal(sz_gguf_n_kv(g), 10);
    assert_string_equal(sz_gguf_kv_at(g, 6)->key, "strs");
    assert_null(sz_gguf_kv_at(g, 10));
    check_scalars(g);
    check_arrays(g);
    check_tensors(g);
    sz_gguf_close(g);
    unlink(scratch_path());
}

/* A file written from the keys and tensors of another is the same file. */
static void a_copy_is_equal(void **state) {
    sz_gguf_writer *w;
    sz_gguf *g;
    sz_buf first = {0}, second = {0};
    SZ_CHECK_OK(sz_gguf_writer_new(&w));
    sz_gguf_put_u32(w, "general.alignment", 128);
    put_everything(w);
    SZ_CHECK_OK(sz_gguf_writer_save(w, scratch_path()));
    sz_gguf_writer_free(w);
    SZ_CHECK_OK(sz_file_read(scratch_path(), 1 << 20, &first));
    SZ_CHECK_OK(sz_gguf_open(scratch_path(), &g));
    SZ_CHECK_OK(sz_gguf_writer_new(&w));
    for (size_t i = 0; i < sz_gguf_n_kv(g); i++)
        sz_gguf_put_kv(w, g, sz_gguf_kv_at(g, i));
    for (size_t i = 0; i < sz_gguf_n_tensors(g); i++) {
        const sz_gguf_tensor *t = sz_gguf_tensor_at(g, i);
        assert_int_equal((t->data - sz_gguf_tensor_at(g, 0)->data) % 128, 0);
        sz_gguf_put_tensor(w, t->name, t->type, t->n_dim, t->dim, t->data);
    }
    SZ_CHECK_OK(sz_gguf_writer_save(w, scratch_path()));
    SZ_CHECK_OK(sz_file_read(scratch_path(), 1 << 20, &second));
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    sz_gguf_writer_free(w);
    sz_gguf_close(g);
    sz_buf_free(&first);
    sz_buf_free(&second);
    unlink(scratch_path());
}

static void every_width_of_number_is_read(void **state) {
    header(2, 0, 8);
    key("u8", SZ_GGUF_U8), sz_buf_putc(&file, (char)200);
    key("i8", SZ_GGUF_I8), sz_buf_putc(&file, -100);
    key("u16", SZ_GGUF_U16), sz_buf_append(&file, &(uint16_t){60000}, 2);
    key("i16", SZ_GGUF_I16), sz_buf_append(&file, &(int16_t){-30000}, 2);
    key("i64", SZ_GGUF_I64), u64((uint64_t)INT64_MIN);
    key("u64", SZ_GGUF_U64), u64(INT64_MAX);
    key("f64", SZ_GGUF_F64), sz_buf_append(&file, &(double){0.1}, 8);
    array("bools", SZ_GGUF_BOOL, 3), sz_buf_append(&file, "\1\0\1", 3);
    sz_gguf *g = parsed();
    static const struct {
        const char *key;
        int64_t value;
    } want[] = {{"u8", 200},     {"i8", -100},       {"u16", 60000},
                {"i16", -30000}, {"i64", INT64_MIN}, {"u64", INT64_MAX}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        int64_t v = 0;
        SZ_CHECK_OK(sz_gguf_get_i64(g, want[i].key, &v));
        assert_true(v == want[i].value);
        assert_true(sz_gguf_num_at(g, sz_gguf_find(g, want[i].key), 0) == (double)v);
    }
    float f = 0;
    SZ_CHECK_OK(sz_gguf_get_f32(g, "f64", &f));
    assert_true(f == 0.1f);
    const sz_gguf_kv *bools = sz_gguf_find(g, "bools");
    assert_int_equal(sz_gguf_int_at(g, bools, 0), 1);
    assert_int_equal(sz_gguf_int_at(g, bools, 1), 0);
    assert_int_equal(sz_gguf_version(g), 2);
    sz_gguf_close(g);
}

/* ---- Values that the reader of a key must not get -------------------------------------------- */

static void getters_refuse_what_does_not_fit(void **state) {
    uint32_t u = 77, infinite = 0x7f800000;
    int64_t i;
    float f;
    bool b;
    sz_str s;
    header(3, 0, 6);
    key("infinite", SZ_GGUF_F32), u32(infinite);
    key("huge", SZ_GGUF_F64), sz_buf_append(&file, &(double){1e300}, 8);
    key("negative", SZ_GGUF_I32), u32((uint32_t)-1);
    key("large", SZ_GGUF_U64), u64(UINT64_MAX);
    key("flag", SZ_GGUF_BOOL), sz_buf_putc(&file, 2);
    array("list", SZ_GGUF_U32, 1), u32(5);
    sz_gguf *g = parsed();
    assert_int_equal(sz_gguf_get_f32(g, "infinite", &f), SZ_E_FORMAT);
    assert_string_equal(sz_last_error(), "made: key infinite is inf; it must be a finite float");
    assert_int_equal(sz_gguf_get_f32(g, "huge", &f), SZ_E_FORMAT);
    assert_int_equal(sz_gguf_get_f32(g, "negative", &f), SZ_E_FORMAT);
    assert_int_equal(sz_gguf_get_u32(g, "negative", &u), SZ_E_FORMAT);
    assert_non_null(strstr(sz_last_error(), "key negative is -1"));
    assert_int_equal(sz_gguf_get_u32(g, "large", &u), SZ_E_FORMAT);
    assert_int_equal(sz_gguf_get_i64(g, "large", &i), SZ_E_FORMAT);
    assert_int_equal(sz_gguf_get_bool(g, "flag", &b), SZ_E_FORMAT);
    assert_int_equal(sz_gguf_get_bool(g, "negative", &b), SZ_E_FORMAT);
    assert_int_equal(sz_gguf_get_str(g, "infinite", &s), SZ_E_FORMAT);
    assert_int_equal(sz_gguf_get_u32(g, "list", &u), SZ_E_FORMAT);
    assert_string_equal(sz_last_error(),
                        "made: key list is an array of u32; it must be an integer");
    assert_int_equal(sz_gguf_get_u32(g, "absent", &u), SZ_E_NOTFOUND);
    assert_int_equal(u, 77);
    sz_gguf_close(g);
}

/* ---- Broken files ---------------------------------------------------------------------------- */

static void other_files_are_told_apart(void **state) {
    header(1, 0, 0), refused(SZ_E_UNSUPPORTED, "version 1", "header");
    header(4, 0, 0), refused(SZ_E_UNSUPPORTED, "version 4", "header");
    header(0x03000000, 0, 0), refused(SZ_E_UNSUPPORTED, "big-endian", "header");
    header(3, 0, 0), memcpy(file.data, "FUGG", 4), refused(SZ_E_UNSUPPORTED, "big-endian", "");
    header(3, 0, 0), memcpy(file.data, "tjgg", 4), refused(SZ_E_UNSUPPORTED, "ggjt", "");
    header(3, 0, 0), memcpy(file.data, "PK\3\4", 4), refused(SZ_E_UNSUPPORTED, "zip", "");
    header(3, 0, 0), memcpy(file.data, "<htm\033", 5), refused(SZ_E_FORMAT, "<htm?", "not a GGUF");
    sz_buf_clear(&file), sz_buf_puts(&file, "version https://git-lfs.github.com/spec/v1\n");
    refused(SZ_E_FORMAT, "Git LFS", "");
    sz_buf_clear(&file), refused(SZ_E_FORMAT, "not a GGUF", "");
    sz_gguf *g;
    assert_int_equal(sz_gguf_open("/nonexistent/model.gguf", &g), SZ_E_NOTFOUND);
    assert_non_null(strstr(sz_last_error(), "/nonexistent/model.gguf"));
}

static void nan_is_no_metadata(void **state) {
    const double nan = __builtin_nan("");
    const float row[3] = {0, -__builtin_inff(), __builtin_nanf("")};
    header(3, 0, 1), key("llama.rope.freq_base", SZ_GGUF_F32), u32(0xffc00001);
    refused(SZ_E_FORMAT, "key llama.rope.freq_base", "NaN");
    header(3, 0, 1), key("k", SZ_GGUF_F64), sz_buf_append(&file, &nan, 8);
    refused(SZ_E_FORMAT, "key k", "NaN");
    header(3, 0, 1), array("scores", SZ_GGUF_F32, 3), sz_buf_append(&file, row, 12);
    refused(SZ_E_FORMAT, "key scores", "value 3 of 3 is NaN");
    header(3, 0, 1), array("scores", SZ_GGUF_F32, 2), sz_buf_append(&file, row, 8);
    sz_gguf_close(parsed());
}

static void counts_are_limited(void **state) {
    header(3, 0, 65537), refused(SZ_E_LIMIT, "65537 keys", "65536");
    header(3, 65537, 0), refused(SZ_E_LIMIT, "65537 tensors", "65536");
    header(3, UINT64_MAX, UINT64_MAX), refused(SZ_E_LIMIT, "18446744073709551615 keys", "");
    header(3, 60000, 60000), refused(SZ_E_FORMAT, "need at least", "60000 tensors");
    header(3, 0, 1), u64(65536), data(66000), refused(SZ_E_FORMAT, "key number 0", "65536");
    header(3, 0, 1), u64(0), data(64), refused(SZ_E_FORMAT, "key number 0", "0 bytes");
    header(3, 0, 1), u64(UINT64_MAX), data(64), refused(SZ_E_FORMAT, "key number 0", "name");
    header(3, 0, 1), u64(5), sz_buf_append(&file, "ab\0cd", 5), data(64);
    refused(SZ_E_FORMAT, "key ab?cd", "NUL");
}

static void values_must_lie_in_the_file(void **state) {
    header(3, 0, 1), key("k", SZ_GGUF_STRING), u64(UINT64_MAX), data(9);
    refused(SZ_E_FORMAT, "key k", "18446744073709551615 bytes");
    header(3, 0, 1), array("k", SZ_GGUF_U32, UINT64_MAX / 2), data(9);
    refused(SZ_E_FORMAT, "key k", "9223372036854775807");
    header(3, 0, 1), array("k", SZ_GGUF_F64, 1000), data(9);
    refused(SZ_E_FORMAT, "key k", "8000 bytes");
    header(3, 0, 1), array("k", SZ_GGUF_STRING, 1000), data(9);
    refused(SZ_E_FORMAT, "key k", "1000 strings");
    header(3, 0, 1), array("k", SZ_GGUF_STRING, 2), text("a"), u64(UINT64_MAX - 3), data(9);
    refused(SZ_E_FORMAT, "key k", "string 1 has 18446744073709551612 bytes");
    header(3, 0, 1), array("k", SZ_GGUF_STRING, UINT64_MAX), data(9);
    refused(SZ_E_FORMAT, "key k", "strings");
    header(3, 0, 1), array("k", SZ_GGUF_ARRAY, 1), u32(0), u64(1), data(9);
    refused(SZ_E_UNSUPPORTED, "key k", "array of arrays");
    header(3, 0, 1), key("k", 13), data(9), refused(SZ_E_FORMAT, "key k", "13 is not a type");
    header(3, 0, 1), array("k", 4000000000, 0), data(9);
    refused(SZ_E_FORMAT, "key k", "4000000000");
    header(3, 0, 2), key("twin", SZ_GGUF_U32), u32(1), key("twin", SZ_GGUF_U32), u32(2);
    refused(SZ_E_FORMAT, "key twin", "twice (number 0 and number 1)");
}

static void alignment_is_checked(void **state) {
    static const uint32_t bad[] = {0, 1, 4, 24, 33, 131072, UINT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        header(3, 0, 1), key("general.alignment", SZ_GGUF_U32), u32(bad[i]);
        refused(SZ_E_FORMAT, "general.alignment", "power of two");
    }
    header(3, 0, 1), key("general.alignment", SZ_GGUF_F32), u32(0);
    refused(SZ_E_FORMAT, "general.alignment", "integer");
    header(3, 1, 1), key("general.alignment", SZ_GGUF_U32), u32(64);
    tensor("t", SZ_F32, 4, 4, 32), data(500), refused(SZ_E_FORMAT, "tensor t", "alignment 64");
}

static void shapes_are_checked(void **state) {
    header(3, 1, 0), tensor("t", SZ_F32, 0, 4, 0), data(64);
    refused(SZ_E_FORMAT, "tensor t", "zero");
    header(3, 1, 0), tensor("t", SZ_F32, 4, 0, 0), data(64);
    refused(SZ_E_FORMAT, "tensor t", "zero");
    header(3, 1, 0), tensor("t", SZ_F32, 1ull << 32, 1ull << 32, 0), data(64);
    refused(SZ_E_FORMAT, "tensor t", "product");
    header(3, 1, 0), tensor("t", SZ_F32, 1ull << 31, 1ull << 31, 0), data(64);
    refused(SZ_E_FORMAT, "tensor t", "product");
    header(3, 1, 0), tensor("t", SZ_Q4_K, 100, 4, 0), data(640);
    refused(SZ_E_FORMAT, "tensor t", "whole blocks");
    header(3, 1, 0), tensor("t", SZ_Q4_0, UINT64_MAX / 32 * 32, 1, 0), data(640);
    refused(SZ_E_FORMAT, "tensor t", "incomplete");
    for (uint32_t n_dim = 0; n_dim < 6; n_dim += 5) {
        header(3, 1, 0), text("t"), u32(n_dim), data(64);
        refused(SZ_E_FORMAT, "tensor t", "dimensions");
    }
    header(3, 1, 0), tensor("t", 4242, 4, 4, 0), data(64);
    refused(SZ_E_UNSUPPORTED, "tensor t", "4242");
    header(3, 1, 0), tensor("t", UINT32_MAX, 4, 4, 0), data(64);
    refused(SZ_E_UNSUPPORTED, "tensor t", "4294967295");
}

static void places_are_checked(void **state) {
    header(3, 1, 0), tensor("t", SZ_F32, 4, 4, 0), data(63);
    refused(SZ_E_FORMAT, "tensor t", "incomplete");
    header(3, 1, 0), tensor("t", SZ_F32, 4, 4, UINT64_MAX - 31), data(64);
    refused(SZ_E_FORMAT, "tensor t", "incomplete");
    header(3, 1, 0), tensor("t", SZ_F32, 4, 4, 8), data(96);
    refused(SZ_E_FORMAT, "tensor t", "offset 8");
    header(3, 1, 0), tensor("t", SZ_F32, 4, 4, 0), refused(SZ_E_FORMAT, "tensor t", "only 0");
    header(3, 2, 0), tensor("a", SZ_F32, 4, 4, 32), tensor("b", SZ_F32, 4, 4, 0), data(96);
    refused(SZ_E_FORMAT, "tensor a", "overlaps tensor b");
    header(3, 2, 0), tensor("a", SZ_F32, 4, 4, 0), tensor("b", SZ_F32, 4, 4, 0), data(96);
    refused(SZ_E_FORMAT, "overlaps", "tensor");
    header(3, 2, 0), tensor("a", SZ_F32, 4, 4, 0), tensor("a", SZ_F32, 4, 4, 64), data(128);
    refused(SZ_E_FORMAT, "tensor a", "twice");
    header(3, 2, 0), tensor("a", SZ_F32, 4, 4, 64), tensor("b", SZ_F32, 4, 4, 0), data(128);
    sz_gguf *g = parsed();
    assert_ptr_equal(sz_gguf_find_tensor(g, "b")->data + 64, sz_gguf_find_tensor(g, "a")->data);
    sz_gguf_close(g);
}

/* Cut anywhere, a file is refused; whole, it opens. */
static void every_prefix_is_refused(void **state) {
    sz_gguf_writer *w;
    sz_gguf *g;
    SZ_CHECK_OK(sz_gguf_writer_new(&w));
    put_everything(w);
    SZ_CHECK_OK(sz_gguf_writer_save(w, scratch_path()));
    sz_gguf_writer_free(w);
    sz_buf_clear(&file);
    SZ_CHECK_OK(sz_file_read(scratch_path(), 1 << 20, &file));
    unlink(scratch_path());
    size_t whole = file.len, needed = whole - 16; /* the last tensor has 48 bytes of its 64 */
    for (size_t n = 0; n < whole; n++) {
        uint8_t *exact = malloc(n ? n : 1); /* so that a sanitizer sees every byte beyond */
        memcpy(exact, file.data, n);
        sz_status status = sz_gguf_parse(exact, n, "made", &g);
        assert_int_equal(status, n < needed ? SZ_E_FORMAT : SZ_OK);
        if (status == SZ_OK)
            sz_gguf_close(g);
        free(exact);
    }
}

/* ---- Size ------------------------------------------------------------------------------------ */

static void string_arrays_are_bounded(void **state) {
    header(3, 0, 1), array("k", SZ_GGUF_STRING, (4 << 20) + 1);
    for (uint64_t i = 0; i <= 4 << 20; i++)
        u64(0);
    refused(SZ_E_LIMIT, "key k", "4194304 strings");
    file.data[24 + 8 + 1 + 4 + 4] = 0; /* one less than that */
    sz_gguf *g = parsed();
    assert_true(sz_arena_bytes(g->arena) < 20 << 20);
    assert_int_equal(sz_gguf_str_at(g, sz_gguf_find(g, "k"), (4 << 20) - 1).n, 0);
    sz_gguf_close(g);
}

/* Names that could fill gigabytes: 1000 of 65 kB meet the bound of the index. */
static void names_are_bounded(void **state) {
    sz_buf name = {0};
    header(3, 0, 1000);
    for (int i = 0; i < 1000; i++) {
        sz_buf_clear(&name);
        sz_buf_printf(&name, "%065000d", i);
        key(name.data, SZ_GGUF_BOOL), sz_buf_putc(&file, 0);
    }
    sz_buf_free(&name);
    refused(SZ_E_LIMIT, "key 0000", "MiB");
}

static size_t heap_bytes(void) {
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static void the_largest_counts_open_quickly(void **state) {
    header(3, 65536, 65536);
    for (uint32_t i = 0; i < 65535; i++) {
        char name[16];
        snprintf(name, sizeof name, "k%u", i);
        key(name, SZ_GGUF_U32), u32(i);
    }
    array("strings", SZ_GGUF_STRING, 4 << 20);
    for (uint64_t i = 0; i < 4 << 20; i++)
        u64(0);
    for (uint32_t i = 0; i < 65536; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%u", i);
        tensor(name, SZ_I8, 1, 1, 32ull * (65535 - i));
    }
    data(65536 * 32);
    size_t heap = heap_bytes();
    clock_t start = clock();
    sz_gguf *g = parsed();
    assert_true(clock() - start < CLOCKS_PER_SEC);
    assert_true(heap_bytes() < heap + (64 << 20));
    for (uint32_t i = 0; i < 65535; i += 4095) {
        char name[16];
        uint32_t v = 0;
        snprintf(name, sizeof name, "k%u", i);
        SZ_CHECK_OK(sz_gguf_get_u32(g, name, &v));
        assert_int_equal(v, i);
        name[0] = 't';
        assert_ptr_equal(sz_gguf_find_tensor(g, name), sz_gguf_tensor_at(g, i));
    }
    sz_gguf_close(g);
}

static size_t resident_bytes(void) {
    size_t total = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%zu %zu", &total, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* Only the metadata of a large file is touched. */
static void large_files_are_not_read(void **state) {
    uint64_t size = 3ull << 30;
    header(3, 1, 0), tensor("t", SZ_I8, size, 1, 0), data(0);
    FILE *f = fopen(scratch_path(), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(file.data, 1, file.len, f), file.len);
    assert_int_equal(ftruncate(fileno(f), (off_t)(file.len + size)), 0);
    fclose(f);
    sz_gguf *g;
    size_t before = resident_bytes();
    clock_t start = clock();
    SZ_CHECK_OK(sz_gguf_open(scratch_path(), &g));
    assert_true(clock() - start < CLOCKS_PER_SEC / 5);
    assert_true(resident_bytes() < before + (16 << 20));
    assert_int_equal(sz_gguf_find_tensor(g, "t")->bytes, size);
    assert_int_equal(sz_gguf_find_tensor(g, "t")->data[size - 1], 0);
    sz_gguf_close(g);
    unlink(scratch_path());
}

/* ---- The writer and the names ---------------------------------------------------------------- */

static void save_fails(sz_gguf_writer *w, sz_status want, const char *word) {
    sz_gguf_put_u32(w, "later", 1); /* changes nothing any more */
    assert_int_equal(sz_gguf_writer_save(w, scratch_path()), want);
    if (!strstr(sz_last_error(), word) || !strstr(sz_last_error(), scratch_path()))
        fail_msg("\"%s\" does not tell of \"%s\"", sz_last_error(), word);
    assert_int_not_equal(access(scratch_path(), F_OK), 0);
    sz_gguf_writer_free(w);
}

static sz_gguf_writer *writer(void) {
    sz_gguf_writer *w;
    SZ_CHECK_OK(sz_gguf_writer_new(&w));
    return w;
}

static void the_writer_reports_its_first_error(void **state) {
    const uint64_t dim[4] = {4, 4, 4, 0};
    sz_gguf_writer *w = writer();
    sz_gguf_put_u32(w, "k", 1), sz_gguf_put_i32(w, "k", 1), save_fails(w, SZ_E_ARG, "key k");
    w = writer(), sz_gguf_put_f32(w, "nan", __builtin_nanf("")), save_fails(w, SZ_E_NAN, "nan");
    w = writer(), sz_gguf_put_u32(w, "", 1), save_fails(w, SZ_E_ARG, "0 bytes");
    w = writer(), sz_gguf_put_u32(w, "general.alignment", 48), save_fails(w, SZ_E_ARG, "48");
    w = writer(), sz_gguf_put_i32(w, "general.alignment", 32), save_fails(w, SZ_E_ARG, "u32");
    w = writer(), sz_gguf_put_tensor(w, "t", SZ_F32, 0, dim, weights);
    save_fails(w, SZ_E_ARG, "tensor t");
    w = writer(), sz_gguf_put_tensor(w, "t", SZ_F32, 4, dim, weights);
    save_fails(w, SZ_E_ARG, "zero");
    w = writer(), sz_gguf_put_tensor(w, "t", SZ_Q8_0, 2, dim, weights);
    save_fails(w, SZ_E_ARG, "whole blocks");
    w = writer(), sz_gguf_put_tensor(w, "t", (sz_type)99, 2, dim, weights);
    save_fails(w, SZ_E_ARG, "99");
    w = writer(), sz_gguf_put_tensor(w, "t", SZ_F32, 2, dim, NULL);
    save_fails(w, SZ_E_ARG, "no data");
    w = writer(), sz_gguf_put_tensor(w, "t", SZ_F32, 2, dim, weights);
    sz_gguf_put_tensor(w, "t", SZ_F32, 2, dim, weights), save_fails(w, SZ_E_ARG, "twice");
}

static void siphash_is_the_published_one(void **state) {
    uint8_t key_bytes[16], message[15];
    uint64_t key_words[2];
    for (uint8_t i = 0; i < 16; i++)
        key_bytes[i] = i;
    for (uint8_t i = 0; i < 15; i++)
        message[i] = i;
    memcpy(key_words, key_bytes, 16);
    assert_true(sz_siphash(key_words, message, 15) == 0xa129ca6149be45e5); /* the paper, A */
}

static void foreign_text_is_shown_safely(void **state) {
    char out[80], longer[200];
    memset(longer, 'a', sizeof longer);
    assert_string_equal(sz_show_text("a\033[1m\xc3\xa9\n", 8, out), "a?[1m???");
    assert_string_equal(sz_show_text("", 0, out), "");
    assert_int_equal(strlen(sz_show_text(longer, 79, out)), 79);
    assert_int_equal(strlen(sz_show_text(longer, 80, out)), 79);
    assert_string_equal(out + 75, "a...");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_copy_is_equal),
        cmocka_unit_test_teardown(every_width_of_number_is_read, release),
        cmocka_unit_test_teardown(getters_refuse_what_does_not_fit, release),
        cmocka_unit_test_teardown(other_files_are_told_apart, release),
        cmocka_unit_test_teardown(nan_is_no_metadata, release),
        cmocka_unit_test_teardown(counts_are_limited, release),
        cmocka_unit_test_teardown(values_must_lie_in_the_file, release),
        cmocka_unit_test_teardown(alignment_is_checked, release),
        cmocka_unit_test_teardown(shapes_are_checked, release),
        cmocka_unit_test_teardown(places_are_checked, release),
        cmocka_unit_test_teardown(every_prefix_is_refused, release),
        cmocka_unit_test_teardown(string_arrays_are_bounded, release),
        cmocka_unit_test_teardown(names_are_bounded, release),
        cmocka_unit_test_teardown(the_largest_counts_open_quickly, release),
        cmocka_unit_test_teardown(large_files_are_not_read, release),
        cmocka_unit_test(the_writer_reports_its_first_error),
        cmocka_unit_test(siphash_is_the_published_one),
        cmocka_unit_test(foreign_text_is_shown_safely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
