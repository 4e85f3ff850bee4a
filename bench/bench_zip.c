/* bench_zip.c: what decoding several segments at once gains, and what coding costs beside the
 * forward pass.
 *
 *     bench_zip MODEL.gguf TEXT [THREADS]
 *
 * Tokens per second of encoding 16 segments of 256 bytes of the text, of decoding one of them, and
 * of decoding all of them in one batch; and of the same tokens scored without coding.
 */
#include <stdio.h>
#include <stdlib.h>

#include "zip/lm.h"
#include "zip/lm_text.h"

enum { SEGMENTS = 16, LENGTH = 256 };

static void check(sz_status status) {
    if (status != SZ_OK) {
        fprintf(stderr, "bench_zip: %s\n", sz_last_error());
        exit(1);
    }
}

static double seconds_since(uint64_t start) {
    return (double)(sz_time_ns() - start) * 1e-9;
}

static size_t count_tokens(const sz_model *model, const sz_segment *s, size_t n) {
    size_t tokens = 0;
    for (size_t i = 0; i < n; i++) {
        sz_lm_text x;
        check(sz_lm_text_make(sz_model_tokenizer(model), s[i].data, s[i].n, &x));
        tokens += x.n_tokens;
        sz_lm_text_free(&x);
    }
    return tokens;
}

/* Seconds of the passes that encoding makes, with all logits kept and nothing coded. */
static double time_passes(sz_model *model, const sz_segment *segments) {
    sz_session *s;
    double total = 0;
    sz_session_config config = {.size = sizeof config, .context = 2048, .n_sequences = 1};
    check(sz_session_new(model, &config, &s));
    for (size_t i = 0; i < SEGMENTS; i++) {
        int32_t *ids;
        size_t n;
        check(sz_tokenizer_encode(sz_model_tokenizer(model), (const char *)segments[i].data,
                                  segments[i].n, 0, &ids, &n));
        uint64_t start = sz_time_ns();
        check(sz_session_truncate(s, 0, 0));
        check(sz_session_forward(s, &(sz_span){.ids = ids, .n = (uint32_t)n, .want = SZ_ALL}, 1));
        total += seconds_since(start);
        sz_free(ids);
    }
    sz_session_free(s);
    return total;
}

int main(int argc, char **argv) {
    sz_buf text = {0};
    sz_runtime *rt;
    sz_model *model;
    sz_lm_about about;
    sz_predictor p;
    sz_segment s[SEGMENTS] = {0};
    static const uint8_t digest[32];
    if (argc < 3) {
        fprintf(stderr, "usage: bench_zip MODEL.gguf TEXT [THREADS]\n");
        return 2;
    }
    sz_runtime_config config = {.size = sizeof config, .n_threads = argc > 3 ? atoi(argv[3]) : 0};
    check(sz_file_read(argv[2], 1 << 30, &text));
    if (text.len < SEGMENTS * LENGTH) {
        fprintf(stderr, "bench_zip: %s has less than %d bytes\n", argv[2], SEGMENTS * LENGTH);
        return 1;
    }
    check(sz_runtime_new(&config, &rt));
    check(sz_model_open(rt, argv[1], NULL, &model));
    check(sz_lm_about_make(model, 0, true, digest, "", &about));
    check(sz_predictor_lm_new(model, rt, &about, &p));
    for (size_t i = 0; i < SEGMENTS; i++)
        s[i] = (sz_segment){.data = (uint8_t *)text.data + i * LENGTH, .n = LENGTH};

    size_t all = count_tokens(model, s, SEGMENTS), one = count_tokens(model, s, 1);
    double passes = time_passes(model, s);
    uint64_t start = sz_time_ns();
    check(p.kind->encode(p.self, s, SEGMENTS));
    double encode = seconds_since(start);
    start = sz_time_ns();
    check(p.kind->decode(p.self, s, 1));
    double alone = seconds_since(start);
    start = sz_time_ns();
    check(p.kind->decode(p.self, s, SEGMENTS));
    double together = seconds_since(start);
    printf("%d threads, %zu tokens; per second: passes alone %.0f, encoding %.0f, decoding one "
           "segment %.0f, %d at once %.0f (%.1f x)\n",
           sz_runtime_threads(rt), all, (double)all / passes, (double)all / encode,
           (double)one / alone, SEGMENTS, (double)all / together,
           (double)all / together * alone / (double)one);
    for (size_t i = 0; i < SEGMENTS; i++)
        sz_buf_free(&s[i].code);
    sz_predictor_free(&p);
    sz_model_close(model);
    sz_runtime_free(rt);
    sz_buf_free(&text);
    return 0;
}
