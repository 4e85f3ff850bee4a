/* http.h: the HTTP library's side of the server. */
#ifndef SZ_SERVE_HTTP_H
#define SZ_SERVE_HTTP_H

#include "exchange.h"

/* Begins to take connections from s->socket. */
sz_status sz_http_start(sz_server *s);

/* origin.c: who may ask from where. */

/* Whether the Host header names this server: a page elsewhere whose name resolves to a loopback
 * address must not reach it. */
bool sz_host_is_ours(const sz_server *s, const char *host);
typedef enum sz_origin {
    SZ_ORIGIN_NONE,
    SZ_ORIGIN_OURS,
    SZ_ORIGIN_ALLOWED,
    SZ_ORIGIN_OTHER
} sz_origin;
sz_origin sz_origin_of(const sz_server *s, const char *origin, const char *host);

#endif
