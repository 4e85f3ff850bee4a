/* 13_ead.c: entropy adaptive decoding puts the large model where it helps: teacher-forced, the
 * mix that the controller chooses is better than the same pattern of writers moved elsewhere. Byte
 * models on a made-up text; the two real models on the user's text, if there is one. */
#include "byte_orders.h"
#include "repro.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/model.h>
#include <szilard/unstable/num.h>
#include <szilard/unstable/router.h>

enum { SHIFTS = 200, LEAST_SHIFT = 1000, WINDOW = 5, MIN_DURATION = 5 };
enum { PIECE_BYTES = 1200, MOST_PIECES = 72, MOST_TOKENS = 20480, CONTEXT = 2048, CHUNK = 64 };
enum { WRITTEN = 48 };

static const char beginning[] = "#include <stdio.h>\n\nint main(void) {\n";

/* Two models on the same held-out tokens, [n], nats. */
typedef struct judged {
    const char *what;
    double *entropy[2], *surprisal[2]; /* by sz_router_role */
    size_t n;
    uint8_t *large; /* [n] whether the large model is chosen */
} judged;

static sz_status judged_new(size_t n, judged *j) {
    for (int role = 0; role < 2; role++) {
        j->entropy[role] = sz_alloc(n * sizeof(double));
        j->surprisal[role] = sz_alloc(n * sizeof(double));
        SZ_REQUIRE(j->entropy[role] && j->surprisal[role], SZ_E_NOMEM, "no memory for %zu tokens",
                   n);
    }
    j->large = sz_alloc(n);
    SZ_REQUIRE(j->large, SZ_E_NOMEM, "no memory for %zu tokens", n);
    j->n = n;
    return SZ_OK;
}

static void judged_free(judged *j) {
    for (int role = 0; role < 2; role++) {
        sz_free(j->entropy[role]);
        sz_free(j->surprisal[role]);
    }
    sz_free(j->large);
}

/* ---- The test -------------------------------------------------------------------------------- */

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of the small model's rolling entropy. */
static sz_status median_rolling(const judged *j, double *out) {
    sz_ead e = {.tau_up = HUGE_VAL, .window = WINDOW, .min_duration = MIN_DURATION};
    double *rolling = sz_alloc(j->n * sizeof *rolling);
    SZ_REQUIRE(rolling, SZ_E_NOMEM, "no memory for %zu tokens", j->n);
    sz_status status = SZ_OK;
    for (size_t i = 0; i < j->n && status == SZ_OK; i++)
        status = sz_ead_push(&e, j->entropy[SZ_ROUTER_SMALL][i], &rolling[i]);
    qsort(rolling, j->n, sizeof *rolling, rising);
    *out = rolling[j->n / 2];
    sz_free(rolling);
    return status;
}

/* Mean surprisal where the pattern of writers is moved, round the end, by `shift`. */
static double mixed(const judged *j, size_t shift) {
    double sum = 0;
    for (size_t i = 0; i < j->n; i++)
        sum += j->surprisal[j->large[(i + shift) % j->n]][i];
    return sum / (double)j->n;
}

