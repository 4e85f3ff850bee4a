/* cot.c: CoT information, and the numbers of examples that follow from it. */
#include "cot.h"
#include <math.h>
#include <szilard/unstable/info.h>
#include <szilard/unstable/num.h>

/* ---- Agreement ---------------------------------------------------------------------------------
 */

static size_t count_equal(const uint32_t *a, const uint32_t *b, size_t n) {
    uint32_t count = 0; /* tables have fewer cells */
    for (size_t x = 0; x < n; x++)
        count += a[x] == b[x];
    return count;
}

double sz_cot_agreement(const sz_cot_class *c, const uint32_t *a, const uint32_t *b,
                        const double *p) {
    if (c->uniform && p == c->p)
        return (double)count_equal(a, b, c->n_inputs) / (double)c->n_inputs;
    double sum = 0.0, lost = 0.0;
    for (size_t x = 0; x < c->n_inputs; x++) {
        if (a[x] != b[x])
            continue;
        double term = p[x] - lost, next = sum + term; /* compensated */
        lost = (next - sum) - term;
        sum = next;
    }
    return sum < 1.0 ? sum : 1.0;
}

double sz_cot_nats(double agreement) {
    if (agreement >= 1.0)
        return 0.0;
    return agreement > 0.0 ? -sz_log(agreement) : INFINITY;
}

static const uint32_t *outputs(const sz_cot_class *c, size_t h) {
    return c->y + h * c->n_inputs;
}
static const uint32_t *answers(const sz_cot_class *c, size_t h) {
    return c->yz + h * c->n_inputs;
}

/* Summed over the inputs that differ: small risks keep their digits. */
double sz_cot_disagreement(const sz_cot_class *c, size_t a, size_t b, const double *p) {
    const uint32_t *u = outputs(c, a), *v = outputs(c, b);
    if (c->uniform && (!p || p == c->p))
        return (double)(c->n_inputs - count_equal(u, v, c->n_inputs)) / (double)c->n_inputs;
    double sum = 0.0, lost = 0.0;
    const double *w = p ? p : c->p;
    for (size_t x = 0; x < c->n_inputs; x++) {
        if (u[x] == v[x])
            continue;
        double term = w[x] - lost, next = sum + term;
        lost = (next - sum) - term;
        sum = next;
    }
    return sum < 1.0 ? sum : 1.0;
}

sz_status sz_cot_check(const sz_cot_class *c, size_t star, double eps, double delta) {
    SZ_REQUIRE(c, SZ_E_ARG, "there is no class");
    SZ_REQUIRE(star < c->n_hypotheses, SZ_E_ARG, "hypothesis %zu is not one of %zu", star,
               c->n_hypotheses);
    SZ_REQUIRE(eps >= 0.0 && eps < 1.0, SZ_E_ARG, "eps = %g is not in [0, 1)", eps);
    SZ_REQUIRE(delta > 0.0 && delta < 1.0, SZ_E_ARG, "delta = %g is not in (0, 1)", delta);
    return SZ_OK;
}

sz_status sz_cot_relative(const sz_cot_class *c, size_t h1, size_t h2, double *nats,
                          double *disagreement) {
    SZ_TRY(sz_cot_check(c, h1, 0.0, 0.5));
    SZ_TRY(sz_cot_check(c, h2, 0.0, 0.5));
    *nats = sz_cot_nats(sz_cot_agreement(c, answers(c, h1), answers(c, h2), c->p));
    *disagreement = sz_cot_disagreement(c, h1, h2, NULL);
    return SZ_OK;
}

/* ---- Draws of a larger support -----------------------------------------------------------------
 */

/* P[at most k of n], each with probability p. */
static double binomial_tail(size_t k, size_t n, double p) {
    double sum = 0.0, log_p = sz_log(p), log_q = sz_log1p(-p);
    for (size_t i = 0; i <= k; i++)
        sum += sz_exp(sz_log_gamma((double)n + 1.0) - sz_log_gamma((double)i + 1.0) -
                      sz_log_gamma((double)(n - i) + 1.0) + (double)i * log_p +
                      (double)(n - i) * log_q);
    return sum;
}

