/* npy.h: reads logits, float32 [rows, cols], row by row from a .npy file. For the programs here. */
#ifndef SZ_TESTS_NPY_H
#define SZ_TESTS_NPY_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct npy {
    FILE *file;
    const char *path;
    size_t rows, cols, next; /* next row to be read */
    float *row;
} npy;

static inline void npy_die(const npy *a, const char *what) {
    fprintf(stderr, "%s: %s\n", a->path, what);
    exit(2);
}

static inline npy npy_open(const char *path) {
    npy a = {.file = fopen(path, "rb"), .path = path};
    unsigned char head[10];
    if (!a.file || fread(head, 1, sizeof head, a.file) != sizeof head ||
        memcmp(head, "\x93NUMPY\1", 7) != 0)
        npy_die(&a, "not a .npy file of version 1");
    size_t n = head[8] + 256u * head[9];
    char *text = calloc(n + 1, 1);
    if (!text || fread(text, 1, n, a.file) != n)
        npy_die(&a, "ends in its header");
    const char *shape = strstr(text, "'shape': (");
    if (!strstr(text, "'<f4'") || !strstr(text, "'fortran_order': False") || !shape ||
        sscanf(shape, "'shape': (%zu, %zu)", &a.rows, &a.cols) != 2 || a.cols == 0 ||
        a.cols > SIZE_MAX / sizeof *a.row)
        npy_die(&a, "not float32 [rows, cols]");
    free(text);
    a.row = malloc(a.cols * sizeof *a.row);
    if (!a.row)
        npy_die(&a, "no memory for a row");
    return a;
}

/* Reads the next row into a->row. */
static inline void npy_read(npy *a) {
    if (fread(a->row, sizeof *a->row, a->cols, a->file) != a->cols)
        npy_die(a, "ends before its last row");
    a->next++;
}

static inline void npy_close(npy *a) {
    fclose(a->file);
    free(a->row);
}

/* What a row of logits says, in nats, computed in double. */
typedef struct distribution {
    double log_sum; /* log sum exp(logit): log p(i) = logit[i] - log_sum */
    double entropy, varentropy;
    size_t top;
} distribution;

static inline distribution distribution_of(const float *logits, size_t n) {
    distribution d = {0};
    for (size_t i = 1; i < n; i++)
        if (logits[i] > logits[d.top])
            d.top = i;
    double most = logits[d.top], sum = 0, first = 0, second = 0;
    for (size_t i = 0; i < n; i++)
        sum += exp(logits[i] - most);
    d.log_sum = most + log(sum);
    for (size_t i = 0; i < n; i++) {
        double surprisal = d.log_sum - logits[i], p = exp(-surprisal);
        if (p > 0) {
            first += p * surprisal;
            second += p * surprisal * surprisal;
        }
    }
    d.entropy = first;
    d.varentropy = second - first * first;
    return d;
}

#endif
