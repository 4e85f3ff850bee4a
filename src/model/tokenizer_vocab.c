/* tokenizer_vocab.c: the token texts of a file, their types and scores, and lookup by text. */
#include "base/utf8.h"
#include "model/name_table.h"
#include "model/tokenizer_parts.h"

#include <math.h>

/* The largest vocabularies in use have 2^18 tokens of 3 MiB in all. With these bounds and that of
 * the merges no file makes a tokenizer of more than 64 MiB. */
enum { MAX_TOKENS = 1 << 19, MAX_TEXT_BYTES = 8 << 20 };
_Static_assert((int)MAX_TOKENS <= (int)SZ_SLOT_EMPTY, "a slot holds any id");

uint32_t sz_byte_to_char(uint8_t b) {
    if ((b >= 33 && b <= 126) || (b >= 161 && b != 173))
        return b;
    return 256u + (b <= 32 ? b : b == 173 ? 67u : b - 127u + 33u);
}

int sz_char_to_byte(uint32_t c) {
    if (c < 256)
        return sz_byte_to_char((uint8_t)c) == c ? (int)c : -1;
    c -= 256;
    return c <= 32 ? (int)c : c < 67 ? (int)c - 33 + 127 : c == 67 ? 173 : -1;
}

static sz_status strings_alloc(sz_strings *s, uint64_t n, uint64_t bytes) {
    s->at = sz_alloc((n + 1) * sizeof *s->at);
    s->bytes = sz_alloc(bytes + n);
    SZ_REQUIRE(s->at && s->bytes, SZ_E_NOMEM, "out of memory for %llu tokens",
               (unsigned long long)n);
    s->at[0] = 0;
    return SZ_OK;
}

static sz_status array_of(const sz_gguf *g, const char *key, bool strings, const sz_gguf_kv **out) {
    const sz_gguf_kv *kv = sz_gguf_find(g, key);
    SZ_REQUIRE(kv, SZ_E_NOTFOUND, "%s: the tokenizer needs %s, which is missing", sz_gguf_name(g),
               key);
    SZ_REQUIRE(kv->type == SZ_GGUF_ARRAY && (kv->element == SZ_GGUF_STRING) == strings &&
                   kv->element != SZ_GGUF_ARRAY,
               SZ_E_FORMAT, "%s: %s must be an array of %s", sz_gguf_name(g), key,
               strings ? "strings" : "numbers");
    *out = kv;
    return SZ_OK;
}

static sz_status load_texts(const sz_gguf *g, sz_vocab *v) {
    const sz_gguf_kv *kv;
    SZ_TRY(array_of(g, "tokenizer.ggml.tokens", true, &kv));
    SZ_REQUIRE(kv->n >= 1 && kv->n <= MAX_TOKENS, SZ_E_FORMAT,
               "%s: tokenizer.ggml.tokens has %llu tokens; 1 to %d are possible", sz_gguf_name(g),
               (unsigned long long)kv->n, MAX_TOKENS);
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < kv->n; i++)
        bytes += sz_gguf_str_at(g, kv, i).n;
    SZ_REQUIRE(bytes <= MAX_TEXT_BYTES, SZ_E_LIMIT,
               "%s: the texts of tokenizer.ggml.tokens have %llu bytes, more than %d MiB",
               sz_gguf_name(g), (unsigned long long)bytes, MAX_TEXT_BYTES >> 20);
    SZ_TRY(strings_alloc(&v->text, kv->n, bytes));
    v->n = (uint32_t)kv->n;
    for (uint32_t i = 0, at = 0; i < v->n; i++) {
        sz_str s = sz_gguf_str_at(g, kv, i);
        memcpy(v->text.bytes + at, s.s, s.n);
        at += (uint32_t)s.n;
        v->text.bytes[at++] = 0;
        v->text.at[i + 1] = at;
        v->longest = s.n > v->longest ? (uint32_t)s.n : v->longest;
    }
    return SZ_OK;
}

