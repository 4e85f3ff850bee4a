/* paths.c: names of folders from the environment, and small questions about paths. */
#include "paths.h"
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *sz_text(const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *s = NULL;
    int n = vasprintf(&s, format, args);
    va_end(args);
    return n < 0 ? NULL : s;
}

static const char *environment(const char *name) {
    const char *v = getenv(name);
    return v && v[0] ? v : NULL;
}

static const char *home(void) {
    const char *h = environment("HOME");
    if (h)
        return h;
    struct passwd *user = getpwuid(getuid());
    return user ? user->pw_dir : NULL;
}

/* $variable/rest, else ~/fallback/rest; NULL if there is no home either. */
static char *under(const char *variable, const char *fallback, const char *rest) {
    const char *base = environment(variable);
    if (base)
        return sz_text("%s/%s", base, rest);
    return home() ? sz_text("%s/%s/%s", home(), fallback, rest) : NULL;
}

sz_status sz_path_models(char **out) {
    const char *own = environment("SZ_MODEL_DIR");
    char *path = own ? sz_text("%s", own) : under("XDG_CACHE_HOME", ".cache", "szilard/models");
    SZ_REQUIRE(path, SZ_E_NOTFOUND,
               "cannot name the models folder: set SZ_MODEL_DIR, XDG_CACHE_HOME or HOME");
    *out = path;
    return SZ_OK;
}

char *sz_path_llama_cpp(void) {
    const char *own = environment("LLAMA_CACHE");
    return own ? sz_text("%s", own) : under("XDG_CACHE_HOME", ".cache", "llama.cpp");
}

char *sz_path_hugging_face(void) {
    const char *own = environment("HF_HUB_CACHE");
    if (own)
        return sz_text("%s", own);
    if (environment("HF_HOME"))
        return sz_text("%s/hub", environment("HF_HOME"));
    return under("XDG_CACHE_HOME", ".cache", "huggingface/hub");
}

char *sz_path_ollama(void) {
    const char *own = environment("OLLAMA_MODELS");
    if (own)
        return sz_text("%s", own);
    return home() ? sz_text("%s/.ollama/models", home()) : NULL;
}

sz_status sz_path_state(const char *name, char **out) {
    char *folder = under("XDG_STATE_HOME", ".local/state", "szilard");
    SZ_REQUIRE(folder, SZ_E_NOTFOUND, "cannot name the state folder: set XDG_STATE_HOME or HOME");
    char *path = sz_text("%s/%s", folder, name);
    free(folder);
    SZ_REQUIRE(path, SZ_E_NOMEM, "out of memory for a path");
    sz_status status = sz_path_make_parents(path);
    if (status == SZ_OK)
        *out = path;
    else
        free(path);
    return status;
}

sz_status sz_path_make_parents(const char *path) {
    char *copy = strdup(path);
    SZ_REQUIRE(copy, SZ_E_NOMEM, "out of memory for a path");
    sz_status status = SZ_OK;
    for (char *slash = strchr(copy + 1, '/'); slash && status == SZ_OK;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            status = sz_fail(SZ_E_IO, "cannot make the folder %s: %s", copy, strerror(errno));
        *slash = '/';
    }
    free(copy);
    return status;
}

bool sz_path_is_file(const char *path, uint64_t *bytes) {
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return false;
    if (bytes)
        *bytes = (uint64_t)info.st_size;
    return true;
}

const char *sz_path_base(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool sz_has_suffix(const char *s, const char *suffix) {
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && strcasecmp(s + n - m, suffix) == 0;
}

static bool five_digits(const char *s, unsigned *v) {
    *v = 0;
    for (int i = 0; i < 5; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        *v = *v * 10 + (unsigned)(s[i] - '0');
    }
    return true;
}

bool sz_split_name(const char *file, unsigned *part, unsigned *parts, size_t *stem_n) {
    static const size_t tail = sizeof "-00001-of-00001.gguf" - 1;
    size_t n = strlen(file);
    if (n <= tail || !sz_has_suffix(file, ".gguf"))
        return false;
    const char *t = file + n - tail;
    if (t[0] != '-' || !five_digits(t + 1, part) || strncmp(t + 6, "-of-", 4) != 0 ||
        !five_digits(t + 10, parts))
        return false;
    *stem_n = n - tail;
    return *part >= 1 && *part <= *parts;
}
