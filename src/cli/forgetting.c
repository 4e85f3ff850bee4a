/* forgetting.c: --kv-policy and --kv-report, and the help text made from the policies' own tables.
 */
#include "forgetting.h"
#include "sampling.h"
#include <string.h>

enum { OPT_POLICY = 900, OPT_REPORT };

static const struct argp_option options[] = {
    {"kv-policy", OPT_POLICY, "POLICY", 0,
     "What the cache keeps of a prompt, such as \"uncomp budget=384\"; below, the policies with "
     "the "
     "default values of their options",
     4},
    {"kv-report", OPT_REPORT, NULL, 0,
     "Measure what the policy costs: the divergence from the full cache over the answer's tokens, "
     "for which the prompt is computed once more",
     4},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    sz_forgetting *f = state->input;
    switch (key) {
    case OPT_POLICY:
        sz_kv_policy_free(&f->policy);
        if (sz_kv_policy_parse(arg, &f->policy) != SZ_OK)
            argp_error(state, "--kv-policy: %s", sz_last_error());
        f->text = arg;
        return 0;
    case OPT_REPORT:
        f->report = true;
        return 0;
    case ARGP_KEY_SUCCESS:
        if (f->report && !f->text)
            argp_error(state, "--kv-report measures a --kv-policy: none is given");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static char *describe_policies(void) {
    sz_buf b = {0};
    sz_buf_puts(&b, "Policies of --kv-policy, with the default values of their options:\n");
    for (const sz_kv_policy_kind *const *k = sz_kv_policy_kinds(); *k; k++) {
        sz_buf_printf(&b, "  %-12s %s\n              ", (*k)->name, (*k)->help);
        sz_options_put(&b, (*k)->options);
        sz_buf_putc(&b, '\n');
    }
    char *text = b.failed ? NULL : strdup(b.data);
    sz_buf_free(&b);
    return text;
}

static char *help(int key, const char *text, void *input) {
    return key == ARGP_KEY_HELP_EXTRA ? describe_policies() : (char *)text;
}

const struct argp sz_argp_forgetting = {options, parse, NULL, NULL, NULL, help, NULL};

uint32_t sz_forgetting_sequences(const sz_forgetting *f) {
    return f->report ? 3 : 1;
}

sz_status sz_forgetting_prompt(const sz_forgetting *f, sz_session *s, const int32_t *ids, size_t n,
                               sz_kv_account *out) {
    SZ_TRY(sz_session_truncate(s, 0, 0));
    return sz_session_prompt_kept(s, 0, ids, n, &f->policy, out);
}

/* full and kept: empty, and a fork of sequence 0. */
static sz_status measure(sz_session *s, uint32_t full, uint32_t kept, size_t n_prompt,
                         sz_kv_loss *out) {
    const sz_token *records;
    size_t n;
    SZ_TRY(sz_session_records(s, 0, &records, &n));
    int32_t *ids = sz_alloc(n * sizeof *ids);
    SZ_REQUIRE(ids, SZ_E_NOMEM, "out of memory for %zu tokens", n);
    for (size_t i = 0; i < n; i++)
        ids[i] = records[i].id;
    sz_status status = sz_session_truncate(s, kept, (uint32_t)n_prompt);
    if (status == SZ_OK)
        status = sz_session_prompt_ids(s, full, ids, n_prompt);
    if (status == SZ_OK)
        status = sz_session_kv_loss(s, full, kept, ids + n_prompt, n - n_prompt, out);
    sz_free(ids);
    return status;
}

sz_status sz_forgetting_measure(sz_session *s, size_t n_prompt, sz_kv_loss *out) {
    uint32_t full, kept;
    *out = (sz_kv_loss){0};
    if (sz_session_length(s, 0) <= n_prompt)
        return SZ_OK;
    SZ_TRY(sz_session_fork(s, 0, &kept));
    sz_status status = sz_session_add(s, &full);
    if (status == SZ_OK) {
        status = measure(s, full, kept, n_prompt, out);
        sz_session_drop(s, full);
    }
    sz_session_drop(s, kept);
    return status;
}

/* ---- Telling --------------------------------------------------------------------------------- */

static double mean_kept(const sz_kv_account *a) {
    return (double)a->n_kept * a->length / (double)a->n_full;
}

static double mebibytes(size_t bytes) {
    return (double)bytes / 1048576.0;
}

void sz_forgetting_put(sz_buf *b, const sz_kv_account *a, const sz_kv_loss *loss) {
    sz_buf_printf(b, "cache: %.1f of %u prompt tokens kept per head (%u to %u), %.2f of %.2f MiB\n",
                  mean_kept(a), a->length, a->least, a->most, mebibytes(a->bytes_kept),
                  mebibytes(a->bytes_full));
    if (loss->n)
        sz_buf_printf(b,
                      "cost: KL %.5f nats per token over %zu tokens (at most %.5f), surprisal "
                      "%+.5f nats per token\n",
                      loss->kl, loss->n, loss->kl_most, loss->excess);
}

void sz_forgetting_json(sz_buf *b, const sz_kv_account *a, const sz_kv_loss *loss) {
    sz_buf_printf(b, ",\"kv\":{\"prompt_tokens\":%u,\"kept_mean\":", a->length);
    sz_json_number(b, mean_kept(a));
    sz_buf_printf(b, ",\"kept_least\":%u,\"kept_most\":%u,\"bytes\":%zu,\"full_bytes\":%zu",
                  a->least, a->most, a->bytes_kept, a->bytes_full);
    if (loss->n) {
        sz_buf_printf(b, ",\"loss_tokens\":%zu,\"kl_nats\":", loss->n);
        sz_json_number(b, loss->kl);
        sz_buf_puts(b, ",\"kl_most_nats\":");
        sz_json_number(b, loss->kl_most);
        sz_buf_puts(b, ",\"excess_nats\":");
        sz_json_number(b, loss->excess);
    }
    sz_buf_putc(b, '}');
}
