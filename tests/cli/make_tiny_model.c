/* make_tiny_model: writes a tiny random model for tests of the command.
 *
 * usage: make_tiny_model FILE [arch=NAME] [seed=N] [type=NAME] [ctx=N] [template=TEXT]
 * [no_template] [no_end] [add_bos] */
#include "support/tiny_model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *value_of(const char *argument, const char *key) {
    size_t n = strlen(key);
    return strncmp(argument, key, n) == 0 && argument[n] == '=' ? argument + n + 1 : NULL;
}

static bool read_argument(const char *argument, tiny_model *m) {
    const char *value;
    if ((value = value_of(argument, "arch")))
        m->arch = value;
    else if ((value = value_of(argument, "seed")))
        m->seed = strtoull(value, NULL, 10);
    else if ((value = value_of(argument, "ctx")))
        m->n_ctx = (uint32_t)strtoul(value, NULL, 10);
    else if ((value = value_of(argument, "template")))
        m->chat_template = value;
    else if ((value = value_of(argument, "type")) && sz_type_from_name(value) >= 0)
        m->type = (sz_type)sz_type_from_name(value);
    else if (strcmp(argument, "no_template") == 0)
        m->no_template = true;
    else if (strcmp(argument, "no_end") == 0)
        m->no_end = true;
    else if (strcmp(argument, "add_bos") == 0)
        m->add_bos = true;
    else
        return false;
    return true;
}

int main(int argc, char **argv) {
    tiny_model m = {0};
    if (argc < 2)
        return 2;
    for (int i = 2; i < argc; i++) {
        if (!read_argument(argv[i], &m)) {
            fprintf(stderr, "make_tiny_model: what is '%s'?\n", argv[i]);
            return 2;
        }
    }
    if (tiny_model_write(&m, argv[1]) == SZ_OK)
        return 0;
    fprintf(stderr, "make_tiny_model: %s\n", sz_last_error());
    return 1;
}
