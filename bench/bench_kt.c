/* bench_kt.c: what programs for strings cost to find and to run.
 *
 *     bench_kt
 *
 * Milliseconds to search a generated string of 128 bytes, without and with interleaving, and
 * scripts of generated kind that the interpreter runs in a minute. Best of five each.
 */
#include <stdio.h>
#include <stdlib.h>

#include <szilard/unstable/kt.h>

enum { STRINGS = 64, LENGTH = 128, REPEATS = 5 };

static uint8_t strings[STRINGS][LENGTH];

static void check(sz_status status) {
    if (status != SZ_OK) {
        fprintf(stderr, "bench_kt: %s\n", sz_last_error());
        exit(1);
    }
}

/* What generated scripts make, one after the other, cut into pieces. */
static void prepare(sz_buf *scripts, size_t *n_scripts) {
    sz_buf all = {0};
    for (uint64_t i = 0; all.len < sizeof strings; i++, ++*n_scripts) {
        check(sz_kt_script_generate(0, i, scripts, &all));
        sz_buf_putc(scripts, '\0');
    }
    for (size_t i = 0; i < sizeof strings; i++)
        strings[i / LENGTH][i % LENGTH] = (uint8_t)all.data[i];
    sz_buf_free(&all);
}

static double search_ms(sz_kt_effort effort, double *bits) {
    double best = 1e9;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        uint64_t start = sz_time_ns();
        *bits = 0;
        for (size_t i = 0; i < STRINGS; i++) {
            sz_kt_program p;
            check(sz_kt_search(strings[i], LENGTH, effort, &p));
            *bits += (double)sz_kt_bits(&p);
            sz_kt_program_free(&p);
        }
        double ms = (double)(sz_time_ns() - start) * 1e-6 / STRINGS;
        best = ms < best ? ms : best;
    }
    return best;
}

static double scripts_per_minute(const sz_buf *scripts, size_t n) {
    double best = 0;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        uint64_t start = sz_time_ns();
        for (size_t at = 0; at < scripts->len;) {
            sz_buf out = {0};
            size_t length = 0;
            while (scripts->data[at + length])
                length++;
            check(sz_kt_script_run(scripts->data + at, length, false, &out, NULL));
            sz_buf_free(&out);
            at += length + 1;
        }
        double rate = (double)n / ((double)(sz_time_ns() - start) * 1e-9) * 60;
        best = rate > best ? rate : best;
    }
    return best;
}

int main(void) {
    sz_buf scripts = {0};
    size_t n_scripts = 0, n_lines = 0;
    double linear, full;
    prepare(&scripts, &n_scripts);
    for (size_t i = 0; i < scripts.len; i++)
        n_lines += scripts.data[i] == '\n';
    double linear_ms = search_ms(SZ_KT_LINEAR, &linear), full_ms = search_ms(SZ_KT_FULL, &full);
    printf("%d strings of %d bytes: shortest programs without interleaving %.3f of the bytes, "
           "%.2f ms each; with it %.3f, %.2f ms\n",
           STRINGS, LENGTH, linear / (8.0 * sizeof strings), linear_ms,
           full / (8.0 * sizeof strings), full_ms);
    printf("%zu scripts of %.1f lines: %.2f million a minute\n", n_scripts,
           (double)n_lines / (double)n_scripts, scripts_per_minute(&scripts, n_scripts) * 1e-6);
    sz_buf_free(&scripts);
    return 0;
}
