/* pool.c: a pool of threads that run one job at a time.
 *
 * The word `left` counts the tasks of the published job that nobody has claimed; a thread claims
 * one by compare-and-swap. A swap that succeeds has read the latest job's fields, whenever its
 * thread woke up, and as long as a claimed task is unfinished its job stays published. Waiting
 * spins for a bounded time and then sleeps in a futex: on a busy machine nobody burns another one's
 * time. */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <szilard/unstable/base.h>

enum { SPIN_NS = 20000 };

typedef struct worker {
    pthread_t thread;
    sz_pool *pool;
    int index;
} worker;

/* Items of a shared job that nobody has taken: the first, and above it the one after the last. */
typedef struct share {
    _Alignas(64) _Atomic uint64_t span;
} share;

struct sz_pool {
    int n_threads;
    worker *workers; /* [n_threads - 1] */
    share *shares;   /* [n_threads] */
    sz_task_fn fn;   /* of the published job */
    void *context;
    uint32_t n_tasks;
    _Alignas(64) _Atomic uint32_t left;      /* tasks of this job that are not claimed */
    _Alignas(64) _Atomic uint32_t finished;  /* tasks of this job that are done */
    _Alignas(64) _Atomic uint32_t published; /* jobs so far, for sleeping workers */
    _Atomic uint32_t sleepers;
    _Atomic uint32_t owner_sleeps;
    _Atomic bool busy; /* a job runs */
    _Atomic bool stop;
};

static void futex_wait(_Atomic uint32_t *word, uint32_t while_equal) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, while_equal, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Runs tasks of the published job until none is left to claim. */
static void work(sz_pool *p, int thread) {
    uint32_t left = atomic_load_explicit(&p->left, memory_order_acquire);
    while (left > 0) {
        if (!atomic_compare_exchange_weak_explicit(&p->left, &left, left - 1, memory_order_acq_rel,
                                                   memory_order_acquire))
            continue;
        uint32_t n_tasks = p->n_tasks;
        p->fn(p->context, n_tasks - left, thread);
        /* After the last task the caller may publish another job: its fields are not ours. */
        if (atomic_fetch_add(&p->finished, 1) + 1 == n_tasks && atomic_load(&p->owner_sleeps))
            futex_wake(&p->finished);
        left = atomic_load_explicit(&p->left, memory_order_acquire);
    }
}

/* Waits until *word differs from `old`, at first spinning. */
static void wait_change(_Atomic uint32_t *word, uint32_t old, _Atomic uint32_t *sleepers) {
    uint64_t start = sz_time_ns();
    do {
        for (int i = 0; i < 64; i++) {
            if (atomic_load_explicit(word, memory_order_acquire) != old)
                return;
            relax();
        }
    } while (sz_time_ns() - start < SPIN_NS);
    atomic_fetch_add(sleepers, 1);
    while (atomic_load(word) == old)
        futex_wait(word, old);
    atomic_fetch_sub(sleepers, 1);
}

static void *worker_main(void *argument) {
    worker *w = argument;
    sz_pool *p = w->pool;
    uint32_t seen = 0;
    while (!atomic_load(&p->stop)) {
        wait_change(&p->published, seen, &p->sleepers);
        seen = atomic_load(&p->published);
        work(p, w->index);
    }
    return NULL;
}

static void publish(sz_pool *p) {
    atomic_fetch_add(&p->published, 1);
    if (atomic_load(&p->sleepers))
        futex_wake(&p->published);
}

/* Whether the caller has the pool for itself now; otherwise it works alone. */
static bool occupy(sz_pool *p, size_t n) {
    bool alone = p->n_threads == 1 || n <= 1 || n > UINT32_MAX;
    return !alone && !atomic_exchange_explicit(&p->busy, true, memory_order_acquire);
}

static void run_job(sz_pool *p, sz_task_fn fn, void *context, uint32_t n_tasks) {
    /* Nothing can be claimed between the jobs: the old job's tasks are all taken and finished. */
    p->fn = fn;
    p->context = context;
    p->n_tasks = n_tasks;
    atomic_store_explicit(&p->finished, 0, memory_order_relaxed);
    atomic_store_explicit(&p->left, n_tasks, memory_order_release);
    publish(p);
    work(p, 0);
    for (uint32_t done; (done = atomic_load(&p->finished)) != n_tasks;)
        wait_change(&p->finished, done, &p->owner_sleeps);
    atomic_store_explicit(&p->busy, false, memory_order_release);
}

