/* Networks of several operators: values and gradients beside PyTorch's in double, and the same bits
 * for every number of threads and every instruction set. */
#include "learn/vector_case.h"

#include <math.h>
#include <stdlib.h>

#include <szilard/unstable/nn.h>
#include <szilard/unstable/num.h>

enum { MOST = 2048, PARAMETERS = 16 };

typedef struct network {
    const sz_json *c;
    sz_tensor tensors[PARAMETERS];
    const sz_json *from[PARAMETERS];
    size_t n;
    float numbers[2 * PARAMETERS * 512];
} network;

/* The parameter of that name as n_rows x n_cols. */
static sz_tensor *parameter(network *w, const char *name, size_t n_rows, size_t n_cols) {
    static double values[MOST];
    const sz_json *p = sz_json_get(sz_json_get(w->c, "parameters"), name);
    size_t n = flatten(sz_json_get(p, "value"), 0, values);
    assert_int_equal(n, n_rows * n_cols);
    assert_true(n <= 512);
    float *data = w->numbers + 1024 * w->n, *grad = data + 512;
    for (size_t i = 0; i < n; i++) {
        data[i] = (float)values[i];
        grad[i] = 0;
    }
    w->from[w->n] = p;
    w->tensors[w->n] = sz_tensor_of(data, grad, n_rows, n_cols);
    return &w->tensors[w->n++];
}

static sz_tensor *llama(sz_graph *g, network *w) {
    static const int32_t ids[] = {3, 1, 4, 1, 5, 2, 6, 5, 3, 0};
    static float c[20], s[20];
    for (int i = 0; i < 20; i++) {
        double angle = i / 2 % 5 * (i % 2 ? 0.1 : 1.0);
        c[i] = (float)cos(angle);
        s[i] = (float)sin(angle);
    }
    sz_tensor *x = sz_embedding(g, parameter(w, "table", 7, 8), ids, 10);
    sz_tensor *a = sz_rms_norm(g, x, parameter(w, "norm1", 1, 8), 8, 1e-5f);
    sz_tensor *q = sz_rope(g, sz_matmul(g, a, parameter(w, "q", 16, 8), true), 4, 4, c, s);
    sz_tensor *k = sz_rope(g, sz_matmul(g, a, parameter(w, "k", 8, 8), true), 4, 4, c, s);
    sz_tensor *v = sz_matmul(g, a, parameter(w, "v", 8, 8), true);
    a = sz_attention(g, q, k, v,
                     &(sz_attention_shape){.n_head = 4,
                                           .n_head_kv = 2,
                                           .head_dim = 4,
                                           .length = 5,
                                           .length_kv = 5,
                                           .causal = true,
                                           .scale = 0.5f});
    x = sz_add(g, x, sz_matmul(g, a, parameter(w, "o", 8, 16), true));
    sz_tensor *f = sz_rms_norm(g, x, parameter(w, "norm2", 1, 8), 8, 1e-5f);
    sz_tensor *gate = sz_matmul(g, f, parameter(w, "gate", 12, 8), true);
    sz_tensor *up = sz_matmul(g, f, parameter(w, "up", 12, 8), true);
    f = sz_matmul(g, sz_silu_mul(g, gate, up), parameter(w, "down", 8, 12), true);
    return sz_add(g, x, f);
}

static sz_tensor *image(sz_graph *g, network *w) {
    sz_tensor *x = sz_convolve(g, parameter(w, "x", 60, 2), parameter(w, "w1", 3, 18),
                               &(sz_conv_shape){.height = 6,
                                                .width = 5,
                                                .kernel_height = 3,
                                                .kernel_width = 3,
                                                .pad_top = 1,
                                                .pad_bottom = 1,
                                                .pad_left = 1,
                                                .pad_right = 1});
    x = sz_activate(g, sz_add_row(g, x, parameter(w, "b1", 1, 3)), SZ_GELU);
    x = sz_convolve(g, x, parameter(w, "w2", 4, 18),
                    &(sz_conv_shape){.height = 6,
                                     .width = 5,
                                     .kernel_height = 2,
                                     .kernel_width = 3,
                                     .stride_y = 2,
                                     .stride_x = 2});
    return sz_softmax(
        g, sz_layer_norm(g, x, parameter(w, "scale", 1, 4), parameter(w, "shift", 1, 4), 1e-5f));
}

