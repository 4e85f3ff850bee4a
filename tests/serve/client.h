/* client.h: a server in this process, and a client that speaks plain HTTP with it. */
#ifndef SZ_TESTS_SERVE_CLIENT_H
#define SZ_TESTS_SERVE_CLIENT_H

#include "check.h"
#include "support/engine.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <serve/serve.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct served {
    engine e;
    sz_server *server;
} served;

/* The texts of a tiny model go on without end where `endless`. */
static inline void served_open(served *s, const sz_server_config *config, bool endless) {
    const tiny_model model = {.n_ctx = 4096, .no_end = endless};
    sz_server_config c = config ? *config : (sz_server_config){0};
    c.model_name = c.model_name ? c.model_name : "tiny";
    c.batcher.kv_bytes = c.batcher.kv_bytes ? c.batcher.kv_bytes : 256 << 20;
    SZ_CHECK_OK(engine_open_tiny(&model, 2, NULL, &s->e));
    SZ_CHECK_OK(sz_server_open(&c, &s->server));
    SZ_CHECK_OK(sz_server_attach(s->server, s->e.model));
}

static inline void served_close(served *s) {
    sz_server_close(s->server);
    engine_close(&s->e);
}

static inline int client_connect(const served *s) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(sz_server_port(s->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail_msg("cannot connect");
    struct timeval limit = {.tv_sec = 30};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

static inline void client_write(int fd, const char *bytes, size_t n) {
    while (n > 0) {
        ssize_t put = send(fd, bytes, n, MSG_NOSIGNAL);
        if (put <= 0)
            return; /* the answer tells */
        bytes += put;
        n -= (size_t)put;
    }
}

/* headers: more of them, each with its \r\n, or "". */
static inline void client_ask(int fd, const char *method, const char *path, const char *headers,
                              const char *body, size_t n) {
    sz_buf b = {0};
    sz_buf_printf(&b, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s", method, path,
                  headers);
    if (body)
        sz_buf_printf(&b, "Content-Length: %zu\r\n", n);
    sz_buf_puts(&b, "\r\n");
    sz_buf_append(&b, body, body ? n : 0);
    client_write(fd, b.data, b.len);
    sz_buf_free(&b);
}

typedef struct answered {
    int status; /* 0: there was no answer */
    sz_buf head, body;
} answered;

static inline void unchunk(const char *from, const char *end, sz_buf *out) {
    while (from < end) {
        char *data;
        size_t n = strtoul(from, &data, 16);
        data = strstr(data, "\r\n");
        if (!data || n == 0 || data + 2 + n > end)
            return;
        sz_buf_append(out, data + 2, n);
        from = data + 2 + n + 2;
    }
}

/* Everything up to the end of the connection, which is closed. */
static inline answered client_read(int fd) {
    answered a = {0};
    sz_buf all = {0};
    char block[4096];
    ssize_t n;
    while ((n = recv(fd, block, sizeof block, 0)) > 0)
        sz_buf_append(&all, block, (size_t)n);
    close(fd);
    const char *split = all.data ? strstr(all.data, "\r\n\r\n") : NULL;
    if (split && strncmp(all.data, "HTTP/1.1 ", 9) == 0) {
        a.status = atoi(all.data + 9);
        sz_buf_append(&a.head, all.data, (size_t)(split + 2 - all.data));
        const char *body = split + 4, *end = all.data + all.len;
        if (strcasestr(a.head.data, "transfer-encoding: chunked"))
            unchunk(body, end, &a.body);
        else
            sz_buf_append(&a.body, body, (size_t)(end - body));
    }
    sz_buf_append(&a.body, "", 0);
    sz_buf_free(&all);
    if (!a.body.data)
        sz_buf_append(&a.body, "", 1), a.body.len = 0;
    return a;
}

static inline void answered_free(answered *a) {
    sz_buf_free(&a->head);
    sz_buf_free(&a->body);
}

static inline answered client_request(const served *s, const char *method, const char *path,
                                      const char *headers, const char *body) {
    int fd = client_connect(s);
    client_ask(fd, method, path, headers, body, body ? strlen(body) : 0);
    return client_read(fd);
}

static inline answered client_post(const served *s, const char *path, const char *body) {
    return client_request(s, "POST", path, "Content-Type: application/json\r\n", body);
}

/* The value at a path such as "choices.0.message.content"; fails the test if there is none. */
static inline const sz_json *json_find(const sz_json *v, const char *path) {
    char copy[256], *rest = NULL;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *step = strtok_r(copy, ".", &rest); step && v; step = strtok_r(NULL, ".", &rest)) {
        if (v->type == SZ_JSON_OBJECT) {
            v = sz_json_get(v, step);
        } else if (v->type == SZ_JSON_ARRAY) {
            const sz_json *child = v->u.child;
            for (long i = strtol(step, NULL, 10); i > 0 && child; i--)
                child = child->next;
            v = child;
        } else {
            v = NULL;
        }
    }
    return v;
}

typedef struct parsed {
    sz_arena *arena;
    sz_json *json;
} parsed;

static inline parsed parse_text(const char *text, size_t n) {
    parsed p;
    SZ_CHECK_OK(sz_arena_new(1 << 16, &p.arena));
    if (sz_json_parse(text, n, p.arena, &p.json) != SZ_OK)
        fail_msg("%s: %.300s", sz_last_error(), text);
    return p;
}

static inline const char *text_at(const sz_json *v, const char *path) {
    const sz_json *found = json_find(v, path);
    if (!found || found->type != SZ_JSON_STRING)
        fail_msg("there is no text at %s", path);
    return found->u.s;
}

static inline double number_at(const sz_json *v, const char *path) {
    const sz_json *found = json_find(v, path);
    if (!found || (found->type != SZ_JSON_INT && found->type != SZ_JSON_FLOAT))
        fail_msg("there is no number at %s", path);
    return found->type == SZ_JSON_INT ? (double)found->u.i : found->u.f;
}

#endif