void sz_pool_run(sz_pool *p, sz_task_fn fn, void *context, size_t n_tasks) {
    if (occupy(p, n_tasks))
        run_job(p, fn, context, (uint32_t)n_tasks);
    else
        for (size_t i = 0; i < n_tasks; i++)
            fn(context, i, 0);
}

/* ---- Shares of neighbours ----------------------------------------------------------------------
 */

typedef struct shared_job {
    sz_pool *p;
    sz_piece_fn fn;
    void *context;
} shared_job;

static uint64_t span_of(uint64_t first, uint64_t last) {
    return first | last << 32;
}

/* Takes half: from the front for the share's own thread, from the back for others. Spans of a job
 * never return, so that a swap that succeeds has seen the present one. */
static bool take(share *s, bool front, uint64_t *taken) {
    uint64_t span = atomic_load_explicit(&s->span, memory_order_acquire), rest;
    do {
        uint64_t first = span & UINT32_MAX, last = span >> 32, n = last - first;
        if (n == 0)
            return false;
        n = (n + 1) / 2;
        rest = front ? span_of(first + n, last) : span_of(first, last - n);
        *taken = front ? span_of(first, first + n) : span_of(last - n, last);
    } while (!atomic_compare_exchange_weak_explicit(&s->span, &span, rest, memory_order_acq_rel,
                                                    memory_order_acquire));
    return true;
}

/* Moves half of what another thread has left to this one's share, which is empty. */
static bool take_over(sz_pool *p, int thread) {
    uint64_t taken;
    for (int i = 1; i < p->n_threads; i++)
        if (take(&p->shares[(thread + i) % p->n_threads], false, &taken)) {
            atomic_store_explicit(&p->shares[thread].span, taken, memory_order_release);
            return true;
        }
    return false;
}

static void work_share(void *context, size_t task, int thread) {
    const shared_job *job = context;
    uint64_t piece;
    do {
        while (take(&job->p->shares[thread], true, &piece))
            job->fn(job->context, piece & UINT32_MAX, piece >> 32, thread);
    } while (take_over(job->p, thread));
}

void sz_pool_share(sz_pool *p, sz_piece_fn fn, void *context, size_t n) {
    shared_job job = {p, fn, context};
    uint64_t n_threads = (uint64_t)p->n_threads;
    if (!occupy(p, n)) {
        if (n)
            fn(context, 0, n, 0);
        return;
    }
    for (uint64_t i = 0; i < n_threads; i++)
        atomic_store_explicit(&p->shares[i].span,
                              span_of(n * i / n_threads, n * (i + 1) / n_threads),
                              memory_order_relaxed);
    run_job(p, work_share, &job, (uint32_t)n_threads);
}

int sz_pool_threads(const sz_pool *p) {
    return p->n_threads;
}

void sz_pool_free(sz_pool *p) {
    if (!p)
        return;
    atomic_store(&p->stop, true);
    publish(p);
    for (int i = 0; i < p->n_threads - 1; i++)
        pthread_join(p->workers[i].thread, NULL);
    sz_free(p->workers);
    sz_free(p->shares);
    sz_free(p);
}

/* Starts worker `index`; signals stay with the program's own threads. */
static bool start(sz_pool *p, int index) {
    worker *w = &p->workers[index - 1];
    *w = (worker){.pool = p, .index = index};
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    bool started = pthread_create(&w->thread, NULL, worker_main, w) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    p->n_threads += started;
    return started;
}

sz_status sz_pool_new(int n_threads, sz_pool **out) {
    SZ_REQUIRE(n_threads >= 1 && n_threads <= 1024, SZ_E_ARG,
               "number of threads %d is not in 1 .. 1024", n_threads);
    sz_pool *p = sz_calloc(1, sizeof *p);
    SZ_REQUIRE(p, SZ_E_NOMEM, "no memory for a thread pool");
    p->n_threads = 1;
    p->workers = sz_calloc((size_t)n_threads, sizeof *p->workers);
    p->shares = sz_calloc((size_t)n_threads, sizeof *p->shares);
    if (!p->workers || !p->shares) {
        sz_pool_free(p);
        return sz_fail(SZ_E_NOMEM, "no memory for %d threads", n_threads);
    }
    for (int i = 1; i < n_threads; i++)
        if (!start(p, i)) {
            sz_pool_free(p);
            return sz_fail(SZ_E_NOMEM, "cannot start thread %d of %d", i + 1, n_threads);
        }
    *out = p;
    return SZ_OK;
}
