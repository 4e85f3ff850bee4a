/* fuzz_tokenizer.c: bytes that begin as a GGUF file are a vocabulary, which then encodes a few
 * texts; in any others the first byte chooses a small vocabulary and how to parse, and the rest is
 * a text that must come back from its ids. */
#include <stdlib.h>

#include "../tests/tiny_vocab.h"

#define MARK       "\xE2\x96\x81"
#define BYTE_SPACE "\xC4\xA0" /* as byte-level BPE spells a space */

static void need(bool what) {
    if (!what)
        abort();
}

/* ---- Vocabularies ---------------------------------------------------------------------------- */

enum { N_BPE = 12, N_ALL = N_BPE + 3 }; /* then SPM without and with a prefix, WordPiece */

static const char *const pre_names[N_BPE] = {
    "default", "gpt-2",  "smollm", "llama-bpe",    "qwen2",          "qwen35",
    "tekken",  "gpt-4o", "falcon", "deepseek-llm", "deepseek-coder", "deepseek-v3"};

static sz_tokenizer *tokenizers[N_ALL];

static void put_bpe(tiny_vocab *v, const char *pre) {
    static const char *const merges[] = {"a a",
                                         "aa aa",
                                         "a b",
                                         "b a",
                                         "ab a",
                                         "\xC4\xA0 a",
                                         "\xC4\xA0 \xC4\xA0",
                                         "1 2",
                                         "\xC3\xA3 \xC4\xA3",
                                         BYTE_SPACE "a aa"};
    tiny_begin_bpe(v, pre);
    for (size_t i = 0; i < sizeof merges / sizeof *merges; i++)
        tiny_merge(v, merges[i]);
    tiny_token(v, "baba", TINY_NORMAL, 0);
    int32_t bos = tiny_token(v, "<s>", TINY_CONTROL, 0);
    tiny_token(v, "<x>", TINY_USER, 0);
    tiny_token(v, "<x", TINY_USER, 0);
    tiny_int(&v->g, "tokenizer.ggml.bos_token_id", bos);
}

static void put_spm(tiny_vocab *v, bool prefix) {
    static const char *const pieces[] = {
        MARK,     MARK MARK, "a",          "b",        "ab",           "aab",
        MARK "a", "a" MARK,  "b" MARK "a", "\xC3\xA9", "\xE4\xB8\xAD", MARK "ab"};
    tiny_begin_spm(v);
    tiny_bool(&v->g, "tokenizer.ggml.add_space_prefix", prefix);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        tiny_token(v, pieces[i], TINY_NORMAL, (float)(i * 7 % 5) - 2);
    tiny_token(v, "<x>", TINY_USER, 0);
    tiny_token(v, "   ", TINY_USER, 0);
    tiny_token(v, MARK MARK MARK MARK, TINY_USER, 1);
}

static void put_wordpiece(tiny_vocab *v) {
    static const char *const pieces[] = {MARK "a", "a",  "b",        MARK "ab",
                                         MARK ".", MARK, "\xC3\xB8", MARK "\xE4\xB8\xAD"};
    tiny_begin_wordpiece(v);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        tiny_token(v, pieces[i], TINY_NORMAL, 0);
}

static void make_tokenizers(void) {
    static tiny_vocab v;
    for (int i = 0; i < N_ALL; i++) {
        if (i < N_BPE)
            put_bpe(&v, pre_names[i]);
        else if (i < N_BPE + 2)
            put_spm(&v, i == N_BPE + 1);
        else
            put_wordpiece(&v);
        need(tiny_open_vocab(&v, &tokenizers[i]) == SZ_OK);
    }
}

/* ---- Texts ----------------------------------------------------------------------------------- */

/* Encodes; every id must be one of the vocabulary, and the text must come back if `exact`. */
static void there_and_back(const sz_tokenizer *t, const char *text, size_t n, unsigned flags,
                           bool exact) {
    int32_t *ids = NULL;
    size_t n_ids = 0;
    sz_buf back = {0};
    need(sz_tokenizer_encode(t, text, n, flags, &ids, &n_ids) == SZ_OK);
    for (size_t i = 0; i < n_ids; i++)
        need(ids[i] >= 0 && (uint32_t)ids[i] < sz_tokenizer_n_vocab(t));
    need(sz_tokenizer_decode(t, ids, n_ids, true, true, &back) == SZ_OK);
    need(!exact || (back.len == n && (n == 0 || memcmp(back.data, text, n) == 0)));
    sz_buf_free(&back);
    sz_free(ids);
}

static void run_text(const uint8_t *data, size_t size) {
    const char *text = (const char *)data + 1;
    unsigned kind = data[0] & 31, flags = data[0] & 32 ? SZ_TOKENIZE_CONTROL : 0;
    if (kind >= N_ALL)
        return;
    there_and_back(tokenizers[kind], text, size - 1, flags, kind < N_BPE + 2);
    there_and_back(tokenizers[kind], text, size - 1, flags | SZ_TOKENIZE_BOS, false);
}

static void run_vocabulary(const uint8_t *data, size_t size) {
    static const char *const texts[] = {"", "a", " a  b\n<s>c",
                                        "\xE4\xB8\xAD\xFF" MARK "1.5 don't"};
    sz_gguf *g = NULL;
    sz_tokenizer *t = NULL;
    if (sz_gguf_parse(data, size, "fuzz", &g) != SZ_OK)
        return;
    if (sz_tokenizer_from_gguf(g, &t) == SZ_OK) {
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            for (unsigned flags = 0; flags < 4; flags++)
                there_and_back(t, texts[i], strlen(texts[i]), flags, false);
        for (int32_t id = -1; id <= (int32_t)sz_tokenizer_n_vocab(t); id++) {
            size_t n;
            const char *piece = sz_tokenizer_piece(t, id, &n);
            need(!piece == (id < 0 || id == (int32_t)sz_tokenizer_n_vocab(t)));
            if (piece && n > 0)
                sz_tokenizer_find(t, piece, n);
        }
    } else {
        need(t == NULL && strncmp(sz_last_error(), "fuzz: ", 6) == 0);
    }
    sz_tokenizer_free(t);
    sz_gguf_close(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!tokenizers[0])
        make_tokenizers();
    if (size >= 4 && memcmp(data, "GGUF", 4) == 0)
        run_vocabulary(data, size);
    else if (size > 0)
        run_text(data, size);
    return 0;
}
