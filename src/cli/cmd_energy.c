/* cmd_energy.c: `szilard measure energy`: joules of a command, what the sensors say, and what the
 * least possible is. */
#include "energy.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <szilard/unstable/energy.h>
#include <szilard/unstable/info.h>
#include <time.h>
#include <unistd.h>

enum {
    OPT_BITS = 256,
    OPT_TEMP,
    OPT_STEPS,
    OPT_ERROR,
    OPT_QUANTUM,
    OPT_CLASSICAL,
    OPT_BOUNDS,
    OPT_MODE,
    OPT_RUNS,
    OPT_SUCCESS,
    OPT_GATE,
    OPT_LOGIC,
    OPT_WATTS,
    OPT_IDLE,
    OPT_ROOT,
    OPT_SEED,
    OPT_JSON
};

typedef struct settings {
    int what; /* -1: not given yet */
    double bits, kelvin, eta, watts, idle_s;
    uint64_t steps, seed, runs;
    int n, side, mode;
    sz_simon_costs costs;
    const char *root;
    char **command; /* NULL-ended */
    bool json;
} settings;

enum { METER, STATUS, LANDAUER, ERASE, SIMON };
static const char *const words[] = {"meter", "status", "landauer", "erase", "simon", NULL};
enum { QUANTUM, CLASSICAL, BOUNDS };
static const char *const modes[] = {"full", "wave", "sampled", NULL};

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "meter, status:", 1},
    {"watts", OPT_WATTS, "W", 0,
     "Power of a busy processor, where no sensor can be read: the figure is then an estimate, and "
     "says so; default: $SZILARD_WATTS",
     1},
    {"idle", OPT_IDLE, "S", 0,
     "meter: first S seconds of the idle machine, at least 2; net joules are told, too", 1},
    {"sysfs", OPT_ROOT, "FOLDER", 0, "Where the kernel's sensors are (/sys)", 1},
    {NULL, 0, NULL, 0, "landauer, erase:", 2},
    {"bits", OPT_BITS, "B", 0, "How many; meter: what the command produced, for joules per bit", 2},
    {"temp", OPT_TEMP, "KELVIN", 0, "Temperature (300)", 2},
    {"steps", OPT_STEPS, "K", 0, "erase: steps of the protocol (100)", 2},
    {"error", OPT_ERROR, "ETA", 0, "erase: residual error, at most 1/2 (0.001)", 2},
    {NULL, 0, NULL, 0, "simon:", 3},
    {"n", 'n', "N", 0, "Bits of the problem, 2 to 63", 3},
    {"quantum", OPT_QUANTUM, NULL, 0, "Simulated circuits (default)", 3},
    {"classical", OPT_CLASSICAL, NULL, 0, "Random and deterministic queries", 3},
    {"bounds", OPT_BOUNDS, NULL, 0, "Energies from the costs below, and where they cross", 3},
    {"mode", OPT_MODE, "MODE", 0,
     "quantum: full (2N qubits, N <= 12), wave (N <= 26) or sampled; default: the fullest that "
     "fits",
     3},
    {"runs", OPT_RUNS, "R", 0, "Hidden strings to find (100)", 3},
    {"success", OPT_SUCCESS, "P", 0, "bounds: probability of success (2/3)", 3},
    {"gate", OPT_GATE, "JOULES", 0, "bounds: cost of a quantum gate (1e-18)", 3},
    {"logic", OPT_LOGIC, "JOULES", 0, "bounds: cost of a word operation (1e-18)", 3},
    {"seed", OPT_SEED, "S", 0, "Seed (0)", 4},
    {"json", OPT_JSON, NULL, 0, "Print one object", 4},
    {0},
};

