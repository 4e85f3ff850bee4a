/* zip_file.c: one file from its name to its result: where bytes come from, where they go, and that
 * nothing half-written is left or overwritten. */
#include "zip_file.h"
#include "paths.h"
#include "signals.h"
#include "term.h"
#include "zip_engine.h"
#include "zip_stats.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".slz"
enum { AHEAD = 1 << 16 /* bytes that an engine is chosen by */ };

/* What is kept from file to file. */
typedef struct zip_run {
    const sz_zip_options *options;
    sz_predictor predictor; /* that files are coded with; opened for the first one */
    sz_zip_model model;
} zip_run;

typedef struct stream {
    const char *name; /* of the input, for messages */
    int in;
    struct stat info; /* of the input */
    bool is_stdin, to_stdout;
    char *target;      /* path that is written; NULL: none, or standard output */
    sz_writer *writer; /* of the target */
    uint64_t n_read;
    sz_buf begin; /* what was read ahead to choose an engine */
    size_t begin_at;
    sz_zip_stats stats;
    sz_progress progress;
} stream;

/* ---- Reading and writing --------------------------------------------------------------------- */

static sz_status read_input(void *user, void *bytes, size_t n, size_t *n_read) {
    stream *s = user;
    uint8_t *p = bytes;
    size_t ahead = s->begin.len - s->begin_at;
    *n_read = n < ahead ? n : ahead;
    if (*n_read)
        memcpy(p, s->begin.data + s->begin_at, *n_read);
    s->begin_at += *n_read;
    while (*n_read < n) {
        struct pollfd wait = {.fd = s->in, .events = POLLIN};
        int ready = poll(&wait, 1, -1); /* a signal ends it, where it would not end read */
        SZ_REQUIRE(!sz_interrupted(), SZ_E_CANCELLED, "interrupted");
        if (ready < 0 && errno == EINTR)
            continue;
        ssize_t got = read(s->in, p + *n_read, n - *n_read);
        if (got < 0 && errno == EINTR)
            continue;
        SZ_REQUIRE(got >= 0, SZ_E_IO, "cannot read: %s", strerror(errno));
        if (got == 0)
            break;
        *n_read += (size_t)got;
    }
    s->n_read += *n_read;
    sz_progress_update(&s->progress, s->n_read);
    return SZ_OK;
}

static sz_status write_stdout(const void *bytes, size_t n) {
    const uint8_t *p = bytes;
    for (size_t at = 0; at < n;) {
        ssize_t done = write(STDOUT_FILENO, p + at, n - at);
        if (done < 0 && errno == EINTR && !sz_interrupted())
            continue;
        SZ_REQUIRE(done > 0, SZ_E_IO, "cannot write to standard output: %s", strerror(errno));
        at += (size_t)done;
    }
    return SZ_OK;
}

static sz_status write_output(void *user, const void *bytes, size_t n) {
    stream *s = user;
    return s->to_stdout ? write_stdout(bytes, n) : sz_writer_write(s->writer, bytes, n);
}

/* ---- Names ----------------------------------------------------------------------------------- */

static sz_status open_input(stream *s, const char *path) {
    s->is_stdin = strcmp(path, "-") == 0;
    s->name = s->is_stdin ? "standard input" : path;
    s->in = s->is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    SZ_REQUIRE(s->in >= 0 && fstat(s->in, &s->info) == 0, errno == ENOENT ? SZ_E_NOTFOUND : SZ_E_IO,
               "cannot open: %s", strerror(errno));
    SZ_REQUIRE(!S_ISDIR(s->info.st_mode), SZ_E_ARG,
               "is a folder: pack it first, as in 'tar c FOLDER | szilard zip -o FOLDER.tar.slz'");
    return SZ_OK;
}

static sz_status name_target(const sz_zip_options *o, stream *s, const char *path) {
    if (o->output && strcmp(o->output, "-") != 0) {
        s->target = sz_text("%s", o->output);
    } else if (o->output || s->is_stdin) {
        s->to_stdout = true;
        return SZ_OK;
    } else if (o->action == SZ_ZIP_CODE) {
        s->target = sz_text("%s" SUFFIX, path);
    } else {
        size_t n = strlen(path), tail = sizeof SUFFIX - 1;
        SZ_REQUIRE(n > tail && strcmp(path + n - tail, SUFFIX) == 0 && path[n - tail - 1] != '/',
                   SZ_E_ARG, "does not end in " SUFFIX ": name the result with -o");
        s->target = sz_text("%.*s", (int)(n - tail), path);
    }
    SZ_REQUIRE(s->target, SZ_E_NOMEM, "out of memory for a path");
    return SZ_OK;
}

