/* bench_pair_show.c: two builds side by side, as a table and as JSON. */
#include "bench_pair.h"

void sz_bench_put_pair(sz_buf *b, const sz_bench_pair *p) {
    sz_bench_ratio r;
    sz_buf_puts(b, "  tokens/s         this: best    median  other: best    median"
                   "  ratio: best  median  between\n");
    for (size_t i = 0; i < p->n_rows; i++) {
        char name[40];
        if (sz_bench_pair_ratio(&p->row[i], p->rounds, &r) != SZ_OK) {
            b->failed = true;
            return;
        }
        snprintf(name, sizeof name, "%s %zu", p->row[i].name, p->row[i].n_tokens);
        sz_buf_printf(b,
                      "  %-16s %10.1f %9.1f %12.1f %9.1f %12.3f %7.3f  %.3f and %.3f (%.0f %%)\n",
                      name, r.ours_best, r.ours_median, r.theirs_best, r.theirs_median, r.best,
                      r.median, r.low, r.high, 100 * r.confidence);
    }
}

static void put(sz_buf *b, const char *key, double v) {
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_number(b, v);
}

static void put_values(sz_buf *b, const char *key, const double *v, size_t n) {
    sz_buf_printf(b, ",\"%s\":[", key);
    for (size_t i = 0; i < n; i++) {
        if (i)
            sz_buf_putc(b, ',');
        sz_json_number(b, v[i]);
    }
    sz_buf_putc(b, ']');
}

void sz_bench_put_pair_json(sz_buf *b, const sz_bench_pair *p) {
    sz_bench_ratio r;
    sz_buf_puts(b, ",\"rows\":[");
    for (size_t i = 0; i < p->n_rows; i++) {
        const sz_bench_pair_row *row = &p->row[i];
        if (sz_bench_pair_ratio(row, p->rounds, &r) != SZ_OK) {
            b->failed = true;
            return;
        }
        sz_buf_printf(b, "%s{\"name\":\"%s\"", i ? ",\n  " : "", row->name);
        put(b, "tokens", (double)row->n_tokens);
        put(b, "this_best", r.ours_best);
        put(b, "this_median", r.ours_median);
        put(b, "other_best", r.theirs_best);
        put(b, "other_median", r.theirs_median);
        put(b, "ratio_best", r.best);
        put(b, "ratio_median", r.median);
        put(b, "ratio_low", r.low);
        put(b, "ratio_high", r.high);
        put(b, "confidence", r.confidence);
        put_values(b, "this", row->ours, p->rounds);
        put_values(b, "other", row->theirs, p->rounds);
        sz_buf_putc(b, '}');
    }
    sz_buf_putc(b, ']');
}
