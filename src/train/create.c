/* create.c: a language model of random weights, as a file. */
#include <stdio.h>
#include <string.h>

#include <szilard/unstable/num.h>
#include <szilard/unstable/train.h>

typedef struct maker {
    sz_lm_shape s;
    uint32_t n_vocab;
    uint64_t seed, stream;
    sz_arena *arena;
    sz_gguf_writer *w;
} maker;

static sz_status complete(sz_lm_shape *s) {
    s->n_layer = s->n_layer ? s->n_layer : 4;
    s->n_embd = s->n_embd ? s->n_embd : 128;
    s->n_head = s->n_head ? s->n_head : 4;
    s->n_head_kv = s->n_head_kv ? s->n_head_kv : s->n_head;
    s->n_ff = s->n_ff ? s->n_ff : (s->n_embd * 8 / 3 + 31) / 32 * 32;
    s->n_ctx = s->n_ctx ? s->n_ctx : 256;
    s->rope_base = s->rope_base > 0 ? s->rope_base : 10000;
    SZ_REQUIRE(s->n_layer <= 512 && s->n_embd <= 16384 && s->n_ff <= 65536, SZ_E_ARG,
               "a model of %u layers, %u wide, %u inside, is too large", s->n_layer, s->n_embd,
               s->n_ff);
    SZ_REQUIRE(s->n_embd % s->n_head == 0 && s->n_embd / s->n_head % 2 == 0, SZ_E_ARG,
               "a width of %u does not give %u heads of an even width", s->n_embd, s->n_head);
    SZ_REQUIRE(s->n_head % s->n_head_kv == 0, SZ_E_ARG,
               "%u heads of keys do not divide %u of queries", s->n_head_kv, s->n_head);
    return SZ_OK;
}

/* ---- Vocabulary
 * ----------------------------------------------------------------------------------
 */

/* A byte as byte-level BPE spells it: itself where it shows, else the next unused character. */
static sz_str spell(sz_arena *arena, unsigned byte, unsigned *hidden) {
    bool shown = (byte > ' ' && byte < 127) || (byte > 160 && byte != 173);
    unsigned c = shown ? byte : 256 + (*hidden)++;
    char *s = sz_arena_alloc_small(arena, 2);
    if (!s)
        return (sz_str){"", 0};
    if (c < 128) {
        s[0] = (char)c;
        return (sz_str){s, 1};
    }
    s[0] = (char)(0xC0 | c >> 6);
    s[1] = (char)(0x80 | (c & 63));
    return (sz_str){s, 2};
}

static void put_bytes(maker *m) {
    enum { NORMAL = 1, CONTROL = 3 };
    sz_str token[257];
    int32_t type[257];
    unsigned hidden = 0;
    for (unsigned b = 0; b < 256; b++) {
        token[b] = spell(m->arena, b, &hidden);
        type[b] = NORMAL;
    }
    token[256] = (sz_str){"<|endoftext|>", 13};
    type[256] = CONTROL;
    sz_gguf_put_str(m->w, "tokenizer.ggml.model", "gpt2", 4);
    sz_gguf_put_str(m->w, "tokenizer.ggml.pre", "gpt-2", 5);
    sz_gguf_put_strs(m->w, "tokenizer.ggml.tokens", token, 257);
    sz_gguf_put_i32s(m->w, "tokenizer.ggml.token_type", type, 257);
    sz_gguf_put_strs(m->w, "tokenizer.ggml.merges", NULL, 0);
    sz_gguf_put_u32(m->w, "tokenizer.ggml.bos_token_id", 256);
    sz_gguf_put_u32(m->w, "tokenizer.ggml.eos_token_id", 256);
    sz_gguf_put_bool(m->w, "tokenizer.ggml.add_bos_token", false);
    m->n_vocab = 257;
}

static sz_status copy_tokens(maker *m, const sz_gguf *from) {
    sz_tokenizer *t;
    SZ_TRY(sz_tokenizer_from_gguf(from, &t)); /* one that works */
    m->n_vocab = sz_tokenizer_n_vocab(t);
    sz_tokenizer_free(t);
    for (size_t i = 0; i < sz_gguf_n_kv(from); i++) {
        const sz_gguf_kv *kv = sz_gguf_kv_at(from, i);
        if (strncmp(kv->key, "tokenizer.", 10) == 0)
            sz_gguf_put_kv(m->w, from, kv);
    }
    return SZ_OK;
}

/* ---- Weights
 * -------------------------------------------------------------------------------------
 */

