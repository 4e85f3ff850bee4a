/* serve.h: the HTTP server, as the command and the tests see it. */
#ifndef SZ_SERVE_SERVE_H
#define SZ_SERVE_SERVE_H

#include "batcher.h"

typedef struct sz_server sz_server;

typedef struct sz_server_config {   /* 0 or NULL: the default in brackets */
    const char *host;               /* [127.0.0.1] */
    uint16_t port;                  /* 0: any that is free */
    const char *key_file;           /* a key a line; [no keys] */
    const char *tls_cert, *tls_key; /* PEM files, both or neither; [plain HTTP] */
    const char *origin;             /* that pages of other origins may have; "*": any; [none] */
    const char *model_name;         /* as clients call it */
    const char *model_path;
    size_t body_bytes;        /* of a request, at most [8 MiB] */
    uint32_t max_tokens;      /* of an answer where the request does not say [2048] */
    uint32_t request_seconds; /* a request's whole time [600] */
    uint32_t header_seconds;  /* until a request has arrived in full [60] */
    uint32_t connections;     /* at once [256] */
    sz_batcher_config batcher;
} sz_server_config;

/* Listens; requests that need the model are told to come back. Strings are borrowed until the
 * server is closed. */
sz_status sz_server_open(const sz_server_config *config, sz_server **out);
/* From now on the model serves; it must outlive the server. */
sz_status sz_server_attach(sz_server *s, sz_model *model);
uint16_t sz_server_port(const sz_server *s);
/* Takes no more requests; those that are there go on. */
void sz_server_drain(sz_server *s);
/* Whether requests are still being answered. */
bool sz_server_busy(sz_server *s);
/* Ends what still runs, and everything else. */
void sz_server_close(sz_server *s);

#endif
