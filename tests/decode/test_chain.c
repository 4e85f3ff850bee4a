/* The plain samplers against straightforward code, and what a chain does with its stages. */
#include "check.h"
#include "num/kernels/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/sampler.h>

enum { MOST = 50000 };

static struct { /* candidates, and what is left of them */
    int32_t id[MOST];
    float logit[MOST], scratch[MOST];
    size_t n;
} left;

static sz_token history[64];

static sz_status apply_chain(sz_chain *chain, const float *logits, size_t n, size_t n_history) {
    sz_candidates c = {left.id, left.logit, left.scratch, n, NULL};
    SZ_CHECK_OK(sz_kernels_get(NULL, &c.kernels));
    for (size_t i = 0; i < n; i++)
        left.id[i] = (int32_t)i;
    memcpy(left.logit, logits, n * sizeof *logits);
    sz_sampler_input in = {.history = history, .n_history = n_history, .seed = 3};
    sz_status status = sz_chain_apply(chain, &in, &c);
    left.n = c.n;
    return status;
}

static void apply_after(const char *text, const float *logits, size_t n, size_t n_history) {
    sz_chain *chain;
    SZ_CHECK_OK(sz_chain_parse(text, &chain));
    SZ_CHECK_OK(apply_chain(chain, logits, n, n_history));
    sz_chain_free(chain);
}

static void apply(const char *text, const float *logits, size_t n) {
    apply_after(text, logits, n, 0);
}

#define CHECK_IDS(...)                                                                             \
    do {                                                                                           \
        static const int32_t ids_[] = {__VA_ARGS__};                                               \
        assert_int_equal(left.n, sizeof ids_ / sizeof *ids_);                                      \
        assert_memory_equal(left.id, ids_, sizeof ids_);                                           \
    } while (0)

/* ---- One by one ------------------------------------------------------------------------------ */

static void greedy_keeps_the_first_of_the_likeliest(void **state) {
    static const float ties[] = {1, 3, -2, 3, 3}, low[] = {-INFINITY, -7, -INFINITY};
    apply("greedy", ties, 5);
    CHECK_IDS(1);
    apply("greedy", low, 3);
    CHECK_IDS(1);
    apply("greedy", ties, 1);
    CHECK_IDS(0);
}

static void temperature_divides(void **state) {
    static const float z[] = {1, -3, 0.7f, -INFINITY}, far[] = {-4000, -4001, 2};
    apply("temperature 0.3", z, 4);
    CHECK_IDS(0, 1, 2, 3);
    for (int i = 0; i < 4; i++)
        assert_true(left.logit[i] == z[i] / 0.3f);
    apply("temperature 1", z, 4);
    assert_memory_equal(left.logit, z, sizeof z);
    apply("temperature 0", z, 4);
    CHECK_IDS(0);
    apply("temperature 1e-30", z, 4); /* not yet too small for these */
    CHECK_IDS(0, 1, 2, 3);
    apply("temperature 0.000000000000000000000000000000000001", far, 2); /* z/t overflows */
    CHECK_IDS(0);
    apply("temperature", z, 1);
    assert_true(left.logit[0] == 1 / 0.8f);
}

/* Order by falling logit, then rising id. */
static const float *sorted_by;
static int falling(const void *a, const void *b) {
    int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
    if (sorted_by[i] != sorted_by[j])
        return sorted_by[i] > sorted_by[j] ? -1 : 1;
    return i - j;
}

static void sort_ids(const float *logits, size_t n, int32_t *order) {
    for (size_t i = 0; i < n; i++)
        order[i] = (int32_t)i;
    sorted_by = logits;
    qsort(order, n, sizeof *order, falling);
}

static int rising(const void *a, const void *b) {
    return *(const int32_t *)a - *(const int32_t *)b;
}

/* What is left must be the first n_kept of the order, and untouched. */
static void check_first(const char *chain, const float *logits, int32_t *order, size_t n_kept) {
    if (left.n != n_kept)
        fail_msg("%s keeps %zu, not %zu", chain, left.n, n_kept);
    qsort(order, n_kept, sizeof *order, rising);
    assert_memory_equal(left.id, order, n_kept * sizeof *order);
    for (size_t i = 0; i < n_kept; i++)
        assert_true(left.logit[i] == logits[order[i]]);
}

