/* The thread pool: every task runs exactly once whatever the sizes, jobs follow each other without
 * leaks between them, and calls from several threads or from within a task are safe. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

typedef struct job {
    size_t n;
    _Atomic uint32_t *runs; /* [n] */
    int n_threads;
    uint64_t stamp;
    _Atomic uint64_t wrong, threads_seen;
} job;

static void run_task(void *context, size_t task, int thread) {
    job *j = context;
    if (task >= j->n || thread < 0 || thread >= j->n_threads) {
        atomic_fetch_add(&j->wrong, 1);
        return;
    }
    atomic_fetch_add(&j->runs[task], 1);
    atomic_fetch_or(&j->threads_seen, 1ull << (thread % 64));
}

static void check_job(sz_pool *pool, size_t n) {
    job j = {.n = n, .n_threads = sz_pool_threads(pool)};
    j.runs = calloc(n + 1, sizeof *j.runs);
    sz_pool_run(pool, run_task, &j, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(j.runs[i], 1);
    assert_int_equal(j.wrong, 0);
    free((void *)j.runs);
}

static void test_every_task_runs_once(void **state) {
    static const int threads[] = {1, 2, 3, 8, 33};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        sz_pool *pool;
        SZ_CHECK_OK(sz_pool_new(threads[t], &pool));
        assert_int_equal(sz_pool_threads(pool), threads[t]);
        for (size_t n = 0; n < 40; n++)
            check_job(pool, n);
        check_job(pool, 100000);
        sz_pool_free(pool);
    }
}

/* The task is the job's only field that changes: a task of an old job that ran late, or with the
 * new job's context, would be counted in the wrong place. */
static void test_many_jobs(void **state) {
    enum { JOBS = 20000 };
    sz_pool *pool;
    SZ_CHECK_OK(sz_pool_new(8, &pool));
    static _Atomic uint32_t runs[8][19];
    job jobs[8];
    for (int i = 0; i < 8; i++)
        jobs[i] = (job){.n = 2 + 2 * (size_t)i, .runs = runs[i], .n_threads = 8};
    for (int i = 0; i < JOBS; i++)
        sz_pool_run(pool, run_task, &jobs[i % 8], jobs[i % 8].n);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(jobs[i].wrong, 0);
        for (size_t task = 0; task < jobs[i].n; task++)
            assert_int_equal(runs[i][task], JOBS / 8);
    }
    sz_pool_free(pool);
}

/* Workers that have gone to sleep wake up for the next job, and a caller that sleeps is woken. */
static void slow_task(void *context, size_t task, int thread) {
    nanosleep(&(struct timespec){.tv_nsec = 300000 + 100000 * (long)task}, NULL);
    run_task(context, task, thread);
}

static void test_sleeping(void **state) {
    sz_pool *pool;
    SZ_CHECK_OK(sz_pool_new(4, &pool));
    static _Atomic uint32_t runs[4];
    job j = {.n = 4, .runs = runs, .n_threads = 4};
    for (int i = 0; i < 50; i++) {
        sz_pool_run(pool, slow_task, &j, 4);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(runs[i], 50);
    assert_true(__builtin_popcountll(j.threads_seen) >= 2); /* workers did take part */
    sz_pool_free(pool);
}

/* ---- Shares of neighbours ---------------------------------------------------------------------
 */

static void run_piece(void *context, size_t first, size_t last, int thread) {
    job *j = context;
    if (first >= last)
        atomic_fetch_add(&j->wrong, 1);
    for (size_t i = first; i < last; i++)
        run_task(context, i, thread);
}

static void test_every_item_is_in_one_piece(void **state) {
    static const int threads[] = {1, 2, 3, 8, 33};
    static _Atomic uint32_t runs[100000];
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        sz_pool *pool;
        SZ_CHECK_OK(sz_pool_new(threads[t], &pool));
        for (size_t n = 0; n <= 100000; n = n < 70 ? n + 1 : n * 5 + 3) {
            memset(runs, 0, sizeof runs);
            job j = {.n = n, .runs = runs, .n_threads = threads[t]};
            for (uint32_t i = 1; i <= 20; i++) {
                sz_pool_share(pool, run_piece, &j, n);
                for (size_t k = 0; k < n; k++)
                    assert_int_equal(runs[k], i);
            }
            assert_int_equal(j.wrong, 0);
        }
        sz_pool_free(pool);
    }
}

/* The first item of all takes long: others take over what its thread had before it. */
typedef struct slow_start {
    job job;
    _Atomic bool others_done;
    _Atomic uint32_t left;
} slow_start;

static void run_slow_start(void *context, size_t first, size_t last, int thread) {
    slow_start *s = context;
    uint32_t half = (uint32_t)s->job.n / 4; /* of the first of two shares: claimed at once */
    if (first == 0)
        for (int i = 0; i < 20000 && atomic_load(&s->left) > half; i++)
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    if (first == 0 && atomic_load(&s->left) <= half)
        atomic_store(&s->others_done, true);
    run_piece(&s->job, first, last, thread);
    atomic_fetch_sub(&s->left, (uint32_t)(last - first));
}

