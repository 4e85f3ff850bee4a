/* tokenizer_bpe.c: byte-level byte-pair encoding (GPT-2 and its many followers). */
#include "base/utf8.h"
#include "model/name_table.h"
#include "model/tokenizer_parts.h"

/* The most that fit into 2^20 slots; the largest vocabularies in use have 450,000. */
enum { MAX_MERGES = (2 << 20) / 3 };
_Static_assert((int)MAX_MERGES <= (int)SZ_SLOT_EMPTY, "a slot holds any rank");

static uint32_t hash_pair(uint32_t left, uint32_t right) {
    uint64_t h = ((uint64_t)left << 32 | right) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(h >> 32 ^ h >> 15);
}

/* The slot of a pair, or the empty one where it would go. */
static sz_slot *slot_of(const sz_bpe *b, uint32_t left, uint32_t right, uint32_t hash) {
    uint32_t tag = sz_slot_tag(hash);
    for (uint32_t i = hash & b->mask;; i = (i + 1) & b->mask) {
        sz_slot *slot = &b->slots[i];
        if (slot->number == SZ_SLOT_EMPTY)
            return slot;
        const sz_merge *m = &b->merges[slot->number];
        if (slot->tag == tag && m->left == left && m->right == right)
            return slot;
    }
}

/* The token "left right" without its space. Files list merges in the order of their products, so
 * the token after the last product is tried first. */
static int32_t find_product(const sz_vocab *v, sz_str text, size_t space, uint32_t guess,
                            char *joined) {
    size_t n = text.n - 1;
    if (n > v->longest)
        return -1;
    memcpy(joined, text.s, space);
    memcpy(joined + space, text.s + space + 1, n - space);
    if (guess < v->n) {
        sz_str next = sz_vocab_text(v, guess);
        if (next.n == n && memcmp(next.s, joined, n) == 0)
            return (int32_t)guess;
    }
    return sz_vocab_find(v, joined, n);
}

static sz_status load_merge(const sz_gguf *g, sz_tokenizer *t, sz_str text, uint32_t rank,
                            uint32_t *last, char *joined) {
    const sz_vocab *v = &t->vocab;
    char shown[80];
    const char *found = text.n > 2 ? memchr(text.s + 1, ' ', text.n - 2) : NULL;
    SZ_REQUIRE(found, SZ_E_FORMAT,
               "%s: tokenizer.ggml.merges[%u] is \"%s\"; two tokens and a space are needed",
               sz_gguf_name(g), rank, sz_show_text(text.s, text.n, shown));
    size_t space = (size_t)(found - text.s);
    int32_t left = sz_vocab_find(v, text.s, space);
    int32_t right = sz_vocab_find(v, found + 1, text.n - space - 1);
    int32_t product = find_product(v, text, space, *last + 1, joined);
    SZ_REQUIRE(left >= 0 && right >= 0 && product >= 0, SZ_E_FORMAT,
               "%s: tokenizer.ggml.merges[%u] is \"%s\", but %s of it is not in "
               "tokenizer.ggml.tokens",
               sz_gguf_name(g), rank, sz_show_text(text.s, text.n, shown),
               left < 0    ? "the left part"
               : right < 0 ? "the right part"
                           : "the product");
    *last = (uint32_t)product;
    uint32_t hash = hash_pair((uint32_t)left, (uint32_t)right);
    sz_slot *slot = slot_of(&t->bpe, (uint32_t)left, (uint32_t)right, hash);
    t->bpe.merges[rank] = (sz_merge){(uint32_t)left, (uint32_t)right, (uint32_t)product};
    if (slot->number == SZ_SLOT_EMPTY) /* of a pair listed twice the first rank counts */
        *slot = (sz_slot){.number = rank, .tag = sz_slot_tag(hash)};
    return SZ_OK;
}

static sz_status load_merges(const sz_gguf *g, sz_tokenizer *t) {
    const char *key = "tokenizer.ggml.merges";
    const sz_gguf_kv *kv = sz_gguf_find(g, key);
    SZ_REQUIRE(kv, SZ_E_NOTFOUND, "%s: the tokenizer needs %s, which is missing", sz_gguf_name(g),
               key);
    SZ_REQUIRE(kv->type == SZ_GGUF_ARRAY && kv->element == SZ_GGUF_STRING && kv->n <= MAX_MERGES,
               SZ_E_FORMAT, "%s: %s must be an array of at most %d strings", sz_gguf_name(g), key,
               MAX_MERGES);
    size_t slots = 16;
    while (slots < kv->n + kv->n / 2)
        slots *= 2;
    t->bpe.merges = sz_alloc((kv->n + 1) * sizeof *t->bpe.merges);
    t->bpe.slots = sz_slots_new(slots);
    char *joined = sz_alloc(t->vocab.longest + 1);
    sz_status status = SZ_OK;
    if (!t->bpe.merges || !t->bpe.slots || !joined)
        status = sz_fail(SZ_E_NOMEM, "out of memory for %llu merges", (unsigned long long)kv->n);
    t->bpe.mask = (uint32_t)slots - 1;
    uint32_t last = 0;
    for (uint32_t i = 0; i < kv->n && status == SZ_OK; i++)
        status = load_merge(g, t, sz_gguf_str_at(g, kv, i), i, &last, joined);
    sz_free(joined);
    return status;
}

