/* stop.h: when a text ends, beyond end tokens and stop strings: rules that look at the records. A
 * rule is one file that fills one sz_stop_kind. Written as "entropy window=16 above=4, repetition"
 * (option.h); the first rule that speaks decides. */
#ifndef SZILARD_STOP_H
#define SZILARD_STOP_H

#include <szilard/unstable/option.h>

/* Borrowed for the call. Tokens that were given, not drawn, stand in the text too. */
typedef struct sz_stop_input {
    const sz_token *text; /* [n] records of the answer so far, the newest last */
    size_t n;             /* >= 1 */
    uint32_t n_vocab;
    bool thinking; /* the newest token stands in a thought */
} sz_stop_input;

typedef enum sz_stop_verdict {
    SZ_STOP_GO,
    SZ_STOP_TEXT,    /* the text ends */
    SZ_STOP_THOUGHT, /* the thought ends, and the text goes on behind it */
} sz_stop_verdict;

/* Which rule ended it, and by what. */
typedef struct sz_stop_reason {
    const char *rule, *quantity; /* with its unit; never NULL */
    double figure, limit;
} sz_stop_reason;

enum { SZ_STOP_MEMORY = 2 };

typedef struct sz_stop_kind {
    const char *name, *help;
    const sz_option *options;
    /* Looks at the newest token; called once for each. memory: numbers of the rule's own, zero at
     * first. Where the verdict is not SZ_STOP_GO: fills all of the reason but the rule. */
    sz_stop_verdict (*look)(const double *values, double memory[SZ_STOP_MEMORY],
                            const sz_stop_input *in, sz_stop_reason *reason);
} sz_stop_kind;

/* All kinds, NULL-ended, for help texts. */
SZ_API const sz_stop_kind *const *sz_stop_kinds(void);

typedef struct sz_stops sz_stops;
SZ_API sz_status sz_stops_parse(const char *text, sz_stops **out);
SZ_API void sz_stops_free(sz_stops *s);
/* For a new text. */
SZ_API void sz_stops_reset(sz_stops *s);
SZ_API sz_stop_verdict sz_stops_look(sz_stops *s, const sz_stop_input *in, sz_stop_reason *reason);

/* For rules: the mean of a figure of the record over the latest `window` tokens that were drawn;
 * false while there are fewer. */
SZ_API bool sz_stop_window_mean(const sz_stop_input *in, size_t window,
                                double (*figure)(const sz_token *t), double *mean);

#endif
