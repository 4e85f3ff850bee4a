/* page_list.h: pages in an order (a list), and pages of which one is drawn (a bag). A page is in at
 * most one list or bag of those that share its links. */
#ifndef SZ_CACHE_PAGE_LIST_H
#define SZ_CACHE_PAGE_LIST_H

#include <szilard/unstable/evict.h>

typedef struct sz_page_link {
    uint32_t before, after;
} sz_page_link;

typedef struct sz_page_list {
    uint32_t first, last; /* first: the one that leaves first; SZ_NEVER: empty */
    uint32_t n;
} sz_page_list;

void sz_page_list_clear(sz_page_list *l);
void sz_page_list_append(sz_page_list *l, sz_page_link *links, uint32_t page);
void sz_page_list_remove(sz_page_list *l, sz_page_link *links, uint32_t page);
/* The first page that may leave, or SZ_NEVER. */
uint32_t sz_page_list_find(const sz_page_list *l, const sz_page_link *links, sz_may_evict may,
                           const void *user);
/* All of `from` behind `to`. */
void sz_page_list_splice(sz_page_list *to, sz_page_list *from, sz_page_link *links);

typedef struct sz_page_bag {
    uint32_t *page; /* [n] */
    uint32_t n;
} sz_page_bag;

/* place [n_pages]: where in its bag a page is; shared by all bags. */
void sz_page_bag_add(sz_page_bag *b, uint32_t *place, uint32_t page);
void sz_page_bag_remove(sz_page_bag *b, uint32_t *place, uint32_t page);
/* A page that may leave, each with the same chance, or SZ_NEVER; u in [0, 1) is the draw. */
uint32_t sz_page_bag_draw(const sz_page_bag *b, double u, sz_may_evict may, const void *user);

#endif
