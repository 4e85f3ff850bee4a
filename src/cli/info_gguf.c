/* info_gguf.c: `szilard info` on a GGUF file. Reads the metadata, never the weights. */
#include "info.h"
#include "model/model.h"
#include <stdlib.h>
#include <string.h>

/* ---- Values of the metadata ------------------------------------------------------------------ */

enum { WHOLE_ARRAY = 16, FIRST_OF_ARRAY = 8, WHOLE_TEXT = 100 };

/* The shortest decimal that gives the same float. */
static void put_float(sz_buf *b, double x) {
    char text[40];
    if (!(x - x == 0)) {
        sz_buf_puts(b, "null");
        return;
    }
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtof(text, NULL) == (float)x)
            break;
    }
    sz_buf_puts(b, text);
}

/* One element; text: for a terminal, cut at `most` bytes; else JSON. */
static void put_element(sz_buf *b, const sz_gguf *g, const sz_gguf_kv *kv, uint64_t i, bool text,
                        size_t most) {
    sz_gguf_type type = kv->type == SZ_GGUF_ARRAY ? kv->element : kv->type;
    sz_str s = type == SZ_GGUF_STRING ? sz_gguf_str_at(g, kv, i) : (sz_str){"", 0};
    if (type == SZ_GGUF_STRING && text)
        sz_put_shown(b, s.s, s.n, most);
    else if (type == SZ_GGUF_STRING)
        sz_json_quote(b, s.s, s.n);
    else if (type == SZ_GGUF_BOOL)
        sz_buf_puts(b, sz_gguf_int_at(g, kv, i) ? "true" : "false");
    else if (type == SZ_GGUF_F32)
        put_float(b, sz_gguf_num_at(g, kv, i));
    else if (type == SZ_GGUF_F64)
        sz_json_number(b, sz_gguf_num_at(g, kv, i));
    else
        sz_buf_printf(b, "%lld", (long long)sz_gguf_int_at(g, kv, i));
}

static void put_elements(sz_buf *b, const sz_gguf *g, const sz_gguf_kv *kv, uint64_t n, bool text) {
    sz_buf_putc(b, '[');
    for (uint64_t i = 0; i < n; i++) {
        sz_buf_puts(b, i == 0 ? "" : text ? ", " : ",");
        put_element(b, g, kv, i, text, 40);
    }
    if (text && n < kv->n)
        sz_buf_printf(b, ", ... %llu in all", (unsigned long long)kv->n);
    sz_buf_putc(b, ']');
}

static uint64_t shown_of(const sz_gguf_kv *kv, const sz_info_options *o) {
    return o->all || kv->n <= WHOLE_ARRAY ? kv->n : FIRST_OF_ARRAY;
}

static void put_metadata_text(sz_buf *b, const sz_gguf *g, const sz_info_options *o) {
    for (size_t i = 0; i < sz_gguf_n_kv(g); i++) {
        const sz_gguf_kv *kv = sz_gguf_kv_at(g, i);
        sz_buf_puts(b, "  ");
        sz_put_shown(b, kv->key, strlen(kv->key), 256);
        sz_buf_puts(b, " = ");
        if (kv->type == SZ_GGUF_ARRAY)
            put_elements(b, g, kv, shown_of(kv, o), true);
        else
            put_element(b, g, kv, 0, true, o->all ? SIZE_MAX : WHOLE_TEXT);
        sz_buf_putc(b, '\n');
    }
}

/* Long arrays become {"n":..,"first":[..]} unless all is wanted. */
static void put_metadata_json(sz_buf *b, const sz_gguf *g, const sz_info_options *o) {
    for (size_t i = 0; i < sz_gguf_n_kv(g); i++) {
        const sz_gguf_kv *kv = sz_gguf_kv_at(g, i);
        uint64_t n = shown_of(kv, o);
        sz_buf_puts(b, i ? ",\n" : "\n");
        sz_json_quote(b, kv->key, strlen(kv->key));
        sz_buf_putc(b, ':');
        if (n < kv->n)
            sz_buf_printf(b, "{\"n\":%llu,\"first\":", (unsigned long long)kv->n);
        if (kv->type == SZ_GGUF_ARRAY)
            put_elements(b, g, kv, n, false);
        else
            put_element(b, g, kv, 0, false, 0);
        sz_buf_puts(b, n < kv->n ? "}" : "");
    }
}

