/* man.c: the manual page, in troff, from the command table and the option tables. */
#include "cli.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Text for troff: '-' and '\' are escaped, and a line does not begin with a control character. */
static void print_text(FILE *f, const char *s, size_t n) {
    for (size_t i = 0; i < n; i++) {
        bool line_start = i == 0 || s[i - 1] == '\n';
        if (line_start && (s[i] == '.' || s[i] == '\''))
            fputs("\\&", f);
        if (s[i] == '-' || s[i] == '\\')
            fputs(s[i] == '-' ? "\\-" : "\\e", f);
        else
            fputc(s[i], f);
    }
}

static void print_string(FILE *f, const char *s) {
    print_text(f, s, strlen(s));
}

static void print_name(FILE *f, const struct argp_option *o, const char *arg) {
    bool is_short = o->key > 32 && o->key < 127;
    bool optional = o->flags & OPTION_ARG_OPTIONAL;
    if (is_short)
        fprintf(f, "\\fB\\-%c\\fR", o->key);
    if (is_short && o->name)
        fputs(", ", f);
    if (o->name) {
        fputs("\\fB\\-\\-", f);
        print_string(f, o->name);
        fputs("\\fR", f);
    }
    if (arg)
        fprintf(f, "%s\\fI%s\\fR%s",
                optional  ? "[="
                : o->name ? "="
                          : " ",
                arg, optional ? "]" : "");
}

static void print_options(FILE *f, const struct argp *argp) {
    for (const struct argp_option *o = argp->options; o && (o->name || o->key || o->doc); o++) {
        if (o->flags & OPTION_HIDDEN)
            continue;
        if (!o->name && !o->key) { /* a heading */
            fputs(".PP\n", f);
            print_string(f, o->doc);
            fputc('\n', f);
            continue;
        }
        fputs(".TP\n", f);
        print_name(f, o, o->arg);
        fputc('\n', f);
        print_string(f, o->doc ? o->doc : "");
        fputc('\n', f);
    }
    for (const struct argp_child *c = argp->children; c && c->argp; c++) {
        if (c->header && c->header[0]) {
            fputs(".PP\n", f);
            print_string(f, c->header);
            fputc('\n', f);
        }
        print_options(f, c->argp);
    }
}

/* What follows the options: running text, then examples, whose lines are kept. */
static void print_tail(FILE *f, const char *tail) {
    const char *examples = strstr(tail, "EXAMPLES\n");
    size_t n = examples ? (size_t)(examples - tail) : strlen(tail);
    while (n > 0 && isspace((unsigned char)tail[n - 1]))
        n--;
    if (n > 0) {
        fputs(".PP\n", f);
        print_text(f, tail, n);
        fputc('\n', f);
    }
    if (examples) {
        fputs(".PP\n.nf\n", f);
        print_string(f, examples + strlen("EXAMPLES\n"));
        fputs(".fi\n", f);
    }
}

/* Texts that a command makes from tables, such as that of the samplers; their lines are kept. */
static void print_made_texts(FILE *f, const struct argp *argp) {
    char *text = argp->help_filter ? argp->help_filter(ARGP_KEY_HELP_EXTRA, NULL, NULL) : NULL;
    if (text) {
        fputs(".PP\n.nf\n", f);
        print_string(f, text);
        fputs(".fi\n", f);
    }
    free(text);
    for (const struct argp_child *c = argp->children; c && c->argp; c++)
        print_made_texts(f, c->argp);
}

static void print_command(FILE *f, const sz_command *c) {
    const char *doc = c->argp->doc, *tail = strchr(doc, '\v');
    fputs(".SS szilard ", f);
    print_string(f, c->tree);
    if (strcmp(c->name, c->tree) != 0)
        fprintf(f, " (also: szilard %s)", c->name);
    fputs("\n\\fBszilard ", f);
    print_string(f, c->name);
    fputs("\\fR [\\fIOPTION\\fR...] ", f);
    print_string(f, c->argp->args_doc ? c->argp->args_doc : "");
    fputs("\n.PP\n", f);
    print_text(f, doc, tail ? (size_t)(tail - doc) : strlen(doc));
    fputc('\n', f);
    print_options(f, c->argp);
    if (tail)
        print_tail(f, tail + 1);
    print_made_texts(f, c->argp);
}

void sz_print_man(FILE *f) {
    fprintf(f,
            ".TH SZILARD 1 \"\" \"szilard %s\" \"User Commands\"\n"
            ".SH NAME\nszilard \\- run, score and inspect language models\n"
            ".SH SYNOPSIS\n\\fBszilard\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...] "
            "[\\fIARGUMENT\\fR...]\n"
            ".SH DESCRIPTION\nRuns language models from GGUF files and keeps the account of the "
            "information in every token. The same input gives the same bits on every machine, "
            "whatever the number of threads.\n.SH COMMANDS\n",
            sz_version());
    for (const sz_command *c = sz_commands; c->name; c++)
        print_command(f, c);
    fputs(".SH ENVIRONMENT\n"
          ".TP\n\\fBSZ_MODEL_DIR\\fR\nfolder of the models; default "
          "${XDG_CACHE_HOME:\\-~/.cache}/szilard/models\n"
          ".TP\n\\fBSZILARD_ISA\\fR\ninstruction set: portable, avx2, avxvnni, avx512 or neon; "
          "default: "
          "the best one\n"
          ".TP\n\\fBNO_COLOR\\fR\nif set and not empty, no colours\n"
          ".TP\n\\fBHF_TOKEN\\fR, \\fBHF_ENDPOINT\\fR\naccount and address of Hugging Face\n"
          ".SH EXIT STATUS\n0 done, 1 failed, 2 wrong usage, 130 interrupted.\n",
          f);
}
