/* profile.c: the ranks of a model's heads over many texts. */
#include "profile.h"

#include <math.h>
#include <string.h>

#include "policy.h"
#include "watch.h"

sz_status sz_kv_profile_new(const sz_kv_profile_info *info, sz_kv_profile **out) {
    size_t n = (size_t)info->n_layer * info->n_head;
    sz_kv_profile *p = sz_calloc(1, sizeof *p);
    SZ_REQUIRE(p, SZ_E_NOMEM, "no memory for a profile");
    p->info = *info;
    p->rank = sz_calloc(n, sizeof *p->rank);
    p->deviation = sz_calloc(n, sizeof *p->deviation);
    p->info.rank = p->rank;
    p->info.deviation = p->deviation;
    if (!p->rank || !p->deviation) {
        sz_kv_profile_free(p);
        return sz_fail(SZ_E_NOMEM, "no memory for a profile of %zu heads", n);
    }
    *out = p;
    return SZ_OK;
}

void sz_kv_profile_free(sz_kv_profile *p) {
    if (!p)
        return;
    sz_free(p->rank);
    sz_free(p->deviation);
    sz_free(p);
}

sz_kv_profile_info sz_kv_profile_get_info(const sz_kv_profile *p) {
    return p->info;
}

/* ---- Measuring ------------------------------------------------------------------------------- */

static void digest_ids(const int32_t *ids, size_t n, uint8_t out[32]) {
    sz_sha256 h;
    sz_sha256_init(&h);
    for (size_t i = 0; i < n; i++) {
        uint32_t id = (uint32_t)ids[i];
        uint8_t bytes[4] = {(uint8_t)id, (uint8_t)(id >> 8), (uint8_t)(id >> 16),
                            (uint8_t)(id >> 24)};
        sz_sha256_update(&h, bytes, sizeof bytes);
    }
    sz_sha256_final(&h, out);
}

/* rank [n_texts][n]. */
static sz_status measure_texts(sz_session *s, const int32_t *ids, const sz_kv_profile_info *info,
                               double *rank) {
    size_t n = (size_t)info->n_layer * info->n_head;
    for (uint32_t t = 0; t < info->n_texts; t++) {
        sz_kv_watch *w;
        SZ_TRY(sz_session_truncate(s, 0, 0));
        SZ_TRY(sz_session_observe(s, 0, ids + (size_t)t * info->length, info->length,
                                  SZ_KV_NEEDS_RANK, 0, &w));
        memcpy(rank + t * n, sz_kv_watch_prompt(w)->rank, n * sizeof *rank);
        sz_kv_watch_free(w);
    }
    return sz_session_truncate(s, 0, 0);
}

static void average(const double *rank, sz_kv_profile *p) {
    size_t n = (size_t)p->info.n_layer * p->info.n_head, texts = p->info.n_texts;
    for (size_t i = 0; i < n; i++) {
        double sum = 0, squares = 0;
        for (size_t t = 0; t < texts; t++)
            sum += rank[t * n + i];
        p->rank[i] = sum / (double)texts;
        for (size_t t = 0; t < texts; t++) {
            double off = rank[t * n + i] - p->rank[i];
            squares += off * off;
        }
        p->deviation[i] = texts > 1 ? sqrt(squares / (double)(texts - 1)) : 0.0;
    }
}

/* Spearman's correlation of two rankings; places [2][n]: of each head in either. */
static double correlation(const uint32_t *places, size_t n) {
    double sum = 0, mean = (double)(n - 1) / 2, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (places[i] - mean) * (places[n + i] - mean);
        squares += (places[i] - mean) * (places[i] - mean);
    }
    return sum / squares;
}

