/* tokenizer.c: creation from a file's metadata, and text to ids and back for every kind. */
#include "base/utf8.h"
#include "model/name_table.h"
#include "model/tokenizer_parts.h"

enum { MAX_TEXT = 1 << 30 };

sz_status sz_tokenizer_optional_bool(const sz_gguf *g, const char *key, bool *out) {
    return sz_gguf_find(g, key) ? sz_gguf_get_bool(g, key, out) : SZ_OK;
}

/* ---- Creation -------------------------------------------------------------------------------- */

static sz_status read_kind(const sz_gguf *g, sz_tokenizer_kind *kind) {
    static const char *const names[] = {"gpt2", "llama", "bert"};
    sz_str model;
    SZ_TRY(sz_gguf_get_str(g, "tokenizer.ggml.model", &model));
    for (int i = 0; i < 3; i++) {
        if (model.n == strlen(names[i]) && memcmp(model.s, names[i], model.n) == 0) {
            *kind = (sz_tokenizer_kind)i;
            return SZ_OK;
        }
    }
    char shown[80];
    return sz_fail(SZ_E_UNSUPPORTED,
                   "%s: tokenizer.ggml.model is \"%s\"; gpt2, llama and bert are supported",
                   sz_gguf_name(g), sz_show_text(model.s, model.n, shown));
}

/* A special token's id; *out keeps its value where the key is absent. Writers that have no such
 * token put -1, signed or unsigned. */
static sz_status read_id(const sz_gguf *g, const sz_vocab *v, const char *key, int32_t *out) {
    if (!sz_gguf_find(g, key))
        return SZ_OK;
    int64_t id;
    SZ_TRY(sz_gguf_get_i64(g, key, &id));
    if (id == UINT32_MAX)
        id = -1;
    SZ_REQUIRE(id >= -1 && id < v->n, SZ_E_FORMAT, "%s: %s is %lld, but there are %u tokens",
               sz_gguf_name(g), key, (long long)id, v->n);
    *out = (int32_t)id;
    return SZ_OK;
}

static int32_t if_in_range(const sz_vocab *v, int32_t id) {
    return id < (int64_t)v->n ? id : -1;
}

static void default_ids(sz_tokenizer *t) {
    t->bos = t->eos = t->eot = t->unk = -1;
    if (t->kind == SZ_KIND_SPM) {
        t->unk = if_in_range(&t->vocab, 0);
        t->bos = if_in_range(&t->vocab, 1);
        t->eos = if_in_range(&t->vocab, 2);
    } else if (t->kind == SZ_KIND_WORDPIECE) {
        t->unk = if_in_range(&t->vocab, 100);
        t->bos = if_in_range(&t->vocab, 101);
        t->eos = if_in_range(&t->vocab, 102);
    }
}

static sz_status read_ids(const sz_gguf *g, sz_tokenizer *t) {
    const sz_vocab *v = &t->vocab;
    default_ids(t);
    SZ_TRY(read_id(g, v, "tokenizer.ggml.unknown_token_id", &t->unk));
    SZ_TRY(read_id(g, v, "tokenizer.ggml.bos_token_id", &t->bos));
    SZ_TRY(read_id(g, v, "tokenizer.ggml.eos_token_id", &t->eos));
    if (t->kind == SZ_KIND_WORDPIECE) {
        SZ_TRY(read_id(g, v, "tokenizer.ggml.cls_token_id", &t->bos));
        SZ_TRY(read_id(g, v, "tokenizer.ggml.seperator_token_id", &t->eos));
    }
    return read_id(g, v, "tokenizer.ggml.eot_token_id", &t->eot);
}

static int32_t find_name(const sz_vocab *v, const char *name) {
    return sz_vocab_find(v, name, strlen(name));
}

static void mark_end(sz_vocab *v, int32_t id) {
    if (id >= 0)
        v->end[id] = true;
}

/* Tokens that end a turn or a text under one of their usual names. Some files type them as plain
 * text; they are control tokens all the same. */