/* Clopper and Pearson: the probability under which at most k of n would happen with chance alpha.
 */
static double upper_limit(size_t k, size_t n, double alpha) {
    double low = (double)k / (double)n, high = 1.0;
    if (k >= n)
        return 1.0;
    if (k == 0) /* in closed form: no rounding near the likeliest case */
        return 1.0 - sz_exp(sz_log(alpha) / (double)n);
    for (int i = 0; i < 60; i++) {
        double middle = low + (high - low) / 2;
        if (binomial_tail(k, n, middle) > alpha)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* ---- Information -------------------------------------------------------------------------------
 */

typedef struct search {
    const sz_cot_class *c;
    size_t star;
    double eps, alpha;    /* alpha: of the confidence limits */
    const double *test_p; /* NULL: p */
} search;

/* Agreement that may be claimed of the table's. */
static double claimed(const search *s, double agreement) {
    const sz_cot_class *c = s->c;
    if (c->n_draws == 0)
        return agreement;
    return upper_limit((size_t)(agreement * (double)c->n_draws + 0.5), c->n_draws, s->alpha);
}

static sz_cot_info find(const search *s) {
    const sz_cot_class *c = s->c;
    double cot = 0.0, e2e = 0.0; /* largest agreements of bad hypotheses */
    sz_cot_info out = {.worst = SIZE_MAX};
    for (size_t h = 0; h < c->n_hypotheses; h++) {
        double d = sz_cot_disagreement(c, s->star, h, s->test_p);
        if (!(d > s->eps + SZ_COT_SLACK))
            continue;
        double a = sz_cot_agreement(c, answers(c, s->star), answers(c, h), c->p);
        double b =
            s->test_p ? sz_cot_agreement(c, outputs(c, s->star), outputs(c, h), c->p) : 1.0 - d;
        if (out.n_bad++ == 0 || a > cot) {
            cot = a;
            out.worst = h;
        }
        e2e = b > e2e ? b : e2e;
    }
    bool none = out.n_bad == 0;
    out.cot = none ? INFINITY : sz_cot_nats(claimed(s, cot));
    out.e2e = none ? INFINITY : sz_cot_nats(claimed(s, e2e));
    return out;
}

/* Examples after which e^-mI is below `wanted` nats: none where nothing is bad, one where each bad
 * one shows at once. */
static double enough(double wanted, double nats, size_t n_bad) {
    if (n_bad == 0)
        return 0.0;
    if (nats == INFINITY)
        return 1.0;
    return nats > 0.0 ? ceil(wanted / nats) : INFINITY;
}

sz_status sz_cot_information(const sz_cot_class *c, size_t star, double eps, double delta,
                             const double *test_p, sz_cot_info *out) {
    SZ_TRY(sz_cot_check(c, star, eps, delta));
    double share = c->n_draws ? delta / 2 : delta;
    search s = {c, star, eps, share / (double)c->n_hypotheses, test_p};
    sz_cot_info r = find(&s);
    double wanted = sz_log((double)c->n_hypotheses) - sz_log(share);
    r.upper_cot = enough(wanted, r.cot, r.n_bad);
    r.upper_e2e = enough(wanted, r.e2e, r.n_bad);
    r.lower_cot = r.cot < INFINITY && r.cot > 0.0 ? -sz_log(share) / r.cot : 0.0;
    *out = r;
    return SZ_OK;
}

typedef struct all_stars {
    const sz_cot_class *c;
    double eps;
    double *nats;
} all_stars;

static void one_star(void *context, size_t star, int thread) {
    const all_stars *a = context;
    search s = {a->c, star, a->eps, 0.5, NULL};
    (void)thread;
    a->nats[star] = find(&s).cot;
}

sz_status sz_cot_information_all(const sz_cot_class *c, double eps, sz_pool *pool, double *nats) {
    SZ_TRY(sz_cot_check(c, 0, eps, 0.5));
    all_stars a = {c, eps, nats};
    if (pool)
        sz_pool_run(pool, one_star, &a, c->n_hypotheses);
    for (size_t h = 0; !pool && h < c->n_hypotheses; h++)
        one_star(&a, h, 0);
    return SZ_OK;
}

sz_status sz_cot_two_point(const sz_cot_class *c, size_t star, double m, double *out) {
    SZ_TRY(sz_cot_check(c, star, 0.0, 0.5));
    SZ_REQUIRE(m >= 0.0 && m < INFINITY, SZ_E_ARG, "%g examples", m);
    double most = 0.0;
    for (size_t h = 0; h < c->n_hypotheses; h++) {
        double i = sz_cot_nats(sz_cot_agreement(c, answers(c, star), answers(c, h), c->p));
        double d = sz_cot_disagreement(c, star, h, NULL);
        double survives = m == 0.0 ? 1.0 : i == INFINITY ? 0.0 : sz_exp(-m * i);
        most = d * survives > most ? d * survives : most;
    }
    *out = 0.5 * most;
    return SZ_OK;
}

/* ---- Two kinds of examples ---------------------------------------------------------------------
 */

sz_status sz_cot_mixed(const sz_cot_class *c, size_t star, double eps, double delta, double m_cot,
                       double *m_plain) {
    SZ_TRY(sz_cot_check(c, star, eps, delta));
    SZ_REQUIRE(m_cot >= 0.0 && m_cot < INFINITY, SZ_E_ARG, "%g examples", m_cot);
    double wanted = sz_log((double)c->n_hypotheses) - sz_log(delta);
    *m_plain = 0.0;
    for (size_t h = 0; h < c->n_hypotheses; h++) {
        double d = sz_cot_disagreement(c, star, h, NULL);
        if (!(d > eps + SZ_COT_SLACK))
            continue;
        double i = sz_cot_nats(sz_cot_agreement(c, answers(c, star), answers(c, h), c->p));
        double left = m_cot == 0.0 ? wanted : i == INFINITY ? 0.0 : wanted - m_cot * i;
        double m = left > 0.0 ? enough(left, sz_cot_nats(1.0 - d), 1) : 0.0;
        *m_plain = m > *m_plain ? m : *m_plain;
    }
    return SZ_OK;
}

sz_status sz_cot_cheapest(const sz_cot_class *c, size_t star, double eps, double delta,
                          double price_cot, double price_plain, sz_cot_plan *out) {
    sz_cot_info info;
    SZ_REQUIRE(price_cot > 0.0 && price_plain > 0.0 && price_cot < INFINITY &&
                   price_plain < INFINITY,
               SZ_E_ARG, "prices are above 0");
    SZ_TRY(sz_cot_information(c, star, eps, delta, NULL, &info));
    SZ_REQUIRE(info.upper_cot <= 1e6, SZ_E_LIMIT, "%g annotated examples would be needed",
               info.upper_cot);
    sz_cot_plan best = {.price = INFINITY};
    for (double m = 0.0; m <= info.upper_cot; m += 1.0) {
        double plain;
        SZ_TRY(sz_cot_mixed(c, star, eps, delta, m, &plain));
        double price = m * price_cot + plain * price_plain;
        if (m == 0.0)
            best.all_plain = price;
        if (plain == 0.0 && best.all_cot == 0.0)
            best.all_cot = price;
        if (price < best.price) {
            best.price = price;
            best.m_cot = m;
            best.m_plain = plain;
        }
    }
    *out = best;
    return SZ_OK;
}

/* ---- Fano --------------------------------------------------------------------------------------
 */

sz_status sz_cot_fano(double packing, double channel_nats, double information, double *out) {
    SZ_REQUIRE(packing >= 1.0 && packing < INFINITY && channel_nats > 0.0 && information > 0.0,
               SZ_E_ARG, "a packing of %g, a channel of %g and %g nats", packing, channel_nats,
               information);
    double m = (0.5 * sz_log(packing) - sz_log(2.0)) / (channel_nats * information);
    *out = m > 0.0 ? m : 0.0;
    return SZ_OK;
}

sz_status sz_cot_packing(const sz_cot_class *c, double eps, size_t *members, size_t *n,
                         double *mean_nats) {
    SZ_TRY(sz_cot_check(c, 0, eps, 0.5));
    double sum = 0.0;
    *n = 0;
    for (size_t h = 0; h < c->n_hypotheses; h++) {
        bool apart = true;
        for (size_t i = 0; i < *n && apart; i++)
            apart = sz_cot_disagreement(c, members[i], h, NULL) > eps + SZ_COT_SLACK;
        if (apart)
            members[(*n)++] = h;
    }
    for (size_t i = 0; i < *n; i++)
        for (size_t j = 0; j < *n; j++)
            sum += sz_cot_nats(
                sz_cot_agreement(c, answers(c, members[i]), answers(c, members[j]), c->p));
    *mean_nats = sum / ((double)*n * (double)*n);
    return SZ_OK;
}

/* ---- Agnostic ----------------------------------------------------------------------------------
 */

typedef struct risks {
    double e2e, cot;
} risks;

static risks risks_of(const int64_t *y, const int64_t *z, const sz_cot_atom *atoms, size_t n) {
    risks r = {0.0, 0.0};
    for (size_t i = 0; i < n; i++) {
        bool wrong = y[atoms[i].x] != atoms[i].y;
        r.e2e += wrong ? atoms[i].p : 0.0;
        r.cot += wrong || z[atoms[i].x] != atoms[i].z ? atoms[i].p : 0.0;
    }
    return r;
}

static sz_status check_atoms(const sz_cot_atom *atoms, size_t n, size_t n_inputs) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        SZ_REQUIRE(atoms[i].x < n_inputs, SZ_E_ARG, "atom %zu: input %zu of %zu", i, atoms[i].x,
                   n_inputs);
        SZ_REQUIRE(atoms[i].p >= 0.0, SZ_E_ARG, "atom %zu has probability %g", i, atoms[i].p);
        sum += atoms[i].p;
    }
    SZ_REQUIRE(fabs(sum - 1.0) <= 1e-9, SZ_E_ARG, "the joint law sums to %.12g", sum);
    return SZ_OK;
}

