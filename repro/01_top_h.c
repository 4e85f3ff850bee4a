/* 01_top_h.c: top-H holds its text together at high temperatures and still varies; its greedy
 * choice is nearly the best one. On the default model, or in the short form on a random source: a
 * chain of words, each with its own Zipf law over what follows. */
#include "repro.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/model.h>
#include <szilard/unstable/num.h>
#include <szilard/unstable/sampler.h>

#include "decode/ecmm.h"

enum {
    MOST_TOKENS = 256,
    MOST_PROMPT = 96,
    WORDS = 1009,
    TOP = 15,
    MOST_ROWS = 160,
    N_PROMPTS = 20
};

static const char *const prompts[N_PROMPTS] = {
    "The old lighthouse keeper wrote in his diary that",
    "To bake a good loaf of bread, you first",
    "In the year 2150, the first city on Mars",
    "The main difference between heat and temperature is",
    "She opened the letter and read:",
    "My favourite place in the world is",
    "A short history of the printing press:",
    "The experiment failed because",
    "Once upon a time there was a fox who",
    "The three most important rules of chess are",
    "Dear neighbour, I am writing to you about",
    "Photosynthesis is the process by which",
    "The train was late again, so",
    "If I could travel anywhere, I would",
    "Water is unusual among liquids because",
    "The detective looked at the broken window and",
    "A good teacher should",
    "Here is a poem about the sea:",
    "The economy of a small island depends on",
    "Learning to play the violin takes",
};

/* What a text is drawn from: a model, or the source where that is NULL. */
typedef struct speaker {
    sz_runtime *rt;
    sz_model *model;
    sz_session *session;
    size_t n_vocab;
    uint64_t seed;
    float *row; /* of the source */
    const float *logits;
    sz_candidates c;
    sz_token text[MOST_TOKENS]; /* prompt and what follows */
    size_t n, n_prompt;
} speaker;

/* ---- What is said next ----------------------------------------------------------------------- */

/* The words after `word`, by rank: a walk through all of them, whose step and start the word has.
 * WORDS is a prime. The exponent tells how sure the source is. */
static void source_row(const speaker *k, int32_t word, float *row) {
    double exponent = 0.9 + 1.6 * sz_uniform(k->seed, 1, (uint64_t)word);
    size_t step = 1 + (size_t)(sz_uniform(k->seed, 2, (uint64_t)word) * (WORDS - 1));
    size_t at = (size_t)(sz_uniform(k->seed, 3, (uint64_t)word) * WORDS);
    for (size_t rank = 0; rank < WORDS; rank++) {
        row[at] = (float)(-exponent * sz_log((double)(rank + 1)));
        at = (at + step) % WORDS;
    }
}

/* Lets the speaker hear ids [n]; its logits are then those of the next token. */
static sz_status hear(speaker *k, const int32_t *ids, size_t n) {
    if (!k->model) {
        source_row(k, ids[n - 1], k->row);
        k->logits = k->row;
        return SZ_OK;
    }
    sz_span span = {.ids = ids, .n = (uint32_t)n, .want = SZ_LAST};
    SZ_TRY(sz_session_forward(k->session, &span, 1));
    k->logits = sz_session_logits(k->session, 0);
    return SZ_OK;
}

static sz_status begin_text(speaker *k, size_t prompt) {
    int32_t ids[MOST_PROMPT] = {(int32_t)prompt};
    size_t n = 1;
    if (k->model) {
        SZ_TRY(sz_session_truncate(k->session, 0, 0));
        SZ_TRY(sz_model_tokenize(k->model, prompts[prompt], strlen(prompts[prompt]), true, ids,
                                 MOST_PROMPT, &n));
    }
    for (size_t i = 0; i < n; i++)
        k->text[i] = (sz_token){.id = ids[i], .flags = SZ_TOKEN_PROMPT};
    k->n = k->n_prompt = n;
    return hear(k, ids, n);
}

