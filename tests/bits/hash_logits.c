/* hash_logits.c: hashes of a model's logits and of text drawn from it, in many settings; one line
 * each, with the products that the instruction set's kernels computed and the speed.
 * tools/check_bits compares the lines of builds by several compilers for several processors.
 *
 * usage: hash_logits EXTENT tiny                      random models of every architecture and type
 *        hash_logits EXTENT NAME MODEL.gguf ID...     a file
 * EXTENT: one (best instruction set, one setting), brief (of each set: a token alone and in a
 * batch), few (every way of each set), all (and every number of threads and chunk). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/engine.h"
#include <szilard/unstable/num.h>

enum { MOST_IDS = 600, GENERATED = 24 };

typedef struct subject {
    const char *name, *path;
    sz_kv_type kv_type;
    uint32_t n, n_vocab;
    int32_t ids[MOST_IDS], other[MOST_IDS]; /* other: tokens that must not show */
} subject;

typedef struct setting {
    const char *isa, *way;
    int threads;
    uint32_t chunk;
} setting;

typedef struct output {
    sz_sha256 hash;
    size_t n_tokens;
    uint64_t ns;
} output;

static void must(sz_status status, const char *what) {
    if (status == SZ_OK)
        return;
    fprintf(stderr, "hash_logits: %s: %s\n", what, sz_last_error());
    exit(1);
}

/* ---- Ways to compute the same logits --------------------------------------------------------- */

static void put_row(const subject *b, output *out, const sz_session *s, size_t row) {
    sz_sha256_update(&out->hash, sz_session_logits(s, row), b->n_vocab * sizeof(float));
    out->n_tokens++;
}

static void forward(sz_session *s, output *out, const sz_span *spans, size_t n) {
    uint64_t start = sz_time_ns();
    must(sz_session_forward(s, spans, n), "forward");
    out->ns += sz_time_ns() - start;
}

/* Appends ids [from, to) in chunks. */
static void append(const subject *b, sz_session *s, output *out, uint32_t seq, uint32_t from,
                   uint32_t to, uint32_t chunk) {
    for (uint32_t at = from; at < to; at += chunk) {
        uint32_t n = to - at < chunk ? to - at : chunk;
        forward(s, out, &(sz_span){seq, b->ids + at, n, SZ_ALL}, 1);
        for (uint32_t i = 0; i < n; i++)
            put_row(b, out, s, i);
    }
}

static void plain(const subject *b, sz_session *s, output *out, uint32_t chunk) {
    append(b, s, out, 0, 0, b->n, chunk);
}

/* Every token alone, between spans of two other sequences. */
static void mixed(const subject *b, sz_session *s, output *out, uint32_t chunk) {
    uint32_t before, after;
    must(sz_session_add(s, &before), "add");
    must(sz_session_add(s, &after), "add");
    for (uint32_t i = 0; i < b->n; i++) {
        uint32_t n = i % 3 < b->n - i ? i % 3 : b->n - i;
        sz_span spans[] = {{before, b->other + i, n, SZ_LAST},
                           {0, b->ids + i, 1, SZ_ALL},
                           {after, b->other + i / 2, 1, SZ_ALL}};
        forward(s, out, spans, 3);
        put_row(b, out, s, n > 0);
    }
}

/* The second half continues a fork, beside a stray that continues the same blocks. */
static void forked(const subject *b, sz_session *s, output *out, uint32_t chunk) {
    uint32_t heir, half = b->n / 2;
    append(b, s, out, 0, 0, half, chunk);
    must(sz_session_fork(s, 0, &heir), "fork");
    forward(s, out, &(sz_span){0, b->other, b->n - half, SZ_NONE}, 1);
    append(b, s, out, heir, half, b->n, chunk);
}

/* Grows by other tokens, is cut, and grows again. */
static void cut(const subject *b, sz_session *s, output *out, uint32_t chunk) {
    uint32_t third = b->n / 3;
    append(b, s, out, 0, 0, third, chunk);
    forward(s, out, &(sz_span){0, b->other, b->n - third, SZ_NONE}, 1);
    must(sz_session_truncate(s, 0, third), "truncate");
    append(b, s, out, 0, third, b->n, chunk);
}

