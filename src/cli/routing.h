/* routing.h: the options of two models that write one text. */
#ifndef SZ_CLI_ROUTING_H
#define SZ_CLI_ROUTING_H

#include "cli.h"

/* Filled by sz_argp_routing, an argp child. Strings are borrowed from argv. */
typedef struct sz_routing {
    const char *router; /* NULL: one model writes */
    const char *small, *large;
    bool drafts; /* --draft named the small one */
} sz_routing;
extern const struct argp sz_argp_routing; /* --router, --ead, --small, --large, --draft */

#endif
