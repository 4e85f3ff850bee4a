/* 29_uncomp.c: what compressing the cache of a prompt costs under each policy: surprisal of the
 * text that follows, beside the full cache. The texts are the model's own. In the short form, on
 * random attention: budgets, and what must hold of selections. */
#include "repro.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/cache.h>
#include <szilard/unstable/model.h>

enum { PROMPT = 512, FOLLOWS = 96, LENGTH = PROMPT + FOLLOWS, N_TEXTS = 3, N_BUDGETS = 3 };

static const uint32_t budgets[N_BUDGETS] = {32, 64, 128};

/* The last is the claim's opposite: high ranks keep fewer tokens. */
enum { UNCOMP, SNAPKV, STREAMING, WATERFILL, RANDOM, REVERSED, N_POLICIES };
static const char *const policies[N_POLICIES] = {
    "uncomp budget=%u",    "snapkv budget=%u", "streaming budget=%u",
    "waterfill budget=%u", "random budget=%u", "uncomp budget=%u reverse=yes",
};

typedef struct bench {
    sz_session *s;
    int32_t ids[LENGTH];
    double excess[N_POLICIES][N_BUDGETS]; /* sums over texts */
    double whole;                         /* largest divergence where the budget is the prompt */
} bench;

static sz_status plan_policy(const char *format, uint32_t budget, const sz_kv_prompt *prompt,
                             sz_kv_plan *plan) {
    char text[64];
    sz_kv_policy policy;
    snprintf(text, sizeof text, format, budget);
    SZ_TRY(sz_kv_policy_parse(text, &policy));
    return sz_kv_policy_plan(&policy, prompt, plan);
}

/* ---- On the default model -------------------------------------------------------------------- */

/* A text that the model draws itself, without end tokens. */
static sz_status write_text(bench *b, uint64_t seed) {
    static const char *const openings[N_TEXTS] = {"The history of the city begins with",
                                                  "Chapter 1. The ship left the harbour",
                                                  "Here is how a computer works."};
    sz_token t;
    SZ_TRY(sz_session_drop(b->s, 0));
    SZ_TRY(sz_session_set_sampler(b->s, 0, "top-p 0.95, temperature 0.9", seed));
    SZ_TRY(sz_session_prompt(b->s, 0, openings[seed % N_TEXTS]));
    while (sz_session_length(b->s, 0) < LENGTH) {
        sz_status status = sz_session_next(b->s, 0, &t);
        SZ_TRY(status == SZ_END ? sz_session_prompt(b->s, 0, "\n\nThen") : status);
    }
    const sz_token *records;
    size_t n;
    SZ_TRY(sz_session_records(b->s, 0, &records, &n));
    for (size_t i = 0; i < LENGTH; i++)
        b->ids[i] = records[i].id;
    return sz_session_drop(b->s, 0);
}

/* Sequence 0 holds the prompt; its forks go on with and without what a policy forgets. */
static sz_status measure(bench *b, const sz_kv_prompt *prompt, const char *format, uint32_t budget,
                         sz_kv_loss *loss) {
    uint32_t full, kept;
    sz_kv_plan plan;
    SZ_TRY(plan_policy(format, budget, prompt, &plan));
    sz_status status = sz_session_fork(b->s, 0, &full);
    if (status == SZ_OK)
        status = sz_session_fork(b->s, 0, &kept);
    if (status == SZ_OK)
        status = sz_session_keep(b->s, kept, &plan);
    sz_kv_plan_free(&plan);
    SZ_TRY(status);
    SZ_TRY(sz_session_kv_loss(b->s, full, kept, b->ids + PROMPT, FOLLOWS, loss));
    SZ_TRY(sz_session_drop(b->s, full));
    return sz_session_drop(b->s, kept);
}

static sz_status measure_all(bench *b, const sz_kv_prompt *prompt) {
    sz_kv_loss loss;
    for (size_t p = 0; p < N_POLICIES; p++)
        for (size_t k = 0; k < N_BUDGETS; k++) {
            SZ_TRY(measure(b, prompt, policies[p], budgets[k], &loss));
            b->excess[p][k] += loss.excess / N_TEXTS;
        }
    SZ_TRY(measure(b, prompt, policies[UNCOMP], PROMPT, &loss));
    b->whole = loss.kl_most > b->whole ? loss.kl_most : b->whole;
    return SZ_OK;
}

static sz_status read_texts(bench *b, uint64_t seed) {
    for (uint64_t i = 0; i < N_TEXTS; i++) {
        sz_kv_watch *w;
        SZ_TRY(write_text(b, seed + i));
        SZ_TRY(sz_session_observe(b->s, 0, b->ids, PROMPT,
                                  SZ_KV_NEEDS_RECENT_MASS | SZ_KV_NEEDS_RANK, 8, &w));
        sz_status status = measure_all(b, sz_kv_watch_prompt(w));
        sz_kv_watch_free(w);
        SZ_TRY(status);
    }
    return SZ_OK;
}

