/* machine.c: the ceilings of the machine, measured in a tenth of a second. */
#include "machine.h"
#include "model/model.h"
#include <stdio.h>
#include <string.h>

enum {
    CHUNK_BYTES = 1 << 20,    /* read per task */
    OWN_BYTES = 256 << 20,    /* larger than the caches of common machines */
    LEAST_BYTES = 64 << 20,   /* of weights, to be used in place of memory of our own */
    DOTS_PER_ROUND = 12 * 64, /* multiply-adds: 12 instructions on 16 lanes of 4 */
    FMAS_PER_ROUND = 8 * 16,  /* 8 instructions on 16 lanes */
};

/* ---- The model's weights ------------------------------------------------------------------- */

enum { MATRICES_PER_LAYER = 7 };

static void list_matrices(const sz_layer *l, const sz_matrix *out[MATRICES_PER_LAYER]) {
    const sz_weight *all[MATRICES_PER_LAYER] = {&l->q,    &l->k,  &l->v,   &l->o,
                                                &l->gate, &l->up, &l->down};
    for (int i = 0; i < MATRICES_PER_LAYER; i++)
        out[i] = &all[i]->matrix;
}

void sz_workload_of(const sz_model *m, sz_workload *out) {
    *out = (sz_workload){0};
    for (uint32_t i = 0; i < m->h.n_layer; i++) {
        const sz_matrix *all[MATRICES_PER_LAYER];
        list_matrices(&m->layers[i], all);
        for (int j = 0; j < MATRICES_PER_LAYER; j++) {
            out->layer_bytes += all[j]->bytes;
            out->layer_macs += (uint64_t)all[j]->n_rows * all[j]->n_cols;
        }
    }
    out->head_bytes = m->head.matrix.bytes;
    out->head_macs = (uint64_t)m->head.matrix.n_rows * m->head.matrix.n_cols;
}

void sz_workload_attention(const sz_model *m, size_t n_past, size_t n, uint64_t *macs,
                           uint64_t *bytes) {
    uint64_t looks = 0; /* pairs of a token and a position that it looks at, over the layers */
    for (uint32_t i = 0; i < m->h.n_layer; i++) {
        uint64_t window = m->layers[i].window ? m->layers[i].window : UINT64_MAX;
        for (uint64_t at = n_past + 1; at <= n_past + n; at++)
            looks += at < window ? at : window;
    }
    *macs = looks * 2 * m->h.n_head * m->h.head_dim;
    *bytes = looks * 2 * m->h.n_head_kv * m->h.head_dim * sizeof(uint16_t);
}

/* ---- Reading ------------------------------------------------------------------------------- */

typedef struct chunk {
    const uint8_t *data;
    size_t bytes;
} chunk;

typedef struct reading {
    chunk *chunks;
    size_t n, cap, bytes;
    uint64_t sink;
} reading;

static void add_region(reading *r, const uint8_t *data, size_t bytes) {
    for (size_t at = 0; data && at < bytes && r->n < r->cap; at += CHUNK_BYTES) {
        size_t n = bytes - at < CHUNK_BYTES ? bytes - at : CHUNK_BYTES;
        r->chunks[r->n++] = (chunk){data + at, n};
        r->bytes += n;
    }
}

/* Sums in 8 chains of 64 bytes, which the compiler turns into plain vector loads. */
static void read_chunk(void *context, size_t task, int thread) {
    typedef uint64_t lanes __attribute__((vector_size(64), aligned(64)));
    reading *r = context;
    const lanes *p = (const lanes *)(const void *)r->chunks[task].data;
    size_t n = r->chunks[task].bytes / sizeof(lanes);
    lanes a = {0}, b = {0}, c = {0}, d = {0};
    for (size_t i = 0; i + 4 <= n; i += 4) {
        a ^= p[i];
        b ^= p[i + 1];
        c ^= p[i + 2];
        d ^= p[i + 3];
    }
    a ^= b ^ c ^ d;
    __atomic_fetch_xor(&r->sink, a[0] ^ a[1] ^ a[2] ^ a[3] ^ a[4] ^ a[5] ^ a[6] ^ a[7],
                       __ATOMIC_RELAXED);
}

