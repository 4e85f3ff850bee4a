/* tokenizer_special.c: finding the tokens that stand in a text under their own name. */
#include "model/tokenizer_parts.h"

#include <stdlib.h>

static int compare_texts(const void *a, const void *b, void *vocab) {
    sz_str x = sz_vocab_text(vocab, *(const uint32_t *)a);
    sz_str y = sz_vocab_text(vocab, *(const uint32_t *)b);
    int order = memcmp(x.s, y.s, x.n < y.n ? x.n : y.n);
    return order ? order : (x.n > y.n) - (x.n < y.n);
}

/* A user-defined token of SPM with a marked space in it is left to joining, which sees the marks;
 * cut out of a text it would take the mark itself for a space. */
static bool is_special(const sz_tokenizer *t, unsigned types, uint32_t id) {
    sz_str text = sz_vocab_text(&t->vocab, id);
    uint8_t type = t->vocab.type[id];
    if (!(types >> type & 1) || text.n == 0)
        return false;
    return type != SZ_TOKEN_USER || t->kind != SZ_KIND_SPM ||
           !memmem(text.s, text.n, SZ_SPACE_MARK, 3);
}

sz_status sz_specials_new(const sz_tokenizer *t, unsigned types, sz_specials *s) {
    const sz_vocab *v = &t->vocab;
    uint32_t n = 0;
    for (uint32_t i = 0; i < v->n; i++)
        n += is_special(t, types, i);
    s->ids = sz_alloc((n + 1) * sizeof *s->ids);
    SZ_REQUIRE(s->ids, SZ_E_NOMEM, "out of memory for %u special tokens", n);
    for (uint32_t i = 0; i < v->n; i++) {
        if (is_special(t, types, i))
            s->ids[s->n++] = i;
    }
    qsort_r(s->ids, s->n, sizeof *s->ids, compare_texts, (void *)v);
    for (uint32_t b = 0, i = 0; b <= 256; b++) {
        while (i < s->n && (uint8_t)*sz_vocab_text(v, s->ids[i]).s < b)
            i++;
        s->first[b] = i;
    }
    return SZ_OK;
}

void sz_specials_free(sz_specials *s) {
    sz_free(s->ids);
}

/* First of ids[low..high), which agree in `depth` bytes and are longer, whose next byte is >= c. */
static uint32_t narrow(const sz_specials *s, const sz_vocab *v, uint32_t low, uint32_t high,
                       size_t depth, unsigned c) {
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if ((uint8_t)sz_vocab_text(v, s->ids[middle]).s[depth] < c)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int32_t sz_specials_match(const sz_specials *s, const sz_vocab *v, const char *text, size_t n,
                          size_t *length) {
    uint32_t low = s->first[(uint8_t)*text], high = s->first[(uint8_t)*text + 1];
    int32_t found = -1;
    for (size_t depth = 1; low < high; depth++) {
        if (sz_vocab_text(v, s->ids[low]).n == depth) {
            found = (int32_t)s->ids[low++];
            *length = depth;
        }
        if (depth == n)
            break;
        unsigned c = (uint8_t)text[depth];
        low = narrow(s, v, low, high, depth, c);
        high = narrow(s, v, low, high, depth, c + 1);
    }
    return found;
}
