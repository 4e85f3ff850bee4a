/* automaton.c: the states that a text can be in: sets of places in the grammar, each with the rules
 * that are still open above it. Open rules are shared lists, states are looked up by what they
 * hold, and their transitions are remembered, so that a text read twice costs a table look-up per
 * byte. */
#include <string.h>

#include "code/grammar.h"

enum {
    MOST_PLACES = 2048,    /* in one state */
    MOST_STEPS = 1 << 16,  /* on the way to one state */
    MOST_STATES = 1 << 15, /* then everything but the live states is forgotten by the caller */
    MOST_FRAMES = 1 << 20,
    LATER = -1, /* a transition that was not needed yet */
};

/* A place to go on at when a rule ends, below it the rules around. Frame 0: none. */
typedef struct frame {
    uint32_t node, below;
} frame;

typedef struct place {
    uint32_t node; /* a BYTE node */
    uint32_t frame;
} place;

typedef struct state {
    place *places; /* [n], sorted */
    uint32_t n;
    bool accepts;
    int32_t *next; /* [256], NULL until the first step */
} state;

/* Open addressing over numbers of frames or states; 0: free. */
typedef struct table {
    uint32_t *slot;
    size_t size;
} table;

struct sz_grammar {
    sz_node *nodes;
    frame *frames;
    size_t n_frames, cap_frames;
    state *states;
    size_t n_states, cap_states;
    table frame_table, state_table;
    uint32_t start;
    place *gathered; /* of the state in the making */
    uint32_t n_gathered;
    bool gathered_accepts;
    place *visited; /* all places passed on the way, a stack and a set */
    uint32_t *visited_slot;
    uint32_t n_visited;
};

static uint64_t mix(uint64_t h, uint64_t v) {
    h ^= v + 0x9E3779B97F4A7C15u + (h << 6) + (h >> 2);
    return h * 0xFF51AFD7ED558CCDu;
}

/* ---- Frames ---------------------------------------------------------------------------------- */

static sz_status grow_table(table *t, size_t n, const void *context,
                            uint64_t (*hash)(const void *context, uint32_t i)) {
    if (2 * n < t->size)
        return SZ_OK;
    size_t size = t->size ? 4 * t->size : 1024;
    uint32_t *slot = sz_calloc(size, sizeof *slot);
    SZ_REQUIRE(slot, SZ_E_NOMEM, "no memory for the states of a grammar");
    for (size_t i = 0; i < t->size; i++) {
        if (!t->slot[i])
            continue;
        size_t at = hash(context, t->slot[i]) & (size - 1);
        while (slot[at])
            at = (at + 1) & (size - 1);
        slot[at] = t->slot[i];
    }
    sz_free(t->slot);
    *t = (table){slot, size};
    return SZ_OK;
}

static uint64_t hash_frame(const void *context, uint32_t i) {
    const frame *f = &((const sz_grammar *)context)->frames[i];
    return mix(mix(1, f->node), f->below);
}

static sz_status push(sz_grammar *g, uint32_t node, uint32_t below, uint32_t *out) {
    SZ_TRY(grow_table(&g->frame_table, g->n_frames, g, hash_frame));
    size_t mask = g->frame_table.size - 1, at = mix(mix(1, node), below) & mask;
    for (; g->frame_table.slot[at]; at = (at + 1) & mask) {
        const frame *f = &g->frames[g->frame_table.slot[at]];
        if (f->node == node && f->below == below) {
            *out = g->frame_table.slot[at];
            return SZ_OK;
        }
    }
    SZ_REQUIRE(g->n_frames < MOST_FRAMES, SZ_E_LIMIT, "the text nests rules too deeply");
    if (g->n_frames == g->cap_frames) {
        size_t cap = 2 * g->cap_frames;
        frame *more = sz_realloc(g->frames, g->cap_frames * sizeof *more, cap * sizeof *more);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for the states of a grammar");
        g->frames = more;
        g->cap_frames = cap;
    }
    g->frames[g->n_frames] = (frame){node, below};
    g->frame_table.slot[at] = *out = (uint32_t)g->n_frames++;
    return SZ_OK;
}

/* ---- All places that can be reached without a byte ------------------------------------------- */

