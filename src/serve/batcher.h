/* batcher.h: the thread that owns the session. It serves all jobs together: each pass takes one
 * token of every text that grows and a piece of the prompts that wait, so that nobody stands still
 * for long. What a job gets has the same bits as if it ran alone. */
#ifndef SZ_SERVE_BATCHER_H
#define SZ_SERVE_BATCHER_H

#include "job.h"

typedef struct sz_batcher sz_batcher;

typedef struct sz_batcher_config { /* 0: the default in brackets */
    uint32_t context;              /* tokens of prompt and answer [as sz_session_config] */
    uint32_t n_slots;              /* texts that grow at once [8] */
    uint32_t n_queued;             /* jobs that may wait [64] */
    uint32_t pass_tokens;          /* of prompts in a pass beside texts that grow [64] */
    uint64_t kv_bytes;             /* of keys and values [half of the free memory] */
    sz_kv_type kv_type;
} sz_batcher_config;

enum { SZ_BUCKETS = 12 };
extern const double sz_bucket_seconds[SZ_BUCKETS]; /* upper ends; one more is infinite */
typedef struct sz_histogram {
    uint64_t n[SZ_BUCKETS + 1], count, sum_ns;
} sz_histogram;

typedef struct sz_counters {
    uint64_t jobs, rejected, cancelled, failed, finished;
    uint64_t prompt_tokens, cached_tokens, drawn_tokens;
    uint64_t passes, wide_passes, mixed_passes, wide_mixed_passes; /* wide: seven texts or more */
    uint64_t most_texts;                                           /* in one pass */
    uint64_t prefix_hits, prefix_forks, evictions;
    uint64_t queued, running, slots, context; /* now */
    uint64_t kv_bytes;
    double entropy, surprisal;   /* nats, of the drawn tokens */
    sz_histogram first, between; /* until the first token; between two of them */
} sz_counters;

sz_status sz_batcher_start(sz_model *model, const sz_batcher_config *config, sz_batcher **out);
/* Cancels what is left and ends the thread; nothing is taken any more. */
void sz_batcher_stop(sz_batcher *e);
void sz_batcher_free(sz_batcher *e);
uint32_t sz_batcher_context(const sz_batcher *e);
uint32_t sz_batcher_slots(const sz_batcher *e);

/* Whether the parts of a job can ever run; SZ_E_LIMIT: too many tokens or choices. */
sz_status sz_batcher_check(const sz_batcher *e, const sz_job *j);
/* Takes a reference of its own. SZ_E_LIMIT: the queue is full. */
sz_status sz_batcher_submit(sz_batcher *e, sz_job *j);
/* Jobs that are not finished. */
size_t sz_batcher_busy(sz_batcher *e);
/* Cancels all of them. */
void sz_batcher_cancel_all(sz_batcher *e, sz_cancel why);
void sz_batcher_count(sz_batcher *e, sz_counters *out);

#endif
