/* rope.c: rotary positions: frequencies with the scalings of the field, angles of a pass. All in
 * double with our own functions, so that the angles have the same bits everywhere. */
#include "model.h"

#include <string.h>

typedef struct scaling {
    enum { NONE, LINEAR, YARN } kind;
    double factor, original_context, beta_fast, beta_slow, attention_factor;
} scaling;

static bool equals(sz_str s, const char *word) {
    return s.n == strlen(word) && memcmp(s.s, word, s.n) == 0;
}

/* As files mean it: a factor without a type is linear, and 0 is no factor. */
static sz_status read_factor(const sz_gguf *g, scaling *s) {
    float factor = 0.0f;
    sz_str type = {"linear", 6};
    sz_status status = sz_hparam_f32(g, "rope.scaling.factor", &factor);
    if (status == SZ_E_NOTFOUND) /* the key of the first files */
        status = sz_hparam_f32(g, "rope.scale_linear", &factor);
    SZ_TRY(sz_optional(status));
    SZ_TRY(sz_optional(sz_hparam_str(g, "rope.scaling.type", &type)));
    SZ_REQUIRE(factor >= 0.0f, SZ_E_FORMAT, "%s: rope.scaling.factor is %g", sz_gguf_name(g),
               (double)factor);
    s->factor = factor > 0.0f ? (double)factor : 1.0;
    s->kind = equals(type, "linear") ? LINEAR : equals(type, "yarn") ? YARN : NONE;
    SZ_REQUIRE(s->kind != NONE || equals(type, "none"), SZ_E_UNSUPPORTED,
               "%s: rope.scaling.type '%.*s' is not none, linear or yarn", sz_gguf_name(g),
               (int)type.n, type.s);
    return SZ_OK;
}

static sz_status read_scaling(const sz_gguf *g, const sz_hparams *h, scaling *s) {
    float attention = 1.0f, yarn_attention = 1.0f, fast = 32.0f, slow = 1.0f;
    uint32_t original = h->n_ctx_train;
    SZ_TRY(read_factor(g, s));
    SZ_TRY(sz_optional(sz_hparam_f32(g, "rope.scaling.attn_factor", &attention)));
    SZ_TRY(sz_optional(sz_hparam_f32(g, "rope.scaling.yarn_attn_factor", &yarn_attention)));
    SZ_TRY(sz_optional(sz_hparam_f32(g, "rope.scaling.yarn_beta_fast", &fast)));
    SZ_TRY(sz_optional(sz_hparam_f32(g, "rope.scaling.yarn_beta_slow", &slow)));
    SZ_TRY(sz_optional(sz_hparam_u32(g, "rope.scaling.original_context_length", &original)));
    SZ_REQUIRE(original > 0 && fast > 0.0f && slow > 0.0f && attention > 0.0f &&
                   yarn_attention > 0.0f,
               SZ_E_FORMAT, "%s: rope scaling parameters must be positive", sz_gguf_name(g));
    s->original_context = (double)original;
    s->beta_fast = (double)fast;
    s->beta_slow = (double)slow;
    s->attention_factor = (double)attention * (double)yarn_attention;
    return SZ_OK;
}

/* The dimension whose wave turns `rotations` times within the original context (YaRN, eq. 17). */
static double yarn_dimension(const scaling *s, double rotations, double n_rot, double base) {
    const double two_pi = 6.283185307179586;
    return n_rot * sz_log(s->original_context / (rotations * two_pi)) / (2.0 * sz_log(base));
}

static double floor_of(double x) {
    double t = (double)(int64_t)x;
    return t > x ? t - 1.0 : t;
}

static void yarn(const scaling *s, double base, uint32_t n_rot, sz_rope_table *t) {
    double low = floor_of(yarn_dimension(s, s->beta_fast, n_rot, base));
    double high = -floor_of(-yarn_dimension(s, s->beta_slow, n_rot, base));
    low = low > 0.0 ? low : 0.0;
    high = high < n_rot - 1.0 ? high : n_rot - 1.0;
    double width = high - low > 0.001 ? high - low : 0.001;
    for (uint32_t i = 0; i < n_rot / 2; i++) {
        double ramp = ((double)i - low) / width;
        ramp = ramp < 0.0 ? 0.0 : ramp > 1.0 ? 1.0 : ramp;
        t->inverse[i] = t->inverse[i] / s->factor * ramp + t->inverse[i] * (1.0 - ramp);
    }
    double scale = s->factor > 1.0 ? 0.1 * sz_log(s->factor) + 1.0 : 1.0;
    t->scale = (float)(scale * s->attention_factor);
}

