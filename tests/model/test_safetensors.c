#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/safetensors.h>
#include <time.h>
#include <unistd.h>

static sz_buf file; /* of the running test */

/* A file with that header and n bytes of data, 0, 1, 2, ... */
static void make(const char *header, size_t n) {
    uint64_t length = strlen(header);
    sz_buf_clear(&file);
    sz_buf_append(&file, &length, 8);
    sz_buf_puts(&file, header);
    for (size_t i = 0; i < n; i++)
        sz_buf_putc(&file, (char)i);
}

/* A file with one tensor "t". */
static void make_one(const char *dtype, const char *shape, const char *offsets, size_t n) {
    sz_buf b = {0};
    sz_buf_printf(&b, "{\"t\":{\"dtype\":%s,\"shape\":%s,\"data_offsets\":%s}}", dtype, shape,
                  offsets);
    make(b.data, n);
    sz_buf_free(&b);
}

static sz_safetensors *parsed(void) {
    sz_safetensors *f = NULL;
    SZ_CHECK_OK(sz_safetensors_parse(file.data, file.len, "made", &f));
    return f;
}

/* The file as it stands is refused with that status and a message that holds both words. */
static void refused(sz_status want, const char *word, const char *other) {
    sz_safetensors *f = NULL;
    uint8_t *exact = malloc(file.len ? file.len : 1); /* a sanitizer sees every byte beyond */
    memcpy(exact, file.data ? file.data : "", file.len);
    sz_status got = sz_safetensors_parse(exact, file.len, "made", &f);
    const char *error = got == SZ_OK ? "" : sz_last_error();
    if (got != want || !strstr(error, "made: ") || !strstr(error, word) || !strstr(error, other))
        fail_msg("got %s \"%s\", not %s with \"%s\" and \"%s\"", sz_status_name(got), error,
                 sz_status_name(want), word, other);
    assert_null(f);
    free(exact);
}

static int release(void **state) {
    sz_buf_free(&file);
    return 0;
}

/* ---- Files that follow the format ------------------------------------------------------------ */

static void every_type_is_read(void **state) {
    static const struct {
        const char *name;
        sz_safetensors_type type;
        size_t bytes;
    } want[] = {{"BOOL", SZ_ST_BOOL, 1}, {"U8", SZ_ST_U8, 1},     {"I8", SZ_ST_I8, 1},
                {"I16", SZ_ST_I16, 2},   {"I32", SZ_ST_I32, 4},   {"I64", SZ_ST_I64, 8},
                {"F16", SZ_ST_F16, 2},   {"BF16", SZ_ST_BF16, 2}, {"F32", SZ_ST_F32, 4},
                {"F64", SZ_ST_F64, 8}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        char dtype[16], offsets[32];
        snprintf(dtype, sizeof dtype, "\"%s\"", want[i].name);
        snprintf(offsets, sizeof offsets, "[0,%zu]", 6 * want[i].bytes);
        make_one(dtype, "[2, 3]", offsets, 6 * want[i].bytes);
        sz_safetensors *f = parsed();
        const sz_safetensors_tensor *t = sz_safetensors_find(f, "t");
        assert_int_equal(t->type, want[i].type);
        assert_string_equal(sz_safetensors_type_name(t->type), want[i].name);
        assert_int_equal(sz_safetensors_type_bytes(t->type), want[i].bytes);
        assert_int_equal(t->bytes, 6 * want[i].bytes);
        assert_int_equal(t->n_dim, 2);
        assert_int_equal(t->dim[0], 2);
        assert_int_equal(t->dim[1], 3);
        assert_int_equal(t->data[t->bytes - 1], t->bytes - 1);
        sz_safetensors_close(f);
    }
    assert_string_equal(sz_safetensors_type_name((sz_safetensors_type)10), "unknown");
    assert_int_equal(sz_safetensors_type_bytes((sz_safetensors_type)-1), 0);
}

/* Out of order in the header, with a scalar, empty tensors and padding behind the header. */
static void several_tensors_are_found(void **state) {
    make("{\"b\":{\"dtype\":\"I16\",\"shape\":[2],\"data_offsets\":[4,8]},"
         "\"__metadata__\":{\"format\":\"pt\"},"
         "\"empty\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[4,4]},"
         "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
         "\"end\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[8,8]}}      ",
         8);
    sz_safetensors *f = parsed();
    assert_int_equal(sz_safetensors_n_tensors(f), 4);
    assert_string_equal(sz_safetensors_tensor_at(f, 0)->name, "b");
    assert_string_equal(sz_safetensors_tensor_at(f, 3)->name, "end");
    assert_null(sz_safetensors_tensor_at(f, 4));
    assert_int_equal(sz_safetensors_find(f, "a")->n_dim, 0);
    assert_int_equal(sz_safetensors_find(f, "a")->data[3], 3);
    assert_int_equal(sz_safetensors_find(f, "b")->data[0], 4);
    assert_int_equal(sz_safetensors_find(f, "empty")->bytes, 0);
    assert_null(sz_safetensors_find(f, "__metadata__"));
    const sz_json *format = sz_json_get(sz_safetensors_metadata(f), "format");
    assert_string_equal(format->u.s, "pt");
    sz_safetensors_close(f);
}

