/* Eviction with advice of one bit: reference traces, bounds, limits that are other policies, and
 * pages that may not leave. */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/evict.h>

enum { MOST = 64 };

typedef struct trace {
    uint32_t page[MOST], k;
    uint8_t discard[MOST], phase[MOST];
    size_t n;
} trace;

static double number(const sz_json *v) {
    return v->type == SZ_JSON_INT ? (double)v->u.i : v->u.f;
}

static double expect(const sz_json *c, const char *key) {
    return number(sz_json_get(sz_json_get(c, "expect"), key));
}

static size_t fill(const sz_json *list, double *out) {
    size_t n = 0;
    for (const sz_json *v = list->u.child; v; v = v->next)
        out[n++] = number(v);
    return n;
}

static trace read_trace(const sz_json *c) {
    const sz_json *input = sz_json_get(c, "input");
    double x[MOST];
    trace t = {.k = (uint32_t)number(sz_json_get(input, "k"))};
    t.n = fill(sz_json_get(input, "trace"), x);
    for (size_t i = 0; i < t.n; i++)
        t.page[i] = (uint32_t)x[i];
    fill(sz_json_get(input, "discard_bits"), x);
    for (size_t i = 0; i < t.n; i++)
        t.discard[i] = (uint8_t)x[i];
    fill(sz_json_get(input, "phase_bits"), x);
    for (size_t i = 0; i < t.n; i++)
        t.phase[i] = (uint8_t)x[i];
    return t;
}

/* The same trace with its pages numbered in their order: rules that look at numbers stay. */
static void make_dense(trace *t) {
    uint32_t sorted[MOST], n = 0;
    for (uint32_t p = 0; p < 128; p++)
        for (size_t i = 0; i < t->n; i++)
            if (t->page[i] == p) {
                sorted[n++] = p;
                break;
            }
    for (size_t i = 0; i < t->n; i++)
        for (uint32_t p = 0; p < n; p++)
            if (sorted[p] == t->page[i]) {
                t->page[i] = p;
                break;
            }
}

static sz_page_trace with(const trace *t, const uint8_t *bit) {
    return (sz_page_trace){t->page, bit, t->n, 128};
}

static uint64_t misses(const char *policy, const trace *t, const uint8_t *bit) {
    sz_page_trace p = with(t, bit);
    uint64_t n;
    SZ_CHECK_OK(sz_paging_misses(policy, &p, t->k, 1, &n));
    return n;
}

static double expected(const char *policy, const trace *t, const uint8_t *bit) {
    sz_page_trace p = {t->page, bit, t->n, 64};
    double x;
    SZ_CHECK_OK(sz_paging_expected(policy, &p, t->k, 1 << 14, &x));
    return x;
}

/* The variant that really empties the cache where no page is safe. */
static uint64_t eager(const trace *t) {
    sz_evict *e;
    uint8_t bit[128] = {0};
    uint64_t n = 0;
    SZ_CHECK_OK(sz_evict_new("flush0", t->k, 128, 0, &e));
    for (size_t i = 0; i < t->n; i++) {
        uint32_t cached = 0, safe = 0;
        for (uint32_t p = 0; p < 128; p++)
            if (sz_evict_has(e, p))
                cached++, safe += bit[p];
        if (!sz_evict_has(e, t->page[i]) && cached == t->k && !safe)
            for (uint32_t p = 0; p < 128; p++)
                sz_evict_drop(e, p);
        n += sz_evict_request(e, t->page[i], t->discard[i], NULL, NULL, NULL);
        bit[t->page[i]] = t->discard[i];
    }
    sz_evict_free(e);
    return n;
}

static void check_list(const sz_json *c, const char *key, const int *got, size_t n) {
    double want[MOST];
    assert_int_equal(fill(sz_json_get(sz_json_get(c, "expect"), key), want), n);
    for (size_t i = 0; i < n; i++)
        if (got[i] != (int)want[i])
            fail_msg("%s: %s[%zu] is %d, not %g", sz_json_get(c, "name")->u.s, key, i, got[i],
                     want[i]);
}

