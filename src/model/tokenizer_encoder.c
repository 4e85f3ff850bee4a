/* tokenizer_encoder.c: the state of one encode call.
 *
 * Words repeat, so their ids are remembered: a slot names a word by its place in the text and its
 * ids by their place in the output, so that remembering copies nothing. */
#include "model/tokenizer_parts.h"

enum { MAX_WORD_SLOTS = 1 << 14, LONGEST_REMEMBERED = 128 };

sz_status sz_encoder_open(sz_encoder *e, const sz_tokenizer *t, const char *text, size_t n) {
    *e = (sz_encoder){.t = t, .text = text};
    size_t slots = 16;
    while (slots < n / 4 && slots < MAX_WORD_SLOTS)
        slots *= 2;
    e->words = sz_calloc(slots, sizeof *e->words);
    e->word_mask = (uint32_t)slots - 1;
    e->cap_ids = n / 3 + 16;
    e->ids = sz_alloc(e->cap_ids * sizeof *e->ids);
    SZ_REQUIRE(e->words && e->ids, SZ_E_NOMEM, "out of memory for the tokens of %zu bytes", n);
    return t->kind == SZ_KIND_SPM ? SZ_OK : sz_matcher_new(&e->matcher);
}

void sz_encoder_close(sz_encoder *e) {
    sz_free(e->ids);
    sz_free(e->words);
    sz_free(e->symbols);
    sz_free(e->heap);
    sz_free(e->scratch);
    sz_matcher_free(e->matcher);
}

static sz_status reserve_ids(sz_encoder *e, size_t more) {
    if (e->cap_ids - e->n_ids >= more)
        return SZ_OK;
    size_t cap = e->cap_ids * 2 + more;
    int32_t *ids = sz_realloc(e->ids, e->cap_ids * sizeof *ids, cap * sizeof *ids);
    SZ_REQUIRE(ids, SZ_E_NOMEM, "out of memory for %zu tokens", cap);
    e->ids = ids;
    e->cap_ids = cap;
    return SZ_OK;
}

sz_status sz_encoder_push(sz_encoder *e, int32_t id) {
    SZ_TRY(reserve_ids(e, 1));
    e->ids[e->n_ids++] = id;
    return SZ_OK;
}

/* A byte that has no token becomes the unknown token in SPM; in byte-level BPE there is nothing
 * that could stand for it, and it is left out, as everywhere. */
sz_status sz_encoder_push_byte(sz_encoder *e, uint8_t byte) {
    int32_t id = e->t->byte_id[byte];
    if (id < 0 && e->t->kind == SZ_KIND_SPM)
        id = e->t->unk;
    return id < 0 ? SZ_OK : sz_encoder_push(e, id);
}

sz_status sz_encoder_need_symbols(sz_encoder *e, size_t n) {
    if (n <= e->cap_symbols)
        return SZ_OK;
    size_t cap = n + n / 2 + 64;
    sz_free(e->symbols);
    sz_free(e->heap);
    e->cap_symbols = 0;
    e->symbols = sz_alloc(cap * sizeof *e->symbols);
    e->heap = sz_alloc(2 * cap * sizeof *e->heap);
    SZ_REQUIRE(e->symbols && e->heap, SZ_E_NOMEM, "out of memory for a word of %zu bytes", n);
    e->cap_symbols = cap;
    return SZ_OK;
}

sz_status sz_encoder_need_scratch(sz_encoder *e, size_t n) {
    if (n <= e->cap_scratch)
        return SZ_OK;
    size_t cap = n + n / 2 + 256;
    sz_free(e->scratch);
    e->cap_scratch = 0;
    e->scratch = sz_alloc(cap);
    SZ_REQUIRE(e->scratch, SZ_E_NOMEM, "out of memory for a word of %zu bytes", n);
    e->cap_scratch = cap;
    return SZ_OK;
}

static sz_status copy_ids(sz_encoder *e, size_t from, size_t n) {
    SZ_TRY(reserve_ids(e, n));
    memcpy(e->ids + e->n_ids, e->ids + from, n * sizeof *e->ids);
    e->n_ids += n;
    return SZ_OK;
}

sz_status sz_encoder_word(sz_encoder *e, const char *word, size_t n,
                          sz_status (*fn)(sz_encoder *e, const char *word, size_t n)) {
    if (n > LONGEST_REMEMBERED)
        return fn(e, word, n);
    uint64_t hash = sz_hash_bytes(word, n);
    sz_word_slot *slot = &e->words[hash & e->word_mask];
    if (slot->n == n && slot->tag == (uint32_t)(hash >> 32) &&
        memcmp(e->text + slot->at, word, n) == 0)
        return copy_ids(e, slot->ids, slot->n_ids);
    size_t from = e->n_ids;
    SZ_TRY(fn(e, word, n));
    *slot = (sz_word_slot){.tag = (uint32_t)(hash >> 32),
                           .at = (uint32_t)(word - e->text),
                           .ids = (uint32_t)from,
                           .n = (uint16_t)n,
                           .n_ids = (uint16_t)(e->n_ids - from)};
    return SZ_OK;
}
