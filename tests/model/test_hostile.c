/* A tiny model broken in every field: opening it must fail with a reason, or what opens must run a
 * token; never a crash, a leak or more than 64 MB of heap. */
#include "check.h"
#include "heap_meter.h"
#include "support/engine.h"
#include "support/gguf_cut.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <szilard/unstable/model.h>
#include <unistd.h>

enum { MOST_HEAP = 64 << 20 };

static sz_runtime *rt;
static int fd; /* of the file in memory that each case is written to */
static char path[64];

static sz_buf base, broken; /* the sound file; the case */
static gguf_cut cut;
static unsigned n_cases, n_opened;

/* ---- One case -------------------------------------------------------------------------------- */

/* What a user of the model would do next; any status will do. */
static void use(sz_model *m) {
    static const int32_t ids[] = {0, 255, 276, 292, 1 << 30};
    sz_session *s = NULL;
    sz_token t;
    sz_model_info info;
    size_t n;
    char text[64], *chat = NULL;
    sz_model_get_info(m, &info);
    sz_model_tokenize(m, "a b", 3, true, NULL, 0, &n);
    sz_model_detokenize(m, ids, 4, true, text, sizeof text, &n);
    sz_model_detokenize(m, ids, 5, false, text, sizeof text, &n);
    if (sz_model_render_chat(m, "[{\"role\":\"user\",\"content\":\"x\"}]", NULL, NULL, true,
                             &chat) == SZ_OK)
        sz_string_free(chat);
    if (sz_session_new(m, NULL, &s) == SZ_OK) {
        if (sz_session_prompt(s, 0, "the end") == SZ_OK && sz_session_next(s, 0, &t) == SZ_OK)
            assert_non_null(sz_session_text(s, 0));
    }
    sz_session_free(s);
}

static void open_and_use(const char *what) {
    sz_model *m = NULL;
    sz_set_error("");
    if (sz_model_open(rt, path, NULL, &m) != SZ_OK) {
        if (m || !strstr(sz_last_error(), path))
            fail_msg("%s: refused with \"%s\"", what, sz_last_error());
        return;
    }
    n_opened++;
    use(m);
    sz_model_close(m);
}

static void write_case(void) {
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, broken.data ? broken.data : "", broken.len, 0),
                     (ssize_t)broken.len);
}

/* Opens the file in `broken` as a model and as a vocabulary. */
static void try_case(const char *what) {
    const sz_model_config vocabulary = {.vocab_only = true};
    sz_model *m = NULL;
    assert_false(broken.failed);
    write_case();
    n_cases++;
    size_t before = heap_begin();
    open_and_use(what);
    if (sz_model_open(rt, path, &vocabulary, &m) == SZ_OK)
        sz_model_close(m);
    if (heap_peak() > before + MOST_HEAP)
        fail_msg("%s: %zu bytes of heap", what, heap_peak() - before);
    if (heap_now() != before)
        fail_msg("%s: %zd bytes are not released", what, (ssize_t)(heap_now() - before));
}

/* ---- Making cases ---------------------------------------------------------------------------- */

/* broken: the sound file with head[from..to) replaced by n bytes, and other counts. */
static void splice(size_t from, size_t to, const void *bytes, size_t n, int more_tensors,
                   int more_keys) {
    uint64_t n_tensors = cut.n_tensors + (uint64_t)more_tensors;
    uint64_t n_keys = cut.n_keys + (uint64_t)more_keys;
    sz_buf_clear(&broken);
    sz_buf_append(&broken, base.data, from);
    sz_buf_append(&broken, bytes, n);
    sz_buf_append(&broken, base.data + to, cut.head_end - to);
    memcpy(broken.data + CUT_N_TENSORS, &n_tensors, 8);
    memcpy(broken.data + CUT_N_KEYS, &n_keys, 8);
    while (broken.len % 32)
        sz_buf_putc(&broken, 0);
    sz_buf_append(&broken, base.data + cut.data_at, base.len - cut.data_at);
}

/* broken: the sound file with other bytes at a position. */
static void overwrite(size_t at, const void *bytes, size_t n) {
    sz_buf_clear(&broken);
    sz_buf_append(&broken, base.data, base.len);
    memcpy(broken.data + at, bytes, n);
}

