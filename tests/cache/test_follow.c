/* test_follow.c: policies that go on while tokens follow the prompt. */
#include "check.h"
#include "decode/session.h"
#include "support/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/cache.h>

enum { LONGEST = 240, VOCAB = 293 };

static int32_t ids[LONGEST];

static sz_session *new_session(const engine *e, sz_kv_type type) {
    sz_session *s;
    SZ_CHECK_OK(sz_session_new(
        e->model, &(sz_session_config){.kv_type = type, .chunk = 64, .context = LONGEST}, &s));
    return s;
}

static void start(sz_session *s, const char *text, uint32_t n) {
    sz_kv_policy policy;
    SZ_CHECK_OK(sz_kv_policy_parse(text, &policy));
    SZ_CHECK_OK(sz_session_prompt_kept(s, 0, ids, n, &policy, NULL));
    sz_kv_policy_free(&policy);
}

/* The tokens from the sequence's end up to `to`, in spans of `step`; rows [LONGEST][VOCAB] by
 * position, those before the first that is computed stay. */
static void go_on(sz_session *s, uint32_t seq, uint32_t to, uint32_t step, float *rows) {
    for (uint32_t at = sz_session_length(s, seq); at < to; at += step) {
        sz_span span = {seq, ids + at, to - at < step ? to - at : step, SZ_ALL};
        SZ_CHECK_OK(sz_session_forward(s, &span, 1));
        for (uint32_t i = 0; i < span.n; i++)
            memcpy(rows + (size_t)(at + i) * VOCAB, sz_session_logits(s, i), VOCAB * sizeof *rows);
        assert_null(sz_session_logits(s, span.n));
    }
}

static const char *const policies[] = {
    "snapkv budget=30 every=%u",    "h2o budget=30 every=%u",
    "streaming budget=30 every=%u", "random budget=30 every=%u",
    "waterfill budget=30 every=%u", "uncomp budget=30 groups=2 every=%u",
    "pyramid budget=30 every=%u",
};
enum { N_POLICIES = sizeof policies / sizeof *policies };

/* ---- Bits ------------------------------------------------------------------------------------ */

/* One at a time or many, with one thread or three, without vectors, after a prompt that was cut or
 * not. */
static void the_same_bits_in_any_parts(void **state) {
    static float want[LONGEST * VOCAB], got[LONGEST * VOCAB];
    static const uint32_t steps[] = {7, 100}, everys[] = {1, 13, 90};
    for (size_t m = 0; m < n_architectures; m++) {
        engine e, threads;
        SZ_CHECK_OK(engine_open_tiny(&every_architecture[m], 1, NULL, &e));
        SZ_CHECK_OK(
            engine_open_tiny(&every_architecture[m], m ? 1 : 3, m ? "portable" : NULL, &threads));
        random_ids(m, 256, ids, LONGEST);
        for (size_t p = 0; p < N_POLICIES; p++) {
            char text[64];
            uint32_t n = p % 2 ? 60 : 20, end = m ? 120 : LONGEST - 1;
            snprintf(text, sizeof text, policies[p], everys[(m + p) % 3]);
            sz_session *s = new_session(&e, p % 3 == 2 ? SZ_KV_Q8_0 : SZ_KV_F16);
            start(s, text, n);
            go_on(s, 0, end, 1, want);
            sz_session_free(s);
            for (size_t k = 0; k < 2; k++) {
                s = new_session(k ? &threads : &e, p % 3 == 2 ? SZ_KV_Q8_0 : SZ_KV_F16);
                start(s, text, n);
                go_on(s, 0, end, steps[k], got);
                for (size_t i = (size_t)n * VOCAB; i < (size_t)end * VOCAB; i++)
                    if (memcmp(&want[i], &got[i], sizeof *want) != 0)
                        fail_msg("%s of %s: position %zu differs", text,
                                 every_architecture[m].arch ? every_architecture[m].arch : "llama",
                                 i / VOCAB);
                sz_session_free(s);
            }
        }
        engine_close(&threads);
        engine_close(&e);
    }
}

