/* test_session.c: sequences that forget: what is gathered, what attention sees of it, and what such
 * a sequence can still do. */
#include "check.h"
#include "decode/session.h"
#include "support/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/cache.h>

enum { MORE = 20, LONGEST = 240 };

static int32_t ids[LONGEST];

static sz_session *new_session(const engine *e, sz_kv_type type, uint32_t chunk) {
    sz_session *s;
    SZ_CHECK_OK(sz_session_new(
        e->model, &(sz_session_config){.kv_type = type, .chunk = chunk, .context = LONGEST}, &s));
    return s;
}

/* Positions of every head: those for which keeps(i, position) holds. */
static sz_kv_plan make_plan(const engine *e, uint32_t length, bool (*keeps)(size_t, uint32_t)) {
    const sz_hparams *h = &e->model->h;
    size_t n = (size_t)h->n_layer * h->n_head_kv, at = 0;
    sz_kv_plan p = {h->n_layer, h->n_head_kv, length, sz_calloc(n + 1, sizeof(size_t)),
                    sz_calloc(n * length + 1, sizeof(uint32_t))};
    for (size_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < length; j++)
            if (keeps(i, j))
                p.position[at++] = j;
        p.first[i + 1] = at;
    }
    return p;
}

static bool everything(size_t head, uint32_t position) {
    return true;
}
static bool ragged(size_t head, uint32_t position) { /* head 3 keeps nothing */
    return head != 3 && (position + 3 * head) % (2 + head % 5) == 0;
}

/* The rows of logits for `n` more tokens. */
static void continue_with(sz_session *s, uint32_t seq, const int32_t *more, uint32_t n,
                          float *rows) {
    sz_span span = {seq, more, n, SZ_ALL};
    SZ_CHECK_OK(sz_session_forward(s, &span, 1));
    for (uint32_t i = 0; i < n; i++)
        memcpy(rows + (size_t)i * 293, sz_session_logits(s, i), 293 * sizeof *rows);
}

static const sz_kv_type types[] = {SZ_KV_F32, SZ_KV_F16, SZ_KV_Q8_0};

/* ---- The cache ------------------------------------------------------------------------------- */

static bool same_position(const sz_kv *kv, const sz_kv_view *a, uint32_t i, const sz_kv_view *b,
                          uint32_t j, uint32_t dim) {
    size_t size = a->f16 ? 2 : 4, padded = (dim + 15) / 16 * 16;
    const char *ka = a->key, *kb = b->key, *va = a->value, *vb = b->value;
    for (size_t d = 0; d < dim; d++)
        if (memcmp(ka + (d * SZ_KV_BLOCK + i) * size, kb + (d * SZ_KV_BLOCK + j) * size, size) != 0)
            return false;
    return memcmp(va + i * padded * size, vb + j * padded * size, padded * size) == 0;
}

static void what_is_kept_is_what_was_there(void **state) {
    for (size_t t = 0; t < 3; t++) {
        engine e;
        SZ_CHECK_OK(engine_open_tiny(&(tiny_model){.head_dim = 24}, 1, NULL, &e));
        random_ids(1, 256, ids, LONGEST);
        sz_session *s = new_session(&e, types[t], 64);
        const uint32_t n = 150, dim = 24;
        uint32_t full;
        SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, n));
        SZ_CHECK_OK(sz_session_fork(s, 0, &full));
        sz_kv_plan p = make_plan(&e, n, ragged);
        SZ_CHECK_OK(sz_session_keep(s, 0, &p));
        assert_int_equal(sz_kv_base(s->kv, 0), n);
        float *scratch = sz_calloc(2 * sz_kv_scratch_floats(s->kv) + 1, sizeof *scratch);
        for (size_t i = 0; i < 4; i++) {
            uint32_t layer = (uint32_t)i / 2, head = (uint32_t)i % 2, n_kept;
            const uint32_t *position = sz_kv_kept_positions(s->kv, 0, layer, head, &n_kept);
            assert_int_equal(n_kept, p.first[i + 1] - p.first[i]);
            for (uint32_t j = 0; j < n_kept; j++) {
                uint32_t was = p.position[p.first[i] + j];
                assert_int_equal(position[j], was);
                sz_kv_view a = sz_kv_view_kept(s->kv, 0, j / 64, layer, head, scratch);
                sz_kv_view b = sz_kv_view_block(s->kv, full, was / 64, layer, head,
                                                scratch + sz_kv_scratch_floats(s->kv));
                assert_true(same_position(s->kv, &a, j % 64, &b, was % 64, dim));
            }
        }
        sz_free(scratch);
        sz_kv_plan_free(&p);
        sz_session_free(s);
        engine_close(&e);
    }
}

