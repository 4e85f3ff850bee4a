/* batcher.c: the queue, whose turn it is, and the life of jobs in the engine. */
#include "batcher_parts.h"

#include <string.h>
#include <time.h>

enum { DEFAULT_SLOTS = 8, DEFAULT_QUEUE = 64, DEFAULT_PASS_TOKENS = 64, MOST_SLOTS = 256 };

const double sz_bucket_seconds[SZ_BUCKETS] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                              0.5,   1,    2.5,   5,    10,  30};

void sz_histogram_add(sz_histogram *h, uint64_t ns) {
    size_t i = 0;
    while (i < SZ_BUCKETS && (double)ns > sz_bucket_seconds[i] * 1e9)
        i++;
    h->n[i]++;
    h->count++;
    h->sum_ns += ns;
}

/* ---- The end of jobs ---------------------------------------------------------------------------
 */

static void forget_running(sz_batcher *e, const sz_job *j, const sz_part *part) {
    size_t n = 0;
    for (size_t i = 0; i < e->n_running; i++)
        if (part ? e->running[i] != part : e->running[i]->job != j)
            e->running[n++] = e->running[i];
    e->n_running = n;
}

static void forget_queued(sz_batcher *e, const sz_job *j) {
    for (sz_part **at = &e->queue; *at;) {
        if ((*at)->job == j)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
}

static void forget_job(sz_batcher *e, sz_job *j) {
    pthread_mutex_lock(&e->lock);
    size_t i = 0;
    while (e->jobs[i] != j)
        i++;
    e->jobs[i] = e->jobs[--e->n_jobs];
    e->n_waiting -= j->begun_ns == 0;
    forget_queued(e, j);
    pthread_mutex_unlock(&e->lock);
}

/* The last thing that happens to a job here. */
static void finish(sz_batcher *e, sz_job *j, sz_status status) {
    sz_cancel cancel = sz_job_cancelled(j);
    j->done_ns = sz_time_ns();
    forget_running(e, j, NULL);
    sz_pass_forget(e, j);
    for (size_t i = 0; i < j->n_parts * j->ask.n_choices; i++)
        sz_slots_release(e, &j->choices[i]);
    pthread_mutex_lock(&e->lock);
    e->counters.finished += status == SZ_OK;
    e->counters.cancelled += status != SZ_OK && cancel != SZ_CANCEL_NO;
    e->counters.failed += status != SZ_OK && cancel == SZ_CANCEL_NO;
    pthread_mutex_unlock(&e->lock);
    j->format->finish(j, status);
    forget_job(e, j);
    sz_job_release(j);
}

static bool part_is_complete(const sz_part *p) {
    for (uint32_t i = 0; i < p->job->ask.n_choices; i++)
        if (p->choices[i].finish == SZ_FINISH_NONE)
            return false;
    return true;
}

void sz_batcher_complete(sz_batcher *e, sz_choice *c, sz_finish why) {
    sz_part *part = c->part;
    sz_job *j = part->job;
    c->finish = why;
    sz_answer_close(&c->answer);
    sz_slots_release(e, c);
    j->format->told(j, c);
    if (part_is_complete(part))
        forget_running(e, j, part);
    if (--j->n_open == 0)
        finish(e, j, SZ_OK);
}

void sz_batcher_pooled(sz_batcher *e, sz_part *part) {
    sz_job *j = part->job;
    sz_slots_release(e, &part->choices[0]);
    forget_running(e, j, part);
    if (--j->n_open == 0)
        finish(e, j, SZ_OK);
}

void sz_batcher_fail(sz_batcher *e, sz_job *j, sz_status status) {
    for (size_t i = 0; i < j->n_parts * j->ask.n_choices; i++)
        if (j->choices[i].finish == SZ_FINISH_NONE)
            j->choices[i].finish =
                status == SZ_E_CANCELLED ? SZ_FINISH_CANCELLED : SZ_FINISH_FAILED;
    finish(e, j, status);
}

static void cancel_job(sz_batcher *e, sz_job *j) {
    static const char *const why[] = {"", "the client is gone", "the request took too long",
                                      "the server is shutting down"};
    sz_batcher_fail(e, j, sz_fail(SZ_E_CANCELLED, "%s", why[sz_job_cancelled(j)]));
}

/* Jobs that nobody waits for any more, one at a time. */
static sz_job *find_cancelled(sz_batcher *e) {
    sz_job *found = NULL;
    uint64_t now = sz_time_ns();
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < e->n_jobs && !found; i++) {
        sz_job *j = e->jobs[i];
        if (j->deadline_ns && now > j->deadline_ns)
            sz_job_cancel(j, SZ_CANCEL_LATE);
        if (sz_job_cancelled(j) != SZ_CANCEL_NO)
            found = j;
    }
    pthread_mutex_unlock(&e->lock);
    return found;
}

/* ---- Whose turn it is --------------------------------------------------------------------------
 */

static size_t n_running_of(const sz_batcher *e, uint64_t client) {
    size_t n = 0;
    for (size_t i = 0; i < e->n_running; i++)
        n += e->running[i]->job->client == client;
    return n;
}

