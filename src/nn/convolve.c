/* convolve.c: convolution as a product: the patch under every place of the kernel is a row. */
#include "graph.h"

#include <string.h>

#include "num/gemm.h"

typedef struct conv_args {
    sz_graph *g;
    sz_tensor *x, *w, *out;
    sz_conv_shape s;
    size_t channels, out_height, out_width;
    float *patches; /* [rows of out][columns of w] */
} conv_args;

/* Calls fn for each row of patches in [first, last) with each place of the kernel that lies on the
 * image: offsets into the patches and into x. */
static void each_patch(const conv_args *a, size_t first, size_t last, float *x, bool scatter) {
    const sz_conv_shape *s = &a->s;
    size_t per_image = a->out_height * a->out_width, n = a->channels;
    for (size_t i = first; i < last; i++) {
        size_t image = i / per_image, y0 = i % per_image / a->out_width * s->stride_y;
        size_t x0 = i % a->out_width * s->stride_x;
        float *patch = a->patches + i * a->w->n_cols;
        for (size_t ky = 0; ky < s->kernel_height; ky++)
            for (size_t kx = 0; kx < s->kernel_width; kx++, patch += n) {
                size_t py = y0 + ky * s->dilation_y, px = x0 + kx * s->dilation_x;
                bool inside = py >= s->pad_top && py - s->pad_top < s->height &&
                              px >= s->pad_left && px - s->pad_left < s->width;
                if (!inside) {
                    if (!scatter)
                        memset(patch, 0, n * sizeof *patch);
                    continue;
                }
                size_t pixel = (image * s->height + py - s->pad_top) * s->width + px - s->pad_left;
                if (scatter)
                    a->g->kernels->add(x + pixel * n, patch, n, x + pixel * n);
                else
                    memcpy(patch, x + pixel * n, n * sizeof *patch);
            }
    }
}

static void gather_rows(void *context, size_t first, size_t last) {
    const conv_args *a = context;
    each_patch(a, first, last, a->x->data, false);
}

/* Patches of one image overlap: an image is a task. */
static void scatter_images(void *context, size_t first, size_t last) {
    const conv_args *a = context;
    size_t per_image = a->out_height * a->out_width;
    each_patch(a, first * per_image, last * per_image, a->x->grad, true);
}

static void multiply(sz_graph *g, size_t n_rows, size_t n_cols, size_t depth, sz_matrix_view a,
                     sz_matrix_view b, float *c, bool add) {
    sz_gemm p = {n_rows, n_cols, depth, a, b, c, n_cols, add};
    sz_status status = sz_gemm_run(g->kernels, g->pool, g->arena, &p);
    if (status != SZ_OK)
        sz_graph_fail(g, status);
}

static bool take_patches(conv_args *a) {
    a->patches = sz_arena_alloc(a->g->arena, a->out->n_rows * a->w->n_cols * sizeof(float));
    if (!a->patches)
        sz_graph_fail(a->g, sz_fail(SZ_E_NOMEM, "no memory for %zu patches", a->out->n_rows));
    return a->patches != NULL;
}

static void back_convolve(sz_graph *g, sz_tensor *out, void *args) {
    conv_args *a = args;
    size_t depth = a->w->n_cols, n = out->n_rows, n_out = out->n_cols;
    a->g = g;
    float *dx = sz_grad(g, a->x), *dw = sz_grad(g, a->w);
    sz_arena_mark mark = sz_arena_get_mark(g->arena);
    if (g->status != SZ_OK || !take_patches(a))
        return;
    if (dw) {
        sz_graph_rows(g, n, depth, gather_rows, a);
        multiply(g, n_out, depth, n, (sz_matrix_view){out->grad, 1, n_out},
                 (sz_matrix_view){a->patches, depth, 1}, dw, true);
    }
    if (dx) {
        multiply(g, n, depth, n_out, (sz_matrix_view){out->grad, n_out, 1},
                 (sz_matrix_view){a->w->data, depth, 1}, a->patches, false);
        sz_graph_rows(g, n / (a->out_height * a->out_width), depth * a->out_height * a->out_width,
                      scatter_images, a);
    }
    sz_arena_rewind(g->arena, mark);
}

