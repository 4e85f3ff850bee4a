/* editor.h: a line of input: edited on a terminal, with history, or read from a pipe. */
#ifndef SZ_CLI_EDITOR_H
#define SZ_CLI_EDITOR_H

#include <szilard/unstable/base.h>

typedef struct sz_editor sz_editor;

typedef enum sz_input {
    SZ_INPUT_LINE,
    SZ_INPUT_INTERRUPTED, /* Ctrl-C at the prompt */
    SZ_INPUT_END,         /* Ctrl-D, or the end of the pipe */
} sz_input;

/* words: completed with Tab at the beginning of a line, NULL-ended, borrowed. */
sz_status sz_editor_open(const char *const *words, sz_editor **out);
void sz_editor_close(sz_editor *e);
bool sz_editor_is_terminal(const sz_editor *e);
/* Reads one line into *line without its end. A pasted text of several lines comes as one. */
sz_input sz_editor_read(sz_editor *e, const char *prompt, sz_buf *line);
/* Puts a text, of one line or more, into the history. */
void sz_editor_remember(sz_editor *e, const char *text);

#endif
