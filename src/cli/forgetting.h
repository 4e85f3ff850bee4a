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
/* What it did to one answer. */
typedef struct sz_forgotten {
    uint32_t beginning;        /* with a report: a fork of sequence 0, as it was after the prompt */
    sz_kv_account prompt, end; /* after the prompt, and after the answer */
    sz_kv_loss loss;           /* n 0: not measured */
} sz_forgotten;

/* Makes sequence 0 hold just these ids, computed anew, of which the policy keeps its part. */
sz_status sz_forgetting_prompt(const sz_forgetting *f, sz_session *s, const int32_t *ids, size_t n,
                               sz_forgotten *out);
/* Completes it behind an answer; with a report, that is what the policy costs on the tokens that
 * follow the prompt in sequence 0: from the fork on, beside a sequence with all of the prompt. */
sz_status sz_forgetting_end(const sz_forgetting *f, sz_session *s, size_t n_prompt,
                            sz_forgotten *out);

/* Some lines; the JSON member "kv". */
void sz_forgetting_put(sz_buf *b, const sz_forgotten *f);
void sz_forgetting_json(sz_buf *b, const sz_forgotten *f);

#endif
