/* job.h: one request as the engine knows it, whatever the API that it came by. A job has parts, one
 * per prompt, and each part as many choices as were asked for. */
#ifndef SZ_SERVE_JOB_H
#define SZ_SERVE_JOB_H

#include "answer.h"
#include "reply.h"

#include <szilard/unstable/sampler.h>

typedef struct sz_job sz_job;
typedef struct sz_part sz_part;

typedef enum sz_pooling { SZ_POOLING_NONE, SZ_POOLING_MEAN, SZ_POOLING_LAST } sz_pooling;

/* What is asked, the same for all prompts of a job. */
typedef struct sz_ask {
    uint32_t n_choices; /* per prompt */
    uint32_t max_tokens;
    uint64_t seed;
    uint32_t n_top;     /* likeliest tokens to tell at each place */
    bool score_prompt;  /* records of the prompt's tokens */
    bool ignore_end;    /* end tokens are tokens like others */
    sz_pooling pooling; /* the hidden states of the prompt are wanted, and no text */
    char *stops[SZ_ANSWER_STOPS];
    size_t n_stops;
} sz_ask;

typedef struct sz_choice {
    sz_part *part;
    uint32_t index; /* in the job */
    uint32_t slot;
    bool holds_slot;
    sz_answer answer;
    sz_finish finish;
} sz_choice;

/* A prompt and its choices: what waits in the queue, and gets slots together. */
struct sz_part {
    sz_job *job;
    int32_t *ids; /* [n_ids] */
    size_t n_ids, n_computed, n_cached;
    sz_chain *chain; /* what the first choice draws by; NULL: greedy */
    sz_choice *choices;
    float *pooled;   /* [n_embd], of SZ_POOLING_* */
    uint64_t ticket; /* order of arrival */
    bool running, prompted;
    sz_part *next;
};

/* What an API does with a job; on the engine's thread. */
typedef struct sz_format {
    void (*told)(sz_job *j, sz_choice *c);  /* more text is certain, or the choice is complete */
    void (*finish)(sz_job *j, sz_status s); /* all is there, or nothing will be: sz_last_error */
} sz_format;

/* What formats need to know of the request. */
typedef struct sz_form {
    char id[40];
    char model[128];
    int64_t created; /* unix time */
    bool stream, include_usage;
    bool logprobs;      /* in the API's own shape */
    bool echo;          /* the prompt is part of the text */
    bool account;       /* with the object `szilard` */
    bool token_figures; /* and the figures of each token in it */
    bool split_thoughts, parse_tools, in_thought;
    uint32_t n_alternatives; /* of each token in `szilard` */
    uint32_t n_logprobs;
    void *own; /* of the format; freed with free_own */
    void (*free_own)(void *own);
} sz_form;

typedef enum sz_cancel { SZ_CANCEL_NO, SZ_CANCEL_GONE, SZ_CANCEL_LATE, SZ_CANCEL_DRAIN } sz_cancel;

struct sz_job {
    int refs;
    int cancel; /* sz_cancel; set once, by any thread */
    sz_ask ask;
    sz_form form;
    const sz_format *format;
    sz_reply *reply;
    const sz_model *model;
    sz_part *parts; /* [n_parts] */
    size_t n_parts;
    sz_choice *choices; /* [n_parts * ask.n_choices] */
    size_t n_open;      /* choices, or parts that are pooled, which are not complete */
    uint64_t client;    /* whose it is, for fairness */
    uint64_t arrived_ns, begun_ns, first_ns, done_ns, deadline_ns;
};

/* An empty job; the reply is retained. */
sz_status sz_job_new(sz_reply *reply, const sz_model *model, const sz_format *format, sz_job **out);
/* Room for n prompts with ask.n_choices each; parts[i].ids and n_ids are then set by the caller. */
sz_status sz_job_set_prompts(sz_job *j, size_t n);
sz_job *sz_job_retain(sz_job *j);
void sz_job_release(sz_job *j);
/* The first reason counts. */
void sz_job_cancel(sz_job *j, sz_cancel why);
sz_cancel sz_job_cancelled(const sz_job *j);
/* Tokens of all prompts, and of all choices. */
size_t sz_job_n_prompt(const sz_job *j);
size_t sz_job_n_cached(const sz_job *j);
size_t sz_job_n_drawn(const sz_job *j);

#endif