static sz_status make_table(sz_model *m, double base, sz_rope_table *t) {
    uint32_t half = m->h.n_rot / 2;
    t->inverse = sz_arena_alloc(m->arena, half * sizeof *t->inverse);
    SZ_REQUIRE(t->inverse, SZ_E_NOMEM, "no memory for rope frequencies");
    t->scale = 1.0f;
    for (uint32_t i = 0; i < half; i++)
        t->inverse[i] = sz_pow(base, -2.0 * (double)i / (double)m->h.n_rot);
    return SZ_OK;
}

/* Per-frequency divisors that the converter stored (Llama 3). */
static sz_status apply_factors(sz_model *m, sz_rope_table *t) {
    const sz_gguf_tensor *f = sz_gguf_find_tensor(m->gguf, "rope_freqs.weight");
    uint32_t half = m->h.n_rot / 2;
    if (!f)
        return SZ_OK;
    SZ_REQUIRE(f->type == SZ_F32 && f->n_dim == 1 && f->dim[0] == half, SZ_E_FORMAT,
               "%s: tensor rope_freqs.weight must be F32 with %u values", sz_gguf_name(m->gguf),
               half);
    for (uint32_t i = 0; i < half; i++) {
        float factor;
        memcpy(&factor, f->data + i * sizeof factor, sizeof factor);
        SZ_REQUIRE(factor > 0.0f && factor < 1e9f, SZ_E_FORMAT, "%s: rope_freqs.weight[%u] is %g",
                   sz_gguf_name(m->gguf), i, (double)factor);
        t->inverse[i] /= (double)factor;
    }
    return SZ_OK;
}

/* No model turns faster than one radian per position, and angles are exact up to 2^27 only. */
static sz_status check_table(const sz_model *m, const sz_rope_table *t) {
    for (uint32_t i = 0; i < m->h.n_rot / 2; i++)
        SZ_REQUIRE(t->inverse[i] > 0.0 && t->inverse[i] <= 1.0, SZ_E_FORMAT,
                   "%s: the rope frequency of dimension %u is %g, not in (0, 1]: rope.freq_base, "
                   "rope.scaling.factor or tensor rope_freqs.weight is wrong",
                   sz_gguf_name(m->gguf), i, t->inverse[i]);
    return SZ_OK;
}

sz_status sz_model_make_rope(sz_model *m) {
    scaling s;
    SZ_TRY(read_scaling(m->gguf, &m->h, &s));
    SZ_TRY(make_table(m, m->h.rope_base, &m->rope[0]));
    SZ_TRY(make_table(m, m->h.rope_base_local, &m->rope[1]));
    SZ_TRY(apply_factors(m, &m->rope[0]));
    if (s.kind == LINEAR)
        for (uint32_t i = 0; i < m->h.n_rot / 2; i++)
            m->rope[0].inverse[i] /= s.factor;
    if (s.kind == YARN)
        yarn(&s, m->h.rope_base, m->h.n_rot, &m->rope[0]);
    SZ_TRY(check_table(m, &m->rope[0]));
    return check_table(m, &m->rope[1]);
}

void sz_model_rope_angles(const sz_model *m, sz_graph *g, sz_pass *pass) {
    size_t half = m->h.n_rot / 2;
    uint64_t start = sz_meter_start(g);
    int n_tables = m->h.rope_base_local == m->h.rope_base && m->h.window_pattern == 0 ? 1 : 2;
    for (int table = 0; table < n_tables; table++) {
        sz_tensor *c = sz_tensor_new(g, pass->n, half), *s = sz_tensor_new(g, pass->n, half);
        if (!c || !s)
            return;
        for (size_t row = 0; row < pass->n; row++)
            for (size_t i = 0; i < half; i++) {
                double sine, cosine, scale = (double)m->rope[table].scale;
                sz_sincos((double)pass->position[row] * m->rope[table].inverse[i], &sine, &cosine);
                c->data[row * half + i] = (float)(cosine * scale);
                s->data[row * half + i] = (float)(sine * scale);
            }
        pass->cosines[table] = c->data;
        pass->sines[table] = s->data;
    }
    sz_meter_stop_rows(g, start, "angles", 2 * (size_t)n_tables * pass->n * half);
}
