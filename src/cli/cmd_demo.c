/* cmd_demo.c: `szilard demo`: games of the papers, played step by step. */
#include "04_game.h"
#include "cli.h"
#include <math.h>
#include <string.h>
#include <szilard/unstable/info.h>

enum { OPT_MESSAGE = 400, OPT_RATE, OPT_BETA, OPT_EPISODES, OPT_SEED, OPT_QUANTISER, OPT_JSON };

typedef struct settings {
    bool named; /* the game was */
    size_t message;
    double rate, log_beta;
    int episodes; /* 0: one, shown */
    uint64_t seed;
    bool quantiser, json;
} settings;

static const struct argp_option options[] = {
    {"message", OPT_MESSAGE, "M", 0, "Message to carry, 0 to 63 (a random one)", 0},
    {"rate", OPT_RATE, "BITS", 0, "Most entropy of the message's code (3.5)", 0},
    {"beta", OPT_BETA, "LOG", 0,
     "log of the policy's temperature: more is more random, carries more and earns less (-4)", 0},
    {"quantiser", OPT_QUANTISER, NULL, 0, "Code messages in equal groups, to compare", 0},
    {"episodes", OPT_EPISODES, "N", 0, "Play N episodes of random messages and tell the means", 0},
    {"seed", OPT_SEED, "S", 0, "Seed of the game (1)", 0},
    {"json", OPT_JSON, NULL, 0, "Print one object", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case OPT_MESSAGE:
        s->message = (size_t)sz_cli_int(state, "--message", arg, 0, SZ_GAME_MESSAGES - 1);
        return 0;
    case OPT_RATE:
        s->rate = sz_cli_real(state, "--rate", arg, 0, 6);
        return 0;
    case OPT_BETA:
        s->log_beta = sz_cli_real(state, "--beta", arg, -20, 20);
        return 0;
    case OPT_EPISODES:
        s->episodes = (int)sz_cli_int(state, "--episodes", arg, 1, 1000000);
        return 0;
    case OPT_SEED:
        s->seed = (uint64_t)sz_cli_int(state, "--seed", arg, 0, INT64_MAX);
        return 0;
    case OPT_QUANTISER:
        s->quantiser = true;
        return 0;
    case OPT_JSON:
        s->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (s->named || strcmp(arg, "mcg") != 0)
            argp_error(state, "'%s' is no game; there is mcg, the coding game", arg);
        s->named = true;
        return 0;
    case ARGP_KEY_END:
        if (!s->named)
            argp_error(state, "say which game: mcg, the coding game");
        if (s->episodes && s->message < SZ_GAME_MESSAGES)
            argp_error(state, "--message is for one episode, and --episodes draws messages");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp sz_argp_demo = {
    options,
    parse,
    "mcg",
    "Plays a game of the papers. mcg: an agent walks through a noisy grid to its goal, and its "
    "actions carry one of 64 messages: they are drawn from the coupling of least entropy between "
    "its policy and what a watcher believes, so that the walk looks like any other walk of this "
    "policy. A rate limits the message's code."
    "\v"
    "EXAMPLES\n"
    "  szilard demo mcg --message 42\n"
    "  szilard demo mcg --rate 6 --beta -4 --episodes 200\n"
    "  szilard demo mcg --rate 2 --quantiser --episodes 200 --json\n",
    NULL,
    NULL,
    NULL};

typedef struct walk {
    const sz_game *game;
    sz_buf *out;
    char map[SZ_GAME_STATES];
    bool json;
} walk;

static void begin_map(walk *w) {
    for (int i = 0; i < SZ_GAME_STATES; i++)
        w->map[i] = sz_game_is_wall(i / SZ_GAME_SIDE, i % SZ_GAME_SIDE) ? '#' : '.';
    w->map[SZ_GAME_GOAL] = 'G';
    w->map[SZ_GAME_TRAP] = 'T';
    w->map[0] = 'S';
}

static void show_move(void *user, const sz_game_move *m) {
    static const char *const actions[] = {"up", "down", "left", "right"};
    walk *w = user;
    double h = NAN;
    sz_entropy_shannon(m->belief, w->game->n_codes, &h);
    h = sz_unit_convert(h, SZ_BIT);
    if (w->map[m->to] == '.')
        w->map[m->to] = 'o';
    if (w->json) {
        sz_buf_printf(w->out, "%s{\"action\":\"%s\",\"slipped\":%s,\"row\":%d,\"column\":%d,",
                      m->time ? "," : "", actions[m->action],
                      m->done != m->action ? "true" : "false", m->to / SZ_GAME_SIDE,
                      m->to % SZ_GAME_SIDE);
        sz_buf_puts(w->out, "\"unknown_bits\":");
        sz_json_number(w->out, h);
        sz_buf_putc(w->out, '}');
        return;
    }
    sz_buf_printf(w->out, "%4d  %-6s to (%d, %d)%s  the watcher lacks %.3f bits\n", m->time + 1,
                  actions[m->action], m->to / SZ_GAME_SIDE, m->to % SZ_GAME_SIDE,
                  m->done != m->action ? ", slipped" : "         ", h);
}

static sz_status play_one(sz_game *g, const settings *s, sz_buf *b) {
    walk w = {.game = g, .out = b, .json = s->json};
    sz_game_end end;
    begin_map(&w);
    if (s->json)
        sz_buf_puts(b, "{\"moves\":[");
    SZ_TRY(sz_game_play(g, s->message, show_move, &w, &end));
    if (s->json) {
        sz_buf_printf(b, "],\"message\":%zu,\"guess\":%zu,\"received\":%s,\"return\":", end.message,
                      end.guess, end.guess == end.message ? "true" : "false");
        sz_json_number(b, end.reward);
        sz_buf_puts(b, "}\n");
        return SZ_OK;
    }
    for (int row = 0; row < SZ_GAME_SIDE; row++)
        sz_buf_printf(b, "      %.*s\n", SZ_GAME_SIDE, w.map + row * SZ_GAME_SIDE);
    sz_buf_printf(b, "message %zu, one of %zu codes; the watcher says %zu: %s; return %.3f\n",
                  end.message, g->n_codes, end.guess,
                  end.guess == end.message ? "received" : "not received", end.reward);
    return SZ_OK;
}

static sz_status play_many(sz_game *g, const settings *s, sz_buf *b) {
    double accuracy = 0, total = 0;
    for (int i = 0; i < s->episodes; i++) {
        sz_game_end end;
        SZ_TRY(sz_game_play(g, SZ_GAME_MESSAGES, NULL, NULL, &end));
        accuracy += end.guess == end.message;
        total += end.reward;
    }
    accuracy /= s->episodes;
    total /= s->episodes;
    if (s->json) {
        sz_buf_printf(b, "{\"episodes\":%d,\"codes\":%zu,\"accuracy\":", s->episodes, g->n_codes);
        sz_json_number(b, accuracy);
        sz_buf_puts(b, ",\"return\":");
        sz_json_number(b, total);
        sz_buf_puts(b, "}\n");
    } else {
        sz_buf_printf(b, "%d episodes, %zu codes: %.3f of the messages received, return %.3f\n",
                      s->episodes, g->n_codes, accuracy, total);
    }
    return SZ_OK;
}

int sz_run_demo(int argc, char **argv) {
    settings s = {.message = SZ_GAME_MESSAGES, .rate = 3.5, .log_beta = -4, .seed = 1};
    sz_game g;
    sz_buf b = {0};
    sz_cli_parse(&sz_argp_demo, argc, argv, &s);
    sz_status status = sz_game_new(s.rate, s.log_beta, s.quantiser, s.seed, &g);
    if (status == SZ_OK)
        status = s.episodes ? play_many(&g, &s, &b) : play_one(&g, &s, &b);
    int exit_status = status == SZ_OK ? sz_cli_print(&b) : sz_cli_error();
    sz_buf_free(&b);
    return exit_status;
}
