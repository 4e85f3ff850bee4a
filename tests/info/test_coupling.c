/* test_coupling.c: what holds for every coupling, encoder and iterative coupling; bad inputs. */
#include "check.h"

#include <math.h>
#include <string.h>

#include <szilard/unstable/coupling.h>

enum { MOST = 64 };
static const double bit = 0.69314718055994530942;

static double uniform(void) {
    static uint64_t counter;
    return sz_uniform(11, 4, counter++);
}

static size_t random_law(double *p, size_t n, double spread, bool holes) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        p[i] = holes && i > 0 && uniform() < 0.3 ? 0 : exp(spread * uniform());
        sum += p[i];
    }
    for (size_t i = 0; i < n; i++)
        p[i] /= sum;
    return n;
}

static void check_marginal(const sz_coupling *c, size_t side, const double *p, size_t n) {
    uint64_t want[MOST], got[MOST] = {0};
    SZ_CHECK_OK(sz_mass_from_probabilities(p, n, want));
    for (size_t i = 0; i < c->n; i++) {
        assert_true(c->mass[i] > 0);
        got[c->index[c->k * i + side]] += c->mass[i];
    }
    assert_memory_equal(want, got, n * sizeof *want);
}

typedef sz_status (*coupler)(const double *, size_t, const double *, size_t, sz_coupling *);

static double entropy_of(coupler make, const double *p, size_t n_p, const double *q, size_t n_q) {
    sz_coupling c;
    SZ_CHECK_OK(make(p, n_p, q, n_q, &c));
    assert_true(c.n <= n_p + n_q - 1);
    check_marginal(&c, 0, p, n_p);
    check_marginal(&c, 1, q, n_q);
    double h = sz_coupling_entropy(&c);
    sz_coupling_free(&c);
    return h;
}

static void marginals_are_exact_and_entropies_within_bounds(void **state) {
    double p[MOST], q[MOST], h_p, h_q;
    for (int round = 0; round < 300; round++) {
        size_t n_p = 1 + (size_t)(uniform() * 40), n_q = 1 + (size_t)(uniform() * 40);
        random_law(p, n_p, 6 * uniform(), round % 2);
        random_law(q, n_q, 6 * uniform(), round % 3);
        sz_mec_bounds b;
        SZ_CHECK_OK(sz_mec_bound(p, n_p, q, n_q, &b));
        SZ_CHECK_OK(sz_entropy_shannon(p, n_p, &h_p));
        SZ_CHECK_OK(sz_entropy_shannon(q, n_q, &h_q));
        double greedy = entropy_of(sz_mec_greedy, p, n_p, q, n_q);
        double zero = entropy_of(sz_mec_zero_seeking, p, n_p, q, n_q);
        double most = (h_p > h_q ? h_p : h_q);
        assert_true(b.lower >= most - 1e-9 && b.lower <= greedy + 1e-9 && b.lower <= zero + 1e-9);
        assert_true(greedy <= b.meet + 1 + 1e-9); /* log2 e bits */
        assert_true(greedy <= b.lower + 0.5307 * bit);
        assert_true(greedy <= h_p + h_q + 1e-9 && zero <= h_p + h_q + 1e-9);
    }
}

/* All vertices by brute force: every order of saturating cells of a 3 x 3 table. */
static double least_entropy(uint64_t *p, uint64_t *q, size_t n) {
    double best = INFINITY;
    bool done = true;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            uint64_t a = p[i], b = q[j], m = a < b ? a : b;
            if (m == 0)
                continue;
            done = false;
            p[i] -= m;
            q[j] -= m;
            double x = (double)m * 0x1p-62, h = least_entropy(p, q, n) - x * log(x);
            best = h < best ? h : best;
            p[i] = a;
            q[j] = b;
        }
    return done ? 0 : best;
}

