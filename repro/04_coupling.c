/* 04_coupling.c: couplings of random marginals against their bounds, and the coding game with a
 * rate limit: an agent in a noisy grid world whose actions carry a message. Hiding follows in
 * 04_hiding.c. */
#include "repro.h"

#include <math.h>
#include <szilard/unstable/coupling.h>
#include <szilard/unstable/num.h>

typedef struct source {
    uint64_t seed, stream, counter;
} source;

static double uniform(source *s) {
    return sz_uniform(s->seed, s->stream, s->counter++);
}

/* Index drawn from weights [n]. */
static size_t draw(source *s, const double *weight, size_t n) {
    double sum = 0, target;
    for (size_t i = 0; i < n; i++)
        sum += weight[i];
    target = sum * uniform(s);
    size_t i = 0;
    for (sum = weight[0]; i + 1 < n && sum <= target; sum += weight[i])
        i++;
    return i;
}

/* ---- Couplings ------------------------------------------------------------------------------- */

static void random_law(source *s, double *p, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += p[i] = uniform(s);
    for (size_t i = 0; i < n; i++)
        p[i] /= sum;
}

static sz_status entropy_by(sz_status (*make)(const double *, size_t, const double *, size_t,
                                              sz_coupling *),
                            const double *p, const double *q, size_t n, double *bits) {
    sz_coupling c;
    SZ_TRY(make(p, n, q, n, &c));
    *bits = sz_unit_convert(sz_coupling_entropy(&c), SZ_BIT);
    sz_coupling_free(&c);
    return SZ_OK;
}

static sz_status couplings(sz_repro_run *run) {
    enum { PAIRS = 100, N = 8 };
    source s = {run->seed, 4, 0};
    double p[N], q[N], independent = 0, greedy = 0, zero = 0, worst = 0;
    for (int i = 0; i < PAIRS; i++) {
        double h_p, h_q, g, z;
        sz_mec_bounds b;
        random_law(&s, p, N);
        random_law(&s, q, N);
        SZ_TRY(sz_entropy_shannon(p, N, &h_p));
        SZ_TRY(sz_entropy_shannon(q, N, &h_q));
        SZ_TRY(sz_mec_bound(p, N, q, N, &b));
        SZ_TRY(entropy_by(sz_mec_greedy, p, q, N, &g));
        SZ_TRY(entropy_by(sz_mec_zero_seeking, p, q, N, &z));
        double gap = g - sz_unit_convert(b.lower, SZ_BIT);
        worst = gap > worst ? gap : worst;
        independent += sz_unit_convert(h_p + h_q, SZ_BIT) / PAIRS;
        greedy += g / PAIRS;
        zero += z / PAIRS;
    }
    sz_repro_check(run, "5.44", independent, ">=", greedy + 1,
                   "100 pairs of 8: independent coupling, bits (a bit more than the greedy)");
    sz_repro_check(run, "2.95", greedy, "<=", 3.3, "100 pairs of 8: greedy coupling, bits");
    sz_repro_check(run, "2.94", zero, "<=", greedy + 0.02, "100 pairs of 8: zero-seeking, bits");
    sz_repro_check(run, "log2(e)/e", worst, "<=", 0.5307,
                   "largest distance of the greedy from the lower bound, bits");
    return SZ_OK;
}

/* ---- The grid world -------------------------------------------------------------------------- */

enum { SIDE = 6, STATES = SIDE * SIDE, ACTIONS = 4, GOAL = 35, TRAP = 2 * SIDE + 3, HORIZON = 100 };
static const double slip = 0.1, discount = 0.95;

static bool is_wall(int row, int column) {
    return (row == 1 && column == 1) || (row == 3 && column == 3) || (row == 4 && column == 1);
}

static int step(int state, int action) {
    static const int rows[] = {-1, 1, 0, 0}, columns[] = {0, 0, -1, 1};
    int row = state / SIDE + rows[action], column = state % SIDE + columns[action];
    bool inside = row >= 0 && row < SIDE && column >= 0 && column < SIDE;
    return inside && !is_wall(row, column) ? row * SIDE + column : state;
}

static double reward(int state) {
    return state == GOAL ? 1 : state == TRAP ? -1 : 0;
}

static bool is_end(int state) {
    return state == GOAL || state == TRAP;
}

/* Soft value iteration: policy [STATES][ACTIONS]. */
static void soft_policy(double beta, double policy[STATES][ACTIONS]) {
    double value[STATES] = {0}, q[ACTIONS];
    for (int sweep = 0; sweep < 500; sweep++)
        for (int state = 0; state < STATES; state++) {
            double most = -INFINITY, sum = 0;
            for (int a = 0; a < ACTIONS; a++) {
                q[a] = 0;
                for (int b = 0; b < ACTIONS; b++) { /* a slip goes anywhere */
                    int next = step(state, b);
                    double p = slip / ACTIONS + (a == b ? 1 - slip : 0);
                    q[a] += p * (reward(next) + (is_end(next) ? 0 : discount * value[next]));
                }
                most = q[a] > most ? q[a] : most;
            }
            for (int a = 0; a < ACTIONS; a++)
                sum += policy[state][a] = sz_exp((q[a] - most) / beta);
            for (int a = 0; a < ACTIONS; a++)
                policy[state][a] /= sum;
            value[state] = most + beta * sz_log(sum);
        }
}

/* ---- The coding game ----------------------------------------------------------------------- */

enum { MESSAGES = 64 };
typedef struct game {
    double policy[STATES][ACTIONS];
    uint32_t code[MESSAGES];
    double law[MESSAGES]; /* of the codes */
    size_t n_codes;
    source random;
} game;

