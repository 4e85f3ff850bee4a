#include "tiny_model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct maker {
    tiny_model c; /* complete */
    sz_gguf_writer *w;
    sz_arena *arena;
    uint64_t n_made;  /* tensors so far: each has a random stream of its own */
    sz_status status; /* of the first tensor that failed */
} maker;

/* ---- Configuration --------------------------------------------------------------------------- */

static bool is_arch(const maker *m, const char *name) {
    return strcmp(m->c.arch, name) == 0;
}

static void complete(tiny_model *c) {
    bool gemma = c->arch && strcmp(c->arch, "gemma3") == 0;
    c->type_vocab = c->type_vocab ? c->type_vocab : c->type;
    c->type_down = c->type_down ? c->type_down : c->type;
    bool wide = sz_type_get(c->type)->block == 256 || sz_type_get(c->type_vocab)->block == 256 ||
                sz_type_get(c->type_down)->block == 256;
#define DEFAULT(field, value) c->field = c->field ? c->field : (value)
    DEFAULT(arch, "llama");
    DEFAULT(n_layer, gemma ? 7 : 2);
    DEFAULT(n_embd, wide ? 256 : 64);
    DEFAULT(n_head, 4);
    DEFAULT(n_head_kv, 2);
    DEFAULT(head_dim, c->n_embd / c->n_head);
    DEFAULT(n_ff, wide ? 512 : 96);
    DEFAULT(n_ctx, 256);
    DEFAULT(n_vocab, 293);
    DEFAULT(window, gemma ? 16 : 0);
    DEFAULT(rope_base, gemma ? 1e6f : 1e4f);
#undef DEFAULT
}

/* ---- Vocabulary ------------------------------------------------------------------------------ */

/* In order of rank: later ones build on earlier ones. */
static const char *const merges[][2] = {
    {" ", "t"}, {"h", "e"},   {" t", "he"},     {"i", "n"},  {"e", "r"},
    {"a", "n"}, {"r", "e"},   {"o", "n"},       {"a", "t"},  {"e", "n"},
    {" ", "a"}, {"an", "d"},  {" ", "s"},       {"in", "g"}, {"\n", "\n"},
    {"o", "r"}, {" ", "and"}, {"\xc3", "\xa9"}, {" ", " "},  {"  ", "  "},
};
static const char *const controls[] = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
enum {
    N_MERGES = sizeof merges / sizeof merges[0],
    N_CONTROLS = sizeof controls / sizeof controls[0],
    FIRST_CONTROL = 256 + N_MERGES,
    MOST_VOCAB = 1 << 20,
    NORMAL = 1, /* tokenizer.ggml.token_type */
    CONTROL = 3,
};

static const char chat_template[] =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + "
    "message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/* The character that stands for a byte in a byte-level vocabulary: itself where it is printable in
 * Latin-1, else the next one from U+0100 on. */
static uint32_t byte_character(uint8_t byte) {
    uint32_t hidden = 0;
    for (uint32_t b = 0; b <= byte; b++) {
        bool shown = (b > ' ' && b < 127) || (b > 160 && b != 173);
        if (b == byte && shown)
            return b;
        hidden += !shown;
    }
    return 255 + hidden;
}

static void append_visible(sz_buf *b, const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint32_t c = byte_character((uint8_t)bytes[i]);
        if (c >= 128)
            sz_buf_putc(b, (char)(0xc0 | c >> 6));
        sz_buf_putc(b, (char)(c >= 128 ? 0x80 | (c & 63) : c));
    }
}

/* The text in b, kept until the model is written; b is emptied. */
static sz_str keep(maker *m, sz_buf *b) {
    char *copy = sz_arena_alloc_small(m->arena, b->len + 1);
    if (!copy || b->failed) {
        m->status = sz_fail(SZ_E_NOMEM, "no memory for a vocabulary");
        return (sz_str){"", 0};
    }
    memcpy(copy, b->data, b->len);
    sz_str s = {copy, b->len};
    sz_buf_clear(b);
    return s;
}

