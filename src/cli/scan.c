/* scan.c: walks the folders where GGUF files are kept: ours, llama.cpp, Hugging Face, ollama. */
#include "paths.h"
#include "store.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const sz_place_names[] = {"szilard", "llama.cpp", "Hugging Face", "ollama"};

static void add(sz_local_models *m, sz_local_model e) {
    sz_local_model *v = NULL;
    if (e.name && e.path)
        v = realloc(m->v, (m->n + 1) * sizeof *v);
    if (!v) {
        free(e.name);
        free(e.path);
        return;
    }
    m->v = v;
    m->v[m->n++] = e;
}

/* Bytes of the parts of a split model, 0 if one is missing. */
static uint64_t split_bytes(const char *first, size_t stem_n, unsigned parts) {
    uint64_t sum = 0;
    size_t before = strlen(first) - strlen(sz_path_base(first));
    for (unsigned i = 1; i <= parts; i++) {
        uint64_t bytes;
        char *path = sz_text("%.*s-%05u-of-%05u.gguf", (int)(before + stem_n), first, i, parts);
        bool there = path && sz_path_is_file(path, &bytes);
        free(path);
        if (!there)
            return 0;
        sum += bytes;
    }
    return sum;
}

/* Whether the file at `path` is `k`: the blobs of Hugging Face and ollama are named by their
 * SHA-256; elsewhere the size and a name decide. */
static bool is_known(const sz_known_model *k, const char *path, uint64_t bytes) {
    if (bytes != k->bytes)
        return false;
    const char *base = sz_path_base(path);
    char *real = realpath(path, NULL);
    bool same = real && sz_has_suffix(real, k->sha256);
    free(real);
    for (int i = 0; !same && k->sources[i]; i++)
        same = sz_has_suffix(base, sz_path_base(k->sources[i]));
    return same || sz_has_suffix(base, k->file);
}

static const sz_known_model *recognise(const char *path, uint64_t bytes) {
    for (const sz_known_model *k = sz_known_models; k->name; k++)
        if (is_known(k, path, bytes))
            return k;
    return NULL;
}

/* Adds the file unless it is no GGUF, or a later part of a split model. */
static void add_file(sz_local_models *m, sz_place place, const char *prefix, const char *path) {
    const char *base = sz_path_base(path);
    uint64_t bytes;
    unsigned part = 1, parts = 1;
    size_t stem = 0;
    if (!sz_has_suffix(base, ".gguf") || base[0] == '.' || !sz_path_is_file(path, &bytes))
        return;
    size_t n = strlen(base) - strlen(".gguf");
    if (sz_split_name(base, &part, &parts, &stem)) {
        bytes = part == 1 ? split_bytes(path, stem, parts) : 0;
        n = stem;
        if (bytes == 0)
            return;
    }
    const sz_known_model *known = recognise(path, bytes);
    char *name = known && place == SZ_PLACE_OWN ? strdup(known->name)
                                                : sz_text("%s%.*s", prefix, (int)n, base);
    add(m, (sz_local_model){name, strdup(path), bytes, place, known});
}

/* Files below `folder`, at most `depth` folders deep; each folder's name goes before the file's. */
static void scan_tree(sz_local_models *m, sz_place place, const char *folder, const char *prefix,
                      int depth) {
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    for (struct dirent *e; (e = readdir(dir));) {
        struct stat info;
        char *path = sz_text("%s/%s", folder, e->d_name);
        if (path && e->d_name[0] != '.' && stat(path, &info) == 0) {
            char *below = sz_text("%s%s/", prefix, e->d_name);
            if (S_ISDIR(info.st_mode) && depth > 0 && below)
                scan_tree(m, place, path, below, depth - 1);
            else
                add_file(m, place, prefix, path);
            free(below);
        }
        free(path);
    }
    closedir(dir);
}