static void check_offline(const sz_json *c, const trace *t) {
    sz_page_trace p = with(t, t->discard);
    uint64_t opt;
    uint8_t discard[MOST], last[MOST];
    int8_t truth[MOST];
    uint32_t first[MOST];
    size_t n_phases;
    int list[4][MOST];
    sz_paging_errors errors;
    SZ_CHECK_OK(sz_paging_optimum(&p, t->k, &opt, discard));
    SZ_CHECK_OK(sz_paging_phases(&p, t->k, first, &n_phases, truth, last));
    for (size_t i = 0; i < t->n; i++)
        list[0][i] = discard[i], list[1][i] = truth[i], list[2][i] = last[i];
    for (size_t i = 0; i < n_phases; i++)
        list[3][i] = (int)first[i];
    assert_int_equal(opt, expect(c, "opt"));
    check_list(c, "true_discard_bits", list[0], t->n);
    check_list(c, "true_phase_bits", list[1], t->n);
    check_list(c, "is_last_in_phase", list[2], t->n);
    check_list(c, "phase_starts", list[3], n_phases);
    sz_paging_discard_errors(&p, discard, &errors);
    assert_int_equal(errors.kept, expect(c, "eta0"));
    assert_int_equal(errors.dropped, expect(c, "eta1"));
    double bound = (double)(opt + (t->k - 1) * errors.kept + errors.dropped);
    SZ_CHECK_ABS(bound, expect(c, "bound_deterministic"), 1e-9);
    SZ_CHECK_ABS((double)opt + 2 * sz_harmonic(t->k) * (double)errors.kept + (double)errors.dropped,
                 expect(c, "bound_mark0"), 1e-9);
    assert_int_equal(misses("flush0", t, discard), opt);
    p.bit = t->phase;
    sz_paging_phase_errors(&p, truth, last, &errors);
    assert_int_equal(errors.kept, expect(c, "phase_eta0"));
    assert_int_equal(errors.dropped, expect(c, "phase_eta1"));
    SZ_CHECK_ABS(2 * (double)opt + sz_harmonic(t->k) * (double)errors.kept + (double)errors.dropped,
                 expect(c, "bound_mark_predict"), 1e-9);
}

static void check_online(const sz_json *c, const trace *t) {
    assert_int_equal(misses("lru", t, NULL), expect(c, "lru"));
    assert_int_equal(misses("fifo", t, NULL), expect(c, "fifo"));
    assert_int_equal(misses("flush0", t, t->discard), expect(c, "flush_when_all_0s_lazy"));
    assert_int_equal(eager(t), expect(c, "flush_when_all_0s_eager"));
    assert_int_equal(misses("combine", t, t->discard), expect(c, "combine_leader"));
    SZ_CHECK_ABS(expected("marker", t, NULL), expect(c, "marker_expected"), 1e-9);
    SZ_CHECK_ABS(expected("mark0", t, t->discard), expect(c, "mark0_expected"), 1e-9);
    SZ_CHECK_ABS(expected("markpredict", t, t->phase), expect(c, "mark_predict_expected"), 1e-9);
}

static void reference_traces(void **state) {
    sz_buf text = {0};
    sz_arena *arena;
    sz_json *root;
    size_t n = 0;
    SZ_CHECK_OK(sz_file_read(SZ_TEST_VECTORS "/40-paging.json", 1 << 20, &text));
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    SZ_CHECK_OK(sz_json_parse(text.data, text.len, arena, &root));
    for (const sz_json *c = sz_json_get(root, "cases")->u.child; c; c = c->next, n++) {
        trace t = read_trace(c);
        make_dense(&t);
        check_offline(c, &t);
        check_online(c, &t);
    }
    assert_int_equal(n, 16);
    sz_arena_free(arena);
    sz_buf_free(&text);
}

/* ---- Random traces --------------------------------------------------------------------------- */

static uint64_t draws;

static uint32_t below(uint32_t n) {
    return (uint32_t)(sz_uniform(17, 0, draws++) * n);
}

static trace random_trace(void) {
    trace t = {.k = 1 + below(5), .n = below(MOST)};
    uint32_t pages = 1 + below(8), p = 1 + below(9);
    for (size_t i = 0; i < t.n; i++) {
        t.page[i] = below(pages);
        t.discard[i] = below(10) < p;
        t.phase[i] = below(10) < p;
    }
    return t;
}

