/* ecmm.c: the exact solution, and the bound that shows how near the greedy one is. */
#include "ecmm.h"

#include <string.h>
#include <szilard/unstable/num.h>

typedef struct search {
    const double *p;
    double cost[SZ_ECMM_MOST]; /* -p ln p */
    size_t n;
    double budget, best;
    bool taken[SZ_ECMM_MOST], *chosen;
} search;

/* H of the set is ln g + c / g; feasible where c <= g (budget - ln g). */
static bool feasible(double g, double c, double budget) {
    return g > 0 && c <= g * (budget - sz_log(g)) + 1e-15;
}

/* The largest x in [0, p] for which the set with x more mass at the price -ln p is feasible;
 * negative if there is none. The slack (g + x)(budget - ln(g + x)) - c - x price is concave in x:
 * where it is negative at the start it can be positive around its peak only. */
static double fraction(double g, double c, double p, double budget) {
    double price = -sz_log(p), low = 0, high = p;
    if (feasible(g + p, c + p * price, budget))
        return p;
    if (g > 0 && !feasible(g, c, budget)) {
        low = sz_exp(budget - 1.0 - price) - g;
        if (!(low > 0 && low < p && feasible(g + low, c + low * price, budget)))
            return -1;
    }
    for (int i = 0; i < 60; i++) {
        double x = 0.5 * (low + high);
        if (feasible(g + x, c + x * price, budget))
            low = x;
        else
            high = x;
    }
    return low;
}

double sz_ecmm_bound(double g, double c, double p_next, double budget) {
    double x = p_next > 0 ? fraction(g, c, p_next, budget) : 0;
    return x > 0 ? g + x : g;
}

/* The largest mass that tokens i.. could bring, taken in fractions, likeliest first; negative where
 * no such mass makes the set feasible. */
static double relaxed(const search *s, size_t i, double g, double c) {
    double best = feasible(g, c, s->budget) ? g : -1;
    for (; i < s->n && s->p[i] > 0; i++) {
        double x = fraction(g, c, s->p[i], s->budget);
        best = x >= 0 ? g + x : best;
        g += s->p[i];
        c += s->cost[i];
    }
    return best;
}

static void branch(search *s, size_t i, double g, double c) {
    if (feasible(g, c, s->budget) && g > s->best) {
        s->best = g;
        memcpy(s->chosen, s->taken, s->n * sizeof *s->taken);
    }
    if (i == s->n || relaxed(s, i, g, c) <= s->best + 1e-15)
        return;
    s->taken[i] = true;
    branch(s, i + 1, g + s->p[i], c + s->cost[i]);
    s->taken[i] = false;
    branch(s, i + 1, g, c);
}

sz_status sz_ecmm_exact(const double *p, size_t n, double budget, bool *chosen, double *mass) {
    search s = {.p = p, .n = n, .budget = budget, .chosen = chosen};
    SZ_REQUIRE(n >= 1 && n <= SZ_ECMM_MOST, SZ_E_ARG, "%zu tokens: 1 to %d can be solved exactly",
               n, SZ_ECMM_MOST);
    for (size_t i = 0; i < n; i++) {
        SZ_REQUIRE(p[i] >= 0 && (i == 0 || p[i] <= p[i - 1]), SZ_E_ARG,
                   "probability %zu is negative or larger than the one before", i);
        s.cost[i] = p[i] > 0 ? -p[i] * sz_log(p[i]) : 0;
    }
    memset(chosen, 0, n * sizeof *chosen);
    branch(&s, 0, 0, 0);
    *mass = s.best;
    return SZ_OK;
}
