/* cache.h: what stays in the key-value cache of a sequence. A policy looks at a computed prompt and
 * says for each cached head which positions to keep. A method is one file that fills one
 * sz_kv_policy_kind; written as "uncomp budget=384" (option.h).
 *
 * Everything up to `Sequences` is mathematics on arrays. Sources: UNComp (Xiong et al. 2025),
 * SnapKV (Li et al. 2024), H2O (Zhang et al. 2023), StreamingLLM (Xiao et al. 2024), PyramidKV (Cai
 * et al. 2024). */
#ifndef SZILARD_CACHE_H
#define SZILARD_CACHE_H

#include <szilard/unstable/model.h>
#include <szilard/unstable/option.h>

/* ---- Truncated matrix entropy ---------------------------------------------------------------- */

typedef struct sz_matrix_entropy {
    double truncated, full; /* nats: of the k largest eigenvalues, not renormalised; of all */
    double effective_rank;  /* exp(truncated) */
    double relative;        /* truncated / ln columns; 0 for one column */
    size_t k, elbow;        /* eigenvalues counted; index where the spectrum bends most */
} sz_matrix_entropy;
/* Of x [rows][columns], a token per row: rows are centred by the mean row and scaled to length one,
 * A = Z^T Z / trace. k: eigenvalues that count; 0: up to and with the elbow, the largest distance
 * below the chord from the first to the last. values [columns], falling; may be NULL. Rows that are
 * all equal have no spectrum: entropy 0, rank 1. SZ_E_ARG: no rows or columns, k > columns.
 * SZ_E_NAN. O(rows columns^2 + columns^3), or the same with the two exchanged. */
SZ_API sz_status sz_matrix_entropy_of_rows(const float *x, size_t rows, size_t columns, size_t k,
                                           double *values, sz_matrix_entropy *out);

/* ---- Budgets --------------------------------------------------------------------------------- */

/* Heads ranked by effective rank [n], equal ones by index, in equal groups: rank r is in group
 * min(r / (n / n_groups), n_groups - 1). SZ_E_ARG: more groups than heads. SZ_E_NAN. */
SZ_API sz_status sz_kv_head_groups(const double *rank, size_t n, size_t n_groups, uint32_t *group);
/* Tokens of a head of each group [n_groups], rising by about `step` around the mean `budget`, of
 * which the sum is n_groups times exactly. A step that would leave the lowest group with less than
 * `least` is made smaller. SZ_E_ARG: budget < least, or no groups. */
SZ_API sz_status sz_kv_group_budgets(uint32_t budget, uint32_t step, size_t n_groups,
                                     uint32_t least, uint32_t *capacity);
/* A new group of layers begins behind each layer whose effective rank [n] drops by more than
 * epsilon. group [n]. SZ_E_ARG: epsilon < 0. SZ_E_NAN. */
SZ_API sz_status sz_kv_layer_groups(const double *rank, size_t n, double epsilon, uint32_t *group);
/* Falling from layer to layer (PyramidKV), as the paper's integers have it: their mean is a little
 * above the budget. capacity [n_layer]. SZ_E_ARG: budget <= window, or no layers. */
SZ_API sz_status sz_kv_pyramid_budgets(uint32_t budget, uint32_t window, size_t n_layer,
                                       uint32_t length, uint32_t *capacity);
/* Shares `total` places among heads so that the gain of what is taken is largest: the `total`
 * largest of gain [n_heads][n], equal ones by head. capacity [n_heads]. SZ_E_ARG: total >
 * n_heads n. SZ_E_NAN. O(m log m) for m gains. */
SZ_API sz_status sz_kv_water_fill(const double *gain, size_t n_heads, size_t n, size_t total,
                                  uint32_t *capacity);

/* ---- Policies -------------------------------------------------------------------------------- */

/* Adds the columns of attention rows [n_rows][stride] to mass [n]. Rows added block by block, in
 * order, give the sums of all at once. */
SZ_API void sz_kv_add_mass(const float *rows, size_t n_rows, size_t stride, size_t n, double *mass);

/* What was observed of a prompt, for each cached head; what a policy does not need may be NULL. */
typedef struct sz_kv_prompt {
    uint32_t n_layer, n_head, length; /* cached heads per layer; tokens, >= 1 */
    const uint32_t *window;           /* [n_layer] of sliding windows, 0: none; NULL: none at all */
    const double *recent_mass; /* [n_layer][n_head][length] attention from the latest queries, as
                                  many as sz_kv_policy_window says, over the head's query heads */
    const double *total_mass;  /* the same from all queries */
    const double *rank;        /* [n_layer][n_head] effective rank of the queries */
} sz_kv_prompt;

