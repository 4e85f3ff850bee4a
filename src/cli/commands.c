/* commands.c: the table of subcommands, and how words on the command line find their row. */
#include "cli.h"
#include <stdlib.h>
#include <string.h>

/* In the order of --help. A new subcommand is one file, cmd_<name>.c, and one line here. */
#define COMMANDS(X)                                                                                \
    X(run, "run", FIRST, "answer a prompt, or continue a text")                                    \
    X(serve, "serve", FIRST, "answer over HTTP, in the manner of OpenAI's API")                    \
    X(chat, "run --chat", FIRST, "hold a conversation")                                            \
    X(pull, "model pull", FIRST, "get a model by name, from Hugging Face or from a URL")           \
    X(list, "model list", FIRST, "show the models on this machine")                                \
    X(rm, "model rm", FIRST, "remove a pulled model")                                              \
    X(info, "model info", FIRST, "what a model file holds; --cpu: what this machine offers")       \
    X(calibrate, "model calibrate", MORE, "a method's parameters for a model or two, from a text") \
    X(score, "score", FIRST, "what each token of a text tells, in nats")                           \
    X(perplexity, "score --total", FIRST, "one figure for a whole text")                           \
    X(sample, "run --sample", MORE, "draw tokens from a file of logits")                           \
    X(zip, "zip", FIRST, "compress files")                                                         \
    X(unzip, "zip -d", FIRST, "decompress files")                                                  \
    X(tokenize, "tokens encode", MORE, "the token ids of a text")                                  \
    X(detokenize, "tokens decode", MORE, "the text of token ids")                                  \
    X(template, "tokens template", MORE, "a conversation as the model's prompt")                   \
    X(kt, "zip kt", MORE, "the shortest program that makes these bytes")                           \
    X(hide, "zip hide", MORE, "hide a message in a text that a model writes")                      \
    X(reveal, "zip reveal", MORE, "read a hidden message back")                                    \
    X(measure, "measure", MORE, "information in columns, between columns, in a matrix")            \
    X(layers, "measure layers", MORE, "how the states of a text spread in each layer")             \
    X(cot, "measure cot", MORE, "what reasoning traces are worth in examples")                     \
    X(energy, "measure energy", MORE, "joules of a command, and the least that bits cost")         \
    X(match, "measure match", MORE, "where a text comes near a pattern")                           \
    X(pc, "fit circuit", MORE, "probabilistic circuits: train, ask, sample, compress")             \
    X(tune, "fit tune", MORE, "the exactly best value of one knob over many tasks")                \
    X(infer, "fit bayes", MORE, "probabilistic programs: evidence, posteriors, checked laws")      \
    X(dyn, "fit dyn", MORE, "fields that keep a conservation law")                                 \
    X(train, "train", MORE, "train a language model from text")                                    \
    X(bench, "bench", MORE, "speed of a model beside the ceilings of the machine")                 \
    X(papers, "papers", MORE, "the papers behind the project, and their reproductions")            \
    X(demo, "papers demo", MORE, "the coding game of a paper, played step by step")

/* Words that are no names in C: those with a hyphen. */
#define HYPHENED(Y)                                                                                \
    Y(cache_sim, "cache-sim", "bench cache-sim", MORE,                                             \
      "policies of eviction on a trace of requests")

#define DECLARE(word, tree, group, brief)                                                          \
    extern const struct argp sz_argp_##word;                                                       \
    int sz_run_##word(int argc, char **argv);
#define DECLARE_NAMED(symbol, word, tree, group, brief) DECLARE(symbol, tree, group, brief)
COMMANDS(DECLARE)
HYPHENED(DECLARE_NAMED)

#define ROW_NAMED(symbol, word, tree, group, brief)                                                \
    {word, tree, SZ_GROUP_##group, brief, &sz_argp_##symbol, sz_run_##symbol},
#define ROW(word, tree, group, brief) ROW_NAMED(word, #word, tree, group, brief)
const sz_command sz_commands[] = {COMMANDS(ROW) HYPHENED(ROW_NAMED){0}};

const sz_branch sz_branches[] = {
    {"model", SZ_GROUP_FIRST, "get and inspect models"},
    {"tokens", SZ_GROUP_MORE, "text to token ids and back"},
    {"fit", SZ_GROUP_MORE, "models of data"},
    {0},
};

static void remove_argument(int *argc, char **argv, int at) {
    memmove(argv + at, argv + at + 1, (size_t)(*argc - at) * sizeof *argv);
    (*argc)--;
}

/* Index of the argument that is exactly `flag`, before any "--"; 0 if absent. */
static int find_flag(int argc, char **argv, const char *flag) {
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], flag) == 0)
            return i;
    return 0;
}

/* Whether argv[1..] is the two-word tree form of `c`; *at is the index of the second word. */
static bool matches_tree(const sz_command *c, int argc, char **argv, int *at) {
    const char *space = strchr(c->tree, ' ');
    size_t n = space ? (size_t)(space - c->tree) : 0;
    if (!space || argc < 3 || strncmp(argv[1], c->tree, n) != 0 || argv[1][n] != '\0')
        return false;
    if (space[1] == '-')
        *at = find_flag(argc, argv, space + 1);
    else
        *at = strcmp(argv[2], space + 1) == 0 ? 2 : 0;
    return *at != 0;
}

const sz_command *sz_command_resolve(int *argc, char **argv) {
    if (*argc < 2)
        return NULL;
    const sz_command *found = NULL;
    int at = 0;
    for (const sz_command *c = sz_commands; c->name && !found; c++)
        if (matches_tree(c, *argc, argv, &at))
            found = c;
    if (found)
        remove_argument(argc, argv, at);
    for (const sz_command *c = sz_commands; c->name && !found; c++)
        if (strcmp(argv[1], c->name) == 0)
            found = c;
    if (found)
        remove_argument(argc, argv, 1);
    return found;
}

#define LONGEST_WORD 32

int sz_edit_distance(const char *a, const char *b) {
    int row[3][LONGEST_WORD + 1];
    size_t na = strnlen(a, LONGEST_WORD), nb = strnlen(b, LONGEST_WORD);
    int *before = row[0], *above = row[1], *now = row[2];
    for (size_t j = 0; j <= nb; j++)
        above[j] = (int)j;
    for (size_t i = 1; i <= na; i++) {
        now[0] = (int)i;
        for (size_t j = 1; j <= nb; j++) {
            int best = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
        int *spare = before;
        before = above, above = now, now = spare;
    }
    return above[nb];
}

const char *sz_command_nearest(const char *word) {
    const char *best = NULL;
    int best_distance = strlen(word) < 4 ? 2 : 3; /* at this distance two words are not alike */
    for (const sz_command *c = sz_commands; c->name; c++) {
        int d = sz_edit_distance(word, c->name);
        if (d < best_distance)
            best = c->name, best_distance = d;
    }
    for (const sz_branch *b = sz_branches; b->word; b++) {
        int d = sz_edit_distance(word, b->word);
        if (d < best_distance)
            best = b->word, best_distance = d;
    }
    return best;
}
