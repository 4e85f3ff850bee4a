/* exchange.h: a request and its answer, as the endpoints see them; and what they share. */
#ifndef SZ_SERVE_EXCHANGE_H
#define SZ_SERVE_EXCHANGE_H

#include "keys.h"
#include "reader.h"
#include "serve.h"
#include "watch.h"

#include <microhttpd.h>

typedef struct sz_exchange sz_exchange;

/* How an API words its errors. */
typedef enum sz_shape { SZ_SHAPE_OPENAI, SZ_SHAPE_ANTHROPIC, SZ_SHAPE_OLLAMA } sz_shape;

typedef struct sz_route {
    const char *method, *path;
    void (*answer)(sz_exchange *x);
    bool open;        /* needs no key */
    bool needs_model; /* 503 until there is one */
    sz_shape shape;
    const char *what; /* for the list of endpoints */
} sz_route;
extern const sz_route sz_routes[]; /* ends with path NULL */

typedef enum sz_server_state { SZ_LOADING, SZ_READY, SZ_DRAINING } sz_server_state;

struct sz_server {
    sz_server_config config;
    sz_keys keys;
    sz_watch *watch;
    struct MHD_Daemon *daemon;
    int socket;
    uint16_t port;
    int state; /* sz_server_state, atomic */
    sz_model *model;
    sz_batcher *batcher;
    char *cert, *key;                           /* PEM */
    int64_t started;                            /* unix time */
    uint64_t n_requests, n_errors, n_exchanges; /* atomic */
};

struct sz_exchange {
    sz_server *server;
    struct MHD_Connection *connection;
    const sz_route *route;
    const char *path;
    sz_watched *watched;
    sz_buf body;
    bool rejected;   /* before the body was read */
    bool dispatched; /* the endpoint has seen it */
    sz_reply *reply;
    sz_job *job; /* that answers it, or NULL */
    uint64_t client;
};

sz_server_state sz_server_get_state(sz_server *s);

/* Whole answers. The text is taken over. */
void sz_answer_json(sz_exchange *x, unsigned status, sz_buf *text);
/* An error in the shape of the route's API. kind: "invalid_request_error" and the like; param: the
 * member at fault or NULL; code: or NULL. */
void sz_answer_error(sz_exchange *x, unsigned status, const char *kind, const char *param,
                     const char *code, const char *message);
/* The same about sz_last_error(). */
void sz_answer_status(sz_exchange *x, sz_status status, const char *param);
/* {"error":...} alone, for streams that have begun. */
void sz_put_error(sz_buf *b, sz_shape shape, unsigned http, const char *kind, const char *param,
                  const char *code, const char *message);
unsigned sz_http_status(sz_status status);
const char *sz_error_kind(unsigned http);

/* The body as a JSON object; an error is answered, and the arena is gone, if it is none. */
bool sz_exchange_object(sz_exchange *x, sz_arena **arena, sz_reader *r);
/* Hands the job over to the engine, or answers why not; takes the reference. */
void sz_exchange_submit(sz_exchange *x, sz_job *j);
/* Says a request in the words of OpenAI's API. */
typedef sz_status (*sz_translate)(sz_reader *r, sz_buf *out);
/* Reads the body, translated unless `translate` is NULL, into a job with `read`, and submits it; or
 * answers what is wrong. */
void sz_exchange_generate(sz_exchange *x, const sz_format *format, sz_translate translate,
                          sz_status (*read)(sz_exchange *x, sz_reader *r, sz_job *j));
/* A value of the query, "" if it has none, NULL if it is not there. */
const char *sz_exchange_query(const sz_exchange *x, const char *key);

#endif
