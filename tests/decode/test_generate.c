/* Drawing tokens: seeds, forks, ends, a full context, cancelling, broken models, memory. */
#include "check.h"
#include "model/model.h"
#include "support/engine.h"
#include "support/script.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { END = 278 /* <|im_end|> */ };

static const tiny_model config = {.type = SZ_Q8_0, .seed = 21};

static int open_engine(void **state) {
    engine *e = malloc(sizeof *e);
    SZ_CHECK_OK(engine_open_tiny(&config, 2, NULL, e));
    *state = e;
    return 0;
}

static int close_engine(void **state) {
    engine_close(*state);
    free(*state);
    return 0;
}

static sz_session *new_session(const engine *e, const sz_session_config *c) {
    sz_session *s;
    SZ_CHECK_OK(sz_session_new(e->model, c, &s));
    return s;
}

/* Draws n tokens; ends are passed over with the token 'x'. */
static void draw(sz_session *s, uint32_t seq, size_t n, int32_t *ids) {
    static const int32_t x = 'x';
    for (size_t i = 0; i < n; i++) {
        sz_token t;
        sz_status status = sz_session_next(s, seq, &t);
        if (status == SZ_END)
            SZ_CHECK_OK(sz_session_prompt_ids(s, seq, &x, 1));
        else
            SZ_CHECK_OK(status);
        ids[i] = t.id;
    }
}

static void run_seed(const engine *e, uint64_t seed, size_t n, int32_t *ids) {
    sz_session *s = new_session(e, NULL);
    SZ_CHECK_OK(sz_session_set_sampler(s, 0, "top-k 100, temperature 1.5", seed));
    SZ_CHECK_OK(sz_session_prompt(s, 0, "and the"));
    draw(s, 0, n, ids);
    sz_session_free(s);
}

/* ---- Randomness ------------------------------------------------------------------------------ */

static void the_seed_decides_and_nothing_else(void **state) {
    const engine *e = *state;
    int32_t a[40], b[40], other[40];
    run_seed(e, 7, 40, a);
    run_seed(e, 8, 40, other);
    assert_memory_not_equal(a, other, sizeof a);
    for (int threads = 1; threads <= 3; threads += 2) { /* another runtime, the portable kernels */
        engine again;
        SZ_CHECK_OK(engine_open_tiny(&config, threads, threads == 1 ? "portable" : NULL, &again));
        run_seed(&again, 7, 40, b);
        assert_memory_equal(a, b, sizeof a);
        engine_close(&again);
    }
    /* Another number of the sequence, others beside it, and its prompt forked from a shared one. */
    sz_session *s = new_session(e, NULL);
    uint32_t seq;
    SZ_CHECK_OK(sz_session_prompt(s, 0, "and the"));
    for (int i = 0; i < 3; i++)
        SZ_CHECK_OK(sz_session_fork(s, 0, &seq));
    SZ_CHECK_OK(sz_session_set_sampler(s, seq, "top-k 100, temperature 1.5", 7));
    SZ_CHECK_OK(sz_session_set_sampler(s, 1, "temperature 1", 3));
    for (size_t i = 0; i < 40; i++) {
        int32_t ignored;
        draw(s, 1, 1, &ignored);
        draw(s, seq, 1, &b[i]);
    }
    assert_memory_equal(a, b, sizeof a);
    sz_session_free(s);
}

/* Draws of two forks; `before` sequences are taken first, so that the forks get other numbers. */
static void draw_forks(const engine *e, int before, int32_t forks[2][30], int32_t parent[30]) {
    sz_session *s = new_session(e, NULL);
    uint32_t seq[2], ignored;
    SZ_CHECK_OK(sz_session_set_sampler(s, 0, "temperature 1.5", 5));
    SZ_CHECK_OK(sz_session_prompt(s, 0, "of two"));
    for (int i = 0; i < before; i++)
        SZ_CHECK_OK(sz_session_add(s, &ignored));
    for (int i = 0; i < 2; i++)
        SZ_CHECK_OK(sz_session_fork(s, 0, &seq[i]));
    if (before) { /* who draws first does not matter either */
        draw(s, seq[1], 30, forks[1]);
        draw(s, 0, 30, parent);
        draw(s, seq[0], 30, forks[0]);
    } else {
        draw(s, 0, 30, parent);
        draw(s, seq[0], 30, forks[0]);
        draw(s, seq[1], 30, forks[1]);
    }
    sz_session_free(s);
}