/* Of the client that has the fewest running, what arrived first. */
static sz_part *next_in_turn(const sz_batcher *e) {
    sz_part *best = NULL;
    size_t fewest = SIZE_MAX;
    for (sz_part *p = e->queue; p && fewest > 0; p = p->next) {
        size_t n = n_running_of(e, p->job->client);
        if (n < fewest) {
            best = p;
            fewest = n;
        }
    }
    return best;
}

static sz_status begin(sz_batcher *e, sz_part *p) {
    if (p->job->ask.pooling) {
        p->pooled = sz_calloc(e->model->h.n_embd, sizeof *p->pooled);
        SZ_REQUIRE(p->pooled, SZ_E_NOMEM, "no memory for hidden states");
    }
    p->running = true;
    e->running[e->n_running++] = p;
    return SZ_OK;
}

/* The next part in turn runs if it fits; nothing overtakes one that does not, so that it gets its
 * place. */
static bool admit(sz_batcher *e) {
    bool fits = false;
    pthread_mutex_lock(&e->lock);
    sz_part *p = next_in_turn(e);
    sz_status status = p ? sz_slots_take(e, p, &fits) : SZ_OK;
    if (fits) {
        sz_part **at = &e->queue;
        while (*at != p)
            at = &(*at)->next;
        *at = p->next;
        e->n_waiting -= p->job->begun_ns == 0;
        p->job->begun_ns = p->job->begun_ns ? p->job->begun_ns : sz_time_ns();
        e->counters.cached_tokens += p->n_cached;
    }
    pthread_mutex_unlock(&e->lock);
    if (status == SZ_OK && fits)
        status = begin(e, p);
    if (status != SZ_OK)
        sz_batcher_fail(e, p->job, status);
    return p && (fits || status != SZ_OK);
}

/* ---- The thread --------------------------------------------------------------------------------
 */

static void wait_for_work(sz_batcher *e, bool paused) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20 * 1000 * 1000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&e->lock);
    if (paused && !e->stop) /* clients that do not read: look again soon */
        pthread_cond_timedwait(&e->wake, &e->lock, &until);
    while (!paused && !e->stop && e->n_jobs == 0)
        pthread_cond_wait(&e->wake, &e->lock);
    pthread_mutex_unlock(&e->lock);
}

static bool stopped(sz_batcher *e, bool *has_jobs) {
    pthread_mutex_lock(&e->lock);
    bool stop = e->stop;
    *has_jobs = e->n_jobs > 0;
    pthread_mutex_unlock(&e->lock);
    return stop;
}

static void *work(void *user) {
    sz_batcher *e = user;
    bool has_jobs, idle = false;
    while (!stopped(e, &has_jobs)) {
        if (!has_jobs || idle)
            wait_for_work(e, has_jobs);
        for (sz_job *j; (j = find_cancelled(e));)
            cancel_job(e, j);
        while (admit(e))
            ;
        idle = !sz_batcher_pass(e);
    }
    sz_batcher_cancel_all(e, SZ_CANCEL_DRAIN);
    for (sz_job *j; (j = find_cancelled(e));)
        cancel_job(e, j);
    return NULL;
}

/* ---- Interface ---------------------------------------------------------------------------------
 */

static sz_status open_session(sz_batcher *e) {
    const sz_hparams *h = &e->model->h;
    sz_kv_shape shape = {h->n_layer, h->n_head_kv, h->head_dim, e->config.kv_type};
    sz_session_config config = {.size = sizeof config,
                                .context = e->config.context,
                                .n_sequences = e->config.n_slots + 1,
                                .kv_type = e->config.kv_type};
    SZ_TRY(sz_session_new(e->model, &config, &e->session));
    e->config.context = sz_session_context(e->session);
    e->token_bytes = sz_kv_block_bytes(&shape) / SZ_KV_BLOCK;
    if (!e->config.kv_bytes)
        e->config.kv_bytes = sz_memory_available() / 2;
    uint64_t least = e->token_bytes * e->config.context;
    e->config.kv_bytes = e->config.kv_bytes < least ? least : e->config.kv_bytes;
    for (uint32_t i = 0; i < e->config.n_slots;
         i++) /* sequence 0 cannot be dropped: it stays empty */
        SZ_TRY(sz_session_add(e->session, &e->slots[i].seq));
    return SZ_OK;
}

static sz_status prepare(sz_batcher *e) {
    size_t n = e->config.n_slots;
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->wake, NULL);
    e->slots = sz_calloc(n, sizeof *e->slots);
    e->running = sz_calloc(n, sizeof *e->running);
    e->cap_jobs = n + e->config.n_queued;
    e->jobs = sz_calloc(e->cap_jobs, sizeof *e->jobs);
    SZ_REQUIRE(e->slots && e->running && e->jobs, SZ_E_NOMEM, "no memory for the engine");
    SZ_TRY(sz_pass_plan_new(e));
    SZ_TRY(open_session(e));
    e->counters.slots = n;
    e->counters.context = e->config.context;
    SZ_REQUIRE(pthread_create(&e->thread, NULL, work, e) == 0, SZ_E_IO,
               "cannot start the engine's thread");
    e->started = true;
    return SZ_OK;
}

