/* cmd_unzip.c: `szilard unzip`: gives back what `szilard zip` compressed. */
#include "zip_file.h"

static error_t parse(int key, char *arg, struct argp_state *state) {
    if (key != ARGP_KEY_INIT)
        return ARGP_ERR_UNKNOWN;
    state->child_inputs[0] = state->input;
    return 0;
}

static const struct argp_child children[] = {{&sz_argp_zip_options, 0, NULL, 0}, {0}};
const struct argp sz_argp_unzip = {
    NULL,
    parse,
    "[FILE.slz...]",
    "Decompresses each FILE.slz to FILE and keeps the source; without a FILE, standard input to "
    "standard output. A damaged file is an error, and nothing appears under the result's name."
    "\v"
    "EXAMPLES\n"
    "  szilard unzip essay.txt.slz\n"
    "  szilard unzip -c src.tar.slz | tar x\n"
    "  szilard unzip -f -o copy.txt essay.txt.slz\n",
    children,
    NULL,
    NULL};

int sz_run_unzip(int argc, char **argv) {
    sz_zip_options o = {.action = SZ_ZIP_DECODE};
    sz_cli_parse(&sz_argp_unzip, argc, argv, &o);
    return sz_zip_files(&o);
}