static void forks_draw_their_own_numbers_reproducibly(void **state) {
    int32_t a[2][30], b[2][30], parent_a[30], parent_b[30];
    draw_forks(*state, 0, a, parent_a);
    draw_forks(*state, 3, b, parent_b);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_equal(parent_a, parent_b, sizeof parent_a);
    assert_memory_not_equal(a[0], a[1], sizeof a[0]);
    assert_memory_not_equal(a[0], parent_a, sizeof a[0]);
    assert_memory_not_equal(a[1], parent_a, sizeof a[0]);
}

static void a_fork_made_again_differs(void **state) {
    sz_session *s = new_session(*state, NULL);
    int32_t first[30], second[30];
    SZ_CHECK_OK(sz_session_set_sampler(s, 0, "temperature 1.5", 5));
    SZ_CHECK_OK(sz_session_prompt(s, 0, "of two"));
    for (int i = 0; i < 2; i++) {
        uint32_t seq;
        SZ_CHECK_OK(sz_session_fork(s, 0, &seq));
        draw(s, seq, 30, i ? second : first);
        SZ_CHECK_OK(sz_session_drop(s, seq));
    }
    assert_memory_not_equal(first, second, sizeof first);
    sz_session_free(s);
}

static void a_cut_sequence_draws_the_same_again(void **state) {
    static const char *const chains[] = {NULL, "temperature 1.5", "penalties 1.3, min-p 0.01"};
    for (size_t i = 0; i < 3; i++) {
        sz_session *s = new_session(*state, NULL);
        int32_t a[40], b[40];
        SZ_CHECK_OK(sz_session_set_sampler(s, 0, chains[i], 5));
        SZ_CHECK_OK(sz_session_prompt(s, 0, "again"));
        uint32_t n = sz_session_length(s, 0);
        draw(s, 0, 40, a);
        for (uint32_t keep = 0; keep < 40; keep += 13) { /* no prompt between cut and draw */
            SZ_CHECK_OK(sz_session_truncate(s, 0, n + keep));
            draw(s, 0, 40 - keep, b);
            assert_memory_equal(b, a + keep, (40 - keep) * sizeof *a);
        }
        sz_session_free(s);
    }
}

static void a_cut_does_not_reach_a_fork(void **state) {
    sz_session *s = new_session(*state, NULL);
    int32_t a[10], b[10];
    uint32_t seq;
    SZ_CHECK_OK(sz_session_prompt(s, 0, "the end of a shared block of the cache"));
    SZ_CHECK_OK(sz_session_fork(s, 0, &seq));
    uint32_t n = sz_session_length(s, 0);
    SZ_CHECK_OK(sz_session_truncate(s, 0, n - 1));
    draw(s, 0, 10, a); /* computes token n - 2 again, in a block that both hold */
    SZ_CHECK_OK(sz_session_truncate(s, seq, n - 1));
    draw(s, seq, 10, b);
    assert_memory_equal(a, b, sizeof a);
    sz_session_free(s);
}

/* ---- Ends ------------------------------------------------------------------------------------ */