static error_t parse_numbers(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case OPT_BITS:
        s->bits = sz_cli_real(state, "--bits", arg, 0, 1e300);
        return 0;
    case OPT_TEMP:
        s->kelvin = sz_cli_real(state, "--temp", arg, 1e-300, 1e300);
        return 0;
    case OPT_ERROR:
        s->eta = sz_cli_real(state, "--error", arg, 1e-300, 0.5);
        return 0;
    case OPT_WATTS:
        s->watts = sz_cli_real(state, "--watts", arg, 1e-6, 1e5);
        return 0;
    case OPT_IDLE:
        s->idle_s = sz_cli_real(state, "--idle", arg, 2, 3600);
        return 0;
    case OPT_SUCCESS:
        s->costs.success = sz_cli_real(state, "--success", arg, 1e-9, 1 - 1e-9);
        return 0;
    case OPT_GATE:
        s->costs.gate_joules = sz_cli_real(state, "--gate", arg, 0, 1e300);
        return 0;
    case OPT_LOGIC:
        s->costs.logic_joules = sz_cli_real(state, "--logic", arg, 0, 1e300);
        return 0;
    case OPT_STEPS:
        s->steps = (uint64_t)sz_cli_int(state, "--steps", arg, 1, 1000000000);
        return 0;
    case 'n':
        s->n = (int)sz_cli_int(state, "-n", arg, 2, SZ_SIMON_MOST);
        return 0;
    case OPT_RUNS:
        s->runs = (uint64_t)sz_cli_int(state, "--runs", arg, 1, 10000000);
        return 0;
    case OPT_SEED:
        s->seed = (uint64_t)sz_cli_int(state, "--seed", arg, 0, INT64_MAX);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void check(const settings *s, struct argp_state *state) {
    if (s->what < 0)
        argp_error(state, "say what to do: meter, status, landauer, erase or simon");
    if (s->what == METER && !s->command)
        argp_error(state, "meter needs a command: szilard energy meter -- COMMAND");
    if (s->what == LANDAUER && isnan(s->bits))
        argp_error(state, "landauer needs --bits");
    if (s->what == SIMON && s->n == 0)
        argp_error(state, "simon needs -n, the bits of the problem");
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case OPT_QUANTUM:
    case OPT_CLASSICAL:
    case OPT_BOUNDS:
        s->side = key - OPT_QUANTUM;
        return 0;
    case OPT_MODE:
        s->mode = sz_cli_choice(state, "--mode", arg, modes);
        return 0;
    case OPT_ROOT:
        s->root = arg;
        return 0;
    case OPT_JSON:
        s->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (s->what == METER) { /* the rest of the line is the command's */
            s->command = &state->argv[state->next - 1];
            state->next = state->argc;
        } else if (s->what < 0) {
            s->what = sz_cli_choice(state, "measure energy", arg, words);
        } else {
            argp_error(state, "'%s' is left over", arg);
        }
        return 0;
    case ARGP_KEY_END:
        check(s, state);
        return 0;
    default:
        return parse_numbers(key, arg, state);
    }
}

const struct argp sz_argp_energy = {
    options,
    parse,
    "meter [--idle S] -- COMMAND [ARGUMENT...]\n"
    "status\n"
    "landauer --bits B\n"
    "erase\n"
    "simon -n N",
    "Energy: joules that a command takes, from the processor's counters (RAPL), other sensors "
    "(hwmon) or a discharging battery, and never a made-up figure; which of them this machine lets "
    "one read; the least that bits cost (Landauer), and in a finite number of steps; and Simon's "
    "problem, where circuits need about N queries and classical programs 2^(N/2)."
    "\v"
    "EXAMPLES\n"
    "  szilard energy status\n"
    "  szilard energy meter -- szilard zip README.md\n"
    "  szilard energy meter --watts 15 --bits 8e6 -- xz -k file\n"
    "  szilard energy landauer --bits 1e9 --temp 310\n"
    "  szilard energy erase --steps 1000 --error 1e-6\n"
    "  szilard energy simon -n 10 --quantum\n"
    "  szilard energy simon -n 16 --classical --json\n"
    "  szilard energy simon -n 40 --bounds --gate 1e-16\n",
    NULL,
    NULL,
    NULL};

/* ---- Sensors -----------------------------------------------------------------------------------
 */

static sz_status open_meter(const settings *s, sz_energy_meter **out) {
    sz_energy_meter_config c = {.root = s->root, .watts_per_core = s->watts};
    if (s->watts == 0)
        c.watts_per_core = sz_energy_declared_watts();
    return sz_energy_meter_open(&c, out);
}