/* Distributions of several shapes: with many ties, flat, sharp, with forbidden tokens. */
static void make_logits(uint64_t seed, float *logits, size_t n) {
    for (size_t i = 0; i < n; i++) {
        double u = sz_uniform(seed, 1, i), v = sz_uniform(seed, 2, i);
        switch (seed % 4) {
        case 0:
            logits[i] = (float)((int)(u * 6)) * 0.5f;
            break;
        case 1:
            logits[i] = (float)u * 0.01f;
            break;
        case 2:
            logits[i] = (float)(u * u * u * u) * 40;
            break;
        default:
            logits[i] = v < 0.3 && i > 0 ? -INFINITY : (float)u * 8;
        }
    }
}

static void top_k_keeps_the_k_likeliest(void **state) {
    static const size_t sizes[] = {1, 2, 5, 33, 200};
    float logits[200];
    int32_t order[200];
    char text[32];
    for (uint64_t seed = 0; seed < 40; seed++) {
        size_t n = sizes[seed % 5];
        make_logits(seed, logits, n);
        for (size_t k = 0; k <= n + 2; k += 1 + n / 9) {
            snprintf(text, sizeof text, "top-k %zu", k);
            sort_ids(logits, n, order);
            apply(text, logits, n);
            check_first(text, logits, order, k == 0 || k > n ? n : k);
        }
    }
}

/* The fewest of the likeliest whose probabilities sum to p. */
static size_t plain_top_p(const float *logits, const int32_t *order, size_t n, double p) {
    double sum = 0, mass = 0;
    for (size_t i = 0; i < n; i++)
        sum += exp((double)(logits[i] - logits[order[0]]));
    for (size_t i = 0; i < n; i++) {
        mass += exp((double)(logits[order[i]] - logits[order[0]])) / sum;
        if (mass >= p)
            return i + 1;
    }
    return n;
}

static void top_p_keeps_the_smallest_set_with_mass_p(void **state) {
    static const size_t sizes[] = {1, 2, 5, 33, 200};
    float logits[200];
    int32_t order[200];
    char text[32];
    for (uint64_t seed = 0; seed < 200; seed++) {
        size_t n = sizes[seed % 5];
        double p = sz_uniform(seed, 3, 0);
        make_logits(seed, logits, n);
        snprintf(text, sizeof text, "top-p %.6f", p);
        sort_ids(logits, n, order);
        apply(text, logits, n);
        check_first(text, logits, order, plain_top_p(logits, order, n, strtod(text + 6, NULL)));
    }
}

static void top_p_at_its_ends_and_with_ties(void **state) {
    static const float flat[] = {2, 2, 2, 2, 2, 2, 2, 2}, peak[] = {0, 9, 0, 9}, one[] = {4};
    static const float forbidden[] = {-INFINITY, 1, -INFINITY, 1};
    apply("top-p 0.5", flat, 8);
    CHECK_IDS(0, 1, 2, 3);
    apply("top-p 0.51", flat, 8);
    CHECK_IDS(0, 1, 2, 3, 4);
    apply("top-p 0", flat, 8);
    CHECK_IDS(0);
    apply("top-p 1", flat, 8);
    assert_int_equal(left.n, 8);
    apply("top-p 0.999999999999", flat, 8);
    assert_int_equal(left.n, 8);
    apply("top-p 0", peak, 4);
    CHECK_IDS(1);
    apply("top-p 0.6", peak, 4);
    CHECK_IDS(1, 3);
    apply("top-p 0", one, 1);
    CHECK_IDS(0);
    apply("top-p 0.99", forbidden, 4);
    CHECK_IDS(1, 3);
}

