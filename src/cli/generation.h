/* generation.h: the options that `run` and `chat` share. */
#ifndef SZ_CLI_GENERATION_H
#define SZ_CLI_GENERATION_H

#include "constraint.h"
#include "engine.h"
#include "forgetting.h"
#include "routing.h"
#include "sampling.h"
#include "term.h"
#include <szilard/unstable/info.h>

typedef enum sz_think { SZ_THINK_DEFAULT, SZ_THINK_ON, SZ_THINK_OFF, SZ_THINK_HIDE } sz_think;
extern const char *const sz_think_choices[]; /* "default", "on", "off", "hide", NULL */

typedef enum sz_overflow { SZ_OVERFLOW_DEFAULT, SZ_OVERFLOW_STOP, SZ_OVERFLOW_DROP } sz_overflow;

enum { SZ_STOPS_MAX = 16 };

/* Filled by sz_argp_generation, an argp child. Strings are borrowed from argv but for `stops`. */
typedef struct sz_generation {
    sz_engine_options engine;
    sz_sampling sampling;
    sz_routing routing;
    sz_constraint constraint;
    sz_forgetting forgetting;
    int64_t max_tokens;        /* of one answer; -1: until the model ends it */
    char *stops[SZ_STOPS_MAX]; /* escapes resolved */
    size_t n_stops;
    const char *stop_when; /* rules, NULL: none */
    const char *system;
    uint32_t context;     /* 0: the session's default */
    uint32_t n_sequences; /* set by the command; 0: one */
    sz_kv_type kv_type;
    sz_overflow overflow;
    sz_think think;
    bool raw, json;
    bool show_entropy, explain, account, quiet;
    bool unit_given;
    sz_unit unit;
    sz_colour colour;
} sz_generation;
extern const struct argp sz_argp_generation;

void sz_generation_free(sz_generation *g);

#endif
