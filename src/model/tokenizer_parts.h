/* tokenizer_parts.h: what the tokenizer files share. Read tokenizer.c first.
 *
 *   tokenizer_vocab.c      token texts as the file spells them, decoded pieces, lookup by text
 *   tokenizer_special.c    finding control and user-defined tokens in a text
 *   tokenizer_encoder.c    the state of one call: ids so far, words seen so far, scratch memory
 *   tokenizer_merge.c      joining the best pair again and again, for BPE and SPM alike
 *   tokenizer_{bpe,spm,wordpiece}.c   one kind of tokenizer each
 */
#ifndef SZ_MODEL_TOKENIZER_PARTS_H
#define SZ_MODEL_TOKENIZER_PARTS_H

#include "model/pretokenizer.h"

#include <string.h>
#include <szilard/unstable/tokenizer.h>

/* U+2581, which SPM and WordPiece files write for a space. */
#define SZ_SPACE_MARK "\xE2\x96\x81"

typedef enum sz_token_type { /* the numbers of tokenizer.ggml.token_type */
                             SZ_TOKEN_UNDEFINED = 0,
                             SZ_TOKEN_NORMAL = 1,
                             SZ_TOKEN_UNKNOWN = 2,
                             SZ_TOKEN_CONTROL = 3,
                             SZ_TOKEN_USER = 4,
                             SZ_TOKEN_UNUSED = 5,
                             SZ_TOKEN_BYTE = 6,
} sz_token_type;

typedef enum sz_tokenizer_kind { SZ_KIND_BPE, SZ_KIND_SPM, SZ_KIND_WORDPIECE } sz_tokenizer_kind;

/* Strings one after the other, each followed by a NUL; string i is bytes[at[i] .. at[i+1]-1). */
typedef struct sz_strings {
    char *bytes;
    uint32_t *at; /* [n+1] */
} sz_strings;

/* A slot of an open hash table: a number, and as much of the hash as there is room for, so that
 * other entries are seldom looked at. */
enum { SZ_SLOT_BITS = 20, SZ_SLOT_EMPTY = (1 << SZ_SLOT_BITS) - 1 };
typedef struct sz_slot {
    uint32_t number : SZ_SLOT_BITS; /* SZ_SLOT_EMPTY: none */
    uint32_t tag : 32 - SZ_SLOT_BITS;
} sz_slot;

/* n slots, all empty; NULL if there is no memory. */
sz_slot *sz_slots_new(size_t n);
static inline uint32_t sz_slot_tag(uint32_t hash) {
    return hash >> SZ_SLOT_BITS;
}

typedef struct sz_vocab {
    uint32_t n;
    uint32_t longest; /* bytes of the longest text */
    sz_strings text;  /* as in the file */
    sz_strings piece; /* what the token adds to a text */
    uint8_t *type;    /* [n], sz_token_type */
    bool *end;        /* [n]: ends a generation */
    float *score;     /* [n], SPM only, else NULL */
    sz_slot *slots;   /* open addressing over text; empty texts are not in it */
    uint32_t mask;
} sz_vocab;

sz_status sz_vocab_load(const sz_gguf *g, sz_tokenizer_kind kind, sz_vocab *v);
void sz_vocab_free(sz_vocab *v);
int32_t sz_vocab_find(const sz_vocab *v, const char *text, size_t n); /* -1: none */

static inline sz_str sz_vocab_text(const sz_vocab *v, uint32_t id) {
    return (sz_str){v->text.bytes + v->text.at[id], v->text.at[id + 1] - v->text.at[id] - 1};
}

static inline sz_str sz_vocab_piece(const sz_vocab *v, uint32_t id) {
    return (sz_str){v->piece.bytes + v->piece.at[id], v->piece.at[id + 1] - v->piece.at[id] - 1};
}

/* Byte-level BPE spells byte b as the printable character sz_byte_to_char(b); -1 if c is none. */
uint32_t sz_byte_to_char(uint8_t b);
int sz_char_to_byte(uint32_t c);

static inline uint64_t sz_hash_bytes(const char *s, size_t n) {
    const uint64_t k = 0x9E3779B97F4A7C15u;
    uint64_t h = n * k, w = 0;
    for (; n >= 8; s += 8, n -= 8) {
        memcpy(&w, s, 8);
        h = (h ^ w) * k;
        h ^= h >> 32;
    }
    for (w = 0; n > 0; n--)
        w = w << 8 | (uint8_t)s[n - 1];
    h = (h ^ w) * k;
    h ^= h >> 29;
    h *= 0xBF58476D1CE4E5B9u;
    return h ^ h >> 32;
}

/* ---- Special tokens ------------------------------------------------------------------------ */

typedef struct sz_specials {
    uint32_t *ids; /* sorted by text */
    uint32_t n;
    uint32_t first[257]; /* ids[first[b] .. first[b+1]) begin with byte b */
} sz_specials;