static void put_states(sz_buf *b, const sz_energy_meter *m, bool json) {
    if (json)
        sz_buf_puts(b, ",\"sources\":{");
    for (int i = 0; i < SZ_ENERGY_SOURCES; i++) {
        const char *state = sz_energy_meter_state(m, (sz_energy_source)i);
        if (json) {
            sz_buf_printf(b, "%s\"%s\":", i ? "," : "", sz_energy_source_names[i]);
            sz_json_quote(b, state, strlen(state));
        } else {
            sz_buf_printf(b, "%c %-9s %s\n",
                          sz_energy_meter_source(m) == (sz_energy_source)i ? '*' : ' ',
                          sz_energy_source_names[i], state);
        }
    }
    if (json)
        sz_buf_putc(b, '}');
}

static int run_status(const settings *s) {
    sz_energy_meter *m;
    sz_buf b = {0};
    if (open_meter(s, &m) != SZ_OK)
        return sz_cli_error();
    sz_energy_source source = sz_energy_meter_source(m);
    bool measured = source < SZ_ENERGY_ESTIMATE;
    if (s->json)
        sz_buf_printf(&b, "{\"source\":\"%s\",\"measured\":%s", sz_energy_source_names[source],
                      measured ? "true" : "false");
    put_states(&b, m, s->json);
    if (s->json)
        sz_buf_puts(&b, "}\n");
    else if (!measured)
        sz_buf_puts(&b, "energy cannot be measured on this machine\n");
    sz_energy_meter_close(m);
    return sz_cli_print(&b);
}

static void pause_ms(long ms) {
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Watts of the machine while it waits; 0 without --idle. */
static double idle_watts(const settings *s, sz_energy_meter *m) {
    sz_energy e = {.seconds = 1};
    if (s->idle_s == 0)
        return 0;
    sz_energy_meter_start(m);
    for (double left = s->idle_s; left > 0; left -= 0.05, sz_energy_meter_poll(m))
        pause_ms(50);
    sz_energy_meter_read(m, &e);
    return e.measured ? e.joules / e.seconds : 0;
}

/* Runs the command, reading the sensors while it does; false: it cannot be started. */
static bool run_command(const settings *s, sz_energy_meter *m, int *exit_status) {
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child < 0)
        return false;
    if (child == 0) {
        execvp(s->command[0], s->command);
        fprintf(stderr, "szilard energy: %s: %s\n", s->command[0], strerror(errno));
        _exit(127);
    }
    for (;;) {
        pid_t done = waitpid(child, &status, WNOHANG);
        if (done == child)
            break;
        if (done < 0 && errno != EINTR)
            return false;
        pause_ms(10);
        sz_energy_meter_poll(m);
    }
    *exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
}

/* Net of what the machine takes anyway; what comes out below 0 is 0, and said. */
static void put_net(sz_buf *b, const settings *s, const sz_energy *e, double idle) {
    if (s->idle_s == 0 || !e->measured)
        return;
    double net = e->joules - idle * e->seconds;
    if (s->json)
        sz_buf_printf(b, ",\"idle_watts\":%.9g,\"net_joules\":%.9g,\"net_clamped\":%s", idle,
                      net > 0 ? net : 0, net > 0 ? "false" : "true");
    else
        sz_buf_printf(b, "net of %.4g W when idle: %.4g J%s\n", idle, net > 0 ? net : 0,
                      net > 0 ? "" : " (it was below 0)");
}

static int run_meter(const settings *s) {
    sz_energy_meter *m;
    sz_energy e;
    sz_buf b = {0};
    int command_status = 0;
    if (open_meter(s, &m) != SZ_OK)
        return sz_cli_error();
    double idle = idle_watts(s, m), nats = isnan(s->bits) ? 0 : s->bits * log(2);
    sz_energy_meter_start(m);
    bool ran = run_command(s, m, &command_status);
    sz_energy_meter_read(m, &e);
    if (ran && s->json) {
        sz_buf_printf(&b, "{\"exit_status\":%d,\"wall_seconds\":%.6g", command_status, e.seconds);
        sz_energy_put_json(&b, &e, 0, nats);
        put_net(&b, s, &e, idle);
        put_states(&b, m, true);
        sz_buf_puts(&b, "}\n");
    } else if (ran) {
        sz_energy_put(&b, "", &e, 0, nats);
        put_net(&b, s, &e, idle);
        if (e.source == SZ_ENERGY_NONE) {
            sz_buf_printf(&b, "not measured (%.3f s):\n", e.seconds);
            put_states(&b, m, false);
        } else if (e.seconds > 0) {
            sz_buf_printf(&b, "%.3f s, %.4g W\n", e.seconds, e.joules / e.seconds);
        }
        if (e.problem[0])
            sz_buf_printf(&b, "incomplete: %s\n", e.problem);
    }
    sz_energy_meter_close(m);
    if (!ran)
        return sz_cli_fail("%s: %s", s->command[0], strerror(errno));
    if (!s->json && !b.failed) { /* stdout is the command's */
        fputs(b.data, stderr);
        sz_buf_free(&b);
        return command_status;
    }
    int printed = sz_cli_print(&b);
    return command_status ? command_status : printed;
}