static const uint64_t extremes[] = {0,
                                    1,
                                    2,
                                    3,
                                    7,
                                    31,
                                    33,
                                    255,
                                    65535,
                                    65536,
                                    (1u << 20) + 1,
                                    (1u << 27) + 1,
                                    1u << 30,
                                    INT32_MAX,
                                    1u << 31,
                                    UINT32_MAX,
                                    1ull << 32,
                                    INT64_MAX,
                                    1ull << 63,
                                    UINT64_MAX - 7,
                                    UINT64_MAX};
enum { N_EXTREMES = sizeof extremes / sizeof *extremes };

static const double numbers[] = {0.0,   -0.0, 1.0,    -1.0,    0.5,   1.0000001, 1e-45,
                                 1e-30, 1e30, 3.4e38, -3.4e38, 1e300, -1e300};
enum { N_NUMBERS = sizeof numbers / sizeof *numbers };

/* A value of another type or size in the place of a key's. */
static void replace_value(const key_cut *k, sz_gguf_type type, const void *value, size_t n,
                          const char *what) {
    sz_buf b = {0};
    uint32_t t = type;
    char name[128];
    snprintf(name, sizeof name, "%.*s as %s", (int)k->n_name, k->name, what);
    sz_buf_append(&b, &t, 4);
    sz_buf_append(&b, value, n);
    splice(k->type, k->end, b.data, b.len, 0, 0);
    sz_buf_free(&b);
    try_case(name);
}

static void replace_array(const key_cut *k, sz_gguf_type element, uint64_t n, const void *values,
                          size_t n_bytes, const char *what) {
    sz_buf b = {0};
    uint32_t t = element;
    sz_buf_append(&b, &t, 4);
    sz_buf_append(&b, &n, 8);
    sz_buf_append(&b, values, n_bytes);
    replace_value(k, SZ_GGUF_ARRAY, b.data, b.len, what);
    sz_buf_free(&b);
}

static void every_number(const key_cut *k) {
    for (int i = 0; i < N_EXTREMES; i++) {
        uint64_t u = extremes[i];
        replace_value(k, SZ_GGUF_U64, &u, 8, "u64");
        replace_value(k, SZ_GGUF_I64, &u, 8, "i64");
        replace_value(k, SZ_GGUF_U32, &u, 4, "u32");
        replace_value(k, SZ_GGUF_I32, &u, 4, "i32");
    }
    for (int i = 0; i < N_NUMBERS; i++) {
        float f = (float)numbers[i];
        replace_value(k, SZ_GGUF_F32, &f, 4, "f32");
        replace_value(k, SZ_GGUF_F64, &numbers[i], 8, "f64");
    }
    const double special[] = {__builtin_nan(""), __builtin_inf(), -__builtin_inf()};
    for (int i = 0; i < 3; i++) {
        float f = (float)special[i];
        replace_value(k, SZ_GGUF_F32, &f, 4, "special f32");
        replace_value(k, SZ_GGUF_F64, &special[i], 8, "special f64");
    }
    for (int i = 0; i < 3; i++) {
        replace_value(k, SZ_GGUF_BOOL, &(char){(char)i}, 1, "bool");
        replace_value(k, SZ_GGUF_I8, &(char){(char)(i * 100)}, 1, "i8");
        replace_value(k, SZ_GGUF_U16, &(uint16_t){(uint16_t)(i * 30000)}, 2, "u16");
    }
}

static void every_string_and_array(const key_cut *k) {
    static const char *const texts[] = {"",     "llama",    "gpt2",   "bert",
                                        "yarn", "\xff\xfe", "{% for", "{{ x.y.z }}"};
    static const float scores[3] = {-1e30f, 0, 1};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        sz_buf b = {0};
        uint64_t n = strlen(texts[i]);
        sz_buf_append(&b, &n, 8);
        sz_buf_puts(&b, texts[i]);
        replace_value(k, SZ_GGUF_STRING, b.data, b.len, texts[i]);
        replace_array(k, SZ_GGUF_STRING, 1, b.data, b.len, "an array of one string");
        sz_buf_free(&b);
    }
    replace_array(k, SZ_GGUF_STRING, 0, "", 0, "an array of no string");
    replace_array(k, SZ_GGUF_F32, 3, scores, 12, "an array of floats");
    replace_array(k, SZ_GGUF_I32, 0, "", 0, "an array of no number");
    replace_array(k, SZ_GGUF_U32, 3, scores, 12, "an array of numbers");
    replace_array(k, SZ_GGUF_ARRAY, 1, "\0\0\0\0\1\0\0\0\0\0\0\0\0", 13, "an array of arrays");
}

