/* api_page.c: GET / and /page/NAME: the page for people. Nothing but the files that the build put
 * in can be asked for. */
#include "api.h"
#include "page.h"

#include <string.h>

static const char *type_of(const char *name) {
    static const char *const types[][2] = {{".html", "text/html; charset=utf-8"},
                                           {".css", "text/css; charset=utf-8"},
                                           {".js", "text/javascript; charset=utf-8"},
                                           {".svg", "image/svg+xml"}};
    const char *end = strrchr(name, '.');
    for (size_t i = 0; end && i < sizeof types / sizeof *types; i++)
        if (strcmp(end, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

static void answer_file(sz_exchange *x, const char *name) {
    for (const sz_page_file *f = sz_page_files; f->name; f++) {
        if (strcmp(f->name, name) != 0)
            continue;
        sz_buf b = {0};
        sz_buf_append(&b, f->bytes, f->n);
        sz_reply_whole(x->reply, 200, type_of(name), &b);
        return;
    }
    sz_answer_error(x, 404, sz_error_kind(404), NULL, NULL, "the page has no such file");
}

void sz_api_page(sz_exchange *x) {
    answer_file(x, "index.html");
}

void sz_api_page_file(sz_exchange *x) {
    answer_file(x, x->path + strlen("/page/"));
}
