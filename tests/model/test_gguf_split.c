#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <szilard/unstable/gguf.h>
#include <unistd.h>

enum { N_PARTS = 3, PATH = 128 };

static char folder[64];

static int make_folder(void **state) {
    strcpy(folder, "/tmp/szilard-split-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static char *path_of(int i, char path[PATH]) {
    snprintf(path, PATH, "%s/m-%05d-of-%05d.gguf", folder, i + 1, N_PARTS);
    return path;
}

static int remove_folder(void **state) {
    char path[PATH];
    for (int i = 0; i < N_PARTS; i++)
        unlink(path_of(i, path));
    return rmdir(folder);
}

typedef struct plan { /* what the keys of a part say */
    uint32_t number, count;
    int32_t n_tensors;
    const char *name; /* of its second tensor; NULL: as it should be */
} plan;

static void write_part(int i, plan p) {
    char path[PATH], name[2][16];
    sz_gguf_writer *w;
    float values[2][4];
    SZ_CHECK_OK(sz_gguf_writer_new(&w));
    if (i == 0)
        sz_gguf_put_u32(w, "only.in.first", 77);
    sz_gguf_put_u32(w, "split.no", p.number);
    sz_gguf_put_u32(w, "split.count", p.count);
    sz_gguf_put_i32(w, "split.tensors.count", p.n_tensors);
    for (int t = 0; t < 2 && i > 0; t++) { /* the first part has no tensors, as is usual */
        snprintf(name[t], sizeof name[t], "t%d.%d", i, t);
        for (int k = 0; k < 4; k++)
            values[t][k] = (float)(100 * i + 10 * t + k);
        sz_gguf_put_tensor(w, t && p.name ? p.name : name[t], SZ_F32, 1, &(uint64_t){4}, values[t]);
    }
    SZ_CHECK_OK(sz_gguf_writer_save(w, path_of(i, path)));
    sz_gguf_writer_free(w);
}

static plan usual(int i) {
    return (plan){.number = (uint32_t)i, .count = N_PARTS, .n_tensors = 4};
}

static void write_all(void) {
    for (int i = 0; i < N_PARTS; i++)
        write_part(i, usual(i));
}

static void refused(int i, sz_status want, const char *word, const char *other) {
    char path[PATH];
    sz_gguf *g = NULL;
    sz_status got = sz_gguf_open(path_of(i, path), &g);
    const char *error = got == SZ_OK ? "" : sz_last_error();
    if (got != want || !strstr(error, word) || !strstr(error, other))
        fail_msg("got %s \"%s\", not %s with \"%s\" and \"%s\"", sz_status_name(got), error,
                 sz_status_name(want), word, other);
    assert_null(g);
}

static void the_first_part_opens_all(void **state) {
    char path[PATH];
    sz_gguf *g = NULL;
    uint64_t bytes = 0;
    write_all();
    SZ_CHECK_OK(sz_gguf_open(path_of(0, path), &g));
    assert_int_equal(sz_gguf_n_tensors(g), 4);
    for (int i = 1; i < N_PARTS; i++)
        for (int t = 0; t < 2; t++) {
            char name[16];
            float v;
            snprintf(name, sizeof name, "t%d.%d", i, t);
            const sz_gguf_tensor *tensor = sz_gguf_find_tensor(g, name);
            assert_non_null(tensor);
            assert_ptr_equal(tensor, sz_gguf_tensor_at(g, (size_t)(2 * (i - 1) + t)));
            memcpy(&v, tensor->data + 12, sizeof v);
            assert_true(v == (float)(100 * i + 10 * t + 3));
        }
    for (int i = 0; i < N_PARTS; i++) {
        struct stat st;
        assert_int_equal(stat(path_of(i, path), &st), 0);
        bytes += (uint64_t)st.st_size;
    }
    assert_int_equal(sz_gguf_file_bytes(g), bytes);
    assert_non_null(sz_gguf_find(g, "only.in.first"));
    sz_gguf_close(g);
}

static void a_missing_part_is_named(void **state) {
    char path[PATH];
    write_all();
    unlink(path_of(2, path));
    refused(0, SZ_E_NOTFOUND, "part 3 of 3", "m-00003-of-00003.gguf");
}

static void a_later_part_names_the_first(void **state) {
    write_all();
    refused(1, SZ_E_FORMAT, "part 2 of 3", "m-00001-of-00003.gguf");
}

static void a_broken_part_is_named(void **state) {
    char path[PATH];
    write_all();
    assert_int_equal(truncate(path_of(1, path), 60), 0);
    refused(0, SZ_E_FORMAT, "part 2 of 3", "m-00002-of-00003.gguf");
}

static void parts_must_belong_together(void **state) {
    write_all();
    plan p = usual(2);
    p.number = 1;
    write_part(2, p);
    refused(0, SZ_E_FORMAT, "m-00003-of-00003.gguf", "part 2 of 3");
    p = usual(2), p.count = 4;
    write_part(2, p);
    refused(0, SZ_E_FORMAT, "m-00003-of-00003.gguf", "split.count");
    p = usual(2), p.name = "t1.0";
    write_part(2, p);
    refused(0, SZ_E_FORMAT, "tensor t1.0", "another part");
    write_all();
    p = usual(0), p.n_tensors = 5;
    write_part(0, p);
    refused(0, SZ_E_FORMAT, "split.tensors.count is 5", "4 tensors");
}

static void the_keys_are_not_trusted(void **state) {
    write_all();
    plan p = usual(0);
    p.count = UINT32_MAX;
    write_part(0, p);
    refused(0, SZ_E_LIMIT, "split.count", "4294967295");
    p.count = 0, p.number = 7;
    write_part(0, p);
    refused(0, SZ_E_FORMAT, "split.no is 7", "split.count");
    p.count = 8; /* the name says 3 */
    write_part(0, p);
    refused(0, SZ_E_FORMAT, "-00008-of-00008.gguf", "cannot be found");
    p.number = 0, p.count = 4;
    write_part(0, p);
    refused(0, SZ_E_FORMAT, "-00001-of-00004.gguf", "cannot be found");
    p = usual(0), p.count = 1, p.n_tensors = 99; /* one file that says that it is all */
    write_part(0, p);
    char path[PATH];
    sz_gguf *g;
    SZ_CHECK_OK(sz_gguf_open(path_of(0, path), &g));
    sz_gguf_close(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_part_opens_all, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_missing_part_is_named, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_later_part_names_the_first, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_broken_part_is_named, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(parts_must_belong_together, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_keys_are_not_trusted, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
