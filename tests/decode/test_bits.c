/* The contract of bits: a token's logits are the same computed alone or in a prompt, in any chunks,
 * among other sequences, on any number of threads, with every instruction set, after a fork, and
 * after a sequence was cut and grown again. */
#include "check.h"
#include "support/engine.h"

#include <stdlib.h>
#include <string.h>

enum { N = 150 }; /* over two blocks of the cache, far beyond the windows */

static const sz_kv_type kv_types[] = {SZ_KV_F16, SZ_KV_F32, SZ_KV_Q8_0};
enum { N_KV_TYPES = 3, N_CASES = N_KV_TYPES * 8 };

typedef struct subject { /* one model with one kind of cache */
    const tiny_model *config;
    sz_kv_type kv_type;
    uint32_t n_vocab;
    int32_t ids[N];
    float *want; /* [N][n_vocab] computed at once by one thread */
} subject;

static sz_session *new_session(const subject *b, const engine *e) {
    sz_session *s;
    sz_session_config config = {.kv_type = b->kv_type, .context = 256, .n_sequences = 8};
    SZ_CHECK_OK(sz_session_new(e->model, &config, &s));
    return s;
}

static size_t row_bytes(const subject *b) {
    return b->n_vocab * sizeof(float);
}

/* Appends ids [from, to) in chunks and compares every row. */
static void append(const subject *b, sz_session *s, uint32_t seq, uint32_t from, uint32_t to,
                   uint32_t chunk) {
    for (uint32_t at = from; at < to; at += chunk) {
        uint32_t n = to - at < chunk ? to - at : chunk;
        sz_span span = {seq, b->ids + at, n, SZ_ALL};
        SZ_CHECK_OK(sz_session_forward(s, &span, 1));
        for (uint32_t i = 0; i < n; i++)
            if (memcmp(sz_session_logits(s, i), b->want + (at + i) * b->n_vocab, row_bytes(b)))
                fail_msg("token %u of sequence %u differs (chunks of %u)", at + i, seq, chunk);
        assert_null(sz_session_logits(s, n));
    }
}

static subject make_subject(const tiny_model *config, sz_kv_type type, const engine *e) {
    subject b = {.config = config, .kv_type = type};
    sz_model_info info;
    sz_model_get_info(e->model, &info);
    b.n_vocab = info.n_vocab;
    random_ids(config->seed, b.n_vocab, b.ids, N);
    b.want = malloc(N * row_bytes(&b));
    sz_session *s = new_session(&b, e);
    sz_span span = {0, b.ids, N, SZ_ALL};
    SZ_CHECK_OK(sz_session_forward(s, &span, 1));
    memcpy(b.want, sz_session_logits(s, 0), N * row_bytes(&b));
    sz_session_free(s);
    return b;
}

static void chunks(const subject *b, const engine *e) {
    static const uint32_t sizes[] = {1, 7, 64, 512};
    for (size_t i = 0; i < 4; i++) {
        sz_session *s = new_session(b, e);
        append(b, s, 0, 0, N, sizes[i]);
        sz_session_free(s);
    }
}

/* Four sequences at different places, in spans of different lengths, until all are complete. */
static void mixed_batches(const subject *b, const engine *e) {
    static const uint32_t steps[4][4] = {
        {1, 1, 1, 1}, {40, 1, 9, 3}, {64, 2, 1, 17}, {0, 5, 31, 90}};
    sz_session *s = new_session(b, e);
    uint32_t seq[4] = {0}, done[4] = {0};
    for (int i = 1; i < 4; i++)
        SZ_CHECK_OK(sz_session_add(s, &seq[i]));
    for (uint32_t round = 0; done[0] + done[1] + done[2] + done[3] < 4 * N; round++) {
        sz_span spans[4];
        for (uint32_t i = 0; i < 4; i++) {
            uint32_t n = steps[i][round % 4];
            n = n < N - done[i] ? n : N - done[i];
            spans[(i + round) % 4] =
                (sz_span){seq[i], b->ids + done[i], n, i % 2 ? SZ_ALL : SZ_LAST};
        }
        SZ_CHECK_OK(sz_session_forward(s, spans, 4));
        size_t row = 0;
        for (uint32_t k = 0; k < 4; k++) {
            uint32_t i = (k + 4 - round % 4) % 4, n = spans[k].n;
            for (uint32_t j = spans[k].want == SZ_ALL || n == 0 ? 0 : n - 1; j < n; j++)
                if (memcmp(sz_session_logits(s, row++), b->want + (done[i] + j) * b->n_vocab,
                           row_bytes(b)))
                    fail_msg("round %u: token %u of sequence %u differs", round, done[i] + j, i);
            done[i] += n;
        }
        assert_null(sz_session_logits(s, row));
    }
    sz_session_free(s);
}