static void tell(sz_repro_run *run, const bench *b) {
    const double *uncomp = b->excess[UNCOMP];
    for (size_t p = 0; p <= RANDOM; p++)
        for (size_t k = 1; k < N_BUDGETS; k++) {
            char name[32];
            snprintf(name, sizeof name, "%.*s", (int)strcspn(policies[p], " "), policies[p]);
            sz_repro_check(run, "falls", b->excess[p][k], "<=", b->excess[p][k - 1] + 0.01,
                           "%s: excess at %u tokens of %d, nats", name, budgets[k], PROMPT);
        }
    sz_repro_check(run, "", uncomp[1], "<=", b->excess[SNAPKV][1] + 0.02,
                   "uncomp at 64, against snapkv + 0.02");
    sz_repro_check(run, "", uncomp[1], "<=", 0.5 * b->excess[RANDOM][1],
                   "uncomp at 64, against half of random");
    sz_repro_check(run, "", uncomp[1], "<=", b->excess[STREAMING][1],
                   "uncomp at 64, against streaming");
    sz_repro_check(run, "worse", b->excess[REVERSED][1], ">=", uncomp[1] - 0.01,
                   "groups reversed at 64, against uncomp - 0.01");
    sz_repro_check(run, "", b->whole, "==", 0.0, "divergence where the budget is the prompt");
}

static sz_status on_model(sz_repro_run *run) {
    char *path;
    sz_runtime *rt = NULL;
    sz_model *model = NULL;
    bench *b = sz_calloc(1, sizeof *b);
    SZ_REQUIRE(b, SZ_E_NOMEM, "no memory for a text");
    sz_status status = run->find_model("smollm2", &path);
    if (status == SZ_OK) {
        status = sz_runtime_new(NULL, &rt);
        if (status == SZ_OK)
            status = sz_model_open(rt, path, NULL, &model);
        free(path);
    }
    sz_session_config config = {.context = LENGTH + 8, .n_sequences = 3};
    if (status == SZ_OK)
        status = sz_session_new(model, &config, &b->s);
    if (status == SZ_OK)
        status = read_texts(b, run->seed);
    if (status == SZ_OK)
        tell(run, b);
    sz_session_free(b->s);
    sz_model_close(model);
    sz_runtime_free(rt);
    sz_free(b);
    return status;
}

/* ---- On random attention --------------------------------------------------------------------- */

enum { LAYERS = 6, HEADS = 8, ALL = LAYERS * HEADS };

/* The attention that the plan keeps. */
static double mass_of(const sz_kv_plan *plan, const double *mass) {
    double sum = 0;
    for (size_t i = 0; i < ALL; i++)
        for (size_t j = plan->first[i]; j < plan->first[i + 1]; j++)
            sum += mass[i * plan->length + plan->position[j]];
    return sum;
}

static sz_status kept_mass(const char *format, uint32_t budget, const sz_kv_prompt *prompt,
                           double *mass, size_t *n) {
    sz_kv_plan plan;
    SZ_TRY(plan_policy(format, budget, prompt, &plan));
    *mass = mass_of(&plan, prompt->recent_mass);
    *n = plan.first[ALL];
    sz_kv_plan_free(&plan);
    return SZ_OK;
}

static sz_status compare_selections(sz_repro_run *run, const sz_kv_prompt *prompt) {
    static const char *const formats[] = {"waterfill budget=%u pool=1", "snapkv budget=%u pool=1",
                                          "uncomp budget=%u pool=1 groups=1",
                                          "uncomp budget=%u pool=1", "random budget=%u"};
    double mass[5];
    size_t n[5];
    for (size_t i = 0; i < 5; i++) {
        SZ_TRY(kept_mass(formats[i], 64, prompt, &mass[i], &n[i]));
        sz_repro_check(run, "", (double)n[i], "==", 64 * ALL, "%.*s: tokens kept by all heads",
                       (int)strcspn(formats[i], " "), formats[i]);
    }
    sz_repro_check(run, "", mass[0], ">=", mass[1], "water-filling keeps the most attention");
    sz_repro_check(run, "", mass[2], "==", mass[1], "one group keeps what snapkv keeps");
    sz_repro_check(run, "", mass[3], ">=", mass[4], "uncomp keeps more attention than random");
    return SZ_OK;
}

static sz_status on_random_attention(sz_repro_run *run) {
    enum { N = 512 };
    uint32_t capacity[8];
    double *mass = sz_alloc((ALL * N + ALL) * sizeof *mass);
    SZ_REQUIRE(mass, SZ_E_NOMEM, "no memory for %d rows", ALL);
    for (size_t i = 0; i < ALL * N + ALL; i++) {
        double u = sz_uniform(run->seed, 29, i);
        mass[i] = u * u * u * u * (double)(1 + i / N % HEADS);
    }
    sz_kv_prompt prompt = {LAYERS, HEADS, N, NULL, mass, NULL, mass + ALL * N};
    sz_status status = sz_kv_group_budgets(384, 73, 8, 9, capacity);
    if (status == SZ_OK) {
        sz_repro_check(run, "640", capacity[7], "==", 640, "tokens of the highest of 8 groups");
        sz_repro_check(run, "129", capacity[0], "<=", 129, "tokens of the lowest");
        status = compare_selections(run, &prompt);
    }
    sz_free(mass);
    return status;
}

static sz_status run_all(sz_repro_run *run) {
    return run->smoke ? on_random_attention(run) : on_model(run);
}

const sz_repro sz_repro_29 = {"29", run_all};
