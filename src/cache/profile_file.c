/* profile_file.c: profiles in GGUF files, none of which is trusted. */
#include "profile.h"

#include <math.h>
#include <string.h>

#define TYPE "kv-profile"

enum { MOST_LAYERS = 65536, MOST_HEADS = 1 << 20, MOST_DIM = 65536 };

/* ---- Writing --------------------------------------------------------------------------------- */

static void put_digest(sz_gguf_writer *w, const char *key, const uint8_t digest[32]) {
    char hex[65];
    sz_hex(digest, 32, hex);
    sz_gguf_put_str(w, key, hex, 64);
}

static void put(sz_gguf_writer *w, const sz_kv_profile_info *p, const char *name) {
    const uint64_t shape[] = {p->n_head, p->n_layer};
    sz_gguf_put_str(w, "general.type", TYPE, strlen(TYPE));
    if (name)
        sz_gguf_put_str(w, "general.name", name, strlen(name));
    sz_gguf_put_u32(w, TYPE ".layers", p->n_layer);
    sz_gguf_put_u32(w, TYPE ".heads", p->n_head);
    sz_gguf_put_u32(w, TYPE ".head_dim", p->head_dim);
    sz_gguf_put_u32(w, TYPE ".eigenvalues", p->k);
    sz_gguf_put_u32(w, TYPE ".texts", p->n_texts);
    sz_gguf_put_u32(w, TYPE ".length", p->length);
    if (!isnan(p->agreement))
        sz_gguf_put_f32(w, TYPE ".agreement", (float)p->agreement);
    put_digest(w, TYPE ".model_digest", p->model);
    put_digest(w, TYPE ".text_digest", p->text);
    sz_gguf_put_tensor(w, "rank", SZ_F64, 2, shape, p->rank);
    sz_gguf_put_tensor(w, "deviation", SZ_F64, 2, shape, p->deviation);
}

sz_status sz_kv_profile_save(const sz_kv_profile *p, const char *path, const char *name) {
    sz_gguf_writer *w;
    SZ_TRY(sz_gguf_writer_new(&w));
    put(w, &p->info, name);
    sz_status status = sz_gguf_writer_save(w, path);
    sz_gguf_writer_free(w);
    return status;
}

/* ---- Reading --------------------------------------------------------------------------------- */

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static sz_status read_digest(const sz_gguf *g, const char *key, uint8_t out[32]) {
    sz_str hex;
    SZ_TRY(sz_gguf_get_str(g, key, &hex));
    bool good = hex.n == 64;
    for (size_t i = 0; good && i < 64; i++) {
        int d = hex_digit(hex.s[i]);
        good = d >= 0;
        unsigned digit = good ? (unsigned)d : 0;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | digit : digit << 4);
    }
    SZ_REQUIRE(good, SZ_E_FORMAT, "%s: %s is not a digest of 64 digits", sz_gguf_name(g), key);
    return SZ_OK;
}

static sz_status read_info(const sz_gguf *g, sz_kv_profile_info *p) {
    sz_str type;
    float agreement = NAN;
    sz_status status = sz_gguf_get_str(g, "general.type", &type);
    SZ_REQUIRE(status == SZ_OK && type.n == strlen(TYPE) && memcmp(type.s, TYPE, type.n) == 0,
               SZ_E_UNSUPPORTED, "%s: not a profile: general.type is not '" TYPE "'",
               sz_gguf_name(g));
    SZ_TRY(sz_gguf_get_u32(g, TYPE ".layers", &p->n_layer));
    SZ_TRY(sz_gguf_get_u32(g, TYPE ".heads", &p->n_head));
    SZ_TRY(sz_gguf_get_u32(g, TYPE ".head_dim", &p->head_dim));
    SZ_TRY(sz_gguf_get_u32(g, TYPE ".eigenvalues", &p->k));
    SZ_TRY(sz_gguf_get_u32(g, TYPE ".texts", &p->n_texts));
    SZ_TRY(sz_gguf_get_u32(g, TYPE ".length", &p->length));
    status = sz_gguf_get_f32(g, TYPE ".agreement", &agreement);
    SZ_TRY(status == SZ_E_NOTFOUND ? SZ_OK : status);
    p->agreement = (double)agreement;
    SZ_REQUIRE(p->n_layer >= 1 && p->n_layer <= MOST_LAYERS && p->n_head >= 1 &&
                   p->n_head <= MOST_HEADS && p->head_dim >= 1 && p->head_dim <= MOST_DIM &&
                   p->k >= 1 && p->k <= p->head_dim && p->n_texts >= 1 && p->length >= 2,
               SZ_E_FORMAT,
               "%s: %u layers, %u heads of %u, %u eigenvalues, %u texts of %u: out of bounds",
               sz_gguf_name(g), p->n_layer, p->n_head, p->head_dim, p->k, p->n_texts, p->length);
    SZ_TRY(read_digest(g, TYPE ".model_digest", p->model));
    return read_digest(g, TYPE ".text_digest", p->text);
}

static sz_status find_tensor(const sz_gguf *g, const char *name, const sz_kv_profile_info *p,
                             const sz_gguf_tensor **out) {
    const sz_gguf_tensor *t = sz_gguf_find_tensor(g, name);
    SZ_REQUIRE(t && t->type == SZ_F64 && t->n_dim <= 2 && t->dim[0] == p->n_head &&
                   (t->n_dim == 2 ? t->dim[1] : 1) == p->n_layer,
               SZ_E_FORMAT, "%s: tensor %s is not F64 of %u x %u", sz_gguf_name(g), name, p->n_head,
               p->n_layer);
    *out = t;
    return SZ_OK;
}

/* most: infinite where only the sign is bounded. */
static sz_status copy(const sz_gguf *g, const sz_gguf_tensor *t, double least, double most,
                      double *out) {
    size_t n = (size_t)(t->bytes / sizeof *out);
    memcpy(out, t->data, (size_t)t->bytes);
    for (size_t i = 0; i < n; i++)
        SZ_REQUIRE(out[i] >= least && out[i] <= most, SZ_E_FORMAT,
                   "%s: tensor %s: value %zu is %g, not in %g .. %g", sz_gguf_name(g), t->name, i,
                   out[i], least, most);
    return SZ_OK;
}

sz_status sz_kv_profile_from_gguf(const sz_gguf *g, sz_kv_profile **out) {
    sz_kv_profile_info info = {0};
    const sz_gguf_tensor *rank, *deviation;
    sz_kv_profile *p;
    SZ_TRY(read_info(g, &info));
    SZ_TRY(find_tensor(g, "rank", &info, &rank));
    SZ_TRY(find_tensor(g, "deviation", &info, &deviation));
    SZ_TRY(sz_kv_profile_new(&info, &p));
    double most = info.head_dim; /* the rank of a spectrum of so many values, and rounding */
    sz_status status = copy(g, rank, 0.999, most + 0.001, p->rank);
    if (status == SZ_OK)
        status = copy(g, deviation, 0.0, most, p->deviation);
    if (status != SZ_OK) {
        sz_kv_profile_free(p);
        return status;
    }
    *out = p;
    return SZ_OK;
}

sz_status sz_kv_profile_open(const char *path, sz_kv_profile **out) {
    sz_gguf *g;
    SZ_TRY(sz_gguf_open(path, &g));
    sz_status status = sz_kv_profile_from_gguf(g, out);
    sz_gguf_close(g);
    return status;
}
