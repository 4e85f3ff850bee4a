/* cli.h: what every subcommand of `szilard` shares: the command table, options, errors, output. */
#ifndef SZ_CLI_H
#define SZ_CLI_H

#include <argp.h>
#include <stdio.h>
#include <szilard/unstable/base.h>

/* Exit statuses of the program. */
enum {
    SZ_EXIT_OK = 0,
    SZ_EXIT_FAILURE = 1,
    SZ_EXIT_USAGE = 2,
    SZ_EXIT_NOTHING = 3,
    SZ_EXIT_INTERRUPTED = 130
};

/* ---- The command table (commands.c) -------------------------------------------------------- */

typedef enum sz_command_group { SZ_GROUP_FIRST, SZ_GROUP_MORE } sz_command_group;

typedef struct sz_command {
    const char *name; /* the short word that people type; its code is cmd_<name>.c */
    const char *tree; /* its place in the tree: "run", "model pull", "score --total" */
    sz_command_group group;
    const char *brief;
    const struct argp *argp; /* option tables: --help, man page and completion come from here */
    int (*run)(int argc, char **argv); /* returns an exit status */
} sz_command;

extern const sz_command sz_commands[]; /* in the order of --help; ends with name NULL */

/* Rows of the tree whose word has subcommands; ends with word NULL. */
typedef struct sz_branch {
    const char *word;
    sz_command_group group;
    const char *brief;
} sz_branch;
extern const sz_branch sz_branches[];

/* Finds the command that argv[1..] asks for. *argc and argv are reduced to the command's own
 * arguments, argv[0] to "szilard <tree form>". NULL: there is none. */
const sz_command *sz_command_resolve(int *argc, char **argv);
/* The known word nearest to `word`, or NULL if none is near. */
const char *sz_command_nearest(const char *word);
/* Smallest number of edits (insert, drop, replace, swap) that turn a into b. */
int sz_edit_distance(const char *a, const char *b);

/* Generated from the table. */
void sz_print_overview(FILE *f);
void sz_print_branch(FILE *f, const char *word); /* the subcommands of one tree word */
void sz_print_man(FILE *f);
void sz_print_completion(FILE *f);

/* ---- Options ------------------------------------------------------------------------------- */

/* Parses with argp; a wrong option ends the program with status 2, --help with 0. */
void sz_cli_parse(const struct argp *argp, int argc, char **argv, void *input);
/* The number in `text`; ends the program with a usage error that names `option` if it is not one
 * or is outside of [min, max]. */
int64_t sz_cli_int(const struct argp_state *state, const char *option, const char *text,
                   int64_t min, int64_t max);
double sz_cli_real(const struct argp_state *state, const char *option, const char *text, double min,
                   double max);
/* Index of `text` in the NULL-ended list `choices`; a usage error if it is not there. */
int sz_cli_choice(const struct argp_state *state, const char *option, const char *text,
                  const char *const *choices);

/* The choices of --unit, in the order of sz_unit: "nat", "bit", "hartley", NULL. */
extern const char *const sz_unit_choices[];

/* ---- Messages and output ------------------------------------------------------------------- */

/* "szilard <command>: <sz_last_error()>" on stderr; returns SZ_EXIT_FAILURE, or
 * SZ_EXIT_INTERRUPTED after Ctrl-C. */
int sz_cli_error(void);
/* The same with a text of its own. */
int sz_cli_fail(const char *format, ...) SZ_PRINTF(1, 2);
/* A line on stderr with the program's name. */
void sz_cli_note(const char *format, ...) SZ_PRINTF(1, 2);
void sz_cli_set_name(const char *name);

/* Writes b to stdout and frees it. Returns SZ_EXIT_OK or reports why not. */
int sz_cli_print(sz_buf *b);
/* Writes b to stdout at once and empties it. That a reader has gone is an error too, but one that
 * sz_cli_error does not print. */
sz_status sz_cli_flush(sz_buf *b);
/* "98.4 MB", in powers of 1000. */
void sz_format_bytes(uint64_t bytes, char out[16]);
/* Reads a whole file or stdin ("-" or NULL). Ctrl-C while it waits ends the program. */
sz_status sz_cli_read(const char *path, sz_buf *b);

#endif