/* The action for a code from its row of the coupling of belief and policy; then what the action
 * tells whoever sees it. */
static sz_status act(game *g, double *belief, uint32_t code, int state, int *action) {
    sz_coupling c;
    double row[ACTIONS] = {0}, sum = 0;
    SZ_TRY(sz_mec_greedy(belief, g->n_codes, g->policy[state], ACTIONS, &c));
    for (size_t i = 0; i < c.n; i++)
        if (c.index[2 * i] == code)
            row[c.index[2 * i + 1]] += (double)c.mass[i];
    *action = (int)draw(&g->random, row, ACTIONS);
    for (size_t t = 0; t < g->n_codes; t++)
        belief[t] = 0;
    for (size_t i = 0; i < c.n; i++)
        if ((int)c.index[2 * i + 1] == *action) {
            belief[c.index[2 * i]] = (double)c.mass[i];
            sum += (double)c.mass[i];
        }
    for (size_t t = 0; t < g->n_codes; t++)
        belief[t] /= sum;
    sz_coupling_free(&c);
    return SZ_OK;
}

static sz_status play(game *g, bool *received, double *total) {
    double belief[MESSAGES], weight = 1;
    size_t message = (size_t)(MESSAGES * uniform(&g->random)), likeliest = 0, group[MESSAGES];
    size_t n_group = 0;
    for (size_t t = 0; t < g->n_codes; t++)
        belief[t] = g->law[t];
    for (int state = 0, time = 0, action; time < HORIZON && !is_end(state); time++) {
        SZ_TRY(act(g, belief, g->code[message], state, &action));
        if (uniform(&g->random) < slip)
            action = (int)(ACTIONS * uniform(&g->random));
        state = step(state, action);
        *total += weight * reward(state);
        weight *= discount;
    }
    for (size_t t = 1; t < g->n_codes; t++)
        likeliest = belief[t] > belief[likeliest] ? t : likeliest;
    for (size_t m = 0; m < MESSAGES; m++)
        if (g->code[m] == likeliest)
            group[n_group++] = m;
    *received = group[(size_t)((double)n_group * uniform(&g->random))] == message;
    return SZ_OK;
}

enum { EPISODES = 200 };
/* Accuracy and mean return of the games at a rate in bits. */
static sz_status play_all(sz_repro_run *run, double rate, double log_beta, bool quantiser,
                          double *accuracy, double *mean_return) {
    game g = {.random = {run->seed, 40 + quantiser, 0}};
    double uniform_law[MESSAGES];
    soft_policy(sz_exp(log_beta), g.policy);
    for (size_t m = 0; m < MESSAGES; m++)
        uniform_law[m] = 1.0 / MESSAGES;
    if (quantiser) {
        g.n_codes = (size_t)sz_exp(rate * 0.69314718055994530942);
        for (size_t m = 0; m < MESSAGES; m++) {
            g.code[m] = (uint32_t)(m * g.n_codes / MESSAGES);
            g.law[g.code[m]] += 1.0 / MESSAGES;
        }
    } else {
        sz_ebim_code c;
        SZ_TRY(sz_ebim(uniform_law, MESSAGES, rate * 0.69314718055994530942, SZ_EBIM_GREEDY, &c));
        g.n_codes = c.n_codes;
        for (size_t m = 0; m < MESSAGES; m++)
            g.code[m] = c.code[m];
        for (size_t t = 0; t < c.n_codes; t++)
            g.law[t] = c.law[t];
        sz_ebim_code_free(&c);
    }
    *accuracy = *mean_return = 0;
    for (int e = 0; e < EPISODES; e++) {
        bool received;
        SZ_TRY(play(&g, &received, mean_return));
        *accuracy += received;
    }
    *accuracy /= EPISODES;
    *mean_return /= EPISODES;
    return SZ_OK;
}

static sz_status coding_game(sz_repro_run *run) {
    double accuracy, total;
    SZ_TRY(play_all(run, 6, -4, false, &accuracy, &total));
    sz_repro_check(run, "1.00", accuracy, ">=", 0.95, "game, R = 6 bits, log beta = -4: accuracy");
    sz_repro_check(run, "0.49", total, ">=", 0.4, "game, R = 6 bits, log beta = -4: return");
    SZ_TRY(play_all(run, 3.5, -4, false, &accuracy, &total));
    sz_repro_check(run, "0.55", accuracy, ">=", 0.45, "game, R = 3.5: accuracy of the code");
    SZ_TRY(play_all(run, 3.5, -4, true, &accuracy, &total));
    sz_repro_check(run, "0.19", accuracy, "<=", 0.3, "game, R = 3.5: of equal groups");
    double grouped;
    SZ_TRY(play_all(run, 2, -4, true, &grouped, &total));
    SZ_TRY(play_all(run, 2, -4, false, &accuracy, &total));
    sz_repro_check(run, "0.26, 0.04", accuracy, ">=", grouped + 0.05,
                   "game, R = 2: accuracy of the code, above equal groups");
    SZ_TRY(play_all(run, 6, -6, false, &accuracy, &total));
    sz_repro_check(run, "", total, ">=", 0.52, "game, R = 6, log beta = -6: return");
    sz_repro_check(run, "", accuracy, "<=", 0.45, "game, R = 6, log beta = -6: accuracy");
    return SZ_OK;
}

sz_status sz_repro_04_hiding(sz_repro_run *run); /* 04_hiding.c */

static sz_status run_all(sz_repro_run *run) {
    SZ_TRY(couplings(run));
    SZ_TRY(coding_game(run));
    return sz_repro_04_hiding(run);
}

const sz_repro sz_repro_04 = {"04", run_all};
