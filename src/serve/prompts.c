/* prompts.c: prompts as texts or as ids, one or many. */
#include "api.h"

#include <string.h>

static bool is_ids(const sz_json *v) {
    return v->type == SZ_JSON_ARRAY && (!v->u.child || v->u.child->type == SZ_JSON_INT);
}

static sz_status take_ids(sz_reader *r, const char *key, const sz_json *list, sz_part *p,
                          uint32_t n_vocab) {
    size_t n = 0;
    p->ids = sz_alloc((list->n + 1) * sizeof *p->ids);
    SZ_REQUIRE(p->ids, SZ_E_NOMEM, "no memory for %u tokens", list->n);
    for (const sz_json *c = list->u.child; c; c = c->next) {
        if (c->type != SZ_JSON_INT)
            return sz_read_fail(r, key, "has a member among its ids that is none");
        if (c->u.i < 0 || c->u.i >= n_vocab)
            return sz_read_fail(r, key, "has the id %lld, which is not in the vocabulary of %u",
                                (long long)c->u.i, n_vocab);
        p->ids[n++] = (int32_t)c->u.i;
    }
    p->n_ids = n;
    return SZ_OK;
}

static sz_status take(sz_reader *r, const char *key, const sz_json *v, const sz_model *m,
                      sz_part *p) {
    sz_model_info info;
    sz_model_get_info(m, &info);
    if (is_ids(v))
        return take_ids(r, key, v, p, info.n_vocab);
    if (v->type != SZ_JSON_STRING)
        return sz_read_fail(r, key, "is neither a text, nor ids, nor an array of them");
    return sz_prompt_ids(m, v->u.s, v->n, &p->ids, &p->n_ids);
}

sz_status sz_request_read_prompts(sz_reader *r, const char *key, size_t most, sz_job *j) {
    const sz_json *v = sz_read_member(r, key);
    if (!v || (v->type == SZ_JSON_ARRAY && v->n == 0))
        return sz_read_fail(r, key, "is missing or empty");
    bool many = v->type == SZ_JSON_ARRAY && !is_ids(v);
    size_t n = many ? v->n : 1, i = 0;
    if (n > most)
        return sz_read_fail(r, key, "has %zu members; at most %zu are taken", n, most);
    SZ_TRY(sz_job_set_prompts(j, n));
    for (const sz_json *c = many ? v->u.child : v; c && i < n; c = many ? c->next : NULL)
        SZ_TRY(take(r, key, c, j->model, &j->parts[i++]));
    return SZ_OK;
}