/* ---- The cases ------------------------------------------------------------------------------- */

static void keys_dropped_and_doubled(void **state) {
    for (size_t i = 0; i < cut.n_keys; i++) {
        const key_cut *k = &cut.keys[i];
        splice(k->at, k->end, "", 0, 0, -1);
        try_case("a key dropped");
        splice(k->end, k->end, base.data + k->at, k->end - k->at, 0, 1);
        try_case("a key doubled");
    }
}

static void values_replaced(void **state) {
    for (size_t i = 0; i < cut.n_keys; i++) {
        every_number(&cut.keys[i]);
        every_string_and_array(&cut.keys[i]);
    }
}

static void types_changed(void **state) {
    for (size_t i = 0; i < cut.n_keys; i++)
        for (uint32_t type = 0; type < 16; type++) {
            overwrite(cut.keys[i].type, &type, 4);
            try_case("the type of a key");
            overwrite(cut.keys[i].value, &type, 4);
            try_case("the start of a value");
        }
}

static void lengths_changed(void **state) {
    for (size_t i = 0; i < cut.n_keys; i++)
        for (int j = 0; j < N_EXTREMES; j++) {
            overwrite(cut.keys[i].at, &extremes[j], 8);
            try_case("the length of a key");
            if (cut.keys[i].end - cut.keys[i].value >= 12) {
                overwrite(cut.keys[i].value, &extremes[j], 8);
                try_case("the length of a string");
                overwrite(cut.keys[i].value + 4, &extremes[j], 8);
                try_case("the length of an array");
            }
        }
    for (int j = 0; j < N_EXTREMES; j++) {
        overwrite(CUT_N_KEYS, &extremes[j], 8);
        try_case("the number of keys");
        overwrite(CUT_N_TENSORS, &extremes[j], 8);
        try_case("the number of tensors");
    }
}

static void tensors_dropped_and_renamed(void **state) {
    for (size_t i = 0; i < cut.n_tensors; i++) {
        const tensor_cut *t = &cut.tensors[i];
        splice(t->at, t->end, "", 0, -1, 0);
        try_case("a tensor dropped");
        splice(t->end, t->end, base.data + t->at, t->end - t->at, 1, 0);
        try_case("a tensor doubled");
        overwrite(t->at + 8, "\033[2J", 4);
        try_case("a tensor renamed");
    }
}

static void tensors_changed(void **state) {
    for (size_t i = 0; i < cut.n_tensors; i++) {
        const tensor_cut *t = &cut.tensors[i];
        for (uint32_t type = 0; type < 45; type++) {
            overwrite(t->type, &type, 4);
            try_case("the type of a tensor");
        }
        for (int j = 0; j < N_EXTREMES; j++) {
            overwrite(t->type, &extremes[j], 4);
            try_case("the type of a tensor");
            overwrite(t->n_dim, &extremes[j], 4);
            try_case("the number of dimensions");
            overwrite(t->offset, &extremes[j], 8);
            try_case("the offset of a tensor");
            overwrite(t->offset, &(uint64_t){32 * extremes[j]}, 8);
            try_case("the aligned offset of a tensor");
            for (size_t d = t->dims; d < t->type; d += 8) {
                overwrite(d, &extremes[j], 8);
                try_case("a dimension");
            }
        }
    }
}

/* The heads of tensors and keys byte by byte; of the vocabulary every 13th byte. */
static void bytes_changed(void **state) {
    for (size_t at = 0; at < cut.head_end; at++) {
        bool vocabulary = false;
        for (size_t i = 0; i < cut.n_keys; i++)
            vocabulary |= cut.keys[i].end - cut.keys[i].value > 600 &&
                          at > cut.keys[i].value + 12 && at < cut.keys[i].end;
        if (vocabulary && at % 13 != 0)
            continue;
        overwrite(at, &(char){(char)~base.data[at]}, 1);
        try_case("a byte inverted");
        overwrite(at, &(char){(char)(base.data[at] + 1)}, 1);
        try_case("a byte raised");
    }
}

