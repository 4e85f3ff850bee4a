/* forgetting.c: --kv-policy and --kv-report, and the help text made from the policies' own tables.
 */
#include "forgetting.h"
#include "method_help.h"
#include <string.h>

enum { OPT_POLICY = 900, OPT_REPORT };

static const struct argp_option options[] = {
    {"kv-policy", OPT_POLICY, "POLICY", 0,
     "What the cache keeps of a prompt, such as \"uncomp budget=384\"; below, the policies with "
     "the "
     "default values of their options",
     5},
    {"kv-report", OPT_REPORT, NULL, 0,
     "Measure what the policy costs: the divergence from the full cache over the answer's tokens, "
     "for which the prompt is computed once more",
     5},
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
    for (const sz_kv_policy_kind *const *k = sz_kv_policy_kinds(); *k; k++)
        sz_help_method(&b, (*k)->name, (*k)->help, (*k)->options);
    return sz_help_text(&b);
}

static char *help(int key, const char *text, void *input) {
    return key == ARGP_KEY_HELP_EXTRA ? describe_policies() : (char *)text;
}

const struct argp sz_argp_forgetting = {options, parse, NULL, NULL, NULL, help, NULL};

uint32_t sz_forgetting_sequences(const sz_forgetting *f) {
    return f->report ? 3 : 1;
}

sz_status sz_forgetting_prompt(const sz_forgetting *f, sz_session *s, const int32_t *ids, size_t n,
                               sz_forgotten *out) {
    SZ_TRY(sz_session_truncate(s, 0, 0));
    SZ_TRY(sz_session_prompt_kept(s, 0, ids, n, &f->policy, &out->prompt));
    return f->report ? sz_session_fork(s, 0, &out->beginning) : SZ_OK;
}

/* full: an empty sequence. */
static sz_status measure(sz_session *s, uint32_t full, uint32_t kept, size_t n_prompt,
                         sz_kv_loss *out) {
    const sz_token *records;
    size_t n;
    SZ_TRY(sz_session_records(s, 0, &records, &n));
    int32_t *ids = sz_alloc(n * sizeof *ids);
    SZ_REQUIRE(ids, SZ_E_NOMEM, "out of memory for %zu tokens", n);
    for (size_t i = 0; i < n; i++)
        ids[i] = records[i].id;
    sz_status status = sz_session_prompt_ids(s, full, ids, n_prompt);
    if (status == SZ_OK)
        status = sz_session_kv_loss(s, full, kept, ids + n_prompt, n - n_prompt, out);
    sz_free(ids);
    return status;
}

sz_status sz_forgetting_end(const sz_forgetting *f, sz_session *s, size_t n_prompt,
                            sz_forgotten *out) {
    uint32_t full;
    SZ_TRY(sz_session_kv_account(s, 0, &out->end));
    if (!f->report)
        return SZ_OK;
    sz_status status = SZ_OK;
    if (sz_session_length(s, 0) > n_prompt) {
        status = sz_session_add(s, &full);
        if (status == SZ_OK) {
            status = measure(s, full, out->beginning, n_prompt, &out->loss);
            sz_session_drop(s, full);
        }
    }
    sz_session_drop(s, out->beginning);
    return status;
}

/* ---- Telling --------------------------------------------------------------------------------- */

static double mean_kept(const sz_kv_account *a) {
    return (double)a->n_kept * a->length / (double)a->n_full;
}

static double mebibytes(size_t bytes) {
    return (double)bytes / 1048576.0;
}

static void put_account(sz_buf *b, const char *what, const sz_kv_account *a) {
    sz_buf_printf(b, "%.1f of %u %s kept per head (%u to %u), %.2f of %.2f MiB", mean_kept(a),
                  a->length, what, a->least, a->most, mebibytes(a->bytes_kept),
                  mebibytes(a->bytes_full));
}

void sz_forgetting_put(sz_buf *b, const sz_forgotten *f) {
    sz_buf_puts(b, "cache: ");
    put_account(b, "prompt tokens", &f->prompt);
    if (f->end.length > f->prompt.length) {
        sz_buf_puts(b, "\nat the end: ");
        put_account(b, "tokens", &f->end);
        if (f->end.n_rounds > f->prompt.n_rounds)
            sz_buf_printf(b, "; forgot %u times more", f->end.n_rounds - f->prompt.n_rounds);
    }
    sz_buf_putc(b, '\n');
    if (f->loss.n)
        sz_buf_printf(b,
                      "cost: KL %.5f nats per token over %zu tokens (at most %.5f), surprisal "
                      "%+.5f nats per token\n",
                      f->loss.kl, f->loss.n, f->loss.kl_most, f->loss.excess);
}

static void put_number(sz_buf *b, const char *key, double value) {
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_number(b, value);
}

static void put_members(sz_buf *b, const sz_kv_account *a) {
    put_number(b, "kept_mean", mean_kept(a));
    sz_buf_printf(b,
                  ",\"kept_least\":%u,\"kept_most\":%u,\"bytes\":%zu,\"full_bytes\":%zu,"
                  "\"rounds\":%u",
                  a->least, a->most, a->bytes_kept, a->bytes_full, a->n_rounds);
}

void sz_forgetting_json(sz_buf *b, const sz_forgotten *f) {
    sz_buf_printf(b, ",\"kv\":{\"prompt_tokens\":%u", f->prompt.length);
    put_members(b, &f->prompt);
    sz_buf_printf(b, ",\"end\":{\"tokens\":%u", f->end.length);
    put_members(b, &f->end);
    sz_buf_putc(b, '}');
    if (f->loss.n) {
        sz_buf_printf(b, ",\"loss_tokens\":%zu", f->loss.n);
        put_number(b, "kl_nats", f->loss.kl);
        put_number(b, "kl_most_nats", f->loss.kl_most);
        put_number(b, "excess_nats", f->loss.excess);
    }
    sz_buf_putc(b, '}');
}
