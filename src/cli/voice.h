/* voice.h: who writes a text: one model in a session, or a router over two. */
#ifndef SZ_CLI_VOICE_H
#define SZ_CLI_VOICE_H

#include "engine.h"
#include <szilard/unstable/router.h>

typedef struct sz_voice { /* one of the two */
    sz_session *session;  /* its sequence 0 */
    sz_router *router;
} sz_voice;

/* router: NULL: the engine's model alone. Close in any case. */
sz_status sz_voice_open(const sz_engine *e, const char *router, const sz_session_config *config,
                        sz_voice *out);
void sz_voice_close(sz_voice *v);

/* As the functions of sessions. */
uint32_t sz_voice_context(const sz_voice *v);
uint32_t sz_voice_length(const sz_voice *v);
size_t sz_voice_kv_bytes(const sz_voice *v);
size_t sz_voice_records(const sz_voice *v, const sz_token **out);
sz_status sz_voice_set_sampler(sz_voice *v, const char *chain, uint64_t seed);
sz_status sz_voice_set_chain(sz_voice *v, sz_chain *chain, uint64_t seed);
/* Also computes what is needed to draw at once. */
sz_status sz_voice_sync(sz_voice *v, const int32_t *ids, size_t n, size_t *n_kept);
sz_status sz_voice_next(sz_voice *v, sz_token *out);
const char *sz_voice_text(sz_voice *v);

#endif