/* ---- Attention ------------------------------------------------------------------------------- */

/* Behind whole blocks the sums are the very same; elsewhere they are grouped otherwise. */
static void keeping_everything_changes_nothing(void **state) {
    static float want[MORE * 293], got[MORE * 293];
    for (size_t m = 0; m < n_architectures; m++)
        for (size_t t = 0; t < 3; t++)
            for (uint32_t n = 128; n <= 150; n += 22) {
                engine e;
                SZ_CHECK_OK(engine_open_tiny(&every_architecture[m], 1, NULL, &e));
                random_ids(m, 256, ids, LONGEST);
                sz_session *s = new_session(&e, types[t], 64);
                uint32_t full;
                SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, n));
                SZ_CHECK_OK(sz_session_fork(s, 0, &full));
                sz_kv_plan p = make_plan(&e, n, everything);
                SZ_CHECK_OK(sz_session_keep(s, 0, &p)); /* nothing to do */
                assert_int_equal(sz_kv_base(s->kv, 0), 0);
                SZ_CHECK_OK(sz_kv_keep(s->kv, 0, p.first, p.position));
                assert_int_equal(sz_kv_base(s->kv, 0), n);
                continue_with(s, full, ids + n, MORE, want);
                continue_with(s, 0, ids + n, MORE, got);
                bool exact = every_architecture[m].type == SZ_F32; /* activations are not rounded */
                for (size_t i = 0; n == 150 && i < MORE * 293; i++)
                    SZ_CHECK_ABS((double)got[i], (double)want[i], exact ? 1e-4 : 0.1);
                if (n == 128)
                    assert_memory_equal(got, want, sizeof want);
                sz_kv_plan_free(&p);
                sz_session_free(s);
                engine_close(&e);
            }
}

static uint32_t last_kept;
static bool the_last(size_t head, uint32_t position) {
    return position >= last_kept;
}

/* In one layer, keys and values do not depend on what is seen: the token after a prompt of which
 * the last W - 1 tokens are kept sees what a model with a window of W sees. */
static void forgotten_tokens_are_not_seen(void **state) {
    static float want[293], got[293], full[293];
    enum { W = 100 };
    for (uint32_t n = 128; n <= 200; n += 9) {
        engine a, b;
        tiny_model windowed = {.arch = "gemma3", .n_layer = 1, .window = W}, open = windowed;
        open.window = 10000;
        SZ_CHECK_OK(engine_open_tiny(&windowed, 1, NULL, &a));
        SZ_CHECK_OK(engine_open_tiny(&open, 1, NULL, &b));
        random_ids(n, 256, ids, LONGEST);
        sz_session *s = new_session(&a, SZ_KV_F32, 64), *r = new_session(&b, SZ_KV_F32, 64);
        uint32_t whole;
        SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, n));
        SZ_CHECK_OK(sz_session_prompt_ids(r, 0, ids, n));
        SZ_CHECK_OK(sz_session_fork(r, 0, &whole));
        last_kept = n - (W - 1);
        sz_kv_plan p = make_plan(&b, n, the_last);
        SZ_CHECK_OK(sz_session_keep(r, 0, &p));
        continue_with(s, 0, ids + n, 1, want);
        continue_with(r, 0, ids + n, 1, got);
        continue_with(r, whole, ids + n, 1, full);
        double off = 0, distance = 0;
        for (size_t i = 0; i < 293; i++) {
            off = fmax(off, fabs((double)got[i] - (double)want[i]));
            distance = fmax(distance, fabs((double)full[i] - (double)want[i]));
        }
        assert_true(off < 1e-4 && distance > 50 * off); /* and what is forgotten matters */
        sz_kv_plan_free(&p);
        sz_session_free(s);
        sz_session_free(r);
        engine_close(&a);
        engine_close(&b);
    }
}

