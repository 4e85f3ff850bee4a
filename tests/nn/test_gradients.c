/* Every operator beside a plain one in double: its values, and its gradients against central
 * differences of the double one. */
#include "check.h"

#include <math.h>
#include <string.h>

#include <szilard/unstable/nn.h>

enum { MOST = 1024, INPUTS = 4 };

typedef struct input {
    size_t n_rows, n_cols;
} input;

typedef struct operator_case {
    const char *name;
    input in[INPUTS]; /* ends with 0 rows */
    sz_tensor *(*build)(sz_graph *g, sz_tensor *const *x);
    size_t (*reference)(const double *const *x, double *y); /* returns how many numbers */
} operator_case;

/* ---- Plain operators in double ------------------------------------------------------------------
 */

#define B(name) static sz_tensor *b_##name(sz_graph *g, sz_tensor *const *x)
#define R(name) static size_t r_##name(const double *const *x, double *y)

B(matmul) {
    return sz_matmul(g, x[0], x[1], false);
} /* 5 x 7, 7 x 3 */
R(matmul) {
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 3; j++) {
            y[i * 3 + j] = 0;
            for (int k = 0; k < 7; k++)
                y[i * 3 + j] += x[0][i * 7 + k] * x[1][k * 3 + j];
        }
    return 15;
}
B(matmul_t) {
    return sz_matmul(g, x[0], x[1], true);
} /* 5 x 7, 3 x 7 */
R(matmul_t) {
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 3; j++) {
            y[i * 3 + j] = 0;
            for (int k = 0; k < 7; k++)
                y[i * 3 + j] += x[0][i * 7 + k] * x[1][j * 7 + k];
        }
    return 15;
}
B(square) {
    return sz_matmul(g, x[0], x[0], true);
} /* one tensor as both factors */
R(square) {
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            y[i * 4 + j] = 0;
            for (int k = 0; k < 6; k++)
                y[i * 4 + j] += x[0][i * 6 + k] * x[0][j * 6 + k];
        }
    return 16;
}
B(add_row) {
    return sz_add_row(g, x[0], x[1]);
} /* 6 x 5 */
R(add_row) {
    for (int i = 0; i < 30; i++)
        y[i] = x[0][i] + x[1][i % 5];
    return 30;
}
static const int32_t ids[] = {2, 0, 2, 3, 2};
B(embedding) {
    return sz_embedding(g, x[0], ids, 5);
} /* 4 x 6 */
R(embedding) {
    for (int i = 0; i < 30; i++)
        y[i] = x[0][ids[i / 6] * 6 + i % 6];
    return 30;
}
B(add) {
    return sz_add(g, x[0], sz_add(g, x[1], x[0]));
} /* 3 x 20 */
R(add) {
    for (int i = 0; i < 60; i++)
        y[i] = 2 * x[0][i] + x[1][i];
    return 60;
}
B(mul) {
    return sz_mul(g, x[0], sz_mul(g, x[1], x[0]));
}
R(mul) {
    for (int i = 0; i < 60; i++)
        y[i] = x[0][i] * x[0][i] * x[1][i];
    return 60;
}
B(scale) {
    return sz_scale(g, x[0], -1.75f);
}
R(scale) {
    for (int i = 0; i < 60; i++)
        y[i] = -1.75 * x[0][i];
    return 60;
}
static double activation(int kind, double x) {
    double inner = sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
    switch (kind) {
    case SZ_RELU:
        return x > 0 ? x : 0;
    case SZ_GELU:
        return 0.5 * x * (1 + tanh(inner));
    case SZ_SILU:
        return x / (1 + exp(-x));
    case SZ_TANH:
        return tanh(x);
    default:
        return 1 / (1 + exp(-x));
    }
}
#define ACTIVATION(name, kind)                                                                     \
    B(name) {                                                                                      \
        return sz_activate(g, x[0], kind);                                                         \
    }                                                                                              \
    R(name) {                                                                                      \
        for (int i = 0; i < 600; i++)                                                              \
            y[i] = activation(kind, x[0][i]);                                                      \
        return 600;                                                                                \
    }
