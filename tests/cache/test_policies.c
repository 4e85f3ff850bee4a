/* test_policies.c: what must hold for every policy, on attention made for it. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/cache.h>

enum { LAYERS = 4, HEADS = 3, ALL = LAYERS * HEADS, LONGEST = 300 };

static double recent[ALL * LONGEST], total[ALL * LONGEST], rank[ALL];

static sz_kv_prompt make_prompt(uint64_t seed, uint32_t length) {
    for (size_t i = 0; i < (size_t)ALL * length; i++) {
        double u = sz_uniform(seed, 1, i);
        recent[i] = u * u * u;
        total[i] = floor(8 * sz_uniform(seed, 2, i)); /* many ties */
    }
    for (size_t i = 0; i < ALL; i++)
        rank[i] = 5 + 20 * sz_uniform(seed, 3, i);
    return (sz_kv_prompt){LAYERS, HEADS, length, NULL, recent, total, rank};
}

static sz_kv_plan plan_of(const char *text, const sz_kv_prompt *prompt) {
    sz_kv_policy p;
    sz_kv_plan plan;
    SZ_CHECK_OK(sz_kv_policy_parse(text, &p));
    SZ_CHECK_OK(sz_kv_policy_plan(&p, prompt, &plan));
    return plan;
}

static uint32_t kept(const sz_kv_plan *p, size_t i) {
    return (uint32_t)(p->first[i + 1] - p->first[i]);
}

static bool has(const sz_kv_plan *p, size_t i, uint32_t position) {
    for (size_t j = p->first[i]; j < p->first[i + 1]; j++)
        if (p->position[j] == position)
            return true;
    return false;
}

static bool same_plans(const sz_kv_plan *a, const sz_kv_plan *b) {
    return memcmp(a->first, b->first, (ALL + 1) * sizeof *a->first) == 0 &&
           memcmp(a->position, b->position, a->first[ALL] * sizeof *a->position) == 0;
}

static const char *const names[] = {"uncomp",  "snapkv",    "h2o",   "streaming",
                                    "pyramid", "waterfill", "random"};
enum { N_NAMES = sizeof names / sizeof *names };

static void plans_are_ordered_and_within_the_budget(void **state) {
    static const uint32_t budgets[] = {12, 33, 64, 150, 299};
    for (uint64_t seed = 0; seed < 20; seed++)
        for (size_t b = 0; b < 5; b++)
            for (size_t k = 0; k < N_NAMES; k++) {
                char text[64];
                uint32_t length = 200 + (uint32_t)seed * 5;
                sz_kv_prompt prompt = make_prompt(seed, length);
                snprintf(text, sizeof text, "%s budget=%u", names[k], budgets[b]);
                sz_kv_plan p = plan_of(text, &prompt), again = plan_of(text, &prompt);
                assert_true(same_plans(&p, &again));
                uint32_t mean = budgets[b] < length ? budgets[b] : length;
                if (strcmp(names[k], "pyramid") != 0)
                    assert_int_equal(p.first[ALL], (size_t)mean * ALL);
                for (size_t i = 0; i < ALL; i++) {
                    assert_true(kept(&p, i) >= 1 && kept(&p, i) <= length);
                    for (size_t j = p.first[i] + 1; j < p.first[i + 1]; j++)
                        assert_true(p.position[j] > p.position[j - 1]);
                    assert_int_equal(p.position[p.first[i + 1] - 1], length - 1);
                }
                sz_kv_plan_free(&p);
                sz_kv_plan_free(&again);
            }
}

static void windows_and_sinks_stay(void **state) {
    sz_kv_prompt prompt = make_prompt(7, 200);
    static const struct {
        const char *text;
        uint32_t sinks, window;
    } cases[] = {{"snapkv budget=30 window=11", 0, 11},  {"uncomp budget=40 window=5", 0, 5},
                 {"pyramid budget=40 window=9", 0, 9},   {"waterfill budget=30 window=9", 0, 9},
                 {"h2o budget=30 recent=13", 0, 13},     {"h2o budget=30", 0, 15},
                 {"streaming budget=30 sinks=7", 7, 23}, {"random budget=30 recent=4", 0, 4},
                 {"streaming budget=5 sinks=4", 4, 1}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        sz_kv_plan p = plan_of(cases[c].text, &prompt);
        for (size_t i = 0; i < ALL; i++) {
            for (uint32_t j = 0; j < cases[c].sinks; j++)
                assert_true(has(&p, i, j));
            for (uint32_t j = 200 - cases[c].window; j < 200; j++)
                assert_true(has(&p, i, j));
        }
        sz_kv_plan_free(&p);
    }
}