static void exact_is_the_least_of_all_vertices(void **state) {
    double p[MOST], q[MOST];
    uint64_t a[3], b[3];
    for (int round = 0; round < 100; round++) {
        random_law(p, 3, 4 * uniform(), false);
        random_law(q, 3, 4 * uniform(), false);
        SZ_CHECK_OK(sz_mass_from_probabilities(p, 3, a));
        SZ_CHECK_OK(sz_mass_from_probabilities(q, 3, b));
        SZ_CHECK_ABS(entropy_of(sz_mec_exact, p, 3, q, 3), least_entropy(a, b, 3), 1e-9);
    }
    for (int round = 0; round < 20; round++) { /* and never above what others find */
        size_t n_p = 1 + (size_t)(uniform() * 5), n_q = 1 + (size_t)(uniform() * 5);
        random_law(p, n_p, 3, round % 2);
        random_law(q, n_q, 3, round % 2);
        double exact = entropy_of(sz_mec_exact, p, n_p, q, n_q), greedy, zero;
        greedy = entropy_of(sz_mec_greedy, p, n_p, q, n_q);
        zero = entropy_of(sz_mec_zero_seeking, p, n_p, q, n_q);
        sz_mec_bounds b;
        SZ_CHECK_OK(sz_mec_bound(p, n_p, q, n_q, &b));
        assert_true(exact <= greedy + 1e-12 && exact <= zero + 1e-12 && exact >= b.lower - 1e-9);
        assert_true(greedy - exact <= 0.5307 * bit);
    }
}

static void many_marginals(void **state) {
    double law[5][MOST];
    const double *p[5] = {law[0], law[1], law[2], law[3], law[4]};
    size_t n[5], k, cells;
    for (int round = 0; round < 50; round++) {
        k = 1 + (size_t)(uniform() * 5);
        cells = 1;
        for (size_t i = 0; i < k; i++) {
            n[i] = random_law(law[i], 1 + (size_t)(uniform() * 30), 3, round % 2);
            cells += n[i] - 1;
        }
        sz_coupling c;
        SZ_CHECK_OK(sz_mec_greedy_many(p, n, k, &c));
        assert_true(c.n <= cells && c.k == k);
        for (size_t i = 0; i < k; i++)
            check_marginal(&c, i, law[i], n[i]);
        sz_coupling_free(&c);
    }
}

static void large_marginals_end_exactly(void **state) {
    enum { N_P = 1024, N_Q = 50000 };
    double *p = sz_alloc(N_P * sizeof *p), *q = sz_alloc(N_Q * sizeof *q);
    sz_coupling c;
    random_law(p, N_P, 1, false);
    random_law(q, N_Q, 12, true);
    SZ_CHECK_OK(sz_mec_greedy(p, N_P, q, N_Q, &c));
    uint64_t sum = 0;
    for (size_t i = 0; i < c.n; i++)
        sum += c.mass[i];
    assert_true(sum == SZ_MASS_ONE && c.n <= N_P + N_Q - 1);
    sz_coupling_free(&c);
    sz_free(p);
    sz_free(q);
}

/* Law, entropy and information of T recomputed from the encoder itself. */
static void check_encoder(const double *p, size_t n, const sz_ebim_code *c) {
    double law[MOST + 1] = {0}, h = 0, h_of_x = 0;
    for (size_t x = 0; x < n; x++) {
        bool split = c->split_mass > 0 && x == c->split_symbol;
        assert_true(c->code[x] < c->n_codes);
        law[c->code[x]] += split ? p[x] - c->split_mass : p[x];
        if (split) {
            assert_true(c->split_mass <= p[x] && c->split_code != c->code[x]);
            law[c->split_code] += c->split_mass;
            double s = c->split_mass / p[x];
            h_of_x = s < 1 ? -p[x] * (s * log(s) + (1 - s) * log1p(-s)) : 0;
        }
    }
    for (size_t t = 0; t < c->n_codes; t++) {
        SZ_CHECK_ABS(c->law[t], law[t], 1e-12);
        h -= law[t] > 0 ? law[t] * log(law[t]) : 0;
    }
    SZ_CHECK_ABS(c->rate, h, 1e-9);
    SZ_CHECK_ABS(c->information, h - h_of_x, 1e-9);
}

static void encoders_keep_the_rate_and_the_gap(void **state) {
    double p[MOST], h_x;
    for (int round = 0; round < 60; round++) {
        size_t n = round < 20 ? 1 + (size_t)(uniform() * 7) : 2 + (size_t)(uniform() * 60);
        random_law(p, n, 5 * uniform(), round % 2);
        SZ_CHECK_OK(sz_entropy_shannon(p, n, &h_x));
        double before[3] = {0};
        for (int step = 0; step <= 6; step++) {
            double rate = h_x * step / 6, greedy = 0;
            for (int method = SZ_EBIM_GREEDY; method <= SZ_EBIM_ONE_SPLIT; method++) {
                sz_ebim_code c;
                SZ_CHECK_OK(sz_ebim(p, n, rate, (sz_ebim_method)method, &c));
                check_encoder(p, n, &c);
                assert_true(c.rate <= rate + 1e-9 && c.information <= c.rate + 1e-9);
                assert_true(c.information <= h_x + 1e-9);
                greedy = method == SZ_EBIM_GREEDY ? c.information : greedy;
                assert_true(c.information >= greedy - 1e-12);
                assert_true(rate - c.information <= c.gap_bound + 1e-9);
                if (method == SZ_EBIM_ONE_SPLIT && n <= SZ_EBIM_ALL_MAPS)
                    assert_true(c.information >= before[method] - 1e-9);
                before[method] = c.information;
                assert_int_equal(c.identity, rate >= h_x - 1e-12);
                sz_ebim_code_free(&c);
            }
        }
    }
}

