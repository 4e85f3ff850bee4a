/* hub.c: Hugging Face repositories: which files there are, their digests, and the user's token. */
#include "fetch.h"
#include "paths.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LISTING_BYTES (16u << 20)
#define MAX_PARTS         999

static const char *endpoint(void) {
    const char *e = getenv("HF_ENDPOINT");
    return e && e[0] ? e : "https://huggingface.co";
}

static char *read_token_file(void) {
    const char *path = getenv("HF_TOKEN_PATH"), *hf_home = getenv("HF_HOME"), *h = getenv("HOME");
    char *own = path && path[0]         ? sz_text("%s", path)
                : hf_home && hf_home[0] ? sz_text("%s/token", hf_home)
                : h                     ? sz_text("%s/.cache/huggingface/token", h)
                                        : NULL;
    char line[512] = "";
    FILE *f = own ? fopen(own, "r") : NULL;
    if (f) {
        if (!fgets(line, sizeof line, f))
            line[0] = '\0';
        fclose(f);
    }
    free(own);
    line[strcspn(line, "\r\n ")] = '\0';
    return line[0] ? strdup(line) : NULL;
}

char *sz_hub_authorization(const char *url) {
    size_t n = strlen(endpoint());
    if (strncmp(url, endpoint(), n) != 0 || (url[n] != '/' && url[n] != '\0'))
        return NULL;
    const char *variable = getenv("HF_TOKEN");
    char *token = variable && variable[0] ? strdup(variable) : read_token_file();
    char *header =
        token && !strpbrk(token, "\r\n") ? sz_text("Authorization: Bearer %s", token) : NULL;
    free(token);
    return header;
}

void sz_hub_free(sz_hub_files *f) {
    for (size_t i = 0; i < f->n; i++) {
        free(f->v[i].path);
        free(f->v[i].url);
    }
    free(f->v);
    free(f->repo);
    *f = (sz_hub_files){0};
}

/* Percent-encodes what may not stand in a URL's path. */
static char *encode_path(const char *path) {
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    char *out = malloc(3 * strlen(path) + 1), *o = out;
    for (; out && *path; path++)
        o += strchr(plain, *path) ? sprintf(o, "%c", *path)
                                  : sprintf(o, "%%%02X", (unsigned char)*path);
    if (out)
        *o = '\0';
    return out;
}

static sz_status add(sz_hub_files *f, const char *path, uint64_t bytes, const char *sha256) {
    sz_hub_file *v = realloc(f->v, (f->n + 1) * sizeof *v);
    SZ_REQUIRE(v, SZ_E_NOMEM, "out of memory for the list of files");
    f->v = v;
    char *encoded = encode_path(path);
    sz_hub_file e = {.path = strdup(path), .bytes = bytes};
    if (encoded)
        e.url = sz_text("%s/%s/resolve/main/%s", endpoint(), f->repo, encoded);
    free(encoded);
    if (sha256 && strspn(sha256, "0123456789abcdef") == 64)
        snprintf(e.sha256, sizeof e.sha256, "%.64s", sha256);
    f->v[f->n++] = e;
    SZ_REQUIRE(e.path && e.url, SZ_E_NOMEM, "out of memory for the list of files");
    return SZ_OK;
}

/* "a/b-00001-of-00003.gguf" stands for all three. */
static sz_status add_parts(sz_hub_files *f, const char *path) {
    unsigned part, parts;
    size_t stem;
    const char *base = sz_path_base(path);
    if (!sz_split_name(base, &part, &parts, &stem))
        return add(f, path, 0, NULL);
    SZ_REQUIRE(parts <= MAX_PARTS, SZ_E_LIMIT, "%s has more than %d parts", path, MAX_PARTS);
    stem += (size_t)(base - path);
    for (unsigned i = 1; i <= parts; i++) {
        char *name = sz_text("%.*s-%05u-of-%05u.gguf", (int)stem, path, i, parts);
        SZ_REQUIRE(name, SZ_E_NOMEM, "out of memory for the list of files");
        sz_status status = add(f, name, 0, NULL);
        free(name);
        SZ_TRY(status);
    }
    return SZ_OK;
}

/* One file of a repository's listing. */
typedef struct entry {
    const char *path;
    uint64_t bytes;
    const char *sha256;
} entry;

static bool read_entry(const sz_json *e, entry *out) {
    const sz_json *path = e->type == SZ_JSON_OBJECT ? sz_json_get(e, "path") : NULL;
    if (!path || path->type != SZ_JSON_STRING || !sz_has_suffix(path->u.s, ".gguf"))
        return false;
    const sz_json *size = sz_json_get(e, "size"), *lfs = sz_json_get(e, "lfs");
    const sz_json *oid = lfs && lfs->type == SZ_JSON_OBJECT ? sz_json_get(lfs, "oid") : NULL;
    *out = (entry){.path = path->u.s};
    if (size && size->type == SZ_JSON_INT && size->u.i > 0)
        out->bytes = (uint64_t)size->u.i;
    if (oid && oid->type == SZ_JSON_STRING)
        out->sha256 = oid->u.s;
    return true;
}

/* Whether the file name holds the quantisation as a whole word: "-Q4_K_M." or ".q4_k_m-00001". */
static bool has_quant(const char *path, const char *quant) {
    size_t n = strlen(quant);
    for (const char *at = path; (at = strcasestr(at, quant)); at++)
        if (at > path && strchr("-._/", at[-1]) && at[n] && strchr("-./", at[n]))
            return true;
    return false;
}

