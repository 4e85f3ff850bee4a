/* cmd_list.c: `szilard model list`: the models on this machine, and those known by name. */
#include "cli.h"
#include "paths.h"
#include "store.h"
#include <stdlib.h>
#include <string.h>

enum { OPT_JSON = 256, OPT_NAMES };

typedef struct settings {
    bool json, names;
} settings;

static const struct argp_option options[] = {
    {"json", OPT_JSON, NULL, 0, "Print an array of objects", 0},
    {"names", OPT_NAMES, NULL, 0, "Print only what -m takes, one per line", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case OPT_JSON:
        s->json = true;
        return 0;
    case OPT_NAMES:
        s->names = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "'%s' is left over: list takes no argument", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp sz_argp_list = {
    options,
    parse,
    "",
    "Shows the models that were pulled and those found in the caches of llama.cpp, Hugging Face "
    "and ollama, and the known models that can be pulled by name."
    "\v"
    "EXAMPLES\n"
    "  szilard list\n"
    "  szilard list --json\n"
    "  szilard rm \"$(szilard list --names | head -1)\"\n",
    NULL,
    NULL,
    NULL};

static bool is_local(const sz_local_models *all, const sz_known_model *k) {
    for (size_t i = 0; i < all->n; i++)
        if (all->v[i].known == k)
            return true;
    return false;
}

static void print_table(const sz_local_models *all) {
    int width = 12;
    char size[16];
    for (size_t i = 0; i < all->n; i++)
        if ((int)strlen(all->v[i].name) > width)
            width = (int)strlen(all->v[i].name);
    if (all->n)
        printf("%-*s  %8s  %-12s  %s\n", width, "NAME", "SIZE", "IN", "FILE");
    for (size_t i = 0; i < all->n; i++) {
        const sz_local_model *e = all->v + i;
        sz_format_bytes(e->bytes, size);
        printf("%-*s  %8s  %-12s  %s\n", width, e->name, size, sz_place_names[e->place], e->path);
    }
    bool first = true;
    for (const sz_known_model *k = sz_known_models; k->name; k++) {
        if (is_local(all, k))
            continue;
        if (first)
            printf("%sTo be had with 'szilard pull NAME':\n", all->n ? "\n" : "");
        first = false;
        sz_format_bytes(k->bytes, size);
        printf("%-*s  %8s  %s (%s)\n", width, k->name, size, k->what, k->licence);
    }
}

static void add_member(sz_buf *b, const char *key, const char *value) {
    sz_buf_printf(b, ",\"%s\":", key);
    if (value)
        sz_json_quote(b, value, strlen(value));
    else
        sz_buf_puts(b, "null");
}

static int print_json(const sz_local_models *all) {
    sz_buf b = {0};
    const char *separator = "[";
    for (size_t i = 0; i < all->n; i++) {
        const sz_local_model *e = all->v + i;
        sz_buf_printf(&b, "%s{\"name\":", separator);
        sz_json_quote(&b, e->name, strlen(e->name));
        sz_buf_printf(&b, ",\"bytes\":%llu", (unsigned long long)e->bytes);
        add_member(&b, "in", sz_place_names[e->place]);
        add_member(&b, "path", e->path);
        add_member(&b, "known_as", e->known ? e->known->name : NULL);
        sz_buf_putc(&b, '}');
        separator = ",\n ";
    }
    for (const sz_known_model *k = sz_known_models; k->name; k++) {
        if (is_local(all, k))
            continue;
        sz_buf_printf(&b, "%s{\"name\":\"%s\",\"bytes\":%llu,\"in\":null,\"path\":null", separator,
                      k->name, (unsigned long long)k->bytes);
        add_member(&b, "known_as", k->name);
        add_member(&b, "licence", k->licence);
        sz_buf_putc(&b, '}');
        separator = ",\n ";
    }
    sz_buf_puts(&b, "]\n");
    return sz_cli_print(&b);
}

static void print_names(const sz_local_models *all) {
    for (size_t i = 0; i < all->n; i++)
        printf("%s\n", all->v[i].known ? all->v[i].known->name : all->v[i].name);
}

int sz_run_list(int argc, char **argv) {
    settings s = {0};
    sz_local_models all;
    sz_cli_parse(&sz_argp_list, argc, argv, &s);
    if (sz_store_scan(&all) != SZ_OK)
        return sz_cli_error();
    int status = SZ_EXIT_OK;
    if (s.json)
        status = print_json(&all);
    else if (s.names)
        print_names(&all);
    else
        print_table(&all);
    sz_store_free(&all);
    return status;
}