static void a_large_flat_vocabulary_is_cut_right(void **state) {
    static float logits[MOST];
    static int32_t order[MOST];
    for (uint64_t seed = 1; seed < 4; seed++) {
        make_logits(seed, logits, MOST);
        sort_ids(logits, MOST, order);
        size_t want = plain_top_p(logits, order, MOST, 0.9);
        apply("top-p 0.9", logits, MOST);
        assert_true(left.n + 1 >= want && left.n <= want + 1); /* sums of float weights */
        apply("top-k 20000", logits, MOST);
        check_first("top-k 20000", logits, order, 20000);
    }
}

static void min_p_compares_with_the_likeliest(void **state) {
    /* probabilities relative to the largest: 1, 1/2, 1/4, 1/8, 0 */
    static const float z[] = {0, -0.6931472f, -1.3862944f, -2.0794415f, -INFINITY},
                       tie[] = {1, 5, 5};
    apply("min-p 0", z, 5);
    assert_int_equal(left.n, 5);
    apply("min-p 0.2", z, 5);
    CHECK_IDS(0, 1, 2);
    apply("min-p 0.3", z, 5);
    CHECK_IDS(0, 1);
    apply("min-p 0.00001", z, 5);
    CHECK_IDS(0, 1, 2, 3);
    apply("min-p 1", tie, 3);
    CHECK_IDS(1, 2);
    apply("min-p 1", z, 5);
    CHECK_IDS(0);
}

static void set_history(const int32_t *ids, size_t n) {
    for (size_t i = 0; i < n; i++)
        history[i] = (sz_token){.id = ids[i]};
}

static void penalties_count_what_was_seen(void **state) {
    static const float z[] = {2, -2, 0, 3, -INFINITY, 1};
    static const int32_t seen[] = {5, 0, 1, 1, 4, 0, 1, -1, 99}; /* 0 twice, 1 thrice */
    set_history(seen, 9);
    apply_after("penalties 2", z, 6, 9);
    CHECK_IDS(0, 1, 2, 3, 4, 5);
    static const float repeated[] = {1, -4, 0, 3, -INFINITY, 0.5f};
    assert_memory_equal(left.logit, repeated, sizeof repeated);
    apply_after("penalties frequency=0.5 presence=0.25", z, 6, 9);
    static const float counted[] = {0.75f, -3.75f, 0, 3, -INFINITY, 0.25f};
    assert_memory_equal(left.logit, counted, sizeof counted);
    apply_after("penalties repeat=2 frequency=0.5 presence=0.25 last=3", z, 6, 9); /* 1 once */
    static const float windowed[] = {2, -4.75f, 0, 3, -INFINITY, 1};
    assert_memory_equal(left.logit, windowed, sizeof windowed);
    apply_after("penalties 2 last=0", z, 6, 9);
    assert_memory_equal(left.logit, z, sizeof z);
    apply_after("penalties frequency=-1", z, 6, 9); /* a bonus */
    assert_true(left.logit[1] == 1);
    apply_after("top-k 2, penalties 2", z, 6, 9); /* most of the seen ones are no candidates */
    CHECK_IDS(0, 3);
    assert_true(left.logit[0] == 1 && left.logit[1] == 3);
}

static void the_order_of_a_chain_matters(void **state) {
    static const float z[] = {4, 3, 1, 0};
    apply("temperature 4, min-p 0.3", z, 4);
    CHECK_IDS(0, 1, 2, 3);
    apply("min-p 0.3, temperature 4", z, 4);
    CHECK_IDS(0, 1);
    assert_true(left.logit[0] == 1 && left.logit[1] == 0.75f);
    apply("", z, 4); /* nothing is done */
    CHECK_IDS(0, 1, 2, 3);
    assert_memory_equal(left.logit, z, sizeof z);
}

/* ---- Chains ---------------------------------------------------------------------------------- */

