/* reply.c: see reply.h. Lock order: a reply's lock comes before those inside the HTTP library. */
#include "reply.h"

#include <microhttpd.h>
#include <string.h>

sz_reply *sz_reply_new(struct MHD_Connection *connection) {
    sz_reply *r = sz_calloc(1, sizeof *r);
    if (!r)
        return NULL;
    pthread_mutex_init(&r->lock, NULL);
    r->refs = 1;
    r->connection = connection;
    return r;
}

sz_reply *sz_reply_retain(sz_reply *r) {
    __atomic_add_fetch(&r->refs, 1, __ATOMIC_RELAXED);
    return r;
}

void sz_reply_release(sz_reply *r) {
    if (!r || __atomic_sub_fetch(&r->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    pthread_mutex_destroy(&r->lock);
    sz_buf_free(&r->out);
    sz_free(r);
}

static void wake(sz_reply *r) {
    if (r->waiting && r->connection)
        MHD_resume_connection(r->connection);
    r->waiting = false;
}

void sz_reply_whole(sz_reply *r, unsigned status, const char *type, sz_buf *body) {
    pthread_mutex_lock(&r->lock);
    if (!r->status) {
        r->status = status;
        r->type = type;
        r->ended = true;
        sz_buf_free(&r->out);
        r->out = *body;
        *body = (sz_buf){0};
        wake(r);
    }
    pthread_mutex_unlock(&r->lock);
    sz_buf_free(body);
}

void sz_reply_stream(sz_reply *r, const char *type) {
    pthread_mutex_lock(&r->lock);
    if (!r->status) {
        r->status = 200;
        r->type = type;
        r->streamed = true;
        wake(r);
    }
    pthread_mutex_unlock(&r->lock);
}

void sz_reply_append(sz_reply *r, const sz_buf *text) {
    pthread_mutex_lock(&r->lock);
    if (r->connection && !r->ended)
        sz_buf_append(&r->out, text->data, text->len);
    r->ended |= r->out.failed || text->failed; /* a broken stream ends */
    if (r->status)
        wake(r);
    pthread_mutex_unlock(&r->lock);
}

void sz_reply_end(sz_reply *r) {
    pthread_mutex_lock(&r->lock);
    r->ended = true;
    wake(r);
    pthread_mutex_unlock(&r->lock);
}

size_t sz_reply_backlog(sz_reply *r) {
    pthread_mutex_lock(&r->lock);
    size_t n = r->out.len - r->taken;
    pthread_mutex_unlock(&r->lock);
    return n;
}

static void sleep_until_woken(sz_reply *r) {
    r->waiting = true;
    MHD_suspend_connection(r->connection);
}

bool sz_reply_begun_or_sleep(sz_reply *r) {
    pthread_mutex_lock(&r->lock);
    bool begun = r->status != 0;
    if (!begun)
        sleep_until_woken(r);
    pthread_mutex_unlock(&r->lock);
    return begun;
}

ssize_t sz_reply_take(sz_reply *r, char *to, size_t n) {
    pthread_mutex_lock(&r->lock);
    size_t left = r->out.len - r->taken;
    ssize_t got = left < n ? (ssize_t)left : (ssize_t)n;
    if (got > 0) {
        memcpy(to, r->out.data + r->taken, (size_t)got);
        r->taken += (size_t)got;
    } else if (r->ended) {
        got = -1;
    } else {
        sleep_until_woken(r);
    }
    if (r->taken == r->out.len) {
        sz_buf_clear(&r->out);
        r->taken = 0;
    }
    pthread_mutex_unlock(&r->lock);
    return got;
}

void sz_reply_forget_connection(sz_reply *r) {
    pthread_mutex_lock(&r->lock);
    r->connection = NULL;
    r->waiting = false;
    pthread_mutex_unlock(&r->lock);
}
