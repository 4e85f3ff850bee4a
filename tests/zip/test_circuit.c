/* test_circuit.c: files of records by a circuit: headers, partial records, damage, the wrong
 * circuit. */
#include "learn/vector_case.h"

#include <stdlib.h>
#include <unistd.h>

#include <szilard/unstable/circuit_file.h>

#include "zip/slz.h"

enum { D = 21, K = 17, MOST = 3 << 20 };

static char path[2][64];
static uint8_t original[MOST];

typedef struct memory {
    const uint8_t *in;
    size_t n, at;
    sz_buf out;
} memory;

static sz_status read_memory(void *user, void *bytes, size_t n, size_t *n_read) {
    memory *m = user;
    *n_read = m->n - m->at < n ? m->n - m->at : n;
    memcpy(bytes, m->in + m->at, *n_read);
    m->at += *n_read;
    return SZ_OK;
}

static sz_status write_memory(void *user, const void *bytes, size_t n) {
    sz_buf_append(&((memory *)user)->out, bytes, n);
    return SZ_OK;
}

static sz_status reopen(void *user, uint8_t engine, const uint8_t *about, size_t n_about,
                        sz_predictor *out) {
    assert_int_equal(engine, SZ_PREDICTOR_CIRCUIT);
    SZ_TRY(sz_predictor_circuit_new(user, 2, NULL, out));
    sz_status status = sz_predictor_circuit_check(out, about, n_about);
    if (status != SZ_OK)
        sz_predictor_free(out);
    return status;
}

static sz_status code(const uint8_t *data, size_t n, int threads, sz_buf *out,
                      sz_slz_totals *totals) {
    sz_predictor p;
    memory m = {.in = data, .n = n};
    SZ_TRY(sz_predictor_circuit_new(path[0], threads, NULL, &p));
    sz_status status = sz_slz_encode(&p, &(sz_slz_io){&m, read_memory, write_memory}, totals);
    sz_predictor_free(&p);
    *out = m.out;
    return status;
}

static sz_status decode(const char *circuit, const void *data, size_t n, sz_buf *out) {
    memory m = {.in = data, .n = n};
    sz_slz_totals totals;
    sz_status status = sz_slz_decode(reopen, (void *)circuit,
                                     &(sz_slz_io){&m, read_memory, write_memory}, &totals);
    *out = m.out;
    return status;
}

static void check_round_trip(size_t n, size_t most) {
    sz_buf one = {0}, three = {0}, back = {0};
    sz_slz_totals totals;
    SZ_CHECK_OK(code(original, n, 1, &one, &totals));
    SZ_CHECK_OK(code(original, n, 3, &three, &totals));
    assert_int_equal(one.len, three.len);
    assert_memory_equal(one.data, three.data, one.len);
    if (one.len > most)
        fail_msg("%zu bytes became %zu, more than %zu", n, one.len, most);
    SZ_CHECK_OK(decode(path[0], one.data, one.len, &back));
    assert_int_equal(back.len, n);
    if (n)
        assert_memory_equal(back.data, original, n);
    sz_buf_free(&one);
    sz_buf_free(&three);
    sz_buf_free(&back);
}

/* Samples of the circuit from byte `from` on; returns the bytes that -ln P stands for. */
static double fill(size_t from, size_t records) {
    sz_runtime *rt = runtime(1, NULL);
    sz_pc *pc;
    int32_t *x = sz_alloc(records * D * sizeof *x);
    double *ln = sz_alloc(records * sizeof *ln), nats = 0;
    SZ_CHECK_OK(sz_pc_open(path[0], &pc));
    SZ_CHECK_OK(sz_pc_sample(rt, pc, NULL, records, 1, x));
    SZ_CHECK_OK(sz_pc_loglik(rt, pc, x, records, ln));
    for (size_t i = 0; i < records * D; i++)
        original[from + i] = (uint8_t)x[i];
    for (size_t i = 0; i < records; i++)
        nats -= ln[i];
    sz_free(x);
    sz_free(ln);
    sz_pc_free(pc);
    sz_runtime_free(rt);
    return nats / 0.6931471805599453 / 8;
}

