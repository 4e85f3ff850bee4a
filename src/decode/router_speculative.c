/* router_speculative.c: speculation that loses nothing. Somebody cheap guesses how the text goes
 * on: the small model, or the text itself where its latest words stood before. The large model
 * computes all guesses in one pass, and each token is then drawn from its distribution as ever,
 * with the numbers that belong to its position. Where the guess is what was drawn, the logits after
 * it are at hand.
 *
 * So the text is not only one of the large model's: it is the very text that it writes alone with
 * the same seed. A guess is drawn with the same numbers, too, which is what makes it likely to be
 * right when the distributions are alike. (Leviathan et al. 2023, arXiv 2211.17192, accept or
 * redraw instead: right in law, but each text then depends on the lengths of drafts.) */
#include "pace.h"
#include "router.h"

#include <string.h>

enum { MOST = 64, LONGEST_MATCH = 16 };

typedef struct speculation {
    size_t most, shortest_match; /* tokens; 0: nothing is looked up */
    sz_pace pace;
    int32_t draft[MOST];
    double entropy[MOST]; /* of the small model where it drafted; NaN: looked up */
    size_t n_draft;
    size_t at;        /* drafted tokens that were right so far */
    bool in_hand;     /* logits after the text's last token and after each drafted one */
    uint64_t cost_ns; /* of the draft */
} speculation;

enum { MOST_OPTION, LOOKUP, THRIFT };

static const sz_option options[] = {
    {"most", "tokens of a draft, at most", .value = 8, .min = 1, .max = MOST, .whole = true},
    {"lookup", "tokens that must have stood before to be a draft's model; 0: none", .value = 3,
     .max = LONGEST_MATCH, .whole = true},
    {"thrift", "0: always drafts of full length, whether they pay or not", .value = 1, .max = 1,
     .whole = true},
    {0},
};

enum { OWN, GUESSED, REPLACED };
static const char *const routes[] = {"own", "guessed", "replaced", NULL};

static sz_status begin(void *state, const sz_router *r, const double *values) {
    speculation *s = state;
    s->most = (size_t)values[MOST_OPTION];
    s->shortest_match = (size_t)values[LOOKUP];
    const sz_session *small = r->sessions[SZ_ROUTER_SMALL], *large = r->sessions[SZ_ROUTER_LARGE];
    SZ_REQUIRE(small || s->shortest_match, SZ_E_ARG,
               "router speculative: with lookup=0 it needs a small model to draft");
    double share = small ? (double)small->model->n_params / (double)large->model->n_params : 0.0;
    sz_pace_begin(&s->pace, values[THRIFT] != 0.0, share);
    return SZ_OK;
}

static sz_router_role active(const void *state) {
    return SZ_ROUTER_LARGE;
}

static void drop(void *state) {
    speculation *s = state;
    s->in_hand = false;
    sz_pace_restart(&s->pace);
}

/* ---- Looking up ------------------------------------------------------------------------------ */

/* How many tokens before `a` are those before `b`, at most LONGEST_MATCH. */
static size_t match(const sz_token *t, size_t a, size_t b) {
    size_t n = 0;
    while (n < LONGEST_MATCH && n < a && t[a - 1 - n].id == t[b - 1 - n].id)
        n++;
    return n;
}

/* The place after the longest match of the text's end, the latest of equal ones; 0: there is none
 * that is long enough. */
static size_t find(const speculation *s, const sz_sequence *q) {
    size_t best = s->shortest_match - 1, place = 0;
    for (size_t at = q->n_records - 1; at >= s->shortest_match && best < LONGEST_MATCH; at--) {
        size_t n = match(q->records, at, q->n_records);
        if (n > best)
            best = n, place = at;
    }
    return place;
}

static size_t look_up(speculation *s, const sz_sequence *q, size_t most) {
    if (!s->shortest_match || q->n_records <= s->shortest_match)
        return 0;
    size_t place = find(s, q), n = 0;
    if (!place)
        return 0;
    most = sz_pace_lookup(&s->pace, most);
    /* A match that overlaps its own continuation repeats: the draft then goes on within itself. */
    for (; n < most; n++) {
        size_t from = place + n;
        s->draft[n] = from < q->n_records ? q->records[from].id : s->draft[from - q->n_records];
        s->entropy[n] = __builtin_nan("");
    }
    return n;
}

/* ---- Asking the small model ------------------------------------------------------------------ */

static sz_status small_pass(speculation *s, sz_router *r, int32_t id) {
    uint64_t start = sz_time_ns();
    SZ_TRY(sz_router_pass(r, SZ_ROUTER_SMALL, &id, 1, SZ_LAST));
    sz_pace_small_pass(&s->pace, sz_time_ns() - start);
    return SZ_OK;
}

/* guess: the text, to which the draft is added. */
static sz_status draft(speculation *s, sz_router *r, sz_sequence *guess, size_t most) {
    const sz_sequence *small = &r->sessions[SZ_ROUTER_SMALL]->sequences[0];
    double chance = 1.0;
    for (size_t n = 0; n < most; n++) {
        sz_token t;
        double entropy = small->stats.entropy;
        chance *= sz_pace_chance(&s->pace, entropy);
        if (!sz_pace_keep(&s->pace, chance))
            return SZ_OK;
        sz_status status =
            sz_router_draw_row(r, SZ_ROUTER_SMALL, guess, small->logits, &small->stats, &t);
        if (status == SZ_END)
            return SZ_OK;
        SZ_TRY(status);
        s->draft[n] = t.id;
        s->entropy[n] = entropy;
        s->n_draft = n + 1;
        sz_sequence_record(guess, &t);
        if (guess->chain)
            sz_chain_accept(guess->chain, &t);
        if (n + 1 == most || !sz_pace_go_on(&s->pace, chance))
            return SZ_OK;
        SZ_TRY(small_pass(s, r, t.id));
    }
    return SZ_OK;
}

