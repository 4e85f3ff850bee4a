/* router.c: one text that up to two models write: what each of them holds, and drawing from it. */
#include "router.h"

#include <stdio.h>
#include <string.h>

extern const sz_router_kind sz_router_ead, sz_router_speculative;

/* A new method is a file and a line here. */
static const sz_router_kind *const kinds[] = {&sz_router_ead, &sz_router_speculative, NULL};

static const char *const role_names[] = {"small", "large"};

const sz_router_kind *const *sz_router_kinds(void) {
    return kinds;
}

/* ---- Making routers -------------------------------------------------------------------------- */

static sz_status unknown_kind(const sz_setting *s) {
    char names[128] = "";
    for (size_t i = 0; kinds[i]; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", kinds[i]->name);
    }
    return sz_fail(SZ_E_ARG, "unknown router '%.*s'; choose from: %s", (int)s->n_name, s->name,
                   names);
}

static sz_status parse(const char *text, const sz_router_kind **kind,
                       double values[SZ_OPTIONS_MAX]) {
    sz_setting s, second;
    char what[64];
    SZ_REQUIRE(text, SZ_E_ARG, "no router is named");
    sz_status status = sz_setting_read(&text, &s);
    SZ_REQUIRE(status != SZ_END, SZ_E_ARG, "no router is named");
    SZ_TRY(status);
    SZ_REQUIRE(sz_setting_read(&text, &second) == SZ_END, SZ_E_ARG,
               "one router at a time: '%.40s' is left over", text);
    size_t i = 0;
    while (kinds[i] && !sz_setting_is(&s, kinds[i]->name))
        i++;
    if (!kinds[i])
        return unknown_kind(&s);
    snprintf(what, sizeof what, "router %s", kinds[i]->name);
    SZ_TRY(sz_setting_values(&s, what, kinds[i]->options, values));
    *kind = kinds[i];
    return SZ_OK;
}

sz_status sz_router_parse(const char *text, const sz_router_kind **out) {
    double values[SZ_OPTIONS_MAX];
    return parse(text, out, values);
}

static sz_status check_models(const sz_router_kind *kind, const sz_model *small,
                              const sz_model *large) {
    SZ_REQUIRE(large, SZ_E_ARG, "router %s: no model", kind->name);
    SZ_REQUIRE(small || !kind->needs_small, SZ_E_ARG, "router %s: it needs a small model, too",
               kind->name);
    if (!small)
        return SZ_OK;
    SZ_TRY(sz_router_check_pair(small, large));
    if (small->n_params > large->n_params)
        sz_runtime_log(large->rt, SZ_LOG_WARN, "the small model is larger than the large one");
    return SZ_OK;
}

static sz_status open_sessions(sz_router *r, sz_model *small, sz_model *large,
                               const sz_session_config *config) {
    sz_model *models[] = {small, large};
    sz_session_config c = config ? *config : (sz_session_config){.size = sizeof c};
    c.n_sequences = 1;
    r->context = UINT32_MAX;
    for (int role = 0; role < 2; role++) {
        if (!models[role])
            continue;
        SZ_TRY(sz_session_new(models[role], &c, &r->sessions[role]));
        uint32_t context = sz_session_context(r->sessions[role]);
        r->context = context < r->context ? context : r->context;
        r->chunk = r->sessions[role]->config.chunk;
    }
    r->ids = sz_alloc(r->chunk * sizeof *r->ids);
    SZ_REQUIRE(r->ids, SZ_E_NOMEM, "no memory for a router");
    return SZ_OK;
}

static sz_status begin(sz_router *r, const double *values) {
    r->state = sz_calloc(1, r->kind->state_bytes);
    SZ_REQUIRE(r->state, SZ_E_NOMEM, "no memory for router %s", r->kind->name);
    sz_status status = r->kind->begin(r->state, r, values);
    if (status != SZ_OK) {
        sz_free(r->state);
        r->state = NULL;
    }
    return status;
}

sz_status sz_router_new(const char *text, sz_model *small, sz_model *large,
                        const sz_session_config *config, sz_router **out) {
    const sz_router_kind *kind;
    double values[SZ_OPTIONS_MAX];
    SZ_REQUIRE(out, SZ_E_ARG, "sz_router_new: no place for the router");
    SZ_TRY(parse(text, &kind, values));
    SZ_TRY(check_models(kind, small, large));
    sz_router *r = sz_calloc(1, sizeof *r);
    SZ_REQUIRE(r, SZ_E_NOMEM, "no memory for a router");
    r->kind = kind;
    sz_status status = open_sessions(r, small, large, config);
    if (status == SZ_OK)
        status = begin(r, values);
    if (status != SZ_OK) {
        sz_router_free(r);
        return status;
    }
    *out = r;
    return SZ_OK;
}

