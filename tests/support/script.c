#include "script.h"

#include <string.h>

typedef struct script {
    const int32_t *ids;
    size_t n, next;
} script;

static script written; /* what the next sampler begins with: options hold numbers only */

static sz_status begin(void *state, const double *values, const sz_setting *words) {
    *(script *)state = written;
    return SZ_OK;
}

static sz_status apply(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    const script *s = state;
    SZ_REQUIRE(s->next < s->n, SZ_E_STATE, "the script is at its end");
    size_t at = 0;
    while (at < c->n && c->id[at] != s->ids[s->next])
        at++;
    SZ_REQUIRE(at < c->n, SZ_E_ARG, "the script's token %d is no candidate", s->ids[s->next]);
    c->id[0] = c->id[at];
    c->logit[0] = c->logit[at];
    c->n = 1;
    return SZ_OK;
}

static void accept(void *state, const sz_token *drawn) {
    ((script *)state)->next++;
}

static const sz_sampler_kind kind = {.name = "script",
                                     .help = "draw what is written",
                                     .state_bytes = sizeof(script),
                                     .begin = begin,
                                     .apply = apply,
                                     .accept = accept};

sz_status script_set(sz_session *s, uint32_t seq, const int32_t *ids, size_t n) {
    sz_chain *chain;
    written = (script){ids, n, 0};
    SZ_TRY(sz_chain_new(&chain));
    sz_status status = sz_chain_add(chain, &kind, NULL);
    if (status != SZ_OK) {
        sz_chain_free(chain);
        return status;
    }
    return sz_session_set_chain(s, seq, chain, 0);
}
