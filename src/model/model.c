/* model.c: opening a model file: hyperparameters, tokenizer, template, then the weights. */
#include "learn.h"

#include <string.h>

/* ---- Opening --------------------------------------------------------------------------------- */

enum { LONGEST_NAME = 256 };

/* A string of the file for people to read: cut short, and without what a terminal would obey. */
static const char *keep_string(sz_model *m, const char *key) {
    sz_str s = {"", 0};
    if (sz_gguf_find(m->gguf, key))
        sz_gguf_get_str(m->gguf, key, &s);
    size_t n = sz_utf8_complete(s.s, s.n < LONGEST_NAME ? s.n : LONGEST_NAME);
    char *copy = sz_arena_alloc_small(m->arena, n + 1);
    if (!copy)
        return "";
    for (size_t i = 0; i < n; i++)
        copy[i] = (unsigned char)s.s[i] < ' ' || s.s[i] == 0x7f ? '?' : s.s[i];
    copy[n] = 0;
    return copy;
}

static sz_status load_template(sz_model *m) {
    sz_str source;
    if (!sz_gguf_find(m->gguf, "tokenizer.chat_template"))
        return SZ_OK;
    SZ_TRY(sz_gguf_get_str(m->gguf, "tokenizer.chat_template", &source));
    sz_status status = sz_template_parse(source.s, source.n, &m->chat_template);
    if (status != SZ_OK) /* the model is usable without it; rendering reports the reason */
        sz_runtime_log(m->rt, SZ_LOG_WARN, "%s: tokenizer.chat_template: %s", sz_gguf_name(m->gguf),
                       sz_last_error());
    return SZ_OK;
}

static sz_status find_architecture(sz_model *m) {
    sz_str found;
    SZ_TRY(sz_gguf_get_str(m->gguf, "general.architecture", &found));
    const char *type = keep_string(m, "general.type");
    SZ_REQUIRE(!*type || strcmp(type, "model") == 0, SZ_E_UNSUPPORTED,
               "%s: general.type is '%s': the file holds no model of its own",
               sz_gguf_name(m->gguf), type);
    const char *name = keep_string(m, "general.architecture");
    m->architecture = sz_architecture_find(name);
    SZ_REQUIRE(m->architecture, SZ_E_UNSUPPORTED,
               "%s: general.architecture '%s' is not one that this build runs (%s)",
               sz_gguf_name(m->gguf), name, sz_architecture_names());
    return SZ_OK;
}

static sz_status read_hparams(sz_model *m) {
    SZ_TRY(sz_hparams_read(m->gguf, m->architecture, &m->h));
    uint32_t n = sz_tokenizer_n_vocab(m->tokenizer);
    SZ_REQUIRE(n <= m->h.n_vocab, SZ_E_FORMAT,
               "%s: the tokenizer has %u tokens, token_embd.weight %u rows", sz_gguf_name(m->gguf),
               n, m->h.n_vocab);
    return sz_model_make_rope(m);
}

/* A tokenizer is of use without a model that this build runs, or without any; hyperparameters that
 * are wrong tell of a broken file all the same. */
static sz_status if_broken(sz_status status) {
    return status == SZ_E_UNSUPPORTED || status == SZ_E_NOTFOUND ? SZ_OK : status;
}

static sz_status open_vocabulary(sz_model *m) {
    SZ_TRY(if_broken(find_architecture(m)));
    SZ_TRY(sz_tokenizer_from_gguf(m->gguf, &m->tokenizer));
    SZ_TRY(load_template(m));
    if (m->architecture && sz_gguf_n_tensors(m->gguf) > 0)
        SZ_TRY(if_broken(read_hparams(m)));
    m->h.n_vocab = sz_tokenizer_n_vocab(m->tokenizer);
    return SZ_OK;
}

static sz_status open_parts(sz_model *m, const char *path, bool vocab_only) {
    SZ_TRY(sz_arena_new(1 << 16, &m->arena));
    SZ_TRY(sz_gguf_open(path, &m->gguf));
    m->name = keep_string(m, "general.name");
    m->file_type = sz_gguf_file_type(m->gguf);
    if (vocab_only)
        return open_vocabulary(m);
    SZ_TRY(find_architecture(m));
    SZ_TRY(sz_tokenizer_from_gguf(m->gguf, &m->tokenizer));
    SZ_TRY(load_template(m));
    SZ_TRY(read_hparams(m));
    return sz_model_load_weights(m);
}

static sz_status open_model(sz_runtime *rt, const char *path, bool vocab_only, bool learns,
                            sz_model **out) {
    sz_model *m = sz_calloc(1, sizeof *m);
    SZ_REQUIRE(m, SZ_E_NOMEM, "no memory for a model");
    m->rt = rt;
    m->learns = learns;
    sz_status status = open_parts(m, path, vocab_only);
    if (status != SZ_OK) {
        sz_model_close(m);
        return status;
    }
    *out = m;
    return SZ_OK;
}

sz_status sz_model_open(sz_runtime *rt, const char *path, const sz_model_config *config,
                        sz_model **out) {
    return open_model(rt, path, config && config->vocab_only, false, out);
}

sz_status sz_model_open_learning(sz_runtime *rt, const char *path, sz_model **out) {
    return open_model(rt, path, false, true, out);
}

void sz_model_close(sz_model *m) {
    if (!m)
        return;
    sz_model_free_weights(m);
    sz_template_free(m->chat_template);
    sz_tokenizer_free(m->tokenizer);
    sz_gguf_close(m->gguf);
    sz_arena_free(m->arena);
    sz_free(m);
}

const sz_gguf *sz_model_gguf(const sz_model *m) {
    return m->gguf;
}
const sz_tokenizer *sz_model_tokenizer(const sz_model *m) {
    return m->tokenizer;
}
const sz_template *sz_model_template(const sz_model *m) {
    return m->chat_template;
}

void sz_model_get_info(const sz_model *m, sz_model_info *out) {
    const sz_hparams *h = &m->h;
    *out = (sz_model_info){
        .architecture = m->architecture ? m->architecture->name : "",
        .name = m->name,
        .file_type = m->file_type,
        .file_bytes = sz_gguf_file_bytes(m->gguf),
        .weight_bytes = m->weight_bytes,
        .panel_bytes = m->panel_bytes,
        .n_params = m->n_params,
        .n_layer = h->n_layer,
        .n_embd = h->n_embd,
        .n_head = h->n_head,
        .n_head_kv = h->n_head_kv,
        .n_ff = h->n_ff,
        .n_vocab = h->n_vocab,
        .n_ctx_train = h->n_ctx_train,
        .bos = sz_tokenizer_bos(m->tokenizer),
        .eos = sz_tokenizer_eos(m->tokenizer),
        .eot = sz_tokenizer_eot(m->tokenizer),
        .add_bos = sz_tokenizer_add_bos(m->tokenizer),
    };
}