/* Draws tokens; ids and records are hashed. */
static void generated(const subject *b, sz_session *s, output *out, uint32_t chunk) {
    sz_token t;
    uint32_t n = b->n < 8 ? b->n : 8;
    must(sz_session_set_sampler(s, 0, "top-k 60, min-p 0.01, temperature 0.9", 42), "sampler");
    uint64_t start = sz_time_ns();
    must(sz_session_prompt_ids(s, 0, b->ids, n), "prompt");
    for (int i = 0; i < GENERATED; i++) {
        sz_status status = sz_session_next(s, 0, &t);
        sz_sha256_update(&out->hash, &t.id, sizeof t.id);
        sz_sha256_update(&out->hash, &t.surprisal, 5 * sizeof(float));
        if (status == SZ_END)
            break;
        must(status, "next");
        out->n_tokens++;
    }
    out->ns = sz_time_ns() - start;
}

static const struct way {
    const char *name, *kind;
    void (*run)(const subject *, sz_session *, output *, uint32_t chunk);
} ways[] = {{"plain", "logits", plain},
            {"mixed", "logits", mixed},
            {"forked", "logits", forked},
            {"cut", "logits", cut},
            {"generated", "text", generated}};
enum { N_WAYS = sizeof ways / sizeof *ways };

/* ---- Settings -------------------------------------------------------------------------------- */

static void report(const subject *b, const struct way *way, output *out, const setting *t,
                   uint64_t products) {
    uint8_t digest[32];
    char hex[65];
    sz_sha256_final(&out->hash, digest);
    sz_hex(digest, 32, hex);
    printf("%s %s %s isa %s threads %d chunk %u way %s products %llu tokens/s %.1f\n", b->name,
           way->kind, hex, t->isa, t->threads, t->chunk, t->way, (unsigned long long)products,
           (double)out->n_tokens / ((double)out->ns * 1e-9));
    fflush(stdout);
    if (products == 0) {
        fprintf(stderr, "hash_logits: the kernels of %s did not run\n", t->isa);
        exit(1);
    }
}

static void run(const subject *b, sz_model *model, const setting *t) {
    const struct way *way = ways;
    while (strcmp(way->name, t->way) != 0)
        way++;
    sz_session *s;
    sz_session_config config = {.context = 2 * b->n + 64, .n_sequences = 3, .kv_type = b->kv_type};
    output out = {.n_tokens = 0};
    sz_sha256_init(&out.hash);
    must(sz_session_new(model, &config, &s), "session");
    uint64_t before = sz_isa_products(t->isa);
    way->run(b, s, &out, t->chunk);
    report(b, way, &out, t, sz_isa_products(t->isa) - before);
    sz_session_free(s);
}

typedef enum extent { ONE, BRIEF, FEW, ALL } extent;
static extent most; /* what the arguments ask for */

static void run_subject(subject *b, extent extent) {
    static const uint32_t chunks[] = {7, 64, 1, 512};
    bool all = extent == ALL && most == ALL;
    for (const char *const *isa = sz_isa_available(); *isa; isa++)
        for (int threads = all ? 1 : 2; threads <= (all ? 4 : 2); threads++) {
            size_t n_ways = all && threads % 2 == 0 ? 1 : N_WAYS;
            n_ways = most == ONE ? 1 : extent == BRIEF || most == BRIEF ? 2 : n_ways;
            engine e;
            must(engine_open(b->path, threads, *isa, &e), "model");
            for (int i = 0; i < (all ? 4 : 1); i++)
                run(b, e.model, &(setting){*isa, "plain", threads, chunks[i]});
            for (size_t i = 1; i < n_ways; i++)
                run(b, e.model, &(setting){*isa, ways[i].name, threads, 64});
            engine_close(&e);
            if (most == ONE)
                return;
        }
}

static void prepare(subject *b) {
    engine e;
    sz_model_info info;
    must(engine_open(b->path, 1, NULL, &e), "model");
    sz_model_get_info(e.model, &info);
    b->n_vocab = info.n_vocab;
    random_ids(99, b->n_vocab, b->other, MOST_IDS);
    engine_close(&e);
}