static void plain_records(void **state) {
    double bytes = fill(0, 2000);
    check_round_trip(2000 * D, (size_t)bytes + 80);
    check_round_trip(0, 80);
    for (size_t n = 1; n < 3 * D; n++)
        check_round_trip(n, n + 90);
    check_round_trip(1999 * D + 5, (size_t)bytes + 80);
}

static void headers_of_known_formats(void **state) {
    static const uint8_t idx[] = {0, 0, 8, 3, 0, 0, 7, 208, 0, 0, 0, 3, 0, 0, 0, 7};
    double bytes = fill(sizeof idx, 2000);
    memcpy(original, idx, sizeof idx);
    check_round_trip(sizeof idx + 2000 * D, (size_t)bytes + 96);
    bytes = fill(128, 500);
    memset(original, ' ', 128);
    memcpy(original, "\x93NUMPY\1\0\x76\0{'descr': '|u1', 'fortran_order': False", 50);
    check_round_trip(128 + 500 * D, (size_t)bytes + 80 + 128);
}

/* Windows end within a header's shift of a record; each costs a little, never a record. */
static void more_than_a_window(void **state) {
    static const uint8_t idx[] = {0, 0, 8, 2, 0, 0, 7, 208, 0, 0, 0, D};
    size_t records = (MOST - sizeof idx) / D;
    double bytes = fill(sizeof idx, records);
    memcpy(original, idx, sizeof idx);
    check_round_trip(sizeof idx + records * D, (size_t)bytes + 200);
}

static void every_flipped_bit_is_seen(void **state) {
    sz_buf good = {0}, back = {0};
    sz_slz_totals totals;
    fill(0, 20);
    SZ_CHECK_OK(code(original, 20 * D, 1, &good, &totals));
    for (size_t bit = 0; bit < 8 * good.len; bit++) {
        good.data[bit / 8] ^= (char)(1 << bit % 8);
        assert_true(decode(path[0], good.data, good.len, &back) != SZ_OK);
        good.data[bit / 8] ^= (char)(1 << bit % 8);
        sz_buf_free(&back);
    }
    for (size_t n = 0; n < good.len; n++) {
        assert_true(decode(path[0], good.data, n, &back) != SZ_OK);
        sz_buf_free(&back);
    }
    assert_int_equal(decode(path[1], good.data, good.len, &back), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "was coded with circuit"));
    sz_buf_free(&back);
    sz_buf_free(&good);
}

static void values_out_of_range_are_named(void **state) {
    sz_buf out = {0};
    sz_slz_totals totals;
    fill(0, 10);
    original[5 * D + 3] = 200;
    assert_int_equal(code(original, 10 * D, 1, &out, &totals), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "byte 108 (column 3 of its record) is 200"));
    sz_buf_free(&out);
}

static int make_circuits(void **state) {
    for (int i = 0; i < 2; i++) {
        snprintf(path[i], sizeof path[i], "/tmp/szilard-zip-circuit-XXXXXX");
        int fd = mkstemp(path[i]);
        sz_pc *pc = random_circuit(D, 4, K, (uint64_t)i);
        sz_status status = fd < 0 || close(fd) ? SZ_E_IO : sz_pc_save(pc, path[i], NULL);
        sz_pc_free(pc);
        if (status != SZ_OK)
            return 1;
    }
    return 0;
}

static int remove_circuits(void **state) {
    return unlink(path[0]) | unlink(path[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_records),
        cmocka_unit_test(headers_of_known_formats),
        cmocka_unit_test(more_than_a_window),
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(values_out_of_range_are_named),
    };
    return cmocka_run_group_tests(tests, make_circuits, remove_circuits);
}
