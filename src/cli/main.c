/* main.c: the `szilard` command: finds the subcommand in the table and runs it. */
#include "cli.h"
#include <stdlib.h>
#include <string.h>

static bool is_any(const char *word, const char *a, const char *b) {
    return strcmp(word, a) == 0 || (b && strcmp(word, b) == 0);
}

static bool is_branch(const char *word) {
    for (const sz_branch *b = sz_branches; b->word; b++)
        if (strcmp(b->word, word) == 0)
            return true;
    return false;
}

static int run_command(int argc, char **argv) {
    const sz_command *c = sz_command_resolve(&argc, argv);
    if (!c)
        return -1;
    char name[64];
    snprintf(name, sizeof name, "szilard %s", c->name);
    argv[0] = name;
    if (argc > 1 && strcmp(argv[1], "-h") == 0) /* argp knows -? only */
        argv[1] = "--help";
    sz_cli_set_name(name);
    int status = c->run(argc, argv);
    if (fflush(stdout) != 0 && status == SZ_EXIT_OK)
        return sz_cli_fail("cannot write the output");
    return status;
}

/* `szilard help [COMMAND...]` is `szilard COMMAND... --help`. */
static int help(int argc, char **argv) {
    if (argc < 3) {
        sz_print_overview(stdout);
        return SZ_EXIT_OK;
    }
    if (argc == 3 && is_branch(argv[2])) {
        sz_print_branch(stdout, argv[2]);
        return SZ_EXIT_OK;
    }
    char *words[5] = {argv[0]};
    int n = 1;
    for (int i = 2; i < argc && n < 4; i++)
        words[n++] = argv[i];
    words[n++] = "--help";
    char *list[6] = {0};
    memcpy(list, words, (size_t)n * sizeof *list);
    return run_command(n, list);
}

static int unknown(const char *word) {
    const char *nearest = sz_command_nearest(word);
    if (nearest)
        sz_cli_note("there is no command '%s'; did you mean '%s'?", word, nearest);
    else
        sz_cli_note("there is no command '%s'; 'szilard --help' lists them", word);
    return SZ_EXIT_USAGE;
}

static int branch(int argc, char **argv) {
    if (argc == 2 || is_any(argv[2], "--help", "-h")) {
        sz_print_branch(argc == 2 ? stderr : stdout, argv[1]);
        return argc == 2 ? SZ_EXIT_USAGE : SZ_EXIT_OK;
    }
    sz_cli_note("'%s' has no subcommand '%s'; 'szilard %s --help' lists them", argv[1], argv[2],
                argv[1]);
    return SZ_EXIT_USAGE;
}

static int completion(int argc, char **argv) {
    if (argc != 3 || strcmp(argv[2], "bash") != 0) {
        sz_cli_note("usage: szilard --completion bash");
        return SZ_EXIT_USAGE;
    }
    sz_print_completion(stdout);
    return SZ_EXIT_OK;
}

int main(int argc, char **argv) {
    argp_err_exit_status = SZ_EXIT_USAGE;
    if (argc < 2) {
        sz_print_overview(stderr);
        return SZ_EXIT_USAGE;
    }
    if (is_any(argv[1], "--help", "-h") || is_any(argv[1], "help", NULL)) {
        int status = help(argc, argv);
        return status >= 0 ? status : unknown(argv[2]);
    }
    if (is_any(argv[1], "--version", "-V")) {
        printf("szilard %s\n", sz_version());
        return SZ_EXIT_OK;
    }
    if (strcmp(argv[1], "--man") == 0) {
        sz_print_man(stdout);
        return SZ_EXIT_OK;
    }
    if (strcmp(argv[1], "--completion") == 0)
        return completion(argc, argv);
    int status = run_command(argc, argv);
    if (status >= 0)
        return status;
    return is_branch(argv[1]) ? branch(argc, argv) : unknown(argv[1]);
}
