/* cache_sim.c: what policies of eviction cost on a trace. */
#include "cache_sim.h"
#include "cli.h"
#include <math.h>
#include <string.h>

enum { MOST_STATES = 1 << 16, SEEDS_APART = 1000003 };

typedef struct advice { /* bits of each kind, and what is true */
    uint8_t *discard, *phase, *truth, *last;
    int8_t *phase_truth;
} advice;

static void advice_free(advice *a) {
    sz_free(a->discard);
    sz_free(a->phase);
    sz_free(a->truth);
    sz_free(a->last);
    sz_free(a->phase_truth);
}

static sz_status advice_new(size_t n, advice *a) {
    n = n ? n : 1;
    *a = (advice){sz_calloc(n, 1), sz_calloc(n, 1), sz_calloc(n, 1), sz_calloc(n, 1),
                  sz_calloc(n, 1)};
    if (a->discard && a->phase && a->truth && a->last && a->phase_truth)
        return SZ_OK;
    advice_free(a);
    return sz_fail(SZ_E_NOMEM, "no memory for the bits of %zu requests", n);
}

/* The oracle tells the truth of each kind, wrong now and then; other bits serve as both. */
static void fill_bits(const sz_cache_sim *o, const sz_cache_trace *t, advice *a) {
    for (size_t i = 0; i < t->n; i++) {
        bool wrong = o->flip > 0 && sz_uniform(o->seed, 1, i) < o->flip;
        if (o->source == SZ_BITS_ORACLE) {
            a->discard[i] = a->truth[i] ^ wrong;
            a->phase[i] = (uint8_t)((a->phase_truth[i] == 1) ^ wrong);
        } else if (t->bit) {
            a->discard[i] = a->phase[i] = t->bit[i];
        }
    }
}

/* ---- One policy ------------------------------------------------------------------------------ */

static const sz_evict_kind *kind_of(const char *policy) {
    size_t n = strcspn(policy, " ");
    for (const sz_evict_kind *const *k = sz_evict_kinds(); *k; k++)
        if (strlen((*k)->name) == n && memcmp((*k)->name, policy, n) == 0)
            return *k;
    return NULL;
}

static sz_status average(const sz_cache_sim *o, const sz_page_trace *t, uint32_t k,
                         sz_cache_row *row) {
    double sum = 0, squares = 0, n = o->runs;
    for (int i = 0; i < o->runs; i++) {
        uint64_t misses;
        SZ_TRY(sz_paging_misses(row->policy, t, k, o->seed + (uint64_t)i * SEEDS_APART, &misses));
        sum += (double)misses;
        squares += (double)misses * (double)misses;
    }
    double variance = o->runs > 1 ? (squares - sum * sum / n) / (n - 1) : NAN;
    row->misses = sum / n;
    row->error = sqrt((variance > 0 ? variance : 0) / n);
    return SZ_OK;
}

/* Draws: the exact mean where its states are few, else that of several runs. */
static sz_status measure_random(const sz_cache_sim *o, const sz_page_trace *t, uint32_t k,
                                sz_cache_row *row) {
    row->error = NAN;
    if (o->expected && t->n_pages <= 64 && strcmp(row->policy, "random") != 0 &&
        sz_paging_expected(row->policy, t, k, MOST_STATES, &row->misses) == SZ_OK)
        return SZ_OK;
    return average(o, t, k, row);
}

static sz_status measure(const sz_cache_sim *o, const sz_cache_trace *trace, const advice *a,
                         uint32_t k, sz_cache_row *row) {
    const sz_evict_kind *kind = kind_of(row->policy);
    sz_page_trace t = {trace->page, NULL, trace->n, trace->n_pages};
    uint64_t misses = 0;
    if (kind && kind->advice != SZ_ADVICE_NONE)
        t.bit = kind->advice == SZ_ADVICE_PHASE ? a->phase : a->discard;
    if (kind && kind->random)
        return measure_random(o, &t, k, row);
    if (strcmp(row->policy, "belady") == 0)
        SZ_TRY(sz_paging_optimum(&t, k, &misses, NULL));
    else
        SZ_TRY(sz_paging_misses(row->policy, &t, k, o->seed, &misses));
    row->misses = (double)misses;
    row->error = NAN;
    return SZ_OK;
}

/* ---- One size -------------------------------------------------------------------------------- */

static void set_bounds(sz_cache_table *t) {
    double opt = (double)t->optimum, h = sz_harmonic(t->k);
    double kept = (double)t->discard.kept, dropped = (double)t->discard.dropped;
    t->flush_bound = opt + (t->k - 1) * kept + dropped;
    t->mark0_bound = opt + 2 * h * kept + dropped;
    t->markpredict_bound = 2 * opt + h * (double)t->phase.kept + (double)t->phase.dropped;
}

static sz_status measure_all(const sz_cache_sim *o, const sz_cache_trace *trace, advice *a,
                             sz_cache_table *out) {
    sz_page_trace t = {trace->page, NULL, trace->n, trace->n_pages};
    size_t n_phases;
    SZ_TRY(sz_paging_optimum(&t, out->k, &out->optimum, a->truth));
    SZ_TRY(sz_paging_phases(&t, out->k, NULL, &n_phases, a->phase_truth, a->last));
    SZ_TRY(sz_paging_misses("lru", &t, out->k, 0, &out->lru));
    fill_bits(o, trace, a);
    t.bit = a->discard;
    sz_paging_discard_errors(&t, a->truth, &out->discard);
    t.bit = a->phase;
    sz_paging_phase_errors(&t, a->phase_truth, a->last, &out->phase);
    set_bounds(out);
    for (size_t i = 0; i < o->n_policies; i++) {
        out->row[i].policy = o->policy[i];
        SZ_TRY(measure(o, trace, a, out->k, &out->row[i]));
    }
    return SZ_OK;
}