static double gaussian(maker *m, uint64_t i) {
    double sine, cosine, u = 1 - sz_uniform(m->seed, m->stream, 2 * i);
    sz_sincos(6.283185307179586 * sz_uniform(m->seed, m->stream, 2 * i + 1), &sine, &cosine);
    return __builtin_sqrt(-2 * sz_log(u)) * cosine;
}

static sz_status put_weights(maker *m, const char *name, uint64_t n_cols, uint64_t n_rows,
                             double deviation) {
    uint64_t n = n_cols * n_rows, dim[2] = {n_cols, n_rows};
    float *x = sz_arena_alloc(m->arena, n * sizeof *x);
    SZ_REQUIRE(x, SZ_E_NOMEM, "no memory for tensor %s", name);
    for (uint64_t i = 0; i < n; i++)
        x[i] = deviation > 0 ? (float)(deviation * gaussian(m, i)) : 1;
    m->stream++;
    sz_gguf_put_tensor(m->w, name, SZ_F32, deviation > 0 ? 2 : 1, dim, x);
    return SZ_OK;
}

static sz_status put_layer(maker *m, unsigned layer) {
    const sz_lm_shape *s = &m->s;
    uint64_t n_kv = (uint64_t)s->n_embd / s->n_head * s->n_head_kv;
    double inner = 0.02 / __builtin_sqrt(2.0 * s->n_layer); /* of what the residual stream gets */
    const struct {
        const char *name;
        uint64_t n_cols, n_rows;
        double deviation; /* 0: ones */
    } parts[] = {
        {"attn_norm", s->n_embd, 1, 0},
        {"attn_q", s->n_embd, s->n_embd, 0.02},
        {"attn_k", s->n_embd, n_kv, 0.02},
        {"attn_v", s->n_embd, n_kv, 0.02},
        {"attn_output", s->n_embd, s->n_embd, inner},
        {"ffn_norm", s->n_embd, 1, 0},
        {"ffn_gate", s->n_embd, s->n_ff, 0.02},
        {"ffn_up", s->n_embd, s->n_ff, 0.02},
        {"ffn_down", s->n_ff, s->n_embd, inner},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char name[64];
        snprintf(name, sizeof name, "blk.%u.%s.weight", layer, parts[i].name);
        SZ_TRY(put_weights(m, name, parts[i].n_cols, parts[i].n_rows, parts[i].deviation));
    }
    return SZ_OK;
}

static void put_shape(maker *m, const char *name) {
    const sz_lm_shape *s = &m->s;
    sz_gguf_put_str(m->w, "general.architecture", "llama", 5);
    sz_gguf_put_str(m->w, "general.name", name, strlen(name));
    sz_gguf_put_u32(m->w, "general.file_type", 0);
    sz_gguf_put_u32(m->w, "llama.block_count", s->n_layer);
    sz_gguf_put_u32(m->w, "llama.context_length", s->n_ctx);
    sz_gguf_put_u32(m->w, "llama.embedding_length", s->n_embd);
    sz_gguf_put_u32(m->w, "llama.feed_forward_length", s->n_ff);
    sz_gguf_put_u32(m->w, "llama.attention.head_count", s->n_head);
    sz_gguf_put_u32(m->w, "llama.attention.head_count_kv", s->n_head_kv);
    sz_gguf_put_u32(m->w, "llama.rope.dimension_count", s->n_embd / s->n_head);
    sz_gguf_put_f32(m->w, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
    sz_gguf_put_f32(m->w, "llama.rope.freq_base", s->rope_base);
}

static sz_status make(maker *m, const sz_gguf *tokens, const char *name, const char *path) {
    put_shape(m, name);
    if (tokens)
        SZ_TRY(copy_tokens(m, tokens));
    else
        put_bytes(m);
    SZ_TRY(put_weights(m, "token_embd.weight", m->s.n_embd, m->n_vocab, 0.02));
    for (unsigned i = 0; i < m->s.n_layer; i++)
        SZ_TRY(put_layer(m, i));
    SZ_TRY(put_weights(m, "output_norm.weight", m->s.n_embd, 1, 0));
    return sz_gguf_writer_save(m->w, path);
}

sz_status sz_lm_create(const sz_lm_shape *shape, const sz_gguf *tokens, const char *name,
                       uint64_t seed, const char *path) {
    maker m = {.s = *shape, .seed = seed, .stream = 1};
    SZ_TRY(complete(&m.s));
    SZ_TRY(sz_arena_new(1 << 20, &m.arena));
    sz_status status = sz_gguf_writer_new(&m.w);
    if (status == SZ_OK)
        status = make(&m, tokens, name, path);
    sz_gguf_writer_free(m.w);
    sz_arena_free(m.arena);
    return status;
}
