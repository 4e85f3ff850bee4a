/* json_get: values of JSON on standard input, for tests of the command.
 *
 * usage: json_get PATH[,PATH...] [whole]: prints for each line (or for the whole input as one text)
 * the values at the paths, such as "account.tokens" or "0.threads", with blanks between; strings as
 * they are, "-" where there is none. Exits with 1 if a text is not JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/base.h>

static const sz_json *child_at(const sz_json *v, const char *step) {
    if (v->type == SZ_JSON_OBJECT)
        return sz_json_get(v, step);
    if (v->type != SZ_JSON_ARRAY)
        return NULL;
    const sz_json *child = v->u.child;
    for (long i = strtol(step, NULL, 10); i > 0 && child; i--)
        child = child->next;
    return child;
}

static void print_value(const sz_json *v) {
    if (!v)
        printf("-");
    else if (v->type == SZ_JSON_STRING)
        printf("%.*s", (int)v->n, v->u.s);
    else if (v->type == SZ_JSON_INT)
        printf("%lld", (long long)v->u.i);
    else if (v->type == SZ_JSON_FLOAT)
        printf("%.9g", v->u.f);
    else if (v->type == SZ_JSON_ARRAY || v->type == SZ_JSON_OBJECT)
        printf("%u", v->n);
    else
        printf("%s", v->type == SZ_JSON_NULL ? "null" : v->type == SZ_JSON_TRUE ? "true" : "false");
}

/* The value at one path, which is taken apart; an empty path is v itself. */
static const sz_json *value_at(const sz_json *v, char *path) {
    char *rest = NULL;
    for (char *step = strtok_r(path, ".", &rest); step && v; step = strtok_r(NULL, ".", &rest))
        v = child_at(v, step);
    return v;
}

static bool get(const char *text, size_t n, const char *paths) {
    sz_arena *arena;
    sz_json *v;
    if (sz_arena_new(1 << 16, &arena) != SZ_OK)
        return false;
    bool ok = sz_json_parse(text, n, arena, &v) == SZ_OK;
    char all[1024], *rest = all;
    snprintf(all, sizeof all, "%s", paths);
    for (char *path; ok && (path = strsep(&rest, ","));) {
        print_value(value_at(v, path));
        putchar(rest ? ' ' : '\n');
    }
    if (!ok)
        fprintf(stderr, "json_get: %s: %.*s\n", sz_last_error(), (int)(n < 200 ? n : 200), text);
    sz_arena_free(arena);
    return ok;
}

int main(int argc, char **argv) {
    sz_buf all = {0};
    bool whole = argc == 3 && strcmp(argv[2], "whole") == 0, ok = true;
    if (argc < 2 || sz_file_read("-", SIZE_MAX, &all) != SZ_OK)
        return 2;
    if (whole)
        ok = get(all.data ? all.data : "", all.len, argv[1]);
    for (size_t at = 0; !whole && at < all.len;) {
        const char *end = memchr(all.data + at, '\n', all.len - at);
        size_t n = end ? (size_t)(end - all.data) - at : all.len - at;
        ok &= get(all.data + at, n, argv[1]);
        at += n + 1;
    }
    sz_buf_free(&all);
    return !ok;
}
