/* check_vectors.c: logits against those of tests/vectors/architectures/NAME.logits.gguf.
 *
 *     check_vectors NAME.logits.gguf                          prints the ids of the input
 *     check_vectors NAME.logits.gguf LOGITS.npy TOLERANCE
 *
 * Exit status 1 if a logit at one of the kept positions differs by more than TOLERANCE. */
#include <szilard/unstable/gguf.h>

#include "npy.h"

static void die(const char *message) {
    fprintf(stderr, "check_vectors: %s\n", message);
    exit(2);
}

static const sz_gguf_kv *find(const sz_gguf *g, const char *key) {
    const sz_gguf_kv *kv = sz_gguf_find(g, key);
    if (!kv || kv->type != SZ_GGUF_ARRAY)
        die("the vectors lack a key");
    return kv;
}

static double largest_difference(const sz_gguf *g, npy *a) {
    const sz_gguf_kv *positions = find(g, "test.positions");
    const sz_gguf_tensor *logits = sz_gguf_find_tensor(g, "logits");
    if (!logits || logits->type != SZ_F32 || logits->dim[0] != a->cols ||
        logits->dim[1] != positions->n || a->rows != find(g, "test.ids")->n)
        die("the shapes do not fit");
    double most = 0;
    for (uint64_t i = 0; i < positions->n; i++) { /* positions ascend */
        while (a->next <= (size_t)sz_gguf_int_at(g, positions, i))
            npy_read(a);
        for (size_t k = 0; k < a->cols; k++) {
            float want;
            memcpy(&want, logits->data + (i * a->cols + k) * sizeof want, sizeof want);
            double difference = fabs((double)a->row[k] - want);
            if (!(difference <= most))
                most = difference;
        }
    }
    return most;
}

int main(int argc, char **argv) {
    sz_gguf *g;
    if (argc != 2 && argc != 4) {
        fputs("usage: check_vectors NAME.logits.gguf [LOGITS.npy TOLERANCE]\n", stderr);
        return 2;
    }
    if (sz_gguf_open(argv[1], &g) != SZ_OK)
        die(sz_last_error());
    int status = 0;
    if (argc == 2) {
        const sz_gguf_kv *ids = find(g, "test.ids");
        for (uint64_t i = 0; i < ids->n; i++)
            printf("%s%lld", i ? ", " : "[", (long long)sz_gguf_int_at(g, ids, i));
        printf("]\n");
    } else {
        npy a = npy_open(argv[2]);
        double most = largest_difference(g, &a);
        printf("{\"max_abs_logit_difference\": %.3g}\n", most);
        status = !(most <= strtod(argv[3], NULL));
        npy_close(&a);
    }
    sz_gguf_close(g);
    return status;
}