/* Draws one token and hears it. */
static sz_status speak(speaker *k, sz_chain *chain, uint64_t stream) {
    sz_logit_stats stats;
    SZ_TRY(sz_logits_measure(k->rt, k->logits, k->n_vocab, 1.0f, &stats));
    sz_sampler_input input = {.model = k->model,
                              .history = k->text,
                              .n_history = k->n,
                              .stats = &stats,
                              .logits = k->logits,
                              .seed = k->seed,
                              .stream = stream};
    sz_token *t = &k->text[k->n];
    SZ_TRY(sz_chain_draw(chain, &input, k->n_vocab, &k->c, t));
    k->n++;
    return hear(k, &t->id, 1);
}

/* ---- A: likelihood at two temperatures; C: variety ------------------------------------------- */

typedef struct figures {
    double log_likelihood; /* nats per token, under the speaker at T = 1 */
    double distinct;       /* distinct pairs of neighbours over all pairs */
} figures;

static double distinct_pairs(const speaker *k) {
    size_t distinct = 0, n = k->n - k->n_prompt;
    const sz_token *t = k->text + k->n_prompt;
    for (size_t i = 0; i + 1 < n; i++) {
        size_t j = 0;
        while (j < i && !(t[j].id == t[i].id && t[j + 1].id == t[i + 1].id))
            j++;
        distinct += j == i;
    }
    return (double)distinct / (double)(n - 1);
}

static sz_status speak_text(speaker *k, const char *sampler, size_t prompt, size_t n, figures *f) {
    sz_chain *chain;
    SZ_TRY(sz_chain_parse(sampler, &chain));
    sz_status status = begin_text(k, prompt);
    for (size_t i = 0; i < n && status == SZ_OK; i++)
        status = speak(k, chain, prompt);
    sz_chain_free(chain);
    for (size_t i = k->n_prompt; i < k->n; i++)
        f->log_likelihood -= (double)k->text[i].surprisal / (double)n;
    f->distinct += status == SZ_OK ? distinct_pairs(k) : 0;
    return status;
}

/* Means over the first texts. */
static sz_status speak_texts(speaker *k, const char *sampler, size_t n_texts, size_t n,
                             figures *f) {
    *f = (figures){0};
    for (size_t i = 0; i < n_texts; i++)
        SZ_TRY(speak_text(k, sampler, i, n, f));
    f->log_likelihood /= (double)n_texts;
    f->distinct /= (double)n_texts;
    return SZ_OK;
}

/* The paper's formula and the two programs that its authors published keep different sets: pools of
 * the programs stay below 100 tokens. Published figures may come from either. */
static sz_status coherence(sz_repro_run *run, speaker *k) {
    static const char *const samplers[] = {"top-p 0.9", "min-p 0.1", "top-h 0.4 rule=1",
                                           "top-h 0.4 rule=2", "top-h 0.4"};
    static const char *const names[] = {"", "", "repository's top-H", "transformers' top-H",
                                        "paper's top-H"};
    enum { TOP_P, MIN_P, REPOSITORY, TRANSFORMERS, PAPER, N };
    figures cool[N], hot[N];
    size_t n_texts = 3;
    for (size_t i = 0; i < N; i++) {
        char text[64];
        snprintf(text, sizeof text, "temperature 0.7, %s", samplers[i]);
        SZ_TRY(speak_texts(k, text, n_texts, 96, &cool[i]));
        snprintf(text, sizeof text, "temperature 2, %s", samplers[i]);
        SZ_TRY(speak_texts(k, text, n_texts, 96, &hot[i]));
        sz_repro_check(run, "", hot[i].log_likelihood, "<=", cool[i].log_likelihood,
                       "%s: LL at T = 2, not above that at 0.7; distinct-2 %.2f, %.2f", samplers[i],
                       hot[i].distinct, cool[i].distinct);
    }
    double drop_p = cool[TOP_P].log_likelihood - hot[TOP_P].log_likelihood;
    sz_repro_check(run, "figure 3", hot[MIN_P].log_likelihood - hot[TOP_P].log_likelihood, ">=", 0,
                   "T = 2: LL of min-p beyond top-p's, nats per token");
    for (size_t i = REPOSITORY; i < N; i++) {
        size_t other = i == PAPER ? TOP_P : MIN_P;
        double drop = cool[i].log_likelihood - hot[i].log_likelihood;
        sz_repro_check(run, "figure 3", hot[i].log_likelihood - hot[other].log_likelihood, ">=", 0,
                       "T = 2: LL of the %s beyond %s's", names[i], samplers[other]);
        sz_repro_check(run, "", drop / drop_p, "<=", 0.5,
                       "fall from T = 0.7 to 2: the %s's as a share of top-p's", names[i]);
    }
    return SZ_OK;
}