static void mark_known_ends(sz_vocab *v) {
    static const char *const names[] = {
        "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>",
        "<|eom_id|>", "<|return|>", "<|call|>", "<|calls|>", "<|flush|>", "</s>", "<eos>", "<EOT>",
        "_<EOT>", "[EOT]", "[EOS]", "<end_of_utterance>", "<turn|>", "<|tool_response>", "[e~[",
        "<｜end▁of▁sentence｜>",
        /* between files and at the end of an insertion, for models of code */
        "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]", "<|fim_repo|>", "<|repo_name|>",
        "<fim-repo>", "<REPO>", "<reponame>", "<|file_sep|>"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int32_t id = find_name(v, names[i]);
        if (id < 0)
            continue;
        v->end[id] = true;
        v->type[id] = SZ_TOKEN_CONTROL;
    }
}

/* Families that reuse a name of the list for something else: in gpt-oss and Solar <|end|> closes a
 * message and not the turn, in Gemma 4 </s> is a tag. */
static void unmark_reused_ends(sz_vocab *v) {
    int32_t end = find_name(v, "<|end|>"), tag = find_name(v, "</s>");
    bool calls = find_name(v, "<|call|>") >= 0 || find_name(v, "<|calls|>") >= 0;
    if (end >= 0 && calls && (find_name(v, "<|return|>") >= 0 || find_name(v, "<|flush|>") >= 0)) {
        v->end[end] = false;
        v->type[end] = SZ_TOKEN_USER;
    }
    if (tag >= 0 && find_name(v, "<|tool_response>") >= 0) {
        v->end[tag] = false;
        v->type[tag] = SZ_TOKEN_NORMAL;
    }
}

static int32_t find_eot(const sz_vocab *v) {
    static const char *const names[] = {"<|eot_id|>",
                                        "<|im_end|>",
                                        "<end_of_turn>",
                                        "<|end|>",
                                        "<EOT>",
                                        "_<EOT>",
                                        "[EOT]",
                                        "<end_of_utterance>",
                                        "<|end_of_text|>",
                                        "<|endoftext|>",
                                        "<｜end▁of▁sentence｜>"};
    int32_t id = -1;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && id < 0; i++)
        id = find_name(v, names[i]);
    return id;
}

static sz_status find_ends(const sz_gguf *g, sz_tokenizer *t) {
    sz_vocab *v = &t->vocab;
    int32_t eom = -1;
    SZ_TRY(read_id(g, v, "tokenizer.ggml.eom_token_id", &eom));
    if (t->eot < 0)
        t->eot = find_eot(v);
    mark_known_ends(v);
    unmark_reused_ends(v);
    mark_end(v, t->eos);
    mark_end(v, t->eot);
    mark_end(v, eom);
    return SZ_OK;
}

static sz_status read_added(const sz_gguf *g, sz_tokenizer *t) {
    SZ_TRY(sz_tokenizer_optional_bool(g, "tokenizer.ggml.add_bos_token", &t->add_bos));
    SZ_TRY(sz_tokenizer_optional_bool(g, "tokenizer.ggml.add_eos_token", &t->add_eos));
    SZ_REQUIRE(!t->add_bos || t->bos >= 0, SZ_E_FORMAT,
               "%s: begin-of-text is to be added, but tokenizer.ggml.bos_token_id names none",
               sz_gguf_name(g));
    SZ_REQUIRE(!t->add_eos || t->eos >= 0, SZ_E_FORMAT,
               "%s: tokenizer.ggml.add_eos_token is true, but tokenizer.ggml.eos_token_id names "
               "none",
               sz_gguf_name(g));
    return SZ_OK;
}

static sz_status load(const sz_gguf *g, sz_tokenizer *t) {
    SZ_TRY(read_kind(g, &t->kind));
    SZ_TRY(sz_vocab_load(g, t->kind, &t->vocab));
    SZ_TRY(read_ids(g, t));
    SZ_TRY(find_ends(g, t));
    switch (t->kind) {
    case SZ_KIND_BPE:
        SZ_TRY(sz_bpe_load(g, t));
        break;
    case SZ_KIND_SPM:
        SZ_TRY(sz_spm_load(g, t));
        break;
    case SZ_KIND_WORDPIECE:
        SZ_TRY(sz_wordpiece_load(g, t));
        break;
    }
    SZ_TRY(read_added(g, t));
    const unsigned user = 1u << SZ_TOKEN_USER;
    SZ_TRY(sz_specials_new(t, user, &t->user));
    return sz_specials_new(t, user | 1u << SZ_TOKEN_CONTROL | 1u << SZ_TOKEN_UNKNOWN, &t->all);
}