/* Adds a place to those passed on the way, unless it is there. */
static sz_status visit(sz_grammar *g, uint32_t node, uint32_t frame) {
    size_t mask = 2 * MOST_STEPS - 1, at = mix(mix(2, node), frame) & mask;
    for (; g->visited_slot[at]; at = (at + 1) & mask) {
        const place *p = &g->visited[g->visited_slot[at] - 1];
        if (p->node == node && p->frame == frame)
            return SZ_OK;
    }
    SZ_REQUIRE(g->n_visited < MOST_STEPS, SZ_E_LIMIT,
               "the grammar can be read in too many ways here");
    g->visited[g->n_visited++] = (place){node, frame};
    g->visited_slot[at] = g->n_visited;
    return SZ_OK;
}

static void forget_visited(sz_grammar *g) {
    size_t mask = 2 * MOST_STEPS - 1;
    for (uint32_t i = 0; i < g->n_visited; i++) { /* clears exactly what was set */
        size_t at = mix(mix(2, g->visited[i].node), g->visited[i].frame) & mask;
        for (; g->visited_slot[at]; at = (at + 1) & mask)
            g->visited_slot[at] = 0;
    }
    g->n_visited = 0;
}

static sz_status follow(sz_grammar *g, place p) {
    const sz_node *n = &g->nodes[p.node];
    uint32_t frame = p.frame;
    switch ((sz_node_kind)n->kind) {
    case SZ_NODE_BYTE:
        SZ_REQUIRE(g->n_gathered < MOST_PLACES, SZ_E_LIMIT,
                   "the grammar can be read in too many ways here");
        g->gathered[g->n_gathered++] = p;
        return SZ_OK;
    case SZ_NODE_SPLIT:
        SZ_TRY(visit(g, n->next, frame));
        return visit(g, n->other, frame);
    case SZ_NODE_CALL: /* a call at the end of a rule needs no frame of its own */
        if (g->nodes[n->next].kind != SZ_NODE_RETURN)
            SZ_TRY(push(g, n->next, frame, &frame));
        return visit(g, n->other, frame);
    case SZ_NODE_RETURN:
        if (frame == 0)
            g->gathered_accepts = true;
        else
            return visit(g, g->frames[frame].node, g->frames[frame].below);
    }
    return SZ_OK;
}

/* ---- States ---------------------------------------------------------------------------------- */

static uint64_t hash_places(const place *p, uint32_t n, bool accepts) {
    uint64_t h = mix(3, accepts);
    for (uint32_t i = 0; i < n; i++)
        h = mix(mix(h, p[i].node), p[i].frame);
    return h;
}

static uint64_t hash_state(const void *context, uint32_t i) {
    const state *s = &((const sz_grammar *)context)->states[i];
    return hash_places(s->places, s->n, s->accepts);
}

static void sort_places(place *p, uint32_t n) {
    for (uint32_t gap = n / 2; gap > 0; gap /= 2)
        for (uint32_t i = gap; i < n; i++) {
            place t = p[i];
            uint32_t j = i;
            for (; j >= gap && (p[j - gap].node > t.node ||
                                (p[j - gap].node == t.node && p[j - gap].frame > t.frame));
                 j -= gap)
                p[j] = p[j - gap];
            p[j] = t;
        }
}

static sz_status add_state(sz_grammar *g, uint32_t *out) {
    SZ_REQUIRE(g->n_states < MOST_STATES, SZ_E_LIMIT, "the text leads to more than %d states",
               MOST_STATES);
    if (g->n_states == g->cap_states) {
        size_t cap = 2 * g->cap_states;
        state *more = sz_realloc(g->states, g->cap_states * sizeof *more, cap * sizeof *more);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for the states of a grammar");
        g->states = more;
        g->cap_states = cap;
    }
    state s = {.n = g->n_gathered, .accepts = g->gathered_accepts};
    s.places = sz_alloc(s.n * sizeof *s.places + 1);
    SZ_REQUIRE(s.places, SZ_E_NOMEM, "no memory for the states of a grammar");
    memcpy(s.places, g->gathered, s.n * sizeof *s.places);
    g->states[g->n_states] = s;
    *out = (uint32_t)g->n_states++;
    return SZ_OK;
}

/* The state of the gathered places, new or known. */
static sz_status find_state(sz_grammar *g, uint32_t *out) {
    if (g->n_gathered == 0 && !g->gathered_accepts) {
        *out = SZ_GRAMMAR_DEAD;
        return SZ_OK;
    }
    sort_places(g->gathered, g->n_gathered);
    SZ_TRY(grow_table(&g->state_table, g->n_states, g, hash_state));
    size_t mask = g->state_table.size - 1;
    size_t at = hash_places(g->gathered, g->n_gathered, g->gathered_accepts) & mask;
    for (; g->state_table.slot[at]; at = (at + 1) & mask) {
        const state *s = &g->states[g->state_table.slot[at]];
        if (s->n == g->n_gathered && s->accepts == g->gathered_accepts &&
            memcmp(s->places, g->gathered, s->n * sizeof *s->places) == 0) {
            *out = g->state_table.slot[at];
            return SZ_OK;
        }
    }
    SZ_TRY(add_state(g, out));
    g->state_table.slot[at] = *out;
    return SZ_OK;
}

