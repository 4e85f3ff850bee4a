/* slots.c: which sequence a choice grows in. A sequence whose text is complete keeps its tokens
 * until somebody needs the place: a prompt that begins in the same way goes on from there. */
#include "batcher_parts.h"

#include <string.h>

enum { SHORTEST_PREFIX = 16 }; /* below, computing is as cheap as looking after it */

uint64_t sz_part_needs(const sz_part *p) {
    const sz_ask *ask = &p->job->ask;
    return p->n_ids + (ask->pooling ? 0 : (uint64_t)ask->n_choices * ask->max_tokens);
}

uint64_t sz_batcher_capacity(const sz_batcher *e) {
    return e->config.kv_bytes / e->token_bytes;
}

static bool is_idle(const sz_slot *s) {
    return s->choice == NULL;
}

/* The idle slot that was not used for the longest time, other than `but`; NULL: there is none. An
 * empty one is as good as never used. */
static sz_slot *oldest_idle(sz_batcher *e, const sz_slot *but, bool with_tokens) {
    sz_slot *oldest = NULL;
    for (uint32_t i = 0; i < e->config.n_slots; i++) {
        sz_slot *s = &e->slots[i];
        bool has_tokens = sz_session_length(e->session, s->seq) > 0;
        if (!is_idle(s) || s == but || (with_tokens && !has_tokens))
            continue;
        if (!oldest || s->used < oldest->used)
            oldest = s;
    }
    return oldest;
}

static size_t n_idle(const sz_batcher *e) {
    size_t n = 0;
    for (uint32_t i = 0; i < e->config.n_slots; i++)
        n += is_idle(&e->slots[i]);
    return n;
}

/* ---- Memory ------------------------------------------------------------------------------------
 */

static void empty(sz_batcher *e, sz_slot *s) {
    sz_session_truncate(e->session, s->seq, 0);
    s->used = 0;
}

static uint64_t tokens_spoken_for(const sz_batcher *e, const sz_slot *but) {
    uint64_t n = 0;
    for (size_t i = 0; i < e->n_running; i++)
        n += sz_part_needs(e->running[i]);
    for (uint32_t i = 0; i < e->config.n_slots; i++)
        if (is_idle(&e->slots[i]) && &e->slots[i] != but)
            n += sz_session_length(e->session, e->slots[i].seq);
    return n;
}

/* Empties idle sequences until the part fits beside the others; `but` is the one it begins with. */
static bool make_room(sz_batcher *e, const sz_part *p, const sz_slot *but) {
    uint64_t needs = sz_part_needs(p), capacity = sz_batcher_capacity(e);
    while (tokens_spoken_for(e, but) + needs > capacity) {
        sz_slot *s = oldest_idle(e, but, true);
        if (!s)
            return false;
        empty(e, s);
        e->counters.evictions++;
    }
    return true;
}

/* ---- Beginnings that are there -----------------------------------------------------------------
 */

static size_t common_prefix(const sz_batcher *e, const sz_slot *s, const sz_part *p) {
    const sz_token *records;
    size_t n = 0, same = 0;
    if (sz_session_records(e->session, s->seq, &records, &n) != SZ_OK)
        return 0;
    while (same < n && same + 1 < p->n_ids && records[same].id == p->ids[same])
        same++;
    return same;
}

/* The sequence, idle or not, that shares the longest beginning with a prompt. At least the last
 * token of the prompt is always computed: its logits are needed. */
static sz_slot *find_prefix(sz_batcher *e, const sz_part *p, size_t *same) {
    sz_slot *best = NULL;
    *same = SHORTEST_PREFIX - 1;
    if (p->job->ask.score_prompt || p->job->ask.pooling)
        return NULL;
    for (uint32_t i = 0; i < e->config.n_slots; i++) {
        size_t n = common_prefix(e, &e->slots[i], p);
        if (n > *same || (best && n == *same && is_idle(&e->slots[i]) && !is_idle(best))) {
            best = &e->slots[i];
            *same = n;
        }
    }
    return best;
}

/* Whether a sequence is mostly this beginning, as that of the previous turn of a conversation. */
static bool goes_on(const sz_batcher *e, const sz_slot *s, size_t same) {
    return is_idle(s) && sz_session_length(e->session, s->seq) - same <= same / 2;
}

static sz_status branch(sz_batcher *e, const sz_slot *from, sz_slot *to, size_t same) {
    sz_status status = sz_session_drop(e->session, to->seq);
    if (status == SZ_OK)
        status = sz_session_fork(e->session, from->seq, &to->seq);
    if (status == SZ_OK)
        return sz_session_truncate(e->session, to->seq, (uint32_t)same);
    sz_session_add(e->session, &to->seq); /* the number that was just given back */
    return status;
}

/* A slot whose sequence holds *same tokens of the prompt. */
static sz_status begin_sequence(sz_batcher *e, const sz_part *p, sz_slot **out, size_t *same) {
    sz_slot *from = find_prefix(e, p, same), *to = NULL;
    if (from && goes_on(e, from, *same)) {
        *out = from;
        e->counters.prefix_hits++;
        return sz_session_truncate(e->session, from->seq, (uint32_t)*same);
    }
    to = oldest_idle(e, from, false);
    if (from && to) {
        *out = to;
        e->counters.prefix_hits++;
        e->counters.prefix_forks++;
        return branch(e, from, to, *same);
    }
    *out = from ? from : to;
    *same = from ? *same : 0;
    e->counters.prefix_hits += from != NULL;
    return sz_session_truncate(e->session, (*out)->seq, (uint32_t)*same);
}

/* ---- Giving and taking --------------------------------------------------------------------------
 */

static void give(sz_batcher *e, sz_slot *s, sz_choice *c) {
    s->choice = c;
    s->used = ++e->clock;
    s->drawn_ns = 0;
    c->slot = (uint32_t)(s - e->slots);
    c->holds_slot = true;
}

sz_status sz_slots_take(sz_batcher *e, sz_part *p, bool *fits) {
    uint32_t n = p->job->ask.pooling ? 1 : p->job->ask.n_choices;
    size_t same;
    sz_slot *first;
    *fits = n_idle(e) >= n && make_room(e, p, find_prefix(e, p, &same));
    if (!*fits)
        return SZ_OK;
    SZ_TRY(begin_sequence(e, p, &first, &same));
    give(e, first, &p->choices[0]);
    for (uint32_t i = 1; i < n; i++)
        give(e, oldest_idle(e, NULL, false), &p->choices[i]);
    p->n_computed = p->n_cached = same;
    sz_chain *chain = p->chain;
    p->chain = NULL;
    return sz_session_set_chain(e->session, first->seq, chain, p->job->ask.seed);
}

void sz_slots_release(sz_batcher *e, sz_choice *c) {
    if (!c->holds_slot)
        return;
    sz_slot *s = &e->slots[c->slot];
    c->holds_slot = false;
    s->choice = NULL;
    s->used = ++e->clock;
    sz_session_set_chain(e->session, s->seq, NULL, 0);
}
