/* parts.h: a text in its parts: what was thought, what was said, and calls of tools. */
#ifndef SZ_SERVE_PARTS_H
#define SZ_SERVE_PARTS_H

#include "reader.h"

typedef enum sz_text_phase { SZ_PHASE_TEXT, SZ_PHASE_THOUGHT, SZ_PHASE_CALLS } sz_text_phase;

typedef struct sz_text_parts {
    bool thoughts, calls; /* which marks are understood */
    sz_text_phase phase;
    bool began;        /* something was said: a thought begins a text, or is none */
    bool spoke;        /* something but blanks was said */
    bool skip_space;   /* after a thought */
    size_t at;         /* bytes of the text that were taken apart */
    size_t calls_from; /* where the first call begins */
} sz_text_parts;

/* Appends what is new in the first n bytes of the text: a mark may be cut by the end of what is
 * there, unless it is the last. */
void sz_text_split(sz_text_parts *p, const char *text, size_t n, bool last, sz_buf *said,
                   sz_buf *thought);
/* Appends the calls in a text as OpenAI's array tool_calls, from `<tool_call>` marks around objects
 * with name and arguments, or where the text is such an object and nothing else. id: what the ids
 * of the calls begin with. index: with the member of that name, as streams have it. Returns how
 * many there are; 0: nothing that could be understood. */
size_t sz_text_calls(const char *text, size_t n, const char *id, bool index, sz_buf *out);

#endif