static void sets_nest_as_the_budget_grows(void **state) {
    static const char *const nested[] = {"snapkv", "streaming", "random", "h2o recent=6",
                                         "waterfill"};
    sz_kv_prompt prompt = make_prompt(3, 250);
    for (size_t k = 0; k < 5; k++) {
        sz_kv_plan last = {0};
        for (uint32_t budget = 10; budget < 255; budget += 7) {
            char text[64];
            const char *words = strchr(nested[k], ' ');
            size_t n_name = words ? (size_t)(words - nested[k]) : strlen(nested[k]);
            snprintf(text, sizeof text, "%.*s budget=%u%s", (int)n_name, nested[k], budget,
                     words ? words : "");
            sz_kv_plan p = plan_of(text, &prompt);
            for (size_t i = 0; last.first && i < ALL; i++)
                for (size_t j = last.first[i]; j < last.first[i + 1]; j++)
                    assert_true(has(&p, i, last.position[j]));
            sz_kv_plan_free(&last);
            last = p;
        }
        sz_kv_plan_free(&last);
    }
}

static void one_group_is_snapkv(void **state) {
    sz_kv_prompt prompt = make_prompt(4, 220);
    sz_kv_plan a = plan_of("uncomp budget=50 groups=1 scope=layer", &prompt);
    sz_kv_plan b = plan_of("snapkv budget=50", &prompt);
    assert_true(same_plans(&a, &b));
    sz_kv_plan_free(&a);
    sz_kv_plan_free(&b);
}

static void high_ranks_keep_more(void **state) {
    static const char *const texts[] = {"uncomp budget=60 groups=3", "uncomp budget=60",
                                        "uncomp budget=60 groups=5 scope=model step=9",
                                        "uncomp budget=60 groups=2 scope=layer step=1000"};
    sz_kv_prompt prompt = make_prompt(5, 220);
    for (size_t t = 0; t < 4; t++) {
        bool layer = t == 0 || t == 3;
        char text[96];
        sz_kv_plan p = plan_of(texts[t], &prompt);
        snprintf(text, sizeof text, "%s reverse=yes", texts[t]);
        sz_kv_plan r = plan_of(text, &prompt);
        bool differ = false;
        for (size_t i = 0; i < ALL; i++)
            for (size_t j = 0; j < ALL; j++)
                if ((!layer || i / HEADS == j / HEADS) && rank[i] > rank[j]) {
                    assert_true(kept(&p, i) >= kept(&p, j));
                    assert_true(kept(&r, i) <= kept(&r, j) + 1); /* rounding of shares */
                    differ |= kept(&p, i) > kept(&p, j);
                }
        assert_true(differ);
        sz_kv_plan_free(&p);
        sz_kv_plan_free(&r);
    }
}

static void a_prompt_within_the_budget_stays_whole(void **state) {
    static const uint32_t windows[LAYERS] = {0, 32, 0, 500};
    sz_kv_prompt prompt = {LAYERS, HEADS, 100, windows, NULL, NULL, NULL};
    for (size_t k = 0; k < N_NAMES; k++)
        for (uint32_t budget = 100; budget <= 300; budget += 200) {
            char text[64];
            snprintf(text, sizeof text, "%s budget=%u", names[k], budget);
            sz_kv_plan p = plan_of(text, &prompt);
            assert_int_equal(p.first[ALL], 100 * ALL);
            sz_kv_plan_free(&p);
        }
    sz_kv_plan p = plan_of("none", &prompt);
    assert_int_equal(p.first[ALL], 100 * ALL);
    sz_kv_plan_free(&p);
}

