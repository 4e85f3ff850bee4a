/* lm.c: the language-model engine as a predictor: its memory, its segments, its context policy. */
#include "zip/lm.h"

#include "zip/lm_engine.h"

enum {
    WINDOW = 1 << 20,
    SEGMENT = 1 << 14, /* bytes that are worth a segment, until there are SZ_LM_BATCH of them */
    LOGIT_FLOATS = 1 << 25, /* most logits in memory */
    MOST_CHUNK = 512,
};

sz_status sz_lm_make_room(sz_lm *e, uint32_t seq, const int32_t *fed, size_t n) {
    if (sz_session_length(e->session, seq) < e->about.context)
        return SZ_OK;
    SZ_TRY(sz_session_truncate(e->session, seq, 0));
    sz_span first = {.seq = seq, .ids = fed, .n = 1, .want = SZ_NONE};
    SZ_TRY(sz_session_forward(e->session, &first, 1));
    for (size_t at = n - e->about.overlap; at < n;) {
        sz_span again = {.seq = seq, .ids = fed + at, .want = SZ_NONE};
        again.n = n - at < e->chunk ? (uint32_t)(n - at) : e->chunk;
        SZ_TRY(sz_session_forward(e->session, &again, 1));
        at += again.n;
    }
    return SZ_OK;
}

static size_t n_segments(const void *self, size_t n) {
    const sz_lm *e = self;
    if (e->n_segments)
        return e->n_segments < n ? e->n_segments : n;
    size_t pieces = (n + SEGMENT - 1) / SEGMENT;
    return pieces < SZ_LM_BATCH ? pieces : SZ_LM_BATCH;
}

static size_t batch(const void *self) {
    return SZ_LM_BATCH;
}

static void describe(const void *self, sz_buf *b) {
    const sz_lm *e = self;
    sz_lm_about_write(&e->about, b);
}

static void free_engine(void *self) {
    sz_lm *e = self;
    sz_session_free(e->session);
    for (int i = 0; e->freq && i < sz_runtime_threads(e->rt); i++)
        sz_free(e->freq[i]);
    sz_free(e->freq);
    sz_free(e);
}

const sz_predictor_kind sz_predictor_lm = {.name = "lm",
                                           .id = SZ_PREDICTOR_LM,
                                           .window = WINDOW,
                                           .n_segments = n_segments,
                                           .batch = batch,
                                           .describe = describe,
                                           .encode = sz_lm_encode_segments,
                                           .decode = sz_lm_decode_segments,
                                           .free = free_engine};

static sz_status make_scratch(sz_lm *e) {
    int n = sz_runtime_threads(e->rt);
    e->freq = sz_calloc((size_t)n, sizeof *e->freq);
    for (int i = 0; e->freq && i < n; i++) {
        e->freq[i] = sz_alloc((e->n_vocab + 1) * sizeof **e->freq);
        SZ_REQUIRE(e->freq[i], SZ_E_NOMEM, "no memory for %zu frequencies", e->n_vocab);
    }
    SZ_REQUIRE(e->freq, SZ_E_NOMEM, "no memory for %d threads", n);
    return SZ_OK;
}

static sz_status make_session(sz_lm *e) {
    sz_session_config config = {.size = sizeof config,
                                .context = e->about.context,
                                .n_sequences = SZ_LM_BATCH,
                                .chunk = e->chunk,
                                .kv_type = SZ_KV_F16};
    SZ_TRY(sz_session_new(e->model, &config, &e->session));
    for (int i = 1; i < SZ_LM_BATCH; i++)
        SZ_TRY(sz_session_add(e->session, &e->sequences[i]));
    return SZ_OK;
}

static sz_status begin(sz_lm *e) {
    sz_model_info info;
    sz_model_get_info(e->model, &info);
    e->n_vocab = info.n_vocab;
    SZ_REQUIRE(e->n_vocab >= 2 && e->n_vocab < SZ_FREQ_MOST, SZ_E_UNSUPPORTED,
               "a vocabulary of %u tokens: up to %d can be coded", info.n_vocab, SZ_FREQ_MOST - 1);
    e->begin = info.bos >= 0 ? info.bos : info.eos >= 0 ? info.eos : 0;
    size_t fits = LOGIT_FLOATS / e->n_vocab;
    e->chunk = fits < 16 ? 16 : fits > MOST_CHUNK ? MOST_CHUNK : (uint32_t)(fits / 16 * 16);
    SZ_TRY(make_scratch(e));
    return make_session(e);
}

sz_status sz_predictor_lm_new(sz_model *model, sz_runtime *rt, const sz_lm_about *about,
                              sz_predictor *out) {
    sz_lm *e = sz_calloc(1, sizeof *e);
    SZ_REQUIRE(e, SZ_E_NOMEM, "no memory for the engine");
    e->model = model;
    e->rt = rt;
    e->tokenizer = sz_model_tokenizer(model);
    e->about = *about;
    sz_status status = begin(e);
    if (status != SZ_OK) {
        free_engine(e);
        return status;
    }
    *out = (sz_predictor){&sz_predictor_lm, e};
    return SZ_OK;
}

void sz_predictor_lm_watch(sz_predictor *p, sz_lm_cost_fn fn, void *user) {
    sz_lm *e = p->self;
    e->cost = fn;
    e->cost_user = user;
}

void sz_predictor_lm_split(sz_predictor *p, size_t n_segments) {
    sz_lm *e = p->self;
    e->n_segments = n_segments < SZ_LM_BATCH ? n_segments : SZ_LM_BATCH;
}