static void wrong_chains_are_explained(void **state) {
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"top-x 3", "unknown sampler 'top-x'; choose from: "},
        {"top", "unknown sampler 'top'"},
        {"top-k 2.5", "sampler top-k: k = 2.5 is not a whole number"},
        {"top-k p=3", "sampler top-k: 'p=3' is left over; options: k"},
        {"top-p 1.5", "sampler top-p: p = 1.5 is not in 0 .. 1"},
        {"min-p -0.1", "sampler min-p: p = -0.1 is not in 0 .. 1"},
        {"temperature hot", "sampler temperature: 'hot' is not a number for t"},
        {"top-h rule=best", "sampler top-h: rule is one of paper|repo|hf, not 'best'"},
        {"top-h rule=3", "sampler top-h: rule = 3 is not in 0 .. 2"},
        {"greedy 1", "sampler greedy: '1' is left over; options: none"},
        {"greedy,", "a name is missing after the last comma"},
        {"top-k 3 greedy", "sampler top-k: 'greedy' is left over"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        sz_chain *chain = NULL;
        assert_int_equal(sz_chain_parse(wrong[i].text, &chain), SZ_E_ARG);
        assert_null(chain);
        if (!strstr(sz_last_error(), wrong[i].message))
            fail_msg("%s: \"%s\"", wrong[i].text, sz_last_error());
    }
    sz_buf many = {0};
    for (int i = 0; i < 33; i++)
        sz_buf_puts(&many, i ? ", greedy" : "greedy");
    sz_chain *chain;
    assert_int_equal(sz_chain_parse(many.data, &chain), SZ_E_ARG);
    many.data[many.len - strlen(", greedy")] = 0;
    SZ_CHECK_OK(sz_chain_parse(many.data, &chain));
    assert_int_equal(sz_chain_length(chain), 32);
    sz_chain_free(chain);
    sz_buf_free(&many);
}

static void a_chain_tells_what_each_stage_kept(void **state) {
    static const float z[] = {4, 3, 2.5f, 1, 0};
    sz_chain *chain;
    size_t kept;
    SZ_CHECK_OK(sz_chain_parse("top-k 4, min-p 0.3, greedy", &chain));
    SZ_CHECK_OK(apply_chain(chain, z, 5, 0));
    static const size_t want[] = {4, 2, 1};
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(sz_chain_stage(chain, i, &kept));
        assert_int_equal(kept, want[i]);
    }
    assert_string_equal(sz_chain_stage(chain, 1, NULL)->name, "min-p");
    assert_null(sz_chain_stage(chain, 3, &kept));
    sz_chain_free(chain);
}

static void a_chain_explains_each_stage(void **state) {
    static const float z[] = {3, 2, 1, 0, -1};
    double p[5], sum = 0, all = 0, two = 0;
    sz_chain *chain, *copy;
    sz_candidates c = {left.id, left.logit, left.scratch, 0, NULL};
    sz_logit_stats stats = {.log_sum_exp = 0, .max = 3};
    for (int i = 0; i < 5; i++)
        sum += exp((double)z[i]);
    stats.log_sum_exp = log(sum);
    SZ_CHECK_OK(sz_kernels_get(NULL, &c.kernels));
    SZ_CHECK_OK(sz_chain_parse("temperature 2, top-h 0.6, top-k 2", &chain));
    sz_chain_set_explained(chain, true);
    SZ_CHECK_OK(sz_chain_clone(chain, &copy)); /* explains too */
    sz_chain_free(chain);
    sz_sampler_input in = {.logits = z, .stats = &stats};
    sz_token t;
    SZ_CHECK_OK(sz_chain_draw(copy, &in, 5, &c, &t));
    for (int i = 0; i < 5; i++) {
        p[i] = exp((double)z[i] / 2) / (exp(1.5) + exp(1) + exp(0.5) + 1 + exp(-0.5));
        all -= p[i] * log(p[i]);
    }
    const sz_stage_account *a = sz_chain_account(copy, 0);
    assert_string_equal(a->sampler, "temperature");
    assert_int_equal(a->kept_n, 5);
    SZ_CHECK_ABS(a->entropy, all, 1e-5);
    SZ_CHECK_ABS(a->kept_mass, 1, 1e-6);
    a = sz_chain_account(copy, 1);
    assert_string_equal(a->notes[0].name, "entropy_before_nats");
    SZ_CHECK_ABS(a->notes[0].value, all, 1e-5);
    SZ_CHECK_ABS(a->notes[1].value, 0.6 * all, 1e-5);
    assert_true(a->entropy <= a->notes[1].value + 1e-6 && a->kept_n < 5);
    assert_true(a->notes[2].value <= a->notes[3].value); /* mass and its bound */
    a = sz_chain_account(copy, 2);
    two = (exp(3) + exp(2)) / sum;
    SZ_CHECK_ABS(a->kept_mass, two, 1e-6);
    SZ_CHECK_ABS((double)t.kept_mass, two, 1e-6);
    assert_int_equal(a->kept_n, 2);
    assert_null(sz_chain_account(copy, 3));
    sz_chain_free(copy);
}