static void sliding_windows_bound_what_is_kept(void **state) {
    static const uint32_t windows[LAYERS] = {0, 32, 0, 500};
    for (size_t k = 0; k < N_NAMES; k++) {
        char text[64];
        sz_kv_prompt prompt = make_prompt(6, 200);
        prompt.window = windows;
        snprintf(text, sizeof text, "%s budget=60", names[k]);
        sz_kv_plan p = plan_of(text, &prompt);
        for (size_t i = HEADS; i < 2 * HEADS; i++) {
            assert_true(kept(&p, i) <= 32);
            assert_true(p.position[p.first[i]] >= 200 - 32);
            assert_true(has(&p, i, 199));
        }
        sz_kv_plan_free(&p);
    }
}

/* The attention that is kept is the most that any shares of the same total could keep. */
static void water_filling_is_the_optimum(void **state) {
    enum { H = 3, N = 6 };
    for (uint64_t seed = 0; seed < 50; seed++) {
        double gain[H * N], best[H * N + 1];
        for (size_t h = 0; h < H; h++) /* falling */
            for (size_t j = 0; j < N; j++)
                gain[h * N + j] =
                    (j ? gain[h * N + j - 1] : 1.0) * floor(4 * sz_uniform(seed, h, j) + 1) / 4;
        for (size_t t = 0; t <= H * N; t++)
            best[t] = -1;
        for (size_t a = 0; a <= N; a++)
            for (size_t b = 0; b <= N; b++)
                for (size_t c = 0; c <= N; c++) {
                    double sum = 0;
                    for (size_t j = 0; j < N; j++)
                        sum += (j < a ? gain[j] : 0) + (j < b ? gain[N + j] : 0) +
                               (j < c ? gain[2 * N + j] : 0);
                    best[a + b + c] = fmax(best[a + b + c], sum);
                }
        for (size_t t = 0; t <= H * N; t++) {
            uint32_t capacity[H];
            double sum = 0;
            SZ_CHECK_OK(sz_kv_water_fill(gain, H, N, t, capacity));
            assert_int_equal(capacity[0] + capacity[1] + capacity[2], t);
            for (size_t i = 0; i < H * N; i++)
                sum += i % N < capacity[i / N] ? gain[i] : 0;
            SZ_CHECK_ABS(sum, best[t], 1e-12);
        }
    }
}

static void group_budgets_have_the_exact_mean(void **state) {
    uint32_t capacity[40];
    for (uint32_t budget = 9; budget < 500; budget += 13)
        for (size_t n = 1; n <= 40; n++)
            for (uint32_t step = 0; step < 200; step += 23) {
                uint64_t sum = 0;
                SZ_CHECK_OK(sz_kv_group_budgets(budget, step, n, 9, capacity));
                for (size_t g = 0; g < n; g++) {
                    assert_true(capacity[g] >= 9);
                    assert_true(g == 0 || capacity[g] >= capacity[g - 1]);
                    sum += capacity[g];
                }
                assert_int_equal(sum, (uint64_t)budget * n);
            }
}

static void bad_input_is_told(void **state) {
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "without a name"},
        {"quest", "uncomp, snapkv, h2o, streaming, pyramid, waterfill, random"},
        {"snapkv budget=8", "no room"},
        {"snapkv budget=1", "budget = 1 is not in"},
        {"snapkv budget=20 pool=4", "pool = 4"},
        {"uncomp budget=8 window=8", "no room"},
        {"uncomp size=8", "options: budget, window, pool, groups, step, scope, reverse"},
        {"h2o budget=8 recent=9", "9 recent tokens"},
        {"streaming budget=4", "4 sinks"},
        {"random budget=4 recent=5", "5 recent"},
        {"none budget=3", "left over"},
        {"snapkv budget=20, h2o", "one kv policy"},
    };
    sz_kv_policy p;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(sz_kv_policy_parse(cases[i].text, &p), SZ_E_ARG);
        if (!strstr(sz_last_error(), cases[i].says))
            fail_msg("'%s': %s", cases[i].text, sz_last_error());
    }
}

