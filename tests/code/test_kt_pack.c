/* test_kt_pack.c: the shortest form of a string and back, scripts with a patch, annealing, foreign
 * bytes. */
#include "check.h"

#include <string.h>

#include <szilard/unstable/kt.h>

static uint64_t drawn;
static uint32_t below(uint32_t n) {
    return (uint32_t)(sz_uniform(81, 0, drawn++) * n);
}

/* Packs, unpacks, compares; the packed bytes stay in `packed`. */
static sz_kt_packed round_trip(const uint8_t *x, size_t n, const sz_kt_pack_options *o,
                               sz_buf *packed, sz_buf *text) {
    sz_kt_packed p;
    sz_kt_form form;
    sz_buf out = {0};
    sz_buf_clear(packed);
    SZ_CHECK_OK(sz_kt_pack(x, n, o, packed, &p));
    assert_true(packed->len <= n + 1);
    assert_int_equal(packed->len, 1 + (p.bits[p.form] + 7) / 8);
    for (int f = 0; f < SZ_KT_N_FORMS; f++)
        assert_true(p.bits[f] == 0 || p.bits[f] >= p.bits[p.form]);
    SZ_CHECK_OK(sz_kt_unpack((uint8_t *)packed->data, packed->len, (uint32_t)n, &out, text, &form));
    assert_int_equal(form, p.form);
    assert_int_equal(out.len, n);
    if (n)
        assert_memory_equal(out.data, x, n);
    sz_buf_free(&out);
    return p;
}

static void every_string_comes_back(void **state) {
    sz_buf packed = {0};
    for (int round = 0; round < 120; round++) {
        uint8_t x[300];
        size_t n = below(round < 100 ? 60 : 300);
        uint32_t spread = round % 3 == 0 ? 256 : round % 3 == 1 ? 4 : 20;
        for (size_t i = 0; i < n; i++)
            x[i] = (uint8_t)(round % 4 == 0 && i > 3 ? x[i - 3] + 1 : (int)below(spread));
        sz_kt_pack_options o = {.size = sizeof o, .steps = 50, .restarts = 1, .seed = round};
        round_trip(x, n, round % 2 ? &o : NULL, &packed, NULL);
    }
    sz_buf_free(&packed);
}

static void no_string_needs_more_than_a_bit(void **state) {
    sz_buf packed = {0};
    sz_kt_packed p = round_trip((const uint8_t *)"", 0, NULL, &packed, NULL);
    assert_int_equal(p.bits[SZ_KT_PROGRAM], 1);
    assert_int_equal(packed.len, 1);
    sz_buf_free(&packed);
}

static sz_kt_pack_options with_script(const sz_kt_text *t) {
    return (sz_kt_pack_options){.size = sizeof(sz_kt_pack_options), .scripts = t, .n_scripts = 1};
}

/* Running sums modulo 7: neither a ramp nor a bend. */
static const char sums[] = "sequence_1 = range_func_up(1, 60)\n"
                           "sequence_2 = scan_add(sequence_1)\n"
                           "sequence_3 = modulo_item_list(sequence_2, 97)\n"
                           "output = sequence_3\n";

static void a_right_script_is_taken(void **state) {
    sz_buf x = {0}, packed = {0}, text = {0};
    SZ_CHECK_OK(sz_kt_script_run(sums, strlen(sums), false, &x, NULL));
    sz_kt_text t = {sums, strlen(sums)};
    sz_kt_pack_options o = with_script(&t);
    sz_kt_packed p = round_trip((uint8_t *)x.data, x.len, &o, &packed, &text);
    assert_int_equal(p.form, SZ_KT_SCRIPT);
    assert_int_equal(p.n_right, 1);
    assert_true(p.bits[SZ_KT_SCRIPT] < 64); /* five times 4.46, three times 8, references, a bit */
    assert_string_equal(text.data, sums);
    sz_buf_free(&x);
    sz_buf_free(&packed);
    sz_buf_free(&text);
}

static void a_script_that_is_nearly_right_is_patched(void **state) {
    sz_buf x = {0}, packed = {0}, text = {0};
    SZ_CHECK_OK(sz_kt_script_run(sums, strlen(sums), false, &x, NULL));
    for (int k = 0; k < 3; k++) { /* another byte, some less, some more */
        x.data[20] ^= 0x55;
        x.len -= k == 1 ? 5 : 0;
        for (int i = 0; i < 9 && k == 2; i++)
            sz_buf_putc(&x, (char)(i * i * 31));
        sz_kt_text t = {sums, strlen(sums)};
        sz_kt_pack_options o = with_script(&t);
        sz_kt_packed p = round_trip((uint8_t *)x.data, x.len, &o, &packed, &text);
        assert_int_equal(p.form, SZ_KT_SCRIPT);
        assert_int_equal(p.n_right, 0);
    }
    sz_buf_free(&x);
    sz_buf_free(&packed);
    sz_buf_free(&text);
}

