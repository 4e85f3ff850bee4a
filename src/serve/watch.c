/* watch.c: see watch.h. */
#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TICK_MS = 250 };

struct sz_watched {
    int socket;
    uint64_t since_ns; /* 0: a request is there */
    sz_job *job;       /* NULL: the connection is not listened to */
    uint64_t serial;   /* of the wait, because numbers of sockets are used again */
    bool cut;
    sz_watched *next;
};

struct sz_watch {
    pthread_t thread;
    pthread_mutex_t lock;
    sz_watched *list;
    uint64_t serial, arrival_ns;
    int event; /* wakes the thread */
    bool stop;
    struct pollfd *polled; /* [n_polled], the event first */
    uint64_t *serials;
    size_t n_polled, cap_polled;
};

static void wake(sz_watch *w) {
    uint64_t one = 1;
    if (write(w->event, &one, sizeof one) < 0 && errno != EAGAIN)
        return;
}

static bool reserve(sz_watch *w, size_t n) {
    if (n <= w->cap_polled)
        return true;
    size_t cap = 2 * n + 16, old = w->cap_polled;
    struct pollfd *polled = sz_realloc(w->polled, old * sizeof *polled, cap * sizeof *polled);
    w->polled = polled ? polled : w->polled;
    uint64_t *serials = sz_realloc(w->serials, old * sizeof *serials, cap * sizeof *serials);
    w->serials = serials ? serials : w->serials;
    if (polled && serials)
        w->cap_polled = cap;
    return polled && serials;
}

static void poll_one(sz_watch *w, int socket, uint64_t serial, short events) {
    w->polled[w->n_polled] = (struct pollfd){.fd = socket, .events = events};
    w->serials[w->n_polled++] = serial;
}

/* What is waited for; cuts connections whose requests do not arrive. Whether a tick is needed. */
static bool look(sz_watch *w) {
    uint64_t now = sz_time_ns();
    size_t n = 1;
    bool tick = false;
    for (const sz_watched *c = w->list; c; c = c->next)
        n += c->job != NULL;
    w->n_polled = 0;
    if (!reserve(w, n))
        return true;
    poll_one(w, w->event, 0, POLLIN);
    for (sz_watched *c = w->list; c; c = c->next) {
        if (c->job)
            poll_one(w, c->socket, c->serial, POLLRDHUP);
        tick |= c->since_ns != 0;
        if (c->since_ns && !c->cut && now - c->since_ns > w->arrival_ns) {
            shutdown(c->socket, SHUT_RDWR);
            c->cut = true;
        }
    }
    return tick;
}

/* The client of this wait is gone, if the wait is not over. */
static void lose(sz_watch *w, uint64_t serial) {
    for (sz_watched *c = w->list; c; c = c->next) {
        if (c->job && c->serial == serial) {
            sz_job_cancel(c->job, SZ_CANCEL_GONE);
            sz_job_release(c->job);
            c->job = NULL;
            return;
        }
    }
}

static void *work(void *user) {
    sz_watch *w = user;
    pthread_mutex_lock(&w->lock);
    while (!w->stop) {
        bool tick = look(w);
        pthread_mutex_unlock(&w->lock);
        int n = poll(w->polled, w->n_polled, tick ? TICK_MS : -1);
        uint64_t count;
        if (n > 0 && w->polled[0].revents && read(w->event, &count, sizeof count) < 0)
            n = 0;
        pthread_mutex_lock(&w->lock);
        for (size_t i = 1; n > 0 && i < w->n_polled; i++)
            if (w->polled[i].revents)
                lose(w, w->serials[i]);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

sz_status sz_watch_start(uint64_t arrival_ns, sz_watch **out) {
    sz_watch *w = sz_calloc(1, sizeof *w);
    SZ_REQUIRE(w, SZ_E_NOMEM, "no memory to watch connections");
    w->arrival_ns = arrival_ns;
    w->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&w->lock, NULL);
    if (w->event < 0 || pthread_create(&w->thread, NULL, work, w) != 0) {
        sz_status status = sz_fail(SZ_E_IO, "cannot watch connections: %s", strerror(errno));
        if (w->event >= 0)
            close(w->event);
        pthread_mutex_destroy(&w->lock);
        sz_free(w);
        return status;
    }
    *out = w;
    return SZ_OK;
}

void sz_watch_stop(sz_watch *w) {
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_mutex_unlock(&w->lock);
    wake(w);
    pthread_join(w->thread, NULL);
    close(w->event);
    while (w->list)
        sz_watch_remove(w, w->list);
    pthread_mutex_destroy(&w->lock);
    sz_free(w->polled);
    sz_free(w->serials);
    sz_free(w);
}

sz_watched *sz_watch_add(sz_watch *w, int socket) {
    sz_watched *c = sz_calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->socket = socket;
    c->since_ns = sz_time_ns();
    pthread_mutex_lock(&w->lock);
    c->next = w->list;
    w->list = c;
    pthread_mutex_unlock(&w->lock);
    wake(w);
    return c;
}

void sz_watch_remove(sz_watch *w, sz_watched *c) {
    pthread_mutex_lock(&w->lock);
    sz_watched **at = &w->list;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    pthread_mutex_unlock(&w->lock);
    sz_job_release(c->job);
    sz_free(c);
}

void sz_watch_arrived(sz_watch *w, sz_watched *c, sz_job *j) {
    pthread_mutex_lock(&w->lock);
    c->since_ns = 0;
    if (j && !c->job) {
        c->job = sz_job_retain(j);
        c->serial = ++w->serial;
    }
    pthread_mutex_unlock(&w->lock);
    if (j)
        wake(w);
}

void sz_watch_answered(sz_watch *w, sz_watched *c) {
    pthread_mutex_lock(&w->lock);
    sz_job *j = c->job;
    c->job = NULL;
    c->since_ns = sz_time_ns();
    pthread_mutex_unlock(&w->lock);
    sz_job_release(j);
    wake(w);
}
