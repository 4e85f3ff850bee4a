/* bench_speculation.c: what two models that write one text gain beside the large one alone.
 *
 *     bench_speculation SMALL.gguf LARGE.gguf [THREADS [TOKENS [PROMPTS [ROUTER...]]]]
 *
 * PROMPTS: a number, or a kind and a number, such as edits=3.
 *
 * For each of PROMPTS prompts (at most, and by default, 50: code, prose, questions, edits of a
 * given text) the large model writes TOKENS tokens alone, greedily, then each router does, then the
 * large model again: a ratio is of a router's time to the mean of the two times around it, so that
 * a machine whose speed drifts does not decide. Prints per router and kind of prompt the mean of
 * the ratios and the worst one. Routers that promise the large model's text are checked.
 * Default routers: speculative with and without lookup, lookup alone (small "-"), ead. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/model.h>
#include <szilard/unstable/router.h>

enum { MOST_TOKENS = 1024, MOST_ROUTERS = 8, N_PROMPTS = 50, CONTEXT = 2048, MOST_IDS = 1024 };

typedef enum kind { CODE, PROSE, QUESTION, EDIT, N_KINDS } kind;
static const char *const kind_names[] = {"code", "prose", "questions", "edits"};

static const struct {
    kind kind;
    const char *form; /* %s: a subject */
    const char *subjects[15];
    int n;
} parts[] = {
    {CODE,
     "Write a C function that %s.",
     {"reverses a string in place", "sorts a linked list", "counts the words of a text",
      "finds the greatest common divisor", "searches a sorted array", "removes duplicates",
      "reads a file into memory", "computes a checksum", "prints a number in binary",
      "merges two sorted arrays", "evaluates a polynomial", "splits a path into its parts",
      "draws a random permutation", "parses a date", "transposes a matrix"},
     15},
    {PROSE,
     "Write a short story about %s.",
     {"a lighthouse", "two brothers at sea", "a lost letter", "an old clockmaker", "the first snow",
      "a train at night", "a garden behind a wall", "a dog that waits", "a stolen painting",
      "the last day of summer"},
     10},
    {QUESTION,
     "%s Explain in a few sentences.",
     {"Why is the sky blue?", "How does a vaccine work?", "What makes bread rise?",
      "Why do leaves fall in autumn?", "How does a bicycle stay upright?", "What is inflation?",
      "Why is sea water salty?", "How do bees find flowers?", "What is a prime number good for?",
      "Why do we dream?", "How is glass made?", "What does a compiler do?", "Why does ice float?",
      "How do tides arise?", "What is entropy?"},
     15},
    {EDIT,
     "Rename %s in this program and print the whole program again, nothing else:\n\n"
     "int total(const int *values, int count) {\n    int sum = 0;\n    for (int i = 0; i < count; "
     "i++) {\n        if (values[i] < 0) {\n            continue;\n        }\n        sum += "
     "values[i];\n    }\n    return sum;\n}\n\nint largest(const int *values, int count) {\n    "
     "int "
     "best = values[0];\n    for (int i = 1; i < count; i++) {\n        if (values[i] > best) {\n"
     "            best = values[i];\n        }\n    }\n    return best;\n}\n",
     {"sum to result", "values to items", "count to n", "best to top", "total to add_up",
      "largest to maximum", "i to index", "sum to s", "values to numbers", "count to length"},
     10},
};
enum { N_PARTS = sizeof parts / sizeof *parts };

typedef struct bench {
    int only; /* a kind; -1: all in turn */
    sz_model *small, *large;
    int32_t ids[MOST_IDS];
    size_t n_ids;
    int n_tokens;
    int32_t alone[MOST_TOKENS], routed[MOST_TOKENS];
} bench;

typedef struct tally {
    double sum, worst;
    int n;
} tally;

static void check(sz_status status) {
    if (status != SZ_OK) {
        fprintf(stderr, "bench_speculation: %s\n", sz_last_error());
        exit(1);
    }
}

/* The i-th prompt, the kinds in turn so that a few prompts hold some of each. */
static kind make_prompt(bench *b, int i) {
    int used[N_PARTS] = {0}, part = 0;
    if (b->only >= 0) {
        part = b->only;
        used[part] = 1 + i % parts[part].n;
    }
    for (int k = 0; k <= i && b->only < 0; k++) {
        part = (k == 0 ? 0 : part + 1) % N_PARTS;
        while (used[part] == parts[part].n)
            part = (part + 1) % N_PARTS;
        used[part]++;
    }
    char text[2048], *rendered;
    sz_buf json = {0};
    snprintf(text, sizeof text, parts[part].form, parts[part].subjects[used[part] - 1]);
    sz_buf_puts(&json, "[{\"role\":\"user\",\"content\":");
    sz_json_quote(&json, text, strlen(text));
    sz_buf_puts(&json, "}]");
    check(sz_model_render_chat(b->large, json.data, NULL, NULL, true, &rendered));
    check(
        sz_model_tokenize(b->large, rendered, strlen(rendered), true, b->ids, MOST_IDS, &b->n_ids));
    sz_string_free(rendered);
    sz_buf_free(&json);
    return parts[part].kind;
}

/* Nanoseconds per token; ends are passed over, so that all texts have one length. */
static double write_alone(bench *b) {
    sz_session *s;
    sz_session_config config = {.context = CONTEXT, .n_sequences = 1};
    check(sz_session_new(b->large, &config, &s));
    check(sz_session_prompt_ids(s, 0, b->ids, b->n_ids));
    uint64_t start = sz_time_ns();
    for (int i = 0; i < b->n_tokens; i++) {
        sz_token t;
        sz_status status = sz_session_next(s, 0, &t);
        b->alone[i] = t.id;
        check(status == SZ_END ? sz_session_prompt_ids(s, 0, &t.id, 1) : status);
    }
    double ns = (double)(sz_time_ns() - start) / b->n_tokens;
    sz_session_free(s);
    return ns;
}