/* Places of a kernel along one side; 0: it does not fit. */
static size_t places(size_t side, size_t before, size_t after, size_t kernel, size_t dilation,
                     size_t stride) {
    size_t reach = (kernel - 1) * dilation + 1, padded = side + before + after;
    return padded < reach ? 0 : (padded - reach) / stride + 1;
}

static sz_status measure(conv_args *a, const sz_conv_shape *shape) {
    sz_conv_shape *s = &a->s;
    *s = *shape;
    s->stride_y += s->stride_y == 0;
    s->stride_x += s->stride_x == 0;
    s->dilation_y += s->dilation_y == 0;
    s->dilation_x += s->dilation_x == 0;
    size_t taps = s->kernel_height * s->kernel_width, pixels = s->height * s->width;
    SZ_REQUIRE(taps && pixels && a->w->n_cols == taps * a->x->n_cols, SZ_E_ARG,
               "a kernel of %zu x %zu over %zu channels needs %zu columns, not %zu",
               s->kernel_height, s->kernel_width, a->x->n_cols, taps * a->x->n_cols, a->w->n_cols);
    SZ_REQUIRE(a->x->n_rows % pixels == 0, SZ_E_ARG, "%zu rows are not images of %zu x %zu",
               a->x->n_rows, s->height, s->width);
    a->channels = a->x->n_cols;
    a->out_height =
        places(s->height, s->pad_top, s->pad_bottom, s->kernel_height, s->dilation_y, s->stride_y);
    a->out_width =
        places(s->width, s->pad_left, s->pad_right, s->kernel_width, s->dilation_x, s->stride_x);
    SZ_REQUIRE(a->out_height && a->out_width, SZ_E_ARG,
               "a kernel of %zu x %zu is larger than the padded image", s->kernel_height,
               s->kernel_width);
    return SZ_OK;
}

sz_tensor *sz_convolve(sz_graph *g, sz_tensor *x, sz_tensor *w, const sz_conv_shape *shape) {
    conv_args a = {.g = g, .x = x, .w = w};
    if (g->status != SZ_OK)
        return NULL;
    sz_status status = measure(&a, shape);
    if (status != SZ_OK)
        return sz_graph_fail(g, status);
    size_t images = x->n_rows / (a.s.height * a.s.width);
    a.out = sz_tensor_new(g, images * a.out_height * a.out_width, w->n_rows);
    sz_arena_mark mark = sz_arena_get_mark(g->arena);
    if (!a.out || !take_patches(&a))
        return NULL;
    sz_graph_rows(g, a.out->n_rows, w->n_cols, gather_rows, &a);
    multiply(g, a.out->n_rows, w->n_rows, w->n_cols, (sz_matrix_view){a.patches, w->n_cols, 1},
             (sz_matrix_view){w->data, 1, w->n_cols}, a.out->data, false);
    sz_arena_rewind(g->arena, mark);
    SZ_TAPE(g, a.out, back_convolve, &a, x, w);
    return g->status == SZ_OK ? a.out : NULL;
}

void sz_lstm_step(sz_graph *g, sz_tensor *x_gates, sz_tensor *w, sz_tensor **h, sz_tensor **c) {
    if (g->status != SZ_OK)
        return;
    size_t width = (*c)->n_cols;
    sz_tensor *gates = sz_add(g, x_gates, sz_matmul(g, *h, w, true)), *part[4] = {0};
    for (size_t i = 0; i < 4 && g->status == SZ_OK; i++)
        part[i] = sz_activate(g, sz_slice_columns(g, gates, i * width, width),
                              i == 2 ? SZ_TANH : SZ_SIGMOID);
    *c = sz_add(g, sz_mul(g, part[1], *c), sz_mul(g, part[0], part[2]));
    *h = sz_mul(g, part[3], sz_activate(g, *c, SZ_TANH));
}