/* ---- Tensors --------------------------------------------------------------------------------- */

static uint64_t elements_of(const sz_gguf_tensor *t) {
    const sz_type_info *info = sz_type_get(t->type);
    return t->bytes / info->block_bytes * info->block;
}

static sz_tensor_row row_of(const sz_gguf_tensor *t) {
    sz_tensor_row row = {
        .name = t->name, .type = sz_type_get(t->type)->name, .n_dim = t->n_dim, .bytes = t->bytes};
    for (uint32_t i = 0; i < t->n_dim; i++)
        row.shape[i] = t->dim[t->n_dim - 1 - i];
    return row;
}

static sz_tensor_sums sums_of(const sz_gguf *g) {
    sz_tensor_sums sums = {0};
    for (size_t i = 0; i < sz_gguf_n_tensors(g); i++) {
        const sz_gguf_tensor *t = sz_gguf_tensor_at(g, i);
        sz_sums_add(&sums, sz_type_get(t->type)->name, elements_of(t), t->bytes);
    }
    return sums;
}

/* ---- Summary --------------------------------------------------------------------------------- */

/* What the file says in its own keys; 0 and "" where it does not. */
typedef struct summary {
    const sz_gguf *g;
    sz_str architecture, name, model, pre;
    bool runs; /* by this build */
    uint32_t n_layer, n_embd, n_ff, n_head, n_head_kv, head_dim, n_ctx, parts;
    size_t template_bytes;
    sz_tokenizer *tokenizer; /* NULL: none that can be used */
    char why[256];           /* not */
} summary;

static sz_str string_of(const sz_gguf *g, const char *key) {
    sz_str s = {"", 0};
    if (sz_gguf_get_str(g, key, &s) != SZ_OK)
        s = (sz_str){"", 0};
    return s;
}

static uint32_t hparam(const sz_gguf *g, const char *suffix) {
    uint32_t v = 0;
    return sz_hparam_u32(g, suffix, &v) == SZ_OK ? v : 0;
}

static void summarise(const sz_gguf *g, summary *s) {
    char architecture[64] = "";
    *s = (summary){.g = g};
    s->architecture = string_of(g, "general.architecture");
    s->name = string_of(g, "general.name");
    s->model = string_of(g, "tokenizer.ggml.model");
    s->pre = string_of(g, "tokenizer.ggml.pre");
    s->template_bytes = string_of(g, "tokenizer.chat_template").n;
    if (s->architecture.n < sizeof architecture)
        memcpy(architecture, s->architecture.s, s->architecture.n);
    s->runs = sz_architecture_find(architecture) != NULL;
    s->n_layer = hparam(g, "block_count");
    s->n_embd = hparam(g, "embedding_length");
    s->n_ff = hparam(g, "feed_forward_length");
    s->n_head = hparam(g, "attention.head_count");
    s->n_head_kv = hparam(g, "attention.head_count_kv");
    s->n_head_kv = s->n_head_kv ? s->n_head_kv : s->n_head;
    s->head_dim = hparam(g, "attention.key_length");
    if (!s->head_dim && s->n_head)
        s->head_dim = s->n_embd / s->n_head;
    s->n_ctx = hparam(g, "context_length");
    if (sz_gguf_get_u32(g, "split.count", &s->parts) != SZ_OK || s->parts == 0)
        s->parts = 1;
    if (s->model.n && sz_tokenizer_from_gguf(g, &s->tokenizer) != SZ_OK) {
        s->tokenizer = NULL;
        snprintf(s->why, sizeof s->why, "%s", sz_last_error());
    }
}

