/* scorer.c: runs the user's command on texts, within a time. */
#include "scorer.h"
#include "signals.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_OUTPUT = 1 << 20, PATIENCE_MS = 100 };

typedef struct child {
    pid_t pid;
    int in, out; /* ours: to its stdin, from its stdout; -1: closed */
} child;

static void close_end(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* In the child: its ends become stdin and stdout, its group its own, so that all it starts can be
 * ended with it. */
static void run(const char *command, int in, int out) {
    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static sz_status start(const char *command, child *c) {
    int to[2], from[2];
    SZ_REQUIRE(pipe2(to, O_CLOEXEC) == 0, SZ_E_IO, "no pipe to '%s': %s", command, strerror(errno));
    if (pipe2(from, O_CLOEXEC) != 0) {
        close(to[0]);
        close(to[1]);
        return sz_fail(SZ_E_IO, "no pipe from '%s': %s", command, strerror(errno));
    }
    *c = (child){fork(), to[1], from[0]};
    if (c->pid == 0)
        run(command, to[0], from[1]);
    close(to[0]);
    close(from[1]);
    if (c->pid < 0) {
        close(to[1]);
        close(from[0]);
        return sz_fail(SZ_E_IO, "'%s' cannot be started: %s", command, strerror(errno));
    }
    fcntl(c->in, F_SETFL, O_NONBLOCK);
    fcntl(c->out, F_SETFL, O_NONBLOCK);
    return SZ_OK;
}

/* ---- Talking to it --------------------------------------------------------------------------- */

/* A command that does not read its input to the end is none the worse. */
static void give(child *c, const sz_buf *input, size_t *at) {
    ssize_t n = write(c->in, input->data + *at, input->len - *at);
    if (n > 0)
        *at += (size_t)n;
    if (*at == input->len || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_end(&c->in);
}

static sz_status take(child *c, const char *command, sz_buf *output) {
    char block[4096];
    ssize_t n = read(c->out, block, sizeof block);
    if (n > 0)
        sz_buf_append(output, block, (size_t)n);
    SZ_REQUIRE(!output->failed, SZ_E_LIMIT, "'%s' wrote more than %d bytes", command, MOST_OUTPUT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_end(&c->out);
    return SZ_OK;
}

static sz_status talk(child *c, const sz_scorer *s, const sz_buf *input, sz_buf *output) {
    uint64_t start = sz_time_ns();
    for (size_t at = 0; c->out >= 0;) {
        struct pollfd fds[] = {{.fd = c->out, .events = POLLIN}, {.fd = c->in, .events = POLLOUT}};
        SZ_REQUIRE(!sz_interrupted(), SZ_E_CANCELLED, "cancelled");
        SZ_REQUIRE(sz_time_ns() - start < s->timeout_ns, SZ_E_LIMIT, "'%s' took longer than %.3g s",
                   s->command, (double)s->timeout_ns * 1e-9);
        if (poll(fds, 2, PATIENCE_MS) <= 0)
            continue;
        if (fds[1].fd >= 0 && fds[1].revents)
            give(c, input, &at);
        if (fds[0].revents)
            SZ_TRY(take(c, s->command, output));
    }
    return SZ_OK;
}

/* Waits for its end, which comes at once where something went wrong. */
static sz_status finish(child *c, const sz_scorer *s, sz_status status) {
    int how = 0;
    close_end(&c->in);
    close_end(&c->out);
    if (status != SZ_OK)
        kill(-c->pid, SIGKILL);
    while (waitpid(c->pid, &how, 0) < 0 && errno == EINTR)
        continue;
    SZ_TRY(status);
    SZ_REQUIRE(!WIFSIGNALED(how), SZ_E_IO, "'%s' was ended by signal %d", s->command,
               WTERMSIG(how));
    SZ_REQUIRE(WEXITSTATUS(how) == 0, SZ_E_IO, "'%s' ended with status %d", s->command,
               WEXITSTATUS(how));
    return SZ_OK;
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static void put_line(sz_buf *b, const sz_steer_text *text) {
    static const char from[] = "\n\r\\", to[] = "nr\\";
    for (size_t i = 0; i < text->n; i++) {
        const char *code = text->bytes[i] ? strchr(from, text->bytes[i]) : NULL;
        if (code)
            sz_buf_putc(b, '\\');
        sz_buf_putc(b, code ? to[code - from] : text->bytes[i]);
    }
    sz_buf_putc(b, '\n');
}

static sz_status read_score(const sz_scorer *s, const char *line, size_t i, double *out) {
    char *end;
    *out = strtod(line, &end);
    SZ_REQUIRE(end != line && end[strspn(end, " \t\r")] == '\0', SZ_E_FORMAT,
               "'%s', line %zu: '%.40s' is not a score", s->command, i + 1, line);
    SZ_REQUIRE(*out < INFINITY, SZ_E_NAN, "'%s', line %zu: the score is '%.40s'", s->command, i + 1,
               line);
    return SZ_OK;
}

static sz_status read_scores(const sz_scorer *s, char *text, size_t n, double *out) {
    size_t i = 0;
    for (char *line = text, *end; line && *line; line = end) {
        end = strchr(line, '\n');
        if (end)
            *end++ = '\0';
        SZ_REQUIRE(i < n, SZ_E_FORMAT, "'%s' wrote more than a line for each of %zu texts",
                   s->command, n);
        SZ_TRY(read_score(s, line, i, &out[i]));
        i++;
    }
    SZ_REQUIRE(i == n, SZ_E_FORMAT, "'%s' wrote %zu lines for %zu texts", s->command, i, n);
    return SZ_OK;
}

sz_status sz_scorer_score(void *scorer, const sz_steer_text *texts, size_t n, double *log_scores) {
    sz_scorer *s = scorer;
    child c;
    sz_buf input = {0}, output = {.limit = MOST_OUTPUT};
    for (size_t i = 0; i < n; i++)
        put_line(&input, &texts[i]);
    sz_catch_broken_pipe();
    sz_status status =
        input.failed ? sz_fail(SZ_E_NOMEM, "no memory for %zu texts", n) : start(s->command, &c);
    if (status == SZ_OK)
        status = finish(&c, s, talk(&c, s, &input, &output));
    if (status == SZ_OK)
        status = read_scores(s, output.data ? output.data : (char[]){""}, n, log_scores);
    s->n_calls++;
    s->n_texts += n;
    sz_buf_free(&input);
    sz_buf_free(&output);
    return status;
}
