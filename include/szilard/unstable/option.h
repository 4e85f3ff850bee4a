/* option.h: structured options, the one grammar in which a method and its parameters are written:
 *
 *     "top-k 40, penalties repeat=1.1 last=128, temperature 0.8"
 *
 * A setting is a name and its words; a word is option=value, and the first may be the bare value of
 * the method's first option. A value may stand in quotation marks, where blanks and commas are
 * plain characters and \n, \t, \r, \" and \\ are understood: dry breaker="\n" breaker="; ". A
 * method's table of options is what help, man page and completion show. */
#ifndef SZILARD_OPTION_H
#define SZILARD_OPTION_H

#include <szilard/unstable/base.h>

enum { SZ_OPTIONS_MAX = 16 };

typedef struct sz_option {
    const char *name, *help; /* a table ends with name NULL */
    double value, min, max;  /* default and range */
    bool whole;              /* whole numbers only */
    const char *words;       /* "a|b|c": a stands for 0, b for 1, c for 2, and so do the numbers */
    const char *text;        /* it takes texts, and may be given several times: how the default is
                                written; its value is how many were given (sz_setting_text) */
} sz_option;

typedef struct sz_setting { /* borrowed from the text */
    const char *name, *words;
    size_t n_name, n_words;
} sz_setting;

/* Reads the setting at *text and moves behind it and its comma. SZ_END: the text is at its end.
 * SZ_E_ARG: a comma without a name before or behind it, or quotation marks that do not close. */
SZ_API sz_status sz_setting_read(const char **text, sz_setting *out);
SZ_API bool sz_setting_is(const sz_setting *s, const char *name);
/* The values of a table's options, its defaults where the words do not tell. `what` names the
 * method in messages ("sampler top-k"). Numbers are decimal, with a point in every locale. */
SZ_API sz_status sz_setting_values(const sz_setting *s, const char *what, const sz_option *options,
                                   double values[SZ_OPTIONS_MAX]);
/* Appends the i-th text that was given, by its name, for an option of a setting whose values were
 * read. SZ_END: there are no more. */
SZ_API sz_status sz_setting_text(const sz_setting *s, const char *option, size_t i, sz_buf *out);

#endif
