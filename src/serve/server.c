/* server.c: the life of a server: listening, serving, draining, ending. */
#include "http.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 128, PEM_BYTES = 1 << 20 };

static void set_defaults(sz_server_config *c) {
    c->host = c->host ? c->host : "127.0.0.1";
    c->model_name = c->model_name ? c->model_name : "model";
    c->model_path = c->model_path ? c->model_path : "";
    c->body_bytes = c->body_bytes ? c->body_bytes : 8 << 20;
    c->max_tokens = c->max_tokens ? c->max_tokens : 2048;
    c->request_seconds = c->request_seconds ? c->request_seconds : 600;
    c->header_seconds = c->header_seconds ? c->header_seconds : 60;
    c->connections = c->connections ? c->connections : 256;
}

/* ---- Listening ---------------------------------------------------------------------------------
 */

static int bind_one(const struct addrinfo *a) {
    int yes = 1, fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static sz_status note_port(sz_server *s) {
    struct sockaddr_storage address;
    socklen_t n = sizeof address;
    SZ_REQUIRE(getsockname(s->socket, (struct sockaddr *)&address, &n) == 0, SZ_E_IO,
               "cannot tell the port: %s", strerror(errno));
    s->port = ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                                  : ((struct sockaddr_in *)&address)->sin_port);
    return SZ_OK;
}

static sz_status listen_at(sz_server *s) {
    struct addrinfo *found, hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    char port[8];
    snprintf(port, sizeof port, "%u", s->config.port);
    int error = getaddrinfo(s->config.host, port, &hints, &found);
    SZ_REQUIRE(error == 0, SZ_E_ARG, "--host %s: %s", s->config.host, gai_strerror(error));
    s->socket = -1;
    for (const struct addrinfo *a = found; a && s->socket < 0; a = a->ai_next)
        s->socket = bind_one(a);
    error = errno;
    freeaddrinfo(found);
    SZ_REQUIRE(s->socket >= 0, SZ_E_IO, "cannot listen at %s port %u: %s%s", s->config.host,
               s->config.port, strerror(error),
               error == EADDRINUSE ? "; another port is chosen with --port" : "");
    return note_port(s);
}

static sz_status read_pem(const char *path, char **out) {
    sz_buf text = {0};
    SZ_TRY(sz_file_read(path, PEM_BYTES, &text));
    *out = sz_strdup(text.data ? text.data : "");
    sz_buf_free(&text);
    SZ_REQUIRE(*out, SZ_E_NOMEM, "no memory for %s", path);
    return SZ_OK;
}

static sz_status open_server(sz_server *s) {
    const sz_server_config *c = &s->config;
    SZ_REQUIRE(!c->tls_cert == !c->tls_key, SZ_E_ARG,
               "TLS needs both a certificate and its key: --tls-cert and --tls-key");
    if (c->key_file)
        SZ_TRY(sz_keys_read(c->key_file, &s->keys));
    if (c->tls_cert) {
        SZ_TRY(read_pem(c->tls_cert, &s->cert));
        SZ_TRY(read_pem(c->tls_key, &s->key));
    }
    SZ_TRY(sz_watch_start((uint64_t)c->header_seconds * 1000000000u, &s->watch));
    SZ_TRY(listen_at(s));
    sz_status status = sz_http_start(s);
    s->socket = -1; /* the library's now */
    return status;
}

sz_status sz_server_open(const sz_server_config *config, sz_server **out) {
    sz_server *s = sz_calloc(1, sizeof *s);
    SZ_REQUIRE(s, SZ_E_NOMEM, "no memory for the server");
    s->config = *config;
    s->socket = -1;
    s->started = (int64_t)time(NULL);
    set_defaults(&s->config);
    sz_status status = open_server(s);
    if (status != SZ_OK) {
        sz_server_close(s);
        return status;
    }
    *out = s;
    return SZ_OK;
}

uint16_t sz_server_port(const sz_server *s) {
    return s->port;
}

/* ---- States ------------------------------------------------------------------------------------
 */

sz_server_state sz_server_get_state(sz_server *s) {
    return (sz_server_state)__atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
}

static void set_state(sz_server *s, sz_server_state state) {
    __atomic_store_n(&s->state, (int)state, __ATOMIC_RELEASE);
}

sz_status sz_server_attach(sz_server *s, sz_model *model) {
    SZ_REQUIRE(!s->batcher, SZ_E_STATE, "the server has a model already");
    SZ_TRY(sz_batcher_start(model, &s->config.batcher, &s->batcher));
    s->model = model;
    set_state(s, SZ_READY);
    return SZ_OK;
}

/* No new connections; those that are open are told to come back, but for what they wait for. */
void sz_server_drain(sz_server *s) {
    if (sz_server_get_state(s) == SZ_DRAINING)
        return;
    set_state(s, SZ_DRAINING);
    int socket = MHD_quiesce_daemon(s->daemon);
    if (socket >= 0)
        close(socket);
}

bool sz_server_busy(sz_server *s) {
    return (s->batcher && sz_batcher_busy(s->batcher) > 0) ||
           __atomic_load_n(&s->n_exchanges, __ATOMIC_ACQUIRE) > 0;
}

void sz_server_close(sz_server *s) {
    if (!s)
        return;
    sz_batcher_stop(
        s->batcher); /* answers all that sleeps, which the library needs before it ends */
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    if (s->socket >= 0)
        close(s->socket);
    sz_batcher_free(s->batcher);
    sz_watch_stop(s->watch);
    sz_keys_free(&s->keys);
    if (s->key)
        memset(s->key, 0, strlen(s->key));
    sz_free(s->cert);
    sz_free(s->key);
    sz_free(s);
}