static void an_end_leaves_the_sequence_as_it_was(void **state) {
    static const int32_t script[] = {'a', END, 'b'};
    sz_session *s = new_session(*state, NULL);
    sz_token t, again;
    SZ_CHECK_OK(sz_session_prompt(s, 0, "to the"));
    uint32_t n = sz_session_length(s, 0);
    SZ_CHECK_OK(script_set(s, 0, script, 3));
    SZ_CHECK_OK(sz_session_next(s, 0, &t));
    assert_int_equal(sz_session_next(s, 0, &t), SZ_END);
    assert_int_equal(t.id, END);
    assert_true(t.flags == SZ_TOKEN_GENERATED && t.surprisal > 0 && t.kept_n == 1);
    assert_int_equal(sz_session_length(s, 0), n + 1);
    assert_string_equal(sz_session_text(s, 0), "a");
    assert_int_equal(sz_session_next(s, 0, &again), SZ_END); /* nothing happened in between */
    assert_memory_equal(&t, &again, sizeof t);
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, &t.id, 1)); /* whoever wants goes on behind it */
    SZ_CHECK_OK(script_set(s, 0, script + 2, 1));
    SZ_CHECK_OK(sz_session_next(s, 0, &t));
    assert_string_equal(sz_session_text(s, 0), "b");
    sz_session_free(s);
}

static void a_full_context_is_an_error_that_can_be_left(void **state) {
    sz_session *s = new_session(*state, &(sz_session_config){.context = 20});
    int32_t ids[21] = {0};
    sz_token t;
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, 15));
    draw(s, 0, 5, ids);
    assert_int_equal(sz_session_next(s, 0, &t), SZ_E_LIMIT);
    assert_non_null(strstr(sz_last_error(), "fills the context of 20 tokens"));
    assert_int_equal(sz_session_prompt_ids(s, 0, ids, 1), SZ_E_LIMIT);
    assert_int_equal(sz_session_length(s, 0), 20);
    SZ_CHECK_OK(sz_session_truncate(s, 0, 18));
    draw(s, 0, 2, ids);
    assert_int_equal(sz_session_next(s, 0, &t), SZ_E_LIMIT);
    SZ_CHECK_OK(sz_session_truncate(s, 0, 0));
    assert_int_equal(sz_session_prompt_ids(s, 0, ids, 21), SZ_E_LIMIT);
    assert_int_equal(sz_session_length(s, 0), 0); /* all or nothing */
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, 20));
    sz_session_free(s);
}

/* ---- Cancelling ------------------------------------------------------------------------------ */

typedef struct canceller {
    sz_runtime *rt;
    uint32_t layer;
    int passes_left; /* until it strikes */
} canceller;

static bool strike(void *user, sz_tap_kind kind, uint32_t layer, const float *data, size_t n_rows,
                   size_t n_cols) {
    canceller *c = user;
    if (!data && kind == SZ_TAP_HIDDEN && layer == c->layer && c->passes_left-- == 0)
        sz_runtime_cancel(c->rt);
    return false;
}

static void cancelling_stops_between_tokens(void **state) {
    engine *e = *state;
    int32_t ids[50], plain[10], got[10];
    random_ids(3, 256, ids, 50);
    sz_session *s = new_session(e, &(sz_session_config){.chunk = 8});
    SZ_CHECK_OK(sz_session_set_sampler(s, 0, "temperature 1", 1));
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, 50));
    draw(s, 0, 10, plain);
    SZ_CHECK_OK(sz_session_truncate(s, 0, 0));

    canceller c = {e->rt, 0, 3}; /* within the fourth chunk, after its first layer */
    sz_session_set_tap(s, strike, &c);
    assert_int_equal(sz_session_prompt_ids(s, 0, ids, 50), SZ_E_CANCELLED);
    assert_int_equal(sz_session_length(s, 0), 24);
    sz_token t;
    assert_int_equal(sz_session_next(s, 0, &t), SZ_E_CANCELLED); /* until it is withdrawn */
    assert_int_equal(sz_session_prompt_ids(s, 0, ids, 1), SZ_E_CANCELLED);
    sz_runtime_resume(e->rt);
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids + 24, 26));
    draw(s, 0, 4, got);
    c = (canceller){e->rt, 0, 0}; /* and within a drawn token */
    assert_int_equal(sz_session_next(s, 0, &t), SZ_E_CANCELLED);
    assert_int_equal(sz_session_length(s, 0), 54);
    sz_runtime_resume(e->rt);
    draw(s, 0, 6, got + 4);
    assert_memory_equal(got, plain, sizeof got);
    sz_session_free(s);
}