static void drawing_needs_logits(void **state) {
    sz_candidates c = {left.id, left.logit, left.scratch, 0, NULL};
    sz_sampler_input in = {0};
    sz_token t;
    assert_int_equal(sz_chain_draw(NULL, &in, 5, &c, &t), SZ_E_ARG);
}

/* A kind of our own: owns memory, counts what it accepted, and misbehaves on request. */
typedef struct counter {
    double mode;
    uint64_t *n_accepted;
} counter;
static int n_alive;

static sz_status own_begin(void *state, const double *values, const sz_setting *words) {
    counter *c = state;
    SZ_REQUIRE(values[0] != 9, SZ_E_ARG, "this one does not begin");
    *c = (counter){values[0], sz_calloc(1, sizeof *c->n_accepted)};
    n_alive++;
    return SZ_OK;
}
static sz_status own_clone(const void *from, void *to) {
    const counter *a = from;
    counter *b = to;
    SZ_REQUIRE(a->mode != 8, SZ_E_NOMEM, "this one is not cloned");
    *b = (counter){a->mode, sz_alloc(sizeof *b->n_accepted)};
    *b->n_accepted = *a->n_accepted;
    n_alive++;
    return SZ_OK;
}
static void own_end(void *state) {
    sz_free(((counter *)state)->n_accepted);
    n_alive--;
}
static sz_status own_apply(const void *state, const sz_sampler_input *in, sz_candidates *c) {
    const counter *own = state;
    if (own->mode == 1)
        c->n = 0;
    if (own->mode == 2)
        c->logit[0] = NAN;
    if (own->mode == 3)
        c->logit[0] = INFINITY;
    for (size_t i = 0; own->mode == 4 && i < c->n; i++)
        c->logit[i] = -INFINITY;
    if (own->mode == 5)
        c->logit[0] += (float)*own->n_accepted;
    return own->mode == 6 ? sz_fail(SZ_E_STATE, "not now") : SZ_OK;
}
static void own_accept(void *state, const sz_token *drawn) {
    ++*((counter *)state)->n_accepted;
}

static const sz_option own_options[] = {{"mode", "", .value = 5, .max = 9}, {0}};
static const sz_sampler_kind own = {.name = "own",
                                    .help = "",
                                    .options = own_options,
                                    .state_bytes = sizeof(counter),
                                    .begin = own_begin,
                                    .clone = own_clone,
                                    .end = own_end,
                                    .apply = own_apply,
                                    .accept = own_accept};

static void states_are_cloned_and_released(void **state) {
    static const float z[] = {1, 2};
    sz_chain *a, *b;
    const sz_token t = {0};
    SZ_CHECK_OK(sz_chain_new(&a));
    SZ_CHECK_OK(sz_chain_add(a, &own, NULL)); /* mode 5 by default */
    sz_chain_accept(a, &t);
    SZ_CHECK_OK(sz_chain_clone(a, &b));
    assert_int_equal(n_alive, 2);
    sz_chain_accept(b, &t);
    SZ_CHECK_OK(apply_chain(a, z, 2, 0));
    assert_true(left.logit[0] == 2); /* one accepted */
    SZ_CHECK_OK(apply_chain(b, z, 2, 0));
    assert_true(left.logit[0] == 3);
    sz_chain_free(a);
    SZ_CHECK_OK(apply_chain(b, z, 2, 0));
    assert_true(left.logit[0] == 3);
    sz_chain_free(b);
    assert_int_equal(n_alive, 0);
    sz_chain_free(NULL);
}