static void bad_prompts_are_told(void **state) {
    sz_kv_policy p;
    sz_kv_plan plan;
    sz_kv_prompt prompt = make_prompt(1, 100);
    SZ_CHECK_OK(sz_kv_policy_parse("uncomp budget=20 groups=4 scope=layer", &p));
    assert_int_equal(sz_kv_policy_plan(&p, &prompt, &plan), SZ_E_ARG); /* 3 heads */
    assert_non_null(strstr(sz_last_error(), "scope=model"));
    SZ_CHECK_OK(sz_kv_policy_parse("uncomp budget=20", &p));
    rank[5] = NAN;
    assert_int_equal(sz_kv_policy_plan(&p, &prompt, &plan), SZ_E_NAN);
    assert_non_null(strstr(sz_last_error(), "layer 1, head 2"));
    prompt.rank = NULL;
    assert_int_equal(sz_kv_policy_plan(&p, &prompt, &plan), SZ_E_ARG);
    recent[7 * 100 + 4] = INFINITY;
    assert_int_equal(sz_kv_policy_plan(&p, &prompt, &plan), SZ_E_NAN);
    assert_non_null(strstr(sz_last_error(), "layer 2, head 1, position 4"));
    prompt.recent_mass = NULL;
    assert_int_equal(sz_kv_policy_plan(&p, &prompt, &plan), SZ_E_ARG);
    prompt.length = 0;
    assert_int_equal(sz_kv_policy_plan(&p, &prompt, &plan), SZ_E_ARG);
}

static void bad_budgets_are_told(void **state) {
    uint32_t c[4];
    double r[4] = {1, 2, NAN, 4};
    assert_int_equal(sz_kv_head_groups(r, 4, 5, c), SZ_E_ARG);
    assert_int_equal(sz_kv_head_groups(r, 4, 0, c), SZ_E_ARG);
    assert_int_equal(sz_kv_head_groups(r, 4, 2, c), SZ_E_NAN);
    assert_int_equal(sz_kv_layer_groups(r, 4, 0.3, c), SZ_E_NAN);
    assert_int_equal(sz_kv_layer_groups(r, 2, NAN, c), SZ_E_ARG);
    assert_int_equal(sz_kv_group_budgets(8, 1, 4, 9, c), SZ_E_ARG);
    assert_int_equal(sz_kv_group_budgets(8, 1, 0, 1, c), SZ_E_ARG);
    assert_int_equal(sz_kv_pyramid_budgets(8, 8, 4, 100, c), SZ_E_ARG);
    assert_int_equal(sz_kv_pyramid_budgets(20, 8, 0, 100, c), SZ_E_ARG);
    assert_int_equal(sz_kv_pyramid_budgets(20, 8, 4, 19, c), SZ_E_ARG);
    assert_int_equal(sz_kv_water_fill(r, 2, 2, 5, c), SZ_E_ARG);
    assert_int_equal(sz_kv_water_fill(r, 2, 2, 1, c), SZ_E_NAN);
}

static void pyramids_fall(void **state) {
    for (uint32_t budget = 10; budget < 300; budget += 11)
        for (size_t layers = 1; layers < 40; layers++) {
            uint32_t c[40];
            SZ_CHECK_OK(sz_kv_pyramid_budgets(budget, 8, layers, 300, c));
            for (size_t l = 0; l < layers; l++)
                assert_true(c[l] >= 8 && c[l] <= 300 && (l == 0 || c[l] <= c[l - 1]));
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_ordered_and_within_the_budget),
        cmocka_unit_test(windows_and_sinks_stay),
        cmocka_unit_test(sets_nest_as_the_budget_grows),
        cmocka_unit_test(one_group_is_snapkv),
        cmocka_unit_test(high_ranks_keep_more),
        cmocka_unit_test(a_prompt_within_the_budget_stays_whole),
        cmocka_unit_test(sliding_windows_bound_what_is_kept),
        cmocka_unit_test(water_filling_is_the_optimum),
        cmocka_unit_test(group_budgets_have_the_exact_mean),
        cmocka_unit_test(pyramids_fall),
        cmocka_unit_test(bad_input_is_told),
        cmocka_unit_test(bad_prompts_are_told),
        cmocka_unit_test(bad_budgets_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