static sz_str token_text(maker *m, uint32_t id, sz_buf *b) {
    char byte = (char)id;
    if (id < 256) {
        append_visible(b, &byte, 1);
    } else if (id < FIRST_CONTROL) {
        const char *const *pair = merges[id - 256];
        append_visible(b, pair[0], strlen(pair[0]));
        append_visible(b, pair[1], strlen(pair[1]));
    } else if (id - FIRST_CONTROL < N_CONTROLS && !m->c.no_end) {
        sz_buf_puts(b, controls[id - FIRST_CONTROL]);
    } else {
        sz_buf_printf(b, "<|reserved_%u|>", id);
    }
    return keep(m, b);
}

static void put_tokens(maker *m) {
    uint32_t n = m->c.n_vocab;
    sz_buf b = {0};
    sz_str *text = sz_arena_alloc(m->arena, n * sizeof *text), pair[N_MERGES];
    int32_t *type = sz_arena_alloc(m->arena, n * sizeof *type);
    if (!text || !type) {
        m->status = sz_fail(SZ_E_NOMEM, "no memory for a vocabulary");
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        text[i] = token_text(m, i, &b);
        type[i] = i < FIRST_CONTROL ? NORMAL : CONTROL;
    }
    for (int i = 0; i < N_MERGES; i++) {
        append_visible(&b, merges[i][0], strlen(merges[i][0]));
        sz_buf_putc(&b, ' ');
        append_visible(&b, merges[i][1], strlen(merges[i][1]));
        pair[i] = keep(m, &b);
    }
    sz_gguf_put_strs(m->w, "tokenizer.ggml.tokens", text, n);
    sz_gguf_put_i32s(m->w, "tokenizer.ggml.token_type", type, n);
    sz_gguf_put_strs(m->w, "tokenizer.ggml.merges", pair, N_MERGES);
    sz_buf_free(&b);
}

static void put_vocabulary(maker *m) {
    const char *pre = is_arch(m, "llama") ? "smollm" : is_arch(m, "gemma3") ? "gpt-2" : "qwen2";
    sz_gguf_put_str(m->w, "tokenizer.ggml.model", "gpt2", 4);
    sz_gguf_put_str(m->w, "tokenizer.ggml.pre", pre, strlen(pre));
    put_tokens(m);
    sz_gguf_put_u32(m->w, "tokenizer.ggml.bos_token_id", FIRST_CONTROL);
    if (!m->c.no_end)
        sz_gguf_put_u32(m->w, "tokenizer.ggml.eos_token_id", FIRST_CONTROL + 2);
    sz_gguf_put_bool(m->w, "tokenizer.ggml.add_bos_token", m->c.add_bos);
    const char *text = m->c.chat_template ? m->c.chat_template : chat_template;
    if (!m->c.no_template)
        sz_gguf_put_str(m->w, "tokenizer.chat_template", text, strlen(text));
}

/* ---- Hyperparameters ------------------------------------------------------------------------- */

static const char *hparam(const maker *m, const char *suffix, char key[128]) {
    snprintf(key, 128, "%s.%s", m->c.arch, suffix);
    return key;
}

static void put_hparams(maker *m) {
    const tiny_model *c = &m->c;
    const struct {
        const char *suffix;
        uint32_t value;
    } list[] = {
        {"block_count", c->n_layer},           {"context_length", c->n_ctx},
        {"embedding_length", c->n_embd},       {"feed_forward_length", c->n_ff},
        {"attention.head_count", c->n_head},   {"attention.head_count_kv", c->n_head_kv},
        {"attention.key_length", c->head_dim}, {"attention.value_length", c->head_dim},
        {"rope.dimension_count", c->head_dim}, {"attention.sliding_window", c->window},
    };
    char key[128];
    sz_gguf_put_str(m->w, "general.architecture", c->arch, strlen(c->arch));
    sz_gguf_put_str(m->w, "general.name", "Tiny random model", strlen("Tiny random model"));
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (list[i].value)
            sz_gguf_put_u32(m->w, hparam(m, list[i].suffix, key), list[i].value);
    sz_gguf_put_f32(m->w, hparam(m, "attention.layer_norm_rms_epsilon", key), 1e-5f);
    sz_gguf_put_f32(m->w, hparam(m, "rope.freq_base", key), c->rope_base);
}

