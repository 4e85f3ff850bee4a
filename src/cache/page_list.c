/* page_list.c: see page_list.h. */
#include "page_list.h"

void sz_page_list_clear(sz_page_list *l) {
    *l = (sz_page_list){SZ_NEVER, SZ_NEVER, 0};
}

void sz_page_list_append(sz_page_list *l, sz_page_link *links, uint32_t page) {
    links[page] = (sz_page_link){l->last, SZ_NEVER};
    if (l->last != SZ_NEVER)
        links[l->last].after = page;
    else
        l->first = page;
    l->last = page;
    l->n++;
}

void sz_page_list_remove(sz_page_list *l, sz_page_link *links, uint32_t page) {
    sz_page_link link = links[page];
    if (link.before != SZ_NEVER)
        links[link.before].after = link.after;
    else
        l->first = link.after;
    if (link.after != SZ_NEVER)
        links[link.after].before = link.before;
    else
        l->last = link.before;
    l->n--;
}

uint32_t sz_page_list_find(const sz_page_list *l, const sz_page_link *links, sz_may_evict may,
                           const void *user) {
    uint32_t page = l->first;
    while (page != SZ_NEVER && may && !may(user, page))
        page = links[page].after;
    return page;
}

void sz_page_list_splice(sz_page_list *to, sz_page_list *from, sz_page_link *links) {
    if (from->n == 0)
        return;
    if (to->n == 0) {
        to->first = from->first;
    } else {
        links[to->last].after = from->first;
        links[from->first].before = to->last;
    }
    to->last = from->last;
    to->n += from->n;
    sz_page_list_clear(from);
}

void sz_page_bag_add(sz_page_bag *b, uint32_t *place, uint32_t page) {
    place[page] = b->n;
    b->page[b->n++] = page;
}

void sz_page_bag_remove(sz_page_bag *b, uint32_t *place, uint32_t page) {
    uint32_t last = b->page[--b->n];
    b->page[place[page]] = last;
    place[last] = place[page];
}

uint32_t sz_page_bag_draw(const sz_page_bag *b, double u, sz_may_evict may, const void *user) {
    uint32_t n = 0;
    if (!may)
        return b->n ? b->page[(uint32_t)(u * b->n)] : SZ_NEVER;
    for (uint32_t i = 0; i < b->n; i++)
        n += may(user, b->page[i]);
    uint32_t skip = (uint32_t)(u * n);
    for (uint32_t i = 0; i < b->n && n > 0; i++)
        if (may(user, b->page[i]) && skip-- == 0)
            return b->page[i];
    return SZ_NEVER;
}