static void the_same_bits_in_any_parts(void **state) {
    static float want[60 * 293], got[60 * 293];
    for (size_t m = 0; m < n_architectures; m++)
        for (int round = 0; round < 3; round++) {
            engine e;
            SZ_CHECK_OK(engine_open_tiny(&every_architecture[m], 1 + round, NULL, &e));
            random_ids(m, 256, ids, LONGEST);
            sz_session *s = new_session(&e, SZ_KV_F16, 64);
            SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, 150));
            sz_kv_plan p = make_plan(&e, 150, ragged);
            SZ_CHECK_OK(sz_session_keep(s, 0, &p));
            uint32_t part = round == 0 ? 60 : round == 1 ? 1 : 7;
            for (uint32_t at = 0; at < 60; at += part)
                continue_with(s, 0, ids + 150 + at, 60 - at < part ? 60 - at : part,
                              (round ? got : want) + at * 293);
            if (round)
                assert_memory_equal(got, want, sizeof want);
            sz_kv_plan_free(&p);
            sz_session_free(s);
            engine_close(&e);
        }
}

/* ---- The life of a sequence ------------------------------------------------------------------ */

static void forks_share_and_cuts_are_bounded(void **state) {
    static float a[MORE * 293], b[MORE * 293], c[MORE * 293];
    engine e;
    SZ_CHECK_OK(engine_open_tiny(&(tiny_model){0}, 1, NULL, &e));
    random_ids(2, 256, ids, LONGEST);
    sz_session *s = new_session(&e, SZ_KV_F16, 64);
    uint32_t fork, full;
    sz_token t;
    size_t kept;
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, 150));
    size_t whole = sz_session_kv_bytes(s);
    sz_kv_plan p = make_plan(&e, 150, ragged);
    SZ_CHECK_OK(sz_session_keep(s, 0, &p));
    size_t less = sz_session_kv_bytes(s);
    assert_true(less < whole);
    assert_int_equal(sz_session_keep(s, 0, &p), SZ_E_STATE);
    SZ_CHECK_OK(sz_session_fork(s, 0, &fork));
    assert_int_equal(sz_session_kv_bytes(s), less);
    continue_with(s, 0, ids + 150, MORE, a);
    SZ_CHECK_OK(sz_session_drop(s, 0));
    continue_with(s, fork, ids + 150, MORE, b);
    assert_memory_equal(a, b, sizeof a);

    assert_int_equal(sz_session_truncate(s, fork, 149), SZ_E_STATE);
    assert_non_null(strstr(sz_last_error(), "first 150 tokens"));
    SZ_CHECK_OK(sz_session_truncate(s, fork, 160)); /* behind the prompt all is there */
    SZ_CHECK_OK(sz_session_next(s, fork, &t));
    SZ_CHECK_OK(sz_session_truncate(s, fork, 150));
    assert_int_equal(sz_session_next(s, fork, &t), SZ_E_STATE);
    SZ_CHECK_OK(sz_session_prompt_ids(s, fork, ids + 150, 1));
    continue_with(s, fork, ids + 151, MORE - 1, b);
    assert_memory_equal(a + 293, b, sizeof a - 293 * sizeof *a);

    ids[20]++; /* another prompt: all of it is computed anew, and nothing forgotten */
    SZ_CHECK_OK(sz_session_sync(s, fork, ids, 150, &kept));
    assert_int_equal(kept, 0);
    SZ_CHECK_OK(sz_session_add(s, &full));
    SZ_CHECK_OK(sz_session_prompt_ids(s, full, ids, 150));
    continue_with(s, full, ids + 150, MORE, b);
    continue_with(s, fork, ids + 150, MORE, c);
    assert_memory_equal(b, c, sizeof b);
    SZ_CHECK_OK(sz_session_drop(s, full));
    SZ_CHECK_OK(sz_session_drop(s, fork));
    assert_int_equal(sz_session_kv_bytes(s), 0);
    sz_kv_plan_free(&p);
    sz_session_free(s);
    engine_close(&e);
}

static void wrong_plans_are_told(void **state) {
    engine e;
    SZ_CHECK_OK(engine_open_tiny(&(tiny_model){0}, 1, NULL, &e));
    random_ids(2, 256, ids, LONGEST);
    sz_session *s = new_session(&e, SZ_KV_F16, 64);
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, 100));
    sz_kv_plan p = make_plan(&e, 99, ragged), q = make_plan(&e, 100, ragged);
    assert_int_equal(sz_session_keep(s, 0, &p), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "99 tokens"));
    q.position[1] = q.position[0];
    assert_int_equal(sz_session_keep(s, 0, &q), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "layer 0, head 0"));
    q.position[1] = 1000;
    assert_int_equal(sz_session_keep(s, 0, &q), SZ_E_ARG);
    q.n_layer = 3;
    assert_int_equal(sz_session_keep(s, 0, &q), SZ_E_ARG);
    assert_int_equal(sz_session_keep(s, 1, &q), SZ_E_ARG);
    assert_int_equal(sz_kv_base(s->kv, 0), 0);
    sz_kv_plan_free(&p);
    sz_kv_plan_free(&q);
    sz_session_free(s);
    engine_close(&e);
}