/* The fewest misses over all ways to evict, by search over the sets of cached pages. */
static uint64_t fewest(const trace *t) {
    static uint8_t cost[2][256];
    memset(cost[0], 255, sizeof cost[0]);
    cost[0][0] = 0;
    for (size_t i = 0; i < t->n; i++) {
        const uint8_t *from = cost[i & 1];
        uint8_t *to = cost[~i & 1];
        uint32_t page = 1u << t->page[i];
        memset(to, 255, sizeof cost[0]);
        for (uint32_t s = 0; s < 256; s++) {
            if (from[s] == 255)
                continue;
            if (s & page) {
                to[s] = from[s] < to[s] ? from[s] : to[s];
                continue;
            }
            uint8_t more = (uint8_t)(from[s] + 1);
            if ((uint32_t)__builtin_popcount(s) < t->k && more < to[s | page])
                to[s | page] = more;
            for (uint32_t rest = s; rest; rest &= rest - 1)
                if ((uint32_t)__builtin_popcount(s) == t->k) {
                    uint32_t next = (s & ~(rest & -rest)) | page;
                    to[next] = more < to[next] ? more : to[next];
                }
        }
    }
    uint8_t best = 255;
    for (uint32_t s = 0; s < 256; s++)
        best = cost[t->n & 1][s] < best ? cost[t->n & 1][s] : best;
    return best;
}

static void bounds_hold(void **state) {
    for (int i = 0; i < 3000; i++) {
        trace t = random_trace();
        sz_page_trace p = with(&t, t.discard);
        uint8_t discard[MOST], last[MOST];
        int8_t truth[MOST];
        size_t n_phases;
        uint64_t opt;
        sz_paging_errors e;
        SZ_CHECK_OK(sz_paging_optimum(&p, t.k, &opt, discard));
        assert_int_equal(opt, fewest(&t));
        assert_int_equal(misses("flush0", &t, discard), opt);
        sz_paging_discard_errors(&p, discard, &e);
        uint64_t flush = misses("flush0", &t, t.discard), lru = misses("lru", &t, NULL);
        assert_true(flush <= opt + (t.k - 1) * e.kept + e.dropped);
        assert_true(flush <= eager(&t));
        assert_true(misses("combine", &t, t.discard) <= 2 * (flush < lru ? flush : lru) + 2 * t.k);
        double h = sz_harmonic(t.k);
        assert_true(expected("mark0", &t, t.discard) <=
                    (double)opt + 2 * h * (double)e.kept + (double)e.dropped + 1e-9);
        p.bit = t.phase;
        SZ_CHECK_OK(sz_paging_phases(&p, t.k, NULL, &n_phases, truth, last));
        sz_paging_phase_errors(&p, truth, last, &e);
        assert_true(expected("markpredict", &t, t.phase) <=
                    2 * (double)opt + h * (double)e.kept + (double)e.dropped + 1e-9);
    }
}

static void constant_bits_are_lru(void **state) {
    for (int i = 0; i < 500; i++) {
        trace t = random_trace();
        for (int bit = 0; bit < 2; bit++) {
            sz_evict *a, *b;
            uint32_t left[2];
            SZ_CHECK_OK(sz_evict_new("flush0", t.k, 128, 0, &a));
            SZ_CHECK_OK(sz_evict_new("lru", t.k, 128, 0, &b));
            for (size_t r = 0; r < t.n; r++) {
                bool x = sz_evict_request(a, t.page[r], bit, NULL, NULL, &left[0]);
                assert_int_equal(x, sz_evict_request(b, t.page[r], bit, NULL, NULL, &left[1]));
                assert_int_equal(left[0], left[1]);
            }
            sz_evict_free(a);
            sz_evict_free(b);
        }
    }
}

/* More room helps LRU; with FIFO it may harm. */
static void room(void **state) {
    for (int i = 0; i < 300; i++) {
        trace t = random_trace();
        uint64_t before = misses("lru", &t, NULL);
        t.k++;
        assert_true(misses("lru", &t, NULL) <= before);
    }
    trace anomaly = {{1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5}, .k = 3, .n = 12};
    assert_int_equal(misses("fifo", &anomaly, NULL), 9);
    anomaly.k = 4;
    assert_int_equal(misses("fifo", &anomaly, NULL), 10);
}