static sz_tensor *lstm(sz_graph *g, network *w) {
    static float zeros[12];
    static sz_tensor start;
    start = sz_tensor_of(zeros, NULL, 2, 3);
    sz_tensor *h = &start, *c = &start, *out[3];
    sz_tensor *x = sz_matmul(g, parameter(w, "x", 6, 4), parameter(w, "w_x", 12, 4), true);
    sz_tensor *w_h = parameter(w, "w_h", 12, 3);
    x = sz_add_row(g, x, parameter(w, "bias", 1, 12));
    for (size_t i = 0; i < 3; i++) {
        sz_lstm_step(g, sz_slice_rows(g, x, 2 * i, 2), w_h, &h, &c);
        out[i] = h;
    }
    sz_tensor *y = sz_concat_rows(g, out, 3);
    return y;
}

typedef sz_tensor *(*network_fn)(sz_graph *g, network *w);

static network_fn find(const sz_json *c) {
    return is_case(c, "llama") ? llama : is_case(c, "image") ? image : lstm;
}

/* Output into y, gradients into the parameters. */
static size_t run_network(network *w, const sz_json *c, sz_runtime *rt, float *y) {
    static double numbers[MOST];
    static float weights[MOST];
    sz_arena *arena;
    sz_graph g;
    w->c = c;
    w->n = 0;
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    sz_graph_begin(&g, rt, arena, SZ_RECORD);
    sz_tensor *out = find(c)(&g, w);
    SZ_CHECK_OK(g.status);
    size_t n = flatten(sz_json_get(c, "weights"), 0, numbers);
    assert_int_equal(n, out->n_rows * out->n_cols);
    for (size_t i = 0; i < n; i++)
        weights[i] = (float)numbers[i];
    memcpy(y, out->data, n * sizeof *y);
    sz_tensor by = sz_tensor_of(weights, NULL, out->n_rows, out->n_cols);
    SZ_CHECK_OK(sz_graph_backward(&g, sz_sum(&g, sz_mul(&g, out, &by))));
    sz_arena_free(arena);
    return n;
}

static void test_torch(void **state) {
    static network w;
    static float y[MOST];
    static double want[MOST];
    vectors v = open_vectors(SZ_TEST_VECTORS "/nn-torch.json");
    sz_runtime *rt = runtime(2, NULL);
    size_t cases = 0;
    for (const sz_json *c = v.first; c; c = c->next, cases++) {
        size_t n = run_network(&w, c, rt, y);
        assert_int_equal(flatten(sz_json_get(c, "output"), 0, want), n);
        for (size_t i = 0; i < n; i++)
            SZ_CHECK_ABS((double)y[i], want[i], 1e-5);
        for (size_t p = 0; p < w.n; p++) {
            n = flatten(sz_json_get(w.from[p], "grad"), 0, want);
            for (size_t i = 0; i < n; i++)
                SZ_CHECK_ABS((double)w.tensors[p].grad[i], want[i], 2e-5 * (1 + fabs(want[i])));
        }
    }
    assert_int_equal(cases, 3);
    sz_runtime_free(rt);
    close_vectors(&v);
}

static void test_bits(void **state) {
    static network w, other;
    static float y[MOST], z[MOST];
    vectors v = open_vectors(SZ_TEST_VECTORS "/nn-torch.json");
    for (const sz_json *c = v.first; c; c = c->next) {
        sz_runtime *rt = runtime(1, NULL);
        size_t n = run_network(&w, c, rt, y);
        sz_runtime_free(rt);
        for (const char *const *isa = sz_isa_available(); *isa; isa++)
            for (int threads = 1; threads <= 3; threads++) {
                rt = runtime(threads, *isa);
                run_network(&other, c, rt, z);
                sz_runtime_free(rt);
                assert_memory_equal(y, z, n * sizeof *y);
                assert_memory_equal(w.numbers, other.numbers, w.n * 1024 * sizeof(float));
            }
    }
    close_vectors(&v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_torch),
        cmocka_unit_test(test_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
