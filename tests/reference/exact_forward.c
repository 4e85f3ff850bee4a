/* exact_forward.c: what a transformer in a GGUF file computes, as plainly as it can be written.
 *
 *     exact_forward MODEL.gguf IDS.json LOGITS.npy
 *
 * Reads a JSON array of token ids, computes the whole sequence in one pass in double precision from
 * the weights that the file's blocks stand for, and writes float32 logits [n_ids, n_vocab].
 * Architectures: llama (with Mistral's window), qwen2, qwen3, gemma3. No kernels, no cache: the
 * engine's results are judged by this program, so it shares nothing with it but the file reader and
 * the decoding of blocks. Read forward() first. */
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/gguf.h>

#include "read_ids.h"

typedef struct hparams {
    size_t n_layer, n_embd, n_ff, n_head, n_head_kv, head_dim, n_vocab;
    size_t n_rot;  /* dimensions of a head that rotate */
    size_t window; /* tokens that a windowed layer sees; 0: all */
    double rms_eps, attention_scale, embedding_scale;
    bool gemma;       /* GeGLU, norms after each part, every sixth layer global */
    bool interleaved; /* rope turns dimensions (2i, 2i+1) instead of (i, i + n_rot/2) */
} hparams;

typedef struct rope {
    double *frequency; /* [n_rot / 2] radians per position */
    double scale;      /* of sine and cosine (YaRN) */
} rope;

typedef struct model {
    sz_gguf *file;
    const char *arch;
    hparams h;
    rope global, local;
} model;

