/* train_run.c: the files of a run, its steps, and what it tells. */
#include "train_run.h"
#include "paths.h"
#include "signals.h"
#include "store.h"
#include "term.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <szilard/unstable/num.h>
#include <unistd.h>

typedef struct run {
    const sz_train_options *o;
    char start[4096], tokens_path[4096], checkpoint[4096], log_path[4096], model[4096];
    sz_runtime *rt;
    sz_tokens tokens;
    sz_trainer *t;
    FILE *log;
    sz_progress bar;
    uint64_t begun_ns, n_tokens; /* of this part of the run */
    uint64_t first;              /* step that it began with */
    double loss, nats;           /* of the last step and the last validation; NaN: none */
} run;

/* ---- Files
 * ---------------------------------------------------------------------------------------
 */

static sz_status name_files(run *r) {
    const struct {
        char *to;
        const char *name;
    } files[] = {{r->start, "start.gguf"},
                 {r->tokens_path, "tokens.npy"},
                 {r->checkpoint, "checkpoint.gguf"},
                 {r->log_path, "log.jsonl"},
                 {r->model, "model.gguf"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        SZ_REQUIRE(snprintf(files[i].to, 4096, "%s/%s", r->o->folder, files[i].name) < 4096,
                   SZ_E_ARG, "the name of the folder is too long");
    return SZ_OK;
}

static sz_status make_folder(const run *r) {
    SZ_TRY(sz_path_make_parents(r->start));
    bool old = sz_path_is_file(r->checkpoint, NULL) || sz_path_is_file(r->start, NULL);
    SZ_REQUIRE(!old || r->o->resume, SZ_E_STATE,
               "%s holds a run already: --resume goes on with it, another -o begins one",
               r->o->folder);
    return SZ_OK;
}

static sz_status make_start(const run *r) {
    const sz_train_options *o = r->o;
    char *path = NULL;
    sz_gguf *g = NULL;
    if (sz_path_is_file(r->start, NULL) || o->from)
        return SZ_OK;
    if (o->vocabulary) {
        SZ_TRY(sz_store_find(o->vocabulary, &path));
        sz_status status = sz_gguf_open(path, &g);
        free(path);
        SZ_TRY(status);
    }
    sz_status status = sz_lm_create(&o->shape, g, o->name, o->config.seed, r->start);
    sz_gguf_close(g);
    return status;
}

/* The texts' own token file, or the one that is given. */
static sz_status make_tokens(run *r, const char *model) {
    const sz_train_options *o = r->o;
    if (o->n_texts == 1 && sz_has_suffix(o->texts[0], ".npy"))
        return sz_tokens_open(o->texts[0], &r->tokens);
    if (!(o->resume && sz_path_is_file(r->tokens_path, NULL))) {
        sz_gguf *g;
        sz_tokenizer *t = NULL;
        uint64_t n;
        SZ_TRY(sz_gguf_open(model, &g));
        sz_status status = sz_tokenizer_from_gguf(g, &t);
        if (status == SZ_OK)
            status = sz_tokens_write(t, o->texts, o->n_texts, r->tokens_path, &n);
        sz_tokenizer_free(t);
        sz_gguf_close(g);
        SZ_TRY(status);
    }
    return sz_tokens_open(r->tokens_path, &r->tokens);
}

/* Lines of steps that the checkpoint does not know are of a part that is done again. */
static sz_status open_log(run *r) {
    sz_buf b = {0};
    uint64_t steps = sz_trainer_steps(r->t);
    if (r->o->resume && sz_path_is_file(r->log_path, NULL)) {
        SZ_TRY(sz_file_read(r->log_path, (size_t)1 << 30, &b));
        size_t keep = 0;
        for (size_t at = 0; at < b.len;) {
            const char *line = b.data + at, *end = memchr(line, '\n', b.len - at);
            unsigned long long step;
            if (!end || sscanf(line, "{\"step\":%llu", &step) != 1 || step > steps)
                break;
            at = keep = (size_t)(end - b.data) + 1;
        }
        b.len = keep;
    }
    sz_writer *w;
    sz_status status = sz_writer_open(r->log_path, &w);
    if (status == SZ_OK && (status = sz_writer_write(w, b.data, b.len)) == SZ_OK)
        status = sz_writer_commit(w);
    sz_buf_free(&b);
    SZ_TRY(status);
    r->log = fopen(r->log_path, "a");
    SZ_REQUIRE(r->log, SZ_E_IO, "%s: %s", r->log_path, strerror(errno));
    return SZ_OK;
}

static sz_status open_run(run *r) {
    const sz_train_options *o = r->o;
    char *from = NULL;
    SZ_TRY(name_files(r));
    SZ_TRY(make_folder(r));
    SZ_TRY(make_start(r));
    if (o->from)
        SZ_TRY(sz_store_find(o->from, &from));
    const char *model = from ? from : r->start;
    sz_status status = make_tokens(r, model);
    if (status == SZ_OK)
        status = sz_trainer_new(r->rt, model, &r->tokens, &o->config, &r->t);
    free(from);
    SZ_TRY(status);
    if (o->resume && sz_path_is_file(r->checkpoint, NULL))
        SZ_TRY(sz_trainer_load(r->t, r->checkpoint));
    return open_log(r);
}

static void close_run(run *r) {
    if (r->log)
        fclose(r->log);
    sz_trainer_free(r->t);
    sz_tokens_close(&r->tokens);
    sz_runtime_free(r->rt);
}

/* ---- What it tells
 * -------------------------------------------------------------------------------
 */

static double rate_of(const run *r) {
    double seconds = (double)(sz_time_ns() - r->begun_ns) * 1e-9;
    return seconds > 0 ? (double)r->n_tokens / seconds : 0;
}

static void put_time(sz_buf *b, double seconds) {
    if (seconds >= 3600)
        sz_buf_printf(b, "%.0f h %02.0f min", floor(seconds / 3600), fmod(seconds, 3600) / 60);
    else if (seconds >= 60)
        sz_buf_printf(b, "%.0f min %02.0f s", floor(seconds / 60), fmod(seconds, 60));
    else
        sz_buf_printf(b, "%.0f s", seconds);
}

static sz_status log_step(run *r, const sz_train_report *s, bool validated) {
    sz_buf b = {0};
    sz_buf_printf(&b, "{\"step\":%llu,\"loss_nats\":", (unsigned long long)s->step);
    sz_json_number(&b, s->loss);
    sz_buf_puts(&b, ",\"rate\":");
    sz_json_number(&b, s->rate);
    sz_buf_puts(&b, ",\"gradient_norm\":");
    sz_json_number(&b, s->norm);
    sz_buf_puts(&b, ",\"tokens_per_second\":");
    sz_json_number(&b, rate_of(r));
    if (validated) {
        sz_buf_puts(&b, ",\"validation_nats\":");
        sz_json_number(&b, r->nats);
    }
    sz_buf_puts(&b, "}\n");
    bool written = fwrite(b.data, 1, b.len, r->log) == b.len && fflush(r->log) == 0;
    sz_buf_free(&b);
    SZ_REQUIRE(written, SZ_E_IO, "%s: %s", r->log_path, strerror(errno));
    return SZ_OK;
}

static sz_status show_step(const run *r, const sz_train_report *s, bool validated) {
    sz_buf b = {0};
    double rate = rate_of(r), left = (double)((r->o->steps - s->step) * s->n_tokens);
    if (r->o->json)
        return SZ_OK;
    sz_buf_printf(&b, "step %llu of %llu   loss %.4f nats   rate %.2e   norm %.2f   %.0f tokens/s",
                  (unsigned long long)s->step, (unsigned long long)r->o->steps, s->loss, s->rate,
                  s->norm, rate);
    if (validated)
        sz_buf_printf(&b, "   validation %.4f nats, perplexity %.2f", r->nats, sz_exp(r->nats));
    if (s->step < r->o->steps && rate > 0) {
        sz_buf_puts(&b, "   left ");
        put_time(&b, left / rate);
    }
    sz_buf_putc(&b, '\n');
    sz_status status = sz_cli_flush(&b);
    sz_buf_free(&b);
    return status;
}

/* ---- Steps
 * ---------------------------------------------------------------------------------------
 */

static bool due(uint64_t step, uint64_t every, uint64_t last) {
    return step == last || (every && step % every == 0);
}

static sz_status one_step(run *r) {
    const sz_train_options *o = r->o;
    sz_train_report s;
    uint64_t n;
    SZ_TRY(sz_trainer_step(r->t, &s));
    r->n_tokens += s.n_tokens;
    r->loss = s.loss;
    bool validated = due(s.step, o->validate_every, o->steps);
    if (validated)
        SZ_TRY(sz_trainer_validate(r->t, 0, &r->nats, &n));
    if (validated || s.step == r->first + 1 || due(s.step, o->tell_every, o->steps)) {
        sz_progress_end(&r->bar);
        SZ_TRY(log_step(r, &s, validated));
        SZ_TRY(show_step(r, &s, validated));
    }
    sz_progress_update(&r->bar, s.step);
    return due(s.step, o->save_every, o->steps) ? sz_trainer_save(r->t, r->checkpoint) : SZ_OK;
}

/* After Ctrl-C the step under way is given up; those before it are kept. */
static sz_status keep_interrupted(run *r) {
    sz_runtime_resume(r->rt);
    SZ_TRY(sz_trainer_save(r->t, r->checkpoint));
    sz_cli_note("interrupted after step %llu; --resume goes on",
                (unsigned long long)sz_trainer_steps(r->t));
    return SZ_E_CANCELLED;
}

static sz_status run_steps(run *r) {
    sz_status status = SZ_OK;
    r->first = sz_trainer_steps(r->t);
    r->begun_ns = sz_time_ns();
    sz_progress_begin(&r->bar, "training", " steps", r->first, r->o->steps);
    while (sz_trainer_steps(r->t) < r->o->steps && status == SZ_OK)
        status = one_step(r);
    sz_progress_end(&r->bar);
    if (status == SZ_E_CANCELLED)
        return keep_interrupted(r);
    if (status == SZ_E_NAN && sz_path_is_file(r->checkpoint, NULL))
        return sz_fail_within(status, "step %llu (%s is of a step before)",
                              (unsigned long long)sz_trainer_steps(r->t) + 1, r->checkpoint);
    SZ_TRY(status);
    return sz_trainer_export(r->t, r->o->name, true, r->model);
}

static int tell_end(const run *r) {
    sz_buf b = {0};
    unsigned long long steps = sz_trainer_steps(r->t), n = sz_trainer_n_parameters(r->t);
    if (r->o->json) {
        sz_buf_printf(&b, "{\"steps\":%llu,\"parameters\":%llu,\"loss_nats\":", steps, n);
        sz_json_number(&b, r->loss);
        sz_buf_puts(&b, ",\"validation_nats\":");
        sz_json_number(&b, r->nats);
        sz_buf_puts(&b, ",\"perplexity\":");
        sz_json_number(&b, sz_exp(r->nats));
        sz_buf_puts(&b, ",\"tokens_per_second\":");
        sz_json_number(&b, rate_of(r));
        sz_buf_puts(&b, ",\"model\":");
        sz_json_quote(&b, r->model, strlen(r->model));
        sz_buf_puts(&b, "}\n");
    } else {
        sz_buf_printf(&b, "%llu parameters, %llu steps: %s\n", n, steps, r->model);
    }
    return sz_cli_print(&b);
}

int sz_train_run(const sz_train_options *o) {
    run r = {.o = o, .loss = NAN, .nats = NAN};
    sz_runtime_config config = {.size = sizeof config, .n_threads = o->threads};
    sz_status status = sz_runtime_new(&config, &r.rt);
    if (status == SZ_OK) {
        sz_catch_interrupts(r.rt);
        status = open_run(&r);
    }
    if (status == SZ_OK)
        status = run_steps(&r);
    int exit_status = status == SZ_OK ? tell_end(&r) : sz_cli_error();
    sz_catch_interrupts(NULL);
    close_run(&r);
    return exit_status;
}
