/* Looking into a pass: taps, embeddings in place of ids, and a range of layers on its own. */
#include "check.h"
#include "model/model.h"
#include "support/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 90, N_KINDS = 5, MOST_LAYERS = 8 };

/* Everything that was tapped, appended pass by pass. */
typedef struct record {
    float *data[N_KINDS][MOST_LAYERS];
    size_t n_rows[N_KINDS][MOST_LAYERS], n_cols[N_KINDS][MOST_LAYERS];
    size_t n_asked, n_given, n_kinds[N_KINDS];
    bool (*wants)(sz_tap_kind kind, uint32_t layer);
} record;

static bool keep(void *user, sz_tap_kind kind, uint32_t layer, const float *data, size_t n_rows,
                 size_t n_cols) {
    record *r = user;
    if (!data) {
        r->n_asked++;
        return r->wants(kind, layer);
    }
    r->n_given++;
    r->n_kinds[kind]++;
    size_t old = r->n_rows[kind][layer];
    r->data[kind][layer] = realloc(r->data[kind][layer], (old + n_rows) * n_cols * sizeof *data);
    memcpy(r->data[kind][layer] + old * n_cols, data, n_rows * n_cols * sizeof *data);
    r->n_rows[kind][layer] = old + n_rows;
    r->n_cols[kind][layer] = n_cols;
    return false;
}

static void free_record(record *r) {
    for (int k = 0; k < N_KINDS; k++)
        for (int i = 0; i < MOST_LAYERS; i++)
            free(r->data[k][i]);
}

static bool all(sz_tap_kind kind, uint32_t layer) {
    return true;
}
static bool none(sz_tap_kind kind, uint32_t layer) {
    return false;
}
static bool not_attention(sz_tap_kind kind, uint32_t layer) {
    return kind != SZ_TAP_ATTENTION;
}
static bool values_of_layer_1(sz_tap_kind kind, uint32_t layer) {
    return kind == SZ_TAP_VALUE && layer == 1;
}

static void run(const engine *e, sz_kv_type type, uint32_t chunk, const int32_t *ids, record *r) {
    sz_session *s;
    sz_session_config config = {.kv_type = type, .chunk = chunk};
    SZ_CHECK_OK(sz_session_new(e->model, &config, &s));
    sz_session_set_tap(s, keep, r);
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, N));
    sz_session_free(s);
}

/* ---- Taps ------------------------------------------------------------------------------------ */

static void only_what_is_wanted_is_given(void **state) {
    engine e;
    int32_t ids[N];
    SZ_CHECK_OK(engine_open_tiny(&(tiny_model){0}, 1, NULL, &e));
    random_ids(1, 256, ids, N);
    record nothing = {.wants = none}, values = {.wants = values_of_layer_1};
    run(&e, SZ_KV_F16, 512, ids, &nothing);
    assert_int_equal(nothing.n_given, 0);
    assert_int_equal(nothing.n_asked, 2 * N_KINDS); /* each kind of each layer once */
    run(&e, SZ_KV_F16, 512, ids, &values);
    assert_int_equal(values.n_given, 1);
    assert_int_equal(values.n_rows[SZ_TAP_VALUE][1], N);
    assert_int_equal(values.n_cols[SZ_TAP_VALUE][1], 2 * 16);
    free_record(&values);
    engine_close(&e);
}

static void tapped_values_are_the_same_in_chunks(void **state) {
    for (size_t m = 0; m < n_architectures; m++) {
        engine e;
        int32_t ids[N];
        SZ_CHECK_OK(engine_open_tiny(&every_architecture[m], 2, NULL, &e));
        random_ids(m, 256, ids, N);
        record whole = {.wants = not_attention}, parts = {.wants = not_attention};
        run(&e, SZ_KV_F16, N, ids, &whole);
        run(&e, SZ_KV_F16, 7, ids, &parts);
        const sz_hparams *h = &e.model->h;
        const size_t cols[] = {h->n_embd, h->n_head * h->head_dim, h->n_head_kv * h->head_dim,
                               h->n_head_kv * h->head_dim};
        for (uint32_t i = 0; i < h->n_layer; i++)
            for (int k = 0; k < SZ_TAP_ATTENTION; k++) {
                assert_int_equal(whole.n_rows[k][i], N);
                assert_int_equal(parts.n_rows[k][i], N);
                assert_int_equal(whole.n_cols[k][i], cols[k]);
                assert_memory_equal(whole.data[k][i], parts.data[k][i], N * cols[k] * 4);
            }
        free_record(&whole);
        free_record(&parts);
        engine_close(&e);
    }
}