static void die(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("exact_forward: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static void *allocate(size_t count, size_t size) {
    void *p = calloc(count ? count : 1, size);
    if (!p)
        die("no memory for %zu x %zu bytes", count, size);
    return p;
}

/* ---- Threads: task i of n, in any order ------------------------------------------------------ */

enum { N_THREADS = 2 };

typedef struct job {
    void (*run)(void *context, size_t task);
    void *context;
    size_t n_tasks;
    atomic_size_t next;
} job;

static void *work(void *argument) {
    job *j = argument;
    for (size_t task; (task = atomic_fetch_add(&j->next, 1)) < j->n_tasks;)
        j->run(j->context, task);
    return NULL;
}

static void in_parallel(void (*run)(void *, size_t), void *context, size_t n_tasks) {
    job j = {.run = run, .context = context, .n_tasks = n_tasks};
    pthread_t threads[N_THREADS];
    for (int i = 0; i < N_THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, &j) != 0)
            die("cannot start a thread");
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* ---- The file -------------------------------------------------------------------------------- */

static const sz_gguf_tensor *find_tensor(const model *m, const char *format, ...) {
    char name[128];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    return sz_gguf_find_tensor(m->file, name);
}

static const sz_gguf_tensor *layer_tensor(const model *m, size_t layer, const char *part) {
    return find_tensor(m, "blk.%zu.%s", layer, part);
}

/* Elements [from, from + n) of a tensor as floats; `from` and n are multiples of its block. */
static void decode(const sz_gguf_tensor *t, size_t from, size_t n, float *out) {
    const sz_type_info *type = sz_type_get(t->type);
    if (!type->dequantize)
        die("tensor %s: cannot decode its type", t->name);
    type->dequantize(t->data + from / type->block * type->block_bytes, out, n);
}

/* A vector of n values; NULL if the file has none. The caller frees. */
static float *read_vector(const sz_gguf_tensor *t, size_t n) {
    if (!t)
        return NULL;
    if (t->n_dim != 1 || t->dim[0] != n)
        die("tensor %s: not a vector of %zu values", t->name, n);
    float *v = allocate(n, sizeof *v);
    decode(t, 0, n, v);
    return v;
}

static double get_number(const model *m, const char *key, double otherwise) {
    char full[128];
    snprintf(full, sizeof full, "%s.%s", m->arch, key);
    float real;
    int64_t whole;
    if (sz_gguf_get_f32(m->file, full, &real) == SZ_OK)
        return real;
    if (sz_gguf_get_i64(m->file, full, &whole) == SZ_OK)
        return (double)whole;
    if (sz_gguf_find(m->file, full))
        die("%s", sz_last_error());
    if (isnan(otherwise))
        die("key %s is missing", full);
    return otherwise;
}

static size_t get_size(const model *m, const char *key, double otherwise) {
    return (size_t)get_number(m, key, otherwise);
}

/* ---- Rope frequencies ------------------------------------------------------------------------ */

/* YaRN: fast dimensions keep their frequency, slow ones are divided by the factor, and a ramp lies
 * between the dimensions that turn beta_fast and beta_slow times within the original context. */
static void stretch_yarn(const model *m, double base, double factor, rope *r) {
    size_t n_rot = m->h.n_rot;
    double context =
        get_number(m, "rope.scaling.original_context_length", get_number(m, "context_length", NAN));
    double fast = get_number(m, "rope.scaling.yarn_beta_fast", 32);
    double slow = get_number(m, "rope.scaling.yarn_beta_slow", 1);
    double per_turn = (double)n_rot / (2 * log(base));
    double low = fmax(floor(per_turn * log(context / (fast * 2 * M_PI))), 0);
    double high = fmin(ceil(per_turn * log(context / (slow * 2 * M_PI))), (double)n_rot - 1);
    for (size_t i = 0; i < n_rot / 2; i++) {
        double ramp = fmin(fmax(((double)i - low) / fmax(high - low, 0.001), 0), 1);
        r->frequency[i] *= ramp / factor + (1 - ramp);
    }
    r->scale = (1 + 0.1 * log(factor)) * get_number(m, "rope.scaling.attn_factor", 1);
}

static rope plain_rope(const model *m, double base) {
    rope r = {.frequency = allocate(m->h.n_rot / 2, sizeof(double)), .scale = 1};
    for (size_t i = 0; i < m->h.n_rot / 2; i++)
        r.frequency[i] = pow(base, -2.0 * (double)i / (double)m->h.n_rot);
    return r;
}

static rope scaled_rope(const model *m, double base) {
    rope r = plain_rope(m, base);
    size_t half = m->h.n_rot / 2;
    float *divisors = read_vector(find_tensor(m, "rope_freqs.weight"), half); /* Llama 3 */
    for (size_t i = 0; divisors && i < half; i++)
        r.frequency[i] /= divisors[i];
    free(divisors);
    char key[128];
    snprintf(key, sizeof key, "%s.rope.scaling.type", m->arch);
    sz_str type = {"none", 4};
    sz_gguf_get_str(m->file, key, &type); /* stays "none" where the file names no scaling */
    double factor = get_number(m, "rope.scaling.factor", 1);
    if (type.n == 4 && memcmp(type.s, "yarn", 4) == 0)
        stretch_yarn(m, base, factor, &r);
    else if (type.n == 6 && memcmp(type.s, "linear", 6) == 0)
        for (size_t i = 0; i < half; i++)
            r.frequency[i] /= factor;
    else if (!(type.n == 4 && memcmp(type.s, "none", 4) == 0))
        die("rope scaling '%.*s' is not known", (int)type.n, type.s);
    return r;
}

/* ---- Opening a model ------------------------------------------------------------------------- */

static void read_hparams(model *m) {
    hparams *h = &m->h;
    h->n_layer = get_size(m, "block_count", NAN);
    h->n_embd = get_size(m, "embedding_length", NAN);
    h->n_ff = get_size(m, "feed_forward_length", NAN);
    h->n_head = get_size(m, "attention.head_count", NAN);
    h->n_head_kv = get_size(m, "attention.head_count_kv", (double)h->n_head);
    h->head_dim = get_size(m, "attention.key_length", (double)(h->n_embd / h->n_head));
    h->n_rot = get_size(m, "rope.dimension_count", (double)h->head_dim);
    h->rms_eps = get_number(m, "attention.layer_norm_rms_epsilon", NAN);
    h->gemma = strcmp(m->arch, "gemma3") == 0;
    h->interleaved = strcmp(m->arch, "llama") == 0;
    if (h->gemma || h->interleaved)
        h->window = get_size(m, "attention.sliding_window", 0);
    bool of_embedding = h->gemma && h->n_layer == 62; /* the 27B model scales its queries so */
    h->attention_scale =
        1 / sqrt(of_embedding ? (double)h->n_embd / (double)h->n_head : (double)h->head_dim);
    h->embedding_scale = h->gemma ? sqrt((double)h->n_embd) : 1;
}

static model open_model(const char *path) {
    static const char *const known[] = {"llama", "qwen2", "qwen3", "gemma3"};
    model m = {0};
    sz_str arch;
    if (sz_gguf_open(path, &m.file) != SZ_OK ||
        sz_gguf_get_str(m.file, "general.architecture", &arch) != SZ_OK)
        die("%s", sz_last_error());
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i]) == arch.n && memcmp(known[i], arch.s, arch.n) == 0)
            m.arch = known[i];
    if (!m.arch)
        die("architecture '%.*s' is not known", (int)arch.n, arch.s);
    read_hparams(&m);
    const sz_gguf_tensor *embd = find_tensor(&m, "token_embd.weight");
    if (!embd || embd->n_dim != 2 || embd->dim[0] != m.h.n_embd)
        die("%s: no usable token_embd.weight", path);
    m.h.n_vocab = embd->dim[1];
    m.global = scaled_rope(&m, get_number(&m, "rope.freq_base", 10000));
    m.local = plain_rope(&m, get_number(&m, "rope.freq_base_swa", 10000));
    return m;
}