static sz_runtime *signalled;
static void on_signal(int number) {
    sz_runtime_cancel(signalled);
}

static void *send_signal(void *thread) {
    pthread_kill(*(pthread_t *)thread, SIGUSR1);
    return NULL;
}

static void a_signal_or_another_thread_may_cancel(void **state) {
    engine *e = *state;
    pthread_t sender, self = pthread_self();
    int32_t id = 'a';
    sz_token t;
    sz_session *s = new_session(e, NULL);
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, &id, 1));
    signalled = e->rt;
    signal(SIGUSR1, on_signal);
    pthread_create(&sender, NULL, send_signal, &self);
    sz_status status = SZ_OK;
    while (status == SZ_OK || status == SZ_END || status == SZ_E_LIMIT) {
        if (sz_session_length(s, 0) > 100)
            SZ_CHECK_OK(sz_session_truncate(s, 0, 1));
        status = sz_session_next(s, 0, &t);
    }
    assert_int_equal(status, SZ_E_CANCELLED);
    pthread_join(sender, NULL);
    signal(SIGUSR1, SIG_DFL);
    sz_runtime_resume(e->rt);
    draw(s, 0, 3, &(int32_t[3]){0}[0]);
    sz_session_free(s);
}

/* ---- Broken models, memory ------------------------------------------------------------------- */

static void logits_that_are_no_numbers_are_an_error(void **state) {
    static const float faults[] = {NAN, INFINITY};
    for (int i = 0; i < 2; i++) {
        engine e;
        SZ_CHECK_OK(engine_open_tiny(&(tiny_model){.type = SZ_F32}, 1, NULL, &e));
        sz_session *s = new_session(&e, NULL);
        int32_t ids[3] = {1, 2, 3};
        sz_token t;
        SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, 3));
        float *weight = e.model->output_norm->data, whole = weight[5];
        weight[5] = faults[i];
        assert_int_equal(sz_session_prompt_ids(s, 0, ids, 3), SZ_E_NAN);
        assert_int_equal(sz_session_next(s, 0, &t), SZ_E_NAN);
        assert_int_equal(sz_session_length(s, 0), 3); /* as before */
        weight[5] = whole;
        SZ_CHECK_OK(sz_session_next(s, 0, &t));
        assert_int_equal(sz_session_length(s, 0), 4);
        sz_session_free(s);
        engine_close(&e);
    }
}

/* The cache's blocks are the one thing that grows: within a block nothing is allocated. */
static void decoding_allocates_nothing_after_warming_up(void **state) {
    sz_session *s = new_session(*state, NULL);
    int32_t ids[64] = {0};
    SZ_CHECK_OK(sz_session_set_sampler(
        s, 0, "penalties 1.1, top-k 200, top-p 0.99, min-p 0.001, temperature 1.2", 1));
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, 8));
    draw(s, 0, 4, ids);
    sz_session_text(s, 0);
    uint64_t before = sz_alloc_count();
    for (int i = 0; i < 50; i++) {
        draw(s, 0, 1, ids);
        sz_session_text(s, 0);
    }
    assert_int_equal(sz_session_length(s, 0), 62);
    assert_int_equal(sz_alloc_count() - before, 0);
    sz_session_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seed_decides_and_nothing_else),
        cmocka_unit_test(forks_draw_their_own_numbers_reproducibly),
        cmocka_unit_test(a_fork_made_again_differs),
        cmocka_unit_test(a_cut_sequence_draws_the_same_again),
        cmocka_unit_test(a_cut_does_not_reach_a_fork),
        cmocka_unit_test(an_end_leaves_the_sequence_as_it_was),
        cmocka_unit_test(a_full_context_is_an_error_that_can_be_left),
        cmocka_unit_test(cancelling_stops_between_tokens),
        cmocka_unit_test(a_signal_or_another_thread_may_cancel),
        cmocka_unit_test(logits_that_are_no_numbers_are_an_error),
        cmocka_unit_test(decoding_allocates_nothing_after_warming_up),
    };
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