ACTIVATION(relu, SZ_RELU)
ACTIVATION(gelu, SZ_GELU)
ACTIVATION(silu, SZ_SILU)
ACTIVATION(tanh, SZ_TANH)
ACTIVATION(sigmoid, SZ_SIGMOID)
B(silu_mul) {
    return sz_silu_mul(g, x[0], x[1]);
}
R(silu_mul) {
    for (int i = 0; i < 60; i++)
        y[i] = activation(SZ_SILU, x[0][i]) * x[1][i];
    return 60;
}
B(gelu_mul) {
    return sz_gelu_mul(g, x[0], x[1]);
}
R(gelu_mul) {
    for (int i = 0; i < 60; i++)
        y[i] = activation(SZ_GELU, x[0][i]) * x[1][i];
    return 60;
}
B(rms) {
    return sz_rms_norm(g, x[0], x[1], 9, 1e-3f);
} /* 4 x 18, two groups of a row */
R(rms) {
    for (int i = 0; i < 8; i++) {
        double sum = 0;
        for (int j = 0; j < 9; j++)
            sum += x[0][i * 9 + j] * x[0][i * 9 + j];
        for (int j = 0; j < 9; j++)
            y[i * 9 + j] = x[0][i * 9 + j] / sqrt(sum / 9 + 1e-3) * x[1][j];
    }
    return 72;
}
B(layer_norm) {
    return sz_layer_norm(g, x[0], x[1], x[2], 1e-3f);
} /* 4 x 18 */
R(layer_norm) {
    for (int i = 0; i < 4; i++) {
        double mean = 0, var = 0;
        for (int j = 0; j < 18; j++)
            mean += x[0][i * 18 + j] / 18;
        for (int j = 0; j < 18; j++)
            var += pow(x[0][i * 18 + j] - mean, 2) / 18;
        for (int j = 0; j < 18; j++)
            y[i * 18 + j] = (x[0][i * 18 + j] - mean) / sqrt(var + 1e-3) * x[1][j] + x[2][j];
    }
    return 72;
}
B(softmax) {
    return sz_softmax(g, x[0]);
} /* 3 x 20 */
R(softmax) {
    for (int i = 0; i < 3; i++) {
        double sum = 0;
        for (int j = 0; j < 20; j++)
            sum += exp(x[0][i * 20 + j]);
        for (int j = 0; j < 20; j++)
            y[i * 20 + j] = exp(x[0][i * 20 + j]) / sum;
    }
    return 60;
}
B(sum) {
    return sz_sum(g, x[0]);
}
R(sum) {
    y[0] = 0;
    for (int i = 0; i < 60; i++)
        y[0] += x[0][i];
    return 1;
}
B(mean) {
    return sz_mean(g, x[0]);
}
R(mean) {
    r_sum(x, y);
    y[0] /= 60;
    return 1;
}
B(sum_rows) {
    return sz_sum_rows(g, x[0]);
}
R(sum_rows) {
    memset(y, 0, 3 * sizeof *y);
    for (int i = 0; i < 60; i++)
        y[i / 20] += x[0][i];
    return 3;
}
B(sum_columns) {
    return sz_sum_columns(g, x[0]);
}
R(sum_columns) {
    memset(y, 0, 20 * sizeof *y);
    for (int i = 0; i < 60; i++)
        y[i % 20] += x[0][i];
    return 20;
}
static const uint32_t rows[] = {2, 2, 0};
B(gather) {
    return sz_gather(g, x[0], rows, 3);
}
R(gather) {
    for (int i = 0; i < 60; i++)
        y[i] = x[0][rows[i / 20] * 20 + i % 20];
    return 60;
}
B(concat_rows) {
    return sz_concat_rows(g, (sz_tensor *[]){x[0], x[1], x[0]}, 3);
}
R(concat_rows) {
    for (int i = 0; i < 60; i++) {
        y[i] = y[i + 120] = x[0][i];
        y[i + 60] = x[1][i];
    }
    return 180;
}
B(concat_columns) {
    return sz_concat_columns(g, (sz_tensor *[]){x[0], x[1]}, 2);
} /* 3x20, 3x2 */
R(concat_columns) {
    for (int i = 0; i < 66; i++)
        y[i] = i % 22 < 20 ? x[0][i / 22 * 20 + i % 22] : x[1][i / 22 * 2 + i % 22 - 20];
    return 66;
}
B(slices) {
    return sz_slice_columns(g, sz_slice_rows(g, x[0], 1, 2), 3, 5);
}
R(slices) {
    for (int i = 0; i < 10; i++)
        y[i] = x[0][(1 + i / 5) * 20 + 3 + i % 5];
    return 10;
}
B(turned) {
    return sz_transpose(g, sz_reshape(g, x[0], 12, 5));
}
R(turned) {
    for (int i = 0; i < 60; i++)
        y[i] = x[0][i % 12 * 5 + i / 12];
    return 60;
}