static sz_status open_target(const sz_zip_options *o, stream *s) {
    struct stat there;
    if (s->to_stdout) {
        SZ_REQUIRE(o->action != SZ_ZIP_CODE || o->force || !isatty(STDOUT_FILENO), SZ_E_ARG,
                   "compressed bytes are not for a terminal: name a file with -o, or use -f");
        return SZ_OK;
    }
    if (stat(s->target, &there) == 0) {
        SZ_REQUIRE(there.st_dev != s->info.st_dev || there.st_ino != s->info.st_ino, SZ_E_ARG,
                   "the result would replace its own source");
        SZ_REQUIRE(o->force || !S_ISREG(there.st_mode), SZ_E_ARG,
                   "%s is there already: -f overwrites it", s->target);
    }
    return sz_writer_open(s->target, &s->writer);
}

/* The result gets the source's permissions and time, as far as the system lets us. */
static void copy_attributes(const stream *s) {
    if (s->is_stdin || !S_ISREG(s->info.st_mode))
        return;
    struct timespec times[2] = {s->info.st_atim, s->info.st_mtim};
    int failed = chmod(s->target, s->info.st_mode & 0777);
    failed |= utimensat(AT_FDCWD, s->target, times, 0);
    (void)failed; /* the bytes are there, which counts */
}

/* What was decoded before the damage gets its name too, and the damage stays an error. */
static sz_status commit_broken(stream *s) {
    char why[512];
    snprintf(why, sizeof why, "%s", sz_last_error());
    SZ_TRY(sz_writer_commit(s->writer));
    return sz_fail(SZ_E_FORMAT, "%s; %s holds what comes before", why, s->target);
}

static sz_status close_target(const sz_zip_options *o, stream *s, const char *path,
                              sz_status status) {
    if (s->writer && status == SZ_OK) {
        status = sz_writer_commit(s->writer);
        if (status == SZ_OK)
            copy_attributes(s);
    } else if (s->writer && status == SZ_E_FORMAT && o->keep_broken) {
        status = commit_broken(s);
    } else {
        sz_writer_abort(s->writer);
    }
    if (status == SZ_OK && o->remove_source && !s->is_stdin && !s->to_stdout)
        SZ_REQUIRE(unlink(path) == 0, SZ_E_IO, "the result is written, but cannot remove: %s",
                   strerror(errno));
    return status;
}

/* ---- Telling --------------------------------------------------------------------------------- */

static double bits_per_byte(const sz_slz_totals *t) {
    return t->n_bytes ? 8.0 * (double)t->n_container / (double)t->n_bytes : 0;
}

static void put_json(sz_buf *b, const stream *s, const sz_slz_totals *t, double seconds) {
    sz_buf_puts(b, "{\"file\":");
    sz_json_quote(b, s->name, strlen(s->name));
    sz_buf_puts(b, ",\"to\":");
    if (s->target)
        sz_json_quote(b, s->target, strlen(s->target));
    else
        sz_buf_puts(b, "null");
    sz_buf_printf(b, ",\"engine\":\"%s\",\"bytes\":%llu,\"compressed\":%llu,\"bits_per_byte\":",
                  sz_slz_engine_name(t->engine), (unsigned long long)t->n_bytes,
                  (unsigned long long)t->n_container);
    sz_json_number(b, bits_per_byte(t));
    sz_buf_printf(b, ",\"segments\":%llu,\"stored\":%llu,\"seconds\":",
                  (unsigned long long)t->n_segments, (unsigned long long)t->n_stored);
    sz_json_number(b, seconds);
    sz_buf_puts(b, "}\n");
}

static void put_line(sz_buf *b, const stream *s, const sz_slz_totals *t) {
    sz_buf_printf(b, "%14llu %14llu  %6.3f  %-6s %8llu  %s\n", (unsigned long long)t->n_container,
                  (unsigned long long)t->n_bytes, bits_per_byte(t), sz_slz_engine_name(t->engine),
                  (unsigned long long)t->n_segments, s->name);
}

static sz_status tell(const sz_zip_options *o, const stream *s, const sz_slz_totals *t,
                      double seconds) {
    sz_buf b = {0};
    sz_status status = SZ_OK;
    if (o->json)
        put_json(&b, s, t, seconds);
    else if (o->action == SZ_ZIP_LIST)
        put_line(&b, s, t);
    else if (o->action == SZ_ZIP_TEST && !o->quiet)
        sz_buf_printf(&b, "%s: right, %llu bytes\n", s->name, (unsigned long long)t->n_bytes);
    else if (!o->quiet && !s->to_stdout)
        sz_cli_note("%s: %llu to %llu bytes, %.3f bits per byte, %.1f s, %s", s->name,
                    (unsigned long long)(o->action == SZ_ZIP_CODE ? t->n_bytes : t->n_container),
                    (unsigned long long)(o->action == SZ_ZIP_CODE ? t->n_container : t->n_bytes),
                    bits_per_byte(t), seconds, s->target);
    if (b.len)
        status = sz_cli_flush(&b);
    sz_buf_free(&b);
    return status;
}