/* ---- Operators; activations are [n tokens][features], in double ------------------------------ */

/* y[t] = x[t] / rms(x[t]) * weight over groups of `width` features (whole rows, or heads). */
static void rms_norm(const model *m, const sz_gguf_tensor *weight, size_t width, const double *x,
                     size_t n_groups, double *y) {
    float *w = read_vector(weight, width);
    if (!w)
        die("a norm is missing");
    for (size_t g = 0; g < n_groups; g++, x += width, y += width) {
        double sum = 0;
        for (size_t i = 0; i < width; i++)
            sum += x[i] * x[i];
        double inverse = 1 / sqrt(sum / (double)width + m->h.rms_eps);
        for (size_t i = 0; i < width; i++)
            y[i] = x[i] * inverse * w[i];
    }
    free(w);
}

/* Rows of weights and tokens that are multiplied together: only so that it does not take hours.
 * Each sum still runs over the features in their order. */
enum { ROWS = 16, TILE = 8 };

typedef struct product {
    const sz_gguf_tensor *w;
    const double *x; /* [tiles][n_in][TILE] */
    double *y;       /* [n][n_out] */
    size_t n, n_in, n_out;
} product;

static void multiply_two_rows(const double *w0, const double *w1, const double *x, size_t n_in,
                              double sums[2][TILE]) {
    double a[TILE] = {0}, b[TILE] = {0};
    for (size_t i = 0; i < n_in; i++)
        for (size_t t = 0; t < TILE; t++) {
            a[t] += w0[i] * x[i * TILE + t];
            b[t] += w1[i] * x[i * TILE + t];
        }
    memcpy(sums[0], a, sizeof a);
    memcpy(sums[1], b, sizeof b);
}

