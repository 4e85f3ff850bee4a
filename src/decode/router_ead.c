/* router_ead.c: entropy adaptive decoding (Simonds 2025, arXiv 2502.06833): the large model writes
 * while the rolling entropy is high. The text is then not the large model's: fidelity is traded for
 * speed, and the records show where. */
#include <szilard/unstable/router.h>

typedef struct ead {
    sz_ead controller;
    double hysteresis;
    double fraction; /* of tokens by the large model that tau is steered to; 0: tau stays */
    bool small_signal;
} ead;

enum { TAU, WINDOW, MIN, HYSTERESIS, FRACTION, SMALL_SIGNAL, START_LARGE };

#define STEP     0.05 /* nats that tau moves for a token that is wholly off */
#define MOST_TAU 20.0 /* no entropy is larger: beyond, tau would only take longer to come back */

static const sz_option options[] = {
    {"tau", "rolling entropy in nats above which the large model writes", .value = 1.2, .max = 1e9},
    {"window", "tokens that the mean goes over", .value = 5, .min = 1, .max = SZ_EAD_WINDOW_MAX,
     .whole = true},
    {"min", "tokens between two changes of the model, at least", .value = 10, .min = 1, .max = 1e9,
     .whole = true},
    {"hysteresis", "the small model writes again at this share of tau", .value = 1, .max = 1},
    {"fraction", "share of the large model that tau is steered to; 0: tau stays", .max = 1},
    {"small-signal", "1: always the small model's entropy, not that of whoever writes", .max = 1,
     .whole = true},
    {"start-large", "1: the large model begins", .max = 1, .whole = true},
    {0},
};

static const char *const routes[] = {"entropy", NULL};

static sz_status begin(void *state, const sz_router *r, const double *values) {
    ead *e = state;
    e->controller.tau_up = values[TAU];
    e->controller.tau_down = values[TAU] * values[HYSTERESIS];
    e->controller.window = (uint32_t)values[WINDOW];
    e->controller.min_duration = (uint32_t)values[MIN];
    e->controller.active = values[START_LARGE] != 0.0 ? SZ_ROUTER_LARGE : SZ_ROUTER_SMALL;
    e->hysteresis = values[HYSTERESIS];
    e->fraction = values[FRACTION];
    e->small_signal = values[SMALL_SIGNAL] != 0.0;
    return sz_ead_check(&e->controller);
}

static sz_router_role active(const void *state) {
    return ((const ead *)state)->controller.active;
}

/* Integral control: in the long run, the steps up and down cancel where the share is the wanted
 * one. */
static void steer(ead *e, sz_router_role writer) {
    double off = (writer == SZ_ROUTER_LARGE ? 1.0 : 0.0) - e->fraction;
    double tau = e->controller.tau_up + STEP * off;
    tau = tau < 0.0 ? 0.0 : tau > MOST_TAU ? MOST_TAU : tau;
    e->controller.tau_up = tau;
    e->controller.tau_down = tau * e->hysteresis;
}

static sz_status next(void *state, sz_router *r, sz_token *out) {
    ead *e = state;
    sz_router_role writer = e->controller.active;
    sz_router_role watched = e->small_signal ? SZ_ROUTER_SMALL : writer;
    SZ_TRY(sz_router_ready(r, watched));
    SZ_TRY(sz_router_ready(r, writer));
    double entropy = sz_router_stats(r, watched)->entropy;
    sz_token t;
    sz_status status = sz_router_draw(r, writer, &t);
    if (status == SZ_OK)
        status = sz_router_keep(r, &t);
    if (status != SZ_OK && status != SZ_END)
        return status;
    *out = t;
    if (status == SZ_END)
        return status;
    if (e->fraction > 0.0)
        steer(e, writer);
    return sz_ead_push(&e->controller, entropy, NULL);
}

const sz_router_kind sz_router_ead = {.name = "ead",
                                      .help = "the large model writes while the text is uncertain",
                                      .options = options,
                                      .state_bytes = sizeof(ead),
                                      .needs_small = true,
                                      .routes = routes,
                                      .begin = begin,
                                      .active = active,
                                      .next = next};