/* The same for one head, whose tokens are what it holds at the time. */
typedef struct sz_kv_head {
    uint32_t layer, head, length, n_head; /* n_head: of each layer */
    const uint32_t *position;             /* [length], rising; NULL: 0, 1, 2 and so on */
    const double *recent_mass, *total_mass;
} sz_kv_head;

enum { SZ_KV_NEEDS_RECENT_MASS = 1, SZ_KV_NEEDS_TOTAL_MASS = 2, SZ_KV_NEEDS_RANK = 4 };

typedef struct sz_kv_policy_kind {
    const char *name, *help;
    /* The first is the mean number of tokens per head. Where recent mass is needed, the second is
     * the number of queries that it comes from. */
    const sz_option *options;
    unsigned needs;
    sz_status (*check)(const double *values); /* of options together; may be NULL */
    /* capacity [n_layer * n_head]; NULL: the budget for every head. Not asked where the whole
     * prompt is within the budget. */
    sz_status (*budgets)(const double *values, const sz_kv_prompt *prompt, uint32_t *capacity);
    /* score [length] of a head's tokens: the largest are kept, equal ones from the front; INFINITY:
     * kept first of all. */
    void (*score)(const double *values, const sz_kv_head *head, double *score);
} sz_kv_policy_kind;

/* All kinds, NULL-ended, for help texts. */
SZ_API const sz_kv_policy_kind *const *sz_kv_policy_kinds(void);

typedef struct sz_kv_profile sz_kv_profile; /* below */

typedef struct sz_kv_policy {
    const sz_kv_policy_kind *kind;
    double values[SZ_OPTIONS_MAX];
    sz_kv_profile *profile; /* owned; NULL: ranks are those of the prompt */
} sz_kv_policy;
/* Reads the file of a profile that the text names, too. */
SZ_API sz_status sz_kv_policy_parse(const char *text, sz_kv_policy *out);
SZ_API void sz_kv_policy_free(sz_kv_policy *policy); /* what it owns */
/* What must be observed for it: that of its kind, without ranks where it has a profile. */
SZ_API unsigned sz_kv_policy_needs(const sz_kv_policy *policy);
/* Tokens by which a head may exceed its budget while a text goes on, before it forgets again; 0:
 * what comes after the prompt is all kept. */
SZ_API uint32_t sz_kv_policy_every(const sz_kv_policy *policy);
/* Latest queries whose attention it looks at; 0 if it does not. */
SZ_API uint32_t sz_kv_policy_window(const sz_kv_policy *policy);

/* Kept positions of every head, rising: those of head h of layer l are position[first[i]] up to
 * position[first[i + 1]], i = l n_head + h. The last position is always among them. */
typedef struct sz_kv_plan {
    uint32_t n_layer, n_head, length;
    size_t *first; /* [n_layer n_head + 1] */
    uint32_t *position;
} sz_kv_plan;
/* Where something is forgotten, a layer with a sliding window keeps nothing that no later token
 * sees. SZ_E_ARG: something that the policy needs is missing, or its profile has other layers or
 * heads; SZ_E_NAN names layer and head. */
SZ_API sz_status sz_kv_policy_plan(const sz_kv_policy *policy, const sz_kv_prompt *prompt,
                                   sz_kv_plan *out);
SZ_API void sz_kv_plan_free(sz_kv_plan *plan);

/* ---- Profiles -------------------------------------------------------------------------------- */

/* Effective ranks of a model's heads, the means over texts: what UNComp's groups are made from once
 * and for all. Kept as a GGUF file whose general.type is "kv-profile". */
typedef struct sz_kv_profile_info {
    uint32_t n_layer, n_head; /* cached heads per layer */
    uint32_t n_texts, length; /* texts of so many tokens */
    uint32_t k, head_dim;     /* eigenvalues that count, of head_dim */
    const double *rank;      /* [n_layer][n_head], borrowed; a cached head has the mean of its query
                                heads */
    const double *deviation; /* the same, over texts; 0 for one text */
    double agreement;        /* Spearman's correlation over all heads of the ranks by the texts of
                                even and of odd number; NaN for one text or one head */
    uint8_t model[32], text[32]; /* sz_gguf_digest; SHA-256 of the token ids, little endian */
} sz_kv_profile_info;

/* Reads ids in texts of `length` >= 2 tokens, the rest is left out, through sequence 0, which is
 * emptied before and behind; each text's ranks are those of sz_session_observe. SZ_E_ARG: fewer
 * than `length` ids. SZ_E_NAN. */
