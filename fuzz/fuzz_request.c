/* fuzz_request.c: any bytes as the body of a request: the first says which endpoint. Every request
 * is answered, none by an error of the server's own. The engine has ended, so that what is
 * well-formed is told that the server is busy. */
#include <serve/exchange.h>
#include <stdlib.h>
#include <string.h>
#include <support/tiny_model.h>
#include <unistd.h>

static sz_runtime *rt;
static sz_server server;
static const sz_route *routes[64];
static size_t n_routes;

static void need(bool what) {
    if (!what)
        abort();
}

static void begin(void) {
    const sz_runtime_config config = {.n_threads = 1};
    const tiny_model tiny = {.n_ctx = 128};
    const sz_batcher_config batcher = {.n_slots = 2, .kv_bytes = 1 << 20};
    char path[TINY_MODEL_PATH];
    need(tiny_model_make(&tiny, path) == SZ_OK);
    need(sz_runtime_new(&config, &rt) == SZ_OK);
    need(sz_model_open(rt, path, NULL, &server.model) == SZ_OK);
    unlink(path);
    need(sz_batcher_start(server.model, &batcher, &server.batcher) == SZ_OK);
    sz_batcher_stop(server.batcher);
    server.config = (sz_server_config){.model_name = "tiny",
                                       .model_path = "tiny.gguf",
                                       .max_tokens = 64,
                                       .request_seconds = 1,
                                       .body_bytes = 1 << 20};
    for (const sz_route *r = sz_routes; r->path; r++)
        if (strcmp(r->method, "POST") == 0 && n_routes < 64)
            routes[n_routes++] = r;
}

/* What is answered as JSON is JSON. */
static void check(const sz_reply *r) {
    sz_arena *arena;
    sz_json *v;
    need(r->status != 0 && r->status != 500 && !r->streamed);
    need(sz_arena_new(4096, &arena) == SZ_OK);
    need(sz_json_parse(r->out.data, r->out.len, arena, &v) == SZ_OK);
    sz_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!rt)
        begin();
    if (size == 0)
        return 0;
    sz_exchange x = {.server = &server, .route = routes[data[0] % n_routes]};
    x.path = x.route->path;
    x.reply = sz_reply_new(NULL);
    sz_buf_append(&x.body, data + 1, size - 1);
    need(x.reply && !x.body.failed);
    x.route->answer(&x);
    need(!x.job);
    check(x.reply);
    sz_reply_release(x.reply);
    sz_buf_free(&x.body);
    return 0;
}
