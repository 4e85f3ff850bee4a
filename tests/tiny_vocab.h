/* tiny_vocab.h: vocabularies of a few tokens, for tests and fuzz targets. Begin with one of the
 * kinds, add tokens and keys (tiny_gguf.h, on v->g), then open. */
#ifndef SZ_TESTS_TINY_VOCAB_H
#define SZ_TESTS_TINY_VOCAB_H

#include "tiny_gguf.h"

#include <stdio.h>
#include <szilard/unstable/tokenizer.h>

enum { TINY_NORMAL = 1, TINY_UNKNOWN, TINY_CONTROL, TINY_USER, TINY_UNUSED, TINY_BYTE };
enum { TINY_MOST_TOKENS = 2048, TINY_TEXT_BYTES = 1 << 16 };

typedef struct tiny_vocab {
    tiny_gguf g;
    const char *token[TINY_MOST_TOKENS], *merge[TINY_MOST_TOKENS];
    int32_t type[TINY_MOST_TOKENS];
    float score[TINY_MOST_TOKENS];
    size_t n, n_merges;
    char text[TINY_TEXT_BYTES]; /* of tokens made here */
    size_t n_text;
} tiny_vocab;

/* Adds a token whose text stays valid; returns its id. */
static inline int32_t tiny_token(tiny_vocab *v, const char *text, int32_t type, float score) {
    v->token[v->n] = text;
    v->type[v->n] = type;
    v->score[v->n] = score;
    return (int32_t)v->n++;
}

static inline char *tiny_text(tiny_vocab *v, size_t n) {
    char *text = v->text + v->n_text;
    v->n_text += n;
    return text;
}

static inline void tiny_begin_vocab(tiny_vocab *v, const char *model) {
    memset(v, 0, sizeof *v);
    tiny_begin(&v->g);
    tiny_str(&v->g, "tokenizer.ggml.model", model);
}

/* Byte-level BPE: ids 0 to 255 are the bytes, spelled as GPT-2 does. */
static inline void tiny_begin_bpe(tiny_vocab *v, const char *pre) {
    tiny_begin_vocab(v, "gpt2");
    if (pre)
        tiny_str(&v->g, "tokenizer.ggml.pre", pre);
    unsigned hidden = 0;
    for (unsigned b = 0; b < 256; b++) {
        bool shown = (b > ' ' && b < 127) || (b > 160 && b != 173);
        unsigned c = shown ? b : 256 + hidden++;
        char *text = tiny_text(v, 3);
        snprintf(text, 3, c < 128 ? "%c" : "%c%c", (int)(c < 128 ? c : 0xC0 | c >> 6),
                 (int)(0x80 | (c & 63)));
        tiny_token(v, text, TINY_NORMAL, 0);
    }
}

/* "a b": joins a and b; their union is added as a token if it is none yet. */
static inline int32_t tiny_merge(tiny_vocab *v, const char *pair) {
    size_t n = strlen(pair), left = strcspn(pair, " ");
    char *text = tiny_text(v, n);
    memcpy(text, pair, left);
    memcpy(text + left, pair + left + 1, n - left); /* the NUL, too */
    v->merge[v->n_merges++] = pair;
    for (size_t i = 0; i < v->n; i++)
        if (strcmp(v->token[i], text) == 0)
            return (int32_t)i;
    return tiny_token(v, text, TINY_NORMAL, 0);
}

/* SPM: 0 unknown, 1 and 2 begin and end of text, then the bytes as <0x00> to <0xFF>. */
static inline void tiny_begin_spm(tiny_vocab *v) {
    tiny_begin_vocab(v, "llama");
    tiny_token(v, "<unk>", TINY_UNKNOWN, 0);
    tiny_token(v, "<s>", TINY_CONTROL, 0);
    tiny_token(v, "</s>", TINY_CONTROL, 0);
    for (int b = 0; b < 256; b++) {
        char *text = tiny_text(v, 7);
        snprintf(text, 7, "<0x%02X>", b);
        tiny_token(v, text, TINY_BYTE, 0);
    }
}

/* WordPiece: 0 unknown, 1 begin ([CLS]) and 2 end ([SEP]). */
static inline void tiny_begin_wordpiece(tiny_vocab *v) {
    tiny_begin_vocab(v, "bert");
    tiny_token(v, "[UNK]", TINY_UNKNOWN, 0);
    tiny_token(v, "[CLS]", TINY_CONTROL, 0);
    tiny_token(v, "[SEP]", TINY_CONTROL, 0);
    tiny_int(&v->g, "tokenizer.ggml.unknown_token_id", 0);
    tiny_int(&v->g, "tokenizer.ggml.cls_token_id", 1);
    tiny_int(&v->g, "tokenizer.ggml.seperator_token_id", 2); /* spelled so in all files */
}

/* Writes the arrays, so that nothing can be added any more. */
static inline void tiny_end_vocab(tiny_vocab *v) {
    tiny_strs(&v->g, "tokenizer.ggml.tokens", v->token, v->n);
    tiny_ints(&v->g, "tokenizer.ggml.token_type", v->type, v->n);
    tiny_floats(&v->g, "tokenizer.ggml.scores", v->score, v->n);
    if (v->n_merges > 0)
        tiny_strs(&v->g, "tokenizer.ggml.merges", v->merge, v->n_merges);
}

static inline sz_status tiny_open_vocab(tiny_vocab *v, sz_tokenizer **out) {
    sz_gguf *g;
    tiny_end_vocab(v);
    sz_status status = tiny_open(&v->g, &g);
    if (status == SZ_OK) {
        status = sz_tokenizer_from_gguf(g, out); /* copies what it needs */
        sz_gguf_close(g);
    }
    tiny_free(&v->g);
    return status;
}

#endif
