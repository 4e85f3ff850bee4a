/* api_models.c: GET /v1/models, and one of them by its name. */
#include "api.h"

#include <string.h>

static void put_model(sz_buf *b, const sz_server *s) {
    sz_model_info info;
    sz_model_get_info(s->model, &info);
    sz_buf_puts(b, "{\"id\":");
    sz_json_quote(b, s->config.model_name, strlen(s->config.model_name));
    sz_buf_printf(b, ",\"object\":\"model\",\"created\":%lld,\"owned_by\":\"szilard\",\"meta\":{",
                  (long long)s->started);
    sz_buf_printf(
        b, "\"n_params\":%llu,\"size\":%llu,\"n_vocab\":%u,\"n_embd\":%u,\"n_ctx_train\":%u,",
        (unsigned long long)info.n_params, (unsigned long long)info.file_bytes, info.n_vocab,
        info.n_embd, info.n_ctx_train);
    sz_buf_printf(b, "\"n_ctx\":%u,\"architecture\":", sz_batcher_context(s->batcher));
    sz_json_quote(b, info.architecture, strlen(info.architecture));
    sz_buf_puts(b, ",\"file_type\":");
    sz_json_quote(b, info.file_type, strlen(info.file_type));
    sz_buf_puts(b, "}}");
}

void sz_api_models(sz_exchange *x) {
    sz_buf b = {0};
    sz_buf_puts(&b, "{\"object\":\"list\",\"data\":[");
    put_model(&b, x->server);
    sz_buf_puts(&b, "]}");
    sz_answer_json(x, 200, &b);
}

void sz_api_model(sz_exchange *x) {
    const char *name = x->path + strlen("/v1/models/");
    sz_buf b = {0};
    sz_status status = sz_request_check_name(x->server, name);
    if (status != SZ_OK) {
        sz_answer_status(x, status, "model");
        return;
    }
    put_model(&b, x->server);
    sz_answer_json(x, 200, &b);
}