static void multiply_rows(void *context, size_t task) {
    const product *p = context;
    size_t first = task * ROWS, n_rows = p->n_out - first < ROWS ? p->n_out - first : ROWS;
    float *decoded = allocate(p->n_in, sizeof *decoded);
    double *rows = allocate((size_t)ROWS * p->n_in, sizeof *rows); /* rows beyond the last are 0 */
    for (size_t r = 0; r < n_rows; r++) {
        decode(p->w, (first + r) * p->n_in, p->n_in, decoded);
        for (size_t i = 0; i < p->n_in; i++)
            rows[r * p->n_in + i] = decoded[i];
    }
    for (size_t t0 = 0; t0 < p->n; t0 += TILE)
        for (size_t r = 0; r < n_rows; r += 2) {
            double sums[2][TILE], *w = rows + r * p->n_in;
            multiply_two_rows(w, w + p->n_in, p->x + t0 * p->n_in, p->n_in, sums);
            for (size_t t = t0; t < p->n && t < t0 + TILE; t++)
                for (size_t k = 0; k < 2 && r + k < n_rows; k++)
                    p->y[t * p->n_out + first + r + k] = sums[k][t - t0];
        }
    free(decoded);
    free(rows);
}

/* y[n][n_out] = x[n][n_in] W^T. */
static void multiply(const sz_gguf_tensor *w, size_t n_in, size_t n_out, const double *x, size_t n,
                     double *y) {
    if (!w || w->n_dim != 2 || w->dim[0] != n_in || w->dim[1] != n_out)
        die("tensor %s: not a matrix [%zu, %zu]", w ? w->name : "(missing)", n_out, n_in);
    size_t n_tiles = (n + TILE - 1) / TILE;
    double *tiles = allocate(n_tiles * TILE * n_in, sizeof *tiles);
    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < n_in; i++)
            tiles[(t / TILE * n_in + i) * TILE + t % TILE] = x[t * n_in + i];
    product p = {.w = w, .x = tiles, .y = y, .n = n, .n_in = n_in, .n_out = n_out};
    in_parallel(multiply_rows, &p, (n_out + ROWS - 1) / ROWS);
    free(tiles);
}

static void add_bias(const sz_gguf_tensor *bias, size_t width, size_t n, double *y) {
    float *b = read_vector(bias, width);
    for (size_t t = 0; b && t < n; t++)
        for (size_t i = 0; i < width; i++)
            y[t * width + i] += b[i];
    free(b);
}

/* Turns pair i of each head by position * frequency[i]. x [n][n_heads][head_dim]. */
static void rotate(const hparams *h, const rope *r, size_t n_heads, size_t n, double *x) {
    size_t half = h->n_rot / 2;
    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < half; i++) {
            double angle = (double)t * r->frequency[i];
            double c = cos(angle) * r->scale, s = sin(angle) * r->scale;
            for (size_t head = 0; head < n_heads; head++) {
                double *v = x + (t * n_heads + head) * h->head_dim;
                double *a = h->interleaved ? v + 2 * i : v + i;
                double *b = h->interleaved ? v + 2 * i + 1 : v + i + half;
                double a0 = *a, b0 = *b;
                *a = a0 * c - b0 * s;
                *b = a0 * s + b0 * c;
            }
        }
}

typedef struct attention {
    const hparams *h;
    size_t window;
    const double *q, *k, *v; /* [n][n_head or n_head_kv][head_dim] */
    double *out;             /* [n][n_head][head_dim] */
} attention;

/* One token: each head looks at the tokens up to itself, within its window. */
static void attend_token(void *context, size_t t) {
    const attention *a = context;
    const hparams *h = a->h;
    size_t d = h->head_dim, group = h->n_head / h->n_head_kv;
    size_t first = a->window && t + 1 > a->window ? t + 1 - a->window : 0;
    double *p = allocate(t + 1, sizeof *p);
    for (size_t head = 0; head < h->n_head; head++) {
        const double *q = a->q + (t * h->n_head + head) * d;
        double *out = a->out + (t * h->n_head + head) * d, top = -INFINITY, sum = 0;
        for (size_t s = first; s <= t; s++) {
            const double *k = a->k + (s * h->n_head_kv + head / group) * d;
            double dot = 0;
            for (size_t i = 0; i < d; i++)
                dot += q[i] * k[i];
            p[s] = dot * h->attention_scale;
            top = fmax(top, p[s]);
        }
        for (size_t s = first; s <= t; s++)
            sum += p[s] = exp(p[s] - top);
        memset(out, 0, d * sizeof *out);
        for (size_t s = first; s <= t; s++) {
            const double *v = a->v + (s * h->n_head_kv + head / group) * d;
            for (size_t i = 0; i < d; i++)
                out[i] += p[s] / sum * v[i];
        }
    }
    free(p);
}