/* ---- Weights --------------------------------------------------------------------------------- */

/* Uniform values of the given mean and half width. */
static float *random_values(maker *m, size_t n, float mean, float width) {
    float *v = sz_arena_alloc(m->arena, n * sizeof *v);
    uint64_t stream = m->n_made++;
    for (size_t i = 0; v && i < n; i++)
        v[i] = mean + width * (float)(2 * sz_uniform(m->c.seed, stream, i) - 1);
    return v;
}

static sz_status make_vector(maker *m, const char *name, uint64_t n, float mean, float width) {
    float *v = random_values(m, n, mean, width);
    SZ_REQUIRE(v, SZ_E_NOMEM, "no memory for tensor %s", name);
    sz_gguf_put_tensor(m->w, name, SZ_F32, 1, &n, v);
    return SZ_OK;
}

/* Scaled by the width, so that activations keep their size from layer to layer. */
static sz_status make_matrix(maker *m, const char *name, sz_type type, uint64_t n_cols,
                             uint64_t n_rows, float gain) {
    const sz_type_info *info = sz_type_get(type);
    SZ_REQUIRE(info->quantize && n_cols % info->block == 0, SZ_E_ARG,
               "tensor %s: rows of %llu cannot be made as type %d", name,
               (unsigned long long)n_cols, (int)type);
    float *v = random_values(m, n_cols * n_rows, 0, gain * __builtin_sqrtf(3.0f / (float)n_cols));
    void *packed = sz_arena_alloc(m->arena, n_cols / info->block * info->block_bytes * n_rows);
    SZ_REQUIRE(v && packed, SZ_E_NOMEM, "no memory for tensor %s", name);
    info->quantize(v, packed, n_cols * n_rows);
    sz_gguf_put_tensor(m->w, name, type, 2, (const uint64_t[]){n_cols, n_rows}, packed);
    return SZ_OK;
}

static const char *in_layer(uint32_t layer, const char *what, char name[64]) {
    snprintf(name, 64, "blk.%u.%s", layer, what);
    return name;
}

static void put_vector(maker *m, uint32_t layer, const char *what, uint64_t n, float mean) {
    char name[64];
    if (m->status == SZ_OK)
        m->status = make_vector(m, in_layer(layer, what, name), n, mean, 0.4f);
}

static void put_matrix(maker *m, uint32_t layer, const char *what, sz_type type, uint64_t n_cols,
                       uint64_t n_rows) {
    char name[64];
    if (m->status == SZ_OK)
        m->status = make_matrix(m, in_layer(layer, what, name), type, n_cols, n_rows, 1.6f);
}

static void put_attention(maker *m, uint32_t i) {
    const tiny_model *c = &m->c;
    uint32_t n_q = c->n_head * c->head_dim, n_kv = c->n_head_kv * c->head_dim;
    put_vector(m, i, "attn_norm.weight", c->n_embd, 1);
    put_matrix(m, i, "attn_q.weight", c->type, c->n_embd, n_q);
    put_matrix(m, i, "attn_k.weight", c->type, c->n_embd, n_kv);
    put_matrix(m, i, "attn_v.weight", c->type_down, c->n_embd, n_kv);
    put_matrix(m, i, "attn_output.weight", c->type, n_q, c->n_embd);
    if (is_arch(m, "qwen2")) {
        put_vector(m, i, "attn_q.bias", n_q, 0);
        put_vector(m, i, "attn_k.bias", n_kv, 0);
        put_vector(m, i, "attn_v.bias", n_kv, 0);
    }
    if (is_arch(m, "qwen3") || is_arch(m, "gemma3")) {
        put_vector(m, i, "attn_q_norm.weight", c->head_dim, 1);
        put_vector(m, i, "attn_k_norm.weight", c->head_dim, 1);
    }
    if (is_arch(m, "gemma3"))
        put_vector(m, i, "post_attention_norm.weight", c->n_embd, 1);
}