static double best_rate(sz_pool *pool, reading *r, uint64_t budget_ns) {
    double best = 0;
    uint64_t start = sz_time_ns();
    for (int pass = 0; pass < 2 || sz_time_ns() - start < budget_ns; pass++) {
        uint64_t t = sz_time_ns();
        sz_pool_run(pool, read_chunk, r, r->n);
        double rate = (double)r->bytes / (double)(sz_time_ns() - t) * 1e9;
        best = rate > best ? rate : best;
    }
    return best;
}

static void add_weights(reading *r, const sz_model *m) {
    for (uint32_t i = 0; i < m->h.n_layer; i++) {
        const sz_matrix *all[MATRICES_PER_LAYER];
        list_matrices(&m->layers[i], all);
        for (int j = 0; j < MATRICES_PER_LAYER; j++)
            add_region(r, all[j]->data, all[j]->bytes);
    }
    add_region(r, m->head.matrix.data, m->head.matrix.bytes);
}

double sz_machine_read_bandwidth(sz_runtime *rt, const sz_model *model, uint64_t budget_ns) {
    sz_workload w = {0};
    if (model)
        sz_workload_of(model, &w);
    bool weights = w.layer_bytes + w.head_bytes >= LEAST_BYTES;
    uint8_t *own = weights ? NULL : sz_alloc_pages(OWN_BYTES);
    size_t bytes = weights ? w.layer_bytes + w.head_bytes : OWN_BYTES;
    reading r = {.cap = bytes / CHUNK_BYTES + 8 * 4096};
    r.chunks = sz_alloc(r.cap * sizeof *r.chunks);
    double rate = 0;
    if (r.chunks && (weights || own)) {
        if (own)
            memset(own, 1, OWN_BYTES);
        if (own)
            add_region(&r, own, OWN_BYTES);
        else
            add_weights(&r, model);
        rate = best_rate(sz_runtime_pool(rt), &r, budget_ns);
    }
    sz_free(r.chunks);
    sz_free_pages(own, OWN_BYTES);
    return rate;
}

/* ---- Products ------------------------------------------------------------------------------ */

enum { ROUNDS = 100000 }; /* a task takes about a third of a millisecond */

static void multiply(void *context, size_t task, int thread) {
    const sz_kernels *k = context;
    int32_t out[16];
    k->peak_int8(ROUNDS, out);
}

static void multiply_floats(void *context, size_t task, int thread) {
    const sz_kernels *k = context;
    float out[16];
    k->peak_float(ROUNDS, out);
}

static double best_products(sz_runtime *rt, sz_task_fn task, double per_round, uint64_t budget_ns) {
    sz_pool *pool = sz_runtime_pool(rt);
    size_t n = 16 * (size_t)sz_pool_threads(pool);
    double best = 0;
    uint64_t start = sz_time_ns();
    for (int pass = 0; pass < 3 || sz_time_ns() - start < budget_ns; pass++) {
        uint64_t t = sz_time_ns();
        sz_pool_run(pool, task, (void *)sz_runtime_kernels(rt), n);
        double rate = (double)n * ROUNDS * per_round / (double)(sz_time_ns() - t) * 1e9;
        best = rate > best ? rate : best;
    }
    return best;
}

double sz_machine_int8_peak(sz_runtime *rt, uint64_t budget_ns) {
    return best_products(rt, multiply, DOTS_PER_ROUND, budget_ns);
}

double sz_machine_float_peak(sz_runtime *rt, uint64_t budget_ns) {
    return best_products(rt, multiply_floats, FMAS_PER_ROUND, budget_ns);
}

/* ---- Name ---------------------------------------------------------------------------------- */

void sz_machine_cpu_name(char *out, size_t size) {
    char line[512];
    FILE *f = fopen("/proc/cpuinfo", "re");
    snprintf(out, size, "unknown");
    while (f && fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        bool named = strncmp(line, "model name", 10) == 0 || strncmp(line, "Hardware", 8) == 0;
        if (!named || !colon)
            continue;
        snprintf(out, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
        break;
    }
    if (f)
        fclose(f);
}