static float cosines[3 * 4], sines[3 * 4]; /* 3 rows, 4 pairs */
B(rope) {                                  /* 3 x 20: two heads of 10, of which 8 turn */
    for (int i = 0; i < 12; i++) {
        cosines[i] = 1.25f * (float)cos(0.3 * i);
        sines[i] = 1.25f * (float)sin(0.3 * i);
    }
    return sz_rope(g, x[0], 10, 8, cosines, sines);
}
R(rope) {
    memcpy(y, x[0], 60 * sizeof *y);
    for (int i = 0; i < 3; i++)
        for (int head = 0; head < 20; head += 10)
            for (int j = 0; j < 4; j++) {
                double c = (double)cosines[i * 4 + j], s = (double)sines[i * 4 + j];
                const double *p = x[0] + i * 20 + head + j;
                y[i * 20 + head + j] = p[0] * c - p[4] * s;
                y[i * 20 + head + j + 4] = p[0] * s + p[4] * c;
            }
    return 60;
}

static const uint32_t first_key[] = {0, 0, 1, 3, 3, 0, 2, 2, 2, 9};
static const sz_attention_shape attentions[] = {
    {.n_head = 4,
     .n_head_kv = 2,
     .head_dim = 3,
     .length = 5,
     .length_kv = 5,
     .causal = true,
     .scale = 0.7f},
    {.n_head = 4,
     .n_head_kv = 2,
     .head_dim = 3,
     .length = 5,
     .length_kv = 5,
     .causal = true,
     .window = 2,
     .scale = 0.7f},
    {.n_head = 2, .n_head_kv = 2, .head_dim = 3, .length = 5, .length_kv = 7, .scale = 0.7f},
    {.n_head = 2,
     .n_head_kv = 1,
     .head_dim = 3,
     .length = 5,
     .length_kv = 7,
     .causal = true,
     .first = first_key,
     .scale = 0.7f}, /* the last query sees nothing */
};
static size_t attend(const double *const *x, const sz_attention_shape *s, double *y) {
    size_t nq = s->n_head * s->head_dim, nk = s->n_head_kv * s->head_dim;
    memset(y, 0, 10 * nq * sizeof *y);
    for (size_t row = 0; row < 10; row++)
        for (size_t h = 0; h < s->n_head; h++) {
            double p[16], sum = 0;
            size_t kv = h / (s->n_head / s->n_head_kv) * s->head_dim, batch = row / s->length;
            size_t place = row % s->length + s->length_kv - s->length;
            for (size_t j = 0; j < s->length_kv; j++) {
                bool seen = !(s->causal && j > place) && !(s->window && j + s->window <= place) &&
                            !(s->first && j < s->first[row]);
                p[j] = 0;
                for (size_t d = 0; d < s->head_dim; d++)
                    p[j] += x[0][row * nq + h * s->head_dim + d] *
                            x[1][(batch * s->length_kv + j) * nk + kv + d];
                p[j] = seen ? exp((double)s->scale * p[j]) : 0;
                sum += p[j];
            }
            for (size_t j = 0; sum > 0 && j < s->length_kv; j++)
                for (size_t d = 0; d < s->head_dim; d++)
                    y[row * nq + h * s->head_dim + d] +=
                        p[j] / sum * x[2][(batch * s->length_kv + j) * nk + kv + d];
        }
    return 10 * nq;
}
#define ATTENTION(name, i)                                                                         \
    B(name) {                                                                                      \
        return sz_attention(g, x[0], x[1], x[2], &attentions[i]);                                  \
    }                                                                                              \
    R(name) {                                                                                      \
        return attend(x, &attentions[i], y);                                                       \
    }
