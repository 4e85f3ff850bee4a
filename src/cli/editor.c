/* editor.c: libedit on a terminal, plain lines elsewhere.
 *
 * Libedit knows single lines only. A line break within one, pasted or called back from the history,
 * is shown as U+23CE and becomes a line break when the line is read. */
#include "editor.h"
#include "paths.h"
#include "signals.h"
#include "term.h"
#include <errno.h>
#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#define RETURN_SIGN "\xE2\x8F\x8E" /* U+23CE */

enum { HISTORY_LINES = 1000 };

struct sz_editor {
    EditLine *el; /* NULL: standard input is no terminal */
    FILE *pipe;   /* standard input then, read so that Ctrl-C ends the wait */
    History *history;
    HistEvent event;
    char *history_path; /* NULL: it cannot be named */
    const char *prompt;
    const char *const *words;
    bool escapes; /* the terminal knows escape sequences */
};

/* ---- Reading characters ---------------------------------------------------------------------- */

static volatile sig_atomic_t resized;

static void on_resize(int number) {
    resized = number;
}

/* Waits for input. Signals are let in here only, between the look at their flags and the wait: one
 * that came earlier would be seen, and would not leave the wait without an end. */
static bool wait_for_input(void) {
    sigset_t all, before;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    bool ready = false;
    if (!sz_interrupted() && !resized)
        ready = ppoll(&input, 1, NULL, &before) > 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return ready;
}

/* Reads as read() does, but returns -1 after Ctrl-C. */
static ssize_t read_waiting(EditLine *el, char *out, size_t size) {
    for (;;) {
        if (sz_interrupted())
            return -1;
        if (resized) {
            resized = 0;
            el_resize(el);
            el_set(el, EL_REFRESH);
        }
        if (!wait_for_input())
            continue; /* a signal came: back to the flags */
        ssize_t n = read(STDIN_FILENO, out, size);
        if (n >= 0 || errno != EINTR)
            return n;
    }
}

/* Reads a byte of the terminal; false at its end, or after Ctrl-C. */
static bool read_byte(EditLine *el, char *c) {
    return read_waiting(el, c, 1) == 1;
}

static ssize_t read_cookie(void *cookie, char *out, size_t size) {
    return read_waiting(NULL, out, size);
}

/* Libedit asks here for each character: Ctrl-C ends the line, which libedit's own reading hides. */
static int read_character(EditLine *el, wchar_t *out) {
    mbstate_t state = {0};
    char c;
    while (read_byte(el, &c)) {
        size_t n = mbrtowc(out, &c, 1, &state);
        if (n == (size_t)-1)
            state = (mbstate_t){0}; /* not a character: skipped */
        else if (n != (size_t)-2)
            return 1;
    }
    return sz_interrupted() ? -1 : 0;
}

/* ---- Keys ------------------------------------------------------------------------------------ */

/* A terminal sends a pasted text between ESC[200~ and ESC[201~. */
static unsigned char take_paste(EditLine *el, int key) {
    static const char end[] = "\033[201~";
    const size_t n_end = sizeof end - 1;
    sz_buf raw = {0}, text = {0};
    char c;
    while (read_byte(el, &c)) {
        sz_buf_putc(&raw, c);
        if (raw.len >= n_end && memcmp(raw.data + raw.len - n_end, end, n_end) == 0)
            break;
    }
    size_t n = raw.len >= n_end ? raw.len - n_end : 0;
    while (n > 0 && strchr("\r\n", raw.data[n - 1]))
        n--;
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)raw.data[i];
        if (byte == '\r' || byte == '\n')
            sz_buf_puts(&text, RETURN_SIGN);
        else if (byte == '\t')
            sz_buf_puts(&text, "    ");
        else if (byte >= ' ' && byte != 127)
            sz_buf_putc(&text, (char)byte);
        if (byte == '\r' && i + 1 < n && raw.data[i + 1] == '\n')
            i++;
    }
    int status =
        text.failed || (text.len && el_insertstr(el, text.data) != 0) ? CC_ERROR : CC_REFRESH;
    sz_buf_free(&raw);
    sz_buf_free(&text);
    return (unsigned char)status;
}