/* ---- Tiny models ----------------------------------------------------------------------------- */

/* The file too must be the same: random numbers and encoders give the same bits everywhere. */
static void hash_file(const subject *b) {
    sz_map m;
    sz_sha256 hash;
    uint8_t digest[32];
    char hex[65];
    must(sz_map_open(b->path, &m), "map");
    sz_sha256_init(&hash);
    sz_sha256_update(&hash, m.data, m.size);
    sz_sha256_final(&hash, digest);
    sz_hex(digest, 32, hex);
    printf("%s file %s\n", b->name, hex);
    sz_map_close(&m);
}

static void run_tiny(const char *name, tiny_model config, sz_kv_type kv_type, extent extent) {
    char path[TINY_MODEL_PATH];
    subject b = {.name = name, .path = path, .kv_type = kv_type, .n = 80};
    config.seed = 5;
    config.no_end = true;
    must(tiny_model_make(&config, path), "tiny model");
    hash_file(&b);
    prepare(&b);
    random_ids(3, b.n_vocab, b.ids, b.n);
    run_subject(&b, extent);
    unlink(path);
}

static void run_every_type(void) {
    static const sz_type types[] = {SZ_F32,  SZ_F16,    SZ_BF16,   SZ_Q4_0, SZ_Q4_1, SZ_Q5_0,
                                    SZ_Q5_1, SZ_Q8_0,   SZ_Q2_K,   SZ_Q3_K, SZ_Q4_K, SZ_Q5_K,
                                    SZ_Q6_K, SZ_IQ4_NL, SZ_IQ4_XS, SZ_MXFP4};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char name[32];
        snprintf(name, sizeof name, "tiny-%s", sz_type_get(types[i])->name);
        run_tiny(name, (tiny_model){.type = types[i], .n_layer = 1}, SZ_KV_F16, BRIEF);
    }
}

static void run_every_architecture(void) {
    run_tiny("tiny-llama", (tiny_model){.type = SZ_Q4_K, .type_down = SZ_Q6_K}, SZ_KV_F16, ALL);
    run_tiny("tiny-llama-kv-f32", (tiny_model){.type = SZ_Q4_1}, SZ_KV_F32, FEW);
    run_tiny("tiny-llama-kv-q8_0", (tiny_model){.type = SZ_Q4_1}, SZ_KV_Q8_0, FEW);
    run_tiny("tiny-qwen2", (tiny_model){.arch = "qwen2", .type = SZ_Q5_0}, SZ_KV_F16, FEW);
    run_tiny("tiny-qwen3", (tiny_model){.arch = "qwen3", .untied = true}, SZ_KV_F16, FEW);
    run_tiny("tiny-gemma3", (tiny_model){.arch = "gemma3", .type = SZ_Q8_0, .head_dim = 80},
             SZ_KV_F16, FEW);
}

static void run_file(int argc, char **argv) {
    subject b = {.name = argv[2], .path = argv[3], .n = (uint32_t)argc - 4};
    prepare(&b);
    for (uint32_t i = 0; i < b.n; i++)
        b.ids[i] = (int32_t)strtol(argv[i + 4], NULL, 10);
    run_subject(&b, ALL);
}

int main(int argc, char **argv) {
    static const char *const extents[] = {"one", "brief", "few", "all"};
    bool tiny = argc == 3 && strcmp(argv[2], "tiny") == 0, known = false;
    for (int i = 0; i < 4 && argc > 1 && !known; i++) {
        known = strcmp(argv[1], extents[i]) == 0;
        most = (extent)i;
    }
    if (!known || !(tiny || (argc > 4 && argc - 4 <= MOST_IDS))) {
        fprintf(stderr, "usage: hash_logits one|brief|few|all tiny | NAME MODEL ID...\n");
        return 2;
    }
    if (tiny) {
        run_every_architecture();
        run_every_type();
    } else {
        run_file(argc, argv);
    }
    return 0;
}
