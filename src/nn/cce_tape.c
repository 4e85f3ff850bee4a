/* cce_tape.c: cut cross-entropy as an operator of the tape. */
#include "graph.h"

#include <string.h>

#include <szilard/unstable/loss.h>

typedef struct cce_args {
    sz_tensor *hidden, *classifier, *bias;
    sz_cce in;
    sz_cce_config config;
    sz_cce_rows rows;
} cce_args;

static void back_cce(sz_graph *g, sz_tensor *out, void *args) {
    const cce_args *a = args;
    sz_cce_gradients d = {.hidden = sz_grad(g, a->hidden),
                          .classifier = sz_grad(g, a->classifier),
                          .bias = sz_grad(g, a->bias)};
    if (g->status != SZ_OK)
        return;
    sz_status status =
        sz_cce_backward(g->rt, g->arena, &a->in, &a->config, &a->rows, out->grad[0], &d);
    if (status != SZ_OK)
        sz_graph_fail(g, status);
}

static bool fits(sz_graph *g, const sz_tensor *hidden, const sz_tensor *classifier,
                 const sz_tensor *bias) {
    if (hidden->n_cols != classifier->n_cols || (bias && sz_count(bias) != classifier->n_rows))
        sz_graph_fail(g,
                      sz_fail(SZ_E_ARG,
                              "hidden states of %zu columns do not fit a classifier of %zu x %zu",
                              hidden->n_cols, classifier->n_rows, classifier->n_cols));
    return g->status == SZ_OK;
}

sz_tensor *sz_cut_cross_entropy(sz_graph *g, sz_tensor *hidden, sz_tensor *classifier,
                                sz_tensor *bias, const int32_t *targets,
                                const sz_cce_config *config, sz_cce_result *result) {
    if (g->status != SZ_OK || !fits(g, hidden, classifier, bias))
        return NULL;
    size_t n = hidden->n_rows;
    sz_tensor *out = sz_tensor_new(g, 1, 1);
    int32_t *kept = sz_arena_alloc(g->arena, (n + 1) * sizeof *kept);
    cce_args a = {.hidden = hidden, .classifier = classifier, .bias = bias};
    a.config = config ? *config : (sz_cce_config){0};
    a.rows.lse = sz_arena_alloc(g->arena, (n + 1) * sizeof(float));
    if (a.config.sort)
        a.rows.mean_logit = sz_arena_alloc(g->arena, classifier->n_rows * sizeof(float));
    if (!out || !kept || !a.rows.lse || (a.config.sort && !a.rows.mean_logit))
        return sz_graph_fail(g, sz_fail(SZ_E_NOMEM, "no memory for a loss over %zu rows", n));
    memcpy(kept, targets, n * sizeof *kept);
    a.in = (sz_cce){hidden->data,   classifier->data,  bias ? bias->data : NULL, kept, n,
                    hidden->n_cols, classifier->n_rows};
    sz_cce_result r;
    sz_status status = sz_cce_forward(g->rt, g->arena, &a.in, &a.config, &a.rows, &r);
    if (status != SZ_OK)
        return sz_graph_fail(g, status);
    out->data[0] = (float)r.loss;
    if (result)
        *result = r;
    SZ_TAPE(g, out, back_cce, &a, hidden, classifier, bias);
    return out;
}