static sz_status variety(sz_repro_run *run, speaker *k) {
    figures greedy, top_h;
    SZ_TRY(speak_texts(k, "greedy", 3, 96, &greedy));
    SZ_TRY(speak_texts(k, "temperature 1.5, top-h 0.4", 3, 96, &top_h));
    sz_repro_check(run, "", top_h.distinct / greedy.distinct, ">=", 1.2,
                   "distinct-2 of top-H at T = 1.5 (%.2f) over greedy's (%.2f)", top_h.distinct,
                   greedy.distinct);
    return SZ_OK;
}

/* ---- B: greedy against the best set; the pool grows with alpha ------------------------------- */

typedef struct optimality {
    double sum, least;       /* of the ratios greedy / best */
    size_t n, n_below_proof; /* steps; of them with a ratio of at most k / (k + 1) */
    size_t n_above_bound;    /* the best set has more mass than the bound allows */
} optimality;

/* Mass and -sum p ln p of the greedy prefix, and its length. */
static size_t greedy_prefix(const double *p, size_t n, double budget, double *g, double *c) {
    *g = p[0];
    *c = -p[0] * sz_log(p[0]);
    for (size_t k = 1; k < n; k++) {
        double mass = *g + p[k], cost = *c - p[k] * sz_log(p[k]);
        if (p[k] == 0 || sz_log(mass) + cost / mass > budget)
            return k;
        *g = mass;
        *c = cost;
    }
    return n;
}

/* Among the likeliest tokens at T = 1.5, within a share of the entropy of all. */
static sz_status compare_with_best(const speaker *k, optimality *o) {
    double p[TOP], best, g, c;
    bool chosen[TOP];
    int32_t ids[TOP];
    sz_logit_stats stats;
    SZ_TRY(sz_logits_measure(k->rt, k->logits, k->n_vocab, 1.5f, &stats));
    size_t n = sz_logits_top(k->logits, k->n_vocab, TOP, ids);
    for (size_t i = 0; i < n; i++)
        p[i] = sz_exp((double)k->logits[ids[i]] / 1.5 - stats.log_sum_exp);
    double budget = 0.4 * stats.entropy;
    SZ_TRY(sz_ecmm_exact(p, n, budget, chosen, &best));
    size_t length = greedy_prefix(p, n, budget, &g, &c);
    double ratio = g / best, bound = sz_ecmm_bound(g, c, length < n ? p[length] : 0, budget);
    o->sum += ratio;
    o->least = o->n == 0 || ratio < o->least ? ratio : o->least;
    o->n++;
    o->n_below_proof += ratio <= (double)length / (double)(length + 1) - 1e-12;
    o->n_above_bound += best > bound + 1e-9;
    return SZ_OK;
}

/* Pools of one row for alpha = 0.1 .. 0.9. */
static sz_status measure_pools(speaker *k, double pool[9], bool *shrinks) {
    size_t before = 0;
    sz_sampler_input input = {.logits = k->logits, .seed = k->seed};
    for (int a = 1; a <= 9; a++) {
        sz_chain *chain;
        char text[64];
        snprintf(text, sizeof text, "temperature 1.5, top-h 0.%d", a);
        SZ_TRY(sz_chain_parse(text, &chain));
        sz_candidates_fill(&k->c, k->logits, k->n_vocab);
        sz_status status = sz_chain_apply(chain, &input, &k->c);
        sz_chain_free(chain);
        SZ_TRY(status);
        pool[a - 1] += (double)k->c.n;
        *shrinks |= k->c.n < before;
        before = k->c.n;
    }
    return SZ_OK;
}

