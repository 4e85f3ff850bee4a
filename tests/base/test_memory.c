/* Allocation, arenas, growing byte strings, errors: alignment, bounds, overflow, reuse. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* ---- Allocation ------------------------------------------------------------------------------ */

static void test_allocation(void **state) {
    uint64_t before = sz_alloc_count();
    for (size_t n = 0; n < 300; n += 7) {
        char *p = sz_alloc(n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        memset(p, 1, n);
        sz_free(p);
    }
    assert_int_equal(sz_alloc_count() - before, 43);
    assert_null(sz_alloc(SIZE_MAX));
    assert_null(sz_alloc((size_t)PTRDIFF_MAX + 1));
    assert_null(sz_calloc(SIZE_MAX / 2, 3));
    assert_null(sz_calloc((size_t)1 << 33, (size_t)1 << 33));
    char *zero = sz_calloc(100, 3);
    for (int i = 0; i < 300; i++)
        assert_int_equal(zero[i], 0);
    sz_free(zero);
    sz_free(NULL);
}

static void test_reallocation(void **state) {
    char *p = sz_realloc(NULL, 0, 10);
    memcpy(p, "123456789", 10);
    p = sz_realloc(p, 10, 1000);
    assert_string_equal(p, "123456789");
    p = sz_realloc(p, 1000, 4);
    assert_memory_equal(p, "1234", 4);
    assert_null(sz_realloc(p, 4, SIZE_MAX)); /* the old memory stays */
    assert_memory_equal(p, "1234", 4);
    sz_free(p);
    char *s = sz_strndup("abcdef", 3), *t = sz_strdup("");
    assert_string_equal(s, "abc");
    assert_string_equal(t, "");
    sz_free(s);
    sz_free(t);
}

static void test_pages(void **state) {
    static const size_t sizes[] = {1, 4096, 3 << 20};
    for (int i = 0; i < 3; i++) {
        char *p = sz_alloc_pages(sizes[i]);
        assert_non_null(p);
        assert_true(p[0] == 0 && p[sizes[i] - 1] == 0);
        p[sizes[i] - 1] = 1;
        sz_free_pages(p, sizes[i]);
    }
    assert_null(sz_alloc_pages(0));
    assert_null(sz_alloc_pages(SIZE_MAX));
    sz_free_pages(NULL, 0);
}

/* ---- Arenas ---------------------------------------------------------------------------------- */

static void test_arena_alignment(void **state) {
    sz_arena *a;
    SZ_CHECK_OK(sz_arena_new(1024, &a));
    char *seen[100];
    for (size_t i = 0; i < 100; i++) {
        bool small = i % 3 == 0;
        seen[i] = small ? sz_arena_alloc_small(a, i) : sz_arena_alloc(a, 7 * i);
        assert_non_null(seen[i]);
        assert_int_equal((uintptr_t)seen[i] % (small ? 16 : 64), 0);
        memset(seen[i], (int)i, small ? i : 7 * i);
    }
    for (size_t i = 1; i < 100; i++) /* nothing overlaps */
        for (size_t j = 0; j < (i % 3 ? 7 * i : i); j++)
            assert_int_equal(seen[i][j], (char)i);
    sz_arena_free(a);
    sz_arena_free(NULL);
    assert_int_equal(sz_arena_new(63, &a), SZ_E_ARG);
}

/* After one round the same work needs no new memory. */
static void test_arena_reuse(void **state) {
    sz_arena *a;
    SZ_CHECK_OK(sz_arena_new(4096, &a));
    size_t held = 0;
    uint64_t count = 0;
    for (int round = 0; round < 5; round++) {
        for (size_t i = 1; i < 200; i++)
            assert_non_null(sz_arena_alloc(a, i * 37 % 6000));
        if (round == 1) {
            held = sz_arena_bytes(a);
            count = sz_alloc_count();
        }
        sz_arena_reset(a);
    }
    assert_int_equal(sz_arena_bytes(a), held);
    assert_int_equal(sz_alloc_count(), count);
    sz_arena_free(a);
}

static void test_arena_marks(void **state) {
    sz_arena *a;
    SZ_CHECK_OK(sz_arena_new(256, &a));
    sz_arena_mark start = sz_arena_get_mark(a); /* before the first block */
    char *kept = sz_arena_alloc(a, 100);
    strcpy(kept, "kept");
    sz_arena_mark mark = sz_arena_get_mark(a);
    char *next = sz_arena_alloc(a, 50);
    for (int i = 0; i < 20; i++)
        assert_non_null(sz_arena_alloc(a, 200));
    sz_arena_rewind(a, mark);
    assert_ptr_equal(sz_arena_alloc(a, 50), next);
    assert_string_equal(kept, "kept");
    sz_arena_rewind(a, start);
    assert_ptr_equal(sz_arena_alloc(a, 100), kept);
    sz_arena_free(a);
}

static void test_arena_limit(void **state) {
    sz_arena *a;
    SZ_CHECK_OK(sz_arena_new(1024, &a));
    sz_arena_set_limit(a, 10000);
    assert_null(sz_arena_alloc(a, 10001));
    size_t n = 0;
    while (sz_arena_alloc(a, 900))
        n++;
    assert_true(n >= 8 && n <= 11);
    assert_true(sz_arena_bytes(a) <= 10000);
    sz_arena_reset(a);
    assert_non_null(sz_arena_alloc(a, 900));
    assert_null(sz_arena_alloc(a, SIZE_MAX));
    assert_null(sz_arena_alloc_small(a, PTRDIFF_MAX));
    sz_arena_free(a);
}

/* ---- Byte strings ---------------------------------------------------------------------------- */

static void test_buffer(void **state) {
    sz_buf b = {0};
    sz_buf_append(&b, NULL, 0);
    sz_buf_puts(&b, "one");
    sz_buf_putc(&b, ' ');
    sz_buf_append(&b, "two\0", 4);
    sz_buf_printf(&b, "%d %s", 3, "four");
    assert_int_equal(b.len, 14);
    assert_memory_equal(b.data, "one two\0003 four", 15);
    sz_buf_clear(&b);
    assert_int_equal(b.len, 0);
    assert_string_equal(b.data, "");
    for (int i = 0; i < 5000; i++)
        sz_buf_printf(&b, "%04d", i);
    assert_int_equal(b.len, 20000);
    assert_memory_equal(b.data + 4 * 4321, "4321", 4);
    assert_int_equal(strlen(b.data), 20000);
    sz_buf_free(&b);
    assert_null(b.data);
    sz_buf_puts(&b, "again");
    assert_string_equal(b.data, "again");
    sz_buf_free(&b);
}

static void test_buffer_limit(void **state) {
    sz_buf b = {.limit = 10};
    sz_buf_puts(&b, "0123456789");
    assert_false(b.failed);
    sz_buf_putc(&b, 'x');
    assert_true(b.failed);
    sz_buf_puts(&b, "");
    sz_buf_printf(&b, "%d", 1);
    assert_string_equal(b.data, "0123456789"); /* failure is sticky, what was there stays */
    sz_buf_clear(&b);
    assert_false(b.failed);
    sz_buf_printf(&b, "%s", "0123456789a");
    assert_true(b.failed && b.len == 0);
    sz_buf_free(&b);
    assert_int_equal(b.limit, 10);
    sz_buf huge = {0};
    sz_buf_append(&huge, "x", SIZE_MAX / 2);
    assert_true(huge.failed);
    sz_buf_free(&huge);
}

/* ---- Errors ---------------------------------------------------------------------------------- */

static sz_status require_small(int x) {
    SZ_REQUIRE(x < 10, SZ_E_ARG, "x is %d, not below 10", x);
    return SZ_OK;
}
static sz_status forward(int x) {
    SZ_TRY(require_small(x));
    return SZ_END;
}

static void *fail_elsewhere(void *text) {
    assert_string_equal(sz_last_error(), ""); /* each thread has its own */
    sz_fail(SZ_E_IO, "%s", (char *)text);
    return NULL;
}

static void test_errors(void **state) {
    pthread_t thread;
    char text[4000];
    assert_int_equal(forward(3), SZ_END);
    assert_int_equal(forward(30), SZ_E_ARG);
    assert_string_equal(sz_last_error(), "x is 30, not below 10");
    assert_int_equal(sz_fail_within(SZ_E_ARG, "model %s", "a.gguf"), SZ_E_ARG);
    assert_string_equal(sz_last_error(), "model a.gguf: x is 30, not below 10");
    sz_fail(SZ_E_IO, "again: %s", sz_last_error()); /* the old text as an argument */
    assert_string_equal(sz_last_error(), "again: model a.gguf: x is 30, not below 10");
    pthread_create(&thread, NULL, fail_elsewhere, "other");
    pthread_join(thread, NULL);
    assert_string_equal(sz_last_error(), "again: model a.gguf: x is 30, not below 10");
    memset(text, 'y', sizeof text);
    text[sizeof text - 1] = '\0';
    sz_fail(SZ_E_IO, "%s", text); /* long texts are cut */
    size_t most = strlen(sz_last_error());
    assert_true(most > 500 && most < sizeof text);
    for (int i = 0; i < 5; i++)
        sz_fail_within(SZ_E_IO, "%s", text);
    assert_int_equal(strlen(sz_last_error()), most);
    sz_set_error("set");
    assert_string_equal(sz_last_error(), "set");
}

static void test_status_names(void **state) {
    static const sz_status all[] = {
        SZ_OK,      SZ_END,         SZ_E_ARG,    SZ_E_STATE,       SZ_E_NOMEM,
        SZ_E_LIMIT, SZ_E_CANCELLED, SZ_E_FORMAT, SZ_E_UNSUPPORTED, SZ_E_NAN,
        SZ_E_IO,    SZ_E_NOTFOUND,  SZ_E_NETWORK};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_string_not_equal(sz_status_name(all[i]), sz_status_name((sz_status)9999));
    assert_string_equal(sz_status_name((sz_status)9999), "unknown status");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocation),   cmocka_unit_test(test_reallocation),
        cmocka_unit_test(test_pages),        cmocka_unit_test(test_arena_alignment),
        cmocka_unit_test(test_arena_reuse),  cmocka_unit_test(test_arena_marks),
        cmocka_unit_test(test_arena_limit),  cmocka_unit_test(test_buffer),
        cmocka_unit_test(test_buffer_limit), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_status_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