ATTENTION(causal, 0)
ATTENTION(window, 1)
ATTENTION(cross, 2)
ATTENTION(packed, 3)

static const sz_conv_shape convolutions[] = {
    {.height = 4,
     .width = 5,
     .kernel_height = 3,
     .kernel_width = 2,
     .stride_y = 2,
     .pad_top = 1,
     .pad_bottom = 1,
     .pad_left = 1},
    {.height = 1,
     .width = 9,
     .kernel_height = 1,
     .kernel_width = 3,
     .dilation_x = 2,
     .pad_left = 4},
};
static size_t convolve(const double *const *x, const sz_conv_shape *s, size_t images, size_t c,
                       size_t n_out, double *y) {
    size_t sy = s->stride_y ? s->stride_y : 1, dx = s->dilation_x ? s->dilation_x : 1, at = 0;
    size_t oh = (s->height + s->pad_top + s->pad_bottom - s->kernel_height) / sy + 1;
    size_t ow = s->width + s->pad_left - (s->kernel_width - 1) * dx;
    for (size_t b = 0; b < images; b++)
        for (size_t i = 0; i < oh * ow; i++)
            for (size_t o = 0; o < n_out; o++) {
                double sum = 0;
                for (size_t ky = 0; ky < s->kernel_height; ky++)
                    for (size_t kx = 0; kx < s->kernel_width; kx++) {
                        long py = (long)(i / ow * sy + ky) - (long)s->pad_top;
                        long px = (long)(i % ow + kx * dx) - (long)s->pad_left;
                        if (py < 0 || py >= (long)s->height || px < 0 || px >= (long)s->width)
                            continue;
                        for (size_t k = 0; k < c; k++)
                            sum += x[0][((b * s->height + (size_t)py) * s->width + (size_t)px) * c +
                                        k] *
                                   x[1][(o * s->kernel_height * s->kernel_width +
                                         ky * s->kernel_width + kx) *
                                            c +
                                        k];
                    }
                y[at++] = sum;
            }
    return at;
}
B(conv_2d) {
    return sz_convolve(g, x[0], x[1], &convolutions[0]);
} /* 2 images, 3 channels to 4 */
R(conv_2d) {
    return convolve(x, &convolutions[0], 2, 3, 4, y);
}
B(conv_1d) {
    return sz_convolve(g, x[0], x[1], &convolutions[1]);
} /* causal, 2 channels to 3 */
R(conv_1d) {
    return convolve(x, &convolutions[1], 2, 2, 3, y);
}

B(lstm) { /* two rows of width 3, two steps */
    sz_tensor *h = x[2], *c = x[3];
    sz_lstm_step(g, sz_slice_rows(g, x[0], 0, 2), x[1], &h, &c);
    sz_lstm_step(g, sz_slice_rows(g, x[0], 2, 2), x[1], &h, &c);
    return sz_concat_columns(g, (sz_tensor *[]){h, c}, 2);
}
R(lstm) {
    double h[6], c[6], next[6];
    memcpy(h, x[2], sizeof h);
    memcpy(c, x[3], sizeof c);
    for (int step = 0; step < 2; step++) {
        for (int i = 0; i < 6; i++) {
            double gate[4];
            for (int k = 0; k < 4; k++) {
                int column = k * 3 + i % 3;
                gate[k] = x[0][(step * 2 + i / 3) * 12 + column];
                for (int j = 0; j < 3; j++)
                    gate[k] += h[i / 3 * 3 + j] * x[1][column * 3 + j];
                gate[k] = activation(k == 2 ? SZ_TANH : SZ_SIGMOID, gate[k]);
            }
            c[i] = gate[1] * c[i] + gate[0] * gate[2];
            next[i] = gate[3] * tanh(c[i]);
        }
        memcpy(h, next, sizeof h);
    }
    for (int i = 0; i < 6; i++) {
        y[i / 3 * 6 + i % 3] = h[i];
        y[i / 3 * 6 + 3 + i % 3] = c[i];
    }
    return 12;
}