sz_status sz_tokenizer_from_gguf(const sz_gguf *g, sz_tokenizer **out) {
    SZ_REQUIRE(g && out, SZ_E_ARG, "sz_tokenizer_from_gguf: g and out must not be NULL");
    sz_tokenizer *t = sz_calloc(1, sizeof *t);
    SZ_REQUIRE(t, SZ_E_NOMEM, "out of memory for a tokenizer");
    sz_status status = load(g, t);
    if (status != SZ_OK) {
        sz_tokenizer_free(t);
        return status;
    }
    *out = t;
    return SZ_OK;
}

void sz_tokenizer_free(sz_tokenizer *t) {
    if (!t)
        return;
    sz_vocab_free(&t->vocab);
    sz_specials_free(&t->user);
    sz_specials_free(&t->all);
    sz_bpe_free(&t->bpe);
    sz_wordpiece_free(&t->wordpiece);
    sz_free(t);
}

/* ---- Text to ids ----------------------------------------------------------------------------- */

static sz_status encode_plain(sz_encoder *e, const char *s, size_t n) {
    if (n == 0)
        return SZ_OK;
    switch (e->t->kind) {
    case SZ_KIND_SPM:
        return sz_spm_encode(e, s, n);
    case SZ_KIND_WORDPIECE:
        return sz_wordpiece_encode(e, s, n);
    default:
        return sz_bpe_encode(e, s, n);
    }
}

static sz_status encode_text(sz_encoder *e, const char *s, size_t n, bool control) {
    const sz_specials *specials = control ? &e->t->all : &e->t->user;
    size_t done = 0;
    for (size_t at = 0; at < n && specials->n > 0;) {
        uint8_t byte = (uint8_t)s[at];
        size_t length = 0;
        int32_t id = -1;
        if (specials->first[byte] < specials->first[byte + 1])
            id = sz_specials_match(specials, &e->t->vocab, s + at, n - at, &length);
        if (id < 0) {
            at++;
            continue;
        }
        SZ_TRY(encode_plain(e, s + done, at - done));
        SZ_TRY(sz_encoder_push(e, id));
        done = at += length;
    }
    return encode_plain(e, s + done, n - done);
}

static sz_status encode(sz_encoder *e, const char *text, size_t n, unsigned flags) {
    const sz_tokenizer *t = e->t;
    bool added = flags & SZ_TOKENIZE_BOS;
    if (added && t->add_bos)
        SZ_TRY(sz_encoder_push(e, t->bos));
    SZ_TRY(encode_text(e, text, n, flags & SZ_TOKENIZE_CONTROL));
    return added && t->add_eos ? sz_encoder_push(e, t->eos) : SZ_OK;
}

sz_status sz_tokenizer_encode(const sz_tokenizer *t, const char *text, size_t n_text,
                              unsigned flags, int32_t **ids, size_t *n_ids) {
    SZ_REQUIRE(t && (text || n_text == 0) && ids && n_ids, SZ_E_ARG,
               "sz_tokenizer_encode: a NULL argument");
    SZ_REQUIRE(n_text <= MAX_TEXT, SZ_E_LIMIT,
               "the text has %zu bytes; at most %d can be tokenised at once", n_text, MAX_TEXT);
    sz_encoder e;
    text = text ? text : "";
    sz_status status = sz_encoder_open(&e, t, text, n_text);
    if (status == SZ_OK)
        status = encode(&e, text, n_text, flags);
    if (status == SZ_OK) {
        *ids = e.ids;
        *n_ids = e.n_ids;
        e.ids = NULL;
    }
    sz_encoder_close(&e);
    return status;
}

/* ---- Ids to text ----------------------------------------------------------------------------- */

static bool is_hidden(uint8_t type) {
    return type == SZ_TOKEN_CONTROL || type == SZ_TOKEN_UNKNOWN || type == SZ_TOKEN_UNUSED;
}