static void bottleneck_keeps_marginals_and_its_bound(void **state) {
    double p[MOST], q[MOST], h_x;
    for (int round = 0; round < 60; round++) {
        size_t n_x = 1 + (size_t)(uniform() * 9), n_y = 1 + (size_t)(uniform() * 9);
        random_law(p, n_x, 3, round % 2);
        random_law(q, n_y, 3, round % 2);
        SZ_CHECK_OK(sz_entropy_shannon(p, n_x, &h_x));
        sz_mecb m;
        double rate = 1.1 * h_x * uniform();
        SZ_CHECK_OK(sz_mecb_solve(p, n_x, q, n_y, rate,
                                  round % 2 ? SZ_EBIM_ONE_SPLIT : SZ_EBIM_GREEDY, &m));
        assert_true(m.i_xy >= m.lower - 1e-9);
        assert_true(m.i_xy <= m.i_xt + 1e-9 && m.i_xy <= m.i_ty + 1e-9); /* data processing */
        for (size_t x = 0; x < n_x; x++) {
            double row = 0;
            for (size_t y = 0; y < n_y; y++) {
                assert_true(m.joint[x * n_y + y] >= 0);
                row += m.joint[x * n_y + y];
            }
            SZ_CHECK_ABS(row, p[x], 1e-12);
        }
        for (size_t y = 0; y < n_y; y++) {
            double column = 0;
            for (size_t x = 0; x < n_x; x++)
                column += m.joint[x * n_y + y];
            SZ_CHECK_ABS(column, q[y], 1e-12);
        }
        sz_mecb_free(&m);
    }
}

/* Every message of two blocks, every sequence of symbols: the law of the sequences, averaged over
 * uniform messages, is the product of the laws q. */
static double sequence_law(const uint32_t *sequence, size_t steps, const double *q, size_t n,
                           const uint32_t *message) {
    sz_imec *m;
    double law = 1;
    SZ_CHECK_OK(sz_imec_new(2, 2, &m));
    for (size_t s = 0; s < steps && law > 0; s++) {
        sz_coupling c;
        double hit = 0, row = 0;
        SZ_CHECK_OK(sz_imec_couple(m, q + s * n, n, &c));
        for (size_t i = 0; i < c.n; i++)
            if (c.index[2 * i] == message[sz_imec_block(m)]) {
                row += (double)c.mass[i];
                hit += c.index[2 * i + 1] == sequence[s] ? (double)c.mass[i] : 0;
            }
        sz_coupling_free(&c);
        law *= hit / row;
        if (law > 0)
            SZ_CHECK_OK(sz_imec_decode(m, q + s * n, n, sequence[s]));
    }
    sz_imec_free(m);
    return law;
}

static void hidden_sequences_follow_the_exact_law(void **state) {
    enum { N = 3, STEPS = 4 };
    double q[STEPS * N];
    for (size_t s = 0; s < STEPS; s++)
        random_law(q + s * N, N, 2, false);
    for (uint32_t code = 0; code < 81; code++) {
        uint32_t sequence[STEPS], rest = code;
        double law = 0, product = 1;
        for (size_t s = 0; s < STEPS; s++, rest /= N) {
            sequence[s] = rest % N;
            product *= q[s * N + sequence[s]];
        }
        for (uint32_t x = 0; x < 16; x++)
            law += sequence_law(sequence, STEPS, q, N, (uint32_t[]){x / 4, x % 4}) / 16;
        SZ_CHECK_ABS(law, product, 1e-12);
    }
}