/* hub/models--USER--REPO/snapshots/REVISION/...: named USER/REPO/FILE. */
static void scan_hugging_face(sz_local_models *m, const char *hub) {
    DIR *dir = opendir(hub);
    if (!dir)
        return;
    for (struct dirent *e; (e = readdir(dir));) {
        if (strncmp(e->d_name, "models--", 8) != 0)
            continue;
        char *snapshots = sz_text("%s/%s/snapshots", hub, e->d_name);
        char *prefix = sz_text("%s/", e->d_name + 8);
        char *dashes = prefix ? strstr(prefix, "--") : NULL;
        if (dashes) {
            *dashes = '/';
            memmove(dashes + 1, dashes + 2, strlen(dashes + 2) + 1);
        }
        DIR *revisions = snapshots && prefix ? opendir(snapshots) : NULL;
        for (struct dirent *r; revisions && (r = readdir(revisions));) {
            char *folder = r->d_name[0] != '.' ? sz_text("%s/%s", snapshots, r->d_name) : NULL;
            if (folder)
                scan_tree(m, SZ_PLACE_HUGGING_FACE, folder, prefix, 2);
            free(folder);
        }
        if (revisions)
            closedir(revisions);
        free(snapshots);
        free(prefix);
    }
    closedir(dir);
}

#define MAX_MANIFEST_BYTES (1 << 20)

/* The blob that holds the weights, from the manifest's layer of the media type for models. */
static void add_manifest(sz_local_models *m, const char *root, const char *file, const char *name) {
    sz_buf text = {0};
    sz_arena *arena = NULL;
    sz_json *json = NULL;
    if (sz_file_read(file, MAX_MANIFEST_BYTES, &text) == SZ_OK &&
        sz_arena_new(1 << 14, &arena) == SZ_OK &&
        sz_json_parse(text.data, text.len, arena, &json) == SZ_OK) {
        const sz_json *layers = sz_json_get(json, "layers");
        const sz_json *layer = layers && layers->type == SZ_JSON_ARRAY ? layers->u.child : NULL;
        for (; layer; layer = layer->next) {
            const sz_json *type =
                layer->type == SZ_JSON_OBJECT ? sz_json_get(layer, "mediaType") : NULL;
            const sz_json *digest = type ? sz_json_get(layer, "digest") : NULL;
            if (!digest || type->type != SZ_JSON_STRING || digest->type != SZ_JSON_STRING ||
                strcmp(type->u.s, "application/vnd.ollama.image.model") != 0 ||
                strncmp(digest->u.s, "sha256:", 7) != 0 || strchr(digest->u.s, '/'))
                continue;
            uint64_t bytes;
            char *blob = sz_text("%s/blobs/sha256-%s", root, digest->u.s + 7);
            if (blob && sz_path_is_file(blob, &bytes))
                add(m, (sz_local_model){strdup(name), strdup(blob), bytes, SZ_PLACE_OLLAMA,
                                        recognise(blob, bytes)});
            free(blob);
        }
    }
    sz_arena_free(arena);
    sz_buf_free(&text);
}

/* manifests/HOST/NAMESPACE/NAME/TAG: named NAME:TAG for the standard library. */
static void scan_manifests(sz_local_models *m, const char *root, const char *folder, int depth) {
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    for (struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.')
            continue;
        char *path = sz_text("%s/%s", folder, e->d_name);
        if (path && depth > 0) {
            scan_manifests(m, root, path, depth - 1);
        } else if (path) {
            char *name = sz_text("%s:%s", sz_path_base(folder), e->d_name);
            if (name)
                add_manifest(m, root, path, name);
            free(name);
        }
        free(path);
    }
    closedir(dir);
}

static int by_place_and_name(const void *a, const void *b) {
    const sz_local_model *x = a, *y = b;
    return x->place != y->place ? (int)x->place - (int)y->place : strcasecmp(x->name, y->name);
}

sz_status sz_store_scan(sz_local_models *out) {
    *out = (sz_local_models){0};
    char *own;
    SZ_TRY(sz_path_models(&own));
    scan_tree(out, SZ_PLACE_OWN, own, "", 2);
    free(own);
    char *llama = sz_path_llama_cpp(), *hub = sz_path_hugging_face(), *ollama = sz_path_ollama();
    char *manifests = ollama ? sz_text("%s/manifests", ollama) : NULL;
    if (llama)
        scan_tree(out, SZ_PLACE_LLAMA_CPP, llama, "", 0);
    if (hub)
        scan_hugging_face(out, hub);
    if (manifests)
        scan_manifests(out, ollama, manifests, 3);
    free(llama);
    free(hub);
    free(ollama);
    free(manifests);
    if (out->n)
        qsort(out->v, out->n, sizeof *out->v, by_place_and_name);
    return SZ_OK;
}

void sz_store_free(sz_local_models *m) {
    for (size_t i = 0; i < m->n; i++) {
        free(m->v[i].name);
        free(m->v[i].path);
    }
    free(m->v);
    *m = (sz_local_models){0};
}
