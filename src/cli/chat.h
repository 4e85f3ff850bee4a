/* chat.h: the conversation: turns read from a terminal or a pipe, and commands that begin with '/'.
 */
#ifndef SZ_CLI_CHAT_H
#define SZ_CLI_CHAT_H

#include "answer.h"
#include "editor.h"

typedef struct sz_chat {
    sz_talk talk;
    sz_generation *options;
    sz_editor *editor;
    sz_account total;
    char *sampler; /* the chain that /set gave */
    int exit_status;
    bool leave;
} sz_chat;

/* Holds a conversation; returns an exit status. */
int sz_chat_hold(sz_generation *options);

/* Answers the latest message. Reports a failure and goes on. */
void sz_chat_answer(sz_chat *c);
/* A line on stderr for the person who types. */
void sz_chat_say(const char *format, ...) SZ_PRINTF(1, 2);

/* Runs a line that begins with '/'. */
void sz_chat_command(sz_chat *c, char *line);
extern const char *const sz_chat_words[]; /* "/help", ... NULL-ended */

#endif
