/* Operations on rows of floats: every set of kernels gives the bits of the contract (canonical.h)
 * for rows of any length at any address, in place too, NaN, infinities and subnormals among them.
 */
#include "each_isa.h"

#include "canonical.h"

enum { MOST = 1100 };

typedef struct rows {
    float a[MOST + 8], b[MOST + 8], w[MOST + 8];
    float want[MOST + 8], got[MOST + 8];
    size_t n, shift; /* length; distance from an aligned address */
    const char *isa, *operation;
} rows;

static void compare(const rows *r) {
    for (size_t i = 0; i < r->n; i++)
        if (!same_float(r->got[i + r->shift], r->want[i]))
            fail_msg("%s %s, %zu of %zu: %a, not %a", r->isa, r->operation, i, r->n,
                     (double)r->got[i + r->shift], (double)r->want[i]);
}

#define EACH(expression)                                                                           \
    for (size_t i = 0; i < n; i++)                                                                 \
    r->want[i] = (expression)
/* `call` writes to out; once beside the input and once over it. */
#define CHECK(name, call)                                                                          \
    do {                                                                                           \
        r->operation = #name;                                                                      \
        float *out = r->got + r->shift;                                                            \
        const float *x = a;                                                                        \
        call;                                                                                      \
        compare(r);                                                                                \
        memcpy(out, a, n * sizeof *out);                                                           \
        x = out;                                                                                   \
        call;                                                                                      \
        compare(r);                                                                                \
    } while (0)

static void check_maps(const sz_kernels *k, rows *r) {
    size_t n = r->n;
    const float *a = r->a + r->shift, *b = r->b + r->shift;
    EACH(a[i] + b[i]);
    CHECK(add, k->add(x, b, n, out));
    EACH(a[i] * 1.7f);
    CHECK(scale, k->scale(x, 1.7f, n, out));
    EACH(canonical_exp(a[i]));
    CHECK(exp, k->exp(x, n, out));
    EACH(canonical_tanh(a[i]));
    CHECK(tanh, k->tanh(x, n, out));
    EACH(canonical_silu_mul(a[i], b[i]));
    CHECK(silu_mul, k->silu_mul(x, b, n, out));
    EACH(canonical_gelu_mul(a[i], b[i]));
    CHECK(gelu_mul, k->gelu_mul(x, b, n, out));
    canonical_rms_norm(a, r->w + r->shift, 1e-5f, n, r->want);
    CHECK(rms_norm, k->rms_norm(x, r->w + r->shift, 1e-5f, n, out));
}

static void check_scale_s8(const sz_kernels *k, rows *r) {
    size_t n = r->n;
    const float *a = r->a + r->shift;
    int8_t q[MOST] = {0};
    for (size_t i = 0; i < n; i++)
        q[i] = (int8_t)(i * 37);
    r->operation = "scale_s8, a scale each";
    EACH((float)q[i] * a[i]);
    k->scale_s8(q, a, true, n, r->got + r->shift);
    compare(r);
    r->operation = "scale_s8, one scale";
    EACH((float)q[i] * a[0]);
    k->scale_s8(q, a, false, n, r->got + r->shift);
    compare(r);
}

static void check_merge(const sz_kernels *k, rows *r) {
    const float *a = r->a + r->shift, *b = r->b + r->shift;
    size_t n = r->n;
    r->operation = "merge";
    EACH(fmaf(a[i], 0.3f, b[i] * 0.9f));
    memcpy(r->got + r->shift, a, n * sizeof *a);
    k->merge(r->got + r->shift, 0.3f, b, 0.9f, n);
    compare(r);
}

static void check_rotation(const sz_kernels *k, rows *r) {
    const float *x = r->a + r->shift, *c = r->b + r->shift, *s = r->w + r->shift;
    size_t half = r->n / 2;
    r->operation = "rotate_halves";
    for (size_t i = 0; i < half; i++) {
        r->want[i] = fmaf(x[i], c[i], 0.0f - x[half + i] * s[i]);
        r->want[half + i] = fmaf(x[i], s[i], x[half + i] * c[i]);
    }
    r->want[2 * half] = x[2 * half];
    memcpy(r->got + r->shift, x, r->n * sizeof *x);
    k->rotate_halves(r->got + r->shift, c, s, half);
    compare(r);
}

