/* tokenizer_wordpiece.c: BERT's tokenizer: clean, fold case and accents, cut at spaces, punctuation
 * and Chinese characters, then take the longest token that each rest of a word begins with. */
#include "base/utf8.h"
#include "model/tokenizer_parts.h"
#include "model/unicode_fold.h"

enum { LONGEST_WORD = 100 }; /* characters; a longer one is unknown, as in BERT */

/* What is dropped: marks (after folding) and everything invisible but line ends. Code points that
 * stand for no character yet stay: a word with one is unknown. */
#define INVISIBLE "\\x{fffd}|(?![\\t\\n\\r])[\\p{Cc}\\p{Cf}\\p{Co}]"
#define SPACE     "\\s\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
#define CHINESE                                                                                    \
    "\\x{4e00}-\\x{9fff}\\x{3400}-\\x{4dbf}\\x{20000}-\\x{2a6df}\\x{2a700}-\\x{2b73f}"             \
    "\\x{2b740}-\\x{2b81f}\\x{2b920}-\\x{2ceaf}\\x{f900}-\\x{faff}\\x{2f800}-\\x{2fa1f}"
#define ALONE "\\p{P}$+<=>^`|~" CHINESE

sz_status sz_wordpiece_load(const sz_gguf *g, sz_tokenizer *t) {
    const char *lower = "tokenizer.ggml.normalizer.lowercase";
    const char *strip = "tokenizer.ggml.normalizer.strip_accents";
    sz_wordpiece *w = &t->wordpiece;
    w->lowercase = true;
    SZ_TRY(sz_tokenizer_optional_bool(g, lower, &w->lowercase));
    bool strips = w->lowercase;
    SZ_TRY(sz_tokenizer_optional_bool(g, strip, &strips));
    SZ_REQUIRE(strips == w->lowercase, SZ_E_UNSUPPORTED, "%s: %s and %s differ", sz_gguf_name(g),
               lower, strip);
    SZ_REQUIRE(t->unk >= 0, SZ_E_FORMAT,
               "%s: WordPiece needs tokenizer.ggml.unknown_token_id, which names no token",
               sz_gguf_name(g));
    SZ_TRY(sz_pattern_new(strips ? INVISIBLE "|\\p{Mn}" : INVISIBLE, &w->dropped));
    SZ_TRY(sz_pattern_new("[" ALONE "]|[^" SPACE ALONE "]+", &w->word));
    memset(t->byte_id, 0xFF, sizeof t->byte_id);
    t->add_bos = t->add_eos = true;
    return SZ_OK;
}

void sz_wordpiece_free(sz_wordpiece *w) {
    sz_pattern_free(w->dropped);
    sz_pattern_free(w->word);
}

static void fold(const char *s, size_t n, sz_buf *out) {
    for (size_t i = 0; i < n;) {
        uint32_t cp, parts[3];
        i += (size_t)sz_utf8_decode(s + i, n - i, &cp);
        int n_parts = sz_unicode_fold(cp, parts);
        for (int k = 0; k < n_parts; k++) {
            char bytes[4];
            int length = sz_utf8_encode(parts[k], bytes);
            sz_buf_append(out, bytes, (size_t)length);
        }
    }
}

/* Copies s without what `dropped` matches. */
static sz_status drop(const sz_pattern *dropped, sz_matcher *m, const char *s, size_t n,
                      sz_buf *out) {
    size_t done = 0, start, end;
    sz_status status;
    while ((status = sz_pattern_next(dropped, m, s, n, done, &start, &end)) == SZ_OK) {
        sz_buf_append(out, s + done, start - done);
        done = end;
    }
    sz_buf_append(out, s + done, n - done);
    return status == SZ_END ? SZ_OK : status;
}

/* Valid UTF-8 only: bytes that are not stand for no character and are dropped. */
static void keep_valid(const char *s, size_t n, sz_buf *out) {
    while (n > 0) {
        size_t valid = sz_utf8_valid(s, n);
        sz_buf_append(out, s, valid);
        valid += valid < n;
        s += valid;
        n -= valid;
    }
}

static sz_status normalise(sz_encoder *e, const char *s, size_t n, sz_buf *out) {
    const sz_wordpiece *w = &e->t->wordpiece;
    sz_buf valid = {0}, folded = {0};
    keep_valid(s, n, &valid);
    if (w->lowercase && !valid.failed)
        fold(valid.data, valid.len, &folded);
    const sz_buf *text = w->lowercase ? &folded : &valid;
    sz_status status = SZ_OK;
    if (valid.failed || folded.failed)
        status = sz_fail(SZ_E_NOMEM, "out of memory for a text of %zu bytes", n);
    else if (text->len > 0)
        status = drop(w->dropped, e->matcher, text->data, text->len, out);
    sz_buf_free(&valid);
    sz_buf_free(&folded);
    return status;
}

static size_t count_characters(const char *s, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((uint8_t)s[i] & 0xC0) != 0x80;
    return count;
}

/* The longest token of more than `least` bytes that s[0..n) begins with. */
static int32_t longest_match(const sz_vocab *v, const char *s, size_t n, size_t least,
                             size_t *length) {
    for (size_t l = n < v->longest ? n : v->longest; l > least; l--) {
        int32_t id = sz_vocab_find(v, s, l);
        if (id >= 0) {
            *length = l;
            return id;
        }
    }
    return -1;
}

/* A word begins with the mark of a space in the vocabulary, its rests do not; if one of them is no
 * token, the whole word is unknown. */
static sz_status encode_word(sz_encoder *e, const char *word, size_t n) {
    size_t before = e->n_ids, length = 0;
    if (count_characters(word, n) > LONGEST_WORD)
        return sz_encoder_push(e, e->t->unk);
    SZ_TRY(sz_encoder_need_scratch(e, n + 3));
    memcpy(e->scratch, SZ_SPACE_MARK, 3);
    memcpy(e->scratch + 3, word, n);
    for (size_t at = 0; at < n + 3; at += length) {
        const char *rest = e->scratch + at;
        bool marked = n + 3 - at >= 3 && memcmp(rest, SZ_SPACE_MARK, 3) == 0;
        int32_t id = -1;
        if (marked == (at == 0))
            id = longest_match(&e->t->vocab, rest, n + 3 - at, marked ? 3 : 0, &length);
        if (id < 0) {
            e->n_ids = before;
            return sz_encoder_push(e, e->t->unk);
        }
        SZ_TRY(sz_encoder_push(e, id));
    }
    return SZ_OK;
}

static sz_status encode_words(sz_encoder *e, const char *s, size_t n) {
    size_t done = 0, start, end;
    sz_status status;
    while ((status = sz_pattern_next(e->t->wordpiece.word, e->matcher, s, n, done, &start, &end)) ==
           SZ_OK) {
        SZ_TRY(encode_word(e, s + start, end - start));
        done = end;
    }
    return status == SZ_END ? SZ_OK : status;
}

sz_status sz_wordpiece_encode(sz_encoder *e, const char *s, size_t n) {
    sz_buf text = {0};
    sz_status status = normalise(e, s, n, &text);
    if (status == SZ_OK && text.failed)
        status = sz_fail(SZ_E_NOMEM, "out of memory for a text of %zu bytes", n);
    if (status == SZ_OK && text.len > 0)
        status = encode_words(e, text.data, text.len);
    sz_buf_free(&text);
    return status;
}
