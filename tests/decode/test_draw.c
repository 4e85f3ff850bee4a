/* Draws follow the distribution that they are said to come from, and their records tell of it. */
#include "check.h"
#include "decode/session.h"
#include "support/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const tiny_model config = {.seed = 33, .n_embd = 32, .n_ff = 32};

typedef struct fixture {
    engine e;
    sz_session *s;
    sz_sequence *q;
    uint32_t n_vocab;
} fixture;

static int open_fixture(void **state) {
    static const int32_t prompt[] = {1, 2, 3, 4};
    fixture *f = calloc(1, sizeof *f);
    SZ_CHECK_OK(engine_open_tiny(&config, 1, NULL, &f->e));
    SZ_CHECK_OK(sz_session_new(f->e.model, NULL, &f->s));
    SZ_CHECK_OK(sz_session_prompt_ids(f->s, 0, prompt, 4));
    f->q = &f->s->sequences[0];
    f->n_vocab = f->e.model->h.n_vocab;
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    sz_session_free(f->s);
    engine_close(&f->e);
    free(f);
    return 0;
}

/* Probabilities of the model at a temperature, of ids whose logit is at least `limit`. */
static void probabilities(const fixture *f, double temperature, double limit, double *p) {
    double sum = 0;
    for (uint32_t i = 0; i < f->n_vocab; i++) {
        double z = (double)f->q->logits[i];
        p[i] = z < limit ? 0 : exp((z - (double)f->q->stats.max) / temperature);
        sum += p[i];
    }
    for (uint32_t i = 0; i < f->n_vocab; i++)
        p[i] /= sum;
}

/* Pearson's statistic of counts against n p, rare ids together; it has mean df, variance 2 df. */
static void check_counts(const uint32_t *count, const double *p, uint32_t n_vocab, double n) {
    double chi = 0, rare_expected = 0, rare_seen = 0;
    int df = -1;
    for (uint32_t i = 0; i < n_vocab; i++) {
        if (p[i] == 0)
            assert_int_equal(count[i], 0);
        if (n * p[i] < 10) {
            rare_expected += n * p[i];
            rare_seen += count[i];
            continue;
        }
        chi += (count[i] - n * p[i]) * (count[i] - n * p[i]) / (n * p[i]);
        df++;
    }
    if (rare_expected >= 10) {
        chi += (rare_seen - rare_expected) * (rare_seen - rare_expected) / rare_expected;
        df++;
    }
    assert_true(df > 3);
    if (!(fabs(chi - df) < 5 * sqrt(2.0 * df)))
        fail_msg("chi-square is %.1f for %d degrees of freedom", chi, df);
}

enum { DRAWS = 20000 };

/* Draws with another seed, stream or position each time: each way must be random by itself. */
static void draws_have_their_frequencies(void **state) {
    const fixture *f = *state;
    double *p = malloc(f->n_vocab * sizeof *p);
    SZ_CHECK_OK(sz_session_set_sampler(f->s, 0, "temperature 0.5", 0));
    probabilities(f, 0.5, -INFINITY, p);
    for (int way = 0; way < 3; way++) {
        uint32_t *count = calloc(f->n_vocab, sizeof *count);
        sz_sequence q = *f->q;
        q.records = calloc(DRAWS, sizeof *q.records); /* never looked at by these samplers */
        for (uint64_t i = 0; i < DRAWS; i++) {
            sz_token t;
            q.seed = way == 0 ? i : 77;
            q.stream = way == 1 ? i : 5;
            q.n_records = way == 2 ? i : 4;
            SZ_CHECK_OK(sz_session_draw(f->s, &q, &t));
            count[t.id]++;
        }
        check_counts(count, p, f->n_vocab, DRAWS);
        free(q.records);
        free(count);
    }
    free(p);
}

