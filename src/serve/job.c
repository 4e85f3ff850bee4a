/* job.c: the life of a job. */
#include "job.h"

sz_status sz_job_new(sz_reply *reply, const sz_model *model, const sz_format *format,
                     sz_job **out) {
    sz_job *j = sz_calloc(1, sizeof *j);
    SZ_REQUIRE(j, SZ_E_NOMEM, "no memory for a request");
    j->refs = 1;
    j->format = format;
    j->model = model;
    j->reply = sz_reply_retain(reply);
    j->arrived_ns = sz_time_ns();
    j->ask.n_choices = 1;
    *out = j;
    return SZ_OK;
}

sz_status sz_job_set_prompts(sz_job *j, size_t n) {
    size_t n_choices = n * j->ask.n_choices;
    j->parts = sz_calloc(n, sizeof *j->parts);
    j->choices = sz_calloc(n_choices, sizeof *j->choices);
    SZ_REQUIRE(j->parts && j->choices, SZ_E_NOMEM, "no memory for %zu choices", n_choices);
    j->n_parts = n;
    j->n_open = j->ask.pooling ? n : n_choices;
    const sz_tokenizer *t = sz_model_tokenizer(j->model);
    for (size_t i = 0; i < n; i++) {
        j->parts[i].job = j;
        j->parts[i].choices = j->choices + i * j->ask.n_choices;
    }
    for (size_t i = 0; i < n_choices; i++) {
        sz_choice *c = &j->choices[i];
        c->index = (uint32_t)i;
        c->part = &j->parts[i / j->ask.n_choices];
        sz_answer_begin(&c->answer, t, j->ask.stops, j->ask.n_stops, j->ask.n_top);
    }
    return SZ_OK;
}

sz_job *sz_job_retain(sz_job *j) {
    __atomic_add_fetch(&j->refs, 1, __ATOMIC_RELAXED);
    return j;
}

static void free_job(sz_job *j) {
    for (size_t i = 0; i < j->n_parts * j->ask.n_choices; i++)
        sz_answer_free(&j->choices[i].answer);
    for (size_t i = 0; i < j->n_parts; i++) {
        sz_free(j->parts[i].ids);
        sz_free(j->parts[i].pooled);
        sz_chain_free(j->parts[i].chain);
    }
    for (size_t i = 0; i < j->ask.n_stops; i++)
        sz_free(j->ask.stops[i]);
    if (j->form.free_own)
        j->form.free_own(j->form.own);
    sz_reply_release(j->reply);
    sz_free(j->parts);
    sz_free(j->choices);
    sz_free(j);
}

void sz_job_release(sz_job *j) {
    if (j && __atomic_sub_fetch(&j->refs, 1, __ATOMIC_ACQ_REL) == 0)
        free_job(j);
}

void sz_job_cancel(sz_job *j, sz_cancel why) {
    int none = SZ_CANCEL_NO;
    __atomic_compare_exchange_n(&j->cancel, &none, (int)why, false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
}

sz_cancel sz_job_cancelled(const sz_job *j) {
    return (sz_cancel)__atomic_load_n(&j->cancel, __ATOMIC_RELAXED);
}

size_t sz_job_n_prompt(const sz_job *j) {
    size_t n = 0;
    for (size_t i = 0; i < j->n_parts; i++)
        n += j->parts[i].n_ids;
    return n;
}

size_t sz_job_n_cached(const sz_job *j) {
    size_t n = 0;
    for (size_t i = 0; i < j->n_parts; i++)
        n += j->parts[i].n_cached;
    return n;
}

size_t sz_job_n_drawn(const sz_job *j) {
    size_t n = 0;
    for (size_t i = 0; i < j->n_parts * j->ask.n_choices; i++)
        n += j->choices[i].answer.sums.n;
    return n;
}