static void check_halves(const sz_kernels *k, rows *r) {
    uint16_t half[MOST];
    r->operation = "to_f16 and back";
    k->to_f16(r->a + r->shift, r->n, half);
    for (size_t i = 0; i < r->n; i++) {
        assert_int_equal(half[i], sz_f32_to_f16(r->a[i + r->shift]));
        r->want[i] = sz_f16_to_f32(half[i]);
    }
    k->from_f16(half, r->n, r->got + r->shift);
    compare(r);
}

static void check_length(size_t n, void (*fill)(float *, size_t)) {
    static rows r;
    r.n = n;
    r.shift = random_bits() % 5;
    fill(r.a, MOST + 8);
    fill(r.b, MOST + 8);
    fill(r.w, MOST + 8);
    for (const sz_kernels **k = each_isa(); *k; k++) {
        r.isa = (*k)->isa;
        check_maps(*k, &r);
        check_merge(*k, &r);
        check_scale_s8(*k, &r);
        check_rotation(*k, &r);
        check_halves(*k, &r);
    }
}

static void test_every_length(void **state) {
    for (size_t n = 1; n < 70; n++)
        check_length(n, hard_floats);
    for (size_t n = 70; n < MOST; n += 61)
        check_length(n, hard_floats);
}

static void test_any_bits(void **state) {
    for (size_t n = 1; n < MOST; n += 1 + n / 3)
        check_length(n, any_floats);
}

/* Where functions change their form, and what they do to infinities. */
static void test_borders(void **state) {
    static const float at[] = {0.0f,      0.625f,  1.0f,     88.0f,      88.72284f,
                               88.72283f, 89.5f,   90.0f,    1e38f,      INFINITY,
                               -87.33f,   -87.34f, -103.97f, -103.98f,   -104.49f,
                               -INFINITY, 1e-38f,  1e-45f,   0.3465736f, NAN};
    enum { N = 3 * sizeof at / sizeof *at };
    float x[N], got[N];
    for (size_t i = 0; i < N / 3; i++) {
        x[3 * i] = at[i];
        x[3 * i + 1] = nextafterf(at[i], INFINITY);
        x[3 * i + 2] = nextafterf(at[i], -INFINITY);
    }
    for (const sz_kernels **k = each_isa(); *k; k++)
        for (int tanh = 0; tanh < 2; tanh++) {
            (tanh ? (*k)->tanh : (*k)->exp)(x, N, got);
            for (size_t i = 0; i < N; i++)
                assert_true(same_float(got[i], tanh ? canonical_tanh(x[i]) : canonical_exp(x[i])));
        }
    assert_true(canonical_exp(INFINITY) == INFINITY && canonical_exp(-INFINITY) == 0.0f);
    assert_true(canonical_tanh(INFINITY) == 1.0f && canonical_tanh(-INFINITY) == -1.0f);
    assert_true(isnan(canonical_exp(NAN)) && isnan(canonical_tanh(NAN)));
}

/* Every half widens to the same float, and rounding is that of sz_f32_to_f16, on every set. */
static void test_every_half(void **state) {
    static uint16_t half[65536], back[65536];
    static float wide[65536];
    for (const sz_kernels **k = each_isa(); *k; k++) {
        for (unsigned h = 0; h < 65536; h++)
            half[h] = (uint16_t)h;
        (*k)->from_f16(half, 65536, wide);
        for (unsigned h = 0; h < 65536; h++) {
            float want = sz_f16_to_f32((uint16_t)h);
            assert_memory_equal(&wide[h], &want, sizeof want);
        }
        for (unsigned h = 0; h < 65536; h++) /* halfway to the next, which rounds to even */
            wide[h] =
                from_bits((uint32_t)(h & 0x8000) << 16 | (((h & 0x7fff) << 13) + 0x38001000u));
        (*k)->to_f16(wide, 65536, back);
        for (unsigned h = 0; h < 65536; h++)
            assert_int_equal(back[h], sz_f32_to_f16(wide[h]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_any_bits),
        cmocka_unit_test(test_borders),
        cmocka_unit_test(test_every_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