static void samplers_that_fail_are_reported(void **state) {
    static const float z[] = {1, 2};
    static const sz_status want[] = {SZ_OK,    SZ_E_NAN, SZ_E_NAN,  SZ_E_NAN,
                                     SZ_E_NAN, SZ_OK,    SZ_E_STATE};
    sz_chain *chain, *copy = NULL;
    for (int mode = 0; mode <= 6; mode++) {
        SZ_CHECK_OK(sz_chain_new(&chain));
        SZ_CHECK_OK(sz_chain_add(chain, &own, (double[]){mode}));
        assert_int_equal(apply_chain(chain, z, 2, 0), want[mode]);
        if (want[mode] == SZ_E_NAN)
            assert_non_null(strstr(sz_last_error(), "sampler own"));
        sz_chain_free(chain);
    }
    SZ_CHECK_OK(sz_chain_new(&chain));
    SZ_CHECK_OK(sz_chain_add(chain, &own, NULL));
    SZ_CHECK_OK(sz_chain_add(chain, &own, (double[]){8}));
    assert_int_equal(sz_chain_add(chain, &own, (double[]){9}), SZ_E_ARG);
    assert_int_equal(sz_chain_length(chain), 2);
    assert_int_equal(sz_chain_clone(chain, &copy), SZ_E_NOMEM);
    assert_null(copy);
    sz_chain_free(chain);
    assert_int_equal(n_alive, 0);
}

static void random_numbers_of_samplers_are_their_own(void **state) {
    sz_sampler_input in = {.seed = 1, .stream = 2, .n_history = 3, .stage = 0};
    double first = sz_sampler_uniform(&in, 0), sum = 0;
    assert_true(first == sz_sampler_uniform(&in, 0));
    assert_true(first != sz_sampler_uniform(&in, 1));
    assert_true(first != sz_uniform(1, 2, 3)); /* the number that draws the token */
    for (int field = 0; field < 4; field++) {
        sz_sampler_input other = in;
        other.seed += field == 0;
        other.stream += field == 1;
        other.n_history += field == 2;
        other.stage += field == 3;
        assert_true(first != sz_sampler_uniform(&other, 0));
    }
    for (in.n_history = 0; in.n_history < 1000; in.n_history++) {
        double u = sz_sampler_uniform(&in, 0);
        assert_true(u >= 0 && u < 1);
        sum += u;
    }
    SZ_CHECK_ABS(sum / 1000, 0.5, 0.03);
}

static void every_kind_is_complete(void **state) {
    const sz_sampler_kind *const *kinds = sz_sampler_kinds();
    for (size_t i = 0; kinds[i]; i++) {
        sz_chain *chain;
        assert_true(kinds[i]->help[0] != 0 && kinds[i]->apply != NULL);
        SZ_CHECK_OK(sz_chain_parse(kinds[i]->name, &chain)); /* defaults are in range */
        sz_chain_free(chain);
        for (const sz_option *o = kinds[i]->options; o && o->name; o++)
            assert_true(o->help[0] != 0 && o->value >= o->min && o->value <= o->max);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy_keeps_the_first_of_the_likeliest),
        cmocka_unit_test(temperature_divides),
        cmocka_unit_test(top_k_keeps_the_k_likeliest),
        cmocka_unit_test(top_p_keeps_the_smallest_set_with_mass_p),
        cmocka_unit_test(top_p_at_its_ends_and_with_ties),
        cmocka_unit_test(a_large_flat_vocabulary_is_cut_right),
        cmocka_unit_test(min_p_compares_with_the_likeliest),
        cmocka_unit_test(penalties_count_what_was_seen),
        cmocka_unit_test(the_order_of_a_chain_matters),
        cmocka_unit_test(wrong_chains_are_explained),
        cmocka_unit_test(a_chain_tells_what_each_stage_kept),
        cmocka_unit_test(a_chain_explains_each_stage),
        cmocka_unit_test(drawing_needs_logits),
        cmocka_unit_test(states_are_cloned_and_released),
        cmocka_unit_test(samplers_that_fail_are_reported),
        cmocka_unit_test(random_numbers_of_samplers_are_their_own),
        cmocka_unit_test(every_kind_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
