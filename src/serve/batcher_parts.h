/* batcher_parts.h: the state of the engine, for the files that it is made of. All of it belongs to
 * the engine's thread but what stands behind the lock. */
#ifndef SZ_SERVE_BATCHER_PARTS_H
#define SZ_SERVE_BATCHER_PARTS_H

#include "batcher.h"
#include "decode/session.h"

typedef struct sz_slot {
    uint32_t seq;
    sz_choice *choice; /* NULL: idle; what its sequence holds may serve as somebody's beginning */
    uint64_t used, drawn_ns;
} sz_slot;

struct sz_batcher {
    sz_model *model;
    sz_session *session;
    sz_batcher_config config;
    pthread_t thread;
    bool started;
    sz_slot *slots;    /* [config.n_slots] */
    sz_part **running; /* [n_running] */
    size_t n_running;
    uint64_t clock;       /* of the use of slots */
    size_t next_prompt;   /* whose turn it is among prompts that wait for their passes */
    uint64_t token_bytes; /* of keys and values */
    float *pooling;       /* [n_embd], of the tap */
    struct sz_pass_plan *plan;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    sz_part *queue;
    size_t n_jobs, n_waiting; /* jobs; of them, those of which nothing runs yet */
    uint64_t tickets;
    sz_job **jobs; /* [n_jobs] not finished */
    size_t cap_jobs;
    bool stop;
    sz_counters counters;
};

/* slots.c */

/* Whether the part's choices find slots and memory now; if so, gives them and readies the first
 * one's sequence, of which part->n_computed tokens are there already. */
sz_status sz_slots_take(sz_batcher *e, sz_part *p, bool *fits);
/* The choice needs its slot no longer; what the sequence holds stays for others. */
void sz_slots_release(sz_batcher *e, sz_choice *c);
/* Tokens that a part may come to hold. */
uint64_t sz_part_needs(const sz_part *p);
uint64_t sz_batcher_capacity(const sz_batcher *e); /* tokens */

/* pass.c */

sz_status sz_pass_plan_new(sz_batcher *e);
void sz_pass_plan_free(sz_batcher *e);
/* Draws, computes one pass and tells what came of it. False: there was nothing to do. */
bool sz_batcher_pass(sz_batcher *e);
/* A job is over: what is planned for it is nobody's any more. */
void sz_pass_forget(sz_batcher *e, const sz_job *j);

/* batcher.c, for pass.c */

void sz_batcher_complete(sz_batcher *e, sz_choice *c, sz_finish finish);
/* All of a job ends with this thread's error. */
void sz_batcher_fail(sz_batcher *e, sz_job *j, sz_status status);
/* A part whose hidden states were pooled. */
void sz_batcher_pooled(sz_batcher *e, sz_part *p);
void sz_histogram_add(sz_histogram *h, uint64_t ns);

#endif