/* Draws have the law that the exact expectation knows, and the same seed draws the same. */
static void draws_have_their_law(void **state) {
    static const char *const policies[] = {"marker", "mark0", "markpredict"};
    for (int i = 0; i < 12; i++) {
        trace t = random_trace();
        const char *policy = policies[i % 3];
        const uint8_t *bit = i % 3 == 2 ? t.phase : t.discard;
        sz_page_trace p = with(&t, bit);
        double sum = 0, squares = 0;
        enum { RUNS = 4000 };
        for (uint64_t seed = 0; seed < RUNS; seed++) {
            uint64_t n;
            SZ_CHECK_OK(sz_paging_misses(policy, &p, t.k, seed, &n));
            sum += (double)n, squares += (double)n * (double)n;
        }
        double mean = sum / RUNS, variance = squares / RUNS - mean * mean;
        assert_true((mean - expected(policy, &t, bit)) * (mean - expected(policy, &t, bit)) <=
                    25 * variance / RUNS + 1e-12);
        uint64_t a, b;
        SZ_CHECK_OK(sz_paging_misses(policy, &p, t.k, 9, &a));
        SZ_CHECK_OK(sz_paging_misses(policy, &p, t.k, 9, &b));
        assert_int_equal(a, b);
    }
}

/* k + 1 pages by turns: a phase is a cycle in which each miss leaves its hole at random. */
static void marker_on_a_cycle(void **state) {
    trace t = {.k = 3, .n = 4};
    for (size_t i = 0; i < t.n; i++)
        t.page[i] = (uint32_t)i;
    SZ_CHECK_ABS(expected("marker", &t, NULL), 4.0, 1e-12);
    t.n = 5; /* the page asked for is out with one chance in three */
    t.page[4] = 0;
    SZ_CHECK_ABS(expected("marker", &t, NULL), 4.0 + 1.0 / 3, 1e-12);
}

/* ---- Every policy ---------------------------------------------------------------------------- */

static bool is_loose(const void *user, uint32_t page) {
    return !((const bool *)user)[page];
}

static void what_is_held_never_leaves(void **state) {
    for (const sz_evict_kind *const *kind = sz_evict_kinds(); *kind; kind++) {
        bool held[16] = {0};
        sz_evict *e;
        SZ_CHECK_OK(sz_evict_new((*kind)->name, 4, 16, 5, &e));
        for (int i = 0; i < 3000; i++) {
            uint32_t page = below(16), left, n = 0;
            bool was = sz_evict_has(e, page);
            assert_int_equal(!was, sz_evict_request(e, page, (int)below(2), is_loose, held, &left));
            assert_true(left == SZ_NEVER || !held[left]);
            if (left != SZ_NEVER)
                assert_false(sz_evict_has(e, left));
            for (uint32_t p = 0; p < 16; p++)
                n += sz_evict_has(e, p);
            assert_true(n <= 4);
            uint32_t other = below(16);
            held[other] = below(3) == 0 && sz_evict_has(e, other);
            if (below(40) == 0)
                sz_evict_drop(e, below(16));
        }
        sz_evict_free(e);
    }
}

static void each_fits_in_a_large_cache(void **state) {
    trace t = random_trace();
    t.k = 128;
    uint64_t distinct = misses("lru", &t, NULL);
    for (const sz_evict_kind *const *kind = sz_evict_kinds(); *kind; kind++)
        assert_int_equal(misses((*kind)->name, &t, t.discard), distinct);
}

static void bad_input(void **state) {
    sz_evict *e;
    uint64_t n;
    double x;
    uint32_t page[] = {0, 9};
    sz_page_trace outside = {page, NULL, 2, 3}, empty = {page, NULL, 0, 3};
    assert_int_equal(sz_evict_new("lru", 0, 3, 0, &e), SZ_E_ARG);
    assert_int_equal(sz_evict_new("lifo", 1, 3, 0, &e), SZ_E_ARG);
    assert_int_equal(sz_evict_new("lru, fifo", 1, 3, 0, &e), SZ_E_ARG);
    assert_int_equal(sz_evict_new("combine first=combine", 1, 3, 0, &e), SZ_E_ARG);
    assert_int_equal(sz_paging_misses("lru", &outside, 1, 0, &n), SZ_E_ARG);
    assert_int_equal(sz_paging_optimum(&outside, 1, &n, NULL), SZ_E_ARG);
    assert_int_equal(sz_paging_optimum(&empty, 0, &n, NULL), SZ_E_ARG);
    assert_int_equal(sz_paging_expected("lru", &empty, 1, 10, &x), SZ_E_ARG);
    SZ_CHECK_OK(sz_paging_optimum(&empty, 1, &n, NULL));
    assert_int_equal(n, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_traces),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(constant_bits_are_lru),
        cmocka_unit_test(room),
        cmocka_unit_test(draws_have_their_law),
        cmocka_unit_test(marker_on_a_cycle),
        cmocka_unit_test(what_is_held_never_leaves),
        cmocka_unit_test(each_fits_in_a_large_cache),
        cmocka_unit_test(bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
