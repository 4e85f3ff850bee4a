/* cmd_papers.c: `szilard papers`: the papers behind the project, and their reproductions. */
#include "cli.h"
#include "store.h"
#include "term.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "repro.h"

enum { OPT_SMOKE = 256, OPT_JSON, OPT_SEED, OPT_TEXT };

typedef enum action { LIST, SHOW, RUN } action;
static const char *const actions[] = {"list", "show", "run", NULL};

typedef struct settings {
    int action; /* -1: not given yet */
    const char *number;
    bool smoke, json;
    uint64_t seed;
    const char *text;
} settings;

static const struct argp_option options[] = {
    {"smoke", OPT_SMOKE, NULL, 0, "run: the short form, seconds on synthetic data", 0},
    {"seed", OPT_SEED, "S", 0, "run: seed of the experiment (1)", 0},
    {"text", OPT_TEXT, "FILE", 0, "run: a text of your own, for experiments that read one (13, 44)",
     0},
    {"json", OPT_JSON, NULL, 0, "Print JSON", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case OPT_SMOKE:
        s->smoke = true;
        return 0;
    case OPT_JSON:
        s->json = true;
        return 0;
    case OPT_SEED:
        s->seed = (uint64_t)sz_cli_int(state, "--seed", arg, 0, INT64_MAX);
        return 0;
    case OPT_TEXT:
        s->text = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (s->action < 0)
            s->action = sz_cli_choice(state, "papers", arg, actions);
        else if (!s->number)
            s->number = arg;
        else
            argp_error(state, "'%s' is left over", arg);
        return 0;
    case ARGP_KEY_END:
        s->action = s->action < 0 ? LIST : s->action;
        if (s->action != LIST && !s->number)
            argp_error(state, "papers %s needs a number, such as 00, or all", actions[s->action]);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp sz_argp_papers = {
    options,
    parse,
    "list|show NN|run NN",
    "Lists the papers that the project unites, shows one, or runs its reproduction: our "
    "measurement beside the paper's claim. run exits with 1 where a mark is missed."
    "\v"
    "EXAMPLES\n"
    "  szilard papers list\n"
    "  szilard papers run 00\n"
    "  szilard papers run all --smoke\n",
    NULL,
    NULL,
    NULL};

static const sz_paper *find(const char *number) {
    for (const sz_paper *p = sz_papers; p->number; p++)
        if (strcmp(p->number, number) == 0 ||
            (strlen(number) == 1 && p->number[0] == '0' && strcmp(p->number + 1, number) == 0))
            return p;
    return NULL;
}

static void put_paper(sz_buf *b, const sz_paper *p) {
    sz_buf_printf(b, "{\"number\":\"%s\",\"title\":", p->number);
    sz_json_quote(b, p->title, strlen(p->title));
    sz_buf_puts(b, ",\"source\":");
    sz_json_quote(b, p->source, strlen(p->source));
    sz_buf_printf(b, ",\"reproduced\":%s}", sz_repro_find(p->number) ? "true" : "false");
}

static int list(const settings *s) {
    sz_buf b = {0};
    for (const sz_paper *p = sz_papers; p->number; p++) {
        if (s->json) {
            sz_buf_puts(&b, p == sz_papers ? "[" : ",\n ");
            put_paper(&b, p);
        } else {
            sz_buf_printf(&b, "%-3s  %-8s  %s\n", p->number,
                          sz_repro_find(p->number) ? "runs" : "-", p->title);
        }
    }
    sz_buf_puts(&b, s->json ? "]\n" : "");
    return sz_cli_print(&b);
}

static int show(const settings *s, const sz_paper *p) {
    sz_buf b = {0};
    if (s->json)
        put_paper(&b, p);
    else
        sz_buf_printf(&b, "%s  %s\n    %s\n    %s", p->number, p->title, p->source,
                      sz_repro_find(p->number) ? "'szilard papers run' reproduces it"
                                               : "no reproduction yet");
    sz_buf_putc(&b, '\n');
    return sz_cli_print(&b);
}

/* ---- Running --------------------------------------------------------------------------------- */

static void put_row(sz_buf *b, const sz_paper *p, const sz_repro_row *row, bool json) {
    if (!json) {
        sz_buf_printf(b, "%s  %-64s %10.4g %s %-8g %s%s\n", row->passed ? "pass" : "MISS",
                      row->what, row->measured, row->relation, row->mark,
                      row->claim[0] ? "claim: " : "", row->claim);
        return;
    }
    sz_buf_printf(b, "{\"paper\":\"%s\",\"what\":", p->number);
    sz_json_quote(b, row->what, strlen(row->what));
    sz_buf_puts(b, ",\"claim\":");
    sz_json_quote(b, row->claim, strlen(row->claim));
    sz_buf_puts(b, ",\"measured\":");
    sz_json_number(b, row->measured);
    sz_buf_printf(b, ",\"relation\":\"%s\",\"mark\":", row->relation);
    sz_json_number(b, row->mark);
    sz_buf_printf(b, ",\"passed\":%s}\n", row->passed ? "true" : "false");
}

static int run_one(const settings *s, const sz_paper *p) {
    sz_repro_run run = {
        .smoke = s->smoke, .seed = s->seed, .text = s->text, .find_model = sz_store_find};
    sz_buf b = {0};
    size_t passed = 0;
    uint64_t start = sz_time_ns();
    sz_status status = sz_repro_find(p->number)->run(&run);
    status = status == SZ_OK ? run.status : status;
    if (!s->json)
        sz_buf_printf(&b, "%s  %s\n", p->number, p->title);
    for (size_t i = 0; i < run.n; i++) {
        put_row(&b, p, &run.rows[i], s->json);
        passed += run.rows[i].passed;
    }
    if (!s->json && status == SZ_OK)
        sz_buf_printf(&b, "%zu of %zu marks reached, %.1f s\n", passed, run.n,
                      (double)(sz_time_ns() - start) * 1e-9);
    bool all_passed = passed == run.n && run.n > 0;
    sz_free(run.rows);
    int printed = sz_cli_print(&b);
    if (status != SZ_OK)
        return sz_cli_error();
    return printed == SZ_EXIT_OK && !all_passed ? SZ_EXIT_FAILURE : printed;
}

static int run(const settings *s) {
    int exit_status = SZ_EXIT_OK;
    for (const sz_paper *p = sz_papers; p->number; p++)
        if (sz_repro_find(p->number) && run_one(s, p) != SZ_EXIT_OK)
            exit_status = SZ_EXIT_FAILURE;
    return exit_status;
}

int sz_run_papers(int argc, char **argv) {
    settings s = {.action = -1, .seed = 1};
    sz_cli_parse(&sz_argp_papers, argc, argv, &s);
    if (s.action == LIST)
        return list(&s);
    if (s.action == RUN && strcmp(s.number, "all") == 0)
        return run(&s);
    const sz_paper *p = find(s.number);
    if (!p)
        return sz_cli_fail("there is no paper '%s': 'szilard papers list' shows the numbers",
                           s.number);
    if (s.action == SHOW)
        return show(&s, p);
    if (!sz_repro_find(p->number))
        return sz_cli_fail("paper %s has no reproduction yet", p->number);
    return run_one(&s, p);
}
