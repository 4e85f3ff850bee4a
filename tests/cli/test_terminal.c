/* test_terminal.c: the conversation on a terminal: Ctrl-C stops the answer and not the program,
 * lines are edited, pasted texts are one turn, Ctrl-D leaves; and `run` colours what it prints. */
#include "check.h"
#include "support/tiny_model.h"
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000 };

static char model[TINY_MODEL_PATH], state_folder[64];

typedef struct terminal {
    int fd;
    pid_t pid;
    char text[1 << 20]; /* all that was printed */
    size_t n, seen;     /* `seen`: where waiting begins */
} terminal;

/* Starts `szilard arguments...`, NULL-ended, on a terminal of its own. */
static void start(terminal *t, char *const *arguments) {
    struct winsize size = {.ws_row = 40, .ws_col = 100};
    t->n = t->seen = 0;
    t->text[0] = '\0';
    t->pid = forkpty(&t->fd, NULL, NULL, &size);
    assert_true(t->pid >= 0);
    if (t->pid == 0) {
        setenv("TERM", "xterm-256color", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        setenv("XDG_STATE_HOME", state_folder, 1);
        setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* libedit keeps names given to it */
        unsetenv("NO_COLOR");
        unsetenv("COLORTERM");
        signal(SIGINT, SIG_DFL);
        execv(SZ_COMMAND, arguments);
        _exit(127);
    }
}

static void type(terminal *t, const char *text) {
    assert_int_equal(write(t->fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* Reads once; false at the end or when nothing comes. */
static bool read_some(terminal *t) {
    struct pollfd input = {.fd = t->fd, .events = POLLIN};
    assert_true(t->n + 4096 < sizeof t->text);
    if (poll(&input, 1, PATIENCE_MS) <= 0)
        return false;
    ssize_t n = read(t->fd, t->text + t->n, 4096);
    if (n <= 0)
        return false;
    t->n += (size_t)n;
    t->text[t->n] = '\0';
    return true;
}

static const char *last_of(const terminal *t) {
    return t->text + (t->n > 500 ? t->n - 500 : 0);
}

/* Reads until `text` was printed after what was waited for before. */
static void wait_for(terminal *t, const char *text) {
    char *at;
    while (!(at = memmem(t->text + t->seen, t->n - t->seen, text, strlen(text))))
        if (!read_some(t))
            fail_msg("no '%s' at the end of '%s' (%s)", text, last_of(t),
                     kill(t->pid, 0) == 0 && waitpid(t->pid, NULL, WNOHANG) == 0 ? "it waits"
                                                                                 : "it ended");
    t->seen = (size_t)(at - t->text) + strlen(text);
}

/* Reads to the end. One that does not end by itself is killed: a test fails, it never hangs. */
static int leave(terminal *t) {
    int status;
    while (read_some(t))
        ;
    bool ended = waitpid(t->pid, &status, WNOHANG) == t->pid;
    for (int ms = 0; !ended && ms < PATIENCE_MS; ms += 10) {
        usleep(10000);
        ended = waitpid(t->pid, &status, WNOHANG) == t->pid;
    }
    if (!ended) {
        kill(t->pid, SIGKILL);
        waitpid(t->pid, &status, 0);
    }
    close(t->fd);
    if (!ended)
        fail_msg("it does not end after '%s'", last_of(t));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static terminal t; /* large */

static void test_conversation(void **state) {
    char *const arguments[] = {"szilard", "chat",   "-m",     model, "--raw",
                               "-n",      "100000", "--seed", "1",   NULL};
    start(&t, arguments);
    wait_for(&t, ">>> ");
    type(&t, "hello\r");
    usleep(200000);
    type(&t, "\003"); /* the terminal makes SIGINT of it */
    wait_for(&t, ">>> ");
    type(&t, "/set n 3\r");
    wait_for(&t, "n        3");
    wait_for(&t, ">>> ");
    type(&t, "/sxstem\b\b\b\b\b\bsystem\r"); /* the editor takes back what was mistyped */
    wait_for(&t, "has no system message");
    wait_for(&t, ">>> ");
    type(&t, "abc\003");
    wait_for(&t, "Ctrl-D");
    wait_for(&t, ">>> ");
    type(&t, "\033[200~two\rlines\r\033[201~");
    wait_for(&t, "two\xE2\x8F\x8Elines");
    type(&t, "\r");
    wait_for(&t, ">>> ");
    type(&t, "\033[A"); /* the line before */
    wait_for(&t, "two\xE2\x8F\x8Elines");
    type(&t, "\003");
    wait_for(&t, ">>> ");
    type(&t, "\004");
    assert_int_equal(leave(&t), 0);
}

static void test_run_opens_conversation(void **state) {
    char *const arguments[] = {"szilard", "run", model, "-n", "2", NULL};
    start(&t, arguments);
    wait_for(&t, "/help");
    wait_for(&t, ">>> ");
    type(&t, "/exit\r");
    assert_int_equal(leave(&t), 0);
}

static void test_terminate(void **state) {
    char *const arguments[] = {"szilard", "chat", model, NULL};
    start(&t, arguments);
    wait_for(&t, ">>> ");
    kill(t.pid, SIGTERM);
    assert_int_equal(leave(&t), 130);
}

static void test_colours(void **state) {
    char *const with[] = {"szilard", "run", model, "--raw",          "-p",
                          "hello",   "-n",  "8",   "--show-entropy", NULL};
    char *const without[] = {"szilard", "run", model, "--raw", "-p",
                             "hello",   "-n",  "8",   "-q",    NULL};
    start(&t, with);
    assert_int_equal(leave(&t), 0);
    assert_non_null(strstr(t.text, "\033[38;5;"));
    assert_non_null(strstr(t.text, "entropy"));
    start(&t, without);
    assert_int_equal(leave(&t), 0);
    assert_null(strchr(t.text, '\033'));
}

static int make_files(void **state) {
    tiny_model config = {.n_ctx = 1 << 20, .no_end = true, .no_template = true};
    strcpy(state_folder, "/tmp/szilard-state-XXXXXX");
    return !mkdtemp(state_folder) || tiny_model_make(&config, model) != SZ_OK;
}

static int remove_files(void **state) {
    char path[128];
    snprintf(path, sizeof path, "%s/szilard/history", state_folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/szilard", state_folder);
    rmdir(path);
    rmdir(state_folder);
    unlink(model);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversation),
        cmocka_unit_test(test_run_opens_conversation),
        cmocka_unit_test(test_terminate),
        cmocka_unit_test(test_colours),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
