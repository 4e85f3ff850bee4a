/* paging.c: what is known of a trace from its end: the optimum, true advice, and how far given
 * advice is from it. */
#include <string.h>
#include <szilard/unstable/evict.h>
#include <szilard/unstable/num.h>

static sz_status check(const sz_page_trace *t, uint32_t k) {
    SZ_REQUIRE(k > 0, SZ_E_ARG, "a cache has at least one page");
    SZ_REQUIRE(t->n < SZ_NEVER, SZ_E_LIMIT, "a trace of %zu requests is too long", t->n);
    SZ_REQUIRE(t->n_pages <= SZ_PAGES_MAX, SZ_E_LIMIT, "%u pages; at most %d", t->n_pages,
               SZ_PAGES_MAX);
    for (size_t i = 0; i < t->n; i++)
        SZ_REQUIRE(t->page[i] < t->n_pages, SZ_E_ARG, "request %zu: page %u of %u", i, t->page[i],
                   t->n_pages);
    return SZ_OK;
}

/* ---- The optimum ----------------------------------------------------------------------------- */

typedef struct entry { /* of the heap: a page as it was when it was last requested */
    uint32_t next, page;
} entry;

typedef struct belady {
    uint32_t *next;  /* [n] the page's next request */
    uint32_t *due;   /* [n_pages] the next request of a cached page */
    uint32_t *since; /* [n_pages] its last request */
    uint8_t *in;     /* [n_pages] */
    entry *heap; /* [n] the farthest first; entries that were overtaken stay until they surface */
    size_t n_heap;
} belady;

static void belady_free(belady *b) {
    sz_free(b->next);
    sz_free(b->due);
    sz_free(b->since);
    sz_free(b->in);
    sz_free(b->heap);
}

static sz_status belady_new(const sz_page_trace *t, belady *b) {
    size_t n = t->n ? t->n : 1, m = t->n_pages ? t->n_pages : 1;
    *b = (belady){sz_calloc(n, sizeof *b->next),  sz_calloc(m, sizeof *b->due),
                  sz_calloc(m, sizeof *b->since), sz_calloc(m, 1),
                  sz_calloc(n, sizeof *b->heap),  0};
    if (!b->next || !b->due || !b->since || !b->in || !b->heap) {
        belady_free(b);
        return sz_fail(SZ_E_NOMEM, "no memory for a trace of %zu requests", t->n);
    }
    for (uint32_t p = 0; p < t->n_pages; p++)
        b->due[p] = SZ_NEVER;
    for (size_t i = t->n; i-- > 0;) {
        b->next[i] = b->due[t->page[i]];
        b->due[t->page[i]] = (uint32_t)i;
    }
    return SZ_OK;
}

/* Of pages that never come again the smallest number first. */
static bool farther(entry a, entry b) {
    return a.next != b.next ? a.next > b.next : a.page < b.page;
}

static void push(belady *b, entry e) {
    size_t at = b->n_heap++;
    for (; at > 0 && farther(e, b->heap[(at - 1) / 2]); at = (at - 1) / 2)
        b->heap[at] = b->heap[(at - 1) / 2];
    b->heap[at] = e;
}

static entry pop(belady *b) {
    entry top = b->heap[0], last = b->heap[--b->n_heap];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < b->n_heap; at = child) {
        child += child + 1 < b->n_heap && farther(b->heap[child + 1], b->heap[child]);
        if (!farther(b->heap[child], last))
            break;
        b->heap[at] = b->heap[child];
    }
    b->heap[at] = last;
    return top;
}

/* The cached page whose next request is farthest. */
static uint32_t farthest(belady *b) {
    entry e;
    do
        e = pop(b);
    while (!b->in[e.page] || b->due[e.page] != e.next);
    return e.page;
}

sz_status sz_paging_optimum(const sz_page_trace *t, uint32_t k, uint64_t *misses,
                            uint8_t *discard) {
    belady b;
    uint32_t cached = 0;
    *misses = 0;
    SZ_TRY(check(t, k));
    SZ_TRY(belady_new(t, &b));
    if (discard)
        memset(discard, 0, t->n);
    for (size_t i = 0; i < t->n; i++) {
        uint32_t page = t->page[i];
        if (!b.in[page]) {
            ++*misses;
            if (cached == k) {
                uint32_t left = farthest(&b);
                b.in[left] = 0, cached--;
                if (discard)
                    discard[b.since[left]] = 1;
            }
            b.in[page] = 1, cached++;
        }
        b.due[page] = b.next[i];
        b.since[page] = (uint32_t)i;
        push(&b, (entry){b.next[i], page});
    }
    belady_free(&b);
    return SZ_OK;
}

