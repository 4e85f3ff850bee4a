/* store.c: finds the model that a name means. */
#include "store.h"
#include "cli.h"
#include "paths.h"
#include <stdlib.h>
#include <string.h>

/* Whether `name` is the entry's name, its file name, or either without ".gguf". */
static bool is_called(const sz_local_model *e, const char *name) {
    const char *base = sz_path_base(e->path);
    size_t n = strlen(name);
    if (n > 5 && sz_has_suffix(name, ".gguf"))
        n -= 5;
    size_t base_n = strlen(base) - (sz_has_suffix(base, ".gguf") ? 5 : 0);
    return strcasecmp(e->name, name) == 0 ||
           (strlen(e->name) == n && strncasecmp(e->name, name, n) == 0) ||
           (base_n == n && strncasecmp(base, name, n) == 0);
}

/* "hf:user/repo:QUANT" or "hf:user/repo/file.gguf" names a file of that repository. */
static bool is_from_hub(const sz_local_model *e, const char *spec) {
    const char *colon = strrchr(spec, ':');
    size_t n = colon ? (size_t)(colon - spec) : strlen(spec);
    if (!memchr(spec, '/', n)) /* no repository */
        return false;
    if (!colon)
        return is_called(e, spec) || (strncasecmp(e->name, spec, n) == 0 && e->name[n] == '/');
    return strncasecmp(e->name, spec, n) == 0 && e->name[n] == '/' &&
           strcasestr(e->name + n, colon + 1);
}

const sz_local_model *sz_store_match(const sz_local_models *models, const char *name) {
    const sz_known_model *known = sz_known_model_find(name);
    bool hub = strncmp(name, "hf:", 3) == 0;
    for (size_t i = 0; i < models->n; i++) {
        const sz_local_model *e = models->v + i;
        if (hub ? is_from_hub(e, name + 3) : known ? e->known == known : is_called(e, name))
            return e;
    }
    return NULL;
}

static sz_status not_found(const char *name) {
    const sz_known_model *known = sz_known_model_find(name);
    char size[16];
    if (known) {
        sz_format_bytes(known->bytes, size);
        return sz_fail(SZ_E_NOTFOUND,
                       "the model %s is not on this machine: 'szilard pull %s' "
                       "gets it (%s)",
                       known->name, known->name, size);
    }
    for (const sz_known_model *k = sz_known_models; k->name; k++)
        if (sz_edit_distance(k->name, name) <= 2)
            return sz_fail(SZ_E_NOTFOUND, "there is no model or file '%s'; did you mean '%s'?",
                           name, k->name);
    if (strncmp(name, "hf:", 3) == 0)
        return sz_fail(SZ_E_NOTFOUND, "%s is not on this machine: 'szilard pull %s' gets it", name,
                       name);
    return sz_fail(SZ_E_NOTFOUND,
                   "there is no model or file '%s': 'szilard list' shows what is "
                   "here, 'szilard pull smollm2' gets a small model",
                   name);
}

sz_status sz_store_find(const char *name, char **path) {
    SZ_REQUIRE(name[0], SZ_E_ARG, "the name of the model is empty");
    if (sz_path_is_file(name, NULL)) {
        *path = strdup(name);
        SZ_REQUIRE(*path, SZ_E_NOMEM, "out of memory for a path");
        return SZ_OK;
    }
    sz_local_models all;
    SZ_TRY(sz_store_scan(&all));
    const sz_local_model *e = sz_store_match(&all, name);
    char *found = e ? strdup(e->path) : NULL;
    sz_store_free(&all);
    if (!e)
        return not_found(name);
    SZ_REQUIRE(found, SZ_E_NOMEM, "out of memory for a path");
    *path = found;
    return SZ_OK;
}
