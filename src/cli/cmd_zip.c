/* cmd_zip.c: `szilard zip`: compresses files. */
#include "zip_file.h"

static error_t parse(int key, char *arg, struct argp_state *state) {
    if (key != ARGP_KEY_INIT)
        return ARGP_ERR_UNKNOWN;
    state->child_inputs[0] = state->input;
    return 0;
}

static const struct argp_child children[] = {{&sz_argp_zip_options, 0, NULL, 0}, {0}};
const struct argp sz_argp_zip = {
    NULL,
    parse,
    "[FILE...]",
    "Compresses each FILE to FILE.slz and keeps the source; without a FILE, standard input to "
    "standard output. The result is the same for every number of threads and on every machine, and "
    "appears under its name only when it is whole."
    "\v"
    "EXAMPLES\n"
    "  szilard zip essay.txt                     essay.txt.slz\n"
    "  tar c src | szilard zip -o src.tar.slz\n"
    "  szilard zip --rm -T 4 logs/*.log\n"
    "  szilard zip --list *.slz\n"
    "  szilard zip --test essay.txt.slz\n",
    children,
    NULL,
    NULL};

int sz_run_zip(int argc, char **argv) {
    sz_zip_options o = {.action = SZ_ZIP_CODE};
    sz_cli_parse(&sz_argp_zip, argc, argv, &o);
    return sz_zip_files(&o);
}