/* On standard error, so that it mixes with no other output. */
static sz_status tell_stats(const zip_run *run, const stream *s, const sz_slz_totals *t) {
    sz_buf b = {0};
    sz_model_info info = {0};
    if (t->engine == SZ_PREDICTOR_LM)
        sz_model_get_info(run->model.engine.model, &info);
    sz_zip_stats_print(&s->stats, t, info.file_bytes, &b);
    if (b.len)
        fwrite(b.data, 1, b.len, stderr);
    sz_buf_free(&b);
    return run->options->page ? sz_zip_stats_page(&s->stats, s->name, run->options->page) : SZ_OK;
}

/* ---- One file -------------------------------------------------------------------------------- */

/* The engine for this file; the one that -m names serves all of them. */
static sz_status choose(zip_run *run, stream *s) {
    const char *name = run->options->model;
    size_t n;
    if (!name || strcmp(name, "auto") != 0)
        return run->predictor.kind ? SZ_OK
                                   : sz_zip_engine_named(&run->model, name, &run->predictor);
    char *ahead = sz_alloc(AHEAD);
    SZ_REQUIRE(ahead, SZ_E_NOMEM, "no memory for a sample");
    sz_status status = read_input(s, ahead, AHEAD, &n);
    if (status == SZ_OK) {
        sz_buf_append(&s->begin, ahead, n);
        sz_predictor_free(&run->predictor);
        uint64_t size = S_ISREG(s->info.st_mode) ? (uint64_t)s->info.st_size
                        : n < AHEAD              ? n
                                                 : UINT64_MAX;
        status = sz_zip_engine_auto(&run->model, (const uint8_t *)ahead, n, size, &run->predictor);
    }
    sz_free(ahead);
    return status;
}

static sz_status work(zip_run *run, stream *s, sz_slz_totals *t) {
    const sz_zip_options *o = run->options;
    sz_slz_io io = {s, read_input, s->writer || s->to_stdout ? write_output : NULL};
    if (o->action == SZ_ZIP_LIST) {
        sz_buf about = {0};
        sz_status status = sz_slz_list(&io, &about, t);
        sz_buf_free(&about);
        return status;
    }
    if (o->action != SZ_ZIP_CODE)
        return sz_slz_decode(sz_zip_engine_open, &run->model, &io, t);
    SZ_TRY(choose(run, s));
    if (run->predictor.kind == &sz_predictor_lm && o->stats)
        sz_predictor_lm_watch(&run->predictor, sz_zip_stats_add, &s->stats);
    return sz_slz_encode(&run->predictor, &io, t);
}

static sz_status run_stream(zip_run *run, stream *s, const char *path) {
    const sz_zip_options *o = run->options;
    bool writes = o->action == SZ_ZIP_CODE || o->action == SZ_ZIP_DECODE;
    sz_slz_totals totals = {0};
    uint64_t start = sz_time_ns();
    SZ_TRY(open_input(s, path));
    if (writes) {
        SZ_TRY(name_target(o, s, path));
        SZ_TRY(open_target(o, s));
    }
    sz_progress_begin(&s->progress, s->name, NULL, 0,
                      S_ISREG(s->info.st_mode) ? (uint64_t)s->info.st_size : 0);
    if (o->quiet)
        s->progress.terminal = false;
    sz_status status = work(run, s, &totals);
    sz_progress_end(&s->progress);
    SZ_TRY(close_target(o, s, path, status));
    if (o->stats && o->action == SZ_ZIP_CODE)
        SZ_TRY(tell_stats(run, s, &totals));
    return tell(o, s, &totals, (double)(sz_time_ns() - start) * 1e-9);
}

static sz_status run_file(zip_run *run, const char *path) {
    stream s = {.in = -1};
    sz_status status = run_stream(run, &s, path);
    if (s.in > STDIN_FILENO)
        close(s.in);
    free(s.target);
    sz_buf_free(&s.begin);
    sz_zip_stats_free(&s.stats);
    return status == SZ_OK ? SZ_OK : sz_fail_within(status, "%s", s.name);
}

int sz_zip_files(const sz_zip_options *o) {
    static char *const standard_input[] = {"-"};
    char *const *files = o->n_files ? o->files : standard_input;
    zip_run run = {.options = o, .model.options = o};
    int exit_status = SZ_EXIT_OK;
    sz_catch_interrupts(NULL);
    sz_catch_broken_pipe();
    if (o->action == SZ_ZIP_LIST && !o->json)
        printf("%14s %14s  %6s  %-6s %8s  %s\n", "compressed", "bytes", "bits/B", "engine",
               "segments", "file");
    for (int i = 0; i < (o->n_files ? o->n_files : 1) && !sz_interrupted(); i++)
        if (run_file(&run, files[i]) != SZ_OK)
            exit_status = sz_cli_error();
    sz_predictor_free(&run.predictor);
    sz_zip_model_close(&run.model);
    return exit_status;
}