sz_status sz_cache_sim_measure(const sz_cache_sim *o, const sz_cache_trace *t, uint32_t k,
                               sz_cache_table *out) {
    advice a;
    *out = (sz_cache_table){.k = k, .n = o->n_policies};
    out->advised = o->source == SZ_BITS_ORACLE || t->bit;
    SZ_TRY(advice_new(t->n, &a));
    sz_status status = measure_all(o, t, &a, out);
    advice_free(&a);
    return status;
}

/* ---- Tables ---------------------------------------------------------------------------------- */

/* How much of the way from LRU to the optimum; NaN where there is none. */
static double closed(const sz_cache_table *t, double misses) {
    double gap = (double)t->lru - (double)t->optimum;
    return gap > 0 ? ((double)t->lru - misses) / gap : NAN;
}

static void print_row(sz_buf *b, const sz_cache_trace *t, const sz_cache_table *table,
                      const sz_cache_row *row) {
    double gap = closed(table, row->misses);
    sz_buf_printf(b, "  %-28s %12.6g", row->policy, row->misses);
    if (isnan(row->error))
        sz_buf_puts(b, "          ");
    else
        sz_buf_printf(b, " ± %-7.2g", row->error);
    sz_buf_printf(b, " %6.2f %%", t->n ? 100.0 * row->misses / (double)t->n : 0.0);
    if (!isnan(gap))
        sz_buf_printf(b, " %7.1f %%", 100.0 * gap);
    sz_buf_putc(b, '\n');
}

static void print_advice(sz_buf *b, const sz_cache_sim *o, const sz_cache_trace *t,
                         const sz_cache_table *table) {
    const sz_paging_errors *d = &table->discard;
    sz_buf_printf(b,
                  "  bits: %llu useless pages kept, %llu needed ones dropped; %.4f bits of "
                  "information a request\n",
                  (unsigned long long)d->kept, (unsigned long long)d->dropped,
                  d->information / 0.69314718055994531);
    sz_buf_printf(b, "  bounds: flush0 %.6g, mark0 %.6g, markpredict %.6g\n", table->flush_bound,
                  table->mark0_bound, table->markpredict_bound);
    for (size_t i = 0; i < table->n; i++) {
        double saved = (double)table->lru - table->row[i].misses;
        if (strcmp(table->row[i].policy, "flush0") == 0 && saved > 0)
            sz_buf_printf(b, "  price: %.3g bits of advice for each miss that flush0 saves LRU\n",
                          (double)t->n / saved);
    }
}

void sz_cache_sim_print(sz_buf *b, const sz_cache_sim *o, const sz_cache_trace *t,
                        const sz_cache_table *table) {
    sz_buf_printf(b, "cache of %u pages; %zu requests, %u pages; at least %llu misses\n", table->k,
                  t->n, t->n_pages, (unsigned long long)table->optimum);
    sz_buf_printf(b, "  %-28s %12s %9s %8s %9s\n", "policy", "misses", "", "rate", "gap");
    for (size_t i = 0; i < table->n; i++)
        print_row(b, t, table, &table->row[i]);
    if (table->advised)
        print_advice(b, o, t, table);
}

static void json_row(sz_buf *b, const sz_cache_table *table, const sz_cache_row *row) {
    sz_buf_puts(b, "{\"policy\":");
    sz_json_quote(b, row->policy, strlen(row->policy));
    sz_buf_puts(b, ",\"misses\":");
    sz_json_number(b, row->misses);
    sz_buf_puts(b, ",\"standard_error\":");
    sz_json_number(b, row->error);
    sz_buf_puts(b, ",\"gap_closed\":");
    sz_json_number(b, closed(table, row->misses));
    sz_buf_putc(b, '}');
}

void sz_cache_sim_json(sz_buf *b, const sz_cache_trace *t, const sz_cache_table *table) {
    sz_buf_printf(b, "{\"size\":%u,\"requests\":%zu,\"pages\":%u,\"optimum\":%llu,\"lru\":%llu",
                  table->k, t->n, t->n_pages, (unsigned long long)table->optimum,
                  (unsigned long long)table->lru);
    if (table->advised) {
        sz_buf_printf(b, ",\"eta0\":%llu,\"eta1\":%llu,\"information_nats\":",
                      (unsigned long long)table->discard.kept,
                      (unsigned long long)table->discard.dropped);
        sz_json_number(b, table->discard.information);
        sz_buf_printf(b, ",\"phase_eta0\":%llu,\"phase_eta1\":%llu",
                      (unsigned long long)table->phase.kept,
                      (unsigned long long)table->phase.dropped);
        sz_buf_puts(b, ",\"bounds\":{\"flush0\":");
        sz_json_number(b, table->flush_bound);
        sz_buf_puts(b, ",\"mark0\":");
        sz_json_number(b, table->mark0_bound);
        sz_buf_puts(b, ",\"markpredict\":");
        sz_json_number(b, table->markpredict_bound);
        sz_buf_putc(b, '}');
    }
    sz_buf_puts(b, ",\"policies\":[");
    for (size_t i = 0; i < table->n; i++) {
        sz_buf_puts(b, i ? "," : "");
        json_row(b, table, &table->row[i]);
    }
    sz_buf_puts(b, "]}");
}