static double mean(const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static sz_status test(sz_repro_run *run, judged *j, const char *claim) {
    double tau, fraction, moved[SHIFTS], variance = 0;
    SZ_TRY(median_rolling(j, &tau));
    const sz_ead controller = {
        .tau_up = tau, .tau_down = tau, .window = WINDOW, .min_duration = MIN_DURATION};
    SZ_TRY(sz_ead_simulate(&controller, j->entropy[0], j->entropy[1], j->n, false, j->large,
                           &fraction));
    double mix = mixed(j, 0), small = mean(j->surprisal[0], j->n),
           large = mean(j->surprisal[1], j->n);
    for (size_t i = 0; i < SHIFTS; i++) {
        double u = sz_uniform(run->seed, 13, i);
        moved[i] = mixed(j, LEAST_SHIFT + (size_t)(u * (double)(j->n - 2 * LEAST_SHIFT)));
    }
    double average = mean(moved, SHIFTS);
    for (size_t i = 0; i < SHIFTS; i++)
        variance += (moved[i] - average) * (moved[i] - average) / (SHIFTS - 1);
    sz_repro_check(run, claim, (mix - average) / sqrt(variance), "<=", -2.5,
                   "%s, %.0f %% large: z of the mix among moved ones", j->what, 100 * fraction);
    sz_repro_check(run, "", mix, "<=", small - 1e-9, "%s: nats of the mix, below the small's",
                   j->what);
    sz_repro_check(run, "", mix, ">=", large + 1e-9, "%s: and above the large's", j->what);
    return SZ_OK;
}

/* ---- Byte models ----------------------------------------------------------------------------- */

static sz_status test_orders(sz_repro_run *run, const sz_byte_figures *f, size_t n, int small,
                             int large, const char *what, const char *claim) {
    judged j = {.what = what};
    const int orders[] = {small, large};
    sz_status status = judged_new(n, &j);
    for (size_t i = 0; i < n && status == SZ_OK; i++)
        for (int role = 0; role < 2; role++) {
            j.entropy[role][i] = f[i].entropy[orders[role]];
            j.surprisal[role][i] = f[i].surprisal[orders[role]];
        }
    if (status == SZ_OK)
        status = test(run, &j, claim);
    judged_free(&j);
    return status;
}

static sz_status byte_models(sz_repro_run *run) {
    size_t n_train = 1 << 20, n = run->smoke ? 24000 : 100000;
    uint8_t *text = sz_alloc(n_train + n);
    sz_byte_figures *f = sz_alloc(n * sizeof *f);
    sz_status status = text && f ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for a text");
    if (status == SZ_OK) {
        sz_byte_orders_write(run->seed, text, n_train + n);
        status = sz_byte_orders_judge(text, n_train, n, f);
    }
    if (status == SZ_OK)
        status = test_orders(run, f, n, 1, 4, "orders 1 and 4", "-3.5 (pilot)");
    if (status == SZ_OK && !run->smoke)
        status = test_orders(run, f, n, 2, 4, "orders 2 and 4", "-8.2 (pilot)");
    sz_free(text);
    sz_free(f);
    return status;
}

static sz_status figures_of_merit(sz_repro_run *run) {
    double qwen, llama;
    SZ_TRY(sz_ead_saving(0.25, 1.5, 14, &qwen));
    SZ_TRY(sz_ead_saving(0.43, 3, 11, &llama));
    sz_repro_check(run, "67 %", fabs(qwen - 0.67), "<=", 0.005,
                   "saving of 1.5B and 14B at 25 %% large, off by");
    sz_repro_check(run, "41.5 %", fabs(llama - 0.415), "<=", 0.005,
                   "saving of 3B and 11B at 43 %% large, off by");
    return SZ_OK;
}

/* ---- Real models ----------------------------------------------------------------------------- */

typedef struct reader {
    sz_runtime *rt;
    sz_model *models[2]; /* by sz_router_role */
} reader;

static sz_status open_named(sz_repro_run *run, reader *r, const char *name, sz_model **out) {
    char *path;
    SZ_TRY(run->find_model(name, &path));
    sz_status status = sz_model_open(r->rt, path, NULL, out);
    free(path);
    return status;
}

/* Adds the figures of ids [n], but those of the first, behind the j->n that are there. */
static sz_status read_ids(sz_model *m, const int32_t *ids, size_t n, judged *j, int role) {
    sz_session *s;
    sz_session_config config = {
        .context = (uint32_t)n, .n_sequences = 1, .chunk = CHUNK, .score_prompts = true};
    SZ_TRY(sz_session_new(m, &config, &s));
    sz_status status = sz_session_prompt_ids(s, 0, ids, n);
    const sz_token *t = NULL;
    size_t n_records = 0;
    if (status == SZ_OK)
        status = sz_session_records(s, 0, &t, &n_records);
    for (size_t i = 1; i < n_records && status == SZ_OK; i++) {
        j->entropy[role][j->n + i - 1] = (double)t[i].entropy;
        j->surprisal[role][j->n + i - 1] = (double)t[i].surprisal;
    }
    sz_session_free(s);
    return status;
}

static sz_status read_piece(reader *r, const char *text, size_t n_text, judged *j) {
    int32_t *ids;
    size_t n, room = MOST_TOKENS - j->n;
    SZ_TRY(sz_tokenizer_encode(sz_model_tokenizer(r->models[0]), text, n_text, 0, &ids, &n));
    n = n > room ? room : n;
    sz_status status = SZ_OK;
    for (int role = 0; role < 2 && status == SZ_OK && n > 1; role++)
        status = read_ids(r->models[role], ids, n, j, role);
    j->n += status == SZ_OK && n > 1 ? n - 1 : 0;
    sz_free(ids);
    return status;
}

/* Pieces of the user's text, spread over it. */
static sz_status read_pieces(reader *r, const sz_buf *text, judged *j) {
    size_t n = text->len / PIECE_BYTES < MOST_PIECES ? text->len / PIECE_BYTES : MOST_PIECES;
    j->n = 0;
    for (size_t i = 0; i < n; i++)
        SZ_TRY(read_piece(r, text->data + text->len / n * i, PIECE_BYTES, j));
    SZ_REQUIRE(j->n > 2 * LEAST_SHIFT, SZ_E_ARG, "the text has %zu tokens; the test needs %d", j->n,
               2 * LEAST_SHIFT);
    return SZ_OK;
}

static sz_status read_with_both(sz_repro_run *run, reader *r) {
    judged j = {.what = "0.5B and 1.5B"};
    sz_buf text = {0};
    sz_status status = judged_new(MOST_TOKENS, &j);
    if (status == SZ_OK)
        status = sz_file_read(run->text, 1 << 30, &text);
    if (status == SZ_OK)
        status = read_pieces(r, &text, &j);
    if (status == SZ_OK)
        status = test(run, &j, "");
    sz_buf_free(&text);
    judged_free(&j);
    return status;
}

/* Tokens, of WRITTEN, that a router and one of its models alone have in common. */
static sz_status count_same(reader *r, const char *router, int role, double *same) {
    sz_session_config config = {.context = CONTEXT, .n_sequences = 1};
    sz_session *alone = NULL;
    sz_router *both = NULL;
    int32_t ids[CONTEXT];
    size_t n = 0;
    sz_status status =
        sz_model_tokenize(r->models[role], beginning, strlen(beginning), true, ids, CONTEXT, &n);
    if (status == SZ_OK)
        status = sz_session_new(r->models[role], &config, &alone);
    if (status == SZ_OK)
        status = sz_router_new(router, r->models[0], r->models[1], &config, &both);
    if (status == SZ_OK)
        status = sz_session_prompt_ids(alone, 0, ids, n);
    if (status == SZ_OK)
        status = sz_router_prompt_ids(both, ids, n);
    *same = 0;
    for (int i = 0; i < WRITTEN && status == SZ_OK; i++) {
        sz_token a, b;
        sz_status other = sz_router_next(both, &b);
        status = sz_session_next(alone, 0, &a);
        *same += status == other && a.id == b.id;
    }
    sz_session_free(alone);
    sz_router_free(both);
    return status == SZ_END ? SZ_OK : status;
}

static sz_status write_with_both(sz_repro_run *run, reader *r) {
    double same;
    SZ_TRY(count_same(r, "ead tau=0 start-large=1", SZ_ROUTER_LARGE, &same));
    sz_repro_check(run, "", same, "==", WRITTEN, "greedy, tau = 0: tokens that are the large's");
    SZ_TRY(count_same(r, "ead tau=1e9", SZ_ROUTER_SMALL, &same));
    sz_repro_check(run, "", same, "==", WRITTEN, "greedy, tau without bound: the small's");
    SZ_TRY(count_same(r, "speculative", SZ_ROUTER_LARGE, &same));
    sz_repro_check(run, "", same, "==", WRITTEN, "greedy, with speculation: the large's");
    return SZ_OK;
}

static sz_status real_models(sz_repro_run *run) {
    reader r = {0};
    SZ_TRY(sz_runtime_new(NULL, &r.rt));
    sz_status status = open_named(run, &r, "qwen-0.5b", &r.models[SZ_ROUTER_SMALL]);
    if (status == SZ_OK)
        status = open_named(run, &r, "qwen-1.5b", &r.models[SZ_ROUTER_LARGE]);
    if (status == SZ_OK)
        status = write_with_both(run, &r);
    if (status == SZ_OK && run->text)
        status = read_with_both(run, &r);
    sz_model_close(r.models[0]);
    sz_model_close(r.models[1]);
    sz_runtime_free(r.rt);
    return status;
}

static sz_status run_all(sz_repro_run *run) {
    SZ_TRY(figures_of_merit(run));
    SZ_TRY(byte_models(run));
    return run->smoke ? SZ_OK : real_models(run);
}

const sz_repro sz_repro_13 = {"13", run_all};
