/* zip_options.c: the options that `szilard zip` and `szilard unzip` share, after zstd's. */
#include "zip_file.h"
#include <string.h>

enum { OPT_RM = 500, OPT_JSON, OPT_TEST, OPT_LIST, OPT_PLAIN, OPT_STATS, OPT_SEGMENTS, OPT_BROKEN };

static const struct argp_option options[] = {
    {"model", 'm', "MODEL", 0,
     "What predicts: 'bytes' (the default) needs no model; a language model, as for 'szilard run'; "
     "a circuit, for records ('szilard fit circuit'); 'kt': short programs; 'auto': whichever "
     "codes "
     "a sample in fewer bytes, of what is on this machine. Decompressing looks for the model that "
     "the file names",
     1},
    {"context", 'C', "N", 0, "Tokens that a language model sees; default: 2048", 1},
    {"plain", OPT_PLAIN, NULL, 0, "The language model alone, without what the text itself teaches",
     1},
    {"segments", OPT_SEGMENTS, "N", 0,
     "Streams that a language model's window of 1 MiB is cut into, 1 to 16; default: one for each "
     "16 KiB. They are decoded side by side; one alone takes less",
     1},
    {"output", 'o', "FILE", 0, "Name of the result; '-': standard output", 1},
    {"stdout", 'c', NULL, 0, "Write to standard output, as -o -", 1},
    {"threads", 'T', "N", 0,
     "Threads; they change speed and memory, never a byte; 0: all processors", 1},
    {NULL, 't', "N", OPTION_ALIAS | OPTION_HIDDEN, NULL, 1},
    {"force", 'f', NULL, 0, "Overwrite what is there; write to a terminal", 1},
    {"keep", 'k', NULL, 0, "Keep the source (the default)", 1},
    {"rm", OPT_RM, NULL, 0, "Remove the source once the result is safe on disk", 1},
    {NULL, 0, NULL, 0, "In place of compressing:", 2},
    {"decompress", 'd', NULL, 0, "Decompress, as 'szilard unzip'", 2},
    {"test", OPT_TEST, NULL, 0, "Decode and check, write nothing", 2},
    {"keep-broken", OPT_BROKEN, NULL, 0,
     "With -d: of a damaged file, keep what comes before the damage", 2},
    {"list", OPT_LIST, NULL, 0, "Show what compressed files hold", 2},
    {NULL, 0, NULL, 0, "Output:", 3},
    {"quiet", 'q', NULL, 0, "Say nothing but errors", 3},
    {"stats", OPT_STATS, "PAGE.html", OPTION_ARG_OPTIONAL,
     "Tell on standard error where a language model's bits go: by kilobyte, and the dearest "
     "tokens; "
     "with a PAGE, write one that colours every token by its cost",
     3},
    {"json", OPT_JSON, NULL, 0, "Print a line of JSON per file", 3},
    {0},
};

static void check(const sz_zip_options *o, const struct argp_state *state) {
    bool to_stdout = o->output && strcmp(o->output, "-") == 0;
    bool writes = o->action == SZ_ZIP_CODE || o->action == SZ_ZIP_DECODE;
    if (o->output && o->n_files > 1 && !(to_stdout && o->action == SZ_ZIP_DECODE))
        argp_error(state, "-o names one result, and there are %d files", o->n_files);
    if (o->output && !writes)
        argp_error(state, "-o: nothing is written");
    if (o->remove_source && (to_stdout || !writes || o->n_files == 0))
        argp_error(state, "--rm removes a file that another one replaces; here none does");
    if (o->keep_broken && o->action != SZ_ZIP_DECODE)
        argp_error(state, "--keep-broken is for decompressing");
    if (o->stats && o->action != SZ_ZIP_CODE)
        argp_error(state, "--stats tells of compressing");
    if (o->stats && (!o->model || strcmp(o->model, "bytes") == 0 || strcmp(o->model, "kt") == 0))
        argp_error(state, "--stats tells of tokens: name a language model with -m");
    if (o->page && o->n_files > 1)
        argp_error(state, "--stats=%s is a page for one file, and there are %d", o->page,
                   o->n_files);
    if (o->json && writes && (to_stdout || (o->n_files == 0 && !o->output)))
        argp_error(state, "--json would mix with the result on standard output: name it with -o");
}

/* What takes no value. */
static error_t parse_flag(int key, sz_zip_options *o) {
    switch (key) {
    case OPT_PLAIN:
        o->plain = true;
        return 0;
    case OPT_BROKEN:
        o->keep_broken = true;
        return 0;
    case 'c':
        o->output = "-";
        return 0;
    case 'f':
        o->force = true;
        return 0;
    case 'k':
        o->remove_source = false;
        return 0;
    case OPT_RM:
        o->remove_source = true;
        return 0;
    case 'd':
        o->action = SZ_ZIP_DECODE;
        return 0;
    case OPT_TEST:
        o->action = SZ_ZIP_TEST;
        return 0;
    case OPT_LIST:
        o->action = SZ_ZIP_LIST;
        return 0;
    case 'q':
        o->quiet = true;
        return 0;
    case OPT_JSON:
        o->json = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    sz_zip_options *o = state->input;
    switch (key) {
    case 'm':
        o->model = arg;
        return 0;
    case 'C':
        o->context = (uint32_t)sz_cli_int(state, "--context", arg, 64, 65536);
        return 0;
    case OPT_SEGMENTS:
        o->segments = (size_t)sz_cli_int(state, "--segments", arg, 1, 16);
        return 0;
    case 'o':
        if (!arg[0])
            argp_error(state, "-o: the name of the file is empty");
        o->output = arg;
        return 0;
    case 't':
    case 'T':
        o->threads = (int)sz_cli_int(state, "--threads", arg, 0, 64);
        o->threads = o->threads ? o->threads : sz_cpu_available();
        return 0;
    case OPT_STATS:
        o->stats = true;
        o->page = arg;
        return 0;
    case ARGP_KEY_ARGS:
        o->files = state->argv + state->next;
        o->n_files = state->argc - state->next;
        return 0;
    case ARGP_KEY_SUCCESS:
        check(o, state);
        return 0;
    default:
        return parse_flag(key, o);
    }
}

const struct argp sz_argp_zip_options = {options, parse, NULL, NULL, NULL, NULL, NULL};
