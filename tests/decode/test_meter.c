/* test_meter.c: what the meter of a session tells of a pass. */
#include "check.h"
#include "model/model.h"
#include "support/engine.h"

#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/operators.h>

typedef struct account {
    size_t n;
    uint64_t multiply_adds, bytes, ns;
    size_t attention, head, int8;
} account;

static void count(void *user, const sz_operator_cost *c) {
    account *a = user;
    a->n++;
    a->ns += c->ns;
    a->bytes += c->bytes;
    a->multiply_adds += c->multiply_adds;
    a->attention += strcmp(c->name, "attention") == 0;
    a->head += strcmp(c->name, "output") == 0;
    a->int8 += c->kind == SZ_OPERATOR_INT8;
}

enum { N = 37 };

static sz_session *open_session(const engine *e) {
    sz_session *s;
    SZ_CHECK_OK(sz_session_new(e->model, &(sz_session_config){.n_sequences = 1}, &s));
    return s;
}

/* One pass over N tokens with the logits of all; into `logits` [N][n_vocab]. */
static void run(const engine *e, sz_session *s, float *logits) {
    sz_model_info info;
    int32_t ids[N];
    sz_model_get_info(e->model, &info);
    random_ids(5, 256, ids, N);
    SZ_CHECK_OK(sz_session_forward(s, &(sz_span){0, ids, N, SZ_ALL}, 1));
    for (size_t i = 0; i < N; i++)
        memcpy(logits + i * info.n_vocab, sz_session_logits(s, i), info.n_vocab * sizeof *logits);
}

/* Multiply-adds of N tokens after none, as the shapes give them. */
static uint64_t expected(const sz_model *m) {
    const sz_hparams *h = &m->h;
    uint64_t q = (uint64_t)h->n_head * h->head_dim, kv = (uint64_t)h->n_head_kv * h->head_dim;
    uint64_t layer = h->n_embd * (2 * q + 2 * kv + 3 * (uint64_t)h->n_ff), looks = 0;
    for (uint32_t i = 0; i < h->n_layer; i++)
        for (uint32_t at = 1; at <= N; at++)
            looks += m->layers[i].window && at > m->layers[i].window ? m->layers[i].window : at;
    return N * (h->n_layer * layer + (uint64_t)h->n_embd * h->n_vocab) + looks * 2 * q;
}

static void a_pass_is_told_whole_and_changes_no_bit(void **state) {
    for (size_t i = 0; i < n_architectures; i++) {
        engine e;
        account a = {0};
        SZ_CHECK_OK(engine_open_tiny(&every_architecture[i], 1 + (int)i % 2, NULL, &e));
        const sz_hparams *h = &e.model->h;
        size_t bytes = (size_t)N * h->n_vocab * sizeof(float);
        float *plain = malloc(bytes), *metered = malloc(bytes);
        sz_session *s = open_session(&e);
        run(&e, s, plain);
        SZ_CHECK_OK(sz_session_truncate(s, 0, 0));
        sz_session_set_meter(s, count, &a);
        uint64_t start = sz_time_ns();
        run(&e, s, metered);
        assert_true(a.ns <= sz_time_ns() - start); /* operators come one after the other */
        assert_memory_equal(plain, metered, bytes);
        assert_int_equal(a.multiply_adds, expected(e.model));
        assert_int_equal(a.attention, h->n_layer);
        assert_int_equal(a.head, 1);
        assert_int_equal(a.int8 > 0, e.model->layers[0].q.matrix.type != SZ_F32 &&
                                         e.model->layers[0].q.matrix.type != SZ_F16);
        assert_true(a.bytes > e.model->weight_bytes);
        account before = a;
        sz_session_set_meter(s, NULL, NULL);
        SZ_CHECK_OK(sz_session_truncate(s, 0, 0));
        run(&e, s, metered);
        assert_memory_equal(&a, &before, sizeof a);
        sz_session_free(s);
        free(plain);
        free(metered);
        engine_close(&e);
    }
}

static sz_operator_cost found;
static void find(void *user, const sz_operator_cost *c) {
    if (strcmp(c->name, user) == 0)
        found = *c;
}

/* What a product moves: its weights once however many tokens share them, and its rows. */
static void bytes_of_products(void **state) {
    engine e;
    SZ_CHECK_OK(engine_open_tiny(&(tiny_model){.type = SZ_Q8_0}, 1, NULL, &e));
    const sz_layer *l = &e.model->layers[0];
    const sz_hparams *h = &e.model->h;
    sz_session *s = open_session(&e);
    float *logits = malloc((size_t)N * h->n_vocab * sizeof *logits);
    sz_session_set_meter(s, find, "ffn_gate, ffn_up");
    run(&e, s, logits);
    assert_int_equal(found.kind, SZ_OPERATOR_INT8);
    assert_int_equal(found.multiply_adds, 2ull * N * h->n_embd * h->n_ff);
    assert_int_equal(found.bytes, l->gate.matrix.bytes + l->up.matrix.bytes +
                                      4ull * N * (2 * h->n_ff + h->n_embd));
    free(logits);
    sz_session_free(s);
    engine_close(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pass_is_told_whole_and_changes_no_bit),
        cmocka_unit_test(bytes_of_products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