static sz_tensor *two_products(sz_graph *g, void *context, sz_tensor *x) {
    sz_tensor *const *w = context;
    return sz_matmul(g, sz_activate(g, sz_matmul(g, x, w[1], false), SZ_TANH), w[2], false);
}
B(checkpoint) { /* 4 x 5, 5 x 6, 6 x 5: twice, and the input once more */
    sz_tensor *y = sz_checkpoint(g, two_products, (void *)x, x[0]);
    y = sz_checkpoint(g, two_products, (void *)x, y);
    return sz_add(g, x[0], y);
}
static void two_products_plain(const double *const *x, const double *in, double *out) {
    double inner[24];
    for (int i = 0; i < 24; i++) {
        inner[i] = 0;
        for (int k = 0; k < 5; k++)
            inner[i] += in[i / 6 * 5 + k] * x[1][k * 6 + i % 6];
        inner[i] = tanh(inner[i]);
    }
    for (int i = 0; i < 20; i++) {
        out[i] = 0;
        for (int k = 0; k < 6; k++)
            out[i] += inner[i / 5 * 6 + k] * x[2][k * 5 + i % 5];
    }
}
R(checkpoint) {
    double once[20];
    two_products_plain(x, x[0], once);
    two_products_plain(x, once, y);
    for (int i = 0; i < 20; i++)
        y[i] += x[0][i];
    return 20;
}

