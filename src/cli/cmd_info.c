/* cmd_info.c: `szilard model info`: what a model file holds, and what this processor offers. */
#include "info.h"
#include "paths.h"
#include "store.h"
#include <stdlib.h>
#include <string.h>

enum { OPT_TENSORS = 256, OPT_JSON, OPT_ALL, OPT_CPU };

typedef struct settings {
    const char *model;
    sz_info_options info;
    bool cpu;
} settings;

static const struct argp_option options[] = {
    {"tensors", OPT_TENSORS, NULL, 0, "List the tensors: name, type, shape [rows, columns], bytes",
     0},
    {"all", OPT_ALL, NULL, 0, "Show long arrays and texts of the metadata whole", 0},
    {"json", OPT_JSON, NULL, 0, "Print one JSON object with everything", 0},
    {"cpu", OPT_CPU, NULL, 0,
     "In place of a file, this machine: processors, instruction sets and the one that is used, "
     "caches, memory, threads",
     0},
    {"model", 'm', "MODEL", OPTION_HIDDEN, NULL, 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case OPT_TENSORS:
        s->info.tensors = true;
        return 0;
    case OPT_ALL:
        s->info.all = true;
        return 0;
    case OPT_JSON:
        s->info.json = true;
        return 0;
    case OPT_CPU:
        s->cpu = true;
        return 0;
    case 'm': /* as with other commands */
    case ARGP_KEY_ARG:
        if (s->model)
            argp_error(state, "'%s' is left over: info takes one file", arg);
        s->model = arg;
        return 0;
    case ARGP_KEY_END:
        if (!s->model && !s->cpu)
            argp_error(state, "which model? Name a file, or one that 'szilard list' shows");
        if (s->model && s->cpu)
            argp_error(state, "--cpu is about this machine, not about a model");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp sz_argp_info = {
    options,
    parse,
    "MODEL\n--cpu",
    "Shows what a GGUF or safetensors file holds, without loading its weights: architecture, size, "
    "tokenizer, chat template, metadata and tensors. MODEL is a file, a known name such as "
    "smollm2, "
    "or a name that 'szilard list' shows."
    "\v"
    "EXAMPLES\n"
    "  szilard info smollm2\n"
    "  szilard info model.gguf --tensors | sort -k2\n"
    "  szilard info smollm2 --json | jq '.metadata[\"general.license\"]'\n"
    "  SZILARD_ISA=avx2 szilard info --cpu\n",
    NULL,
    NULL,
    NULL};

/* By its first bytes: a safetensors file begins with the length of a JSON object. */
static bool is_safetensors(const char *path) {
    unsigned char head[9] = {0};
    FILE *f = fopen(path, "rbe");
    size_t n = f ? fread(head, 1, sizeof head, f) : 0;
    if (f)
        fclose(f);
    bool gguf = n >= 4 && memcmp(head, "GGUF", 4) == 0;
    return !gguf && (sz_has_suffix(path, ".safetensors") || (n == sizeof head && head[8] == '{'));
}

/* Whether what the file says of its model contradicts itself or the format. A model that this build
 * does not run, and a file of something else, are no errors here. */
static sz_status judge(const char *path) {
    sz_runtime *rt;
    sz_model *model = NULL;
    const sz_model_config config = {.vocab_only = true};
    SZ_TRY(sz_runtime_new(&(sz_runtime_config){.n_threads = 1}, &rt));
    sz_status status = sz_model_open(rt, path, &config, &model);
    sz_model_close(model);
    sz_runtime_free(rt);
    return status == SZ_E_UNSUPPORTED || status == SZ_E_NOTFOUND ? SZ_OK : status;
}

static sz_status show_model(const settings *s, sz_buf *out) {
    char *path;
    SZ_TRY(sz_store_find(s->model, &path));
    bool safetensors = is_safetensors(path);
    sz_status status =
        safetensors ? sz_info_safetensors(path, &s->info, out) : sz_info_gguf(path, &s->info, out);
    if (status == SZ_OK && !safetensors)
        status = judge(path);
    free(path);
    return status;
}

int sz_run_info(int argc, char **argv) {
    settings s = {0};
    sz_buf out = {0};
    sz_cli_parse(&sz_argp_info, argc, argv, &s);
    sz_status status = s.cpu ? sz_info_cpu(&s.info, &out) : show_model(&s, &out);
    int exit_status = status == SZ_OK ? 0 : sz_cli_error();
    if (out.len > 0) /* what a broken file holds, too */
        exit_status |= sz_cli_print(&out);
    sz_buf_free(&out);
    return exit_status;
}
