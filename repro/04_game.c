/* 04_game.c: see 04_game.h. The policy is found by soft value iteration; each action is drawn from
 * the coupling of the watcher's belief with the policy. */
#include "04_game.h"

#include <math.h>
#include <szilard/unstable/coupling.h>
#include <szilard/unstable/num.h>

enum {
    SIDE = SZ_GAME_SIDE,
    STATES = SZ_GAME_STATES,
    ACTIONS = SZ_GAME_ACTIONS,
    MESSAGES = SZ_GAME_MESSAGES
};
static const double slip = 0.1, discount = 0.95;

/* ---- The grid world -------------------------------------------------------------------------- */

bool sz_game_is_wall(int row, int column) {
    return (row == 1 && column == 1) || (row == 3 && column == 3) || (row == 4 && column == 1);
}

static int step(int state, int action) {
    static const int rows[] = {-1, 1, 0, 0}, columns[] = {0, 0, -1, 1};
    int row = state / SIDE + rows[action], column = state % SIDE + columns[action];
    bool inside = row >= 0 && row < SIDE && column >= 0 && column < SIDE;
    return inside && !sz_game_is_wall(row, column) ? row * SIDE + column : state;
}

static double reward(int state) {
    return state == SZ_GAME_GOAL ? 1 : state == SZ_GAME_TRAP ? -1 : 0;
}

static bool is_end(int state) {
    return state == SZ_GAME_GOAL || state == SZ_GAME_TRAP;
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

/* ---- The code -------------------------------------------------------------------------------- */

sz_status sz_game_new(double rate, double log_beta, bool quantiser, uint64_t seed, sz_game *out) {
    const double bit = 0.69314718055994530942;
    sz_game g = {.seed = seed, .stream = 40 + quantiser};
    double uniform_law[MESSAGES];
    SZ_REQUIRE(rate >= 0 && rate < 64 && fabs(log_beta) < 50, SZ_E_ARG,
               "a rate of %g bits and log beta %g", rate, log_beta);
    soft_policy(sz_exp(log_beta), g.policy);
    for (size_t m = 0; m < MESSAGES; m++)
        uniform_law[m] = 1.0 / MESSAGES;
    if (quantiser) {
        double groups = sz_exp(rate * bit);
        g.n_codes = groups < MESSAGES ? (size_t)groups : MESSAGES;
        for (size_t m = 0; m < MESSAGES; m++) {
            g.code[m] = (uint32_t)(m * g.n_codes / MESSAGES);
            g.law[g.code[m]] += 1.0 / MESSAGES;
        }
    } else {
        sz_ebim_code c;
        SZ_TRY(sz_ebim(uniform_law, MESSAGES, rate * bit, SZ_EBIM_GREEDY, &c));
        g.n_codes = c.n_codes;
        for (size_t m = 0; m < MESSAGES; m++)
            g.code[m] = c.code[m];
        for (size_t t = 0; t < c.n_codes; t++)
            g.law[t] = c.law[t];
        sz_ebim_code_free(&c);
    }
    *out = g;
    return SZ_OK;
}

/* ---- An episode ------------------------------------------------------------------------------ */

static double uniform(sz_game *g) {
    return sz_uniform(g->seed, g->stream, g->counter++);
}

/* Index drawn from weights [n]. */
static size_t draw(sz_game *g, const double *weight, size_t n) {
    double sum = 0, target;
    for (size_t i = 0; i < n; i++)
        sum += weight[i];
    target = sum * uniform(g);
    size_t i = 0;
    for (sum = weight[0]; i + 1 < n && sum <= target; sum += weight[i])
        i++;
    return i;
}

/* The action for a code from its row of the coupling of belief and policy; then what the action
 * tells whoever sees it. */
static sz_status act(sz_game *g, double *belief, uint32_t code, int state, int *action) {
    sz_coupling c;
    double row[ACTIONS] = {0}, sum = 0;
    SZ_TRY(sz_mec_greedy(belief, g->n_codes, g->policy[state], ACTIONS, &c));
    for (size_t i = 0; i < c.n; i++)
        if (c.index[2 * i] == code)
            row[c.index[2 * i + 1]] += (double)c.mass[i];
    *action = (int)draw(g, row, ACTIONS);
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

/* The likeliest code, and any of its messages. */
static size_t guess(sz_game *g, const double *belief) {
    size_t likeliest = 0, group[MESSAGES], n_group = 0;
    for (size_t t = 1; t < g->n_codes; t++)
        likeliest = belief[t] > belief[likeliest] ? t : likeliest;
    for (size_t m = 0; m < MESSAGES; m++)
        if (g->code[m] == likeliest)
            group[n_group++] = m;
    return group[(size_t)((double)n_group * uniform(g))];
}

sz_status sz_game_play(sz_game *g, size_t message, void (*watch)(void *user, const sz_game_move *m),
                       void *user, sz_game_end *out) {
    double belief[MESSAGES], weight = 1;
    if (message >= MESSAGES)
        message = (size_t)(MESSAGES * uniform(g));
    *out = (sz_game_end){.message = message};
    for (size_t t = 0; t < g->n_codes; t++)
        belief[t] = g->law[t];
    for (int state = 0, time = 0; time < SZ_GAME_HORIZON && !is_end(state); time++) {
        sz_game_move m = {.time = time, .from = state, .belief = belief};
        SZ_TRY(act(g, belief, g->code[message], state, &m.action));
        m.done = uniform(g) < slip ? (int)(ACTIONS * uniform(g)) : m.action;
        m.to = state = step(state, m.done);
        out->reward += weight * reward(state);
        weight *= discount;
        if (watch)
            watch(user, &m);
    }
    out->guess = guess(g, belief);
    return SZ_OK;
}
