/* cmd_bench.c: `szilard bench`: speed of a model beside the ceilings of the machine. */
#include "bench.h"
#include "bench_pair.h"
#include "machine.h"
#include "signals.h"
#include "store.h"
#include "term.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_JSON = 256, OPT_MACHINE, OPT_OPS, OPT_PAIR, OPT_PLOT, MAX_COUNTS = 16 };

typedef struct settings {
    sz_engine_options engine;
    sz_bench_plan plan;
    size_t threads[MAX_COUNTS], n_threads; /* 0: measured */
    const char *other, *plot;              /* NULL: none */
    bool json, machine;
} settings;

static const struct argp_option options[] = {
    {"model", 'm', "MODEL", 0,
     "A GGUF file, a known name such as smollm2, or a name that 'szilard list' shows", 0},
    {"prefill", 'p', "N", 0, "Tokens of the prompt; default: 512", 0},
    {"decode", 'n', "N", 0, "Tokens decoded one by one; default: 64", 0},
    {"context", 'c', "N", 0, "Tokens before the first decoded one; default: 64", 0},
    {"batch", 'b', "N,...", 0,
     "Also passes over N tokens, up to 64: of N sequences, and of one; what they cost beside a "
     "pass over a single token",
     0},
    {"threads", 't', "N,...", 0,
     "Numbers of threads, each measured; default: as many as a short measurement finds useful", 0},
    {"repeats", 'r', "N", 0, "Repeats, of which the best and the median are told; default: 5", 0},
    {"ops", OPT_OPS, NULL, 0,
     "Also a table of the operators of one pass over a single token, one over a small batch (the "
     "first of --batch, else 4 tokens) and one over the prompt: time, bytes, multiply-adds, and "
     "the share of the ceiling that binds each",
     0},
    {"pair", OPT_PAIR, "SZILARD", 0,
     "Measure this build and another one, the path of whose command is given, in turns; --repeats "
     "times each. The ratio's median lies in the interval with the probability beside it",
     0},
    {"plot", OPT_PLOT, "OUT.svg", 0,
     "Also a figure: what was reached below what the machine allows, over multiply-adds per byte; "
     "with --ops the operators, too",
     0},
    {"machine", OPT_MACHINE, NULL, 0, "Measure the machine only", 0},
    {"json", OPT_JSON, NULL, 0, "Print an array with one object per number of threads", 0},
    {0},
};

/* "1,2": up to `most` numbers from 1 to `largest`. */
static size_t read_counts(struct argp_state *state, const char *option, char *list, long largest,
                          size_t most, size_t *out) {
    char *rest = NULL;
    size_t n = 0;
    for (char *word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        if (n == most)
            argp_error(state, "%s: at most %zu numbers", option, most);
        out[n++] = (size_t)sz_cli_int(state, option, word, 1, largest);
    }
    if (n == 0)
        argp_error(state, "%s: no number is given", option);
    return n;
}

