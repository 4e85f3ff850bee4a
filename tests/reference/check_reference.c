/* check_reference.c: logits against reference values.
 *
 *     check_reference REFERENCE.json MODEL TEXT LOGITS.npy TOLERANCE
 *     check_reference REFERENCE.json MODEL TEXT            prints the ids of the text
 *
 * REFERENCE.json is tests/vectors/models.json, or models-long.json with the TEXT "-". Compares mean
 * negative log-likelihood, mean entropy and varentropy, and at each stated position entropy,
 * varentropy (ten times the tolerance: it is a square) and the log-probabilities of the eight most
 * likely tokens. Exit status 1 if one differs by more than TOLERANCE nats. */
#include <szilard/unstable/base.h>

#include "npy.h"

static double number(const sz_json *object, const char *key) {
    const sz_json *v = sz_json_get(object, key);
    if (!v || (v->type != SZ_JSON_FLOAT && v->type != SZ_JSON_INT)) {
        fprintf(stderr, "the reference has no number \"%s\"\n", key);
        exit(2);
    }
    return v->type == SZ_JSON_INT ? (double)v->u.i : v->u.f;
}

static const sz_json *member(const sz_json *object, const char *key) {
    const sz_json *v = object ? sz_json_get(object, key) : NULL;
    if (!v) {
        fprintf(stderr, "the reference has no \"%s\"\n", key);
        exit(2);
    }
    return v;
}

typedef struct check {
    double tolerance, worst;
    int failures;
} check;

/* `weight`: how many tolerances the value may differ by. */
static void expect(check *c, const char *what, long position, double got, double want,
                   double weight) {
    double difference = fabs(got - want) / weight;
    if (!(difference <= c->worst))
        c->worst = difference;
    if (difference <= c->tolerance)
        return;
    if (c->failures++ < 20)
        fprintf(stderr, "%s at %ld: %.7f, reference %.7f\n", what, position, got, want);
}

static void check_position(check *c, const npy *a, const distribution *d, const sz_json *p) {
    long row = (long)a->next - 1;
    expect(c, "entropy", row, d->entropy, number(p, "entropy"), 1);
    expect(c, "varentropy", row, d->varentropy, number(p, "varentropy"), 10);
    for (const sz_json *t = member(p, "top")->u.child; t; t = t->next) {
        const sz_json *id = t->u.child;
        if (id->u.i < 0 || (size_t)id->u.i >= a->cols)
            npy_die(a, "a reference id is not in the vocabulary");
        expect(c, "log-probability", row, a->row[id->u.i] - d->log_sum, id->next->u.f, 1);
    }
}

static void check_logits(check *c, npy *a, const sz_json *text) {
    const sz_json *exact = member(text, "exact");
    const sz_json *position = member(exact, "positions")->u.child;
    const sz_json *id = member(text, "ids")->u.child;
    double nll = 0, entropy = 0, varentropy = 0, n = (double)a->rows;
    if (a->rows < 2 || member(text, "ids")->n != a->rows)
        npy_die(a, "not one row per id of the reference");
    for (size_t row = 0; row < a->rows; row++) {
        npy_read(a);
        distribution d = distribution_of(a->row, a->cols);
        entropy += d.entropy;
        varentropy += d.varentropy;
        id = id->next;
        if (id && (id->u.i < 0 || (size_t)id->u.i >= a->cols))
            npy_die(a, "an id is not in the vocabulary");
        if (id)
            nll += d.log_sum - a->row[id->u.i];
        if (position && number(position, "pos") == (double)row) {
            check_position(c, a, &d, position);
            position = position->next;
        }
    }
    if (position)
        npy_die(a, "the reference has positions beyond the end");
    expect(c, "mean NLL", -1, nll / (n - 1), number(exact, "mean_nll_nats"), 1);
    expect(c, "mean entropy", -1, entropy / n, number(exact, "mean_entropy_nats"), 1);
    if (sz_json_get(exact, "mean_varentropy_nats2"))
        expect(c, "mean varentropy", -1, varentropy / n, number(exact, "mean_varentropy_nats2"),
               10);
    printf("{\"rows\": %zu, \"nll\": %.9g, \"entropy\": %.9g, \"worst_difference\": %.3g, "
           "\"failures\": %d}\n",
           a->rows, nll / (n - 1), entropy / n, c->worst, c->failures);
}

static void print_ids(const sz_json *text) {
    const char *before = "[";
    for (const sz_json *id = member(text, "ids")->u.child; id; id = id->next, before = ", ")
        printf("%s%lld", before, (long long)id->u.i);
    printf("]\n");
}

int main(int argc, char **argv) {
    sz_buf source = {0};
    sz_arena *arena = NULL;
    sz_json *all;
    if (argc != 4 && argc != 6) {
        fputs("usage: check_reference REFERENCE.json MODEL TEXT [LOGITS.npy TOLERANCE]\n", stderr);
        return 2;
    }
    if (sz_file_read(argv[1], 16 << 20, &source) != SZ_OK ||
        sz_arena_new(1 << 20, &arena) != SZ_OK ||
        sz_json_parse(source.data, source.len, arena, &all) != SZ_OK) {
        fprintf(stderr, "%s\n", sz_last_error());
        return 2;
    }
    const sz_json *text = member(all, argv[2]);
    if (strcmp(argv[3], "-") != 0)
        text = member(text, argv[3]);
    check c = {.tolerance = argc == 6 ? strtod(argv[5], NULL) : 0};
    if (argc == 6) {
        npy a = npy_open(argv[4]);
        check_logits(&c, &a, text);
        npy_close(&a);
    } else {
        print_ids(text);
    }
    sz_arena_free(arena);
    sz_buf_free(&source);
    return c.failures ? 1 : 0;
}
