/* cmd_rm.c: `szilard model rm`: removes pulled models and what broken-off pulls left. */
#include "cli.h"
#include "paths.h"
#include "store.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct settings {
    char **names;
    int n;
} settings;

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case ARGP_KEY_ARGS:
        s->names = state->argv + state->next;
        s->n = state->argc - state->next;
        return 0;
    case ARGP_KEY_END:
        if (s->n == 0)
            argp_error(state, "which model? 'szilard list' shows them");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {{0}};

const struct argp sz_argp_rm = {
    options,
    parse,
    "NAME...",
    "Removes models from the models folder, with all parts of a split one and with what a "
    "broken-off pull left. Files in the caches of other programs are never touched."
    "\v"
    "EXAMPLES\n"
    "  szilard rm smollm2\n"
    "  szilard rm user/repo/model-q8_0\n",
    NULL,
    NULL,
    NULL};

static sz_status remove_file(const char *path) {
    SZ_REQUIRE(unlink(path) == 0, SZ_E_IO, "cannot remove %s: %s", path, strerror(errno));
    return SZ_OK;
}

static sz_status remove_parts(const char *first) {
    unsigned part, parts;
    size_t stem;
    const char *base = sz_path_base(first);
    if (!sz_split_name(base, &part, &parts, &stem))
        return remove_file(first);
    stem += (size_t)(base - first);
    for (unsigned i = 1; i <= parts; i++) {
        char *path = sz_text("%.*s-%05u-of-%05u.gguf", (int)stem, first, i, parts);
        SZ_REQUIRE(path, SZ_E_NOMEM, "out of memory for a path");
        sz_status status = remove_file(path);
        free(path);
        SZ_TRY(status);
    }
    return SZ_OK;
}

/* Folders that have become empty, up to the models folder. */
static void remove_empty_folders(const char *path) {
    char *models, *folder = strdup(path);
    if (folder && sz_path_models(&models) == SZ_OK) {
        for (char *slash; (slash = strrchr(folder, '/')) && slash > folder;) {
            *slash = '\0';
            if (strcmp(folder, models) == 0 || rmdir(folder) != 0)
                break;
        }
        free(models);
    }
    free(folder);
}

/* NAME.part and its note, of a known model or a file name; true if there were any. */
static bool remove_leftovers(const char *name) {
    const sz_known_model *known = sz_known_model_find(name);
    char *models;
    bool any = false;
    if (strstr(name, "..") || sz_path_models(&models) != SZ_OK)
        return false;
    const char *file = known ? known->file : name;
    const char *suffix = sz_has_suffix(file, ".gguf") ? "" : ".gguf";
    static const char *const ends[] = {".part", ".part.from"};
    for (int i = 0; i < 2; i++) {
        char *path = sz_text("%s/%s%s%s", models, file, suffix, ends[i]);
        any = (path && unlink(path) == 0) || any;
        free(path);
    }
    free(models);
    return any;
}

static sz_status remove_model(const sz_local_models *all, const char *name) {
    sz_local_models own = {all->v, 0};
    while (own.n < all->n && all->v[own.n].place == SZ_PLACE_OWN) /* ours come first */
        own.n++;
    bool leftovers = remove_leftovers(name);
    const sz_local_model *e = sz_store_match(&own, name);
    if (!e) {
        const sz_local_model *other = sz_store_match(all, name);
        SZ_REQUIRE(!other, SZ_E_ARG, "%s belongs to %s: %s; remove it there", name,
                   sz_place_names[other->place], other->path);
        return leftovers ? SZ_OK
                         : sz_fail(SZ_E_NOTFOUND,
                                   "no pulled model is called '%s'; 'szilard list' "
                                   "shows them",
                                   name);
    }
    SZ_TRY(remove_parts(e->path));
    remove_empty_folders(e->path);
    return SZ_OK;
}

int sz_run_rm(int argc, char **argv) {
    settings s = {0};
    int status = SZ_EXIT_OK;
    sz_cli_parse(&sz_argp_rm, argc, argv, &s);
    for (int i = 0; i < s.n; i++) {
        sz_local_models all;
        if (sz_store_scan(&all) != SZ_OK)
            return sz_cli_error();
        if (remove_model(&all, s.names[i]) == SZ_OK)
            sz_cli_note("removed %s", s.names[i]);
        else
            status = sz_cli_error();
        sz_store_free(&all);
    }
    return status;
}
