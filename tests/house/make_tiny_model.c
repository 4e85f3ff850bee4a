/* make_tiny_model.c: writes the default tiny random model, for tests that are scripts. */
#include <stdio.h>

#include "support/tiny_model.h"

int main(int argc, char **argv) {
    if (argc != 2)
        return fprintf(stderr, "usage: make_tiny_model FILE.gguf\n"), 2;
    if (tiny_model_write(&(tiny_model){0}, argv[1]) != SZ_OK)
        return fprintf(stderr, "%s\n", sz_last_error()), 1;
    return 0;
}