static double silu(double x) {
    return x / (1 + exp(-x));
}

static double gelu(double x) { /* the tanh form, which Gemma was trained with */
    return 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
}

/* ---- The model ------------------------------------------------------------------------------- */

/* x += o(attention(norm(x))) */
static void attention_part(const model *m, size_t layer, double *x, size_t n) {
    const hparams *h = &m->h;
    size_t n_q = h->n_head * h->head_dim, n_kv = h->n_head_kv * h->head_dim;
    bool local = h->gemma && (layer + 1) % 6 != 0;
    const rope *r = local ? &m->local : &m->global;
    double *a = allocate(n * h->n_embd, sizeof *a), *q = allocate(n * n_q, sizeof *q);
    double *k = allocate(n * n_kv, sizeof *k), *v = allocate(n * n_kv, sizeof *v);
    double *mixed = allocate(n * n_q, sizeof *mixed);

    rms_norm(m, layer_tensor(m, layer, "attn_norm.weight"), h->n_embd, x, n, a);
    multiply(layer_tensor(m, layer, "attn_q.weight"), h->n_embd, n_q, a, n, q);
    multiply(layer_tensor(m, layer, "attn_k.weight"), h->n_embd, n_kv, a, n, k);
    multiply(layer_tensor(m, layer, "attn_v.weight"), h->n_embd, n_kv, a, n, v);
    add_bias(layer_tensor(m, layer, "attn_q.bias"), n_q, n, q);
    add_bias(layer_tensor(m, layer, "attn_k.bias"), n_kv, n, k);
    add_bias(layer_tensor(m, layer, "attn_v.bias"), n_kv, n, v);
    const sz_gguf_tensor *q_norm = layer_tensor(m, layer, "attn_q_norm.weight");
    if (q_norm) {
        rms_norm(m, q_norm, h->head_dim, q, n * h->n_head, q);
        rms_norm(m, layer_tensor(m, layer, "attn_k_norm.weight"), h->head_dim, k, n * h->n_head_kv,
                 k);
    }
    rotate(h, r, h->n_head, n, q);
    rotate(h, r, h->n_head_kv, n, k);
    attention all = {
        .h = h, .window = local || !h->gemma ? h->window : 0, .q = q, .k = k, .v = v, .out = mixed};
    in_parallel(attend_token, &all, n);
    multiply(layer_tensor(m, layer, "attn_output.weight"), n_q, h->n_embd, mixed, n, a);
    if (h->gemma)
        rms_norm(m, layer_tensor(m, layer, "post_attention_norm.weight"), h->n_embd, a, n, a);
    for (size_t i = 0; i < n * h->n_embd; i++)
        x[i] += a[i];
    free(a), free(q), free(k), free(v), free(mixed);
}

/* x += down(act(gate(norm(x))) * up(norm(x))) */
static void feed_forward_part(const model *m, size_t layer, double *x, size_t n) {
    const hparams *h = &m->h;
    double *a = allocate(n * h->n_embd, sizeof *a);
    double *gate = allocate(n * h->n_ff, sizeof *gate), *up = allocate(n * h->n_ff, sizeof *up);
    rms_norm(m, layer_tensor(m, layer, "ffn_norm.weight"), h->n_embd, x, n, a);
    multiply(layer_tensor(m, layer, "ffn_gate.weight"), h->n_embd, h->n_ff, a, n, gate);
    multiply(layer_tensor(m, layer, "ffn_up.weight"), h->n_embd, h->n_ff, a, n, up);
    for (size_t i = 0; i < n * h->n_ff; i++)
        gate[i] = (h->gemma ? gelu(gate[i]) : silu(gate[i])) * up[i];
    multiply(layer_tensor(m, layer, "ffn_down.weight"), h->n_ff, h->n_embd, gate, n, a);
    if (h->gemma)
        rms_norm(m, layer_tensor(m, layer, "post_ffw_norm.weight"), h->n_embd, a, n, a);
    for (size_t i = 0; i < n * h->n_embd; i++)
        x[i] += a[i];
    free(a), free(gate), free(up);
}