static void files_without_tensors_open(void **state) {
    make("{}", 0);
    sz_safetensors *f = parsed();
    assert_int_equal(sz_safetensors_n_tensors(f), 0);
    assert_null(sz_safetensors_find(f, "t"));
    assert_null(sz_safetensors_metadata(f));
    sz_safetensors_close(f);
}

static void files_are_mapped(void **state) {
    char path[] = "/tmp/szilard-test-safetensors-XXXXXX";
    int fd = mkstemp(path);
    make_one("\"U8\"", "[5]", "[0,5]", 5);
    assert_int_equal(write(fd, file.data, file.len), file.len);
    close(fd);
    sz_safetensors *f = NULL;
    SZ_CHECK_OK(sz_safetensors_open(path, &f));
    unlink(path);
    assert_memory_equal(sz_safetensors_find(f, "t")->data, "\0\1\2\3\4", 5);
    sz_safetensors_close(f);
    assert_int_equal(sz_safetensors_open(path, &f), SZ_E_NOTFOUND);
}

/* ---- Broken files ---------------------------------------------------------------------------- */

static void the_header_is_checked(void **state) {
    sz_buf_clear(&file), refused(SZ_E_FORMAT, "0 bytes", "");
    make("{}", 0), file.len = 7, refused(SZ_E_FORMAT, "7 bytes", "");
    make("{}", 0), file.len = 8, refused(SZ_E_FORMAT, "position 8", "");
    make("[]", 0), refused(SZ_E_FORMAT, "position 8", "");
    make("", 8), refused(SZ_E_FORMAT, "position 8", "");
    make("{}", 0), file.len = 9, refused(SZ_E_FORMAT, "incomplete", "2 bytes");
    make("{", 8), refused(SZ_E_FORMAT, "header", "");
    make("{}}", 0), refused(SZ_E_FORMAT, "header", "");
    make("{}", 3), refused(SZ_E_FORMAT, "3 bytes of data belong to no tensor", "");
    make("{\"t\":3}", 0), refused(SZ_E_FORMAT, "tensor t", "object");
    make("{\"__metadata__\":{\"k\":1}}", 0), refused(SZ_E_FORMAT, "__metadata__: k", "string");
    make("{\"__metadata__\":[]}", 0), refused(SZ_E_FORMAT, "__metadata__", "object");
    make("{\"a\\u0000b\":{}}", 0), refused(SZ_E_FORMAT, "tensor a?b", "NUL");
    const uint64_t lengths[] = {100000001, UINT64_MAX, UINT64_MAX - 7, 1ull << 63};
    for (int i = 0; i < 4; i++) {
        make("{}", 0), memcpy(file.data, &lengths[i], 8);
        refused(SZ_E_LIMIT, "100000000", "header");
    }
}

static void members_are_checked(void **state) {
    make("{\"t\":{}}", 0), refused(SZ_E_FORMAT, "tensor t", "dtype");
    make("{\"t\":{\"dtype\":\"F32\"}}", 0), refused(SZ_E_FORMAT, "tensor t", "shape");
    make("{\"t\":{\"dtype\":\"F32\",\"shape\":[0]}}", 0);
    refused(SZ_E_FORMAT, "tensor t", "data_offsets");
    make_one("7", "[1]", "[0,4]", 4), refused(SZ_E_FORMAT, "tensor t", "dtype");
    make_one("\"F8_E4M3\"", "[1]", "[0,1]", 1), refused(SZ_E_UNSUPPORTED, "tensor t", "F8_E4M3");
    make_one("\"\"", "[1]", "[0,1]", 1), refused(SZ_E_UNSUPPORTED, "tensor t", "type");
    make_one("\"F32\"", "4", "[0,4]", 4), refused(SZ_E_FORMAT, "tensor t", "shape");
    make_one("\"F32\"", "[1.0]", "[0,4]", 4), refused(SZ_E_FORMAT, "tensor t", "dimension 0");
    make_one("\"F32\"", "[1,-1]", "[0,4]", 4), refused(SZ_E_FORMAT, "tensor t", "dimension 1");
    make_one("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]", 4);
    refused(SZ_E_UNSUPPORTED, "tensor t", "9 dimensions");
    make_one("\"F32\"", "[4294967296,4294967296]", "[0,4]", 4);
    refused(SZ_E_FORMAT, "tensor t", "too large at number 1");
    make_one("\"F64\"", "[4611686018427387904]", "[0,0]", 0);
    refused(SZ_E_FORMAT, "tensor t", "too large at number 0");
}

