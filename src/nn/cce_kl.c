/* cce_kl.c: distillation: KL(teacher || student) over a large vocabulary, tile by tile. The
 * gradient of the student's logits is p_S - p_T. */
#include "cce.h"

typedef struct distillation {
    sz_cce_pass *t, *s; /* teacher, student */
    const float *lse_t, *lse_s;
    double *kl; /* [n]: of each row so far */
    float by;
} distillation;

enum { PIECE = 256 };

/* Probabilities of a piece of logits z, and z - lse into it. */
static void normalise(const sz_kernels *k, const float *z, size_t n, float lse, float *log_p,
                      float *p) {
    for (size_t j = 0; j < n; j++)
        log_p[j] = z[j] - lse;
    k->exp(log_p, n, p);
}

static void compare_rows(void *context, size_t first, size_t last) {
    const distillation *d = context;
    const sz_kernels *k = d->s->kernels;
    size_t width = d->s->width;
    for (size_t i = first; i < last; i++) {
        size_t row = d->s->first + i;
        float *zt = d->t->z + i * width, *zs = d->s->z + i * width;
        for (size_t j = 0; j < width; j += PIECE) {
            size_t n = width - j < PIECE ? width - j : PIECE;
            float lt[PIECE], pt[PIECE], ls[PIECE], ps[PIECE];
            normalise(k, zt + j, n, d->lse_t[row], lt, pt);
            normalise(k, zs + j, n, d->lse_s[row], ls, ps);
            for (size_t m = 0; m < n; m++) { /* p ln p is 0 where p is */
                d->kl[row] += pt[m] > 0 ? (double)pt[m] * ((double)lt[m] - (double)ls[m]) : 0;
                zs[j + m] = d->by * (ps[m] - pt[m]);
            }
        }
    }
}

static sz_status add_gradients(const distillation *d, sz_cce_gradients *out) {
    const sz_cce_pass *s = d->s;
    size_t dim = s->in->dim;
    sz_gemm hidden = {s->n,
                      dim,
                      s->width,
                      {s->z, s->width, 1},
                      {s->classifier, dim, 1},
                      out->hidden ? out->hidden + s->first * dim : NULL,
                      dim,
                      true};
    sz_gemm classes = {s->width,
                       dim,
                       s->n,
                       {s->z, 1, s->width},
                       {s->hidden, dim, 1},
                       out->classifier ? out->classifier + s->from * dim : NULL,
                       dim,
                       true};
    if (out->hidden)
        SZ_TRY(sz_gemm_run(s->kernels, s->pool, s->arena, &hidden));
    if (out->classifier)
        SZ_TRY(sz_gemm_run(s->kernels, s->pool, s->arena, &classes));
    for (size_t i = 0; out->bias && i < s->n; i++)
        for (size_t j = 0; j < s->width; j++)
            out->bias[s->from + j] += s->z[i * s->width + j];
    return SZ_OK;
}

static sz_status sweep(distillation *d, sz_cce_gradients *out) {
    for (size_t first = 0; first < d->s->n_valid; first += d->s->block_rows) {
        sz_cce_take_rows(d->t, first);
        sz_cce_take_rows(d->s, first);
        for (size_t from = 0; from < d->s->in->n_vocab; from += d->s->columns) {
            SZ_TRY(sz_cce_take_columns(d->t, from));
            SZ_TRY(sz_cce_take_columns(d->s, from));
            sz_cce_each_row(d->s, compare_rows, d);
            if (out)
                SZ_TRY(add_gradients(d, out));
        }
    }
    return SZ_OK;
}

static sz_status distil(sz_runtime *rt, sz_arena *arena, const sz_cce *teacher,
                        const sz_cce *student, float upstream, sz_cce_gradients *out, double *kl) {
    static const sz_cce_config plain;
    size_t n = student->n;
    sz_cce_rows rt_rows = {.lse = sz_arena_alloc(arena, n * sizeof(float))};
    sz_cce_rows rs_rows = {.lse = sz_arena_alloc(arena, n * sizeof(float))};
    double *of_row = sz_arena_alloc(arena, n * sizeof *of_row);
    SZ_REQUIRE(rt_rows.lse && rs_rows.lse && of_row, SZ_E_NOMEM, "no memory for %zu rows", n);
    sz_cce_result result;
    SZ_TRY(sz_cce_forward(rt, arena, teacher, &plain, &rt_rows, &result));
    SZ_TRY(sz_cce_forward(rt, arena, student, &plain, &rs_rows, &result));
    sz_cce_pass t = {0}, s = {0};
    sz_arena_mark mark;
    SZ_TRY(sz_cce_begin(&t, rt, arena, teacher, &plain, &rt_rows, &mark));
    SZ_TRY(sz_cce_begin(&s, rt, arena, student, &plain, &rs_rows, &mark));
    distillation d = {&t, &s, rt_rows.lse, rs_rows.lse, of_row, upstream / (float)n};
    for (size_t i = 0; i < n; i++)
        of_row[i] = 0;
    SZ_TRY(sweep(&d, out));
    *kl = 0;
    for (size_t i = 0; i < n; i++)
        *kl += of_row[i] / (double)n;
    return SZ_OK;
}

sz_status sz_cce_kl(sz_runtime *rt, sz_arena *scratch, const sz_cce *teacher, const sz_cce *student,
                    float upstream, sz_cce_gradients *gradients, double *kl) {
    SZ_REQUIRE(teacher->n == student->n && teacher->n_vocab == student->n_vocab, SZ_E_ARG,
               "a teacher of %zu rows and %zu classes, a student of %zu and %zu", teacher->n,
               teacher->n_vocab, student->n, student->n_vocab);
    sz_cce all[2] = {*teacher, *student};
    all[0].targets = all[1].targets = NULL; /* every row counts */
    sz_arena_mark mark = sz_arena_get_mark(scratch);
    sz_status status = distil(rt, scratch, &all[0], &all[1], upstream, gradients, kl);
    sz_arena_rewind(scratch, mark);
    return status;
}
