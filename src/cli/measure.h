/* measure.h: what `szilard measure` reads, and the figures that it reports. */
#ifndef SZ_CLI_MEASURE_H
#define SZ_CLI_MEASURE_H

#include "cli.h"
#include "table.h"
#include <szilard/unstable/info.h>

typedef enum sz_reading { /* what the numbers of a column are */
                          SZ_READ_AUTO,
                          SZ_READ_PROBABILITIES,
                          SZ_READ_LOGITS,
                          SZ_READ_COUNTS,
                          SZ_READ_SYMBOLS,
                          SZ_READ_REALS,
                          SZ_READ_BYTES
} sz_reading;

typedef struct sz_measure_options {
    const char *file, *x, *y; /* columns: NULL, or names and numbers with commas */
    sz_reading reading;
    double alpha; /* NAN: not given */
    uint32_t k, bins, permutations;
    int binning; /* -1: none asked for */
    size_t truncate;
    uint64_t seed;
    sz_unit unit;
    bool unit_given;
    double sigma;       /* dse: 0: chosen */
    const char *times;  /* dse: NULL: "1" */
    const char *labels; /* dse: a column; NULL: none */
    double rate;        /* coupling: entropy of the bottleneck, in `unit`; NAN: none */
    const char *joint;  /* coupling: file for the joint law; NULL: none */
    const char *plot;   /* spectral, dse: file for the spectrum's figure; NULL: none */
    bool intervals, json, center, explain, clamp, no_jitter;
} sz_measure_options;

#define SZ_UNDEFINED (-1.0)
enum { SZ_MOST_FIGURES = 24 };
typedef struct sz_figure {
    char name[40];       /* "miller_madow" */
    double value, error; /* nats where `nats`; error NAN: none, SZ_UNDEFINED: of too few samples */
    bool nats, best;     /* best: the one to quote */
} sz_figure;
typedef struct sz_report {
    sz_figure figure[SZ_MOST_FIGURES];
    size_t n;
    char what[160], why[240]; /* of what, and the choice of estimator */
} sz_report;

void sz_report_add(sz_report *r, const char *name, double nats, double error);
void sz_report_best(sz_report *r, const char *name, double nats, double error);
void sz_report_plain(sz_report *r, const char *name, double value); /* without a unit */
int sz_report_print(const sz_report *r, const sz_measure_options *o);

/* One for each word after `measure`. */
sz_status sz_measure_entropy(const sz_measure_options *o, sz_report *r);
sz_status sz_measure_divergence(const sz_measure_options *o, sz_report *r);
sz_status sz_measure_mi(const sz_measure_options *o, sz_report *r);
sz_status sz_measure_spectral(const sz_measure_options *o, sz_report *r);
sz_status sz_measure_dse(const sz_measure_options *o, sz_report *r);
sz_status sz_measure_coupling(const sz_measure_options *o, sz_report *r);

/* Draws values [n], largest first, if a figure is wanted; what they are goes below it. */
#define SZ_EIGENVALUES "eigenvalue, from the largest on"
sz_status sz_measure_plot(const sz_measure_options *o, const char *title, const char *below,
                          const double *values, size_t n);

/* The columns that `list` names, in its order; NULL: `otherwise` columns from `from` on. *v is
 * [rows][*n], sz_free. *labels: whether any of them holds words; NULL: that is an error. */
sz_status sz_table_pick(const sz_table *t, const char *list, size_t from, size_t otherwise,
                        double **v, size_t *n, bool *labels);
/* All bytes of a file, a piece at a time; the one before each, too: pairs [256][256], may be NULL.
 */
sz_status sz_count_bytes(const char *path, uint64_t counts[256], uint64_t *pairs);
/* Whether v [n] is a distribution, as near as its precision can say. Single precision is not exact
 * enough for the library: then v is scaled to the sum 1. */
bool sz_settle_single(const sz_table *t, double *v, size_t n);
/* Makes a distribution of v [n] in place: softmax, or counts over their sum; others stay. */
sz_status sz_column_normalise(double *v, size_t n, sz_reading reading);
/* Whole numbers that fit codes, from the least one up; false if there are others or too many. */
bool sz_is_discrete(const double *v, size_t n);
/* Codes 0 .. *k - 1 of the rows of v [n][d], by their order; SZ_E_ARG where a column is no symbols.
 */
sz_status sz_column_codes(const double *v, size_t n, size_t d, uint32_t *codes, size_t *k);
sz_status sz_count_symbols(const double *v, size_t n, uint64_t **counts, size_t *cells);

#endif
