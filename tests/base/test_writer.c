#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <szilard/unstable/npy.h>
#include <unistd.h>

static char folder[] = "/tmp/szilard-writer-XXXXXX";

static int make_folder(void **state) {
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state) {
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static int count_files(void) {
    int n = -2; /* "." and ".." */
    DIR *d = opendir(".");
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void expect_contents(const char *path, const void *want, size_t n) {
    sz_buf b = {0};
    SZ_CHECK_OK(sz_file_read(path, 1 << 20, &b));
    assert_int_equal(b.len, n);
    assert_memory_equal(b.data, want, n);
    sz_buf_free(&b);
}

static void a_file_appears_whole(void **state) {
    sz_writer *w;
    struct stat st;
    SZ_CHECK_OK(sz_writer_open("out", &w));
    SZ_CHECK_OK(sz_writer_write(w, "abc", 3));
    assert_int_equal(sz_writer_tell(w), 3);
    assert_int_not_equal(access("out", F_OK), 0);
    SZ_CHECK_OK(sz_writer_commit(w));
    expect_contents("out", "abc", 3);
    assert_int_equal(stat("out", &st), 0);
    mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(st.st_mode & 0777, 0666 & ~mask);

    SZ_CHECK_OK(sz_writer_open("out", &w)); /* given up: the old one stays */
    SZ_CHECK_OK(sz_writer_write(w, "xyz", 3));
    sz_writer_abort(w);
    expect_contents("out", "abc", 3);
    assert_int_equal(count_files(), 1);
    unlink("out");
}

static void impossible_places_are_errors(void **state) {
    sz_writer *w;
    assert_int_equal(sz_writer_open("none/out", &w), SZ_E_IO);
    assert_non_null(strstr(sz_last_error(), "none/out"));
    assert_int_equal(sz_writer_open(".", &w), SZ_E_IO);
    SZ_CHECK_OK(sz_writer_open("/dev/full", &w));
    SZ_CHECK_OK(sz_writer_write(w, "abc", 3));
    assert_int_equal(sz_writer_commit(w), SZ_E_IO);
    assert_int_equal(count_files(), 0);
}

/* A device or a pipe must not be replaced by a file. */
static void devices_stay_what_they_are(void **state) {
    sz_writer *w;
    struct stat st;
    SZ_CHECK_OK(sz_writer_open("/dev/null", &w));
    SZ_CHECK_OK(sz_writer_write(w, "abc", 3));
    SZ_CHECK_OK(sz_writer_commit(w));
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));

    assert_int_equal(mkfifo("pipe", 0600), 0);
    int reader = open("pipe", O_RDONLY | O_NONBLOCK);
    SZ_CHECK_OK(sz_writer_open("pipe", &w));
    SZ_CHECK_OK(sz_writer_write(w, "abc", 3));
    SZ_CHECK_OK(sz_writer_commit(w));
    char got[8];
    assert_int_equal(read(reader, got, sizeof got), 3);
    SZ_CHECK_OK(sz_writer_open("pipe", &w));
    sz_writer_abort(w);
    assert_int_equal(access("pipe", F_OK), 0);
    close(reader);
    unlink("pipe");
}

static void npy_headers(void **state) {
    static const struct {
        uint32_t n_dim;
        uint64_t dim[3];
        const char *text;
    } want[] = {
        {0, {0}, "{'descr': '<f4', 'fortran_order': False, 'shape': (), }"},
        {1, {7}, "{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }"},
        {2, {3, 49152}, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 49152), }"},
        {3,
         {1, 0, 18446744073709551615u},
         "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 0, 18446744073709551615), }"},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        sz_writer *w;
        sz_buf b = {0};
        size_t n = strlen(want[i].text);
        SZ_CHECK_OK(sz_writer_open("out.npy", &w));
        SZ_CHECK_OK(sz_npy_header(w, "<f4", want[i].dim, want[i].n_dim));
        SZ_CHECK_OK(sz_writer_commit(w));
        SZ_CHECK_OK(sz_file_read("out.npy", 1024, &b));
        assert_int_equal(b.len % 64, 0);
        assert_memory_equal(b.data, "\x93NUMPY\1\0", 8);
        assert_int_equal((uint8_t)b.data[8] + 256 * (uint8_t)b.data[9], b.len - 10);
        assert_memory_equal(b.data + 10, want[i].text, n);
        for (size_t j = 10 + n; j < b.len; j++)
            assert_int_equal(b.data[j], j + 1 == b.len ? '\n' : ' ');
        sz_buf_free(&b);
    }
    sz_writer *w;
    SZ_CHECK_OK(sz_writer_open("/dev/null", &w));
    assert_int_equal(sz_npy_header(w, "<f4", NULL, 9), SZ_E_ARG);
    assert_int_equal(sz_npy_header(w, "f4", NULL, 0), SZ_E_ARG);
    sz_writer_abort(w);
    unlink("out.npy");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_appears_whole),
        cmocka_unit_test(impossible_places_are_errors),
        cmocka_unit_test(devices_stay_what_they_are),
        cmocka_unit_test(npy_headers),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
