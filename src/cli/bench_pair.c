/* bench_pair.c: runs this build and another in turns, each as a process of its own that measures
 * one repeat and prints it as JSON. */
#include "bench_pair.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_ARGUMENTS = 24, MOST_OUTPUT = 1 << 20, ARENA_BYTES = 1 << 16 };
static const double wanted_confidence = 0.9;

extern char **environ;

/* ---- One process ------------------------------------------------------------------------------
 */

typedef struct arguments {
    const char *v[MOST_ARGUMENTS];
    char numbers[8][24], batches[SZ_MOST_BATCHES * 4];
    size_t n, n_numbers;
} arguments;

static void add(arguments *a, const char *option, const char *value) {
    a->v[a->n++] = option;
    if (value)
        a->v[a->n++] = value;
}

static void add_number(arguments *a, const char *option, size_t value) {
    char *text = a->numbers[a->n_numbers++];
    snprintf(text, sizeof a->numbers[0], "%zu", value);
    add(a, option, text);
}

static void make_arguments(const sz_bench_pair_plan *plan, const char *program, arguments *a) {
    const sz_bench_plan *w = plan->work;
    *a = (arguments){.n = 0};
    add(a, program, "bench");
    add(a, "-m", plan->model);
    add_number(a, "-p", w->n_prefill);
    add_number(a, "-n", w->n_decode);
    add_number(a, "-c", w->context);
    add_number(a, "-r", 1);
    if (plan->threads)
        add_number(a, "-t", plan->threads);
    size_t at = 0;
    for (size_t i = 0; i < w->n_batches; i++)
        at += (size_t)snprintf(a->batches + at, sizeof a->batches - at, "%s%zu", i ? "," : "",
                               w->batch[i]);
    if (w->n_batches)
        add(a, "-b", a->batches);
    add(a, "--json", NULL);
}

