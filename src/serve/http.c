/* http.c: connections and requests as the HTTP library brings them, and answers as it takes them.
 */
#include "http.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    THREADS = 4,
    CONNECTION_BYTES = 32 << 10, /* of headers, and of what is read at once */
    IDLE_SECONDS = 75,
    STREAM_BLOCK = 16 << 10
};

/* The page is made of its own files alone, talks to this server alone, and stands in no other. */
static const char PAGE_POLICY[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const char *header(const sz_exchange *x, const char *name) {
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

const char *sz_exchange_query(const sz_exchange *x, const char *key) {
    const char *value = NULL;
    if (MHD_lookup_connection_value_n(x->connection, MHD_GET_ARGUMENT_KIND, key, strlen(key),
                                      &value, NULL) != MHD_YES)
        return NULL;
    return value ? value : "";
}

/* ---- Answers -----------------------------------------------------------------------------------
 */

static ssize_t read_stream(void *user, uint64_t at, char *to, size_t n) {
    ssize_t got = sz_reply_take(user, to, n);
    return got < 0 ? MHD_CONTENT_READER_END_OF_STREAM : got;
}

static void release_reply(void *user) {
    sz_reply_release(user);
}

static struct MHD_Response *make_response(sz_reply *r) {
    if (!r->streamed)
        return MHD_create_response_from_buffer(r->out.len, r->out.len ? r->out.data : "",
                                               MHD_RESPMEM_MUST_COPY);
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream,
                                             sz_reply_retain(r), release_reply);
}

static void add_origin_headers(const sz_exchange *x, struct MHD_Response *response) {
    const char *origin = header(x, "Origin");
    if (sz_origin_of(x->server, origin, header(x, "Host")) != SZ_ORIGIN_ALLOWED)
        return;
    MHD_add_response_header(response, "Access-Control-Allow-Origin", origin);
    MHD_add_response_header(response, "Vary", "Origin");
    MHD_add_response_header(response, "Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    MHD_add_response_header(response, "Access-Control-Allow-Headers",
                            "authorization, content-type, x-api-key, anthropic-version");
    MHD_add_response_header(response, "Access-Control-Max-Age", "600");
}

static void add_headers(const sz_exchange *x, struct MHD_Response *response) {
    const sz_reply *r = x->reply;
    char seconds[16];
    if (r->type)
        MHD_add_response_header(response, "Content-Type", r->type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Content-Security-Policy", PAGE_POLICY);
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    if (r->status == 401)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    if (r->retry_after) {
        snprintf(seconds, sizeof seconds, "%d", r->retry_after);
        MHD_add_response_header(response, "Retry-After", seconds);
    }
    add_origin_headers(x, response);
}

/* Queues the answer, or lets the connection sleep until there is one. */
static enum MHD_Result answer(sz_exchange *x) {
    if (!sz_reply_begun_or_sleep(x->reply))
        return MHD_YES;
    struct MHD_Response *response = make_response(x->reply);
    if (!response)
        return MHD_NO;
    add_headers(x, response);
    if (x->reply->status >= 400)
        __atomic_add_fetch(&x->server->n_errors, 1, __ATOMIC_RELAXED);
    enum MHD_Result queued = MHD_queue_response(x->connection, x->reply->status, response);
    MHD_destroy_response(response);
    return queued;
}

/* ---- What is refused before its body is read ---------------------------------------------------
 */

/* A route that ends with "*" is for all paths that begin so. */
static bool is_path_of(const sz_route *r, const char *path) {
    size_t n = strlen(r->path);
    if (r->path[n - 1] == '*')
        return strncmp(r->path, path, n - 1) == 0;
    return strcmp(r->path, path) == 0;
}

static const sz_route *find_route(const char *method, const char *path, bool *known_path) {
    *known_path = false;
    for (const sz_route *r = sz_routes; r->path; r++) {
        if (!is_path_of(r, path))
            continue;
        *known_path = true;
        bool head = strcmp(method, "HEAD") == 0 && strcmp(r->method, "GET") == 0;
        if (head || strcmp(r->method, method) == 0)
            return r;
    }
    return NULL;
}

/* The key that a request carries; NULL if none. */
static const char *key_of(const sz_exchange *x) {
    const char *bearer = header(x, "Authorization"), *key = header(x, "X-Api-Key");
    if (bearer && strncasecmp(bearer, "Bearer ", 7) == 0)
        return bearer + 7 + strspn(bearer + 7, " ");
    return key;
}

static bool has_key(const sz_exchange *x) {
    const char *key = key_of(x);
    return x->route->open || x->server->keys.n == 0 || (key && sz_keys_has(&x->server->keys, key));
}

static void refuse(sz_exchange *x, unsigned status, const char *message) {
    sz_answer_error(x, status, sz_error_kind(status), NULL, NULL, message);
}

/* Preflight requests of browsers. */
static bool answer_options(sz_exchange *x, const char *method) {
    sz_buf none = {0};
    if (strcmp(method, "OPTIONS") != 0)
        return false;
    sz_reply_whole(x->reply, 204, NULL, &none);
    return true;
}

static bool check_source(sz_exchange *x) {
    const char *host = header(x, "Host");
    if (!sz_host_is_ours(x->server, host)) {
        refuse(x, 403, "the Host header does not name this server");
        return false;
    }
    if (sz_origin_of(x->server, header(x, "Origin"), host) == SZ_ORIGIN_OTHER) {
        refuse(x, 403, "pages of this origin may not use the server (see --cors)");
        return false;
    }
    return true;
}

static bool check_state(sz_exchange *x) {
    sz_server_state state = sz_server_get_state(x->server);
    if (!x->route->needs_model || state == SZ_READY)
        return true;
    x->reply->retry_after = state == SZ_LOADING ? 1 : 10;
    refuse(x, 503,
           state == SZ_LOADING ? "the model is being loaded" : "the server is shutting down");
    return false;
}

static bool check_length(sz_exchange *x) {
    const char *length = header(x, "Content-Length");
    char text[96];
    if (!length || strtoull(length, NULL, 10) <= x->server->config.body_bytes)
        return true;
    snprintf(text, sizeof text, "the request has %s bytes; at most %zu are taken", length,
             x->server->config.body_bytes);
    refuse(x, 413, text);
    return false;
}

static void begin(sz_exchange *x, const char *method) {
    bool known_path;
    x->route = find_route(method, x->path, &known_path);
    if (!check_source(x) || answer_options(x, method))
        return;
    if (!x->route) {
        char text[256];
        snprintf(text, sizeof text,
                 known_path ? "%s is not a method of %.128s"
                            : "%s %.128s: there is no such endpoint",
                 strlen(method) < 16 ? method : "this", x->path);
        refuse(x, known_path ? 405 : 404, text);
        return;
    }
    if (!has_key(x)) {
        refuse(x, 401,
               key_of(x) ? "the API key is not one of this server's"
                         : "this server needs an API key: Authorization: Bearer KEY");
        return;
    }
    if (check_state(x))
        check_length(x);
}

/* ---- Exchanges ---------------------------------------------------------------------------------
 */

static uint64_t client_of(const sz_exchange *x) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const char *key = key_of(x);
    const unsigned char *bytes = (const unsigned char *)key;
    size_t n = key ? strlen(key) : 0;
    if (!key && info && info->client_addr->sa_family == AF_INET) {
        bytes = (const unsigned char *)&((const struct sockaddr_in *)info->client_addr)->sin_addr;
        n = sizeof(struct in_addr);
    } else if (!key && info && info->client_addr->sa_family == AF_INET6) {
        bytes = (const unsigned char *)&((const struct sockaddr_in6 *)info->client_addr)->sin6_addr;
        n = sizeof(struct in6_addr);
    }
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash;
}

static sz_exchange *open_exchange(sz_server *s, struct MHD_Connection *connection,
                                  const char *path) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    sz_exchange *x = sz_calloc(1, sizeof *x);
    sz_reply *reply = sz_reply_new(connection);
    if (!x || !reply) {
        sz_free(x);
        sz_reply_release(reply);
        return NULL;
    }
    *x = (sz_exchange){.server = s, .connection = connection, .path = path, .reply = reply};
    x->watched = info ? info->socket_context : NULL;
    x->client = client_of(x);
    x->body.limit = s->config.body_bytes;
    __atomic_add_fetch(&s->n_requests, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&s->n_exchanges, 1, __ATOMIC_RELAXED);
    return x;
}

