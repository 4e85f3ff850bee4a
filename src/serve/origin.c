/* origin.c: see http.h. Pages of other origins may not use the server unless it was asked to let
 * them: their browsers send requests even where they then hide the answers. */
#include "http.h"

#include <string.h>
#include <strings.h>

static bool is_loopback(const char *host, size_t n) {
    static const char *const names[] = {"localhost", "[::1]", "::1"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == n && strncasecmp(host, names[i], n) == 0)
            return true;
    return n > 4 && strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") >= n;
}

/* Length of the name in "name:port". */
static size_t name_length(const char *host) {
    const char *end = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
    return end ? (size_t)(end - host) + (host[0] == '[') : strlen(host);
}

bool sz_host_is_ours(const sz_server *s, const char *host) {
    const char *own = s->config.host;
    if (!host || !is_loopback(own, strlen(own)))
        return true;
    size_t n = name_length(host);
    return is_loopback(host, n) || (strlen(own) == n && strncasecmp(own, host, n) == 0);
}

sz_origin sz_origin_of(const sz_server *s, const char *origin, const char *host) {
    const char *allowed = s->config.origin;
    if (!origin)
        return SZ_ORIGIN_NONE;
    const char *name = strstr(origin, "://");
    if (name && host && strcasecmp(name + 3, host) == 0)
        return SZ_ORIGIN_OURS;
    if (allowed && (strcmp(allowed, "*") == 0 || strcasecmp(allowed, origin) == 0))
        return SZ_ORIGIN_ALLOWED;
    return SZ_ORIGIN_OTHER;
}
