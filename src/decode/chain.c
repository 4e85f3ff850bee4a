/* chain.c: the sampler chain: samplers in order, each with its state. */
#include "num/kernels/kernels.h"
#include "sampler.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

extern const sz_sampler_kind sz_sampler_dry, sz_sampler_dynamic_temperature, sz_sampler_epsilon,
    sz_sampler_eta, sz_sampler_greedy, sz_sampler_logit_bias, sz_sampler_min_p, sz_sampler_mirostat,
    sz_sampler_penalties, sz_sampler_target_entropy, sz_sampler_temperature, sz_sampler_top_h,
    sz_sampler_top_k, sz_sampler_top_n_sigma, sz_sampler_top_p, sz_sampler_typical, sz_sampler_xtc;

/* A new method is a file and a line here. */
static const sz_sampler_kind *const kinds[] = {
    &sz_sampler_logit_bias,
    &sz_sampler_penalties,
    &sz_sampler_dry,
    &sz_sampler_top_n_sigma,
    &sz_sampler_top_k,
    &sz_sampler_typical,
    &sz_sampler_top_p,
    &sz_sampler_min_p,
    &sz_sampler_xtc,
    &sz_sampler_greedy,
    &sz_sampler_temperature,
    &sz_sampler_dynamic_temperature,
    &sz_sampler_target_entropy,
    &sz_sampler_top_h,
    &sz_sampler_epsilon,
    &sz_sampler_eta,
    &sz_sampler_mirostat,
    NULL,
};

enum { MAX_STAGES = 32 };

typedef struct stage {
    const sz_sampler_kind *kind;
    void *state;
    sz_stage_account account;
} stage;

struct sz_chain {
    size_t n;
    bool explained;
    stage stages[MAX_STAGES];
};

const sz_sampler_kind *const *sz_sampler_kinds(void) {
    return kinds;
}

/* ---- Making chains --------------------------------------------------------------------------- */

sz_status sz_chain_new(sz_chain **out) {
    sz_chain *chain = sz_calloc(1, sizeof *chain);
    SZ_REQUIRE(chain, SZ_E_NOMEM, "no memory for a sampler chain");
    *out = chain;
    return SZ_OK;
}

static size_t state_bytes(const sz_sampler_kind *kind) {
    return kind->state_bytes ? kind->state_bytes : SZ_OPTIONS_MAX * sizeof(double);
}

sz_status sz_chain_put(sz_chain *chain, const sz_sampler_kind *kind, void *state) {
    if (chain->n < MAX_STAGES) {
        chain->stages[chain->n++] = (stage){kind, state, {.sampler = kind->name}};
        return SZ_OK;
    }
    if (kind->end)
        kind->end(state);
    sz_free(state);
    return sz_fail(SZ_E_ARG, "more than %d samplers in a chain", MAX_STAGES);
}

static sz_status add(sz_chain *chain, const sz_sampler_kind *kind, const double *values,
                     const sz_setting *words) {
    void *state = sz_calloc(1, state_bytes(kind));
    SZ_REQUIRE(state, SZ_E_NOMEM, "no memory for sampler %s", kind->name);
    sz_status status = SZ_OK;
    if (kind->begin)
        status = kind->begin(state, values, words);
    else
        for (size_t i = 0; kind->options && kind->options[i].name; i++)
            ((double *)state)[i] = values[i];
    if (status != SZ_OK) {
        sz_free(state);
        return status;
    }
    return sz_chain_put(chain, kind, state);
}

sz_status sz_chain_add(sz_chain *chain, const sz_sampler_kind *kind, const double *values) {
    double defaults[SZ_OPTIONS_MAX] = {0};
    const sz_setting none = {"", "", 0, 0};
    if (!values)
        SZ_TRY(sz_setting_values(&none, kind->name, kind->options, defaults));
    return add(chain, kind, values ? values : defaults, NULL);
}

static sz_status unknown_kind(const sz_setting *s) {
    char names[512] = "";
    for (size_t i = 0; kinds[i]; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", kinds[i]->name);
    }
    return sz_fail(SZ_E_ARG, "unknown sampler '%.*s'; choose from: %s", (int)s->n_name, s->name,
                   names);
}

static sz_status add_setting(sz_chain *chain, const sz_setting *s) {
    double values[SZ_OPTIONS_MAX] = {0};
    char what[64];
    size_t i = 0;
    while (kinds[i] && !sz_setting_is(s, kinds[i]->name))
        i++;
    if (!kinds[i])
        return unknown_kind(s);
    snprintf(what, sizeof what, "sampler %s", kinds[i]->name);
    SZ_TRY(sz_setting_values(s, what, kinds[i]->options, values));
    return add(chain, kinds[i], values, s);
}