/* ---- Observing ------------------------------------------------------------------------------- */

static void observations_do_not_depend_on_chunks(void **state) {
    for (size_t m = 0; m < n_architectures; m++) {
        sz_kv_watch *w[2];
        engine e;
        SZ_CHECK_OK(engine_open_tiny(&every_architecture[m], 2, NULL, &e));
        random_ids(m, 256, ids, LONGEST);
        const sz_hparams *h = &e.model->h;
        size_t heads = (size_t)h->n_layer * h->n_head_kv;
        const uint32_t n = 90, window = 11;
        unsigned needs = SZ_KV_NEEDS_RECENT_MASS | SZ_KV_NEEDS_TOTAL_MASS | SZ_KV_NEEDS_RANK;
        for (int i = 0; i < 2; i++) {
            sz_session *s = new_session(&e, SZ_KV_F32, i ? 7 : 512);
            SZ_CHECK_OK(sz_session_observe(s, 0, ids, n, needs, window, &w[i]));
            assert_int_equal(sz_session_length(s, 0), n);
            sz_session_free(s);
        }
        const sz_kv_prompt *a = sz_kv_watch_prompt(w[0]), *b = sz_kv_watch_prompt(w[1]);
        assert_memory_equal(a->recent_mass, b->recent_mass, heads * n * sizeof(double));
        assert_memory_equal(a->total_mass, b->total_mass, heads * n * sizeof(double));
        assert_memory_equal(a->rank, b->rank, heads * sizeof(double));
        double group = h->n_head / h->n_head_kv;
        for (size_t i = 0; i < heads; i++) { /* each row of attention is a distribution */
            double recent = 0, total = 0;
            for (size_t j = 0; j < n; j++) {
                recent += a->recent_mass[i * n + j];
                total += a->total_mass[i * n + j];
            }
            SZ_CHECK_REL(recent, window * group, 1e-5);
            SZ_CHECK_REL(total, n * group, 1e-5);
            assert_true(a->rank[i] >= 1 && a->rank[i] <= h->head_dim);
            assert_true(a->window[i / h->n_head_kv] == e.model->layers[i / h->n_head_kv].window);
        }
        sz_kv_watch_free(w[0]);
        sz_kv_watch_free(w[1]);
        engine_close(&e);
    }
}

static void every_policy_runs_on_every_architecture(void **state) {
    static float want[MORE * 293], got[MORE * 293];
    for (size_t m = 0; m < n_architectures; m++) {
        engine e;
        SZ_CHECK_OK(engine_open_tiny(&every_architecture[m], 1, NULL, &e));
        random_ids(m, 256, ids, LONGEST);
        for (const sz_kv_policy_kind *const *k = sz_kv_policy_kinds(); *k; k++)
            for (uint32_t budget = 40; budget <= 400; budget *= 10) {
                char text[64];
                sz_kv_policy policy;
                sz_kv_account a;
                sz_kv_loss loss;
                uint32_t full;
                bool none = strcmp((*k)->name, "none") == 0;
                const char *groups = strcmp((*k)->name, "uncomp") == 0 ? "groups=2" : "";
                snprintf(text, sizeof text, none ? "%s" : "%s budget=%u %s", (*k)->name, budget,
                         groups);
                SZ_CHECK_OK(sz_kv_policy_parse(text, &policy));
                sz_session *s = new_session(&e, SZ_KV_F16, 64);
                SZ_CHECK_OK(sz_session_prompt_kept(s, 0, ids, 200, &policy, &a));
                SZ_CHECK_OK(sz_session_add(s, &full));
                SZ_CHECK_OK(sz_session_prompt_ids(s, full, ids, 200));
                assert_true(a.length == 200 && a.least >= 1 && a.most <= 200);
                assert_true(a.n_kept <= a.n_full && a.bytes_kept <= a.bytes_full);
                SZ_CHECK_OK(sz_session_kv_loss(s, full, 0, ids + 200, MORE, &loss));
                assert_true(loss.n == MORE && loss.kl >= 0 && loss.kl_most >= loss.kl);
                if (none || budget == 400) {
                    if (loss.kl > 1e-12 || loss.excess != 0)
                        fail_msg("%s: kl %g, excess %g", text, loss.kl, loss.excess);
                    SZ_CHECK_OK(sz_session_truncate(s, full, 200));
                    SZ_CHECK_OK(sz_session_truncate(s, 0, 200));
                    continue_with(s, full, ids + 200, MORE, want);
                    continue_with(s, 0, ids + 200, MORE, got);
                    assert_memory_equal(want, got, sizeof want);
                    assert_true(a.bytes_kept == a.bytes_full);
                } else {
                    assert_true(a.bytes_kept < a.bytes_full);
                    sz_kv_loss again; /* from the end of the prompt once more */
                    SZ_CHECK_OK(sz_session_truncate(s, full, 200));
                    SZ_CHECK_OK(sz_session_truncate(s, 0, 200));
                    SZ_CHECK_OK(sz_session_kv_loss(s, full, 0, ids + 200, MORE, &again));
                    assert_true(again.kl == loss.kl && again.excess == loss.excess);
                }
                sz_session_free(s);
            }
        engine_close(&e);
    }
}