static void dispatch(sz_exchange *x) {
    x->dispatched = true;
    if (x->body.failed) {
        char text[96];
        snprintf(text, sizeof text, "the request has more than %zu bytes",
                 x->server->config.body_bytes);
        refuse(x, 413, text);
    } else {
        x->route->answer(x);
    }
    sz_buf_free(&x->body);
    if (x->watched)
        sz_watch_arrived(x->server->watch, x->watched, x->job);
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *n_bytes, void **state) {
    sz_exchange *x = *state;
    if (!x) {
        x = *state = open_exchange(user, connection, path);
        if (!x)
            return MHD_NO;
        begin(x, method);
        x->rejected = x->reply->status != 0;
        return x->rejected ? answer(x) : MHD_YES;
    }
    if (*n_bytes > 0) {
        sz_buf_append(&x->body, bytes, *n_bytes);
        *n_bytes = 0;
        return MHD_YES;
    }
    if (!x->dispatched)
        dispatch(x);
    return answer(x);
}

static void on_completed(void *user, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code) {
    sz_server *s = user;
    sz_exchange *x = *state;
    if (!x)
        return;
    sz_reply_forget_connection(x->reply);
    if (x->watched)
        sz_watch_answered(s->watch, x->watched);
    if (x->job && code != MHD_REQUEST_TERMINATED_COMPLETED_OK)
        sz_job_cancel(x->job, SZ_CANCEL_GONE);
    sz_job_release(x->job);
    sz_reply_release(x->reply);
    sz_buf_free(&x->body);
    sz_free(x);
    *state = NULL;
    __atomic_sub_fetch(&s->n_exchanges, 1, __ATOMIC_RELEASE);
}

static void on_connection(void *user, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code) {
    sz_server *s = user;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *context = info ? sz_watch_add(s->watch, info->connect_fd) : NULL;
    } else if (*context) {
        sz_watch_remove(s->watch, *context);
        *context = NULL;
    }
}

static void on_log(void *user, const char *format, va_list args) {
    /* what the library tells is about single connections, and everybody may cause it */
}

sz_status sz_http_start(sz_server *s) {
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     (s->cert ? MHD_USE_TLS : 0);
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, s->cert},
                                   {MHD_OPTION_HTTPS_MEM_KEY, 0, s->key},
                                   {MHD_OPTION_END, 0, NULL}};
    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_log, s,
        MHD_OPTION_LISTEN_SOCKET, s->socket, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)s->config.connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_SECONDS, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_ARRAY, s->cert ? tls : tls + 2,
        MHD_OPTION_END);
    SZ_REQUIRE(s->daemon, SZ_E_IO, "cannot serve HTTP%s: %s",
               s->cert ? "S; is the certificate right?" : "", strerror(errno));
    return SZ_OK;
}
