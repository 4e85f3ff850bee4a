/* bench_range.c: what the range coder and its frequencies cost.
 *
 *     bench_range
 *
 * Symbols per second of coding and decoding with 256 symbols of skewed frequencies, and
 * microseconds per row of logits turned into frequencies and searched. Best of ten each.
 */
#include <stdio.h>
#include <stdlib.h>

#include <szilard/unstable/code.h>

enum { N = 1 << 20, ALPHABET = 256, REPEATS = 10 };

static uint8_t symbols[N], back[N];
static uint32_t freq[SZ_FREQ_MOST], cum[ALPHABET];
static float logits[SZ_FREQ_MOST];

static void check(bool ok) {
    if (!ok) {
        fprintf(stderr, "bench_range: %s\n", sz_last_error());
        exit(1);
    }
}

/* Logits fall with the id; symbols are drawn from their law. */
static void prepare(void) {
    for (size_t i = 0; i < ALPHABET; i++)
        logits[i] = -(float)i / 24;
    check(sz_freq_from_logits(logits, ALPHABET, freq) == SZ_OK);
    for (size_t i = 1; i < ALPHABET; i++)
        cum[i] = cum[i - 1] + freq[i - 1];
    for (size_t i = 0; i < N; i++) {
        uint32_t r[4];
        sz_philox4x32(1, 2, i, r);
        while (symbols[i] + 1 < ALPHABET && cum[symbols[i] + 1] <= r[0])
            symbols[i]++;
    }
}

static void measure_coder(void) {
    double best[2] = {1e9, 1e9};
    size_t bytes = 0;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        sz_buf out = {0};
        sz_range_encoder e;
        sz_range_decoder d;
        uint64_t start = sz_time_ns();
        sz_range_encode_begin(&e, &out);
        for (size_t i = 0; i < N; i++)
            sz_range_encode(&e, cum[symbols[i]], freq[symbols[i]]);
        sz_range_encode_end(&e);
        uint64_t middle = sz_time_ns();
        sz_range_decode_begin(&d, (const uint8_t *)out.data, out.len);
        for (size_t i = 0; i < N; i++)
            back[i] = (uint8_t)sz_range_decode_symbol(&d, freq, ALPHABET);
        double t[2] = {(double)(middle - start) * 1e-9, (double)(sz_time_ns() - middle) * 1e-9};
        for (int k = 0; k < 2; k++)
            best[k] = t[k] < best[k] ? t[k] : best[k];
        for (size_t i = 0; i < N; i++)
            check(back[i] == symbols[i]);
        bytes = out.len;
        sz_buf_free(&out);
    }
    printf("%d symbols of %d: %.3f bits each, coding %.1f M/s, decoding %.1f M/s\n", N, ALPHABET,
           8.0 * (double)bytes / N, N / best[0] * 1e-6, N / best[1] * 1e-6);
}

static void measure_row(size_t n) {
    double best[2] = {1e9, 1e9};
    for (size_t i = 0; i < n; i++)
        logits[i] = (float)(sz_uniform(3, n, i) + sz_uniform(4, n, i)) * 12;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        uint8_t bytes[8] = {(uint8_t)(25 * repeat)};
        sz_range_decoder d;
        uint64_t start = sz_time_ns();
        check(sz_freq_from_logits(logits, n, freq) == SZ_OK);
        uint64_t middle = sz_time_ns();
        sz_range_decode_begin(&d, bytes, sizeof bytes);
        check(sz_range_decode_symbol(&d, freq, n) < n);
        double t[2] = {(double)(middle - start) * 1e-3, (double)(sz_time_ns() - middle) * 1e-3};
        for (int k = 0; k < 2; k++)
            best[k] = t[k] < best[k] ? t[k] : best[k];
    }
    printf("%zu logits: %.1f us to frequencies, %.1f us to find a symbol\n", n, best[0], best[1]);
}

int main(void) {
    prepare();
    measure_coder();
    measure_row(49152);
    measure_row(151936);
    measure_row(262144);
    return 0;
}