/* ---- Limits ------------------------------------------------------------------------------------
 */

static int run_landauer(const settings *s) {
    double joules;
    sz_buf b = {0};
    if (sz_energy_landauer(s->bits, s->kelvin, &joules) != SZ_OK)
        return sz_cli_error();
    sz_buf_printf(&b,
                  s->json ? "{\"bits\":%.17g,\"kelvin\":%.17g,\"joules\":%.17g}\n"
                          : "%g bits at %g K: at least %.10g J\n",
                  s->bits, s->kelvin, joules);
    return sz_cli_print(&b);
}

static int run_erase(const settings *s) {
    sz_erasure e;
    sz_buf b = {0};
    if (sz_energy_erasure(s->steps, s->eta, s->kelvin, &e) != SZ_OK)
        return sz_cli_error();
    sz_buf_printf(&b,
                  s->json ? "{\"work_joules\":%.17g,\"limit_joules\":%.17g,"
                            "\"upper_bound_joules\":%.17g,\"work_over_kTln2\":%.17g}\n"
                          : "work         %.10g J\nlimit        %.10g J\nupper bound  %.10g J\n"
                            "work over kT ln 2: %.6g\n",
                  e.work, e.limit, e.bound, e.over_landauer);
    return sz_cli_print(&b);
}

/* ---- Simon's problem ---------------------------------------------------------------------------
 */

typedef struct tally {
    double sum, squares, most;
    uint64_t n, found;
} tally;

static void count(tally *t, const sz_simon_run *run, uint64_t s) {
    double q = (double)run->queries;
    t->sum += q;
    t->squares += q * q;
    t->most = q > t->most ? q : t->most;
    t->found += run->found == s;
    t->n++;
}

static double mean_of(const tally *t) {
    return t->sum / (double)t->n;
}
static double error_of(const tally *t) {
    double m = mean_of(t), v = t->squares / (double)t->n - m * m;
    return v > 0 ? sqrt(v / (double)t->n) : 0;
}

static uint64_t hidden(const settings *s, uint64_t i) {
    double size = ldexp(1, s->n) - 1;
    return 1 + (uint64_t)(sz_uniform(s->seed, 41, i) * size);
}

static void put_tally(sz_buf *b, const char *name, const tally *t, double theory, bool json) {
    if (json)
        sz_buf_printf(b,
                      ",\"%s\":{\"runs\":%llu,\"found\":%llu,\"mean_queries\":%.9g,"
                      "\"standard_error\":%.9g,\"theory\":%.17g,\"most\":%.9g}",
                      name, (unsigned long long)t->n, (unsigned long long)t->found, mean_of(t),
                      error_of(t), theory, t->most);
    else
        sz_buf_printf(b,
                      "%-14s %llu of %llu found, %.4f queries on average (+- %.3g; theory %.4f), "
                      "%g at most\n",
                      name, (unsigned long long)t->found, (unsigned long long)t->n, mean_of(t),
                      error_of(t), theory, t->most);
}

