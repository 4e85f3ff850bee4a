/* voice.c: a session or a router, whichever writes. */
#include "voice.h"

sz_status sz_voice_open(const sz_engine *e, const char *router, const sz_session_config *config,
                        sz_voice *out) {
    *out = (sz_voice){0};
    return router ? sz_router_new(router, e->small, e->model, config, &out->router)
                  : sz_session_new(e->model, config, &out->session);
}

void sz_voice_close(sz_voice *v) {
    sz_session_free(v->session);
    sz_router_free(v->router);
    *v = (sz_voice){0};
}

uint32_t sz_voice_context(const sz_voice *v) {
    return v->router ? sz_router_context(v->router) : sz_session_context(v->session);
}

uint32_t sz_voice_length(const sz_voice *v) {
    return v->router ? sz_router_length(v->router) : sz_session_length(v->session, 0);
}

size_t sz_voice_kv_bytes(const sz_voice *v) {
    size_t bytes = v->session ? sz_session_kv_bytes(v->session) : 0;
    for (int role = 0; v->router && role < 2; role++) {
        const sz_session *s = sz_router_session(v->router, (sz_router_role)role);
        bytes += s ? sz_session_kv_bytes(s) : 0;
    }
    return bytes;
}

size_t sz_voice_records(const sz_voice *v, const sz_token **out) {
    size_t n = 0;
    if (v->router)
        sz_router_records(v->router, out, &n);
    else
        sz_session_records(v->session, 0, out, &n);
    return n;
}

sz_status sz_voice_set_sampler(sz_voice *v, const char *chain, uint64_t seed) {
    return v->router ? sz_router_set_sampler(v->router, chain, seed)
                     : sz_session_set_sampler(v->session, 0, chain, seed);
}

sz_status sz_voice_set_chain(sz_voice *v, sz_chain *chain, uint64_t seed) {
    return v->router ? sz_router_set_chain(v->router, chain, seed)
                     : sz_session_set_chain(v->session, 0, chain, seed);
}

sz_status sz_voice_sync(sz_voice *v, const int32_t *ids, size_t n, size_t *n_kept) {
    if (!v->router)
        return sz_session_sync(v->session, 0, ids, n, n_kept);
    SZ_TRY(sz_router_sync(v->router, ids, n, n_kept));
    return n ? sz_router_prepare(v->router) : SZ_OK;
}

sz_status sz_voice_next(sz_voice *v, sz_token *out) {
    return v->router ? sz_router_next(v->router, out) : sz_session_next(v->session, 0, out);
}

const char *sz_voice_text(sz_voice *v) {
    return v->router ? sz_router_text(v->router) : sz_session_text(v->session, 0);
}