static void messages_arrive(void **state) {
    double q[20];
    for (int round = 0; round < 10; round++) {
        uint32_t message[6], got[6], symbol;
        sz_imec *sender, *receiver;
        SZ_CHECK_OK(sz_imec_new(6, 8, &sender));
        SZ_CHECK_OK(sz_imec_new(6, 8, &receiver));
        for (size_t b = 0; b < 6; b++)
            message[b] = (uint32_t)(256 * uniform());
        while (sz_imec_uncertainty(receiver) > 1e-9) {
            random_law(q, 20, 3, true);
            SZ_CHECK_OK(sz_imec_encode(sender, message, q, 20, uniform(), &symbol));
            SZ_CHECK_OK(sz_imec_decode(receiver, q, 20, symbol));
        }
        sz_imec_message(receiver, got);
        assert_memory_equal(message, got, sizeof got);
        sz_imec_free(sender);
        sz_imec_free(receiver);
    }
}

#define REFUSED(call, status, part)                                                                \
    do {                                                                                           \
        assert_int_equal(call, status);                                                            \
        if (!strstr(sz_last_error(), part))                                                        \
            fail_msg("'%s' does not tell of %s", sz_last_error(), part);                           \
    } while (0)

static void bad_inputs(void **state) {
    const double p[] = {0.5, 0.5}, off[] = {0.5, 0.6}, negative[] = {1.5, -0.5}, nan[] = {NAN, 1};
    double wide[30];
    sz_coupling c;
    sz_mec_bounds b;
    sz_ebim_code e;
    sz_mecb m;
    sz_imec *i;
    uint32_t symbol;
    for (size_t k = 0; k < 30; k++)
        wide[k] = 1.0 / 30;
    REFUSED(sz_mec_greedy(off, 2, p, 2, &c), SZ_E_ARG, "p is not");
    REFUSED(sz_mec_greedy(p, 2, negative, 2, &c), SZ_E_ARG, "q[1]");
    REFUSED(sz_mec_zero_seeking(p, 0, p, 2, &c), SZ_E_ARG, "p is empty");
    REFUSED(sz_mec_bound(p, 2, nan, 2, &b), SZ_E_ARG, "q[0]");
    REFUSED(sz_mec_exact(p, 2, wide, 30, &c), SZ_E_LIMIT, "2 x 30");
    REFUSED(
        sz_mec_greedy_many((const double *const[]){p, p, off}, (const size_t[]){2, 2, 2}, 3, &c),
        SZ_E_ARG, "marginal 2");
    REFUSED(sz_ebim(p, 2, -0.1, SZ_EBIM_GREEDY, &e), SZ_E_ARG, "-0.1");
    REFUSED(sz_ebim(p, 2, NAN, SZ_EBIM_GREEDY, &e), SZ_E_ARG, "rate");
    REFUSED(sz_mecb_solve(p, 2, off, 2, 1, SZ_EBIM_GREEDY, &m), SZ_E_ARG, "1.1");
    REFUSED(sz_imec_new(1, 17, &i), SZ_E_ARG, "17 bits");
    REFUSED(sz_imec_new(0, 8, &i), SZ_E_ARG, "0 blocks");
    SZ_CHECK_OK(sz_imec_new(1, 2, &i));
    REFUSED(sz_imec_encode(i, (uint32_t[]){4}, p, 2, 0.5, &symbol), SZ_E_ARG, "not < 4");
    REFUSED(sz_imec_encode(i, (uint32_t[]){0}, p, 2, 1, &symbol), SZ_E_ARG, "[0, 1)");
    REFUSED(sz_imec_decode(i, p, 2, 2), SZ_E_ARG, "symbol 2");
    sz_imec_free(i);
    const double one[] = {1, 0}; /* a single atom tells nothing */
    SZ_CHECK_OK(sz_mecb_solve(one, 2, p, 2, 0, SZ_EBIM_ONE_SPLIT, &m));
    assert_true(m.i_xy == 0 && m.encoder.identity);
    sz_mecb_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marginals_are_exact_and_entropies_within_bounds),
        cmocka_unit_test(exact_is_the_least_of_all_vertices),
        cmocka_unit_test(many_marginals),
        cmocka_unit_test(large_marginals_end_exactly),
        cmocka_unit_test(encoders_keep_the_rate_and_the_gap),
        cmocka_unit_test(bottleneck_keeps_marginals_and_its_bound),
        cmocka_unit_test(hidden_sequences_follow_the_exact_law),
        cmocka_unit_test(messages_arrive),
        cmocka_unit_test(bad_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
