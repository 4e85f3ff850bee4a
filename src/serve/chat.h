/* chat.h: answers to conversations, whatever the API: what they are asked in, and their parts. */
#ifndef SZ_SERVE_CHAT_H
#define SZ_SERVE_CHAT_H

#include "api.h"
#include "parts.h"

/* What a reply holds beside its answers; the job's form.own. */
typedef struct sz_chat {
    sz_text_parts *parts; /* [n_choices] */
    bool *begun;          /* [n_choices] something was told */
    uint32_t n_events;    /* of a stream that numbers them */
    uint32_t n_blocks;    /* parts of a text that were begun */
    sz_text_phase block;  /* the kind of the one that is open */
    bool block_open;
    sz_buf thought, said; /* so far, of APIs that tell it again at the end */
} sz_chat;

/* What is new in a choice since it was last taken apart. Free the buffers. */
typedef struct sz_said {
    sz_buf text, thought;
    sz_buf calls; /* an array of JSON as tool_calls; empty: none */
} sz_said;

/* Reads a request in OpenAI's shape. */
sz_status sz_chat_read(sz_exchange *x, sz_reader *r, sz_job *j);
void sz_chat_take(sz_job *j, sz_choice *c, sz_said *out);
void sz_said_free(sz_said *s);

/* Appends a member of a request to another, as it is; nothing if it is absent or null. */
void sz_copy_member(sz_buf *b, const sz_reader *r, const char *from, const char *to);
/* A named event of a stream: "event: ..\ndata: ..\n\n"; empties b. */
void sz_send_named_event(sz_job *j, const char *name, sz_buf *b);
/* Seconds since 1970 as "2026-01-31T12:00:00Z". */
void sz_put_time(sz_buf *b, int64_t unix_time);

#endif
