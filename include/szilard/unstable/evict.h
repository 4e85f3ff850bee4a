/* evict.h: which page leaves a full cache. A cache of k pages of one size takes requests; a miss
 * loads the page and evicts another if the cache is full; the cost is the number of misses. Each
 * request may bring one bit of advice: 1, the page is safe to drop. A method is one file that fills
 * one sz_evict_kind; written as "combine first=flush0 second=lru" (option.h).
 *
 * Source: Antoniadis, Boyar, Eliáš, Favrholdt, Hoeksma, Larsen, Polak and Simon, Paging with
 * Succinct Predictions, 2022 (2210.02775). Pages are numbered from 0; times are places of requests.
 */
#ifndef SZILARD_EVICT_H
#define SZILARD_EVICT_H

#include <szilard/unstable/base.h>
#include <szilard/unstable/option.h>

enum { SZ_PAGES_MAX = 1 << 28, SZ_NEVER = UINT32_MAX };

/* ---- A trace, and the offline optimum -------------------------------------------------------- */

typedef struct sz_page_trace {
    const uint32_t *page; /* [n] below n_pages; borrowed */
    const uint8_t *bit;   /* [n] 0 or 1; NULL: all 0 */
    size_t n;
    uint32_t n_pages;
} sz_page_trace;

/* Misses of the optimum, which evicts the page whose next request is farthest (Belady), of pages
 * that never come again the one of smallest number. discard [n], or NULL: 1 where it evicts the
 * page of that request before the page's next one, the true discard bits. O(n log n). SZ_E_ARG:
 * k = 0, a page that is not below n_pages, or n >= 2^32 - 1. SZ_E_NOMEM. */
SZ_API sz_status sz_paging_optimum(const sz_page_trace *t, uint32_t k, uint64_t *misses,
                                   uint8_t *discard);

/* Phases: longest runs of at most k pages, from the start. first [n], or NULL: the first request of
 * each. truth [n]: 1 where the page is not requested in the next phase, 0 where it is, -1 in the
 * last phase, where any bit is right; last [n]: 1 at a page's last request in its phase. Each may
 * be NULL. Errors as above. O(n). */
SZ_API sz_status sz_paging_phases(const sz_page_trace *t, uint32_t k, uint32_t *first,
                                  size_t *n_phases, int8_t *truth, uint8_t *last);

typedef struct sz_paging_errors {
    uint64_t kept, dropped; /* eta_0: bit 0 where 1 is true; eta_1: bit 1 where 0 is */
    double information;     /* nats a request: of the bits about the truth, as counted */
} sz_paging_errors;
/* Of discard bits against the truth [n]. */
SZ_API void sz_paging_discard_errors(const sz_page_trace *t, const uint8_t *truth,
                                     sz_paging_errors *out);
/* Of phase bits: a page's last request in its phase counts. */
SZ_API void sz_paging_phase_errors(const sz_page_trace *t, const int8_t *truth, const uint8_t *last,
                                   sz_paging_errors *out);
/* 1 + 1/2 + ... + 1/k. */
SZ_API double sz_harmonic(uint32_t k);

/* ---- Policies -------------------------------------------------------------------------------- */

typedef struct sz_evict sz_evict; /* a cache under a policy */

typedef enum sz_advice { SZ_ADVICE_NONE, SZ_ADVICE_DISCARD, SZ_ADVICE_PHASE } sz_advice;

/* Whether a page may leave; pages that are in use, or that others build on, may not. */
typedef bool (*sz_may_evict)(const void *user, uint32_t page);

typedef struct sz_evict_kind {
    const char *name, *help;
    const sz_option *options;
    sz_advice advice; /* what a bit means to it */
    bool random;
    size_t size; /* bytes of the state that the functions get, zeroed before begin */
    sz_status (*begin)(void *state, const double *values, uint32_t k, uint32_t n_pages,
                       uint64_t seed);
    void (*end)(void *state);
    void (*request)(void *state, uint32_t page, int bit); /* before anything else; may be NULL */
    void (*hit)(void *state, uint32_t page, int bit);
    /* A page that is in the cache and may leave, which it takes out; SZ_NEVER if none may. may
     * NULL: all may. */
    uint32_t (*evict)(void *state, sz_may_evict may, const void *user);
    void (*put)(void *state, uint32_t page, int bit);
    void (*drop)(void *state, uint32_t page); /* the owner took the page out */
} sz_evict_kind;

SZ_API const sz_evict_kind *const *sz_evict_kinds(void); /* ends with NULL */

/* An empty cache of k pages. SZ_E_ARG: no such policy, a wrong option, k = 0. SZ_E_NOMEM. */
SZ_API sz_status sz_evict_new(const char *policy, uint32_t k, uint32_t n_pages, uint64_t seed,
                              sz_evict **out);
SZ_API void sz_evict_free(sz_evict *e);
SZ_API const sz_evict_kind *sz_evict_kind_of(const sz_evict *e);
SZ_API bool sz_evict_has(const sz_evict *e, uint32_t page);
/* A request. *evicted: the page that left, or SZ_NEVER; may be NULL. Returns whether it was a miss.
 * Where the cache is full and no page may leave, the page is not taken up. O(1) but for the pages
 * that may not leave, and for what random draws among the others cost. */
SZ_API bool sz_evict_request(sz_evict *e, uint32_t page, int bit, sz_may_evict may,
                             const void *user, uint32_t *evicted);
/* Takes a page out, for reasons of the owner's. */
SZ_API void sz_evict_drop(sz_evict *e, uint32_t page);

/* Misses of a policy on a trace. Errors as sz_evict_new and sz_paging_optimum. */
SZ_API sz_status sz_paging_misses(const char *policy, const sz_page_trace *t, uint32_t k,
                                  uint64_t seed, uint64_t *misses);
/* The expected misses of marker, mark0 or markpredict: exact, from the distribution over states.
 * SZ_E_LIMIT: more than 64 pages, or than max_states states at once. SZ_E_ARG: another policy. */
SZ_API sz_status sz_paging_expected(const char *policy, const sz_page_trace *t, uint32_t k,
                                    size_t max_states, double *misses);

#endif