static void find_bytes(sz_tokenizer *t) {
    for (int b = 0; b < 256; b++) {
        char text[4];
        int n = sz_utf8_encode(sz_byte_to_char((uint8_t)b), text);
        t->byte_id[b] = sz_vocab_find(&t->vocab, text, (size_t)n);
    }
}

sz_status sz_bpe_load(const sz_gguf *g, sz_tokenizer *t) {
    const char *key = "tokenizer.ggml.pre";
    sz_str pre = {"default", 7};
    if (sz_gguf_find(g, key))
        SZ_TRY(sz_gguf_get_str(g, key, &pre));
    sz_status status = sz_pretokenizer_new(pre.s, pre.n, &t->bpe.pre);
    if (status != SZ_OK)
        return sz_fail_within(status, "%s", sz_gguf_name(g));
    t->add_bos = sz_pretokenizer_adds_bos(t->bpe.pre);
    SZ_TRY(load_merges(g, t));
    find_bytes(t);
    return SZ_OK;
}

void sz_bpe_free(sz_bpe *b) {
    sz_free(b->merges);
    sz_free(b->slots);
    sz_pretokenizer_free(b->pre);
}

static bool pair_of(const sz_encoder *e, const char *word, const sz_symbol *left,
                    const sz_symbol *right, uint32_t *rank, int32_t *id) {
    if (left->id < 0 || right->id < 0)
        return false;
    const sz_bpe *b = &e->t->bpe;
    uint32_t hash = hash_pair((uint32_t)left->id, (uint32_t)right->id);
    uint32_t found = slot_of(b, (uint32_t)left->id, (uint32_t)right->id, hash)->number;
    if (found == SZ_SLOT_EMPTY)
        return false;
    *rank = found;
    *id = (int32_t)b->merges[found].id;
    return true;
}

/* The word as one token, whatever the merges say; -1 if it is none. */
static sz_status find_whole(sz_encoder *e, const char *word, size_t n, int32_t *id) {
    *id = -1;
    if (n > e->t->vocab.longest)
        return SZ_OK;
    SZ_TRY(sz_encoder_need_scratch(e, 2 * n));
    size_t length = 0;
    for (size_t i = 0; i < n; i++)
        length += (size_t)sz_utf8_encode(sz_byte_to_char((uint8_t)word[i]), e->scratch + length);
    *id = sz_vocab_find(&e->t->vocab, e->scratch, length);
    return SZ_OK;
}

static sz_status encode_word(sz_encoder *e, const char *word, size_t n) {
    if (sz_pretokenizer_ignores_merges(e->t->bpe.pre)) {
        int32_t whole;
        SZ_TRY(find_whole(e, word, n, &whole));
        if (whole >= 0)
            return sz_encoder_push(e, whole);
    }
    SZ_TRY(sz_encoder_need_symbols(e, n));
    for (size_t i = 0; i < n; i++)
        e->symbols[i] = (sz_symbol){.n = 1,
                                    .prev = (int32_t)i - 1,
                                    .next = i + 1 < n ? (int32_t)i + 1 : -1,
                                    .id = e->t->byte_id[(uint8_t)word[i]]};
    sz_merge_symbols(e, word, n, pair_of);
    for (int32_t i = 0; i >= 0; i = e->symbols[i].next) {
        if (e->symbols[i].id >= 0)
            SZ_TRY(sz_encoder_push(e, e->symbols[i].id));
    }
    return SZ_OK;
}

static sz_status take_word(void *context, const char *word, size_t n) {
    return sz_encoder_word(context, word, n, encode_word);
}

sz_status sz_bpe_encode(sz_encoder *e, const char *s, size_t n) {
    while (n > 0) {
        size_t valid = sz_utf8_valid(s, n);
        SZ_TRY(sz_pretokenizer_split(e->t->bpe.pre, e->matcher, s, valid, take_word, e));
        s += valid;
        n -= valid;
        if (n > 0) {
            SZ_TRY(sz_encoder_push_byte(e, (uint8_t)*s++));
            n--;
        }
    }
    return SZ_OK;
}