void sz_router_free(sz_router *r) {
    if (!r)
        return;
    if (r->state && r->kind->end)
        r->kind->end(r->state);
    sz_free(r->state);
    sz_sequence_clear(&r->text);
    sz_session_free(r->sessions[SZ_ROUTER_SMALL]);
    sz_session_free(r->sessions[SZ_ROUTER_LARGE]);
    sz_free(r->ids);
    sz_free(r);
}

/* ---- Looking at routers ---------------------------------------------------------------------- */

const sz_router_kind *sz_router_get_kind(const sz_router *r) {
    return r->kind;
}
const sz_session *sz_router_session(const sz_router *r, sz_router_role role) {
    return r->sessions[role];
}
sz_router_account sz_router_get_account(const sz_router *r) {
    return r->account;
}
uint32_t sz_router_context(const sz_router *r) {
    return r->context;
}
uint32_t sz_router_length(const sz_router *r) {
    return (uint32_t)r->text.n_records;
}
void sz_router_records(const sz_router *r, const sz_token **out, size_t *n) {
    *out = r->text.records;
    *n = r->text.n_records;
}
const char *sz_router_text(sz_router *r) {
    return sz_sequence_text(&r->text, r->sessions[SZ_ROUTER_LARGE]->model->tokenizer);
}

/* ---- The text -------------------------------------------------------------------------------- */

const sz_chain *sz_router_chain(const sz_router *r) {
    return r->text.chain;
}

sz_status sz_router_set_chain(sz_router *r, sz_chain *chain, uint64_t seed) {
    sz_chain_free(r->text.chain);
    r->text.chain = chain;
    r->text.seed = seed;
    r->text.stream = 0;
    return SZ_OK;
}

sz_status sz_router_set_sampler(sz_router *r, const char *text, uint64_t seed) {
    sz_chain *chain = NULL;
    if (text)
        SZ_TRY(sz_chain_parse(text, &chain));
    return sz_router_set_chain(r, chain, seed);
}

/* No model holds more than the first n tokens, and nothing is prepared for what follows. */
static sz_status hold_at_most(sz_router *r, uint32_t n) {
    if (r->kind->drop)
        r->kind->drop(r->state);
    for (int role = 0; role < 2; role++)
        if (r->sessions[role] && sz_session_length(r->sessions[role], 0) > n)
            SZ_TRY(sz_session_truncate(r->sessions[role], 0, n));
    return SZ_OK;
}

static const char *tighter(const sz_router *r) {
    const sz_session *small = r->sessions[SZ_ROUTER_SMALL];
    return role_names[!small || sz_session_context(small) > r->context];
}

sz_status sz_router_prompt_ids(sz_router *r, const int32_t *ids, size_t n) {
    uint32_t vocab = r->sessions[SZ_ROUTER_LARGE]->model->h.n_vocab;
    sz_sequence *q = &r->text;
    SZ_REQUIRE(ids || n == 0, SZ_E_ARG, "no token ids");
    SZ_REQUIRE(n <= r->context - q->n_records, SZ_E_LIMIT,
               "%zu more tokens after %zu exceed the %s model's context of %u", n, q->n_records,
               tighter(r), r->context);
    for (size_t i = 0; i < n; i++)
        SZ_REQUIRE(ids[i] >= 0 && (uint32_t)ids[i] < vocab, SZ_E_ARG,
                   "token id %d is not in the vocabulary of %u", ids[i], vocab);
    SZ_TRY(sz_sequence_reserve(q, n));
    SZ_TRY(hold_at_most(r, (uint32_t)q->n_records));
    for (size_t i = 0; i < n; i++) {
        sz_token t = sz_token_given(ids[i], q->n_records == 0);
        sz_sequence_record(q, &t);
    }
    return SZ_OK;
}

sz_status sz_router_truncate(sz_router *r, uint32_t n_tokens) {
    SZ_REQUIRE(n_tokens <= r->text.n_records, SZ_E_ARG, "the text has %zu tokens, not %u",
               r->text.n_records, n_tokens);
    SZ_TRY(hold_at_most(r, n_tokens));
    sz_sequence_cut(&r->text, n_tokens);
    return SZ_OK;
}

sz_status sz_router_sync(sz_router *r, const int32_t *ids, size_t n, size_t *n_kept) {
    const sz_sequence *q = &r->text;
    size_t same = 0;
    SZ_REQUIRE(ids || n == 0, SZ_E_ARG, "no token ids");
    SZ_REQUIRE(n <= r->context, SZ_E_LIMIT, "%zu tokens exceed the %s model's context of %u", n,
               tighter(r), r->context);
    while (same < n && same < q->n_records && ids[same] == q->records[same].id)
        same++;
    SZ_TRY(sz_router_truncate(r, (uint32_t)same));
    SZ_TRY(sz_router_prompt_ids(r, ids + same, n - same));
    if (n_kept)
        *n_kept = same;
    return SZ_OK;
}