SZ_API sz_status sz_kv_profile_measure(sz_session *s, const int32_t *ids, size_t n, uint32_t length,
                                       sz_kv_profile **out);
SZ_API void sz_kv_profile_free(sz_kv_profile *p);
SZ_API sz_kv_profile_info sz_kv_profile_get_info(const sz_kv_profile *p);
SZ_API sz_status sz_kv_profile_save(const sz_kv_profile *p, const char *path, const char *name);
SZ_API sz_status sz_kv_profile_open(const char *path, sz_kv_profile **out);
/* Nothing in the file is trusted. SZ_E_UNSUPPORTED: another kind of file; SZ_E_FORMAT. */
SZ_API sz_status sz_kv_profile_from_gguf(const sz_gguf *g, sz_kv_profile **out);
/* SZ_E_ARG: it is another model's; tells whether layers, heads or weights differ. */
SZ_API sz_status sz_kv_profile_check(const sz_kv_profile *p, const sz_model *model);

/* ---- Sequences ------------------------------------------------------------------------------- */

/* Computes ids as the prompt of an empty sequence, as sz_session_prompt_ids does, and observes what
 * `needs` names (SZ_KV_NEEDS_*), recent mass from the last `window` tokens. Ranks are of the
 * queries of at most 512 tokens, evenly spaced, with a quarter of the eigenvalues; a cached head
 * has the mean of its query heads. SZ_E_STATE: the sequence has tokens, or the session a tap. */
typedef struct sz_kv_watch sz_kv_watch;
SZ_API sz_status sz_session_observe(sz_session *s, uint32_t seq, const int32_t *ids, size_t n,
                                    unsigned needs, uint32_t window, sz_kv_watch **out);
SZ_API void sz_kv_watch_free(sz_kv_watch *w);
SZ_API const sz_kv_prompt *sz_kv_watch_prompt(const sz_kv_watch *w); /* borrowed */

/* Forgets what a plan for just the tokens of the sequence does not keep; nothing if it keeps all of
 * them. Positions stay what they were, and the next token takes the next one; its distribution was
 * computed before. From then on the sequence can be cut to these tokens or emptied, its forks share
 * what it kept, and attention cannot be tapped. SZ_E_STATE: it has forgotten tokens before.
 * SZ_E_ARG: the plan is not for it. */
SZ_API sz_status sz_session_keep(sz_session *s, uint32_t seq, const sz_kv_plan *plan);

typedef struct sz_kv_account {
    uint32_t length, least, most;  /* tokens of the sequence; kept by single heads */
    uint32_t n_rounds;             /* how often the sequence has forgotten */
    uint64_t n_kept, n_full;       /* summed over layers and heads */
    size_t bytes_kept, bytes_full; /* held by the session's cache before and after */
} sz_kv_account;
/* Observes, plans and forgets. out may be NULL. On failure the sequence holds the tokens that were
 * computed.
 *
 * From then on the policy holds for what follows, too (sz_kv_policy_every): whenever so many tokens
 * have come since it last looked, and the budget is exceeded, each head forgets again down to its
 * budget, before the next token. Scores are then of the tokens that the head holds: recent mass
 * from the latest queries over them, total mass as it added up. That happens at positions that
 * depend on nothing but the prompt and the policy: a pass over more tokens is cut there, and what
 * it computes does not depend on where it is cut. A pass that fails later leaves what was computed
 * before. What has been forgotten bounds how far the sequence can be cut (sz_session_keep). */
SZ_API sz_status sz_session_prompt_kept(sz_session *s, uint32_t seq, const int32_t *ids, size_t n,
                                        const sz_kv_policy *policy, sz_kv_account *out);
/* What the sequence holds now, and what all of its tokens would take. */
SZ_API sz_status sz_session_kv_account(const sz_session *s, uint32_t seq, sz_kv_account *out);

typedef struct sz_kv_loss {
    size_t n;           /* tokens given */
    double kl, kl_most; /* nats: mean and largest divergence of the distributions after them */
    double excess;      /* nats per token, mean: surprisal less that of the full cache; n > 1 */
} sz_kv_loss;
/* What a policy costs: continues two sequences that hold the same tokens, one of which has
 * forgotten some, with n >= 1 ids, and compares the distributions after each. Both keep the ids. */
SZ_API sz_status sz_session_kv_loss(sz_session *s, uint32_t full, uint32_t kept, const int32_t *ids,
                                    size_t n, sz_kv_loss *out);

#endif