/* What the options ask for together. */
static void check(const settings *s, const struct argp_state *state) {
    if (!s->engine.model && !s->machine)
        argp_error(state, "no model given: szilard bench -m smollm2");
    if (s->other && (s->machine || s->plot || s->plan.operators))
        argp_error(state, "--pair compares speeds of a model: it goes without --machine, "
                          "--ops and --plot");
    if (s->plot && (s->machine || s->n_threads > 1))
        argp_error(state, "--plot shows a model with one number of threads");
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        s->plan = (sz_bench_plan){.n_prefill = 512, .n_decode = 64, .context = 64, .repeats = 5};
        s->n_threads = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (s->engine.model)
            argp_error(state, "'%s' is left over: bench takes one model", arg);
        s->engine.model = arg;
        return 0;
    case 'm':
        s->engine.model = arg;
        return 0;
    case 'p':
        s->plan.n_prefill = (size_t)sz_cli_int(state, "--prefill", arg, 0, 1 << 20);
        return 0;
    case 'n':
        s->plan.n_decode = (size_t)sz_cli_int(state, "--decode", arg, 0, 1 << 20);
        return 0;
    case 't':
        s->n_threads = read_counts(state, "--threads", arg, 1024, MAX_COUNTS, s->threads);
        return 0;
    case 'c':
        s->plan.context = (size_t)sz_cli_int(state, "--context", arg, 1, 1 << 20);
        return 0;
    case 'b':
        s->plan.n_batches =
            read_counts(state, "--batch", arg, SZ_LARGEST_BATCH, SZ_MOST_BATCHES, s->plan.batch);
        return 0;
    case 'r':
        s->plan.repeats = (int)sz_cli_int(state, "--repeats", arg, 1, 1000);
        return 0;
    case OPT_OPS:
        s->plan.operators = true;
        return 0;
    case OPT_PAIR:
        s->other = arg;
        return 0;
    case OPT_PLOT:
        s->plot = arg;
        return 0;
    case OPT_MACHINE:
        s->machine = true;
        return 0;
    case OPT_JSON:
        s->json = true;
        return 0;
    case ARGP_KEY_END:
        check(s, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp sz_argp_bench = {
    options,
    parse,
    "[MODEL]",
    "Measures how fast a model takes a prompt (prefill) and gives tokens (decode, after a "
    "context), "
    "and in the same run how fast the machine reads memory and multiplies 8-bit "
    "integers. "
    "Decoding reads all weights for each token, so its ceiling is the reading; a prompt multiplies "
    "them with all tokens at once, so its ceiling is the products."
    "\v"
    "EXAMPLES\n"
    "  szilard bench -m smollm2\n"
    "  szilard bench -m qwen-0.5b -p 512 -n 64 -t 1,2 --json\n"
    "  szilard bench -m qwen-0.5b -c 4096 -p 0 -b 2,4,8\n"
    "  szilard bench -m smollm2 --ops -t 1\n"
    "  szilard bench -m smollm2 -b 2,4,8,16 --ops --plot roof.svg\n"
    "  szilard bench -m smollm2 --pair /tmp/before/szilard -t 1,2 -r 9\n"
    "  szilard bench --machine -t 1,2\n",
    NULL,
    NULL,
    NULL};

/* ---- Figures --------------------------------------------------------------------------------- */

static double per_second(double amount, double seconds) {
    return seconds > 0 ? amount / seconds : NAN;
}

static double decode_share(const sz_bench_result *r) {
    return per_second(r->decode.bytes, r->decode.best_s) / r->read_bytes_per_s;
}

static double prefill_share(const sz_bench_result *r) {
    return per_second(r->prefill.macs, r->prefill.best_s) / r->int8_macs_per_s;
}

/* ---- Table ----------------------------------------------------------------------------------- */

static void put_work(sz_buf *b, size_t n, const sz_bench_work *w, double share) {
    if (n == 0)
        sz_buf_printf(b, "  %9s %9s %6s", "-", "-", "-");
    else
        sz_buf_printf(b, "  %9.1f %9.1f %4.0f %%", (double)n / w->best_s, (double)n / w->median_s,
                      100 * share);
}

static void put_machine(sz_buf *b, const sz_bench_result *r) {
    sz_buf_printf(b, "  %7.1f GB/s  %7.1f G/s  %9.1f G/s\n", r->read_bytes_per_s * 1e-9,
                  r->int8_macs_per_s * 1e-9, r->float_macs_per_s * 1e-9);
}

static void put_heading(sz_buf *b, const settings *s) {
    if (s->machine) {
        sz_buf_puts(b, "threads  memory read  int8 products  float products\n");
        return;
    }
    char prefill[32], decode[32];
    snprintf(prefill, sizeof prefill, "prefill %zu", s->plan.n_prefill);
    snprintf(decode, sizeof decode, "decode %zu", s->plan.n_decode);
    sz_buf_printf(b,
                  "threads  %-26s  %-26s  memory read  int8 products  "
                  "float products\n",
                  prefill, decode);
    sz_buf_puts(b, "         tokens/s   median of int8   tokens/s    median of read\n");
}

/* Passes over several tokens: tokens per second together, and the cost in passes over one. */
static void put_batches(sz_buf *b, const settings *s, const sz_bench_result *r) {
    for (size_t i = 0; i < s->plan.n_batches; i++) {
        const sz_bench_batch *batch = &r->batch[i];
        if (i == 0)
            sz_buf_puts(b, "  tokens in a pass   sequences: tokens/s   passes of 1   one sequence: "
                           "passes of 1\n");
        sz_buf_printf(b, "  %16zu %22.1f %13.2f %27.2f\n", batch->n,
                      (double)batch->n / batch->sequences_s,
                      batch->sequences_s / r->one.sequences_s, batch->span_s / r->one.span_s);
    }
}

static void put_row(sz_buf *b, const settings *s, const sz_bench_result *r) {
    sz_buf_printf(b, "%7d", r->threads);
    if (!s->machine) {
        put_work(b, s->plan.n_prefill, &r->prefill, prefill_share(r));
        put_work(b, s->plan.n_decode, &r->decode, decode_share(r));
    }
    put_machine(b, r);
    put_batches(b, s, r);
    sz_bench_put_operators(b, r);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void put(sz_buf *b, const char *key, const char *suffix, double v) {
    sz_buf_printf(b, ",\"%s%s\":", key, suffix);
    sz_json_number(b, v);
}

static void put_work_json(sz_buf *b, const char *name, size_t n, const sz_bench_work *w) {
    put(b, name, "_tokens", (double)n);
    put(b, name, "_tokens_per_s", per_second((double)n, w->best_s));
    put(b, name, "_tokens_per_s_median", per_second((double)n, w->median_s));
    put(b, name, "_bytes", w->bytes);
    put(b, name, "_multiply_adds", w->macs);
    put(b, name, "_bytes_per_s", per_second(w->bytes, w->best_s));
    put(b, name, "_multiply_adds_per_s", per_second(w->macs, w->best_s));
    put(b, name, "_joules_per_token",
        w->energy.source == SZ_ENERGY_NONE ? NAN : w->energy.joules / (double)w->n_metered);
    sz_buf_printf(b, ",\"%s_joules_measured\":%s", name, w->energy.measured ? "true" : "false");
}

static void put_batches_json(sz_buf *b, const settings *s, const sz_bench_result *r) {
    sz_buf_puts(b, ",\"batches\":[");
    for (size_t i = 0; i < s->plan.n_batches; i++) {
        const sz_bench_batch *batch = &r->batch[i];
        sz_buf_printf(b, "%s{\"tokens\":%zu", i ? "," : "", batch->n);
        put(b, "sequences_tokens_per_s", "", per_second((double)batch->n, batch->sequences_s));
        put(b, "sequences_passes_of_one", "", batch->sequences_s / r->one.sequences_s);
        put(b, "span_passes_of_one", "", batch->span_s / r->one.span_s);
        sz_buf_putc(b, '}');
    }
    sz_buf_putc(b, ']');
}

static void put_string(sz_buf *b, const char *key, const char *v) {
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_quote(b, v, strlen(v));
}

static void put_object(sz_buf *b, const settings *s, const sz_bench_result *r, const sz_engine *e) {
    char cpu[128];
    sz_machine_cpu_name(cpu, sizeof cpu);
    sz_buf_printf(b, "{\"threads\":%d", r->threads);
    if (!s->machine) {
        sz_model_info info;
        sz_model_get_info(e->model, &info);
        put_work_json(b, "prefill", s->plan.n_prefill, &r->prefill);
        put_work_json(b, "decode", s->plan.n_decode, &r->decode);
        put(b, "prefill_share_of_int8_peak", "", prefill_share(r));
        put(b, "decode_share_of_read_bandwidth", "", decode_share(r));
        put(b, "decode_context", "", (double)s->plan.context);
        put_batches_json(b, s, r);
        if (s->plan.operators)
            sz_bench_put_operators_json(b, r);
        put(b, "repeats", "", s->plan.repeats);
        put_string(b, "model", info.name);
        put_string(b, "file", e->path);
        put(b, "file_bytes", "", (double)info.file_bytes);
    }
    put(b, "machine_read_bytes_per_s", "", r->read_bytes_per_s);
    put(b, "machine_int8_multiply_adds_per_s", "", r->int8_macs_per_s);
    put(b, "machine_float_multiply_adds_per_s", "", r->float_macs_per_s);
    put_string(b, "isa", r->isa);
    put_string(b, "cpu", cpu);
    sz_buf_putc(b, '}');
}

/* ---- The command ----------------------------------------------------------------------------- */

static sz_status open_engine(const settings *s, sz_engine *e) {
    if (!s->machine)
        return sz_engine_open(&s->engine, e);
    sz_runtime_config config = {.size = sizeof config, .n_threads = s->engine.threads};
    SZ_TRY(sz_runtime_new(&config, &e->rt));
    sz_catch_interrupts(e->rt);
    return SZ_OK;
}

static void put_title(sz_buf *b, const settings *s, const sz_engine *e) {
    char cpu[128], size[16];
    sz_model_info info;
    sz_machine_cpu_name(cpu, sizeof cpu);
    if (!s->machine) {
        sz_model_get_info(e->model, &info);
        sz_format_bytes(info.file_bytes, size);
        sz_buf_printf(b, "%s, %s, %s; ", info.name, info.file_type, size);
    }
    sz_buf_printf(b, "%s, %s\n", cpu, sz_runtime_isa(e->rt));
}

static sz_status plot(const settings *s, const sz_engine *e, const sz_bench_result *r) {
    char cpu[128], title[256];
    sz_model_info info;
    sz_model_get_info(e->model, &info);
    sz_machine_cpu_name(cpu, sizeof cpu);
    snprintf(title, sizeof title, "%s, %s; %s, %d thread%s", info.name, info.file_type, cpu,
             r->threads, r->threads == 1 ? "" : "s");
    return sz_bench_plot(s->plot, title, &s->plan, r);
}

/* Measures with one number of threads, and writes its row or object. */
static sz_status bench(settings *s, size_t index, sz_buf *b) {
    sz_engine e = {0};
    sz_bench_result r = {0};
    s->engine.threads = (int)s->threads[index];
    sz_status status = open_engine(s, &e);
    if (status == SZ_OK && s->machine)
        sz_bench_machine(e.rt, NULL, &r);
    else if (status == SZ_OK)
        status = sz_bench_model(&e, &s->plan, &r);
    if (status == SZ_OK && s->json) {
        sz_buf_puts(b, index ? ",\n " : "[");
        put_object(b, s, &r, &e);
    } else if (status == SZ_OK) {
        if (index == 0) {
            put_title(b, s, &e);
            put_heading(b, s);
        }
        put_row(b, s, &r);
    }
    if (status == SZ_OK && s->plot)
        status = plot(s, &e, &r);
    sz_engine_close(&e);
    return status;
}

/* The same of two builds. */
static sz_status bench_pair(const settings *s, size_t index, const char *file, sz_buf *b) {
    sz_bench_pair pair;
    sz_bench_pair_plan plan = {s->other, file, &s->plan, s->threads[index]};
    sz_status status = sz_bench_pair_run(&plan, &pair);
    if (status == SZ_OK && s->json) {
        sz_buf_printf(b, "%s{\"threads\":%zu", index ? ",\n " : "[", s->threads[index]);
        put(b, "rounds", "", (double)pair.rounds);
        put_string(b, "file", file);
        put_string(b, "other_command", s->other);
        sz_bench_put_pair_json(b, &pair);
        sz_buf_putc(b, '}');
    } else if (status == SZ_OK) {
        if (s->threads[index])
            sz_buf_printf(b, "%zu threads, ", s->threads[index]);
        sz_buf_printf(b, "%zu rounds; other: %s\n", pair.rounds, s->other);
        sz_bench_put_pair(b, &pair);
    }
    sz_bench_pair_free(&pair);
    return status;
}

static sz_status bench_or_pair(settings *s, size_t index, sz_buf *b) {
    char *file;
    if (!s->other)
        return bench(s, index, b);
    SZ_TRY(sz_store_find(s->engine.model, &file));
    sz_status status = bench_pair(s, index, file, b);
    free(file);
    return status;
}

int sz_run_bench(int argc, char **argv) {
    settings s = {0};
    sz_cli_parse(&sz_argp_bench, argc, argv, &s);
    int exit_status = SZ_EXIT_OK;
    sz_buf all = {0};
    for (size_t i = 0; i < s.n_threads && exit_status == SZ_EXIT_OK; i++) {
        if (bench_or_pair(&s, i, &all) != SZ_OK)
            exit_status = sz_cli_error();
        else if (!s.json) /* a row when it is there */
            exit_status = sz_cli_print(&all);
    }
    if (exit_status == SZ_EXIT_OK && s.json) {
        sz_buf_puts(&all, "]\n");
        exit_status = sz_cli_print(&all);
    }
    sz_buf_free(&all);
    return exit_status;
}