/* ---- Passes ---------------------------------------------------------------------------------- */

sz_status sz_router_pass(sz_router *r, sz_router_role role, const int32_t *ids, size_t n,
                         sz_want want) {
    sz_router_account *a = &r->account;
    sz_span span = {0, ids, (uint32_t)n, want};
    uint64_t start = sz_time_ns();
    SZ_TRY(sz_session_pass(r->sessions[role], &span, 1, NULL, NULL));
    uint64_t spent = sz_time_ns() - start;
    a->passes[role]++;
    a->computed[role] += n;
    a->caught_up[role] += n > 1 ? n : 0;
    a->pass_ns[role] += spent;
    a->singles[role] += n == 1;
    a->single_ns[role] += n == 1 ? spent : 0;
    return SZ_OK;
}

/* The tokens [from, n) of the text, a chunk at a time, with the logits after the last of them. */
static sz_status compute(sz_router *r, sz_router_role role, size_t n, sz_want last) {
    for (size_t at = sz_session_length(r->sessions[role], 0); at < n;) {
        size_t count = n - at < r->chunk ? n - at : r->chunk;
        for (size_t i = 0; i < count; i++)
            r->ids[i] = r->text.records[at + i].id;
        at += count;
        SZ_TRY(sz_router_pass(r, role, r->ids, count, at == n ? last : SZ_NONE));
    }
    return SZ_OK;
}

sz_status sz_router_catch_up(sz_router *r, sz_router_role role, size_t n) {
    return compute(r, role, n, SZ_NONE);
}

sz_status sz_router_ready(sz_router *r, sz_router_role role) {
    if (sz_session_length(r->sessions[role], 0) > r->text.n_records)
        SZ_TRY(hold_at_most(r, (uint32_t)r->text.n_records));
    SZ_TRY(compute(r, role, r->text.n_records, SZ_LAST));
    return sz_session_need_logits(r->sessions[role], 0); /* they are here but after a cut */
}

sz_status sz_router_prepare(sz_router *r) {
    return sz_router_ready(r, r->kind->active(r->state));
}

const sz_logit_stats *sz_router_stats(const sz_router *r, sz_router_role role) {
    return &r->sessions[role]->sequences[0].stats;
}

/* ---- Drawing --------------------------------------------------------------------------------- */

sz_status sz_router_draw_row(sz_router *r, sz_router_role role, sz_sequence *from,
                             const float *logits, const sz_logit_stats *stats, sz_token *out) {
    sz_session *s = r->sessions[role];
    from->logits = (float *)logits; /* lent: drawing only reads */
    from->stats = *stats;
    sz_status status = sz_session_draw(s, from, out);
    from->logits = NULL;
    SZ_TRY(status);
    out->model = (uint16_t)role;
    return sz_tokenizer_is_end(s->model->tokenizer, out->id) ? SZ_END : SZ_OK;
}

sz_status sz_router_draw(sz_router *r, sz_router_role role, sz_token *out) {
    const sz_sequence *q = &r->sessions[role]->sequences[0];
    return sz_router_draw_row(r, role, &r->text, q->logits, &q->stats, out);
}

sz_status sz_router_keep(sz_router *r, const sz_token *drawn) {
    sz_router_account *a = &r->account;
    sz_router_role role = (sz_router_role)drawn->model;
    SZ_TRY(sz_sequence_reserve(&r->text, 1));
    sz_sequence_record(&r->text, drawn);
    if (r->text.chain)
        sz_chain_accept(r->text.chain, drawn);
    a->switches += a->written[0] + a->written[1] > 0 && role != r->writer;
    a->written[role]++;
    r->writer = role;
    return SZ_OK;
}

sz_status sz_router_next(sz_router *r, sz_token *out) {
    SZ_REQUIRE(out, SZ_E_ARG, "no place for the token");
    SZ_REQUIRE(!sz_runtime_cancelled(r->sessions[SZ_ROUTER_LARGE]->model->rt), SZ_E_CANCELLED,
               "cancelled");
    SZ_REQUIRE(r->text.n_records < r->context, SZ_E_LIMIT,
               "the text fills the %s model's context of %u tokens", tighter(r), r->context);
    SZ_REQUIRE(r->text.n_records > 0, SZ_E_STATE,
               "the text is empty: there is no distribution to draw from before a prompt");
    return r->kind->next(r->state, r, out);
}
