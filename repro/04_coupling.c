/* 04_coupling.c: couplings of random marginals against their bounds, and the coding game with a
 * rate limit (04_game.h). Hiding follows in 04_hiding.c. */
#include "04_game.h"
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

/* ---- The coding game ----------------------------------------------------------------------- */

enum { EPISODES = 200 };
/* Accuracy and mean return of the games at a rate in bits. */
static sz_status play_all(sz_repro_run *run, double rate, double log_beta, bool quantiser,
                          double *accuracy, double *mean_return) {
    sz_game g;
    SZ_TRY(sz_game_new(rate, log_beta, quantiser, run->seed, &g));
    *accuracy = *mean_return = 0;
    for (int e = 0; e < EPISODES; e++) {
        sz_game_end end;
        SZ_TRY(sz_game_play(&g, SZ_GAME_MESSAGES, NULL, NULL, &end));
        *accuracy += end.guess == end.message;
        *mean_return += end.reward;
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