static sz_status optimality_and_pools(sz_repro_run *run, speaker *k) {
    size_t n_texts = run->smoke ? 4 : N_PROMPTS, n = run->smoke ? 48 : 128, n_rows = 0,
           n_shrink = 0;
    double pool[9] = {0};
    optimality o = {0};
    sz_chain *chain;
    SZ_TRY(sz_chain_parse("temperature 1.5, top-h 0.4", &chain));
    sz_status status = SZ_OK;
    for (size_t i = 0; i < n_texts && status == SZ_OK; i++) {
        status = begin_text(k, i);
        for (size_t j = 0; j < n && status == SZ_OK; j++) {
            status = compare_with_best(k, &o);
            bool shrinks = false;
            if (status == SZ_OK && n_rows < MOST_ROWS && j % 8 == 0) {
                status = measure_pools(k, pool, &shrinks);
                n_rows++;
                n_shrink += shrinks;
            }
            if (status == SZ_OK)
                status = speak(k, chain, i);
        }
    }
    sz_chain_free(chain);
    SZ_TRY(status);
    sz_repro_check(run, "close to 1", o.sum / (double)o.n, ">=", 0.97,
                   "mean mass of the greedy set over the best one's, %zu steps", o.n);
    sz_repro_check(run, "", (double)o.n_below_proof, "==", 0,
                   "steps with a ratio of k / (k + 1) or less (least ratio %.3f)", o.least);
    sz_repro_check(run, "", (double)o.n_above_bound, "==", 0,
                   "steps at which the best set has more mass than the bound");
    sz_repro_check(run, "", (double)n_shrink, "==", 0,
                   "rows of %zu whose pool shrinks while alpha grows from 0.1 to 0.9", n_rows);
    static const int shown[] = {1, 4, 9};
    static const char *const claims[] = {"1.01", "3.48", "59.28"};
    for (size_t i = 0; i < 3; i++)
        sz_repro_check(run, claims[i], pool[shown[i] - 1] / (double)n_rows,
                       ">=", i == 0 ? 1 : pool[shown[i - 1] - 1] / (double)n_rows,
                       "mean pool at T = 1.5, alpha 0.%d", shown[i]);
    return SZ_OK;
}

/* ---- Both speakers --------------------------------------------------------------------------- */

static sz_status open_speaker(const sz_repro_run *run, speaker *k) {
    sz_runtime_config config = {.n_threads = run->smoke ? 1 : 0};
    SZ_TRY(sz_runtime_new(&config, &k->rt));
    k->n_vocab = WORDS;
    if (!run->smoke) {
        char *path;
        sz_model_info info;
        SZ_TRY(run->find_model("smollm2", &path));
        sz_status status = sz_model_open(k->rt, path, NULL, &k->model);
        free(path);
        SZ_TRY(status);
        sz_session_config session = {.context = MOST_TOKENS, .n_sequences = 1};
        SZ_TRY(sz_session_new(k->model, &session, &k->session));
        sz_model_get_info(k->model, &info);
        k->n_vocab = info.n_vocab;
    }
    k->row = sz_alloc(WORDS * sizeof *k->row);
    SZ_REQUIRE(k->row, SZ_E_NOMEM, "no memory for %d words", WORDS);
    return sz_candidates_new(k->rt, k->n_vocab, &k->c);
}

static void close_speaker(speaker *k) {
    sz_candidates_free(&k->c);
    sz_free(k->row);
    sz_session_free(k->session);
    sz_model_close(k->model);
    sz_runtime_free(k->rt);
}

static sz_status run_all(sz_repro_run *run) {
    speaker k = {.seed = run->seed};
    sz_status status = open_speaker(run, &k);
    if (status == SZ_OK)
        status = coherence(run, &k);
    if (status == SZ_OK)
        status = variety(run, &k);
    if (status == SZ_OK)
        status = optimality_and_pools(run, &k);
    close_speaker(&k);
    return status;
}

const sz_repro sz_repro_01 = {"01", run_all};
