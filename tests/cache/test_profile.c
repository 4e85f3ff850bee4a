/* test_profile.c: profiles of heads: measured, kept in a file, and in a policy's place of ranks. */
#include "check.h"
#include "decode/session.h"
#include "support/engine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <szilard/unstable/cache.h>

enum { LENGTH = 40, TEXTS = 4, N = LENGTH * TEXTS + 7 };

static int32_t ids[N];

static sz_session *open_session(engine *e, const tiny_model *config) {
    sz_session *s;
    SZ_CHECK_OK(engine_open_tiny(config, 1, NULL, e));
    random_ids(5, 256, ids, N);
    SZ_CHECK_OK(sz_session_new(e->model, &(sz_session_config){.context = N}, &s));
    return s;
}

static sz_kv_profile *measure(sz_session *s) {
    sz_kv_profile *p;
    SZ_CHECK_OK(sz_kv_profile_measure(s, ids, N, LENGTH, &p));
    return p;
}

static void ranks_are_means_over_texts(void **state) {
    engine e;
    sz_session *s = open_session(&e, &(tiny_model){0});
    sz_kv_profile *p = measure(s);
    sz_kv_profile_info info = sz_kv_profile_get_info(p);
    double sum[64] = {0}, squares[64] = {0};
    size_t n = (size_t)info.n_layer * info.n_head;
    assert_int_equal(info.n_texts, TEXTS);
    assert_int_equal(sz_session_length(s, 0), 0);
    for (size_t t = 0; t < TEXTS; t++) {
        sz_kv_watch *w;
        SZ_CHECK_OK(sz_session_observe(s, 0, ids + t * LENGTH, LENGTH, SZ_KV_NEEDS_RANK, 0, &w));
        for (size_t i = 0; i < n; i++) {
            sum[i] += sz_kv_watch_prompt(w)->rank[i];
            squares[i] += sz_kv_watch_prompt(w)->rank[i] * sz_kv_watch_prompt(w)->rank[i];
        }
        sz_kv_watch_free(w);
        SZ_CHECK_OK(sz_session_truncate(s, 0, 0));
    }
    for (size_t i = 0; i < n; i++) {
        double mean = sum[i] / TEXTS;
        SZ_CHECK_ABS(info.rank[i], mean, 1e-9);
        SZ_CHECK_ABS(info.deviation[i], sqrt((squares[i] - TEXTS * mean * mean) / (TEXTS - 1)),
                     1e-5);
    }
    assert_true(info.agreement >= -1 && info.agreement <= 1);
    SZ_CHECK_OK(sz_kv_profile_check(p, e.model));
    sz_kv_profile_free(p);
    sz_session_free(s);
    engine_close(&e);
}

static void files_hold_all_of_it(void **state) {
    engine e;
    char path[64], text[128];
    sz_session *s = open_session(&e, &(tiny_model){0});
    sz_kv_profile *p = measure(s), *back;
    snprintf(path, sizeof path, "/tmp/test_profile.%d.gguf", (int)getpid());
    SZ_CHECK_OK(sz_kv_profile_save(p, path, "tiny"));
    SZ_CHECK_OK(sz_kv_profile_open(path, &back));
    sz_kv_profile_info a = sz_kv_profile_get_info(p), b = sz_kv_profile_get_info(back);
    size_t n = (size_t)a.n_layer * a.n_head;
    assert_int_equal(a.n_layer, b.n_layer);
    assert_int_equal(a.n_head, b.n_head);
    assert_int_equal(a.k, b.k);
    assert_int_equal(b.length, LENGTH);
    assert_memory_equal(a.rank, b.rank, n * sizeof *a.rank);
    assert_memory_equal(a.deviation, b.deviation, n * sizeof *a.deviation);
    assert_memory_equal(a.model, b.model, 32);
    assert_memory_equal(a.text, b.text, 32);
    sz_kv_profile_free(back);

    sz_kv_policy policy;
    sz_kv_account account;
    snprintf(text, sizeof text, "uncomp budget=20 groups=2 profile=\"%s\"", path);
    SZ_CHECK_OK(sz_kv_policy_parse(text, &policy));
    assert_int_equal(sz_kv_policy_needs(&policy), SZ_KV_NEEDS_RECENT_MASS);
    SZ_CHECK_OK(sz_session_prompt_kept(s, 0, ids, 100, &policy, &account));
    assert_int_equal(account.n_kept, 20 * n);
    sz_kv_policy_free(&policy);
    assert_null(policy.profile);
    unlink(path);
    assert_int_equal(sz_kv_policy_parse(text, &policy), SZ_E_NOTFOUND);
    sz_kv_profile_free(p);
    sz_session_free(s);
    engine_close(&e);
}

