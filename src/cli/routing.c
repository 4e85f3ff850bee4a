/* routing.c: --router and its kin, and the help text made from the routers' own tables. */
#include "routing.h"
#include "method_help.h"
#include <string.h>
#include <szilard/unstable/router.h>

enum { OPT_ROUTER = 700, OPT_EAD, OPT_SMALL, OPT_LARGE, OPT_DRAFT };

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Two models:", 4},
    {"router", OPT_ROUTER, "ROUTER", 0,
     "Which model writes the next token, such as \"ead tau=1.2 window=5\", or speculative", 4},
    {"ead", OPT_EAD, NULL, 0, "The same as --router ead", 4},
    {"small", OPT_SMALL, "MODEL", 0, "The small one of two models with one vocabulary", 4},
    {"large", OPT_LARGE, "MODEL", 0, "The large one; the same as -m", 4},
    {"draft", OPT_DRAFT, "MODEL", 0,
     "Speculate with this small model: the same text, sooner; short for --small MODEL --router "
     "speculative",
     4},
    {0},
};

static void check(struct argp_state *state, sz_routing *r) {
    const sz_router_kind *kind;
    if (r->drafts && !r->router)
        r->router = "speculative";
    if (!r->router) {
        if (r->small)
            argp_error(state, "--small: --router tells when the small model writes");
        return;
    }
    if (sz_router_parse(r->router, &kind) != SZ_OK)
        argp_error(state, "--router: %s", sz_last_error());
    else if (kind->needs_small && !r->small)
        argp_error(state, "--router %s needs two models: --small names the other one", kind->name);
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    sz_routing *r = state->input;
    switch (key) {
    case OPT_ROUTER:
    case OPT_EAD:
        if (r->router)
            argp_error(state, "one router at a time");
        r->router = key == OPT_EAD ? "ead" : arg;
        return 0;
    case OPT_DRAFT:
        r->drafts = true;
        /* fall through */
    case OPT_SMALL:
        if (r->small)
            argp_error(state, "one small model at a time");
        r->small = arg;
        return 0;
    case OPT_LARGE:
        r->large = arg;
        return 0;
    case ARGP_KEY_SUCCESS:
        check(state, r);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static char *describe_routers(void) {
    sz_buf b = {0};
    sz_buf_puts(&b, "Routers, with the default values of their options:\n");
    for (const sz_router_kind *const *k = sz_router_kinds(); *k; k++)
        sz_help_method(&b, (*k)->name, (*k)->help, (*k)->options);
    return sz_help_text(&b);
}

static char *help(int key, const char *text, void *input) {
    return key == ARGP_KEY_HELP_EXTRA ? describe_routers() : (char *)text;
}

const struct argp sz_argp_routing = {options, parse, NULL, NULL, NULL, help, NULL};