/* ---- As text --------------------------------------------------------------------------------- */

static void put_line(sz_buf *b, const char *label, sz_str s, const char *rest) {
    sz_buf shown = {0};
    sz_put_shown(&shown, s.s, s.n, WHOLE_TEXT);
    sz_info_line(b, label, "%s%s", shown.data ? shown.data : "", rest);
    sz_buf_free(&shown);
}

static void put_special(sz_buf *b, const sz_tokenizer *t, const char *what, int32_t id) {
    size_t n = 0;
    const char *piece = sz_tokenizer_piece(t, id, &n);
    if (!piece)
        return;
    sz_buf_printf(b, ", %s %d ", what, id);
    sz_put_shown(b, piece, n, 40);
}

static void put_tokenizer_text(sz_buf *b, const summary *s) {
    const sz_tokenizer *t = s->tokenizer;
    sz_buf line = {0};
    if (!s->model.n) {
        sz_info_line(b, "tokenizer", "none");
        return;
    }
    sz_put_shown(&line, s->model.s, s->model.n, 40);
    if (s->pre.n) {
        sz_buf_puts(&line, " (");
        sz_put_shown(&line, s->pre.s, s->pre.n, 40);
        sz_buf_putc(&line, ')');
    }
    if (t) {
        sz_buf_printf(&line, ", %u tokens", sz_tokenizer_n_vocab(t));
        put_special(&line, t, "begin", sz_tokenizer_bos(t));
        sz_buf_puts(&line, sz_tokenizer_add_bos(t) ? " (put before every text)" : "");
        put_special(&line, t, "end", sz_tokenizer_eos(t));
        put_special(&line, t, "end of turn", sz_tokenizer_eot(t));
    } else {
        sz_buf_puts(&line, ", cannot be used: ");
        sz_put_shown(&line, s->why, strlen(s->why), sizeof s->why);
    }
    sz_info_line(b, "tokenizer", "%s", line.data ? line.data : "");
    sz_buf_free(&line);
}

static void put_shape_text(sz_buf *b, const summary *s) {
    if (s->n_layer)
        sz_info_line(b, "layers", "%u, %u wide, feed-forward %u", s->n_layer, s->n_embd, s->n_ff);
    if (s->n_head)
        sz_info_line(b, "heads", "%u, %u for keys and values, %u wide", s->n_head, s->n_head_kv,
                     s->head_dim);
    if (s->n_ctx)
        sz_info_line(b, "context", "%u tokens", s->n_ctx);
}

static void put_text(const char *path, const summary *s, const sz_info_options *o, sz_buf *b) {
    const sz_gguf *g = s->g;
    char size[16];
    const char *type = sz_gguf_file_type(g);
    sz_tensor_sums sums = sums_of(g);
    sz_format_bytes(sz_gguf_file_bytes(g), size);
    sz_info_line(b, "file", "%s", path);
    sz_info_line(b, "format", s->parts > 1 ? "GGUF %u, %s in %u parts" : "GGUF %u, %s",
                 sz_gguf_version(g), size, s->parts);
    if (s->name.n)
        put_line(b, "name", s->name, "");
    if (s->architecture.n)
        put_line(b, "architecture", s->architecture,
                 s->runs ? "" : " (not one that this build runs)");
    if (type[0])
        sz_info_line(b, "file type", "%s", type);
    put_shape_text(b, s);
    put_tokenizer_text(b, s);
    if (s->template_bytes)
        sz_info_line(b, "chat template", "yes, %zu bytes", s->template_bytes);
    else
        sz_info_line(b, "chat template", "none");
    sz_sums_text(&sums, b);
    sz_info_line(b, "metadata", "%zu keys", sz_gguf_n_kv(g));
    put_metadata_text(b, g, o);
    for (size_t i = 0; o->tensors && i < sz_gguf_n_tensors(g); i++) {
        sz_tensor_row row = row_of(sz_gguf_tensor_at(g, i));
        sz_tensor_text(&row, b);
    }
}