/* With the ranks turned round, other heads keep more. */
static void a_profile_decides_who_keeps_more(void **state) {
    static double mass[4 * 60], ranks[4] = {9, 8, 2, 1};
    engine e;
    sz_session *s = open_session(&e, &(tiny_model){0});
    sz_kv_policy policy;
    sz_kv_plan plan, with;
    for (size_t i = 0; i < 4 * 60; i++)
        mass[i] = sz_uniform(1, 1, i);
    sz_kv_prompt prompt = {2, 2, 60, NULL, mass, NULL, ranks};
    SZ_CHECK_OK(sz_kv_policy_parse("uncomp budget=20 groups=4 scope=model", &policy));
    SZ_CHECK_OK(sz_kv_policy_plan(&policy, &prompt, &plan));
    assert_true(plan.first[1] - plan.first[0] > plan.first[4] - plan.first[3]);
    policy.profile = measure(s);
    SZ_CHECK_OK(sz_kv_policy_plan(&policy, &prompt, &with));
    const double *rank = sz_kv_profile_get_info(policy.profile).rank;
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++)
            if (rank[i] > rank[j])
                assert_true(with.first[i + 1] - with.first[i] > with.first[j + 1] - with.first[j]);
    sz_kv_plan_free(&plan);
    sz_kv_plan_free(&with);
    prompt.n_layer = 1;
    assert_int_equal(sz_kv_policy_plan(&policy, &prompt, &plan), SZ_E_ARG);
    sz_kv_policy_free(&policy);
    sz_session_free(s);
    engine_close(&e);
}

static void other_models_are_refused(void **state) {
    engine a, b;
    sz_session *s = open_session(&a, &(tiny_model){0});
    sz_kv_profile *p = measure(s);
    SZ_CHECK_OK(engine_open_tiny(&(tiny_model){.seed = 9}, 1, NULL, &b));
    assert_int_equal(sz_kv_profile_check(p, b.model), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "other weights"));
    engine_close(&b);
    SZ_CHECK_OK(engine_open_tiny(&(tiny_model){.head_dim = 24}, 1, NULL, &b));
    assert_int_equal(sz_kv_profile_check(p, b.model), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "layers"));
    engine_close(&b);
    sz_kv_profile_free(p);
    assert_int_equal(sz_kv_profile_measure(s, ids, LENGTH - 1, LENGTH, &p), SZ_E_ARG);
    assert_int_equal(sz_kv_profile_measure(s, ids, N, 1, &p), SZ_E_ARG);
    SZ_CHECK_OK(sz_kv_profile_measure(s, ids, LENGTH, LENGTH, &p)); /* one text */
    assert_true(isnan(sz_kv_profile_get_info(p).agreement));
    assert_true(sz_kv_profile_get_info(p).deviation[0] == 0);
    sz_kv_profile_free(p);
    sz_session_free(s);
    engine_close(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_are_means_over_texts),
        cmocka_unit_test(files_hold_all_of_it),
        cmocka_unit_test(a_profile_decides_who_keeps_more),
        cmocka_unit_test(other_models_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