/* Encoding puts a space before the text and after each special token; decoding takes it away. */
sz_status sz_tokenizer_decode(const sz_tokenizer *t, const int32_t *ids, size_t n_ids, bool control,
                              bool start, sz_buf *out) {
    SZ_REQUIRE(t && (ids || n_ids == 0) && out, SZ_E_ARG, "sz_tokenizer_decode: a NULL argument");
    bool prefixed = t->kind == SZ_KIND_WORDPIECE || (t->kind == SZ_KIND_SPM && t->spm.add_prefix);
    bool expect_space = prefixed && start;
    for (size_t i = 0; i < n_ids; i++) {
        SZ_REQUIRE(ids[i] >= 0 && (uint32_t)ids[i] < t->vocab.n, SZ_E_ARG,
                   "id %d at position %zu is not below the vocabulary size %u", ids[i], i,
                   t->vocab.n);
        uint8_t type = t->vocab.type[ids[i]];
        sz_str piece = sz_vocab_piece(&t->vocab, (uint32_t)ids[i]);
        bool special = is_hidden(type) || type == SZ_TOKEN_USER;
        bool strip = expect_space && !special && piece.n > 0 && *piece.s == ' ';
        if (control || !is_hidden(type))
            sz_buf_append(out, piece.s + strip, piece.n - strip);
        expect_space = prefixed && special;
    }
    SZ_REQUIRE(!out->failed, SZ_E_NOMEM, "out of memory for the text of %zu tokens", n_ids);
    return SZ_OK;
}

/* ---- Questions ------------------------------------------------------------------------------- */

static bool in_range(const sz_tokenizer *t, int32_t id) {
    return id >= 0 && (uint32_t)id < t->vocab.n;
}

uint32_t sz_tokenizer_n_vocab(const sz_tokenizer *t) {
    return t->vocab.n;
}

const char *sz_tokenizer_piece(const sz_tokenizer *t, int32_t id, size_t *n) {
    if (!in_range(t, id))
        return NULL;
    sz_str piece = sz_vocab_piece(&t->vocab, (uint32_t)id);
    if (n)
        *n = piece.n;
    return piece.s;
}

bool sz_tokenizer_is_control(const sz_tokenizer *t, int32_t id) {
    return in_range(t, id) &&
           (t->vocab.type[id] == SZ_TOKEN_CONTROL || t->vocab.type[id] == SZ_TOKEN_UNKNOWN);
}

bool sz_tokenizer_is_end(const sz_tokenizer *t, int32_t id) {
    return in_range(t, id) && t->vocab.end[id];
}

int32_t sz_tokenizer_bos(const sz_tokenizer *t) {
    return t->bos;
}
int32_t sz_tokenizer_eos(const sz_tokenizer *t) {
    return t->eos;
}
int32_t sz_tokenizer_eot(const sz_tokenizer *t) {
    return t->eot;
}
bool sz_tokenizer_add_bos(const sz_tokenizer *t) {
    return t->add_bos;
}

/* The piece as the file would spell it, if it differs. */
static void spell(const sz_tokenizer *t, const char *piece, size_t n, sz_buf *out) {
    for (size_t i = 0; i < n; i++) {
        char text[4];
        if (t->kind == SZ_KIND_BPE)
            sz_buf_append(out, text,
                          (size_t)sz_utf8_encode(sz_byte_to_char((uint8_t)piece[i]), text));
        else if (piece[i] == ' ')
            sz_buf_puts(out, SZ_SPACE_MARK);
        else
            sz_buf_putc(out, piece[i]);
    }
}

int32_t sz_tokenizer_find(const sz_tokenizer *t, const char *piece, size_t n) {
    sz_buf text = {0};
    spell(t, piece, n, &text);
    int32_t id = text.failed ? -1 : sz_vocab_find(&t->vocab, text.data, text.len);
    sz_buf_free(&text);
    if (id < 0)
        id = sz_vocab_find(&t->vocab, piece, n);
    if (id < 0 && n == 1)
        id = t->byte_id[(uint8_t)*piece];
    return id;
}