static void places_are_checked(void **state) {
    make_one("\"F32\"", "[1]", "[0]", 4), refused(SZ_E_FORMAT, "tensor t", "two integers");
    make_one("\"F32\"", "[1]", "[0,4,8]", 4), refused(SZ_E_FORMAT, "tensor t", "two integers");
    make_one("\"F32\"", "[1]", "[0,4.0]", 4), refused(SZ_E_FORMAT, "tensor t", "two integers");
    make_one("\"F32\"", "[1]", "[0,5]", 4), refused(SZ_E_FORMAT, "tensor t", "incomplete");
    make_one("\"F32\"", "[1]", "[4,0]", 4), refused(SZ_E_FORMAT, "tensor t", "[4, 0]");
    make_one("\"F32\"", "[1]", "[-4,0]", 4), refused(SZ_E_FORMAT, "tensor t", "[-4, 0]");
    make_one("\"F32\"", "[2]", "[0,4]", 4), refused(SZ_E_FORMAT, "tensor t", "need 8");
    make_one("\"F32\"", "[1]", "[2,6]", 6), refused(SZ_E_FORMAT, "tensor t", "starts at 2");
    make_one("\"F32\"", "[1]", "[0,4]", 5), refused(SZ_E_FORMAT, "1 bytes", "no tensor");
    make_one("\"F32\"", "[1]", "[0,9223372036854775807]", 4);
    refused(SZ_E_FORMAT, "tensor t", "incomplete");
    make("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
         "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[3,7]}}",
         7);
    refused(SZ_E_FORMAT, "tensor b", "starts at 3 of the data, the one before it ends at 4");
    make("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
         "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
         8);
    refused(SZ_E_FORMAT, "a", "");
}

static void every_prefix_is_refused(void **state) {
    make("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
         "\"b\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[4,12]}}",
         12);
    for (size_t whole = file.len; file.len-- > 0;) {
        refused(SZ_E_FORMAT, "made", "");
        assert_true(file.len < whole);
    }
}

/* ---- Size ------------------------------------------------------------------------------------ */

static void enormous_headers_are_refused(void **state) {
    sz_buf b = {0};
    sz_buf_puts(&b, "{\"t\":[");
    for (int i = 0; i < 2000000; i++)
        sz_buf_puts(&b, "0,");
    sz_buf_puts(&b, "0]}");
    make(b.data, 0);
    sz_safetensors *f;
    clock_t start = clock();
    assert_int_equal(sz_safetensors_parse(file.data, file.len, "made", &f), SZ_E_LIMIT);
    assert_non_null(strstr(sz_last_error(), "made: header"));
    assert_true(clock() - start < CLOCKS_PER_SEC);
    sz_buf_clear(&b);
    for (int i = 0; i <= 65536; i++)
        sz_buf_printf(&b, "%c\"%d\":0", i ? ',' : '{', i);
    sz_buf_puts(&b, ",\"__metadata__\":{}}");
    make(b.data, 0);
    refused(SZ_E_LIMIT, "65538", "65536");
    sz_buf_free(&b);
}

static void many_tensors_open_quickly(void **state) {
    sz_buf b = {0};
    for (int i = 0; i < 30000; i++)
        sz_buf_printf(&b, "%c\"t%d\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%d,%d]}",
                      i ? ',' : '{', i, 29999 - i, 30000 - i);
    sz_buf_puts(&b, "}");
    make(b.data, 30000);
    sz_buf_free(&b);
    clock_t start = clock();
    sz_safetensors *f = parsed();
    assert_true(clock() - start < CLOCKS_PER_SEC);
    assert_int_equal(sz_safetensors_find(f, "t29999")->data[0], 0);
    assert_int_equal(sz_safetensors_find(f, "t0")->data[0], 29999 % 256);
    sz_safetensors_close(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_type_is_read, release),
        cmocka_unit_test_teardown(several_tensors_are_found, release),
        cmocka_unit_test_teardown(files_without_tensors_open, release),
        cmocka_unit_test_teardown(files_are_mapped, release),
        cmocka_unit_test_teardown(the_header_is_checked, release),
        cmocka_unit_test_teardown(members_are_checked, release),
        cmocka_unit_test_teardown(places_are_checked, release),
        cmocka_unit_test_teardown(every_prefix_is_refused, release),
        cmocka_unit_test_teardown(enormous_headers_are_refused, release),
        cmocka_unit_test_teardown(many_tensors_open_quickly, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