/* Tab: the words that begin as the line does. One: it is put in; more: they are shown. */
static unsigned char complete(EditLine *el, int key) {
    sz_editor *e;
    const LineInfo *info = el_line(el);
    size_t n = (size_t)(info->cursor - info->buffer), n_found = 0;
    const char *found = NULL;
    el_get(el, EL_CLIENTDATA, &e);
    for (const char *const *w = e->words; n > 0 && *w; w++)
        if (strncmp(*w, info->buffer, n) == 0)
            found = *w, n_found++;
    if (n_found == 0)
        return CC_ERROR;
    if (n_found == 1) {
        el_insertstr(el, found + n);
        el_insertstr(el, " ");
        return CC_REFRESH;
    }
    putchar('\n');
    for (const char *const *w = e->words; *w; w++)
        if (strncmp(*w, info->buffer, n) == 0)
            printf("%s  ", *w);
    putchar('\n');
    return CC_REDISPLAY;
}

static void bind_keys(EditLine *el) {
    static const char *const keys[][2] = {
        {"^R", "em-inc-search-prev"},  {"\\e[1;5C", "em-next-word"},
        {"\\e[1;5D", "ed-prev-word"},  {"\\e[3~", "ed-delete-next-char"},
        {"\\e[H", "ed-move-to-beg"},   {"\\e[F", "ed-move-to-end"},
        {"\\e[1~", "ed-move-to-beg"},  {"\\e[4~", "ed-move-to-end"},
        {"^I", "szilard-complete"},    {"\\e[200~", "szilard-paste"},
        {"^W", "ed-delete-prev-word"},
    };
    el_set(el, EL_ADDFN, "szilard-complete", "complete a command", complete);
    el_set(el, EL_ADDFN, "szilard-paste", "take a pasted text", take_paste);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        el_set(el, EL_BIND, keys[i][0], keys[i][1], NULL);
}

/* ---- Opening --------------------------------------------------------------------------------- */

static char *show_prompt(EditLine *el) {
    sz_editor *e;
    el_get(el, EL_CLIENTDATA, &e);
    return (char *)e->prompt;
}

/* Libedit reads characters of the locale: without a UTF-8 one, the neutral one is taken. */
static void set_locale(void) {
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

/* A terminal throws away on Ctrl-C what is on its way to the screen, the next prompt with it. */
static void keep_what_ctrl_c_finds(EditLine *el) {
    el_set(el, EL_SETTY, "-d", "+noflsh", NULL); /* while a line is edited */
    el_set(el, EL_SETTY, "-x", "+noflsh", NULL); /* while an answer is written */
}

static void open_history(sz_editor *e) {
    e->history = history_init();
    if (!e->history)
        return;
    history(e->history, &e->event, H_SETSIZE, HISTORY_LINES);
    history(e->history, &e->event, H_SETUNIQUE, 1);
    if (sz_path_state("history", &e->history_path) == SZ_OK)
        history(e->history, &e->event, H_LOAD, e->history_path);
    el_set(e->el, EL_HIST, history, e->history);
}

static sz_status open_terminal(sz_editor *e) {
    const char *term = getenv("TERM");
    struct sigaction action = {.sa_handler = on_resize};
    set_locale();
    e->el = el_init("szilard", stdin, stdout, stderr);
    SZ_REQUIRE(e->el, SZ_E_IO, "cannot edit lines on this terminal");
    e->escapes = term && strcmp(term, "dumb") != 0;
    el_set(e->el, EL_CLIENTDATA, e);
    el_set(e->el, EL_PROMPT, show_prompt);
    el_set(e->el, EL_EDITOR, "emacs");
    el_set(e->el, EL_GETCFN, read_character);
    keep_what_ctrl_c_finds(e->el);
    open_history(e);
    bind_keys(e->el);
    sigemptyset(&action.sa_mask);
    sigaction(SIGWINCH, &action, NULL);
    return SZ_OK;
}

static sz_status open_pipe(sz_editor *e) {
    e->pipe = fopencookie(NULL, "r", (cookie_io_functions_t){.read = read_cookie});
    SZ_REQUIRE(e->pipe, SZ_E_NOMEM, "out of memory for reading lines");
    return SZ_OK;
}

sz_status sz_editor_open(const char *const *words, sz_editor **out) {
    sz_editor *e = calloc(1, sizeof *e);
    SZ_REQUIRE(e, SZ_E_NOMEM, "out of memory for the line editor");
    e->words = words;
    sz_status status =
        isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) ? open_terminal(e) : open_pipe(e);
    if (status == SZ_OK)
        *out = e;
    else
        sz_editor_close(e);
    return status;
}

