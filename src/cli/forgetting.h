/* forgetting.h: --kv-policy: what the cache keeps of a prompt, and what that costs. */
#ifndef SZ_CLI_FORGETTING_H
#define SZ_CLI_FORGETTING_H

#include "cli.h"
#include <szilard/unstable/cache.h>

/* Filled by sz_argp_forgetting, an argp child. */
typedef struct sz_forgetting {
    const char *text; /* of the policy, borrowed from argv; NULL: everything is kept */
    sz_kv_policy policy;
    bool report;
} sz_forgetting;
extern const struct argp sz_argp_forgetting; /* --kv-policy, --kv-report */

/* Sequences that a session needs for it. */
uint32_t sz_forgetting_sequences(const sz_forgetting *f);
/* Makes sequence 0 hold just these ids, computed anew, of which the policy keeps its part. */
sz_status sz_forgetting_prompt(const sz_forgetting *f, sz_session *s, const int32_t *ids, size_t n,
                               sz_kv_account *out);
/* What the policy costs on the tokens that follow the prompt in sequence 0: beside a second
 * sequence with all of the prompt. out->n 0: there are none. */
sz_status sz_forgetting_measure(sz_session *s, size_t n_prompt, sz_kv_loss *out);

/* One line, or two; the JSON member "kv". */
void sz_forgetting_put(sz_buf *b, const sz_kv_account *a, const sz_kv_loss *loss);
void sz_forgetting_json(sz_buf *b, const sz_kv_account *a, const sz_kv_loss *loss);

#endif