void sz_specials_free(sz_specials *s);
/* The longest token that text[0..n) begins with and its bytes; -1 if there is none. */
int32_t sz_specials_match(const sz_specials *s, const sz_vocab *v, const char *text, size_t n,
                          size_t *length);

/* ---- The kinds ------------------------------------------------------------------------------- */

typedef struct sz_merge {
    uint32_t left, right, id; /* id: what they become */
} sz_merge;

typedef struct sz_bpe {
    sz_merge *merges; /* by rank */
    sz_slot *slots;   /* open addressing over (left, right) */
    uint32_t mask;
    sz_pretokenizer *pre;
} sz_bpe;

typedef struct sz_spm {
    bool add_prefix;        /* a space before the text and after special tokens */
    bool keeps_mark;        /* U+2581 in a text can be told from a space: it goes by bytes */
    bool before_space[256]; /* bytes that come before a space inside some token */
} sz_spm;

typedef struct sz_wordpiece {
    bool lowercase; /* and strip accents */
    sz_pattern *dropped, *word;
} sz_wordpiece;

struct sz_tokenizer {
    sz_tokenizer_kind kind;
    sz_vocab vocab;
    int32_t byte_id[256];       /* -1: this byte has no token */
    int32_t bos, eos, eot, unk; /* -1: none */
    bool add_bos, add_eos;
    sz_specials user; /* always cut out of a text */
    sz_specials all;  /* user-defined, control and unknown */
    sz_bpe bpe;
    sz_spm spm;
    sz_wordpiece wordpiece;
};

/* All tokens whose type is in the set `types` (bit 1 << type). */
sz_status sz_specials_new(const sz_tokenizer *t, unsigned types, sz_specials *s);
sz_status sz_bpe_load(const sz_gguf *g, sz_tokenizer *t);
sz_status sz_spm_load(const sz_gguf *g, sz_tokenizer *t);
sz_status sz_wordpiece_load(const sz_gguf *g, sz_tokenizer *t);
void sz_bpe_free(sz_bpe *b);
void sz_wordpiece_free(sz_wordpiece *w);

/* Reads a key that may be absent; *out keeps its value then. */
sz_status sz_tokenizer_optional_bool(const sz_gguf *g, const char *key, bool *out);

/* ---- One call of encode ---------------------------------------------------------------------- */

typedef struct sz_symbol { /* a piece of a word while its pairs are joined */
    uint32_t at, n;        /* its bytes in the word; n == 0: joined to the one before */
    int32_t prev, next;    /* -1: none */
    int32_t id;            /* -1: not (known to be) a token */
    uint32_t rank;         /* of the pair with the next symbol, lower first; UINT32_MAX: none */
    int32_t pair;          /* the token that the pair becomes */
} sz_symbol;

typedef struct sz_word_slot { /* a word met before in this text */
    uint32_t tag;
    uint32_t at;       /* in the text */
    uint32_t ids;      /* its tokens in the ids so far */
    uint16_t n, n_ids; /* n == 0: empty */
} sz_word_slot;

typedef struct sz_encoder {
    const sz_tokenizer *t;
    const char *text; /* the whole text: words are remembered by their place in it */
    int32_t *ids;
    size_t n_ids, cap_ids;
    sz_word_slot *words;
    uint32_t word_mask;
    sz_symbol *symbols;
    uint64_t *heap;
    size_t cap_symbols; /* of symbols; heap has room for twice as many */
    char *scratch;
    size_t cap_scratch;
    sz_matcher *matcher;
} sz_encoder;

sz_status sz_encoder_open(sz_encoder *e, const sz_tokenizer *t, const char *text, size_t n);
void sz_encoder_close(sz_encoder *e); /* frees ids too, unless they were taken */
sz_status sz_encoder_push(sz_encoder *e, int32_t id);
sz_status sz_encoder_push_byte(sz_encoder *e, uint8_t byte);
sz_status sz_encoder_need_symbols(sz_encoder *e, size_t n);
sz_status sz_encoder_need_scratch(sz_encoder *e, size_t n);
/* Encodes a word that lies in e->text by fn, or by copying the ids of the same word met before. */
sz_status sz_encoder_word(sz_encoder *e, const char *word, size_t n,
                          sz_status (*fn)(sz_encoder *e, const char *word, size_t n));

/* Rank and product of a pair of neighbours; false if they do not join. */
typedef bool (*sz_pair_fn)(const sz_encoder *e, const char *word, const sz_symbol *left,
                           const sz_symbol *right, uint32_t *rank, int32_t *id);
/* Joins e->symbols[0..n), a linked list over `word`, until no pair joins: always the pair of lowest
 * rank, the first one among equals. O(n log n). */
void sz_merge_symbols(sz_encoder *e, const char *word, size_t n, sz_pair_fn pair);

/* Text between special tokens. `first`: at the start of the text or after a special token. */
sz_status sz_bpe_encode(sz_encoder *e, const char *s, size_t n);
sz_status sz_spm_encode(sz_encoder *e, const char *s, size_t n);
sz_status sz_wordpiece_encode(sz_encoder *e, const char *s, size_t n);

#endif
