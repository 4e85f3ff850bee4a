/* test_circuit_file.c: circuits saved and opened again, and files that are not what they say. */
#include "learn/vector_case.h"

#include <stdlib.h>
#include <unistd.h>

#include <szilard/unstable/circuit_file.h>

static char path[64];

static int make_path(void **state) {
    snprintf(path, sizeof path, "/tmp/szilard-circuit-XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 || close(fd);
}

static int remove_path(void **state) {
    return unlink(path);
}

static void what_is_saved_is_opened(void **state) {
    static const size_t shapes[][3] = {{1, 1, 1}, {1, 3, 4}, {20, 5, 7}, {6, 16, 300}};
    for (size_t i = 0; i < 4; i++) {
        size_t d = shapes[i][0], m = shapes[i][1], k = shapes[i][2];
        size_t n = m + d * m * (m + k);
        sz_pc *pc = random_circuit(d, m, k, i), *again;
        int32_t parent[2][20];
        double *p = sz_alloc(2 * n * sizeof *p), *q = p + n;
        uint8_t digest[2][32];
        SZ_CHECK_OK(sz_pc_save(pc, path, i ? "small" : NULL));
        SZ_CHECK_OK(sz_pc_open(path, &again));
        sz_pc_get(pc, parent[0], p, p + m, p + m + d * m * m);
        sz_pc_get(again, parent[1], q, q + m, q + m + d * m * m);
        assert_memory_equal(p, q, n * sizeof *p);
        assert_memory_equal(parent[0], parent[1], d * sizeof **parent);
        SZ_CHECK_OK(sz_pc_digest(pc, digest[0]));
        SZ_CHECK_OK(sz_pc_digest(again, digest[1]));
        assert_memory_equal(digest[0], digest[1], 32);
        sz_free(p);
        sz_pc_free(again);
        sz_pc_free(pc);
    }
}

static void digests_differ(void **state) {
    uint8_t a[32], b[32];
    sz_pc *one = random_circuit(4, 2, 3, 1), *other = random_circuit(4, 2, 3, 2);
    SZ_CHECK_OK(sz_pc_digest(one, a));
    SZ_CHECK_OK(sz_pc_digest(other, b));
    assert_true(memcmp(a, b, 32) != 0);
    sz_pc_free(one);
    sz_pc_free(other);
}

static void open_corpus(const char *name, sz_status want, const char *says) {
    char file[256];
    sz_pc *pc = NULL;
    snprintf(file, sizeof file, SZ_SOURCE_DIR "/fuzz/corpus/circuit/%s", name);
    sz_status status = sz_pc_open(file, &pc);
    if (status != want || (want != SZ_OK && !strstr(sz_last_error(), says)))
        fail_msg("%s: %s, not %s with '%s': %s", name, sz_status_name(status), sz_status_name(want),
                 says, sz_last_error());
    assert_true((pc != NULL) == (want == SZ_OK));
    sz_pc_free(pc);
}

static void broken_files_are_named(void **state) {
    open_corpus("valid", SZ_OK, "");
    open_corpus("valid-off-by-little", SZ_OK, "");
    open_corpus("type-model", SZ_E_UNSUPPORTED, "general.type");
    open_corpus("kind-other", SZ_E_UNSUPPORTED, "circuit.kind");
    open_corpus("without-latents", SZ_E_NOTFOUND, "circuit.latents");
    open_corpus("without-emit", SZ_E_FORMAT, "no tensor emit");
    open_corpus("variables-many", SZ_E_FORMAT, "variables");
    open_corpus("parents-cycle", SZ_E_FORMAT, "cycle");
    open_corpus("parents-two-roots", SZ_E_FORMAT, "2 variables have no parent");
    open_corpus("parents-few", SZ_E_FORMAT, "circuit.parents");
    open_corpus("root-float", SZ_E_FORMAT, "tensor root");
    open_corpus("emit-turned", SZ_E_FORMAT, "tensor emit");
    open_corpus("root-sum", SZ_E_FORMAT, "root's prior");
    open_corpus("root-nan", SZ_E_FORMAT, "root's prior");
    open_corpus("trans-negative", SZ_E_FORMAT, "transitions of variable 0, row 0");
    open_corpus("emit-infinite", SZ_E_FORMAT, "emissions of variable 0, row 0");
    open_corpus("nothing", SZ_E_NOTFOUND, "nothing");
}

static void check_hash(const void *bytes, size_t n, const char *want) {
    uint8_t hash[32];
    char hex[65];
    sz_sha256 h;
    sz_sha256_init(&h);
    sz_sha256_update(&h, bytes, n);
    sz_sha256_final(&h, hash);
    sz_hex(hash, 32, hex);
    assert_string_equal(hex, want);
}

/* A training and a code, known to the bit: the same for every compiler and processor. */
static void the_same_bits_in_every_build(void **state) {
    enum { D = 20, N = 300 };
    static int32_t x[N * D];
    sz_runtime *rt = runtime(2, NULL);
    sz_pc *truth = random_circuit(D, 5, 7, 1), *pc;
    sz_pc_coder *coder;
    sz_buf code = {0};
    uint8_t digest[32];
    SZ_CHECK_OK(sz_pc_sample(rt, truth, NULL, N, 1, x));
    sz_pc_fit_config c = {.n_latents = 9, .n_epochs = 6, .batch = 128, .seed = 5};
    SZ_CHECK_OK(sz_pc_fit(rt, x, N, D, 7, &c, &pc));
    SZ_CHECK_OK(sz_pc_digest(pc, digest));
    SZ_CHECK_OK(sz_pc_coder_new(rt, pc, &coder));
    SZ_CHECK_OK(sz_pc_encode(coder, x, N, &code));
    check_hash(digest, sizeof digest,
               "b9be795729b2551f9cd03d192d5d90e8377f7bf86c7a817fdf0641b760dfc4fb");
    check_hash(code.data, code.len,
               "9ac0b7b660959b1bce96ba1b60ee3442b17be971ce9dac3c34a33417b3293d88");
    sz_buf_free(&code);
    sz_pc_coder_free(coder);
    sz_pc_free(pc);
    sz_pc_free(truth);
    sz_runtime_free(rt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_is_opened),
        cmocka_unit_test(digests_differ),
        cmocka_unit_test(broken_files_are_named),
        cmocka_unit_test(the_same_bits_in_every_build),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