static sz_status check_length(const sz_gguf *g, const sz_gguf_kv *kv, uint32_t n) {
    SZ_REQUIRE(kv->n == n, SZ_E_FORMAT, "%s: %s has %llu elements for %u tokens", sz_gguf_name(g),
               kv->key, (unsigned long long)kv->n, n);
    return SZ_OK;
}

static sz_status load_types(const sz_gguf *g, sz_vocab *v) {
    const char *key = "tokenizer.ggml.token_type";
    v->type = sz_alloc(v->n);
    v->end = sz_calloc(v->n, sizeof *v->end);
    SZ_REQUIRE(v->type && v->end, SZ_E_NOMEM, "out of memory for %u token types", v->n);
    memset(v->type, SZ_TOKEN_NORMAL, v->n);
    if (!sz_gguf_find(g, key))
        return SZ_OK;
    const sz_gguf_kv *kv;
    SZ_TRY(array_of(g, key, false, &kv));
    SZ_TRY(check_length(g, kv, v->n));
    for (uint32_t i = 0; i < v->n; i++) {
        int64_t type = sz_gguf_int_at(g, kv, i);
        SZ_REQUIRE(type >= SZ_TOKEN_UNDEFINED && type <= SZ_TOKEN_BYTE, SZ_E_FORMAT,
                   "%s: %s[%u] is %lld; types are 0 to 6", sz_gguf_name(g), key, i,
                   (long long)type);
        v->type[i] = (uint8_t)type;
    }
    return SZ_OK;
}

static sz_status load_scores(const sz_gguf *g, sz_vocab *v) {
    const char *key = "tokenizer.ggml.scores";
    const sz_gguf_kv *kv;
    SZ_TRY(array_of(g, key, false, &kv));
    SZ_TRY(check_length(g, kv, v->n));
    v->score = sz_alloc(v->n * sizeof *v->score);
    SZ_REQUIRE(v->score, SZ_E_NOMEM, "out of memory for %u token scores", v->n);
    for (uint32_t i = 0; i < v->n; i++) {
        v->score[i] = (float)sz_gguf_num_at(g, kv, i);
        SZ_REQUIRE(isfinite(v->score[i]), SZ_E_FORMAT, "%s: %s[%u] is not a finite number",
                   sz_gguf_name(g), key, i);
    }
    return SZ_OK;
}

sz_slot *sz_slots_new(size_t n) {
    sz_slot *slots = sz_alloc(n * sizeof *slots);
    if (slots)
        memset(slots, 0xFF, n * sizeof *slots);
    return slots;
}

/* The slot of a text, or the empty one where it would go. */
static sz_slot *slot_of(const sz_vocab *v, const char *text, size_t n, uint64_t hash) {
    uint32_t tag = sz_slot_tag((uint32_t)(hash >> 32));
    for (uint32_t i = (uint32_t)hash & v->mask;; i = (i + 1) & v->mask) {
        sz_slot *slot = &v->slots[i];
        if (slot->number == SZ_SLOT_EMPTY)
            return slot;
        if (slot->tag != tag)
            continue;
        sz_str s = sz_vocab_text(v, slot->number);
        if (s.n == n && memcmp(s.s, text, n) == 0)
            return slot;
    }
}

static sz_status index_texts(const sz_gguf *g, sz_vocab *v) {
    char shown[80];
    size_t slots = 16;
    while (slots < (size_t)v->n + v->n / 2)
        slots *= 2;
    v->slots = sz_slots_new(slots);
    SZ_REQUIRE(v->slots, SZ_E_NOMEM, "out of memory for an index of %u tokens", v->n);
    v->mask = (uint32_t)slots - 1;
    for (uint32_t i = 0; i < v->n; i++) {
        sz_str s = sz_vocab_text(v, i);
        if (s.n == 0)
            continue;
        uint64_t hash = sz_hash_bytes(s.s, s.n);
        sz_slot *slot = slot_of(v, s.s, s.n, hash);
        SZ_REQUIRE(slot->number == SZ_SLOT_EMPTY, SZ_E_FORMAT,
                   "%s: tokenizer.ggml.tokens: tokens %u and %u are both \"%s\"", sz_gguf_name(g),
                   (unsigned)slot->number, i, sz_show_text(s.s, s.n, shown));
        *slot = (sz_slot){.number = i, .tag = sz_slot_tag((uint32_t)(hash >> 32))};
    }
    return SZ_OK;
}