static void test_a_share_is_taken_over(void **state) {
    sz_pool *pool;
    static _Atomic uint32_t runs[64];
    slow_start s = {.job = {.n = 64, .runs = runs, .n_threads = 2}, .left = 64};
    SZ_CHECK_OK(sz_pool_new(2, &pool));
    sz_pool_share(pool, run_slow_start, &s, 64);
    assert_true(s.others_done);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(runs[i], 1);
    sz_pool_free(pool);
}

static void share_within(void *context, size_t task, int thread) {
    job *j = context;
    sz_pool_share(*(sz_pool **)(j + 1), run_piece, j, j->n);
}

static void test_sharing_within_a_task(void **state) {
    struct {
        job job;
        sz_pool *pool;
    } c = {.job = {.n = 17, .n_threads = 3}};
    static _Atomic uint32_t runs[17];
    c.job.runs = runs;
    SZ_CHECK_OK(sz_pool_new(3, &c.pool));
    for (int i = 0; i < 100; i++)
        sz_pool_run(c.pool, share_within, &c, 9);
    for (size_t i = 0; i < 17; i++)
        assert_int_equal(runs[i], 900);
    assert_int_equal(c.job.wrong, 0);
    sz_pool_free(c.pool);
}

/* ---- Callers beside each other, and calls from within a task --------------------------------- */

enum { CALLERS = 4, CALLS = 2000 };

typedef struct caller {
    sz_pool *pool;
    job job;
    _Atomic uint32_t runs[23];
} caller;

static void *call_often(void *argument) {
    caller *c = argument;
    for (int i = 0; i < CALLS; i += 2) {
        sz_pool_run(c->pool, run_task, &c->job, c->job.n);
        sz_pool_share(c->pool, run_piece, &c->job, c->job.n);
    }
    return NULL;
}

static void test_callers_beside_each_other(void **state) {
    sz_pool *pool;
    pthread_t threads[CALLERS];
    caller callers[CALLERS];
    SZ_CHECK_OK(sz_pool_new(3, &pool));
    for (int i = 0; i < CALLERS; i++) {
        memset(&callers[i], 0, sizeof callers[i]);
        callers[i].pool = pool;
        callers[i].job = (job){.n = 5 + 6 * (size_t)i, .runs = callers[i].runs, .n_threads = 3};
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &callers[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(callers[i].job.wrong, 0);
        for (size_t task = 0; task < callers[i].job.n; task++)
            assert_int_equal(callers[i].runs[task], CALLS);
    }
    sz_pool_free(pool);
}

static void call_within(void *context, size_t task, int thread) {
    caller *c = context;
    sz_pool_run(c->pool, run_task, &c->job, c->job.n);
}

static void test_calls_within_a_task(void **state) {
    sz_pool *pool;
    SZ_CHECK_OK(sz_pool_new(3, &pool));
    caller c = {.pool = pool};
    c.job = (job){.n = 17, .runs = c.runs, .n_threads = 3};
    for (int i = 0; i < 100; i++)
        sz_pool_run(pool, call_within, &c, 9);
    for (size_t task = 0; task < 17; task++)
        assert_int_equal(c.runs[task], 900);
    sz_pool_free(pool);
}

/* ---- Signals, errors, processors ------------------------------------------------------------- */

static _Atomic bool handler_ran_elsewhere;
static pthread_t main_thread;
static void on_signal(int number) {
    if (!pthread_equal(pthread_self(), main_thread))
        handler_ran_elsewhere = true;
}

static void send_signal(void *context, size_t task, int thread) {
    kill(getpid(), SIGUSR1);
    run_task(context, task, thread);
}

static void test_signals_stay_with_the_caller(void **state) {
    sz_pool *pool;
    sigset_t usr1;
    static _Atomic uint32_t runs[64];
    job j = {.n = 64, .runs = runs, .n_threads = 4};
    main_thread = pthread_self();
    signal(SIGUSR1, on_signal);
    SZ_CHECK_OK(sz_pool_new(4, &pool));
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL); /* a worker would be the only one to take it */
    sz_pool_run(pool, send_signal, &j, 64);
    pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
    assert_false(handler_ran_elsewhere);
    sz_pool_free(pool);
    signal(SIGUSR1, SIG_DFL);
}

static void test_errors(void **state) {
    sz_pool *pool = NULL;
    assert_int_equal(sz_pool_new(0, &pool), SZ_E_ARG);
    assert_int_equal(sz_pool_new(1025, &pool), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "1025"));
    assert_null(pool);
    sz_pool_free(NULL);
}

static void test_processors(void **state) {
    cpu_set_t before, one;
    int n = sz_cpu_available();
    assert_true(n >= 1);
    int measured = sz_cpu_measure();
    assert_true(measured >= 1 && measured <= n);
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    assert_true(n <= CPU_COUNT(&before));
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &before) && CPU_COUNT(&one) == 0)
            CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(sz_cpu_available(), 1);
    assert_int_equal(sz_cpu_measure(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    assert_int_equal(sz_cpu_available(), n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_task_runs_once),
        cmocka_unit_test(test_many_jobs),
        cmocka_unit_test(test_sleeping),
        cmocka_unit_test(test_every_item_is_in_one_piece),
        cmocka_unit_test(test_a_share_is_taken_over),
        cmocka_unit_test(test_sharing_within_a_task),
        cmocka_unit_test(test_callers_beside_each_other),
        cmocka_unit_test(test_calls_within_a_task),
        cmocka_unit_test(test_signals_stay_with_the_caller),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