#define CASE(name, ...)                                                                            \
    { #name, {__VA_ARGS__ }, b_##name, r_##name }
static const operator_case cases[] = {
    CASE(matmul, {5, 7}, {7, 3}),
    CASE(matmul_t, {5, 7}, {3, 7}),
    CASE(square, {4, 6}),
    CASE(add_row, {6, 5}, {1, 5}),
    CASE(embedding, {4, 6}),
    CASE(add, {3, 20}, {3, 20}),
    CASE(mul, {3, 20}, {3, 20}),
    CASE(scale, {3, 20}),
    CASE(relu, {3, 200}),
    CASE(gelu, {3, 200}),
    CASE(silu, {3, 200}),
    CASE(tanh, {3, 200}),
    CASE(sigmoid, {3, 200}),
    CASE(silu_mul, {3, 20}, {3, 20}),
    CASE(gelu_mul, {3, 20}, {3, 20}),
    CASE(rms, {4, 18}, {1, 9}),
    CASE(layer_norm, {4, 18}, {1, 18}, {1, 18}),
    CASE(softmax, {3, 20}),
    CASE(sum, {3, 20}),
    CASE(mean, {3, 20}),
    CASE(sum_rows, {3, 20}),
    CASE(sum_columns, {3, 20}),
    CASE(gather, {3, 20}),
    CASE(concat_rows, {3, 20}, {3, 20}),
    CASE(concat_columns, {3, 20}, {3, 2}),
    CASE(slices, {3, 20}),
    CASE(turned, {3, 20}),
    CASE(rope, {3, 20}),
    CASE(causal, {10, 12}, {10, 6}, {10, 6}),
    CASE(window, {10, 12}, {10, 6}, {10, 6}),
    CASE(cross, {10, 6}, {14, 6}, {14, 6}),
    CASE(packed, {10, 6}, {14, 3}, {14, 3}),
    CASE(conv_2d, {40, 3}, {4, 18}),
    CASE(conv_1d, {18, 2}, {3, 6}),
    CASE(lstm, {4, 12}, {12, 3}, {2, 3}, {2, 3}),
    CASE(checkpoint, {4, 5}, {5, 6}, {6, 5}),
};

/* ---- The comparison
 * ------------------------------------------------------------------------------
 */

typedef struct trial {
    const operator_case *c;
    size_t n_inputs, count[INPUTS];
    float data[INPUTS][MOST], grad[INPUTS][MOST], weights[MOST];
    double x[INPUTS][MOST];
    uint64_t drawn;
} trial;

static float draw(trial *t) {
    return (float)(2 * sz_uniform(11, 0, t->drawn++) - 1) * 1.5f;
}

static double reference_loss(trial *t, double *y) {
    const double *x[INPUTS];
    double loss = 0;
    for (size_t i = 0; i < INPUTS; i++)
        x[i] = t->x[i];
    size_t n = t->c->reference(x, y);
    for (size_t i = 0; i < n; i++)
        loss += (double)t->weights[i] * y[i];
    return loss;
}

/* Values into y; gradients of sum(weights * values) into t->grad. */
static size_t run_operator(trial *t, sz_runtime *rt, float *y) {
    sz_tensor tensors[INPUTS], *x[INPUTS] = {0};
    sz_arena *arena;
    sz_graph g;
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    sz_graph_begin(&g, rt, arena, SZ_RECORD);
    memset(t->grad, 0, sizeof t->grad);
    for (size_t i = 0; i < t->n_inputs; i++) {
        tensors[i] = sz_tensor_of(t->data[i], t->grad[i], t->c->in[i].n_rows, t->c->in[i].n_cols);
        x[i] = &tensors[i];
    }
    sz_tensor *out = t->c->build(&g, x);
    SZ_CHECK_OK(g.status);
    size_t n = out->n_rows * out->n_cols;
    memcpy(y, out->data, n * sizeof *y);
    sz_tensor weights = sz_tensor_of(t->weights, NULL, out->n_rows, out->n_cols);
    SZ_CHECK_OK(sz_graph_backward(&g, sz_sum(&g, sz_mul(&g, out, &weights))));
    assert_true(sz_graph_bytes(&g) >= n * sizeof(float));
    sz_arena_free(arena);
    return n;
}

static void check_case(trial *t, const operator_case *c, sz_runtime *rt) {
    static float got[MOST];
    static double want[MOST], other[MOST];
    t->c = c;
    t->n_inputs = 0;
    for (size_t i = 0; i < INPUTS && c->in[i].n_rows; i++, t->n_inputs++) {
        t->count[i] = c->in[i].n_rows * c->in[i].n_cols;
        for (size_t j = 0; j < t->count[i]; j++)
            t->x[i][j] = (double)(t->data[i][j] = draw(t));
    }
    for (size_t i = 0; i < MOST; i++)
        t->weights[i] = draw(t);
    size_t n = run_operator(t, rt, got);
    reference_loss(t, want);
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - want[i]) <= 3e-6 * (1 + fabs(want[i]))))
            fail_msg("%s: value %zu is %.9g, not %.9g", c->name, i, (double)got[i], want[i]);
    for (size_t i = 0; i < t->n_inputs; i++)
        for (size_t j = 0; j < t->count[i]; j++) {
            const double h = 1e-5;
            double at = t->x[i][j];
            t->x[i][j] = at + h;
            double above = reference_loss(t, other);
            t->x[i][j] = at - h;
            double slope = (above - reference_loss(t, other)) / (2 * h);
            t->x[i][j] = at;
            if (!(fabs((double)t->grad[i][j] - slope) <= 1e-5 * (1 + fabs(slope))))
                fail_msg("%s: gradient %zu of input %zu is %.9g, not %.9g", c->name, j, i,
                         (double)t->grad[i][j], slope);
        }
}

static void test_operators(void **state) {
    static trial t;
    sz_runtime *rt;
    SZ_CHECK_OK(
        sz_runtime_new(&(sz_runtime_config){sizeof(sz_runtime_config), .n_threads = 2}, &rt));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&t, &cases[i], rt);
    sz_runtime_free(rt);
}