int32_t sz_vocab_find(const sz_vocab *v, const char *text, size_t n) {
    if (n == 0 || n > v->longest)
        return -1;
    uint32_t id = slot_of(v, text, n, sz_hash_bytes(text, n))->number;
    return id == SZ_SLOT_EMPTY ? -1 : (int32_t)id;
}

/* Bytes of a byte-level text; if a character stands for no byte, the text itself. */
static size_t piece_of_bytes(sz_str text, char *out) {
    size_t n = 0;
    for (size_t i = 0; i < text.n;) {
        uint32_t c;
        int length = sz_utf8_decode(text.s + i, text.n - i, &c);
        int byte = length ? sz_char_to_byte(c) : -1;
        if (byte < 0) {
            memcpy(out, text.s, text.n);
            return text.n;
        }
        out[n++] = (char)byte;
        i += (size_t)length;
    }
    return n;
}

static size_t piece_of_marked(sz_str text, char *out) {
    size_t n = 0;
    for (size_t i = 0; i < text.n;) {
        bool mark = text.n - i >= 3 && memcmp(text.s + i, SZ_SPACE_MARK, 3) == 0;
        out[n++] = mark ? ' ' : text.s[i];
        i += mark ? 3 : 1;
    }
    return n;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte of a text such as <0x0A>; -1 for any other. */
static int byte_of_text(sz_str s) {
    if (s.n != 6 || memcmp(s.s, "<0x", 3) != 0 || s.s[5] != '>')
        return -1;
    int high = hex_digit(s.s[3]), low = hex_digit(s.s[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static size_t decode_piece(sz_tokenizer_kind kind, uint8_t type, sz_str text, char *out) {
    int byte = type == SZ_TOKEN_BYTE ? byte_of_text(text) : -1;
    if (byte >= 0) {
        *out = (char)byte;
        return 1;
    }
    if (type == SZ_TOKEN_NORMAL)
        return kind == SZ_KIND_BPE ? piece_of_bytes(text, out) : piece_of_marked(text, out);
    if (type == SZ_TOKEN_USER && kind == SZ_KIND_SPM)
        return piece_of_marked(text, out);
    memcpy(out, text.s, text.n);
    return text.n;
}

static sz_status decode_pieces(sz_vocab *v, sz_tokenizer_kind kind) {
    SZ_TRY(strings_alloc(&v->piece, v->n, v->text.at[v->n] - v->n));
    for (uint32_t i = 0, at = 0; i < v->n; i++) {
        at += (uint32_t)decode_piece(kind, v->type[i], sz_vocab_text(v, i), v->piece.bytes + at);
        v->piece.bytes[at++] = 0;
        v->piece.at[i + 1] = at;
    }
    return SZ_OK;
}

sz_status sz_vocab_load(const sz_gguf *g, sz_tokenizer_kind kind, sz_vocab *v) {
    SZ_TRY(load_texts(g, v));
    SZ_TRY(load_types(g, v));
    if (kind == SZ_KIND_SPM)
        SZ_TRY(load_scores(g, v));
    SZ_TRY(index_texts(g, v));
    return decode_pieces(v, kind);
}

void sz_vocab_free(sz_vocab *v) {
    sz_free(v->text.bytes);
    sz_free(v->text.at);
    sz_free(v->piece.bytes);
    sz_free(v->piece.at);
    sz_free(v->type);
    sz_free(v->end);
    sz_free(v->score);
    sz_free(v->slots);
}