/* Follows all that was visited to its places, and looks their state up. */
static sz_status finish(sz_grammar *g, uint32_t *out) {
    sz_status status = SZ_OK;
    g->n_gathered = 0;
    g->gathered_accepts = false;
    for (uint32_t i = 0; i < g->n_visited && status == SZ_OK; i++)
        status = follow(g, g->visited[i]);
    forget_visited(g);
    return status == SZ_OK ? find_state(g, out) : status;
}

sz_status sz_grammar_step(sz_grammar *g, uint32_t at, uint8_t byte, uint32_t *next) {
    SZ_REQUIRE(at < g->n_states, SZ_E_ARG, "the grammar has no state %u", at);
    state *s = &g->states[at];
    if (s->next && s->next[byte] != LATER) {
        *next = (uint32_t)s->next[byte];
        return SZ_OK;
    }
    if (!s->next) {
        s->next = sz_alloc(256 * sizeof *s->next);
        SZ_REQUIRE(s->next, SZ_E_NOMEM, "no memory for the states of a grammar");
        for (int i = 0; i < 256; i++)
            s->next[i] = LATER;
    }
    sz_status status = SZ_OK;
    for (uint32_t i = 0; i < s->n && status == SZ_OK; i++) {
        const sz_node *n = &g->nodes[s->places[i].node];
        if (byte >= n->from && byte <= n->to)
            status = visit(g, n->next, s->places[i].frame);
    }
    if (status != SZ_OK) {
        forget_visited(g);
        return status;
    }
    SZ_TRY(finish(g, next));
    g->states[at].next[byte] = (int32_t)*next;
    return SZ_OK;
}

uint32_t sz_grammar_start(const sz_grammar *g) {
    return g->start;
}

bool sz_grammar_accepts(const sz_grammar *g, uint32_t at) {
    return at < g->n_states && g->states[at].accepts;
}

sz_status sz_grammar_match(sz_grammar *g, const char *text, size_t n, bool *out) {
    uint32_t at = g->start;
    for (size_t i = 0; i < n && at != SZ_GRAMMAR_DEAD; i++)
        SZ_TRY(sz_grammar_step(g, at, (uint8_t)text[i], &at));
    *out = sz_grammar_accepts(g, at);
    return SZ_OK;
}

void sz_grammar_free(sz_grammar *g) {
    if (!g)
        return;
    for (size_t i = 0; i < g->n_states; i++) {
        sz_free(g->states[i].places);
        sz_free(g->states[i].next);
    }
    sz_free(g->nodes);
    sz_free(g->frames);
    sz_free(g->states);
    sz_free(g->frame_table.slot);
    sz_free(g->state_table.slot);
    sz_free(g->gathered);
    sz_free(g->visited);
    sz_free(g->visited_slot);
    sz_free(g);
}

static sz_status begin(sz_grammar *g, uint32_t start) {
    g->cap_frames = g->cap_states = 64;
    g->frames = sz_calloc(g->cap_frames, sizeof *g->frames);
    g->states = sz_calloc(g->cap_states, sizeof *g->states);
    g->gathered = sz_alloc(MOST_PLACES * sizeof *g->gathered);
    g->visited = sz_alloc(MOST_STEPS * sizeof *g->visited);
    g->visited_slot = sz_calloc(2 * MOST_STEPS, sizeof *g->visited_slot);
    SZ_REQUIRE(g->frames && g->states && g->gathered && g->visited && g->visited_slot, SZ_E_NOMEM,
               "no memory for a grammar");
    g->n_frames = 1; /* frame 0: no rule is open */
    g->n_states = 1; /* state 0: dead */
    SZ_TRY(visit(g, start, 0));
    return finish(g, &g->start);
}

sz_status sz_automaton_new(sz_nodes *nodes, uint32_t start, sz_grammar **out) {
    sz_grammar *g = sz_calloc(1, sizeof *g);
    SZ_REQUIRE(g, SZ_E_NOMEM, "no memory for a grammar");
    g->nodes = nodes->v;
    *nodes = (sz_nodes){0};
    sz_status status = begin(g, start);
    if (status != SZ_OK) {
        sz_grammar_free(g);
        return status;
    }
    *out = g;
    return SZ_OK;
}