void sz_editor_close(sz_editor *e) {
    if (!e)
        return;
    if (e->el)
        el_end(e->el);
    if (e->history)
        history_end(e->history);
    if (e->pipe)
        fclose(e->pipe);
    free(e->history_path);
    free(e);
}

bool sz_editor_is_terminal(const sz_editor *e) {
    return e->el != NULL;
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static void append_line(sz_buf *line, const char *s, size_t n) {
    while (n > 0 && strchr("\r\n", s[n - 1]))
        n--;
    for (const char *end = s + n; s < end;) {
        const char *sign = memmem(s, (size_t)(end - s), RETURN_SIGN, strlen(RETURN_SIGN));
        const char *to = sign ? sign : end;
        sz_buf_append(line, s, (size_t)(to - s));
        if (sign)
            sz_buf_putc(line, '\n');
        s = sign ? sign + strlen(RETURN_SIGN) : end;
    }
}

static sz_input read_terminal(sz_editor *e, const char *prompt, sz_buf *line) {
    int n = 0;
    e->prompt = prompt;
    if (e->escapes)
        fputs("\033[?2004h", stdout);
    el_set(e->el, EL_PREP_TERM,
           1); /* before the prompt: a key typed at once is not the line's own */
    const char *s = el_gets(e->el, &n);
    if (e->escapes)
        fputs("\033[?2004l", stdout);
    if (s && n > 0) {
        append_line(line, s, (size_t)n);
        fflush(stdout);
        return SZ_INPUT_LINE;
    }
    el_reset(e->el);
    putchar('\n');
    fflush(stdout);
    return sz_interrupted() ? SZ_INPUT_INTERRUPTED : SZ_INPUT_END;
}

static sz_input read_pipe(FILE *pipe, sz_buf *line) {
    char *s = NULL;
    size_t size = 0;
    ssize_t n = getline(&s, &size, pipe);
    if (n > 0 && s[n - 1] == '\n')
        n--;
    if (n > 0 && s[n - 1] == '\r')
        n--;
    if (n > 0)
        sz_buf_append(line, s, (size_t)n);
    free(s);
    if (n >= 0)
        return SZ_INPUT_LINE;
    return sz_interrupted() ? SZ_INPUT_INTERRUPTED : SZ_INPUT_END;
}

sz_input sz_editor_read(sz_editor *e, const char *prompt, sz_buf *line) {
    sz_buf_clear(line);
    return e->el ? read_terminal(e, prompt, line) : read_pipe(e->pipe, line);
}

void sz_editor_remember(sz_editor *e, const char *text) {
    sz_buf line = {0};
    if (!e->history || !text[0])
        return;
    for (const char *p = text; *p; p++) {
        if (*p == '\n')
            sz_buf_puts(&line, RETURN_SIGN);
        else
            sz_buf_putc(&line, *p);
    }
    if (!line.failed) {
        history(e->history, &e->event, H_ENTER, line.data);
        mode_t before = umask(077); /* what was asked is nobody else's business */
        if (e->history_path)
            history(e->history, &e->event, H_SAVE, e->history_path);
        umask(before);
    }
    sz_buf_free(&line);
}
