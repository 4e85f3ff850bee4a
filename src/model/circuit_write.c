/* circuit_write.c: circuits to GGUF files, and the digest that tells them apart. */
#include "circuit_parts.h"

#include <string.h>

static void put_parts(sz_gguf_writer *w, const sz_pc_parts *p, const char *name) {
    uint64_t m = p->shape.n_latents, d = p->shape.n_vars, k = p->shape.n_categories;
    sz_gguf_put_str(w, "general.type", "circuit", 7);
    sz_gguf_put_str(w, "general.architecture", SZ_PC_KIND, strlen(SZ_PC_KIND));
    if (name)
        sz_gguf_put_str(w, "general.name", name, strlen(name));
    sz_gguf_put_str(w, "circuit.kind", SZ_PC_KIND, strlen(SZ_PC_KIND));
    sz_gguf_put_u32(w, "circuit.variables", (uint32_t)d);
    sz_gguf_put_u32(w, "circuit.latents", (uint32_t)m);
    sz_gguf_put_u32(w, "circuit.categories", (uint32_t)k);
    sz_gguf_put_i32s(w, "circuit.parents", p->parent, d);
    sz_gguf_put_tensor(w, "root", SZ_F64, 1, (uint64_t[]){m}, p->root);
    sz_gguf_put_tensor(w, "trans", SZ_F64, 3, (uint64_t[]){m, m, d}, p->trans);
    sz_gguf_put_tensor(w, "emit", SZ_F64, 3, (uint64_t[]){k, m, d}, p->emit);
}

sz_status sz_pc_save(const sz_pc *pc, const char *path, const char *name) {
    sz_pc_parts p;
    sz_gguf_writer *w;
    SZ_TRY(sz_pc_parts_of(pc, &p));
    sz_status status = sz_gguf_writer_new(&w);
    if (status == SZ_OK) {
        put_parts(w, &p, name);
        status = sz_gguf_writer_save(w, path);
        sz_gguf_writer_free(w);
    }
    sz_pc_parts_free(&p);
    return status;
}

sz_status sz_pc_digest(const sz_pc *pc, uint8_t out[32]) {
    sz_pc_parts p;
    sz_sha256 h;
    SZ_TRY(sz_pc_parts_of(pc, &p));
    uint32_t shape[] = {(uint32_t)p.shape.n_vars, (uint32_t)p.shape.n_latents,
                        (uint32_t)p.shape.n_categories};
    sz_sha256_init(&h);
    sz_sha256_update(&h, SZ_PC_KIND, sizeof SZ_PC_KIND);
    sz_sha256_update(&h, shape, sizeof shape);
    sz_sha256_update(&h, p.parent, p.shape.n_vars * sizeof *p.parent);
    sz_sha256_update(&h, p.root, p.shape.n_latents * sizeof *p.root);
    sz_sha256_update(&h, p.trans, sz_pc_n_trans(&p.shape) * sizeof *p.trans);
    sz_sha256_update(&h, p.emit, sz_pc_n_emit(&p.shape) * sizeof *p.emit);
    sz_sha256_final(&h, out);
    sz_pc_parts_free(&p);
    return SZ_OK;
}