/* The last hidden states [n][n_embd], normed; the caller frees. */
static double *forward(const model *m, const long *ids, size_t n) {
    const hparams *h = &m->h;
    const sz_gguf_tensor *embd = find_tensor(m, "token_embd.weight");
    double *x = allocate(n * h->n_embd, sizeof *x);
    float *row = allocate(h->n_embd, sizeof *row);
    for (size_t t = 0; t < n; t++) {
        if (ids[t] < 0 || (size_t)ids[t] >= h->n_vocab)
            die("id %ld at position %zu is not in the vocabulary", ids[t], t);
        decode(embd, (size_t)ids[t] * h->n_embd, h->n_embd, row);
        for (size_t i = 0; i < h->n_embd; i++)
            x[t * h->n_embd + i] = row[i] * h->embedding_scale;
    }
    free(row);
    for (size_t layer = 0; layer < h->n_layer; layer++) {
        attention_part(m, layer, x, n);
        feed_forward_part(m, layer, x, n);
    }
    rms_norm(m, find_tensor(m, "output_norm.weight"), h->n_embd, x, n, x);
    return x;
}

/* ---- Files in and out ------------------------------------------------------------------------ */

static void write_npy_header(FILE *f, size_t rows, size_t cols) {
    char text[118]; /* magic (10 bytes) and text fill 128 */
    int len =
        snprintf(text, sizeof text,
                 "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }", rows, cols);
    memset(text + len, ' ', sizeof text - (size_t)len);
    text[sizeof text - 1] = '\n';
    fwrite("\x93NUMPY\1\0\x76\0", 1, 10, f);
    fwrite(text, 1, sizeof text, f);
}

/* Logits, some tokens at a time: all of them at once in double would fill the memory. */
static void write_logits(const model *m, const double *hidden, size_t n, const char *path) {
    const hparams *h = &m->h;
    const sz_gguf_tensor *head = find_tensor(m, "output.weight");
    enum { CHUNK = 64 };
    double *y = allocate(CHUNK * h->n_vocab, sizeof *y);
    float *row = allocate(h->n_vocab, sizeof *row);
    FILE *f = fopen(path, "wb");
    if (!f)
        die("%s: cannot write", path);
    write_npy_header(f, n, h->n_vocab);
    for (size_t t0 = 0; t0 < n; t0 += CHUNK) {
        size_t some = n - t0 < CHUNK ? n - t0 : CHUNK;
        multiply(head ? head : find_tensor(m, "token_embd.weight"), h->n_embd, h->n_vocab,
                 hidden + t0 * h->n_embd, some, y);
        for (size_t t = 0; t < some; t++) {
            for (size_t i = 0; i < h->n_vocab; i++)
                row[i] = (float)y[t * h->n_vocab + i];
            fwrite(row, sizeof *row, h->n_vocab, f);
        }
    }
    if (ferror(f) || fclose(f) != 0)
        die("%s: writing failed", path);
    free(y);
    free(row);
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fputs("usage: exact_forward MODEL.gguf IDS.json LOGITS.npy\n", stderr);
        return 2;
    }
    size_t n;
    long *ids = read_ids(argv[2], &n);
    if (!ids)
        die("%s: not a JSON array of ids", argv[2]);
    model m = open_model(argv[1]);
    double *hidden = forward(&m, ids, n);
    write_logits(&m, hidden, n, argv[3]);
    free(hidden);
    free(ids);
    free(m.global.frequency);
    free(m.local.frequency);
    sz_gguf_close(m.file);
    return 0;
}
