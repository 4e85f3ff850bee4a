/* chat.c: the conversation: reading turns, answering them. */
#include "chat.h"
#include "signals.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void sz_chat_say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fflush(stdout);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

/* ---- Turns ----------------------------------------------------------------------------------- */

#define FENCE "\"\"\""

static bool ends_with(const sz_buf *b, const char *end) {
    size_t n = strlen(end);
    return b->len >= n && memcmp(b->data + b->len - n, end, n) == 0;
}

static void shorten(sz_buf *b, size_t n) {
    b->len -= n;
    b->data[b->len] = '\0';
}

static sz_input read_more(sz_chat *c, sz_buf *turn) {
    sz_buf line = {0};
    sz_input input = sz_editor_read(c->editor, "... ", &line);
    if (input == SZ_INPUT_LINE) {
        sz_buf_putc(turn, '\n');
        sz_buf_append(turn, line.data, line.len);
    }
    sz_buf_free(&line);
    return input;
}

/* One turn: a line; lines that each end in a backslash but the last; or lines between """. */
static sz_input read_turn(sz_chat *c, sz_buf *turn) {
    sz_input input = sz_editor_read(c->editor, ">>> ", turn);
    if (input != SZ_INPUT_LINE || turn->len == 0)
        return input;
    if (strncmp(turn->data, FENCE, 3) == 0) {
        memmove(turn->data, turn->data + 3, turn->len - 3);
        shorten(turn, 3);
        while (!ends_with(turn, FENCE) && input == SZ_INPUT_LINE)
            input = read_more(c, turn);
        if (ends_with(turn, FENCE))
            shorten(turn, 3);
    } else {
        while (ends_with(turn, "\\") && input == SZ_INPUT_LINE) {
            shorten(turn, 1);
            input = read_more(c, turn);
        }
    }
    return input == SZ_INPUT_END && turn->len ? SZ_INPUT_LINE
                                              : input; /* a pipe may end within it */
}

static bool is_blank(const char *s) {
    return s[strspn(s, " \t\n")] == '\0';
}

/* Ctrl-C stops an answer or a line; where nobody sits at the keyboard, and after SIGTERM, all. */
static void after_interrupt(sz_chat *c) {
    c->leave = !sz_editor_is_terminal(c->editor) || sz_asked_to_end();
    if (c->leave)
        c->exit_status = SZ_EXIT_INTERRUPTED;
    else
        sz_clear_interrupt();
}

static void print_account(sz_chat *c, const sz_account *a) {
    const sz_generation *o = c->options;
    sz_account_setting setting = sz_talk_setting(&c->talk);
    if (!o->quiet && !o->json && (o->account || o->show_entropy))
        sz_account_print_short(a, &setting);
}

void sz_chat_answer(sz_chat *c) {
    sz_account account;
    sz_status status = sz_talk_answer(&c->talk, &account);
    if (status == SZ_OK) {
        print_account(c, &account);
        sz_account_add(&c->total, &account);
    }
    if (status != SZ_OK) {
        c->exit_status = sz_cli_error();
        sz_dialogue_truncate(&c->talk.dialogue, sz_dialogue_before_question(&c->talk.dialogue));
        c->leave = status == SZ_E_IO;
    } else if (account.finish == SZ_FINISH_INTERRUPTED) {
        after_interrupt(c);
    }
    sz_account_free(&account);
}

static void take_turn(sz_chat *c, const char *text) {
    sz_dialogue *d = &c->talk.dialogue;
    sz_buf own = {0};
    if (d->raw && d->n > 0) /* the continuation of a text begins a new line */
        sz_buf_putc(&own, '\n');
    sz_buf_puts(&own, text);
    if (own.failed || sz_dialogue_add(d, SZ_ROLE_USER, own.data, own.len) != SZ_OK)
        c->exit_status = sz_cli_error();
    else
        sz_chat_answer(c);
    sz_buf_free(&own);
}

static void hold(sz_chat *c) {
    sz_buf turn = {0};
    while (!c->leave) {
        sz_input input = read_turn(c, &turn);
        if (input == SZ_INPUT_INTERRUPTED) {
            after_interrupt(c);
            if (!c->leave)
                sz_chat_say("(Ctrl-D or /exit leaves)");
        }
        if (input == SZ_INPUT_END)
            break;
        if (input != SZ_INPUT_LINE || turn.len == 0 || is_blank(turn.data))
            continue;
        sz_editor_remember(c->editor, turn.data);
        bool slash = turn.data[0] == '/';
        if (slash && turn.data[1] != '/')
            sz_chat_command(c, turn.data);
        else
            take_turn(c, turn.data + slash);
        if (sz_editor_is_terminal(c->editor) && !c->leave)
            putchar('\n');
    }
    sz_buf_free(&turn);
}

/* ---- Beginning and end ----------------------------------------------------------------------- */

static void greet(const sz_chat *c) {
    sz_model_info info;
    char size[16];
    const sz_engine *e = &c->talk.engine;
    sz_model_get_info(e->model, &info);
    sz_format_bytes(info.file_bytes, size);
    int threads = sz_runtime_threads(e->rt);
    sz_chat_say("%s (%s), %d thread%s, %s; context %u tokens", info.name, size, threads,
                threads == 1 ? "" : "s", sz_runtime_isa(e->rt), sz_voice_context(&c->talk.voice));
    if (c->options->raw)
        sz_chat_say("each line is continued as text");
    sz_chat_say("/help lists the commands; Ctrl-C stops an answer, Ctrl-D leaves\n");
    if (c->options->show_entropy)
        sz_account_print_legend(c->options);
}

static void take_leave(const sz_chat *c) {
    const sz_generation *o = c->options;
    sz_account_setting setting = sz_talk_setting(&c->talk);
    if (o->quiet || o->json || c->total.n_tokens == 0)
        return;
    if (o->account)
        sz_account_print_full(&c->total, &setting);
    else
        sz_account_print_short(&c->total, &setting);
}

int sz_chat_hold(sz_generation *options) {
    sz_chat c = {.options = options};
    sz_status status = sz_talk_open(options, true, &c.talk);
    if (status == SZ_OK)
        status = sz_editor_open(sz_chat_words, &c.editor);
    if (status == SZ_OK) {
        if (sz_editor_is_terminal(c.editor) && !options->quiet)
            greet(&c);
        hold(&c);
        take_leave(&c);
    } else {
        c.exit_status = sz_cli_error();
    }
    sz_editor_close(c.editor);
    sz_account_free(&c.total);
    free(c.sampler);
    sz_talk_close(&c.talk);
    return c.exit_status;
}