sz_status sz_cot_agnostic(const int64_t *y, const int64_t *z, size_t n_hypotheses, size_t n_inputs,
                          const sz_cot_atom *atoms, size_t n_atoms, double eps, double *risk_e2e,
                          double *risk_cot, double *nats) {
    SZ_REQUIRE(y && z && atoms && nats && n_hypotheses > 0, SZ_E_ARG,
               "sz_cot_agnostic: nothing to do");
    SZ_REQUIRE(eps >= 0.0 && eps < 1.0, SZ_E_ARG, "eps = %g is not in [0, 1)", eps);
    SZ_TRY(check_atoms(atoms, n_atoms, n_inputs));
    risks best = {INFINITY, INFINITY};
    for (size_t h = 0; h < n_hypotheses; h++) {
        risks r = risks_of(y + h * n_inputs, z + h * n_inputs, atoms, n_atoms);
        best.e2e = r.e2e < best.e2e ? r.e2e : best.e2e;
        best.cot = r.cot < best.cot ? r.cot : best.cot;
        if (risk_e2e)
            risk_e2e[h] = r.e2e;
        if (risk_cot)
            risk_cot[h] = r.cot;
    }
    *nats = INFINITY;
    for (size_t h = 0; h < n_hypotheses; h++) {
        risks r = risks_of(y + h * n_inputs, z + h * n_inputs, atoms, n_atoms);
        double excess = r.cot - best.cot;
        if (r.e2e - best.e2e >= eps - SZ_COT_SLACK && excess < *nats)
            *nats = excess;
    }
    return SZ_OK;
}