/* Forks go on by themselves, and cuts within what is held are as if nothing had followed. */
static void forks_and_cuts(void **state) {
    static float want[LONGEST * VOCAB], got[LONGEST * VOCAB];
    engine e;
    SZ_CHECK_OK(engine_open_tiny(&(tiny_model){0}, 1, NULL, &e));
    random_ids(3, 256, ids, LONGEST);
    for (size_t p = 0; p < N_POLICIES; p++) {
        char text[64];
        uint32_t fork;
        snprintf(text, sizeof text, policies[p], 20);
        sz_session *s = new_session(&e, SZ_KV_F16);
        start(s, text, 50);
        go_on(s, 0, 95, 1, want);
        SZ_CHECK_OK(sz_session_fork(s, 0, &fork));
        go_on(s, 0, 200, 1, want);
        ids[95]++; /* the fork goes another way, comes back, and takes the same one */
        go_on(s, fork, 105, 3, got);
        ids[95]--;
        SZ_CHECK_OK(sz_session_truncate(s, fork, 95));
        go_on(s, fork, 200, 30, got);
        assert_memory_equal(want + 95 * VOCAB, got + 95 * VOCAB, 105 * VOCAB * sizeof *want);
        assert_int_equal(sz_session_truncate(s, 0, 60), SZ_E_STATE);
        assert_non_null(strstr(sz_last_error(), "forgotten"));
        SZ_CHECK_OK(sz_session_truncate(s, 0, 0)); /* and here the policy ends */
        SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, 100));
        sz_kv_account a;
        SZ_CHECK_OK(sz_session_kv_account(s, 0, &a));
        assert_true(a.n_kept == a.n_full && a.n_rounds == 0);
        sz_session_free(s);
    }
    engine_close(&e);
}

/* ---- What is kept ---------------------------------------------------------------------------- */

/* Never more than the budget and what came since it forgot last; exactly the budget after that. */
static void the_budget_is_kept(void **state) {
    static float rows[LONGEST * VOCAB];
    engine e;
    SZ_CHECK_OK(engine_open_tiny(&(tiny_model){0}, 1, NULL, &e));
    random_ids(4, 256, ids, LONGEST);
    for (size_t p = 0; p + 1 < N_POLICIES; p++)
        for (uint32_t every = 1; every <= 41; every += 20) {
            char text[64];
            sz_kv_account a;
            size_t most_bytes = 0;
            snprintf(text, sizeof text, policies[p], every);
            sz_session *s = new_session(&e, SZ_KV_F16);
            start(s, text, 50);
            for (uint32_t at = 50; at < LONGEST; at++) {
                go_on(s, 0, at + 1, 1, rows);
                SZ_CHECK_OK(sz_session_kv_account(s, 0, &a));
                uint32_t since = (at - 50) % every + 1;
                assert_int_equal(a.n_kept, 4 * (30 + since));
                assert_int_equal(a.n_rounds, (at - 50) / every + 1);
                assert_int_equal(a.length, at + 1);
                most_bytes = a.bytes_kept > most_bytes ? a.bytes_kept : most_bytes;
                assert_true(a.bytes_kept == sz_session_kv_bytes(s));
            }
            assert_true(most_bytes <=
                        a.bytes_full / 4 * 3); /* a block of what is kept, two of what follows */
            sz_session_free(s);
        }
    engine_close(&e);
}

static void check_positions(sz_session *s, const sz_kv_plan *plan, const char *what) {
    for (size_t i = 0; i < (size_t)plan->n_layer * plan->n_head; i++) {
        uint32_t n;
        const uint32_t *position = sz_kv_kept_positions(s->kv, 0, (uint32_t)i / plan->n_head,
                                                        (uint32_t)i % plan->n_head, &n);
        assert_int_equal(n, plan->first[i + 1] - plan->first[i]);
        if (memcmp(position, plan->position + plan->first[i], n * sizeof *position) != 0)
            fail_msg("%s: head %zu keeps other positions", what, i);
    }
}

/* The first time that a text is forgotten, what stays is what stays of a prompt of the same tokens;
 * ranks, where there is no profile, are those of the prompt. */
static void the_first_round_is_that_of_a_prompt(void **state) {
    static float rows[LONGEST * VOCAB];
    for (size_t m = 0; m < n_architectures; m++) {
        engine e;
        SZ_CHECK_OK(engine_open_tiny(&every_architecture[m], 1, NULL, &e));
        random_ids(m, 256, ids, LONGEST);
        for (size_t p = 0; p < N_POLICIES; p++) {
            char text[64];
            sz_kv_policy policy;
            sz_kv_watch *w, *first;
            sz_kv_plan plan;
            snprintf(text, sizeof text, policies[p], 75);
            SZ_CHECK_OK(sz_kv_policy_parse(text, &policy));
            sz_session *s = new_session(&e, SZ_KV_F16);
            start(s, text, 25);
            go_on(s, 0, 100, 1, rows);
            assert_int_equal(sz_kv_base(s->kv, 0), 0);
            go_on(s, 0, 101, 1, rows);
            assert_int_equal(sz_kv_base(s->kv, 0), 100);
            sz_session *other = new_session(&e, SZ_KV_F16);
            SZ_CHECK_OK(sz_session_observe(other, 0, ids, 25, SZ_KV_NEEDS_RANK, 0, &first));
            SZ_CHECK_OK(sz_session_truncate(other, 0, 0));
            SZ_CHECK_OK(sz_session_observe(other, 0, ids, 100, policy.kind->needs,
                                           sz_kv_policy_window(&policy), &w));
            sz_kv_prompt prompt = *sz_kv_watch_prompt(w);
            prompt.rank = sz_kv_watch_prompt(first)->rank;
            SZ_CHECK_OK(sz_kv_policy_plan(&policy, &prompt, &plan));
            check_positions(s, &plan, text);
            sz_kv_plan_free(&plan);
            sz_kv_watch_free(w);
            sz_kv_watch_free(first);
            sz_session_free(other);
            sz_session_free(s);
        }
        engine_close(&e);
    }
}