sz_status sz_batcher_start(sz_model *model, const sz_batcher_config *config, sz_batcher **out) {
    sz_batcher *e = sz_calloc(1, sizeof *e);
    SZ_REQUIRE(e, SZ_E_NOMEM, "no memory for the engine");
    e->model = model;
    e->config = *config;
    e->config.n_slots = config->n_slots ? config->n_slots : DEFAULT_SLOTS;
    e->config.n_queued = config->n_queued ? config->n_queued : DEFAULT_QUEUE;
    e->config.pass_tokens = config->pass_tokens ? config->pass_tokens : DEFAULT_PASS_TOKENS;
    sz_status status =
        e->config.n_slots <= MOST_SLOTS
            ? prepare(e)
            : sz_fail(SZ_E_ARG, "%u slots, at most %d are allowed", e->config.n_slots, MOST_SLOTS);
    if (status != SZ_OK) {
        sz_batcher_free(e);
        return status;
    }
    *out = e;
    return SZ_OK;
}

void sz_batcher_stop(sz_batcher *e) {
    if (!e || !e->started)
        return;
    pthread_mutex_lock(&e->lock);
    e->stop = true;
    pthread_cond_signal(&e->wake);
    pthread_mutex_unlock(&e->lock);
    pthread_join(e->thread, NULL);
    e->started = false;
}

void sz_batcher_free(sz_batcher *e) {
    if (!e)
        return;
    sz_batcher_stop(e);
    sz_pass_plan_free(e);
    sz_session_free(e->session);
    pthread_mutex_destroy(&e->lock);
    pthread_cond_destroy(&e->wake);
    sz_free(e->slots);
    sz_free(e->running);
    sz_free(e->jobs);
    sz_free(e);
}

uint32_t sz_batcher_context(const sz_batcher *e) {
    return e->config.context;
}

uint32_t sz_batcher_slots(const sz_batcher *e) {
    return e->config.n_slots;
}

sz_status sz_batcher_check(const sz_batcher *e, const sz_job *j) {
    const sz_ask *ask = &j->ask;
    uint32_t room = e->config.context - (ask->pooling || ask->max_tokens == 0 ? 0 : 1);
    SZ_REQUIRE(ask->n_choices <= e->config.n_slots, SZ_E_ARG,
               "%u choices were asked for; this server computes %u texts at once", ask->n_choices,
               e->config.n_slots);
    for (size_t i = 0; i < j->n_parts; i++) {
        SZ_REQUIRE(j->parts[i].n_ids > 0, SZ_E_ARG,
                   "the prompt is empty, and the model has no token that begins a text");
        SZ_REQUIRE(j->parts[i].n_ids <= room, SZ_E_LIMIT,
                   "This model's maximum context length is %u tokens, but the prompt has %zu",
                   e->config.context, j->parts[i].n_ids);
        SZ_REQUIRE(sz_part_needs(&j->parts[i]) <= sz_batcher_capacity(e), SZ_E_LIMIT,
                   "%llu tokens may be needed, and the server's memory holds %llu",
                   (unsigned long long)sz_part_needs(&j->parts[i]),
                   (unsigned long long)sz_batcher_capacity(e));
    }
    return SZ_OK;
}

static void enqueue(sz_batcher *e, sz_job *j) {
    sz_part **end = &e->queue;
    while (*end)
        end = &(*end)->next;
    for (size_t i = 0; i < j->n_parts; i++) {
        *end = &j->parts[i];
        end = &j->parts[i].next;
    }
    *end = NULL;
    e->jobs[e->n_jobs++] = sz_job_retain(j);
    e->n_waiting++;
    e->counters.jobs++;
    pthread_cond_signal(&e->wake);
}

sz_status sz_batcher_submit(sz_batcher *e, sz_job *j) {
    pthread_mutex_lock(&e->lock);
    bool full = e->n_waiting >= e->config.n_queued || e->n_jobs >= e->cap_jobs || e->stop;
    if (full)
        e->counters.rejected++;
    else
        enqueue(e, j);
    pthread_mutex_unlock(&e->lock);
    SZ_REQUIRE(!full, SZ_E_LIMIT, "the server is busy: %u requests wait already",
               e->config.n_queued);
    return SZ_OK;
}

size_t sz_batcher_busy(sz_batcher *e) {
    pthread_mutex_lock(&e->lock);
    size_t n = e->n_jobs;
    pthread_mutex_unlock(&e->lock);
    return n;
}

void sz_batcher_cancel_all(sz_batcher *e, sz_cancel why) {
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < e->n_jobs; i++)
        sz_job_cancel(e->jobs[i], why);
    pthread_cond_signal(&e->wake);
    pthread_mutex_unlock(&e->lock);
}

void sz_batcher_count(sz_batcher *e, sz_counters *out) {
    pthread_mutex_lock(&e->lock);
    *out = e->counters;
    out->queued = e->n_waiting;
    out->running = e->n_jobs - e->n_waiting;
    pthread_mutex_unlock(&e->lock);
}