static void put_feed_forward(maker *m, uint32_t i) {
    const tiny_model *c = &m->c;
    put_vector(m, i, "ffn_norm.weight", c->n_embd, 1);
    put_matrix(m, i, "ffn_gate.weight", c->type, c->n_embd, c->n_ff);
    put_matrix(m, i, "ffn_up.weight", c->type, c->n_embd, c->n_ff);
    put_matrix(m, i, "ffn_down.weight", c->type_down, c->n_ff, c->n_embd);
    if (is_arch(m, "gemma3"))
        put_vector(m, i, "post_ffw_norm.weight", c->n_embd, 1);
}

static sz_status put_weights(maker *m) {
    const tiny_model *c = &m->c;
    SZ_TRY(make_matrix(m, "token_embd.weight", c->type_vocab, c->n_embd, c->n_vocab, 1));
    if (c->untied)
        SZ_TRY(make_matrix(m, "output.weight", c->type_vocab, c->n_embd, c->n_vocab, 1));
    SZ_TRY(make_vector(m, "output_norm.weight", c->n_embd, 1.5f, 0.5f));
    for (uint32_t i = 0; i < c->n_layer; i++) {
        put_attention(m, i);
        put_feed_forward(m, i);
    }
    return m->status;
}

/* ---- The file -------------------------------------------------------------------------------- */

static sz_status check(const maker *m) {
    const tiny_model *c = &m->c;
    SZ_REQUIRE(is_arch(m, "llama") || is_arch(m, "qwen2") || is_arch(m, "qwen3") ||
                   is_arch(m, "gemma3"),
               SZ_E_ARG, "no tiny models of architecture %s", c->arch);
    SZ_REQUIRE(c->n_vocab >= FIRST_CONTROL + N_CONTROLS && c->n_vocab <= MOST_VOCAB, SZ_E_ARG,
               "a tiny vocabulary has %d to %d tokens, not %u", FIRST_CONTROL + N_CONTROLS,
               MOST_VOCAB, c->n_vocab);
    return SZ_OK;
}

static sz_status write_model(maker *m, const char *path) {
    SZ_TRY(check(m));
    SZ_TRY(sz_arena_new(1 << 20, &m->arena));
    SZ_TRY(sz_gguf_writer_new(&m->w));
    put_hparams(m);
    put_vocabulary(m);
    SZ_TRY(m->status);
    SZ_TRY(put_weights(m));
    return sz_gguf_writer_save(m->w, path);
}

sz_status tiny_model_write(const tiny_model *config, const char *path) {
    maker m = {.c = *config};
    complete(&m.c);
    sz_status status = write_model(&m, path);
    sz_gguf_writer_free(m.w);
    sz_arena_free(m.arena);
    return status;
}

sz_status tiny_model_make(const tiny_model *config, char path[TINY_MODEL_PATH]) {
    const char *folder = getenv("TMPDIR");
    int n = snprintf(path, TINY_MODEL_PATH, "%s/szilard-tiny-XXXXXX",
                     folder && *folder ? folder : "/tmp");
    SZ_REQUIRE(n < TINY_MODEL_PATH, SZ_E_ARG, "TMPDIR is too long");
    int fd = mkstemp(path);
    SZ_REQUIRE(fd >= 0, SZ_E_IO, "%s: %s", path, strerror(errno));
    close(fd);
    sz_status status = tiny_model_write(config, path);
    if (status != SZ_OK)
        unlink(path);
    return status;
}
