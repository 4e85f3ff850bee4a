/* checkpoint.c: all that the next step depends on, in one GGUF file: weights, the optimiser's
 * state, how many steps were done (which tells the place in the data and all random numbers), and a
 * digest of the whole. */
#include "trainer.h"

#include <stdio.h>
#include <string.h>

enum { NAME = 64, ABOUT = 256 };

/* What must be the same for a run to go on; rates, schedules and other lengths of it may change. */
static void describe(const sz_trainer *t, char about[ABOUT]) {
    const sz_train_config *c = &t->config;
    snprintf(
        about, ABOUT,
        "batch %u, length %u, accumulate %u, seed %llu, %llu windows, optimiser %d, average %d",
        c->batch, c->length, c->accumulate, (unsigned long long)c->seed,
        (unsigned long long)t->n_windows, (int)c->optimiser.kind, c->optimiser.ema_decay > 0);
}

/* Calls fn for every piece of memory, in order, with the name that it has in the file. */
typedef sz_status (*piece_fn)(void *user, const char *name, sz_type type, void *data, size_t bytes);

static sz_status each_piece(const sz_trainer *t, piece_fn fn, void *user) {
    char name[NAME];
    for (size_t i = 0; i < t->model->n_learned; i++) {
        const sz_learned *p = &t->model->learned[i];
        snprintf(name, sizeof name, "w.%zu", i);
        SZ_TRY(fn(user, name, SZ_F32, p->tensor->data,
                  p->tensor->n_rows * p->tensor->n_cols * sizeof(float)));
    }
    for (size_t i = 0; i < sz_optimiser_n_pieces(t->optimiser); i++) {
        size_t bytes;
        void *data = sz_optimiser_piece(t->optimiser, i, &bytes);
        snprintf(name, sizeof name, "o.%zu", i);
        if (bytes)
            SZ_TRY(fn(user, name, SZ_I8, data, bytes));
    }
    return SZ_OK;
}

static sz_status digest_piece(void *user, const char *name, sz_type type, void *data,
                              size_t bytes) {
    sz_sha256_update(user, data, bytes);
    return SZ_OK;
}

static void digest(const sz_trainer *t, uint64_t steps, char hex[65]) {
    uint8_t hash[32];
    sz_sha256 h;
    sz_sha256_init(&h);
    sz_sha256_update(&h, &steps, sizeof steps);
    each_piece(t, digest_piece, &h);
    sz_sha256_final(&h, hash);
    sz_hex(hash, sizeof hash, hex);
}

/* ---- Writing
 * -------------------------------------------------------------------------------------
 */

static sz_status put_piece(void *user, const char *name, sz_type type, void *data, size_t bytes) {
    uint64_t n = bytes / (type == SZ_F32 ? sizeof(float) : 1);
    sz_gguf_put_tensor(user, name, type, 1, &n, data);
    return SZ_OK;
}

sz_status sz_trainer_save(const sz_trainer *t, const char *path) {
    sz_gguf_writer *w;
    char about[ABOUT], hex[65];
    SZ_TRY(sz_gguf_writer_new(&w));
    describe(t, about);
    digest(t, t->steps, hex);
    sz_gguf_put_str(w, "general.type", "checkpoint", 10);
    sz_gguf_put_str(w, "general.architecture", t->model->architecture->name,
                    strlen(t->model->architecture->name));
    sz_gguf_put_u64(w, "train.steps", t->steps);
    sz_gguf_put_str(w, "train.run", about, strlen(about));
    sz_gguf_put_str(w, "train.sha256", hex, 64);
    each_piece(t, put_piece, w);
    sz_status status = sz_gguf_writer_save(w, path);
    sz_gguf_writer_free(w);
    return status;
}

/* ---- Reading
 * -------------------------------------------------------------------------------------
 */

typedef struct reading {
    const sz_gguf *g;
    bool copy;
    sz_sha256 hash;
    size_t n; /* pieces found */
} reading;

static sz_status take_piece(void *user, const char *name, sz_type type, void *data, size_t bytes) {
    reading *r = user;
    const sz_gguf_tensor *f = sz_gguf_find_tensor(r->g, name);
    SZ_REQUIRE(f && f->type == type && f->bytes == bytes, SZ_E_ARG,
               "%s is of a run with another model or optimiser: tensor %s is %s",
               sz_gguf_name(r->g), name, f ? "of another size" : "missing");
    if (r->copy)
        memcpy(data, f->data, bytes);
    else
        sz_sha256_update(&r->hash, f->data, bytes);
    r->n++;
    return SZ_OK;
}

static sz_status require_text(const sz_gguf *g, const char *key, const char *want,
                              const char *what) {
    sz_str s;
    SZ_TRY(sz_gguf_get_str(g, key, &s));
    SZ_REQUIRE(s.n == strlen(want) && memcmp(s.s, want, s.n) == 0, SZ_E_ARG,
               "%s is of %s '%.*s', not '%s'", sz_gguf_name(g), what, (int)s.n, s.s, want);
    return SZ_OK;
}

/* Everything is looked at before anything is taken over. */
static sz_status read_checkpoint(sz_trainer *t, const sz_gguf *g) {
    reading r = {.g = g};
    int64_t steps;
    char about[ABOUT], hex[65];
    uint8_t hash[32];
    sz_str want;
    describe(t, about);
    SZ_TRY(require_text(g, "general.type", "checkpoint", "type"));
    SZ_TRY(require_text(g, "train.run", about, "a run with"));
    SZ_TRY(sz_gguf_get_i64(g, "train.steps", &steps));
    SZ_TRY(sz_gguf_get_str(g, "train.sha256", &want));
    uint64_t n = (uint64_t)steps;
    sz_sha256_init(&r.hash);
    sz_sha256_update(&r.hash, &n, sizeof n);
    SZ_TRY(each_piece(t, take_piece, &r));
    sz_sha256_final(&r.hash, hash);
    sz_hex(hash, sizeof hash, hex);
    SZ_REQUIRE(r.n == sz_gguf_n_tensors(g), SZ_E_ARG,
               "%s is of a run with another model: it has %zu tensors, not %zu", sz_gguf_name(g),
               sz_gguf_n_tensors(g), r.n);
    SZ_REQUIRE(want.n == 64 && memcmp(want.s, hex, 64) == 0, SZ_E_FORMAT,
               "%s is damaged: its digest does not fit its content", sz_gguf_name(g));
    r.copy = true;
    SZ_TRY(each_piece(t, take_piece, &r));
    t->steps = n;
    sz_optimiser_set_steps(t->optimiser, n);
    return SZ_OK;
}

sz_status sz_trainer_load(sz_trainer *t, const char *path) {
    sz_gguf *g;
    SZ_TRY(sz_gguf_open(path, &g));
    sz_status status = read_checkpoint(t, g);
    sz_gguf_close(g);
    return status;
}