/* ---- As JSON --------------------------------------------------------------------------------- */

static void put_string(sz_buf *b, const char *key, sz_str s) {
    sz_buf_printf(b, ",\"%s\":", key);
    if (s.n)
        sz_json_quote(b, s.s, s.n);
    else
        sz_buf_puts(b, "null");
}

static void put_id(sz_buf *b, const char *key, int32_t id) {
    sz_buf_printf(b, id < 0 ? ",\"%s\":null" : ",\"%s\":%d", key, id);
}

static void put_tokenizer_json(sz_buf *b, const summary *s) {
    const sz_tokenizer *t = s->tokenizer;
    if (!s->model.n) {
        sz_buf_puts(b, ",\"tokenizer\":null");
        return;
    }
    sz_buf_printf(b, ",\"tokenizer\":{\"usable\":%s", t ? "true" : "false");
    put_string(b, "model", s->model);
    put_string(b, "pre", s->pre);
    if (t) {
        sz_buf_printf(b, ",\"n_vocab\":%u", sz_tokenizer_n_vocab(t));
        put_id(b, "bos", sz_tokenizer_bos(t));
        put_id(b, "eos", sz_tokenizer_eos(t));
        put_id(b, "eot", sz_tokenizer_eot(t));
        sz_buf_printf(b, ",\"add_bos\":%s", sz_tokenizer_add_bos(t) ? "true" : "false");
    } else {
        put_string(b, "error", (sz_str){s->why, strlen(s->why)});
    }
    sz_buf_putc(b, '}');
}

static void put_json(const char *path, const summary *s, const sz_info_options *o, sz_buf *b) {
    const sz_gguf *g = s->g;
    const char *type = sz_gguf_file_type(g);
    sz_tensor_sums sums = sums_of(g);
    sz_buf_puts(b, "{\"path\":");
    sz_json_quote(b, path, strlen(path));
    sz_buf_printf(b, ",\"format\":\"gguf\",\"version\":%u,\"file_bytes\":%llu", sz_gguf_version(g),
                  (unsigned long long)sz_gguf_file_bytes(g));
    sz_buf_printf(b, ",\"parts\":%u", s->parts);
    put_string(b, "name", s->name);
    put_string(b, "architecture", s->architecture);
    sz_buf_printf(b, ",\"runs\":%s", s->runs ? "true" : "false");
    put_string(b, "file_type", (sz_str){type, strlen(type)});
    sz_buf_printf(b,
                  ",\"n_layer\":%u,\"n_embd\":%u,\"n_ff\":%u,\"n_head\":%u,\"n_head_kv\":%u,"
                  "\"head_dim\":%u,\"n_ctx_train\":%u",
                  s->n_layer, s->n_embd, s->n_ff, s->n_head, s->n_head_kv, s->head_dim, s->n_ctx);
    put_tokenizer_json(b, s);
    sz_buf_printf(b, ",\"chat_template\":%s,\n", s->template_bytes ? "true" : "false");
    sz_sums_json(&sums, b);
    sz_buf_puts(b, ",\n\"metadata\":{");
    put_metadata_json(b, g, o);
    sz_buf_puts(b, "},\n\"tensors\":[");
    for (size_t i = 0; i < sz_gguf_n_tensors(g); i++) {
        sz_tensor_row row = row_of(sz_gguf_tensor_at(g, i));
        sz_buf_puts(b, i ? ",\n" : "\n");
        sz_tensor_json(&row, b);
    }
    sz_buf_puts(b, "]}\n");
}

sz_status sz_info_gguf(const char *path, const sz_info_options *o, sz_buf *b) {
    sz_gguf *g;
    summary s;
    SZ_TRY(sz_gguf_open(path, &g));
    summarise(g, &s);
    (o->json ? put_json : put_text)(path, &s, o, b);
    sz_tokenizer_free(s.tokenizer);
    sz_gguf_close(g);
    return SZ_OK;
}
