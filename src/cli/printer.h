/* printer.h: shows the text of an answer while it comes: whole characters, stop strings that may
 * span tokens and are never shown in part, thoughts dimmed or hidden, tokens coloured by entropy.
 */
#ifndef SZ_CLI_PRINTER_H
#define SZ_CLI_PRINTER_H

#include "entropy_scale.h"
#include <szilard/unstable/base.h>

typedef struct sz_printer_style {
    FILE *out;     /* NULL: the text is collected, not printed */
    bool terminal; /* control characters are shown as pictures and not sent */
    sz_depth depth;
    bool heat;          /* colour by entropy */
    bool thoughts;      /* know <think> and </think> */
    bool hide_thoughts; /* drop what stands between them */
    char *const *stops; /* [n_stops], borrowed */
    size_t n_stops;
} sz_printer_style;

typedef struct sz_printer {
    sz_printer_style style;
    sz_buf pending; /* not shown yet: it may begin a stop string or a tag */
    float *heat;    /* [pending.len] nats */
    size_t heat_cap;
    sz_buf answer; /* all of the text up to the stop string, thoughts included */
    sz_buf shown;  /* as printed, without colours */
    bool thinking, skip_space, stopped, failed;
} sz_printer;

/* thinking: the prompt has opened a thought. End with sz_printer_end, then _free. */
void sz_printer_begin(sz_printer *p, const sz_printer_style *style, bool thinking);
/* Takes the text that one token added (whole characters). Returns whether the answer goes on: false
 * once a stop string is complete. */
bool sz_printer_add(sz_printer *p, const char *text, double nats);
/* Shows what was held back. SZ_E_IO if the output could not be written. */
sz_status sz_printer_end(sz_printer *p);
void sz_printer_free(sz_printer *p);

#endif