/* Sinks and the latest; and a sample whose members once gone do not come back. */
static void what_stays_after_many_rounds(void **state) {
    static float rows[LONGEST * VOCAB];
    engine e;
    SZ_CHECK_OK(engine_open_tiny(&(tiny_model){0}, 1, NULL, &e));
    random_ids(4, 256, ids, LONGEST);
    sz_session *s = new_session(&e, SZ_KV_F16);
    uint32_t n;
    start(s, "streaming budget=30 sinks=3 every=10", 50);
    go_on(s, 0, 201, 1, rows);
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t *position = sz_kv_kept_positions(s->kv, 0, i / 2, i % 2, &n);
        assert_int_equal(n, 30);
        for (uint32_t j = 0; j < n; j++)
            assert_int_equal(position[j], j < 3 ? j : 200 - 30 + j);
    }
    SZ_CHECK_OK(sz_session_truncate(s, 0, 0));
    start(s, "random budget=30 recent=5 every=10", 50);
    go_on(s, 0, 201, 1, rows);
    for (uint32_t i = 0; i < 4; i++) { /* the largest numbers of all that there were */
        const uint32_t *position = sz_kv_kept_positions(s->kv, 0, i / 2, i % 2, &n);
        double least = 1;
        size_t above = 0;
        for (uint32_t j = 0; j < 25; j++) {
            double u = sz_uniform(0, i, position[j]);
            least = u < least ? u : least;
        }
        for (uint32_t j = 0; j < 195; j++)
            above += sz_uniform(0, i, j) >= least;
        assert_true(above <= 30); /* but for what was kept as the latest meanwhile */
    }
    sz_session_free(s);
    engine_close(&e);
}

/* Attention of all queries, added up in rounds, forgets what a look at all of them at once does:
 * with a bound that is exceeded only at the end. */
static void sums_in_rounds_are_sums(void **state) {
    static float rows[LONGEST * VOCAB];
    engine e;
    sz_kv_policy policy;
    sz_kv_watch *w;
    sz_kv_plan plan;
    SZ_CHECK_OK(engine_open_tiny(&(tiny_model){.head_dim = 24}, 1, NULL, &e));
    random_ids(6, 256, ids, LONGEST);
    SZ_CHECK_OK(sz_kv_policy_parse("h2o budget=100 every=200", &policy));
    sz_session *s = new_session(&e, SZ_KV_F32), *other = new_session(&e, SZ_KV_F32);
    start(s, "h2o budget=100 every=200", 10);
    go_on(s, 0, 211, 50, rows); /* looks at 74, 138 and 202 */
    assert_int_equal(sz_kv_base(s->kv, 0), 210);
    SZ_CHECK_OK(sz_session_observe(other, 0, ids, 210, SZ_KV_NEEDS_TOTAL_MASS, 0, &w));
    SZ_CHECK_OK(sz_kv_policy_plan(&policy, sz_kv_watch_prompt(w), &plan));
    check_positions(s, &plan, "h2o");
    sz_kv_plan_free(&plan);
    sz_kv_watch_free(w);
    sz_session_free(s);
    sz_session_free(other);
    engine_close(&e);
}

static void nothing_is_forgotten_where_it_is_not_asked_for(void **state) {
    static float want[LONGEST * VOCAB], got[LONGEST * VOCAB];
    static const char *const lax[] = {"snapkv budget=30 every=0", "none", "h2o budget=300 every=9",
                                      "uncomp budget=250 groups=2 every=1"};
    engine e;
    SZ_CHECK_OK(engine_open_tiny(&(tiny_model){0}, 1, NULL, &e));
    random_ids(7, 256, ids, LONGEST);
    sz_session *s = new_session(&e, SZ_KV_F16);
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, 20));
    go_on(s, 0, 200, 9, want);
    for (size_t i = 0; i < 4; i++) {
        SZ_CHECK_OK(sz_session_truncate(s, 0, 0));
        start(s, lax[i], 20);
        go_on(s, 0, 200, 9, got);
        assert_memory_equal(want + 20 * VOCAB, got + 20 * VOCAB, 180 * VOCAB * sizeof *want);
    }
    sz_session_free(s);
    engine_close(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bits_in_any_parts),
        cmocka_unit_test(forks_and_cuts),
        cmocka_unit_test(the_budget_is_kept),
        cmocka_unit_test(the_first_round_is_that_of_a_prompt),
        cmocka_unit_test(what_stays_after_many_rounds),
        cmocka_unit_test(sums_in_rounds_are_sums),
        cmocka_unit_test(nothing_is_forgotten_where_it_is_not_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
