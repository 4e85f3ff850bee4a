/* circuit_pass.c: messages from the leaves to the root and back, over a tile of records. */
#include "circuit.h"

#include <math.h>
#include <string.h>

enum { MESSAGE_BYTES = 128 << 20 }; /* of one array */

size_t sz_pc_tile(const sz_pc *pc) {
    size_t rows = SZ_PC_TILE_MOST, row_bytes = pc->shape.n_vars * pc->width * sizeof(double);
    while (rows > 8 && rows * row_bytes > MESSAGE_BYTES)
        rows /= 2;
    return rows;
}

static size_t message_bytes(const sz_pc_pass *p) {
    return p->pc->shape.n_vars * p->n_rows * p->pc->width * sizeof(double);
}

sz_status sz_pc_pass_new(const sz_pc *pc, const sz_kernels *k, size_t n_rows, bool down,
                         sz_pc_pass *out) {
    sz_pc_pass p = {.pc = pc, .k = k, .n_rows = n_rows};
    p.below = sz_alloc_pages(message_bytes(&p));
    p.message = sz_alloc_pages(message_bytes(&p));
    p.post = down ? sz_alloc_pages(message_bytes(&p)) : NULL;
    if (!p.below || !p.message || (down && !p.post)) {
        sz_pc_pass_free(&p);
        return sz_fail(SZ_E_NOMEM, "no memory for the messages of %zu variables", pc->shape.n_vars);
    }
    *out = p;
    return SZ_OK;
}

void sz_pc_pass_free(sz_pc_pass *p) {
    if (p->pc) {
        sz_free_pages(p->below, message_bytes(p));
        sz_free_pages(p->message, message_bytes(p));
        sz_free_pages(p->post, message_bytes(p));
    }
    *p = (sz_pc_pass){0};
}

void sz_pc_product(const sz_pc *pc, const sz_kernels *k, const double *a, size_t n,
                   const double *table, double *c) {
    sz_product_f64 p = {.a = a, .b = table, .c = c, .n_rows = n};
    p.depth = pc->shape.n_latents;
    p.n_cols = p.b_stride = p.c_stride = p.a_row = pc->width;
    p.a_col = 1;
    k->product_f64(&p);
}

/* ---- Up -------------------------------------------------------------------------------------- */

/* Emissions at v's value times the messages of its children. */
static void gather(const sz_pc_pass *p, size_t v, const int32_t *x, size_t n) {
    const sz_pc *pc = p->pc;
    size_t width = pc->width;
    double *below = sz_pc_at(p, p->below, v), *row = below;
    for (size_t s = 0; s < n; s++, row += width) {
        int32_t value = x[s * pc->shape.n_vars + v];
        if (value == SZ_PC_MISSING)
            for (size_t z = 0; z < width; z++)
                row[z] = z < pc->shape.n_latents;
        else
            memcpy(row, sz_pc_emit(pc, v, (size_t)value), width * sizeof *row);
    }
    for (size_t i = pc->first_child[v]; i < pc->first_child[v + 1]; i++)
        p->k->multiply_f64(below, sz_pc_at(p, p->message, pc->child[i]), n * width);
}

void sz_pc_pass_up(sz_pc_pass *p, const int32_t *x, size_t n) {
    const sz_pc *pc = p->pc;
    int64_t exponent[SZ_PC_TILE_MOST] = {0};
    for (size_t i = pc->shape.n_vars; i-- > 0;) {
        size_t v = pc->order[i];
        gather(p, v, x, n);
        p->k->rescale_f64(sz_pc_at(p, p->below, v), n, pc->width, exponent);
        if (i > 0)
            sz_pc_product(pc, p->k, sz_pc_at(p, p->below, v), n, sz_pc_turned(pc, v),
                          sz_pc_at(p, p->message, v));
    }
    for (size_t s = 0; s < n; s++) {
        const double *row = sz_pc_at(p, p->below, pc->order[0]) + s * pc->width;
        double sum = 0;
        for (size_t z = 0; z < pc->shape.n_latents; z++)
            sum += pc->root[z] * row[z];
        p->loglik[s] =
            sum > 0 ? sz_log(sum) + (double)exponent[s] * 0x1.62e42fefa39efp-1 : -INFINITY;
    }
}

/* ---- Down ------------------------------------------------------------------------------------ */

static void root_posterior(sz_pc_pass *p, size_t n) {
    const sz_pc *pc = p->pc;
    size_t width = pc->width, root = pc->order[0];
    for (size_t s = 0; s < n; s++) {
        const double *below = sz_pc_at(p, p->below, root) + s * width;
        double *post = sz_pc_at(p, p->post, root) + s * width, sum = 0;
        for (size_t z = 0; z < width; z++)
            sum += post[z] = pc->root[z] * below[z];
        for (size_t z = 0; z < width; z++)
            post[z] = sum > 0 ? post[z] / sum : 0;
    }
}

void sz_pc_pass_down(sz_pc_pass *p, size_t i, size_t n) {
    const sz_pc *pc = p->pc;
    size_t v = pc->order[i], cells = n * pc->width;
    if (i == 0) {
        root_posterior(p, n);
        return;
    }
    /* The parent's posterior over the message: what multiplies T_v[z_parent][z] below_v[z] to give
     * the joint posterior of the pair. */
    double *ratio = sz_pc_at(p, p->message, v), *post = sz_pc_at(p, p->post, v);
    p->k->ratio_f64(sz_pc_at(p, p->post, (size_t)pc->parent[v]), ratio, cells);
    sz_pc_product(pc, p->k, ratio, n, sz_pc_trans(pc, v), post);
    p->k->multiply_f64(post, sz_pc_at(p, p->below, v), cells);
}