/* work [2 n] of doubles, and of places and orders. */
static sz_status agree(const double *rank, size_t n, size_t texts, double *work, uint32_t *places,
                       double *out) {
    for (size_t i = 0; i < n; i++)
        for (size_t t = 0; t < texts; t++)
            work[t % 2 * n + i] += rank[t * n + i];
    for (size_t half = 0; half < 2; half++) {
        uint32_t *order = places + 2 * n;
        SZ_TRY(sz_kv_order(work + half * n, n, order));
        for (size_t i = 0; i < n; i++)
            places[half * n + order[i]] = (uint32_t)i;
    }
    *out = correlation(places, n);
    return SZ_OK;
}

static sz_status find_agreement(const double *rank, sz_kv_profile *p) {
    size_t n = (size_t)p->info.n_layer * p->info.n_head;
    p->info.agreement = NAN;
    if (n < 2 || p->info.n_texts < 2)
        return SZ_OK;
    double *work = sz_calloc(2 * n, sizeof *work);
    uint32_t *places = sz_calloc(3 * n, sizeof *places);
    sz_status status = work && places
                           ? agree(rank, n, p->info.n_texts, work, places, &p->info.agreement)
                           : sz_fail(SZ_E_NOMEM, "no memory for %zu heads", n);
    sz_free(work);
    sz_free(places);
    return status;
}

static sz_status measure(sz_session *s, const int32_t *ids, sz_kv_profile *p) {
    size_t n = (size_t)p->info.n_layer * p->info.n_head;
    double *rank = sz_calloc(p->info.n_texts, n * sizeof *rank);
    SZ_REQUIRE(rank, SZ_E_NOMEM, "no memory for the ranks of %u texts", p->info.n_texts);
    sz_status status = measure_texts(s, ids, &p->info, rank);
    if (status == SZ_OK) {
        average(rank, p);
        status = find_agreement(rank, p);
    }
    sz_free(rank);
    return status;
}

sz_status sz_kv_profile_measure(sz_session *s, const int32_t *ids, size_t n, uint32_t length,
                                sz_kv_profile **out) {
    SZ_TRY(sz_session_check(s, 0));
    SZ_REQUIRE(ids && out, SZ_E_ARG, "sz_kv_profile_measure: a NULL argument");
    SZ_REQUIRE(length >= 2 && length <= n && n / length <= UINT32_MAX, SZ_E_ARG,
               "%zu tokens for texts of %u: at least one, of 2 tokens or more, is needed", n,
               length);
    const sz_hparams *h = &s->model->h;
    sz_kv_profile_info info = {.n_layer = h->n_layer,
                               .n_head = h->n_head_kv,
                               .n_texts = (uint32_t)(n / length),
                               .length = length,
                               .k = sz_kv_watch_eigenvalues(h->head_dim),
                               .head_dim = h->head_dim};
    sz_kv_profile *p;
    digest_ids(ids, (size_t)info.n_texts * length, info.text);
    sz_gguf_digest(s->model->gguf, info.model);
    SZ_TRY(sz_kv_profile_new(&info, &p));
    sz_status status = measure(s, ids, p);
    if (status != SZ_OK) {
        sz_kv_profile_free(p);
        return status;
    }
    *out = p;
    return SZ_OK;
}

sz_status sz_kv_profile_check(const sz_kv_profile *p, const sz_model *m) {
    uint8_t digest[32];
    SZ_REQUIRE(p->info.n_layer == m->h.n_layer && p->info.n_head == m->h.n_head_kv &&
                   p->info.head_dim == m->h.head_dim,
               SZ_E_ARG,
               "the profile is for %u layers with %u cached heads of %u, but the model has %u with "
               "%u of %u",
               p->info.n_layer, p->info.n_head, p->info.head_dim, m->h.n_layer, m->h.n_head_kv,
               m->h.head_dim);
    sz_gguf_digest(m->gguf, digest);
    SZ_REQUIRE(memcmp(digest, p->info.model, sizeof digest) == 0, SZ_E_ARG,
               "the profile was made with other weights than those of %s", m->name);
    return SZ_OK;
}
