/* reply.h: an answer on its way to a client: whole, or a stream that grows while it is sent.
 * Written by one thread, read by the HTTP library's; the connection sleeps while there is nothing
 * to read.
 */
#ifndef SZ_SERVE_REPLY_H
#define SZ_SERVE_REPLY_H

#include <pthread.h>
#include <sys/types.h>
#include <szilard/unstable/base.h>

struct MHD_Connection;

typedef struct sz_reply {
    pthread_mutex_t lock;
    int refs;         /* the exchange's, the job's, the response's */
    unsigned status;  /* of HTTP; 0: not known yet */
    const char *type; /* of the content; static */
    bool streamed, ended;
    bool waiting;    /* the connection sleeps until there is something to read */
    int retry_after; /* seconds; 0: not told */
    sz_buf out;
    size_t taken;                      /* bytes of `out` that were sent */
    struct MHD_Connection *connection; /* NULL: gone */
} sz_reply;

sz_reply *sz_reply_new(struct MHD_Connection *connection); /* NULL: no memory */
sz_reply *sz_reply_retain(sz_reply *r);
void sz_reply_release(sz_reply *r);

/* The whole answer; takes the body's memory. Nothing happens if there is an answer already. */
void sz_reply_whole(sz_reply *r, unsigned status, const char *type, sz_buf *body);
/* A stream begins, if nothing has: status 200 and headers are known, the text follows. */
void sz_reply_stream(sz_reply *r, const char *type);
void sz_reply_append(sz_reply *r, const sz_buf *text);
void sz_reply_end(sz_reply *r);
/* Bytes that the client has not taken yet. */
size_t sz_reply_backlog(sz_reply *r);

/* For the HTTP side. Whether the answer has begun; if not, the connection sleeps until it has. */
bool sz_reply_begun_or_sleep(sz_reply *r);
/* Up to n bytes of a stream; 0: the connection sleeps; -1: the end. */
ssize_t sz_reply_take(sz_reply *r, char *to, size_t n);
/* The connection is gone. */
void sz_reply_forget_connection(sz_reply *r);

#endif