static sz_status ask_small(speculation *s, sz_router *r, size_t most) {
    size_t n_missed = r->text.n_records - sz_session_length(r->sessions[SZ_ROUTER_SMALL], 0);
    uint64_t start = sz_time_ns();
    if (!sz_pace_may_draft(&s->pace, n_missed))
        return SZ_OK;
    SZ_TRY(sz_sequence_reserve(&r->text, most));
    SZ_TRY(sz_router_ready(r, SZ_ROUTER_SMALL));
    if (s->pace.fresh)
        start = sz_time_ns();
    s->pace.fresh = false;
    sz_sequence guess = r->text; /* its records go on in the room behind those of the text */
    if (r->text.chain)
        SZ_TRY(sz_chain_clone(r->text.chain, &guess.chain));
    sz_status status = draft(s, r, &guess, most);
    sz_chain_free(guess.chain);
    s->cost_ns = sz_time_ns() - start;
    return status;
}

/* ---- A pass ---------------------------------------------------------------------------------- */

static size_t room(const speculation *s, const sz_router *r) {
    size_t room = r->context - r->text.n_records;
    return room < s->most ? room : s->most;
}

static sz_status guess(speculation *s, sz_router *r) {
    size_t most = room(s, r);
    s->n_draft = look_up(s, &r->text, most);
    if (s->n_draft == 0 && r->sessions[SZ_ROUTER_SMALL])
        SZ_TRY(ask_small(s, r, most));
    r->account.drafted += s->n_draft;
    return SZ_OK;
}

/* The large model's pass over the text's last token and the draft. */
static sz_status compute(speculation *s, sz_router *r) {
    size_t n = r->text.n_records;
    s->n_draft = s->at = 0;
    s->cost_ns = 0;
    if (sz_session_length(r->sessions[SZ_ROUTER_LARGE], 0) == n) { /* a prompt was prepared */
        SZ_TRY(sz_router_ready(r, SZ_ROUTER_LARGE));
        s->in_hand = true;
        return SZ_OK;
    }
    int32_t ids[1 + MOST] = {r->text.records[n - 1].id};
    SZ_TRY(sz_router_catch_up(r, SZ_ROUTER_LARGE, n - 1));
    SZ_TRY(guess(s, r));
    memcpy(ids + 1, s->draft, s->n_draft * sizeof *ids);
    uint64_t start = sz_time_ns();
    SZ_TRY(sz_router_pass(r, SZ_ROUTER_LARGE, ids, 1 + s->n_draft, s->n_draft ? SZ_ALL : SZ_LAST));
    sz_pace_large_pass(&s->pace, 1 + s->n_draft, sz_time_ns() - start);
    s->in_hand = true;
    return SZ_OK;
}

/* The draft is used up or wrong from here on: nobody holds more than the text without its last
 * token. */
static sz_status settle(speculation *s, sz_router *r) {
    uint32_t n = (uint32_t)r->text.n_records - 1;
    s->in_hand = false;
    sz_pace_settle(&s->pace, s->at, s->n_draft, s->cost_ns);
    for (int role = 0; role < 2; role++)
        if (r->sessions[role] && sz_session_length(r->sessions[role], 0) > n)
            SZ_TRY(sz_session_truncate(r->sessions[role], 0, n));
    return SZ_OK;
}

static sz_status draw(const speculation *s, sz_router *r, sz_token *out) {
    sz_session *large = r->sessions[SZ_ROUTER_LARGE];
    if (s->at == s->n_draft)
        return sz_router_draw(r, SZ_ROUTER_LARGE, out);
    return sz_router_draw_row(r, SZ_ROUTER_LARGE, &r->text, sz_session_logits(large, s->at),
                              sz_session_stats(large, s->at), out);
}

static sz_status next(void *state, sz_router *r, sz_token *out) {
    speculation *s = state;
    sz_token t;
    if (!s->in_hand)
        SZ_TRY(compute(s, r));
    sz_status status = draw(s, r, &t);
    if (status != SZ_OK && status != SZ_END)
        return status;
    bool guessed = s->at < s->n_draft, right = guessed && t.id == s->draft[s->at];
    t.route = right ? GUESSED : guessed ? REPLACED : OWN;
    if (status == SZ_OK) {
        SZ_TRY(sz_router_keep(r, &t));
        if (guessed)
            sz_pace_compared(&s->pace, s->at, s->entropy[s->at], right);
        s->at += right;
        r->account.accepted += right;
        if (!right)
            SZ_TRY(settle(s, r));
    }
    *out = t;
    return status;
}

const sz_router_kind sz_router_speculative = {
    .name = "speculative",
    .help = "the large model checks what a small one, or the text itself, suggests",
    .options = options,
    .state_bytes = sizeof(speculation),
    .routes = routes,
    .begin = begin,
    .active = active,
    .next = next,
    .drop = drop,
};