static double write_routed(bench *b, const char *router, sz_router_account *account) {
    sz_router *r;
    sz_session_config config = {.context = CONTEXT, .n_sequences = 1};
    bool lookup_only = router[0] == '-';
    check(
        sz_router_new(router + lookup_only, lookup_only ? NULL : b->small, b->large, &config, &r));
    check(sz_router_prompt_ids(r, b->ids, b->n_ids));
    check(sz_router_prepare(r));
    uint64_t start = sz_time_ns();
    for (int i = 0; i < b->n_tokens; i++) {
        sz_token t;
        sz_status status = sz_router_next(r, &t);
        b->routed[i] = t.id;
        check(status == SZ_END ? sz_router_prompt_ids(r, &t.id, 1) : status);
    }
    double ns = (double)(sz_time_ns() - start) / b->n_tokens;
    *account = sz_router_get_account(r);
    sz_router_free(r);
    return ns;
}

static void add(tally *t, double ratio) {
    t->worst = t->n == 0 || ratio < t->worst ? ratio : t->worst;
    t->sum += ratio;
    t->n++;
}

static void measure(bench *b, const char *const *routers, int n_routers, int n_prompts,
                    tally tallies[MOST_ROUTERS][N_KINDS + 1]) {
    for (int i = 0; i < n_prompts; i++) {
        kind kind = make_prompt(b, i);
        double before = write_alone(b), routed[MOST_ROUTERS];
        for (int k = 0; k < n_routers; k++) {
            sz_router_account a;
            routed[k] = write_routed(b, routers[k], &a);
            bool same = memcmp(b->alone, b->routed, (size_t)b->n_tokens * sizeof *b->alone) == 0;
            if (!same && !strstr(routers[k], "ead")) {
                fprintf(stderr, "bench_speculation: %s changed the text\n", routers[k]);
                exit(1);
            }
            double after = write_alone(b), ratio = (before + after) / 2 / routed[k];
            add(&tallies[k][kind], ratio);
            add(&tallies[k][N_KINDS], ratio);
            printf("%-9s %-28s %6.1f tokens/s, alone %6.1f: %.2f  drafted %llu, right %llu, by the "
                   "large model %llu\n",
                   kind_names[kind], routers[k], 1e9 / routed[k], 2e9 / (before + after), ratio,
                   (unsigned long long)a.drafted, (unsigned long long)a.accepted,
                   (unsigned long long)a.written[SZ_ROUTER_LARGE]);
            fflush(stdout);
            before = after;
        }
    }
}

static void print_tallies(const char *const *routers, int n_routers,
                          tally tallies[MOST_ROUTERS][N_KINDS + 1]) {
    for (int k = 0; k < n_routers; k++)
        for (int kind = 0; kind <= N_KINDS; kind++) {
            const tally *t = &tallies[k][kind];
            if (t->n)
                printf("%-28s %-9s mean %.2f, worst %.2f of %d\n", routers[k],
                       kind == N_KINDS ? "all" : kind_names[kind], t->sum / t->n, t->worst, t->n);
        }
}

static int number(int argc, char **argv, int at, int fallback, int most) {
    int n = argc > at ? atoi(argv[at]) : fallback;
    return n < 1 ? fallback : n > most ? most : n;
}

/* "edits=3" sets the kind, too. */
static int read_prompts(const char *text, bench *b) {
    b->only = -1;
    for (int k = 0; text && k < N_KINDS; k++) {
        size_t n = strlen(kind_names[k]);
        if (strncmp(text, kind_names[k], n) != 0 || text[n] != '=')
            continue;
        b->only = k;
        text += n + 1;
        break;
    }
    int n = text ? atoi(text) : N_PROMPTS;
    return n < 1 || n > N_PROMPTS ? N_PROMPTS : n;
}

int main(int argc, char **argv) {
    static const char *const usual[] = {"speculative", "speculative lookup=0", "-speculative",
                                        "ead"};
    static tally tallies[MOST_ROUTERS][N_KINDS + 1];
    static bench b;
    if (argc < 3) {
        fputs("usage: bench_speculation SMALL.gguf LARGE.gguf [THREADS [TOKENS [PROMPTS "
              "[ROUTER...]]]]\n",
              stderr);
        return 2;
    }
    sz_runtime_config runtime = {.n_threads = number(argc, argv, 3, 0, 1024)};
    sz_runtime *rt;
    check(sz_runtime_new(&runtime, &rt));
    check(sz_model_open(rt, argv[1], NULL, &b.small));
    check(sz_model_open(rt, argv[2], NULL, &b.large));
    b.n_tokens = number(argc, argv, 4, 128, MOST_TOKENS);
    int n_prompts = read_prompts(argc > 5 ? argv[5] : NULL, &b);
    const char *const *routers = argc > 6 ? (const char *const *)argv + 6 : usual;
    int n_routers = argc > 6 ? argc - 6 : 4;
    n_routers = n_routers > MOST_ROUTERS ? MOST_ROUTERS : n_routers;
    printf("%s, %d threads, %d tokens each\n", sz_runtime_isa(rt), sz_runtime_threads(rt),
           b.n_tokens);
    measure(&b, routers, n_routers, n_prompts, tallies);
    print_tallies(routers, n_routers, tallies);
    sz_model_close(b.small);
    sz_model_close(b.large);
    sz_runtime_free(rt);
    return 0;
}