/* What does not learn gets no gradient, and costs none. */
static void test_constants(void **state) {
    float a[6] = {1, 2, 3, 4, 5, 6}, b[6] = {1, 1, 2, 2, 3, 3}, db[6] = {0};
    sz_runtime *rt;
    sz_arena *arena;
    sz_graph g;
    SZ_CHECK_OK(sz_runtime_new(NULL, &rt));
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    sz_graph_begin(&g, rt, arena, SZ_RECORD);
    sz_tensor x = sz_tensor_of(a, NULL, 2, 3), w = sz_tensor_of(b, db, 2, 3);
    sz_tensor *y = sz_sum(&g, sz_mul(&g, sz_scale(&g, &x, 2), &w));
    SZ_CHECK_OK(sz_graph_backward(&g, y));
    assert_null(x.grad);
    for (int i = 0; i < 6; i++)
        assert_true(db[i] == 2 * a[i]);
    SZ_CHECK_OK(sz_graph_backward(&g, sz_sum(&g, &x))); /* nothing to learn: nothing happens */
    sz_arena_free(arena);
    sz_runtime_free(rt);
}

static void test_errors(void **state) {
    float a[64] = {0};
    sz_runtime *rt;
    sz_arena *arena;
    sz_graph g;
    SZ_CHECK_OK(sz_runtime_new(NULL, &rt));
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    sz_tensor x = sz_tensor_of(a, NULL, 4, 6), w = sz_tensor_of(a, NULL, 5, 5);
#define FAILS(call, want, text)                                                                    \
    do {                                                                                           \
        sz_graph_begin(&g, rt, arena, SZ_RECORD);                                                  \
        assert_null(call);                                                                         \
        assert_int_equal(g.status, want);                                                          \
        if (!strstr(sz_last_error(), text))                                                        \
            fail_msg("%s: %s", #call, sz_last_error());                                            \
        assert_null(sz_scale(&g, &x, 1));                                                          \
        assert_int_equal(sz_graph_backward(&g, &x), want);                                         \
    } while (0)
    FAILS(sz_matmul(&g, &x, &w, true), SZ_E_ARG, "4 x 6 with 5 x 5 transposed");
    FAILS(sz_add(&g, &x, &w), SZ_E_ARG, "4 x 6 and 5 x 5");
    FAILS(sz_add_row(&g, &x, &w), SZ_E_ARG, "5 x 5 does not fit 6");
    FAILS(sz_rms_norm(&g, &x, &w, 4, 0), SZ_E_ARG, "groups of 4");
    FAILS(sz_reshape(&g, &x, 5, 5), SZ_E_ARG, "do not fit 5 x 5");
    FAILS(sz_slice_columns(&g, &x, 4, 3), SZ_E_ARG, "is not within 4 x 6");
    FAILS(sz_gather(&g, &x, &(uint32_t){4}, 1), SZ_E_ARG, "row 4");
    FAILS(sz_embedding(&g, &x, &(int32_t){-1}, 1), SZ_E_ARG, "token id -1");
    FAILS(sz_concat_rows(&g, (sz_tensor *[]){&x, &w}, 2), SZ_E_ARG, "part 1 is 5 x 5");
    FAILS(
        sz_attention(&g, &x, &x, &x,
                     &(sz_attention_shape){
                         .n_head = 3, .n_head_kv = 2, .head_dim = 2, .length = 4, .length_kv = 4}),
        SZ_E_ARG, "heads");
    FAILS(sz_convolve(
              &g, &x, &w,
              &(sz_conv_shape){.height = 2, .width = 2, .kernel_height = 1, .kernel_width = 1}),
          SZ_E_ARG, "needs 6 columns");
    sz_arena_set_limit(arena, 1 << 16);
    FAILS(sz_tensor_new(&g, 1000, 1000), SZ_E_NOMEM, "1000 x 1000");
    sz_graph_begin(&g, rt, arena, SZ_RECORD);
    assert_int_equal(sz_graph_backward(&g, &x), SZ_E_ARG); /* not one number */
    sz_graph_begin(&g, rt, arena, SZ_RUN);
    assert_int_equal(sz_graph_backward(&g, &x), SZ_E_STATE);
    sz_arena_free(arena);
    sz_runtime_free(rt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operators),
        cmocka_unit_test(test_constants),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
