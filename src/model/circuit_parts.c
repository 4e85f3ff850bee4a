/* circuit_parts.c: see circuit_parts.h. */
#include "circuit_parts.h"

void sz_pc_parts_free(sz_pc_parts *p) {
    sz_free(p->parent);
    sz_free(p->root);
    sz_free(p->trans);
    sz_free(p->emit);
}

size_t sz_pc_n_trans(const sz_pc_shape *s) {
    return s->n_vars * s->n_latents * s->n_latents;
}

size_t sz_pc_n_emit(const sz_pc_shape *s) {
    return s->n_vars * s->n_latents * s->n_categories;
}

sz_status sz_pc_parts_new(const sz_pc_shape *s, sz_pc_parts *p) {
    *p = (sz_pc_parts){.shape = *s,
                       .parent = sz_alloc(s->n_vars * sizeof *p->parent),
                       .root = sz_alloc(s->n_latents * sizeof *p->root),
                       .trans = sz_alloc(sz_pc_n_trans(s) * sizeof *p->trans),
                       .emit = sz_alloc(sz_pc_n_emit(s) * sizeof *p->emit)};
    if (p->parent && p->root && p->trans && p->emit)
        return SZ_OK;
    sz_pc_parts_free(p);
    return sz_fail(SZ_E_NOMEM, "no memory for a circuit of %zu variables", s->n_vars);
}

sz_status sz_pc_parts_of(const sz_pc *pc, sz_pc_parts *p) {
    sz_pc_shape shape = sz_pc_get_shape(pc);
    SZ_TRY(sz_pc_parts_new(&shape, p));
    sz_pc_get(pc, p->parent, p->root, p->trans, p->emit);
    return SZ_OK;
}
