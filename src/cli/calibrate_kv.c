/* calibrate_kv.c: the effective ranks of a model's heads, from a text, to a file for --kv-policy
 * "uncomp profile=FILE". */
#include "calibrate.h"
#include <math.h>
#include <string.h>
#include <szilard/unstable/cache.h>

/* The heads of the least and of the highest rank, and how the others lie between them. */
typedef struct range {
    size_t least, most;
    double deviation; /* mean over heads */
} range;

static range find_range(const sz_kv_profile_info *p) {
    size_t n = (size_t)p->n_layer * p->n_head;
    range r = {0};
    for (size_t i = 0; i < n; i++) {
        r.least = p->rank[i] < p->rank[r.least] ? i : r.least;
        r.most = p->rank[i] > p->rank[r.most] ? i : r.most;
        r.deviation += p->deviation[i] / (double)n;
    }
    return r;
}

static void put_head(sz_buf *b, const sz_kv_profile_info *p, const char *what, size_t i) {
    sz_buf_printf(b, "%s %6.2f, layer %zu, head %zu\n", what, p->rank[i], i / p->n_head,
                  i % p->n_head);
}

static void put_text(sz_buf *b, const sz_kv_profile_info *p, const char *path) {
    range r = find_range(p);
    sz_buf_printf(b, "uncomp profile=%s\n\n", path);
    sz_buf_printf(b, "read           %u texts of %u tokens\n", p->n_texts, p->length);
    put_head(b, p, "lowest rank   ", r.least);
    put_head(b, p, "highest rank  ", r.most);
    sz_buf_printf(b, "deviation      %.2f from text to text, the mean of %u heads\n", r.deviation,
                  p->n_layer * p->n_head);
    if (!isnan(p->agreement))
        sz_buf_printf(b,
                      "agreement      %.3f between the ranks by one half of the texts and by the "
                      "other (Spearman)\n",
                      p->agreement);
}

static void put_ranks(sz_buf *b, const char *key, const double *values, size_t n) {
    sz_buf_printf(b, ",\"%s\":[", key);
    for (size_t i = 0; i < n; i++) {
        sz_buf_puts(b, i ? "," : "");
        sz_json_number(b, values[i]);
    }
    sz_buf_putc(b, ']');
}

static void put_json(sz_buf *b, const sz_kv_profile_info *p, const char *path) {
    size_t n = (size_t)p->n_layer * p->n_head;
    sz_buf_puts(b, "{\"profile\":");
    sz_json_quote(b, path, strlen(path));
    sz_buf_printf(b,
                  ",\"texts\":%u,\"length\":%u,\"layers\":%u,\"heads\":%u,\"eigenvalues\":%u,"
                  "\"agreement\":",
                  p->n_texts, p->length, p->n_layer, p->n_head, p->k);
    sz_json_number(b, p->agreement);
    put_ranks(b, "rank", p->rank, n);
    put_ranks(b, "deviation", p->deviation, n);
    sz_buf_puts(b, "}\n");
}

static sz_status measure(const sz_calibration *s, const sz_engine *e, sz_kv_profile **out) {
    sz_session *session;
    int32_t *ids;
    size_t n;
    SZ_TRY(sz_calibration_read(s, e, &ids, &n));
    sz_session_config config = {.size = sizeof config, .context = s->length, .n_sequences = 1};
    sz_status status = sz_session_new(e->model, &config, &session);
    if (status == SZ_OK) {
        status = sz_kv_profile_measure(session, ids, n, s->length, out);
        sz_session_free(session);
    }
    sz_free(ids);
    return status;
}

int sz_calibrate_kv(sz_calibration *s) {
    sz_engine e = {0};
    sz_kv_profile *p = NULL;
    sz_model_info model;
    sz_buf b = {0};
    sz_status status = sz_engine_open(&s->engine, &e);
    if (status == SZ_OK)
        status = measure(s, &e, &p);
    if (status == SZ_OK) {
        sz_model_get_info(e.model, &model);
        status = sz_kv_profile_save(p, s->out, model.name);
    }
    if (status == SZ_OK) {
        sz_kv_profile_info info = sz_kv_profile_get_info(p);
        s->json ? put_json(&b, &info, s->out) : put_text(&b, &info, s->out);
    }
    int exit_status = status == SZ_OK ? sz_cli_print(&b) : sz_cli_error();
    sz_kv_profile_free(p);
    sz_engine_close(&e);
    return exit_status;
}
