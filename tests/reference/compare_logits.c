/* compare_logits.c: how far the logits of one computation lie from those of another.
 *
 *     compare_logits A.npy B.npy [IDS.json]
 *
 * Prints one JSON object: mean and maximum over the rows of KL(A || B) in nats over the whole
 * vocabulary, the share of rows with the same most likely token, the largest difference of two
 * logits, mean entropies; with the ids that were the input, the mean negative log-likelihood that
 * each gives to them. Everything in double. Exit status 2: the files do not fit together. */
#include "npy.h"
#include "read_ids.h"

typedef struct totals {
    double kl, kl_most, difference, entropy_a, entropy_b, nll_a, nll_b;
    size_t kl_most_row, agree, n_nll;
} totals;

/* KL(A || B) of two rows whose distributions are known. Never negative but for rounding. */
static double divergence(const npy *a, const npy *b, const distribution *da,
                         const distribution *db) {
    double kl = 0;
    for (size_t i = 0; i < a->cols; i++) {
        double log_p = a->row[i] - da->log_sum, log_q = b->row[i] - db->log_sum;
        kl += exp(log_p) * (log_p - log_q);
    }
    return kl > 0 ? kl : 0;
}

static void compare_row(const npy *a, const npy *b, totals *t) {
    distribution da = distribution_of(a->row, a->cols), db = distribution_of(b->row, b->cols);
    double kl = divergence(a, b, &da, &db);
    t->kl += kl;
    if (!(kl <= t->kl_most)) { /* also for a NaN, which must not pass unseen */
        t->kl_most = kl;
        t->kl_most_row = a->next - 1;
    }
    t->agree += da.top == db.top;
    t->entropy_a += da.entropy;
    t->entropy_b += db.entropy;
    for (size_t i = 0; i < a->cols; i++)
        t->difference = fmax(t->difference, fabs((double)a->row[i] - b->row[i]));
}

/* Row `row` predicts ids[row + 1]. */
static void add_nll(const npy *a, const npy *b, long next, totals *t) {
    if (next < 0 || (size_t)next >= a->cols)
        npy_die(a, "an id is not in the vocabulary");
    t->nll_a += distribution_of(a->row, a->cols).log_sum - a->row[next];
    t->nll_b += distribution_of(b->row, b->cols).log_sum - b->row[next];
    t->n_nll++;
}

static void print(const totals *t, size_t rows) {
    double n = (double)rows;
    printf("{\"rows\": %zu, \"kl_mean\": %.9g, \"kl_max\": %.9g, \"kl_max_row\": %zu, ", rows,
           t->kl / n, t->kl_most, t->kl_most_row);
    printf("\"top1_agreement\": %.9g, \"max_abs_logit_difference\": %.9g, ", (double)t->agree / n,
           t->difference);
    printf("\"entropy_a\": %.9g, \"entropy_b\": %.9g", t->entropy_a / n, t->entropy_b / n);
    if (t->n_nll)
        printf(", \"nll_a\": %.9g, \"nll_b\": %.9g", t->nll_a / (double)t->n_nll,
               t->nll_b / (double)t->n_nll);
    printf("}\n");
}

int main(int argc, char **argv) {
    if (argc != 3 && argc != 4) {
        fputs("usage: compare_logits A.npy B.npy [IDS.json]\n", stderr);
        return 2;
    }
    npy a = npy_open(argv[1]), b = npy_open(argv[2]);
    if (a.rows != b.rows || a.cols != b.cols || a.rows == 0)
        npy_die(&b, "not the shape of the first file");
    size_t n_ids = 0;
    long *ids = argc == 4 ? read_ids(argv[3], &n_ids) : NULL;
    if (argc == 4 && (!ids || n_ids != a.rows))
        npy_die(&a, "the ids are not one per row");
    totals t = {0};
    for (size_t row = 0; row < a.rows; row++) {
        npy_read(&a);
        npy_read(&b);
        compare_row(&a, &b, &t);
        if (row + 1 < n_ids)
            add_nll(&a, &b, ids[row + 1], &t);
    }
    print(&t, a.rows);
    npy_close(&a);
    npy_close(&b);
    free(ids);
    return 0;
}