static void scripts_that_do_not_fit_are_passed_over(void **state) {
    const uint8_t x[] = {9, 9, 4, 1, 0, 77, 3};
    static const char *const bad[] = {"", "output = sequence_1", "nonsense",
                                      "sequence_1 = range_func_up(1, 700)\noutput = sequence_1",
                                      "sequence_1 = repeat_num(0, 3)\noutput = sequence_1"};
    sz_buf packed = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sz_kt_text t = {bad[i], strlen(bad[i])};
        sz_kt_pack_options o = with_script(&t);
        sz_kt_packed p = round_trip(x, sizeof x, &o, &packed, NULL);
        assert_int_equal(p.form, SZ_KT_STORED);
        assert_int_equal(p.n_right, 0);
    }
    sz_buf_free(&packed);
}

static void annealing_shortens_and_repeats(void **state) {
    uint8_t x[80];
    sz_buf packed = {0}, again = {0};
    for (size_t i = 0; i < sizeof x; i++) /* a ramp, its remainders: no operation says it */
        x[i] = (uint8_t)(i < 40 ? 100 + i : (100 + i - 40) % 9);
    sz_kt_pack_options few = {.size = sizeof few, .steps = 1, .restarts = 1};
    sz_kt_pack_options many = {.size = sizeof many, .steps = 4000, .restarts = 2};
    sz_kt_packed p = round_trip(x, sizeof x, &few, &packed, NULL);
    sz_kt_packed q = round_trip(x, sizeof x, &many, &packed, NULL);
    assert_true(p.bits[SZ_KT_SCRIPT] > 0);
    assert_true(q.bits[SZ_KT_SCRIPT] < p.bits[SZ_KT_SCRIPT]);
    round_trip(x, sizeof x, &many, &again, NULL);
    assert_int_equal(again.len, packed.len);
    assert_memory_equal(again.data, packed.data, packed.len);
    sz_buf_free(&packed);
    sz_buf_free(&again);
}

static void generated_scripts_are_their_own_code(void **state) {
    sz_buf packed = {0}, shown = {0};
    for (uint64_t i = 0; i < 60; i++) {
        sz_buf text = {0}, x = {0};
        double bits;
        SZ_CHECK_OK(sz_kt_script_generate(5, i, &text, &x));
        SZ_CHECK_OK(sz_kt_script_run(text.data, text.len, false, &x, &bits));
        x.len /= 2; /* it was appended twice */
        sz_kt_text t = {text.data, text.len};
        sz_kt_pack_options o = with_script(&t);
        sz_kt_packed p = round_trip((uint8_t *)x.data, x.len, &o, &packed, &shown);
        assert_int_equal(p.n_right, 1);
        /* lengths of lists and the predicate cost more here, fewer functions and references less */
        assert_true((double)p.bits[SZ_KT_SCRIPT] < bits + 64);
        sz_buf_free(&text);
        sz_buf_free(&x);
    }
    sz_buf_free(&packed);
    sz_buf_free(&shown);
}

static void any_bytes(void **state) {
    size_t good = 0;
    for (int round = 0; round < 30000; round++) {
        uint8_t bytes[40];
        sz_buf out = {0};
        sz_kt_form form;
        size_t n = below(sizeof bytes);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)below(256);
        if (n)
            bytes[0] &= 3;
        if (sz_kt_unpack(bytes, n, 500, &out, NULL, &form) == SZ_OK) {
            assert_true(out.len <= 500);
            good++;
        } else {
            assert_int_equal(out.len, 0);
        }
        sz_buf_free(&out);
    }
    assert_true(good > 1000);
}

static void what_stands_behind_is_refused(void **state) {
    uint8_t x[64] = {0};
    sz_buf packed = {0}, out = {0};
    sz_kt_form form;
    round_trip(x, sizeof x, NULL, &packed, NULL);
    sz_buf_putc(&packed, 0);
    assert_int_equal(sz_kt_unpack((uint8_t *)packed.data, packed.len, 64, &out, NULL, &form),
                     SZ_E_FORMAT);
    assert_non_null(strstr(sz_last_error(), "behind the program's end"));
    assert_int_equal(sz_kt_unpack((uint8_t *)packed.data, 0, 64, &out, NULL, &form), SZ_E_FORMAT);
    packed.data[0] = 9;
    assert_int_equal(sz_kt_unpack((uint8_t *)packed.data, packed.len, 64, &out, NULL, &form),
                     SZ_E_FORMAT);
    assert_non_null(strstr(sz_last_error(), "number 9"));
    assert_int_equal(out.len, 0);
    sz_buf_free(&packed);
    sz_buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_string_comes_back),
        cmocka_unit_test(no_string_needs_more_than_a_bit),
        cmocka_unit_test(a_right_script_is_taken),
        cmocka_unit_test(a_script_that_is_nearly_right_is_patched),
        cmocka_unit_test(scripts_that_do_not_fit_are_passed_over),
        cmocka_unit_test(annealing_shortens_and_repeats),
        cmocka_unit_test(generated_scripts_are_their_own_code),
        cmocka_unit_test(any_bytes),
        cmocka_unit_test(what_stands_behind_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
