/* tokenizer_merge.c: joins neighbouring symbols, best pair first.
 *
 * Short words look for the best pair by walking the list; long ones keep the pairs in a heap, whose
 * entries may be out of date: one counts only if its symbol still has that rank. */
#include "model/tokenizer_parts.h"

enum { SHORT_WORD = 24 };
static const uint32_t NO_RANK = UINT32_MAX;

typedef struct merger {
    const sz_encoder *e;
    const char *word;
    sz_pair_fn pair;
    sz_symbol *s;
    uint64_t *heap; /* rank << 32 | symbol; the least on top */
    size_t n_heap;
} merger;

static void look_up_pair(const merger *m, int32_t i) {
    sz_symbol *left = &m->s[i];
    left->rank = NO_RANK;
    if (left->next >= 0 &&
        !m->pair(m->e, m->word, left, &m->s[left->next], &left->rank, &left->pair))
        left->rank = NO_RANK;
}

static void join(const merger *m, int32_t i) {
    sz_symbol *left = &m->s[i], *right = &m->s[left->next];
    left->n += right->n;
    left->id = left->pair;
    left->next = right->next;
    right->n = 0;
    right->rank = NO_RANK;
    if (left->next >= 0)
        m->s[left->next].prev = i;
    look_up_pair(m, i);
    if (left->prev >= 0)
        look_up_pair(m, left->prev);
}

static void merge_short(const merger *m) {
    for (;;) {
        int32_t best = 0;
        for (int32_t i = m->s[0].next; i >= 0; i = m->s[i].next) {
            if (m->s[i].rank < m->s[best].rank)
                best = i;
        }
        if (m->s[best].rank == NO_RANK)
            return;
        join(m, best);
    }
}

static void heap_push(merger *m, int32_t i) {
    if (i < 0 || m->s[i].rank == NO_RANK)
        return;
    uint64_t entry = (uint64_t)m->s[i].rank << 32 | (uint32_t)i;
    size_t at = m->n_heap++;
    for (; at > 0 && m->heap[(at - 1) / 2] > entry; at = (at - 1) / 2)
        m->heap[at] = m->heap[(at - 1) / 2];
    m->heap[at] = entry;
}

static uint64_t heap_pop(merger *m) {
    uint64_t top = m->heap[0], last = m->heap[--m->n_heap];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < m->n_heap; at = child) {
        child += child + 1 < m->n_heap && m->heap[child + 1] < m->heap[child];
        if (m->heap[child] >= last)
            break;
        m->heap[at] = m->heap[child];
    }
    m->heap[at] = last;
    return top;
}

/* The heap never holds more than 2n entries: at most n - 1 at first, and each join takes one out
 * and puts at most two in. */
static void merge_long(merger *m, size_t n) {
    for (size_t i = 0; i < n; i++)
        heap_push(m, (int32_t)i);
    while (m->n_heap > 0) {
        uint64_t entry = heap_pop(m);
        int32_t i = (int32_t)(uint32_t)entry;
        if (m->s[i].rank != entry >> 32)
            continue;
        join(m, i);
        heap_push(m, i);
        heap_push(m, m->s[i].prev);
    }
}

void sz_merge_symbols(sz_encoder *e, const char *word, size_t n, sz_pair_fn pair) {
    merger m = {.e = e, .word = word, .pair = pair, .s = e->symbols, .heap = e->heap};
    for (size_t i = 0; i < n; i++)
        look_up_pair(&m, (int32_t)i);
    if (n <= SHORT_WORD)
        merge_short(&m);
    else
        merge_long(&m, n);
}
