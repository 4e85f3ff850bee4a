/* method_help.c: help texts made from the tables of options that methods bring along. */
#include "method_help.h"
#include <string.h>

static void put_option(sz_buf *b, const sz_option *o) {
    char setting[64];
    const char *word = o->words ? o->words : o->text;
    if (word)
        snprintf(setting, sizeof setting, "%s=%s", o->name, word);
    else
        snprintf(setting, sizeof setting, "%s=%g", o->name, o->value);
    sz_buf_printf(b, "    %-16s %s\n", setting, o->help);
}

void sz_help_method(sz_buf *b, const char *name, const char *help, const sz_option *options) {
    sz_buf_printf(b, "  %-12s %s\n", name, help);
    for (const sz_option *o = options; o && o->name; o++)
        put_option(b, o);
}

char *sz_help_text(sz_buf *b) {
    char *text = b->failed ? NULL : strdup(b->data);
    sz_buf_free(b);
    return text;
}
