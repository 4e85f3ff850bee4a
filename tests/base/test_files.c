/* Files: maps, reading with a bound, and writing that leaves either the whole file or nothing. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static char folder[] = "files-XXXXXX"; /* where the test runs */

static const char *in_folder(const char *name) {
    static char path[4][256];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static int n_files(void) {
    int n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void put(const char *path, const void *bytes, size_t n) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void expect_content(const char *path, const char *want) {
    sz_buf b = {0};
    SZ_CHECK_OK(sz_file_read(path, 1 << 20, &b));
    assert_string_equal(b.data, want);
    sz_buf_free(&b);
}

static int set_up(void **state) {
    return mkdtemp(folder) == NULL;
}
static int tear_down(void **state) {
    return rmdir(folder); /* every test takes its files with it */
}

/* ---- Reading --------------------------------------------------------------------------------- */

static void test_map(void **state) {
    sz_map m = {0};
    const char *path = in_folder("mapped");
    put(path, "0123456789", 10);
    SZ_CHECK_OK(sz_map_open(path, &m));
    assert_int_equal(m.size, 10);
    assert_memory_equal(m.data, "0123456789", 10);
    sz_map_prefetch(m.data + 3, 4);
    sz_map_release(m.data + 3, 4);
    sz_map_release(m.data, 10);
    assert_memory_equal(m.data, "0123456789", 10);
    sz_map_close(&m);
    assert_null(m.data);
    sz_map_close(&m);
    put(path, "", 0);
    SZ_CHECK_OK(sz_map_open(path, &m));
    assert_true(m.data == NULL && m.size == 0);
    sz_map_close(&m);
    unlink(path);
}

/* Pages of a map may leave memory and come back from the file. */
static void test_map_release(void **state) {
    enum { N = 300000 };
    sz_map m;
    const char *path = in_folder("large");
    char *bytes = malloc(N);
    for (int i = 0; i < N; i++)
        bytes[i] = (char)(i * 31);
    put(path, bytes, N);
    SZ_CHECK_OK(sz_map_open(path, &m));
    for (size_t at = 0; at < N - 50000; at += 33333) {
        sz_map_prefetch(m.data + at, 50000);
        sz_map_release(m.data + at, 50000);
        assert_memory_equal(m.data, bytes, N);
    }
    sz_map_close(&m);
    free(bytes);
    unlink(path);
}

static void test_read_errors(void **state) {
    sz_map m;
    sz_buf b = {0};
    assert_int_equal(sz_map_open(in_folder("none"), &m), SZ_E_NOTFOUND);
    assert_non_null(strstr(sz_last_error(), "none"));
    assert_int_equal(sz_map_open(folder, &m), SZ_E_IO);
    assert_non_null(strstr(sz_last_error(), "not a regular file"));
    assert_int_equal(sz_map_open("/dev/zero", &m), SZ_E_IO);
    assert_int_equal(sz_file_read(in_folder("none"), 10, &b), SZ_E_NOTFOUND);
    assert_int_equal(sz_file_read(folder, 10, &b), SZ_E_IO);
    sz_buf_free(&b);
}

static void test_read_bound(void **state) {
    sz_buf b = {0};
    const char *path = in_folder("bound");
    put(path, "0123456789", 10);
    SZ_CHECK_OK(sz_file_read(path, 10, &b));
    assert_int_equal(b.len, 10);
    sz_buf_clear(&b);
    assert_int_equal(sz_file_read(path, 9, &b), SZ_E_LIMIT);
    assert_non_null(strstr(sz_last_error(), "more than 9 bytes"));
    assert_int_equal(sz_file_read("/dev/zero", 1 << 20, &b), SZ_E_LIMIT);
    sz_buf_free(&b);
    unlink(path);
}

static void test_standard_input(void **state) {
    sz_buf b = {0};
    const char *path = in_folder("input");
    put(path, "from a pipe", 11);
    int old = dup(STDIN_FILENO), fd = open(path, O_RDONLY);
    dup2(fd, STDIN_FILENO);
    SZ_CHECK_OK(sz_file_read("-", 100, &b));
    dup2(old, STDIN_FILENO);
    close(fd);
    close(old);
    assert_string_equal(b.data, "from a pipe");
    sz_buf_free(&b);
    unlink(path);
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void test_commit(void **state) {
    sz_writer *w;
    const char *path = in_folder("out");
    put(path, "old", 3);
    SZ_CHECK_OK(sz_writer_open(path, &w));
    SZ_CHECK_OK(sz_writer_write(w, "new ", 4));
    SZ_CHECK_OK(sz_writer_write(w, "content", 7));
    assert_int_equal(sz_writer_tell(w), 11);
    assert_int_equal(n_files(), 2);
    expect_content(path, "old"); /* until the commit */
    SZ_CHECK_OK(sz_writer_commit(w));
    expect_content(path, "new content");
    assert_int_equal(n_files(), 1);
    unlink(path);
}

static void test_large(void **state) {
    enum { N = 777777 };
    sz_writer *w;
    sz_map m;
    const char *path = in_folder("big");
    char *bytes = malloc(N);
    for (int i = 0; i < N; i++)
        bytes[i] = (char)(i % 7919 * 31 >> 3);
    SZ_CHECK_OK(sz_writer_open(path, &w));
    for (size_t at = 0, n = 1; at < N; at += n, n = n * 3 % 100003) {
        n = n < N - at ? n : N - at;
        SZ_CHECK_OK(sz_writer_write(w, bytes + at, n));
        assert_int_equal(sz_writer_tell(w), at + n);
    }
    SZ_CHECK_OK(sz_writer_commit(w));
    SZ_CHECK_OK(sz_map_open(path, &m));
    assert_int_equal(m.size, N);
    assert_memory_equal(m.data, bytes, N);
    sz_map_close(&m);
    free(bytes);
    unlink(path);
}

static void test_abort(void **state) {
    sz_writer *w;
    const char *path = in_folder("kept");
    put(path, "old", 3);
    SZ_CHECK_OK(sz_writer_open(path, &w));
    SZ_CHECK_OK(sz_writer_write(w, "new", 3));
    sz_writer_abort(w);
    expect_content(path, "old");
    assert_int_equal(n_files(), 1);
    sz_writer_abort(NULL);
    unlink(path);
}

/* Two writers of one name do not meet: the last commit wins as a whole. */
static void test_two_writers(void **state) {
    sz_writer *a, *b;
    const char *path = in_folder("both");
    SZ_CHECK_OK(sz_writer_open(path, &a));
    SZ_CHECK_OK(sz_writer_open(path, &b));
    SZ_CHECK_OK(sz_writer_write(a, "first", 5));
    SZ_CHECK_OK(sz_writer_write(b, "second", 6));
    SZ_CHECK_OK(sz_writer_commit(b));
    SZ_CHECK_OK(sz_writer_commit(a));
    expect_content(path, "first");
    assert_int_equal(n_files(), 1);
    unlink(path);
}

static void test_mode(void **state) {
    sz_writer *w;
    struct stat st;
    const char *path = in_folder("mode");
    mode_t before = umask(027);
    SZ_CHECK_OK(sz_writer_open(path, &w));
    SZ_CHECK_OK(sz_writer_commit(w));
    umask(before);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(st.st_size, 0);
    unlink(path);
}

static void test_write_errors(void **state) {
    sz_writer *w = NULL;
    const char *file = in_folder("file");
    put(file, "", 0);
    assert_int_equal(sz_writer_open(in_folder("no/such/folder"), &w), SZ_E_IO);
    assert_non_null(strstr(sz_last_error(), "no/such/folder"));
    assert_int_equal(sz_writer_open(in_folder("file/below"), &w), SZ_E_IO);
    assert_int_equal(sz_writer_open("/proc/cannot-be-written", &w), SZ_E_IO);
    assert_null(w);
    unlink(file);
    if (geteuid() == 0) /* whom permissions do not stop */
        return;
    chmod(folder, 0500);
    assert_int_equal(sz_writer_open(in_folder("closed"), &w), SZ_E_IO);
    assert_non_null(strstr(sz_last_error(), "closed"));
    chmod(folder, 0700);
}

/* The name becomes a folder's in the meantime: nothing is left behind. */
static void test_rename_fails(void **state) {
    sz_writer *w;
    const char *path = in_folder("folder");
    SZ_CHECK_OK(sz_writer_open(path, &w));
    SZ_CHECK_OK(sz_writer_write(w, "x", 1));
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(sz_writer_commit(w), SZ_E_IO);
    assert_non_null(strstr(sz_last_error(), "cannot rename"));
    assert_int_equal(n_files(), 1);
    rmdir(path);
}

/* The disk takes no more: an error on the way or at the commit, the old file whole. */
static void test_no_space(void **state) {
    struct rlimit before, small;
    sz_writer *w;
    static char bytes[200000];
    const char *path = in_folder("space");
    put(path, "old", 3);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 100000, .rlim_max = before.rlim_max};
    for (size_t n = 30000; n <= 180000; n += 50000) {
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        SZ_CHECK_OK(sz_writer_open(path, &w));
        sz_status status = sz_writer_write(w, bytes, n);
        if (status == SZ_OK && n > 100000)
            status = sz_writer_commit(w);
        else
            sz_writer_abort(w);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(status, n > 100000 ? SZ_E_IO : SZ_OK);
        expect_content(path, "old");
        assert_int_equal(n_files(), 1);
    }
    signal(SIGXFSZ, SIG_DFL);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_map_release),
        cmocka_unit_test(test_read_errors),
        cmocka_unit_test(test_read_bound),
        cmocka_unit_test(test_standard_input),
        cmocka_unit_test(test_commit),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_abort),
        cmocka_unit_test(test_two_writers),
        cmocka_unit_test(test_mode),
        cmocka_unit_test(test_write_errors),
        cmocka_unit_test(test_rename_fails),
        cmocka_unit_test(test_no_space),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