/* Probabilities of one head of one token from the tapped queries and keys, in double. */
static void attend_by_hand(const sz_model *m, const record *r, uint32_t layer, size_t token,
                           size_t head, double *p) {
    const sz_hparams *h = &m->h;
    size_t dim = h->head_dim, kv_head = head / (h->n_head / h->n_head_kv);
    const float *q = r->data[SZ_TAP_QUERY][layer] + (token * h->n_head + head) * dim;
    uint32_t window = m->layers[layer].window;
    double max = -INFINITY, sum = 0;
    for (size_t j = 0; j < N; j++) {
        const float *k = r->data[SZ_TAP_KEY][layer] + (j * h->n_head_kv + kv_head) * dim;
        p[j] = 0;
        for (size_t d = 0; d < dim; d++)
            p[j] += (double)q[d] * (double)k[d] * (double)h->attention_scale;
        if (j > token || (window && token - j >= window))
            p[j] = -INFINITY;
        max = fmax(max, p[j]);
    }
    for (size_t j = 0; j < N; j++)
        sum += exp(p[j] - max);
    for (size_t j = 0; j < N; j++)
        p[j] = exp(p[j] - max) / sum;
}

static void attention_is_the_softmax_of_queries_and_keys(void **state) {
    static const struct {
        sz_kv_type type;
        double allowed; /* the cache rounds its keys */
    } caches[] = {{SZ_KV_F32, 2e-6}, {SZ_KV_F16, 2e-2}, {SZ_KV_Q8_0, 0.3}};
    for (size_t m = 0; m < n_architectures; m++)
        for (size_t c = 0; c < 3; c++) {
            engine e;
            int32_t ids[N];
            SZ_CHECK_OK(engine_open_tiny(&every_architecture[m], 2, NULL, &e));
            random_ids(m, 256, ids, N);
            record r = {.wants = all};
            run(&e, caches[c].type, N, ids, &r);
            const sz_hparams *h = &e.model->h;
            for (uint32_t i = 0; i < h->n_layer; i++) {
                assert_int_equal(r.n_rows[SZ_TAP_ATTENTION][i], N * h->n_head);
                assert_int_equal(r.n_cols[SZ_TAP_ATTENTION][i], 128);
                for (size_t row = 0; row < N * h->n_head; row++) {
                    const float *p = r.data[SZ_TAP_ATTENTION][i] + row * 128;
                    double want[N], sum = 0;
                    attend_by_hand(e.model, &r, i, row / h->n_head, row % h->n_head, want);
                    for (size_t j = 0; j < 128; j++) {
                        sum += (double)p[j];
                        SZ_CHECK_ABS((double)p[j], j < N ? want[j] : 0, caches[c].allowed);
                        assert_true(p[j] == 0 || (j < N && want[j] > 0)); /* unseen: exactly 0 */
                    }
                    SZ_CHECK_ABS(sum, 1, 1e-5);
                }
            }
            free_record(&r);
            engine_close(&e);
        }
}

/* ---- Embeddings ------------------------------------------------------------------------------ */

static float *embeddings_of(const sz_model *m, const int32_t *ids, size_t n) {
    const sz_gguf_tensor *table = sz_gguf_find_tensor(m->gguf, "token_embd.weight");
    const sz_type_info *type = sz_type_get(table->type);
    size_t width = m->h.n_embd, bytes = width / type->block * type->block_bytes;
    float *x = malloc(n * width * sizeof *x);
    for (size_t i = 0; i < n; i++)
        type->dequantize(table->data + (size_t)ids[i] * bytes, x + i * width, width);
    for (size_t i = 0; i < n * width; i++)
        x[i] *= m->h.embedding_scale;
    return x;
}

static void embeddings_stand_for_ids(void **state) {
    for (size_t m = 0; m < n_architectures; m++) {
        engine e;
        sz_session *a, *b;
        int32_t ids[N];
        const sz_token *r;
        size_t n;
        SZ_CHECK_OK(engine_open_tiny(&every_architecture[m], 1, NULL, &e));
        random_ids(m + 50, 256, ids, N);
        float *x = embeddings_of(e.model, ids, N);
        SZ_CHECK_OK(sz_session_new(e.model, NULL, &a));
        SZ_CHECK_OK(sz_session_new(e.model, NULL, &b));
        SZ_CHECK_OK(sz_session_forward(a, &(sz_span){0, ids, N, SZ_ALL}, 1));
        SZ_CHECK_OK(sz_session_forward_embeddings(b, 0, x, N, SZ_ALL));
        for (size_t i = 0; i < N; i++)
            assert_memory_equal(sz_session_logits(a, i), sz_session_logits(b, i),
                                e.model->h.n_vocab * sizeof(float));
        SZ_CHECK_OK(sz_session_records(b, 0, &r, &n));
        assert_int_equal(n, N);
        for (size_t i = 0; i < N; i++)
            assert_true(r[i].id == -1 && isnan(r[i].surprisal) && (i == 0 || r[i].entropy > 0));
        free(x);
        sz_session_free(a);
        sz_session_free(b);
        engine_close(&e);
    }
}

