/* cmd_run.c: `szilard run`: a prompt from the command line, a file or a pipe, and its answer. */
#include "branching.h"
#include "chat.h"
#include "choice.h"
#include "signals.h"
#include "steering.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct settings {
    sz_generation generation;
    const char *prompt, *file; /* -p and -f */
    const char *choices;       /* --choices */
    sz_branching_options branching;
    const char *steer; /* --steer */
    char **words;      /* what stands without an option; in argv's order */
    int n_words;
} settings;

enum { OPT_CHOICES = 800 };

static const struct argp_option options[] = {
    {"prompt", 'p', "TEXT", 0, "The prompt", 0},
    {"file", 'f', "FILE", 0, "Read the prompt from FILE; - is standard input", 0},
    {"choices", OPT_CHOICES, "A,B,C", 0,
     "Print how probable each of these answers is, by scoring; \\, stands for a comma in one", 0},
    {0},
};

static void check_branching(struct argp_state *state, const settings *s) {
    const sz_generation *g = &s->generation;
    if (s->choices || (s->branching.kind && s->steer))
        argp_error(state, "one of --choices, --best-of, --beams, --branch and --steer at a time");
    if (g->forgetting.text)
        argp_error(state, "several answers share the whole prompt: not with a --kv-policy");
    if (g->routing.router)
        argp_error(state, "several answers come from one model: not with --router or --draft");
    if (g->constraint.kind && !s->steer && s->branching.kind != SZ_BRANCHING_BEST_OF)
        argp_error(state, "--beams and --branch look at all tokens: not with a constraint");
    if (g->stop_when || g->n_stops)
        argp_error(state, "several answers end by the model or -n: not with --stop, --stop-when");
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &s->generation;
        state->child_inputs[1] = &s->branching;
        state->child_inputs[2] = &s->steer;
        return 0;
    case 'p':
        s->prompt = arg;
        return 0;
    case 'f':
        s->file = arg;
        return 0;
    case OPT_CHOICES:
        s->choices = arg;
        return 0;
    case ARGP_KEY_ARGS:
        s->words = state->argv + state->next;
        s->n_words = state->argc - state->next;
        return 0;
    case ARGP_KEY_SUCCESS:
        if (!s->generation.engine.model && s->n_words > 0) {
            s->generation.engine.model = *s->words++;
            s->n_words--;
        }
        if (!s->generation.engine.model)
            argp_error(state, "no model given: szilard run smollm2 \"why?\"");
        if (s->prompt && s->n_words > 0)
            argp_error(state, "'%s' is left over: -p gives the prompt already", s->words[0]);
        if (s->choices && s->generation.forgetting.text)
            argp_error(state, "--choices scores with the whole prompt: not with a --kv-policy");
        if (s->choices && (s->generation.routing.router || s->generation.constraint.kind))
            argp_error(state, "--choices scores with one model and without constraints");
        if (s->branching.kind || s->steer)
            check_branching(state, s);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&sz_argp_generation, 0, NULL, 0},
                                             {&sz_argp_branching, 0, NULL, 0},
                                             {&sz_argp_steering, 0, NULL, 0},
                                             {0}};