static void forks(const subject *b, const engine *e) {
    static const uint32_t places[] = {1, 63, 64, 65, 100, 128};
    int32_t other[N];
    random_ids(1234, b->n_vocab, other, N);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        sz_session *s = new_session(b, e);
        uint32_t stray, heir;
        append(b, s, 0, 0, places[i], 64);
        SZ_CHECK_OK(sz_session_fork(s, 0, &stray));
        SZ_CHECK_OK(sz_session_fork(s, 0, &heir));
        sz_span span = {stray, other, N - places[i], SZ_NONE};
        SZ_CHECK_OK(sz_session_forward(s, &span, 1)); /* must not show in the other two */
        append(b, s, 0, places[i], N, 9);
        SZ_CHECK_OK(sz_session_drop(s, 0)); /* nor must it that the prefix's owner is gone */
        SZ_CHECK_OK(sz_session_drop(s, stray));
        append(b, s, heir, places[i], N, 64);
        SZ_CHECK_OK(sz_session_drop(s, heir));
        assert_int_equal(sz_session_kv_bytes(s), 0);
        sz_session_free(s);
    }
}

static void cuts(const subject *b, const engine *e) {
    static const uint32_t places[] = {0, 1, 63, 64, 65, 149};
    int32_t other[N];
    random_ids(4321, b->n_vocab, other, N);
    sz_session *s = new_session(b, e);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        SZ_CHECK_OK(sz_session_truncate(s, 0, 0));
        append(b, s, 0, 0, places[i], 512);
        sz_span span = {0, other, N - places[i], SZ_LAST};
        SZ_CHECK_OK(sz_session_forward(s, &span, 1)); /* other tokens, then the right ones */
        SZ_CHECK_OK(sz_session_truncate(s, 0, places[i]));
        append(b, s, 0, places[i], N, 32);
    }
    sz_session_free(s);
}

static void threads_and_instruction_sets(const subject *b) {
    const char *const *isa = sz_isa_available();
    for (size_t i = 0; isa[i]; i++)
        for (int threads = 1; threads <= 4; threads++) {
            if (i > 0 && threads % 2 == 0) /* all numbers of threads with the best one only */
                continue;
            engine e;
            SZ_CHECK_OK(engine_open_tiny(b->config, threads, isa[i], &e));
            uint64_t before = sz_isa_products(isa[i]);
            sz_session *s = new_session(b, &e);
            append(b, s, 0, 0, 100, 50);
            append(b, s, 0, 100, N, 1);
            assert_true(sz_isa_products(isa[i]) > before);
            sz_session_free(s);
            engine_close(&e);
        }
}

static void bits_are_the_same(void **state) {
    size_t which = (size_t)*state;
    const tiny_model *config = &every_architecture[which / N_KV_TYPES];
    engine e;
    SZ_CHECK_OK(engine_open_tiny(config, 2, NULL, &e));
    subject b = make_subject(config, kv_types[which % N_KV_TYPES], &e);
    chunks(&b, &e);
    mixed_batches(&b, &e);
    forks(&b, &e);
    cuts(&b, &e);
    threads_and_instruction_sets(&b);
    free(b.want);
    engine_close(&e);
}

int main(void) {
    static char names[N_CASES][48];
    static const char *const kv_names[] = {"f16", "f32", "q8_0"};
    struct CMUnitTest tests[N_CASES];
    size_t n = n_architectures * N_KV_TYPES;
    for (size_t i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "%s, seed %d, cache %s",
                 every_architecture[i / N_KV_TYPES].arch,
                 (int)every_architecture[i / N_KV_TYPES].seed, kv_names[i % N_KV_TYPES]);
        tests[i] = (struct CMUnitTest){names[i], bits_are_the_same, NULL, NULL, (void *)i};
    }
    return _cmocka_run_group_tests("bits", tests, n, NULL, NULL);
}