static void embeddings_are_checked_and_drawn_after(void **state) {
    engine e;
    sz_session *s;
    sz_token t;
    SZ_CHECK_OK(engine_open_tiny(&(tiny_model){0}, 1, NULL, &e));
    SZ_CHECK_OK(sz_session_new(e.model, &(sz_session_config){.context = 20}, &s));
    float *x = calloc(64 * 20, sizeof *x);
    for (int i = 0; i < 64 * 20; i++)
        x[i] = (float)sz_uniform(1, 2, (uint64_t)i);
    assert_int_equal(sz_session_forward_embeddings(s, 0, x, 21, SZ_LAST), SZ_E_LIMIT);
    assert_int_equal(sz_session_forward_embeddings(s, 0, NULL, 1, SZ_LAST), SZ_E_ARG);
    assert_int_equal(sz_session_forward_embeddings(s, 3, x, 1, SZ_LAST), SZ_E_ARG);
    SZ_CHECK_OK(sz_session_forward_embeddings(s, 0, NULL, 0, SZ_LAST));
    x[64] = NAN;
    assert_int_equal(sz_session_forward_embeddings(s, 0, x, 3, SZ_LAST), SZ_E_NAN);
    assert_int_equal(sz_session_length(s, 0), 0);
    x[64] = 1;
    SZ_CHECK_OK(sz_session_forward_embeddings(s, 0, x, 3, SZ_LAST));
    SZ_CHECK_OK(sz_session_next(s, 0, &t)); /* a penalty would see ids of -1 */
    SZ_CHECK_OK(sz_session_set_sampler(s, 0, "penalties 1.5, temperature 1", 1));
    SZ_CHECK_OK(sz_session_next(s, 0, &t));
    SZ_CHECK_OK(sz_session_truncate(s, 0, 2)); /* its last token has no id to compute again */
    assert_int_equal(sz_session_next(s, 0, &t), SZ_E_STATE);
    assert_non_null(strstr(sz_last_error(), "ends with an embedding"));
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, (int32_t[]){5}, 1));
    free(x);
    sz_session_free(s);
    engine_close(&e);
}

/* ---- Ranges of layers ------------------------------------------------------------------------ */

/* Layers [0, cut), and then [cut, n_layer) over a cache of their own, give what all of them give.
 */
static void layers_compute_on_their_own(void **state) {
    for (size_t model = 0; model < n_architectures; model++) {
        engine e;
        int32_t ids[N];
        uint32_t seq[N] = {0}, position[N];
        SZ_CHECK_OK(engine_open_tiny(&every_architecture[model], 2, NULL, &e));
        const sz_model *m = e.model;
        random_ids(model, 256, ids, N);
        for (uint32_t i = 0; i < N; i++)
            position[i] = i;
        record r = {.wants = not_attention};
        run(&e, SZ_KV_F32, N, ids, &r);

        sz_arena *arena;
        sz_kv *kv;
        sz_graph g;
        sz_kv_shape shape = {m->h.n_layer, m->h.n_head_kv, m->h.head_dim, SZ_KV_F32};
        SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
        SZ_CHECK_OK(sz_kv_new(sz_runtime_kernels(e.rt), &shape, 1, N, &kv));
        SZ_CHECK_OK(sz_kv_extend(kv, 0, N));
        sz_graph_begin(&g, e.rt, arena, SZ_RUN);
        sz_pass pass = {.kv = kv, .n = N, .seq = seq, .position = position};
        sz_model_rope_angles(m, &g, &pass);
        sz_tensor *x = sz_tensor_new(&g, N, m->h.n_embd);
        float *embeddings = embeddings_of(m, ids, N);
        memcpy(x->data, embeddings, N * m->h.n_embd * sizeof *embeddings);
        uint32_t last = m->h.n_layer;
        for (uint32_t cut = 0; cut < last; cut++) { /* one layer at a time */
            x = sz_model_layers(&g, m, &pass, x, cut, cut + 1);
            SZ_CHECK_OK(g.status);
            assert_memory_equal(x->data, r.data[SZ_TAP_HIDDEN][cut], N * m->h.n_embd * 4);
        }
        memcpy(x->data, r.data[SZ_TAP_HIDDEN][0], N * m->h.n_embd * 4);
        x = sz_model_layers(&g, m, &pass, x, 1, last); /* from the middle */
        assert_memory_equal(x->data, r.data[SZ_TAP_HIDDEN][last - 1], N * m->h.n_embd * 4);
        free(embeddings);
        sz_kv_free(kv);
        sz_arena_free(arena);
        free_record(&r);
        engine_close(&e);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_wanted_is_given),
        cmocka_unit_test(tapped_values_are_the_same_in_chunks),
        cmocka_unit_test(attention_is_the_softmax_of_queries_and_keys),
        cmocka_unit_test(embeddings_stand_for_ids),
        cmocka_unit_test(embeddings_are_checked_and_drawn_after),
        cmocka_unit_test(layers_compute_on_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