const struct argp sz_argp_run = {
    options,
    parse,
    "MODEL [TEXT...]",
    "Answers a prompt with the file's chat template, or continues a text with --raw. The prompt is "
    "TEXT, -p TEXT, -f FILE or standard input. A piped text stands before TEXT with a blank line "
    "between, and a file before -p. Without a prompt on a terminal a conversation begins (see "
    "szilard chat)."
    "\v"
    "The answer goes to standard output, the account of it to standard error. Ctrl-C ends the "
    "answer at a token.\n\n"
    "EXAMPLES\n"
    "  szilard run smollm2 \"Why is the sky blue?\"\n"
    "  git diff | szilard run smollm2 \"Write a commit message for this change.\"\n"
    "  szilard run -m smollm2 --raw -p \"Entropy is\" -n 64 --show-entropy\n"
    "  szilard run -m smollm2 -f question.txt --temp 0 --json | jq '.entropy_nats // empty'\n"
    "  szilard run --small qwen-0.5b --large qwen-1.5b --router \"ead tau=0.6\" \"Sort a list in "
    "C.\"\n"
    "  szilard run qwen-1.5b --draft qwen-0.5b \"Write a priority queue in C.\"\n"
    "  szilard run smollm2 \"Is ice cold? Answer Yes or No.\" --choices Yes,No\n"
    "  szilard run smollm2 \"Name a river.\" --best-of 8 -n 32\n"
    "  szilard run smollm2 --raw -p \"Two and two is\" --beams 4 -n 12 --json\n"
    "  szilard run smollm2 \"Name a colour.\" --branch \"entropy above=2 most=4\" -n 24\n"
    "  szilard run smollm2 --raw -p \"It began in\" -n 8 --sampler \"\" --steer \"smc regex=\\\" "
    "[0-9]{4}\\\"\"\n"
    "  szilard run smollm2 --raw -p \"Entropy is\" -n 8 --top-h 0.4 --explain\n"
    "  szilard run smollm2 \"Count.\" --stop-when \"repetition, entropy window=16 above=4\"\n"
    "  szilard run smollm2 -f report.txt -p \"Sum up.\" --kv-policy \"uncomp budget=128\" "
    "--kv-report\n"
    "  szilard run smollm2 \"A colour?\" --sampler \"min-p 0.1, temperature 1.5\" --seed 7\n",
    children,
    NULL,
    NULL};

enum { PATIENCE_MS = 2000 }; /* before a silent pipe is remarked upon */

/* ---- The prompt ------------------------------------------------------------------------------ */

/* Whether something else than a terminal or /dev/null stands at standard input. */
static bool stdin_is_piped(bool *waits) {
    struct stat s;
    if (fstat(STDIN_FILENO, &s) != 0)
        return false;
    *waits = S_ISFIFO(s.st_mode) || S_ISSOCK(s.st_mode);
    return *waits || S_ISREG(s.st_mode);
}

static bool is_dash(const char *s) {
    return s && strcmp(s, "-") == 0;
}

/* Whether `-` stands where the prompt could: standard input is then read whatever it is. */
static bool wants_stdin(const settings *s) {
    return is_dash(s->file) || is_dash(s->prompt) || (s->n_words == 1 && is_dash(s->words[0]));
}

/* -p is the whole prompt, so that a program in a script or a loop does not take what is not meant
 * for it; with TEXT, or nothing, a pipe is read. */
static bool reads_stdin(const settings *s) {
    bool waits = false, piped = stdin_is_piped(&waits);
    if (wants_stdin(s))
        return true;
    if (s->prompt || s->file) {
        int n = 0;
        if (waits && ioctl(STDIN_FILENO, FIONREAD, &n) == 0 && n > 0)
            sz_cli_note("standard input is not read, since %s gives the prompt; -f - adds it",
                        s->prompt ? "-p" : "-f");
        return false;
    }
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (waits && s->n_words > 0 && poll(&input, 1, PATIENCE_MS) == 0)
        sz_cli_note("waiting for text on standard input");
    return piped || s->n_words == 0;
}

/* Adds a file's text without the line break at its end; a blank line stands before it if there is
 * a text already. */
static sz_status add_file(const char *path, sz_buf *text) {
    sz_buf file = {0};
    sz_status status = sz_cli_read(path, &file);
    size_t n = file.len;
    if (status == SZ_OK && memchr(file.data ? file.data : "", '\0', n))
        status = sz_fail(SZ_E_FORMAT, "%s: not a text: it has NUL bytes",
                         is_dash(path) ? "standard input" : path);
    if (n > 0 && file.data[n - 1] == '\n')
        n -= n > 1 && file.data[n - 2] == '\r' ? 2 : 1;
    if (status == SZ_OK && n > 0) {
        sz_buf_puts(text, text->len ? "\n\n" : "");
        sz_buf_append(text, file.data, n);
    }
    sz_buf_free(&file);
    return status;
}

