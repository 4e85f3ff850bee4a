/* The choice of kernels: by name, by $SZILARD_ISA, the best one else; wrong names say what there
 * is. Where qemu-user is installed, the choice is looked at on processors that lack instructions.
 */
#include "each_isa.h"

#include <unistd.h>

static void test_names(void **state) {
    const sz_kernels *k;
    const char *const *names = sz_isa_available();
    int n = 0;
    for (; names[n]; n++) {
        SZ_CHECK_OK(sz_kernels_get(names[n], &k));
        assert_string_equal(k->isa, names[n]);
    }
    assert_true(n >= 1);
    assert_string_equal(names[n - 1], "portable");
    unsetenv("SZILARD_ISA");
    SZ_CHECK_OK(sz_kernels_get(NULL, &k));
    assert_string_equal(k->isa, names[0]);
    SZ_CHECK_OK(sz_kernels_get("", &k));
    assert_string_equal(k->isa, names[0]);
}

static void test_environment(void **state) {
    const sz_kernels *k;
    setenv("SZILARD_ISA", "portable", 1);
    SZ_CHECK_OK(sz_kernels_get(NULL, &k));
    assert_string_equal(k->isa, "portable");
    setenv("SZILARD_ISA", "", 1); /* as if it were not set */
    SZ_CHECK_OK(sz_kernels_get(NULL, &k));
    assert_string_equal(k->isa, sz_isa_available()[0]);
    setenv("SZILARD_ISA", "Avx2", 1);
    assert_int_equal(sz_kernels_get(NULL, &k), SZ_E_UNSUPPORTED);
    SZ_CHECK_OK(sz_kernels_get("portable", &k)); /* an argument goes before the environment */
    unsetenv("SZILARD_ISA");
}

static void test_unknown_names(void **state) {
    const sz_kernels *k = NULL;
    sz_runtime *rt = NULL;
    sz_runtime_config config = {.n_threads = 1, .isa = "sse9"};
    assert_int_equal(sz_kernels_get("sse9", &k), SZ_E_UNSUPPORTED);
    assert_null(k);
    assert_non_null(strstr(sz_last_error(), "sse9"));
    for (const char *const *name = sz_isa_available(); *name; name++)
        assert_non_null(strstr(sz_last_error(), *name));
    assert_int_equal(sz_runtime_new(&config, &rt), SZ_E_UNSUPPORTED);
    assert_null(rt);
}

static void test_every_slot_is_filled(void **state) {
    static const sz_type integer[] = {SZ_Q4_0,   SZ_Q4_1,   SZ_Q5_0, SZ_Q5_1, SZ_Q8_0,
                                      SZ_Q2_K,   SZ_Q3_K,   SZ_Q4_K, SZ_Q5_K, SZ_Q6_K,
                                      SZ_IQ4_NL, SZ_IQ4_XS, SZ_MXFP4};
    for (const sz_kernels **k = each_isa(); *k; k++)
        for (size_t i = 0; i < sizeof integer / sizeof *integer; i++) {
            assert_non_null((*k)->product[integer[i]]);
            assert_non_null((*k)->expand[integer[i]]);
            assert_non_null((*k)->expanded_product[integer[i]]);
        }
}

/* The probe of throughput: 12 sums that grow by four products of 1 per lane and round. */
static void test_peak_counts(void **state) {
    for (const sz_kernels **k = each_isa(); *k; k++) {
        int32_t out[16];
        (*k)->peak_int8(1000, out);
        for (int i = 0; i < 16; i++)
            assert_int_equal(out[i], 12 * 1000 * (1 + 2 + 3 + 4) + 66);
    }
}

/* ---- Other processors ------------------------------------------------------------------------ */

/* Runs this program on a processor of that name, where it prints its best set and leaves. */
static bool best_on(const char *processor, char best[32]) {
    char program[512], command[1024];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    assert_true(n > 0);
    program[n] = '\0';
    snprintf(command, sizeof command, "SZ_TEST_BEST=1 qemu-x86_64 -cpu %s '%s' 2>/dev/null",
             processor, program);
    FILE *f = popen(command, "r");
    bool read = f && fscanf(f, "%31s", best) == 1;
    if (f)
        pclose(f);
    return read;
}

static void test_other_processors(void **state) {
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    char best[32] = "";
    if (system("qemu-x86_64 --version > /dev/null 2>&1") != 0)
        skip();
    static const char *const lacking[] = {"Nehalem", "SandyBridge", "Haswell,-fma", "Haswell,-f16c",
                                          "Haswell,-bmi2"};
    for (size_t i = 0; i < sizeof lacking / sizeof *lacking; i++)
        if (best_on(lacking[i], best))
            assert_string_equal(best, "portable");
    if (best_on("Haswell", best) && strcmp(sz_isa_available()[0], "portable") != 0)
        assert_string_equal(best, "avx2");
#else
    skip();
#endif
}

int main(void) {
    if (getenv("SZ_TEST_BEST"))
        return puts(sz_isa_available()[0]) < 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),         cmocka_unit_test(test_environment),
        cmocka_unit_test(test_unknown_names), cmocka_unit_test(test_every_slot_is_filled),
        cmocka_unit_test(test_peak_counts),   cmocka_unit_test(test_other_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