static void filtered_draws_have_theirs(void **state) {
    const fixture *f = *state;
    double *p = malloc(f->n_vocab * sizeof *p), surprisal = 0;
    uint32_t *count = calloc(f->n_vocab, sizeof *count);
    sz_token t;
    SZ_CHECK_OK(sz_session_set_sampler(f->s, 0, "min-p 0.1, temperature 2", 0));
    probabilities(f, 2, (double)f->q->stats.max + log(0.1), p);
    for (f->q->seed = 0; f->q->seed < DRAWS; f->q->seed++) {
        SZ_CHECK_OK(sz_session_draw(f->s, f->q, &t));
        count[t.id]++;
        surprisal += (double)t.draw_surprisal;
    }
    check_counts(count, p, f->n_vocab, DRAWS);
    SZ_CHECK_ABS(surprisal / DRAWS, (double)t.draw_entropy, 0.02); /* its mean is the entropy */
    free(count);
    free(p);
}

static void a_record_tells_what_was_kept(void **state) {
    const fixture *f = *state;
    double *p = malloc(f->n_vocab * sizeof *p), *model = malloc(f->n_vocab * sizeof *model);
    sz_token t;
    SZ_CHECK_OK(sz_session_set_sampler(f->s, 0, "min-p 0.2, temperature 1.7", 12));
    probabilities(f, 1.7, (double)f->q->stats.max + log(0.2), p);
    probabilities(f, 1, -INFINITY, model);
    SZ_CHECK_OK(sz_session_draw(f->s, f->q, &t));
    double entropy = 0, mass = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->n_vocab; i++) {
        entropy -= p[i] > 0 ? p[i] * log(p[i]) : 0;
        mass += p[i] > 0 ? model[i] : 0;
        n += p[i] > 0;
    }
    assert_true(n > 1 && n < f->n_vocab);
    assert_int_equal(t.kept_n, n);
    SZ_CHECK_ABS((double)t.kept_mass, mass, 1e-6);
    SZ_CHECK_ABS((double)t.draw_entropy, entropy, 1e-5);
    SZ_CHECK_ABS((double)t.draw_surprisal, -log(p[t.id]), 1e-5);
    SZ_CHECK_ABS((double)t.surprisal, -log(model[t.id]), 1e-5);
    SZ_CHECK_ABS((double)t.entropy, f->q->stats.entropy, 1e-6);
    free(model);
    free(p);
}

static void greedy_needs_no_chain(void **state) {
    const fixture *f = *state;
    sz_token plain, chained, cold;
    SZ_CHECK_OK(sz_session_set_sampler(f->s, 0, NULL, 0));
    SZ_CHECK_OK(sz_session_draw(f->s, f->q, &plain));
    SZ_CHECK_OK(sz_session_set_sampler(f->s, 0, "greedy", 0));
    SZ_CHECK_OK(sz_session_draw(f->s, f->q, &chained));
    SZ_CHECK_OK(sz_session_set_sampler(f->s, 0, "temperature 0", 0));
    SZ_CHECK_OK(sz_session_draw(f->s, f->q, &cold));
    assert_memory_equal(&plain, &chained, sizeof plain);
    assert_memory_equal(&plain, &cold, sizeof plain);
    assert_int_equal(plain.id, f->q->stats.argmax);
    assert_true(plain.draw_surprisal == 0 && plain.draw_entropy == 0 && plain.kept_n == 1);
    SZ_CHECK_ABS((double)plain.kept_mass, exp(-(double)plain.surprisal), 1e-6);
}

static void the_empty_chain_is_the_model_itself(void **state) {
    const fixture *f = *state;
    sz_token t;
    SZ_CHECK_OK(sz_session_set_sampler(f->s, 0, "", 4));
    SZ_CHECK_OK(sz_session_draw(f->s, f->q, &t));
    assert_true(t.kept_n == f->n_vocab && t.kept_mass == 1);
    SZ_CHECK_ABS((double)t.draw_entropy, (double)t.entropy, 1e-5);
    SZ_CHECK_ABS((double)t.draw_surprisal, (double)t.surprisal, 1e-5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_have_their_frequencies),
        cmocka_unit_test(filtered_draws_have_theirs),
        cmocka_unit_test(a_record_tells_what_was_kept),
        cmocka_unit_test(greedy_needs_no_chain),
        cmocka_unit_test(the_empty_chain_is_the_model_itself),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
