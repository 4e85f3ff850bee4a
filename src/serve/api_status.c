/* api_status.c: /health and /ready. */
#include "api.h"

void sz_api_health(sz_exchange *x) {
    sz_buf b = {0};
    sz_buf_puts(&b, "{\"status\":\"ok\"}");
    sz_answer_json(x, 200, &b);
}

void sz_api_ready(sz_exchange *x) {
    static const char *const names[] = {"loading", "ready", "draining"};
    sz_server_state state = sz_server_get_state(x->server);
    sz_buf b = {0};
    sz_buf_printf(&b, "{\"status\":\"%s\"}", names[state]);
    x->reply->retry_after = state == SZ_READY ? 0 : 1;
    sz_answer_json(x, state == SZ_READY ? 200 : 503, &b);
}