static sz_status simulate_quantum(const settings *s, sz_buf *b) {
    tally t = {0};
    double mean;
    int mode = s->mode >= 0                     ? s->mode
               : s->n <= SZ_SIMON_FULL_MOST - 3 ? SZ_SIMON_FULL
               : s->n <= 18                     ? SZ_SIMON_WAVE
                                                : SZ_SIMON_SAMPLED;
    for (uint64_t i = 0; i < s->runs; i++) {
        sz_simon_run run;
        SZ_TRY(sz_simon_quantum(s->n, hidden(s, i), (sz_simon_mode)mode, s->seed + i, &run));
        count(&t, &run, hidden(s, i));
    }
    SZ_TRY(sz_simon_quantum_mean(s->n, &mean));
    put_tally(b, modes[mode], &t, mean, s->json);
    return SZ_OK;
}

static sz_status simulate_classical(const settings *s, sz_buf *b) {
    tally random = {0}, fixed = {0};
    sz_simon_classical f;
    uint64_t most, least;
    for (uint64_t i = 0; i < s->runs; i++) {
        sz_simon_run run;
        SZ_TRY(sz_simon_random(s->n, hidden(s, i), s->seed + i, UINT64_C(1) << 28, &run));
        count(&random, &run, hidden(s, i));
        SZ_TRY(sz_simon_deterministic(s->n, hidden(s, i), &run));
        count(&fixed, &run, hidden(s, i));
    }
    SZ_TRY(sz_simon_classical_figures(s->n, 1, &f));
    SZ_TRY(sz_simon_deterministic_queries(s->n, &most));
    SZ_TRY(sz_simon_least_queries(s->n, 0.5, &least));
    put_tally(b, "random", &random, f.mean, s->json);
    put_tally(b, "deterministic", &fixed, (double)most, s->json);
    sz_buf_printf(b,
                  s->json
                      ? ",\"least_queries_for_half\":%llu"
                      : "no algorithm succeeds with probability 1/2 in fewer than %llu queries\n",
                  (unsigned long long)least);
    return SZ_OK;
}

static sz_status put_bounds(const settings *s, sz_buf *b) {
    sz_simon_costs c = s->costs;
    sz_simon_energy e;
    int cross;
    c.kelvin = s->kelvin;
    SZ_TRY(sz_simon_energies(s->n, &c, &e));
    SZ_TRY(sz_simon_crossover(&c, &cross));
    if (s->json) {
        sz_buf_printf(b,
                      ",\"quantum_upper_log10_joules\":%.9g,\"classical_lower_log10_joules\":%.9g,"
                      "\"quantum_runs\":%llu,\"classical_queries\":%llu,\"crossover\":%d",
                      e.log10_quantum, e.log10_classical, (unsigned long long)e.runs,
                      (unsigned long long)e.queries, cross);
        return SZ_OK;
    }
    sz_buf_printf(
        b,
        "quantum    at most  10^%.3f J (%llu runs of the circuit)\n"
        "classical  at least 10^%.3f J (%llu queries; an instance: its memory is reset, and "
        "the oracle cannot be run backwards)\n",
        e.log10_quantum, (unsigned long long)e.runs, e.log10_classical,
        (unsigned long long)e.queries);
    if (cross)
        sz_buf_printf(b, "classical costs more from N = %d on\n", cross);
    else
        sz_buf_puts(b, "up to N = 63 the classical bound stays below the quantum one\n");
    return SZ_OK;
}

static int run_simon(const settings *s) {
    static sz_status (*const sides[])(const settings *s, sz_buf *b) = {
        simulate_quantum, simulate_classical, put_bounds};
    sz_buf b = {0};
    if (s->json)
        sz_buf_printf(&b, "{\"n\":%d", s->n);
    if (sides[s->side](s, &b) != SZ_OK) {
        sz_buf_free(&b);
        return sz_cli_error();
    }
    if (s->json)
        sz_buf_puts(&b, "}\n");
    return sz_cli_print(&b);
}

int sz_run_energy(int argc, char **argv) {
    static int (*const calls[])(const settings *s) = {run_meter, run_status, run_landauer,
                                                      run_erase, run_simon};
    settings s = {.what = -1,
                  .bits = NAN,
                  .kelvin = 300,
                  .eta = 1e-3,
                  .steps = 100,
                  .runs = 100,
                  .mode = -1,
                  .costs = {.gate_joules = 1e-18, .logic_joules = 1e-18}};
    sz_cli_parse(&sz_argp_energy, argc, argv, &s);
    return calls[s.what](&s);
}