sz_status sz_chain_extend(sz_chain *chain, const char *text) {
    sz_setting setting;
    sz_status status;
    while ((status = sz_setting_read(&text, &setting)) == SZ_OK)
        SZ_TRY(add_setting(chain, &setting));
    return status == SZ_END ? SZ_OK : status;
}

sz_status sz_chain_parse(const char *text, sz_chain **out) {
    sz_chain *chain;
    SZ_TRY(sz_chain_new(&chain));
    sz_status status = sz_chain_extend(chain, text);
    if (status != SZ_OK) {
        sz_chain_free(chain);
        return status;
    }
    *out = chain;
    return SZ_OK;
}

sz_status sz_chain_clone(const sz_chain *chain, sz_chain **out) {
    sz_chain *copy;
    SZ_TRY(sz_chain_new(&copy));
    copy->explained = chain->explained;
    sz_status status = SZ_OK;
    for (size_t i = 0; i < chain->n && status == SZ_OK; i++) {
        const stage *from = &chain->stages[i];
        size_t bytes = state_bytes(from->kind);
        void *state = sz_alloc(bytes);
        if (!state)
            status = sz_fail(SZ_E_NOMEM, "no memory for sampler %s", from->kind->name);
        else if (from->kind->clone)
            status = from->kind->clone(from->state, state);
        else
            memcpy(state, from->state, bytes);
        if (status == SZ_OK)
            copy->stages[copy->n++] = (stage){from->kind, state, from->account};
        else
            sz_free(state);
    }
    if (status != SZ_OK) {
        sz_chain_free(copy);
        return status;
    }
    *out = copy;
    return SZ_OK;
}

void sz_chain_free(sz_chain *chain) {
    if (!chain)
        return;
    for (size_t i = 0; i < chain->n; i++) {
        if (chain->stages[i].kind->end)
            chain->stages[i].kind->end(chain->stages[i].state);
        sz_free(chain->stages[i].state);
    }
    sz_free(chain);
}

/* ---- Use ------------------------------------------------------------------------------------- */

void sz_sampler_note(const sz_sampler_input *input, const char *name, double value) {
    sz_stage_account *a = input->account;
    if (!a || a->n_notes == SZ_NOTES_MAX)
        return;
    a->notes[a->n_notes].name = name;
    a->notes[a->n_notes++].value = value;
}

static void measure_stage(const sz_sampler_input *input, const sz_candidates *c,
                          sz_stage_account *a) {
    sz_softmax_stats left;
    c->kernels->softmax_stats(c->logit, c->n, 1.0f, &left);
    a->entropy = left.entropy;
    a->kept_mass = input->logits ? sz_candidates_mass(c, input->logits, input->stats) : NAN;
}

sz_status sz_chain_apply(sz_chain *chain, const sz_sampler_input *input, sz_candidates *c) {
    sz_sampler_input mine = *input;
    for (size_t i = 0; i < chain->n; i++) {
        stage *s = &chain->stages[i];
        mine.stage = (uint32_t)i;
        mine.account = chain->explained ? &s->account : NULL;
        s->account.n_notes = 0;
        SZ_TRY(s->kind->apply(s->state, &mine, c));
        SZ_REQUIRE(sz_candidates_valid(c), SZ_E_NAN,
                   "sampler %s left no token to draw, or a logit that is no number", s->kind->name);
        s->account.kept_n = c->n;
        if (chain->explained)
            measure_stage(input, c, &s->account);
    }
    return SZ_OK;
}

void sz_chain_accept(sz_chain *chain, const sz_token *drawn) {
    for (size_t i = 0; i < chain->n; i++)
        if (chain->stages[i].kind->accept)
            chain->stages[i].kind->accept(chain->stages[i].state, drawn);
}

size_t sz_chain_length(const sz_chain *chain) {
    return chain->n;
}

const sz_sampler_kind *sz_chain_stage(const sz_chain *chain, size_t i, size_t *kept_n) {
    if (i >= chain->n)
        return NULL;
    if (kept_n)
        *kept_n = chain->stages[i].account.kept_n;
    return chain->stages[i].kind;
}

void sz_chain_set_explained(sz_chain *chain, bool on) {
    chain->explained = on;
}

const sz_stage_account *sz_chain_account(const sz_chain *chain, size_t i) {
    return i < chain->n ? &chain->stages[i].account : NULL;
}

/* A key of its own for each sampler and number, away from the counter that draws tokens. */
double sz_sampler_uniform(const sz_sampler_input *input, uint32_t i) {
    uint32_t key[4];
    uint64_t which = (uint64_t)(input->stage + 1) << 32 | i;
    sz_philox4x32(input->seed, input->stream, ~which, key);
    return sz_uniform((uint64_t)key[0] << 32 | key[1], which, input->n_history);
}