static void cut_everywhere(void **state) {
    sz_model *m = NULL;
    for (size_t n = 0; n < cut.data_at; n++) {
        sz_buf_clear(&broken);
        sz_buf_append(&broken, base.data, n);
        write_case();
        if (sz_model_open(rt, path, NULL, &m) == SZ_OK)
            fail_msg("the first %zu bytes open as a model", n);
    }
    for (size_t n = cut.data_at; n < base.len - 32; n += 1 + (base.len - cut.data_at) / 64) {
        sz_buf_clear(&broken);
        sz_buf_append(&broken, base.data, n);
        write_case();
        if (sz_model_open(rt, path, NULL, &m) == SZ_OK)
            fail_msg("the first %zu bytes open as a model", n);
    }
}

/* NaN, infinities and huge values as weights: logits that are no numbers are an error. */
static void weights_of_no_number(void **state) {
    static const uint32_t bits[] = {0x7fc00000, 0x7f800000, 0xff800000, 0x7f7fffff, 0x00000001};
    for (size_t i = 0; i < cut.n_tensors; i++)
        for (size_t j = 0; j < sizeof bits / sizeof *bits; j++) {
            uint64_t offset;
            memcpy(&offset, base.data + cut.tensors[i].offset, 8);
            overwrite(cut.data_at + offset, &bits[j], 4);
            try_case("a weight");
        }
}

/* ---- Set-up ---------------------------------------------------------------------------------- */

static int make_base(const tiny_model *config) {
    char file[TINY_MODEL_PATH];
    SZ_CHECK_OK(tiny_model_make(config, file));
    sz_buf_clear(&base);
    SZ_CHECK_OK(sz_file_read(file, 1 << 24, &base));
    unlink(file);
    gguf_cut_file(base.data, &cut);
    sz_buf_clear(&broken);
    sz_buf_append(&broken, base.data, base.len);
    unsigned opened = n_opened;
    try_case("the sound file");
    assert_int_equal(n_opened, opened + 1);
    return 0;
}

static int make_llama(void **state) {
    return make_base(&(tiny_model){
        .n_layer = 1, .n_embd = 32, .n_head = 2, .n_head_kv = 1, .n_ff = 32, .add_bos = true});
}

static int make_gemma(void **state) {
    return make_base(&(tiny_model){.arch = "gemma3",
                                   .type = SZ_Q8_0,
                                   .n_layer = 2,
                                   .n_embd = 32,
                                   .n_head = 2,
                                   .n_head_kv = 1,
                                   .n_ff = 32});
}

static int forget_base(void **state) {
    gguf_cut_free(&cut);
    printf("%u cases, %u of them opened\n", n_cases, n_opened);
    return 0;
}

static int begin(void **state) {
    SZ_CHECK_OK(sz_runtime_new(&(sz_runtime_config){.n_threads = 1}, &rt));
    fd = memfd_create("szilard-hostile", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return fd < 0;
}

static int end(void **state) {
    sz_buf_free(&base);
    sz_buf_free(&broken);
    close(fd);
    sz_runtime_free(rt);
    return 0;
}

#define OF(name, model) cmocka_unit_test_setup_teardown(name, make_##model, forget_base)

int main(void) {
    const struct CMUnitTest tests[] = {
        OF(keys_dropped_and_doubled, llama),
        OF(keys_dropped_and_doubled, gemma),
        OF(values_replaced, llama),
        OF(values_replaced, gemma),
        OF(types_changed, llama),
        OF(lengths_changed, llama),
        OF(tensors_dropped_and_renamed, llama),
        OF(tensors_dropped_and_renamed, gemma),
        OF(tensors_changed, llama),
        OF(tensors_changed, gemma),
        OF(bytes_changed, llama),
        OF(cut_everywhere, llama),
        OF(cut_everywhere, gemma),
        OF(weights_of_no_number, llama),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