/* ---- Phases ---------------------------------------------------------------------------------- */

/* phase [n]: the number of the phase of each request. */
static size_t number_phases(const sz_page_trace *t, uint32_t k, uint32_t *seen, uint32_t *first,
                            uint32_t *phase) {
    size_t n = 0;
    uint32_t distinct = k; /* of the phase; none has begun */
    memset(seen, 0xff, t->n_pages * sizeof *seen);
    for (size_t i = 0; i < t->n; i++) {
        bool is_new = n == 0 || seen[t->page[i]] != n - 1;
        if (is_new && distinct == k) {
            if (first)
                first[n] = (uint32_t)i;
            n++;
            distinct = 0;
        }
        distinct += is_new;
        seen[t->page[i]] = (uint32_t)(n - 1);
        phase[i] = (uint32_t)(n - 1);
    }
    return n;
}

/* From the end: the phase of a page's next request tells. All requests of a phase see the next
 * phase as it stands when the scan comes to their phase's end. */
static void fill_truth(const sz_page_trace *t, size_t n_phases, const uint32_t *phase,
                       uint32_t *after, int8_t *truth, uint8_t *last) {
    memset(after, 0xff, t->n_pages * sizeof *after); /* the phase of a page's next request */
    for (size_t end = t->n, begin; end > 0; end = begin) {
        uint32_t now = phase[end - 1];
        for (begin = end; begin > 0 && phase[begin - 1] == now; begin--)
            if (truth)
                truth[begin - 1] = now + 1 == n_phases ? -1 : after[t->page[begin - 1]] != now + 1;
        for (size_t i = end; i-- > begin;) {
            if (last)
                last[i] = after[t->page[i]] != now;
            after[t->page[i]] = now;
        }
    }
}

sz_status sz_paging_phases(const sz_page_trace *t, uint32_t k, uint32_t *first, size_t *n_phases,
                           int8_t *truth, uint8_t *last) {
    SZ_TRY(check(t, k));
    uint32_t *phase = sz_calloc(t->n ? t->n : 1, sizeof *phase);
    uint32_t *seen = sz_calloc(t->n_pages ? t->n_pages : 1, sizeof *seen);
    sz_status status = phase && seen ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for the phases");
    if (status == SZ_OK) {
        *n_phases = number_phases(t, k, seen, first, phase);
        fill_truth(t, *n_phases, phase, seen, truth, last);
    }
    sz_free(phase);
    sz_free(seen);
    return status;
}

/* ---- Errors ---------------------------------------------------------------------------------- */

/* Of counts [bit][truth]: the mutual information, nats. */
static double information(uint64_t n[2][2]) {
    double total = (double)(n[0][0] + n[0][1] + n[1][0] + n[1][1]), sum = 0;
    for (int b = 0; b < 2; b++)
        for (int y = 0; y < 2; y++)
            if (n[b][y] > 0) {
                double joint = (double)n[b][y] / total;
                double apart =
                    (double)(n[b][0] + n[b][1]) / total * (double)(n[0][y] + n[1][y]) / total;
                sum += joint * sz_log(joint / apart);
            }
    return sum > 0 ? sum : 0;
}

static sz_paging_errors errors_of(uint64_t n[2][2]) {
    return (sz_paging_errors){n[0][1], n[1][0], information(n)};
}

void sz_paging_discard_errors(const sz_page_trace *t, const uint8_t *truth, sz_paging_errors *out) {
    uint64_t n[2][2] = {{0}};
    for (size_t i = 0; i < t->n; i++)
        n[t->bit ? t->bit[i] : 0][truth[i]]++;
    *out = errors_of(n);
}

void sz_paging_phase_errors(const sz_page_trace *t, const int8_t *truth, const uint8_t *last,
                            sz_paging_errors *out) {
    uint64_t n[2][2] = {{0}};
    for (size_t i = 0; i < t->n; i++)
        if (last[i] && truth[i] >= 0)
            n[t->bit ? t->bit[i] : 0][truth[i]]++;
    *out = errors_of(n);
}

double sz_harmonic(uint32_t k) {
    double sum = 0;
    for (uint32_t i = k; i > 0; i--)
        sum += 1.0 / i;
    return sum;
}