static bool wants_attention(void *user, sz_tap_kind kind, uint32_t layer, const float *data,
                            size_t n_rows, size_t n_cols) {
    return kind == SZ_TAP_ATTENTION;
}

static void misuse_is_told(void **state) {
    engine e;
    sz_kv_watch *w;
    sz_kv_policy policy;
    sz_kv_loss loss;
    SZ_CHECK_OK(engine_open_tiny(&(tiny_model){0}, 1, NULL, &e));
    random_ids(2, 256, ids, LONGEST);
    sz_session *s = new_session(&e, SZ_KV_F16, 64);
    unsigned recent = SZ_KV_NEEDS_RECENT_MASS;
    assert_int_equal(sz_session_observe(s, 0, ids, 0, 0, 0, &w), SZ_E_ARG);
    assert_int_equal(sz_session_observe(s, 0, ids, 9, recent, 0, &w), SZ_E_ARG);
    assert_int_equal(sz_session_observe(s, 0, ids, LONGEST + 1, recent, 8, &w), SZ_E_LIMIT);
    sz_session_set_tap(s, wants_attention, NULL);
    assert_int_equal(sz_session_observe(s, 0, ids, 9, recent, 8, &w), SZ_E_STATE);
    sz_session_set_tap(s, NULL, NULL);
    SZ_CHECK_OK(sz_kv_policy_parse("snapkv budget=20", &policy));
    SZ_CHECK_OK(sz_session_prompt_kept(s, 0, ids, 100, &policy, NULL));
    assert_int_equal(sz_session_observe(s, 0, ids, 9, recent, 8, &w), SZ_E_STATE);
    sz_session_set_tap(s, wants_attention, NULL);
    assert_int_equal(sz_session_prompt_ids(s, 0, ids, 3), SZ_E_UNSUPPORTED);
    assert_non_null(strstr(sz_last_error(), "tapped"));
    sz_session_set_tap(s, NULL, NULL);
    assert_int_equal(sz_session_length(s, 0), 100);
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, ids, 3));
    uint32_t other;
    SZ_CHECK_OK(sz_session_add(s, &other));
    assert_int_equal(sz_session_kv_loss(s, other, 0, ids, 3, &loss), SZ_E_STATE);
    assert_int_equal(sz_session_kv_loss(s, 0, 0, ids, 3, &loss), SZ_E_ARG);
    sz_session_free(s);
    engine_close(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_is_what_was_there),
        cmocka_unit_test(keeping_everything_changes_nothing),
        cmocka_unit_test(forgotten_tokens_are_not_seen),
        cmocka_unit_test(the_same_bits_in_any_parts),
        cmocka_unit_test(forks_share_and_cuts_are_bounded),
        cmocka_unit_test(wrong_plans_are_told),
        cmocka_unit_test(observations_do_not_depend_on_chunks),
        cmocka_unit_test(every_policy_runs_on_every_architecture),
        cmocka_unit_test(misuse_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
