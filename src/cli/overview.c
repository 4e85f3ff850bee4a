/* overview.c: `szilard --help` and the list of subcommands of a tree word, from the table. */
#include "cli.h"
#include <string.h>

static bool in_branch(const sz_command *c, const char *word) {
    size_t n = strlen(word);
    return strncmp(c->tree, word, n) == 0 && c->tree[n] == ' ';
}

/* "pull, list, rm": the second words of a branch. */
static void print_children(FILE *f, const char *word) {
    const char *separator = ": ";
    for (const sz_command *c = sz_commands; c->name; c++) {
        if (in_branch(c, word)) {
            fprintf(f, "%s%s", separator, strchr(c->tree, ' ') + 1);
            separator = ", ";
        }
    }
}

static bool has_children(const char *word) {
    for (const sz_command *c = sz_commands; c->name; c++)
        if (in_branch(c, word))
            return true;
    return false;
}

/* The forms of a command: "run --chat" stands below run, indented. */
static void print_forms(FILE *f, const char *name) {
    for (const sz_command *c = sz_commands; c->name; c++)
        if (in_branch(c, name))
            fprintf(f, "\n%17s%s: %s", "", strchr(c->tree, ' ') + 1, c->brief);
}

static void print_group(FILE *f, sz_command_group group) {
    /* A branch is shown where its first command stands in the table. */
    for (const sz_command *c = sz_commands; c->name; c++) {
        if (c->group != group)
            continue;
        if (!strchr(c->tree, ' ')) {
            fprintf(f, "  %-12s %s", c->name, c->brief);
            print_forms(f, c->name);
            fputc('\n', f);
            continue;
        }
        for (const sz_branch *b = sz_branches; b->word; b++) {
            bool first = in_branch(c, b->word) && (c == sz_commands || !in_branch(c - 1, b->word));
            if (first) {
                fprintf(f, "  %-12s %s", b->word, b->brief);
                print_children(f, b->word);
                fputc('\n', f);
            }
        }
    }
}

static void print_short_words(FILE *f) {
    int column = 0;
    for (const sz_command *c = sz_commands; c->name; c++) {
        if (strcmp(c->name, c->tree) == 0)
            continue;
        int n = (int)(strlen(c->name) + strlen(c->tree) + 5);
        if (column + n > 78)
            column = 0;
        if (column == 0)
            n += fprintf(f, "%s  ", c == sz_commands ? "" : "\n") - 2;
        fprintf(f, "%s = %s  ", c->name, c->tree);
        column += n;
    }
    fputc('\n', f);
}

void sz_print_overview(FILE *f) {
    fputs("usage: szilard COMMAND [OPTION...] [ARGUMENT...]\n\n"
          "Runs, scores and inspects language models, and keeps the account of the information\n"
          "in every token.\n\n",
          f);
    print_group(f, SZ_GROUP_FIRST);
    fputc('\n', f);
    print_group(f, SZ_GROUP_MORE);
    fputs("\nShort words:\n", f);
    print_short_words(f);
    fputs("\n  szilard COMMAND --help     options and examples of a command\n"
          "  szilard --version          the version\n"
          "  szilard --man              the manual page, in troff\n"
          "  szilard --completion bash  a completion script\n\n"
          "Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.\n",
          f);
}

void sz_print_branch(FILE *f, const char *word) {
    fprintf(f, "usage: szilard %s SUBCOMMAND [OPTION...]\n\n", word);
    for (const sz_command *c = sz_commands; c->name; c++)
        if (has_children(word) && in_branch(c, word))
            fprintf(f, "  %-10s %s (also: szilard %s)\n", strchr(c->tree, ' ') + 1, c->brief,
                    c->name);
    fprintf(f, "\n'szilard %s SUBCOMMAND --help' shows options and examples.\n", word);
}