static bool is_helper(const char *path) { /* projectors and calibration data, not models */
    return strcasestr(path, "mmproj") || strcasestr(path, "imatrix");
}

/* The first file of the quantisation asked for; without one Q4_K_M, else the first model. */
static bool choose(const sz_json *listing, const char *quant, entry *out) {
    static const char *const usual[] = {"Q4_K_M", "Q4_0", "Q8_0", NULL};
    const char *const asked[] = {quant, NULL};
    const char *const *wishes = quant ? asked : usual;
    entry e;
    for (; *wishes; wishes++)
        for (const sz_json *i = listing->u.child; i; i = i->next)
            if (read_entry(i, out) && !is_helper(out->path) && has_quant(out->path, *wishes))
                return true;
    for (const sz_json *i = listing->u.child; i && !quant; i = i->next)
        if (read_entry(i, &e) && !is_helper(e.path)) {
            *out = e;
            return true;
        }
    return false;
}

/* Takes the chosen file; of a split one all parts, each with its own size and digest. */
static sz_status take(const sz_json *listing, const entry *chosen, sz_hub_files *out) {
    unsigned part, parts;
    size_t stem, before = (size_t)(sz_path_base(chosen->path) - chosen->path);
    entry e;
    if (!sz_split_name(chosen->path + before, &part, &parts, &stem))
        return add(out, chosen->path, chosen->bytes, chosen->sha256);
    SZ_TRY(add_parts(out, chosen->path));
    for (const sz_json *i = listing->u.child; i; i = i->next) {
        if (!read_entry(i, &e))
            continue;
        for (size_t k = 0; k < out->n; k++)
            if (strcmp(out->v[k].path, e.path) == 0) {
                out->v[k].bytes = e.bytes;
                if (e.sha256 && strspn(e.sha256, "0123456789abcdef") == 64)
                    snprintf(out->v[k].sha256, 65, "%.64s", e.sha256);
            }
    }
    return SZ_OK;
}

static sz_status fail_with_choices(const sz_json *listing, const char *repo, const char *quant) {
    sz_buf names = {.limit = 600};
    entry e;
    for (const sz_json *i = listing->u.child; i; i = i->next)
        if (read_entry(i, &e) && !is_helper(e.path))
            sz_buf_printf(&names, " %s", e.path);
    sz_status status =
        names.len ? sz_fail(SZ_E_NOTFOUND, "%s has no %s file; it has:%s", repo, quant, names.data)
                  : sz_fail(SZ_E_NOTFOUND, "%s holds no GGUF file", repo);
    sz_buf_free(&names);
    return status;
}

static sz_status look_up(const char *quant, sz_hub_files *out) {
    sz_buf text = {0};
    sz_arena *arena = NULL;
    sz_json *listing = NULL;
    entry chosen;
    char *url = sz_text("%s/api/models/%s/tree/main?recursive=true", endpoint(), out->repo);
    SZ_REQUIRE(url, SZ_E_NOMEM, "out of memory for a URL");
    sz_status status = sz_fetch_text(url, MAX_LISTING_BYTES, &text);
    if (status == SZ_OK)
        status = sz_arena_new(1 << 16, &arena);
    if (status == SZ_OK)
        status = sz_json_parse(text.data ? text.data : "", text.len, arena, &listing);
    if (status == SZ_OK && listing->type != SZ_JSON_ARRAY)
        status = sz_fail(SZ_E_FORMAT, "%s does not answer with a list of files", url);
    if (status == SZ_OK)
        status = choose(listing, quant, &chosen)
                     ? take(listing, &chosen, out)
                     : fail_with_choices(listing, out->repo, quant ? quant : "");
    sz_arena_free(arena);
    sz_buf_free(&text);
    free(url);
    return status;
}

static bool is_clean(const char *s) { /* becomes part of paths here */
    return s[0] != '/' && !strstr(s, "..") && !strpbrk(s, "\\\n?#");
}

sz_status sz_hub_resolve(const char *spec, sz_hub_files *out) {
    *out = (sz_hub_files){0};
    const char *slash = strchr(spec, '/');
    SZ_REQUIRE(slash && slash > spec && slash[1] && is_clean(spec), SZ_E_ARG,
               "hf:%s is not of the form hf:user/repo:QUANT or hf:user/repo/file.gguf", spec);
    size_t repo_n = (size_t)(slash - spec) + 1 + strcspn(slash + 1, "/:");
    out->repo = sz_text("%.*s", (int)repo_n, spec);
    SZ_REQUIRE(out->repo, SZ_E_NOMEM, "out of memory for a name");
    const char *rest = spec + repo_n;
    sz_status status = rest[0] == '/' ? add_parts(out, rest + 1)
                                      : look_up(rest[0] == ':' && rest[1] ? rest + 1 : NULL, out);
    if (status == SZ_OK)
        for (size_t i = 0; i < out->n; i++)
            if (!is_clean(out->v[i].path))
                status = sz_fail(SZ_E_FORMAT, "%s names a file '%s'", out->repo, out->v[i].path);
    if (status != SZ_OK)
        sz_hub_free(out);
    return status;
}