static sz_status start(const arguments *a, pid_t *pid, int *out) {
    int ends[2];
    posix_spawn_file_actions_t actions;
    SZ_REQUIRE(pipe2(ends, O_CLOEXEC) == 0, SZ_E_IO, "no pipe from '%s': %s", a->v[0],
               strerror(errno));
    int error = posix_spawn_file_actions_init(&actions);
    if (error == 0) {
        error = posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        if (error == 0)
            error = posix_spawn(pid, a->v[0], &actions, NULL, (char *const *)a->v, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    close(ends[1]);
    *out = ends[0];
    if (error == 0)
        return SZ_OK;
    close(ends[0]);
    return sz_fail(SZ_E_IO, "'%s' cannot be started: %s", a->v[0], strerror(error));
}

static sz_status read_all(int from, const char *program, sz_buf *b) {
    char part[4096];
    for (;;) {
        ssize_t n = read(from, part, sizeof part);
        if (n < 0 && errno == EINTR)
            continue;
        SZ_REQUIRE(n >= 0, SZ_E_IO, "what '%s' prints cannot be read: %s", program,
                   strerror(errno));
        if (n == 0)
            return SZ_OK;
        sz_buf_append(b, part, (size_t)n);
        SZ_REQUIRE(!b->failed, SZ_E_LIMIT, "'%s' prints more than %d bytes", program, MOST_OUTPUT);
    }
}

/* What one build prints; its complaints go to stderr by themselves. */
static sz_status run(const arguments *a, sz_buf *b) {
    pid_t pid;
    int from, result = 0;
    SZ_TRY(start(a, &pid, &from));
    sz_status status = read_all(from, a->v[0], b);
    close(from);
    while (waitpid(pid, &result, 0) < 0 && errno == EINTR)
        continue;
    SZ_TRY(status);
    SZ_REQUIRE(WIFEXITED(result) && WEXITSTATUS(result) == 0, SZ_E_IO, "'%s bench' failed",
               a->v[0]);
    return SZ_OK;
}

/* ---- What it says -----------------------------------------------------------------------------
 */

static double number_of(const sz_json *j) {
    return !j                         ? NAN
           : j->type == SZ_JSON_INT   ? (double)j->u.i
           : j->type == SZ_JSON_FLOAT ? j->u.f
                                      : NAN;
}

static const sz_json *child_at(const sz_json *array, size_t i) {
    const sz_json *child =
        array && array->type == SZ_JSON_ARRAY && array->n ? array->u.child : NULL;
    for (; child && i > 0; i--)
        child = child->next;
    return child;
}

static double figure(const sz_json *result, const sz_bench_pair_row *row, size_t batch) {
    char key[48];
    if (strcmp(row->name, "batch") != 0) {
        snprintf(key, sizeof key, "%s_tokens_per_s", row->name);
        return number_of(sz_json_get(result, key));
    }
    const sz_json *b = child_at(sz_json_get(result, "batches"), batch);
    return b && b->type == SZ_JSON_OBJECT ? number_of(sz_json_get(b, "sequences_tokens_per_s"))
                                          : NAN;
}

static sz_status read_figures(const char *program, const sz_buf *text, sz_bench_pair *p, bool ours,
                              size_t round) {
    sz_arena *arena;
    sz_json *all = NULL;
    SZ_TRY(sz_arena_new(ARENA_BYTES, &arena));
    sz_status status = sz_json_parse(text->data ? text->data : "", text->len, arena, &all);
    const sz_json *result = status == SZ_OK ? child_at(all, 0) : NULL;
    if (status == SZ_OK && (!result || result->type != SZ_JSON_OBJECT))
        status = sz_fail(SZ_E_FORMAT, "no object in an array");
    size_t batch = 0;
    for (size_t i = 0; status == SZ_OK && i < p->n_rows; i++) {
        sz_bench_pair_row *row = &p->row[i];
        double v = figure(result, row, batch);
        batch += strcmp(row->name, "batch") == 0;
        (ours ? row->ours : row->theirs)[round] = v;
        if (!(v > 0))
            status = sz_fail(SZ_E_FORMAT, "no speed of %s %zu", row->name, row->n_tokens);
    }
    sz_arena_free(arena);
    return status == SZ_OK ? SZ_OK : sz_fail_within(status, "'%s bench --json'", program);
}

/* ---- Rounds -----------------------------------------------------------------------------------
 */

static sz_status run_side(const sz_bench_pair_plan *plan, const char *program, bool ours,
                          size_t round, sz_bench_pair *p) {
    arguments a;
    sz_buf text = {.limit = MOST_OUTPUT};
    make_arguments(plan, program, &a);
    sz_status status = run(&a, &text);
    if (status == SZ_OK)
        status = read_figures(program, &text, p, ours, round);
    sz_buf_free(&text);
    return status;
}

static sz_status add_row(sz_bench_pair *p, const char *name, size_t n_tokens) {
    sz_bench_pair_row *row = &p->row[p->n_rows];
    if (n_tokens == 0)
        return SZ_OK;
    snprintf(row->name, sizeof row->name, "%s", name);
    row->n_tokens = n_tokens;
    row->ours = sz_alloc(2 * p->rounds * sizeof *row->ours);
    SZ_REQUIRE(row->ours, SZ_E_NOMEM, "out of memory for %zu rounds", p->rounds);
    row->theirs = row->ours + p->rounds;
    p->n_rows++;
    return SZ_OK;
}

sz_status sz_bench_pair_run(const sz_bench_pair_plan *plan, sz_bench_pair *out) {
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    SZ_REQUIRE(n > 0, SZ_E_IO, "/proc/self/exe: %s", strerror(errno));
    self[n] = '\0';
    *out = (sz_bench_pair){.rounds = (size_t)plan->work->repeats};
    SZ_TRY(add_row(out, "prefill", plan->work->n_prefill));
    SZ_TRY(add_row(out, "decode", plan->work->n_decode));
    for (size_t i = 0; i < plan->work->n_batches; i++)
        SZ_TRY(add_row(out, "batch", plan->work->batch[i]));
    for (size_t round = 0; round < out->rounds; round++)
        for (size_t turn = 0; turn < 2; turn++) {
            bool ours = (round + turn) % 2 == 0;
            SZ_TRY(run_side(plan, ours ? self : plan->other, ours, round, out));
        }
    return SZ_OK;
}

void sz_bench_pair_free(sz_bench_pair *p) {
    for (size_t i = 0; i < p->n_rows; i++)
        sz_free(p->row[i].ours);
    *p = (sz_bench_pair){.rounds = 0};
}

/* ---- Ratios -----------------------------------------------------------------------------------
 */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(const double *sorted, size_t n) {
    return n % 2 ? sorted[n / 2] : (sorted[n / 2] + sorted[n / 2 - 1]) / 2;
}

/* The greatest rank from below and above whose interval still has the wanted confidence. */
static void interval(const double *sorted, size_t n, sz_bench_ratio *out) {
    double outside = 0, chance = pow(0.5, (double)n); /* of fewer than k heads, and of just k */
    size_t rank = 0;
    for (size_t k = 1; 2 * k <= n + 1; k++) {
        outside += chance;
        chance *= (double)(n - k + 1) / (double)k;
        double confidence = 1 - 2 * outside;
        if (rank > 0 && confidence < wanted_confidence)
            break;
        rank = k;
        out->confidence = confidence > 0 ? confidence : 0;
    }
    out->low = sorted[rank - 1];
    out->high = sorted[n - rank];
}

sz_status sz_bench_pair_ratio(const sz_bench_pair_row *row, size_t n, sz_bench_ratio *out) {
    double *v = sz_alloc(3 * n * sizeof *v), *ours = v, *theirs = v + n, *ratio = v + 2 * n;
    SZ_REQUIRE(v, SZ_E_NOMEM, "out of memory for %zu rounds", n);
    for (size_t i = 0; i < n; i++) {
        ours[i] = row->ours[i];
        theirs[i] = row->theirs[i];
        ratio[i] = row->ours[i] / row->theirs[i];
    }
    for (double *side = v; side < v + 3 * n; side += n)
        qsort(side, n, sizeof *side, by_value);
    *out = (sz_bench_ratio){.ours_best = ours[n - 1],
                            .ours_median = median(ours, n),
                            .theirs_best = theirs[n - 1],
                            .theirs_median = median(theirs, n),
                            .best = ours[n - 1] / theirs[n - 1],
                            .median = median(ratio, n)};
    interval(ratio, n, out);
    sz_free(v);
    return SZ_OK;
}
