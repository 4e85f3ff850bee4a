/* 04_game.h: the coding game with a rate limit: an agent in a noisy grid world whose actions carry
 * a message to whoever watches. */
#ifndef SZ_REPRO_04_GAME_H
#define SZ_REPRO_04_GAME_H

#include <szilard/unstable/base.h>

enum {
    SZ_GAME_SIDE = 6,
    SZ_GAME_STATES = SZ_GAME_SIDE * SZ_GAME_SIDE,
    SZ_GAME_ACTIONS = 4, /* up, down, left, right */
    SZ_GAME_GOAL = 35,
    SZ_GAME_TRAP = 2 * SZ_GAME_SIDE + 3,
    SZ_GAME_HORIZON = 100,
    SZ_GAME_MESSAGES = 64
};
bool sz_game_is_wall(int row, int column);

typedef struct sz_game {
    double policy[SZ_GAME_STATES][SZ_GAME_ACTIONS];
    uint32_t code[SZ_GAME_MESSAGES]; /* of each message */
    double law[SZ_GAME_MESSAGES];    /* of the codes */
    size_t n_codes;
    uint64_t seed, stream, counter;
} sz_game;

typedef struct sz_game_move {
    int time, from, to;
    int action, done;     /* meant by the agent and seen by the watcher; what the slip made of it */
    const double *belief; /* [n_codes] of the watcher, after the move */
} sz_game_move;

typedef struct sz_game_end {
    size_t message, guess;
    double reward; /* discounted */
} sz_game_end;

/* Messages are coded at `rate` bits by the greedy encoder or, with `quantiser`, in equal groups;
 * the agent follows the soft policy of temperature exp(log_beta). */
sz_status sz_game_new(double rate, double log_beta, bool quantiser, uint64_t seed, sz_game *out);
/* One episode; message SZ_GAME_MESSAGES: a random one. watch may be NULL. */
sz_status sz_game_play(sz_game *g, size_t message, void (*watch)(void *user, const sz_game_move *m),
                       void *user, sz_game_end *out);

#endif