static void add_words(const settings *s, sz_buf *text) {
    bool dash = is_dash(s->prompt) || (s->n_words == 1 && is_dash(s->words[0]));
    if ((!s->prompt && s->n_words == 0) || dash)
        return;
    sz_buf_puts(text, text->len ? "\n\n" : "");
    if (s->prompt)
        sz_buf_puts(text, s->prompt);
    for (int i = 0; i < s->n_words; i++)
        sz_buf_printf(text, "%s%s", i ? " " : "", s->words[i]);
}

static sz_status read_prompt(const settings *s, sz_buf *text) {
    if (reads_stdin(s))
        SZ_TRY(add_file("-", text));
    if (s->file && !is_dash(s->file))
        SZ_TRY(add_file(s->file, text));
    add_words(s, text);
    SZ_REQUIRE(!text->failed, SZ_E_NOMEM, "out of memory for the prompt");
    SZ_REQUIRE(text->len > 0 || s->generation.raw, SZ_E_ARG, "the prompt is empty");
    return SZ_OK;
}

/* ---- One answer ------------------------------------------------------------------------------ */

static void print_forgetting(const sz_account *a) {
    sz_buf b = {0};
    sz_forgetting_put(&b, &a->forgotten);
    fputs(b.failed ? "" : b.data, stderr);
    sz_buf_free(&b);
}

static void print_account(const sz_talk *t, const sz_account *a) {
    const sz_generation *o = t->options;
    sz_account_setting setting = sz_talk_setting(t);
    if (o->quiet || o->json)
        return;
    if (isatty(STDOUT_FILENO) && isatty(STDERR_FILENO)) /* both on one screen: apart */
        fputc('\n', stderr);
    if (o->account || o->show_entropy)
        sz_account_print_full(a, &setting);
    else
        sz_account_print_short(a, &setting);
    if (a->forgotten.prompt.length)
        print_forgetting(a);
}

static int answer_once(settings *s, const sz_buf *prompt) {
    sz_talk t;
    sz_account account = {0};
    sz_status status = sz_talk_open(&s->generation, false, &t);
    if (status == SZ_OK)
        status = sz_dialogue_add(&t.dialogue, SZ_ROLE_USER, prompt->data ? prompt->data : "",
                                 prompt->len);
    if (status == SZ_OK)
        status = sz_talk_answer(&t, &account);
    if (status == SZ_OK)
        print_account(&t, &account);
    int exit_status = status != SZ_OK                           ? sz_cli_error()
                      : account.finish == SZ_FINISH_INTERRUPTED ? SZ_EXIT_INTERRUPTED
                                                                : SZ_EXIT_OK;
    sz_account_free(&account);
    sz_talk_close(&t);
    return exit_status;
}

int sz_run_run(int argc, char **argv) {
    settings s = {0};
    sz_buf prompt = {0};
    sz_cli_parse(&sz_argp_run, argc, argv, &s);
    bool talk = !s.prompt && !s.file && s.n_words == 0 && !s.choices && !s.branching.kind &&
                !s.steer && isatty(STDIN_FILENO);
    int exit_status;
    if (talk)
        exit_status = sz_chat_hold(&s.generation);
    else if (read_prompt(&s, &prompt) == SZ_OK)
        exit_status = s.choices          ? sz_choose(&s.generation, s.choices, &prompt)
                      : s.steer          ? sz_steer_out(&s.generation, s.steer, &prompt)
                      : s.branching.kind ? sz_branch_out(&s.generation, &s.branching, &prompt)
                                         : answer_once(&s, &prompt);
    else
        exit_status = sz_cli_error();
    sz_buf_free(&prompt);
    sz_generation_free(&s.generation);
    return exit_status;
}
