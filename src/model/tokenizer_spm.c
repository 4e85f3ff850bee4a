/* tokenizer_spm.c: SentencePiece BPE (Llama 1 and 2, Mistral, Gemma): joins whichever neighbours
 * make the token of the best score; what is no token goes byte by byte. */
#include "base/utf8.h"
#include "model/tokenizer_parts.h"

#include <stdio.h>

/* Types that a text never becomes by joining: control tokens are parsed on request only. */
static bool is_textual(uint8_t type) {
    return type != SZ_TOKEN_CONTROL && type != SZ_TOKEN_UNKNOWN && type != SZ_TOKEN_BYTE;
}

static int32_t find_textual(const sz_vocab *v, const char *s, size_t n) {
    int32_t id = sz_vocab_find(v, s, n);
    return id >= 0 && is_textual(v->type[id]) ? id : -1;
}

static void find_bytes(sz_tokenizer *t) {
    t->spm.keeps_mark = true;
    for (int b = 0; b < 256; b++) {
        char name[8], byte = (char)b;
        snprintf(name, sizeof name, "<0x%02X>", b);
        t->byte_id[b] = sz_vocab_find(&t->vocab, name, 6);
        if (t->byte_id[b] < 0) {
            t->spm.keeps_mark = false;
            t->byte_id[b] = find_textual(&t->vocab, &byte, 1);
        }
    }
}

/* No token spans a place where a space follows a byte outside before_space: words end there. */
static void find_boundaries(sz_tokenizer *t) {
    for (uint32_t i = 0; i < t->vocab.n; i++) {
        sz_str s = sz_vocab_text(&t->vocab, i);
        for (size_t at = 1; is_textual(t->vocab.type[i]) && at + 3 <= s.n; at++) {
            if (memcmp(s.s + at, SZ_SPACE_MARK, 3) == 0)
                t->spm.before_space[(uint8_t)s.s[at - 1]] = true;
        }
    }
}

sz_status sz_spm_load(const sz_gguf *g, sz_tokenizer *t) {
    t->spm.add_prefix = true;
    t->add_bos = true;
    SZ_TRY(sz_tokenizer_optional_bool(g, "tokenizer.ggml.add_space_prefix", &t->spm.add_prefix));
    find_bytes(t);
    find_boundaries(t);
    return SZ_OK;
}

/* Ranks order by falling score: the bits of a float order like the number if negative ones are
 * turned round. */
static uint32_t rank_of(float score) {
    uint32_t bits;
    score += 0.0f; /* -0 and 0 are equal */
    memcpy(&bits, &score, sizeof bits);
    return bits >> 31 ? bits : ~(bits | 1u << 31);
}

static bool pair_of(const sz_encoder *e, const char *word, const sz_symbol *left,
                    const sz_symbol *right, uint32_t *rank, int32_t *id) {
    *id = find_textual(&e->t->vocab, word + left->at, left->n + right->n);
    if (*id < 0)
        return false;
    *rank = rank_of(e->t->vocab.score[*id]);
    return true;
}

/* Copies a word with its spaces marked, after one more space if `prefix`, to e->scratch. */
static sz_status mark_spaces(sz_encoder *e, const char *word, size_t n, bool prefix, size_t *out) {
    SZ_TRY(sz_encoder_need_scratch(e, 3 * n + 3));
    char *to = e->scratch;
    if (prefix) {
        memcpy(to, SZ_SPACE_MARK, 3);
        to += 3;
    }
    for (size_t i = 0; i < n; i++) {
        if (word[i] == ' ') {
            memcpy(to, SZ_SPACE_MARK, 3);
            to += 3;
        } else {
            *to++ = word[i];
        }
    }
    *out = (size_t)(to - e->scratch);
    return SZ_OK;
}

static size_t make_symbols(sz_encoder *e, size_t bytes) {
    size_t count = 0;
    for (size_t at = 0; at < bytes; count++) {
        uint32_t cp;
        size_t length = (size_t)sz_utf8_decode(e->scratch + at, bytes - at, &cp);
        e->symbols[count] = (sz_symbol){.at = (uint32_t)at,
                                        .n = (uint32_t)length,
                                        .prev = (int32_t)count - 1,
                                        .next = at + length < bytes ? (int32_t)count + 1 : -1,
                                        .id = -1};
        at += length;
    }
    return count;
}

static sz_status push_symbol(sz_encoder *e, const sz_symbol *s) {
    const char *text = e->scratch + s->at;
    int32_t id = s->id >= 0 ? s->id : find_textual(&e->t->vocab, text, s->n);
    if (id >= 0)
        return sz_encoder_push(e, id);
    for (uint32_t i = 0; i < s->n; i++)
        SZ_TRY(sz_encoder_push_byte(e, (uint8_t)text[i]));
    return SZ_OK;
}

static sz_status encode_marked(sz_encoder *e, const char *word, size_t n, bool prefix) {
    size_t bytes;
    SZ_TRY(mark_spaces(e, word, n, prefix, &bytes));
    SZ_TRY(sz_encoder_need_symbols(e, n + 1));
    size_t count = make_symbols(e, bytes);
    sz_merge_symbols(e, e->scratch, count, pair_of);
    for (int32_t i = 0; i >= 0; i = e->symbols[i].next)
        SZ_TRY(push_symbol(e, &e->symbols[i]));
    return SZ_OK;
}

static sz_status encode_word(sz_encoder *e, const char *word, size_t n) {
    return encode_marked(e, word, n, false);
}

/* End of the word that begins at s[from]. */
static size_t word_end(const sz_spm *spm, const char *s, size_t n, size_t from) {
    for (size_t i = from + 1; i < n; i++) {
        if (s[i] == ' ' && !spm->before_space[s[i - 1] == ' ' ? 0x81 : (uint8_t)s[i - 1]])
            return i;
    }
    return n;
}

static sz_status encode_words(sz_encoder *e, const char *s, size_t n, bool prefix) {
    size_t at = 0;
    if (prefix && n > 0) {
        at = word_end(&e->t->spm, s, n, 0);
        SZ_TRY(encode_marked(e, s, at, true));
    }
    while (at < n) {
        size_t end = word_end(&e->t->spm, s, n, at);
        SZ_TRY(sz_encoder_word(e, s + at, end - at, encode_word));
        at = end;
    }
    return SZ_OK;
}

/* Valid UTF-8. A space mark in it must not be taken for a space: it goes by bytes. */
static sz_status encode_valid(sz_encoder *e, const char *s, size_t n, bool prefix) {
    const char *mark;
    while (e->t->spm.keeps_mark && (mark = memmem(s, n, SZ_SPACE_MARK, 3))) {
        SZ_TRY(encode_words(e, s, (size_t)(mark - s), prefix));
        for (int i = 0; i < 3; i++)
            SZ_TRY(sz_encoder_push_byte(e, (uint8_t)mark[i]));
        n -= (size_t)(mark + 3 - s);
        s = mark + 3;
        prefix = false;
    }
    return encode_words(e, s, n, prefix);
}

sz_status sz_spm_encode(sz_encoder *e, const char *s, size_t n) {
    bool prefix = e->t->spm.add_prefix;
    while (n > 0) {
        size_t valid = sz_utf8_valid(s, n);
        SZ_TRY(encode_valid(e, s, valid, prefix));
        prefix = false;
        s += valid;
        n -= valid;
        if (n > 0) {
            SZ_TRY(sz_encoder_push_byte(e, (uint8_t)*s++));
            n--;
        }
    }
    return SZ_OK;
}
