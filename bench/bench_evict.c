/* bench_evict: requests a second of each policy of eviction on a trace in memory, beside LRU.
 *
 *     bench_evict [REQUESTS [PAGES [SIZE [ROUNDS]]]]
 *
 * A trace with Zipf's law over its pages; rounds take turns, the best of each counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/evict.h>
#include <szilard/unstable/num.h>

enum { MOST = 16 };

static uint32_t draw(double u, double pages) { /* exponent 1: the logarithm is uniform */
    double x = sz_exp(u * sz_log(pages + 1.0)) - 1.0;
    return (uint32_t)x;
}

int main(int argc, char **argv) {
    size_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 4000000;
    uint32_t pages = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 100000;
    uint32_t k = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 10000;
    int rounds = argc > 4 ? atoi(argv[4]) : 3;
    uint32_t *page = malloc(n * sizeof *page);
    uint8_t *bit = malloc(n ? n : 1);
    double best[MOST] = {0}, lru = 0;
    uint64_t misses;
    if (!page || !bit || n == 0 || pages == 0)
        return 1;
    for (size_t i = 0; i < n; i++)
        page[i] = draw(sz_uniform(1, 0, i), pages);
    sz_page_trace t = {page, bit, n, pages + 1};
    if (sz_paging_optimum(&t, k, &misses, bit) != SZ_OK)
        return 1;
    for (int r = 0; r < rounds; r++) {
        const sz_evict_kind *const *kind = sz_evict_kinds();
        for (int i = 0; i < MOST && kind[i]; i++) {
            uint64_t begin = sz_time_ns();
            if (sz_paging_misses(kind[i]->name, &t, k, 1, &misses) != SZ_OK)
                return 1;
            double rate = (double)n / ((double)(sz_time_ns() - begin) * 1e-9);
            best[i] = rate > best[i] ? rate : best[i];
        }
    }
    uint64_t begin = sz_time_ns();
    sz_paging_optimum(&t, k, &misses, NULL);
    double optimum = (double)n / ((double)(sz_time_ns() - begin) * 1e-9);
    for (int i = 0; i < MOST && sz_evict_kinds()[i]; i++) {
        lru = i == 0 ? best[0] : lru;
        printf("%-12s %7.2f M requests/s, %.2f of lru\n", sz_evict_kinds()[i]->name, best[i] * 1e-6,
               best[i] / lru);
    }
    printf("%-12s %7.2f M requests/s, %.2f of lru\n", "belady", optimum * 1e-6, optimum / lru);
    free(page);
    free(bit);
    return 0;
}
