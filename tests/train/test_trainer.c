/* Runs of training: the same weights however they are computed, wherever they were interrupted, and
 * errors that lose nothing. */
#include "check.h"
#include "support/tiny_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <szilard/unstable/model.h>
#include <szilard/unstable/num.h>
#include <szilard/unstable/train.h>

static char folder[] = "/tmp/sz-train-XXXXXX";
static char paths[8][128];

static const char *in_folder(int slot, const char *name) {
    snprintf(paths[slot], sizeof paths[slot], "%s/%s", folder, name);
    return paths[slot];
}

static void write_text(const char *path, size_t lines) {
    FILE *f = fopen(path, "w");
    for (size_t i = 0; i < lines; i++)
        fprintf(f, "%zu times %zu is %zu.\n", i % 13, i % 7, i % 13 * (i % 7));
    fclose(f);
}

static sz_runtime *runtime(int threads, const char *isa) {
    sz_runtime *rt;
    SZ_CHECK_OK(sz_runtime_new(
        &(sz_runtime_config){.size = sizeof(sz_runtime_config), .n_threads = threads, .isa = isa},
        &rt));
    return rt;
}

static const sz_lm_shape shape = {
    .n_layer = 2, .n_embd = 32, .n_head = 4, .n_head_kv = 2, .n_ff = 48, .n_ctx = 32};

/* A model and tokens of a small text in the folder. */
static int set_up(void **state) {
    sz_gguf *g;
    sz_tokenizer *t;
    uint64_t n;
    assert_non_null(mkdtemp(folder));
    SZ_CHECK_OK(sz_lm_create(&shape, NULL, "tiny", 1, in_folder(0, "start.gguf")));
    SZ_CHECK_OK(sz_gguf_open(paths[0], &g));
    SZ_CHECK_OK(sz_tokenizer_from_gguf(g, &t));
    write_text(in_folder(1, "text"), 120);
    SZ_CHECK_OK(sz_tokens_write(t, (const char *[]){paths[1]}, 1, in_folder(2, "tokens.npy"), &n));
    assert_true(n > 1500);
    sz_tokenizer_free(t);
    sz_gguf_close(g);
    return 0;
}

static int tear_down(void **state) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static sz_train_config small(void) {
    return (sz_train_config){
        .batch = 3,
        .length = 24,
        .seed = 5,
        .hold_out = 0.1,
        .optimiser = {.kind = SZ_ADAMW, .weight_decay = 0.1, .clip_norm = 1, .ema_decay = 0.9},
        .schedule = {SZ_COSINE, 3e-3, 3e-4, 3, 40, 0}};
}

static sz_trainer *begin(sz_runtime *rt, const sz_train_config *c, sz_tokens *tokens) {
    sz_trainer *t;
    SZ_CHECK_OK(sz_tokens_open(in_folder(2, "tokens.npy"), tokens));
    SZ_CHECK_OK(sz_trainer_new(rt, in_folder(0, "start.gguf"), tokens, c, &t));
    return t;
}

static void end(sz_trainer *t, sz_tokens *tokens) {
    sz_trainer_free(t);
    sz_tokens_close(tokens);
}

static double run_steps(sz_trainer *t, int n) {
    sz_train_report r = {0};
    for (int i = 0; i < n; i++)
        SZ_CHECK_OK(sz_trainer_step(t, &r));
    return r.loss;
}

static void file_digest(const char *path, uint8_t out[32]) {
    sz_map m;
    sz_sha256 h;
    SZ_CHECK_OK(sz_map_open(path, &m));
    sz_sha256_init(&h);
    sz_sha256_update(&h, m.data, m.size);
    sz_sha256_final(&h, out);
    sz_map_close(&m);
}

/* Digest of all that a run is after n steps. */
static void digest_of(sz_trainer *t, uint8_t out[32]) {
    SZ_CHECK_OK(sz_trainer_save(t, in_folder(3, "digest.gguf")));
    file_digest(paths[3], out);
}

static void test_bits(void **state) {
    uint8_t want[32], got[32];
    sz_train_config c = small();
    sz_tokens tokens;
    bool first = true;
    for (const char *const *isa = sz_isa_available(); *isa; isa++)
        for (int threads = 1; threads <= (first || isa[1] == NULL ? 3 : 1); threads++) {
            sz_runtime *rt = runtime(threads, *isa);
            sz_trainer *t = begin(rt, &c, &tokens);
            run_steps(t, 4);
            digest_of(t, got);
            if (first)
                memcpy(want, got, sizeof want);
            assert_memory_equal(want, got, sizeof want);
            first = false;
            end(t, &tokens);
            sz_runtime_free(rt);
        }
}

/* A run that goes on from a file is the run itself, for every optimiser. */
static void test_resume(void **state) {
    for (int kind = SZ_SGD; kind <= SZ_MUON; kind++) {
        uint8_t want[32], got[32];
        sz_train_config c = small();
        sz_tokens tokens;
        sz_runtime *rt = runtime(2, NULL);
        c.optimiser.kind = (sz_optimiser_kind)kind;
        c.optimiser.beta1 = kind == SZ_SGD ? 0.9 : 0;
        sz_trainer *t = begin(rt, &c, &tokens);
        run_steps(t, 3);
        SZ_CHECK_OK(sz_trainer_save(t, in_folder(4, "checkpoint.gguf")));
        run_steps(t, 3);
        digest_of(t, want);
        end(t, &tokens);
        t = begin(rt, &c, &tokens);
        SZ_CHECK_OK(sz_trainer_load(t, in_folder(4, "checkpoint.gguf")));
        assert_int_equal(sz_trainer_steps(t), 3);
        run_steps(t, 3);
        digest_of(t, got);
        assert_memory_equal(want, got, sizeof want);
        end(t, &tokens);
        sz_runtime_free(rt);
    }
}

/* Layers computed again for their gradient: the same steps in less memory. Rounds add up to a
 * batch, but for rounding. */
static void test_memory(void **state) {
    sz_train_config plain = small(), again = small(), rounds = small();
    sz_runtime *rt = runtime(2, NULL);
    sz_train_report a, b, c;
    sz_tokens tokens;
    again.checkpoint = true;
    rounds.batch = 1;
    rounds.accumulate = 3;
    sz_trainer *t = begin(rt, &plain, &tokens);
    SZ_CHECK_OK(sz_trainer_step(t, &a));
    end(t, &tokens);
    t = begin(rt, &again, &tokens);
    SZ_CHECK_OK(sz_trainer_step(t, &b));
    end(t, &tokens);
    t = begin(rt, &rounds, &tokens);
    SZ_CHECK_OK(sz_trainer_step(t, &c));
    end(t, &tokens);
    assert_true(a.loss == b.loss && a.norm == b.norm);
    assert_true(b.arena_bytes < a.arena_bytes);
    SZ_CHECK_REL(c.loss, a.loss, 1e-6);
    SZ_CHECK_REL(c.norm, a.norm, 1e-4);
    sz_runtime_free(rt);
}

/* It learns, what it learned comes out of the file, and the engine computes the same from it. */
static void test_learning(void **state) {
    sz_train_config c = small();
    sz_runtime *rt = runtime(2, NULL);
    sz_tokens tokens;
    double before, after, sum = 0;
    uint64_t n;
    c.schedule = (sz_schedule){SZ_CONSTANT, 1e-2, 0, 5, 0, 0};
    c.optimiser.ema_decay = 0;
    sz_trainer *t = begin(rt, &c, &tokens);
    SZ_CHECK_OK(sz_trainer_validate(t, 0, &before, &n));
    SZ_CHECK_ABS(before, log(257), 0.1);
    run_steps(t, 120);
    SZ_CHECK_OK(sz_trainer_validate(t, 1, &after, &n));
    assert_true(after < 1.5 && n == 24);
    SZ_CHECK_OK(sz_trainer_export(t, "learned", false, in_folder(4, "model.gguf")));
    sz_model *m;
    sz_session *s;
    const sz_token *records;
    size_t n_records;
    SZ_CHECK_OK(sz_model_open(rt, paths[4], NULL, &m));
    SZ_CHECK_OK(sz_session_new(m,
                               &(sz_session_config){.size = sizeof(sz_session_config),
                                                    .context = 32,
                                                    .kv_type = SZ_KV_F32,
                                                    .score_prompts = true},
                               &s));
    uint64_t windows = (tokens.n - 1) / 24, held = (uint64_t)((double)windows * 0.1);
    const int32_t *window = tokens.ids + (windows - held) * 24;
    SZ_CHECK_OK(sz_session_prompt_ids(s, 0, window, 25));
    SZ_CHECK_OK(sz_session_records(s, 0, &records, &n_records));
    for (size_t i = 1; i < n_records; i++)
        sum += (double)records[i].surprisal / 24;
    SZ_CHECK_REL(sum, after, 1e-4);
    sz_session_free(s);
    sz_model_close(m);
    end(t, &tokens);
    sz_runtime_free(rt);
}

/* Every architecture learns from its file; a batch is learned by heart. */
static void test_architectures(void **state) {
    static const char *const archs[] = {"llama", "qwen2", "qwen3", "gemma3"};
    sz_runtime *rt = runtime(2, NULL);
    int32_t ids[33];
    for (int i = 0; i < 33; i++)
        ids[i] = (i * 37 + 11) % 251;
    sz_tokens tokens = {ids, 33, {0}};
    for (int i = 0; i < 4; i++) {
        char path[TINY_MODEL_PATH];
        sz_train_config c = {.batch = 1,
                             .length = 32,
                             .optimiser = {.kind = SZ_ADAMW},
                             .schedule = {SZ_CONSTANT, 5e-3, 0, 0, 0, 0}};
        sz_trainer *t;
        SZ_CHECK_OK(tiny_model_make(
            &(tiny_model){.arch = archs[i], .type = SZ_Q8_0, .untied = i == 1}, path));
        SZ_CHECK_OK(sz_trainer_new(rt, path, &tokens, &c, &t));
        double loss = run_steps(t, i == 3 ? 60 : 200);
        if (!(loss < (i == 3 ? 0.5 : 1e-3)))
            fail_msg("%s: loss %g", archs[i], loss);
        SZ_CHECK_OK(sz_trainer_export(t, NULL, false, in_folder(4, "model.gguf")));
        sz_model *m;
        SZ_CHECK_OK(sz_model_open(rt, paths[4], NULL, &m));
        sz_model_close(m);
        sz_trainer_free(t);
        unlink(path);
    }
    sz_runtime_free(rt);
}

static void test_shuffle(void **state) {
    static bool seen[1000];
    for (uint64_t n = 1; n < 1000; n += 1 + n / 5) {
        memset(seen, 0, sizeof seen);
        for (uint64_t i = 0; i < n; i++) {
            uint64_t x = sz_shuffle(7, n % 3, n, i);
            assert_true(x < n && !seen[x]);
            seen[x] = true;
        }
    }
    int same = 0;
    for (uint64_t i = 0; i < 1000; i++)
        same += sz_shuffle(7, 0, 1000, i) == sz_shuffle(7, 1, 1000, i);
    assert_true(same < 20);
}

/* ---- Bad input
 * -----------------------------------------------------------------------------------
 */

static void expect(sz_status got, sz_status want, const char *text) {
    if (got != want || !strstr(sz_last_error(), text))
        fail_msg("%s: %s", sz_status_name(got), sz_last_error());
}

static void test_bad_tokens(void **state) {
    sz_runtime *rt = runtime(1, NULL);
    sz_train_config c = small();
    sz_trainer *t;
    int32_t ids[40] = {0};
    sz_tokens tokens = {ids, 0, {0}}, file;
    const char *model = in_folder(0, "start.gguf");
    expect(sz_trainer_new(rt, model, &tokens, &c, &t), SZ_E_ARG, "0 tokens are too few");
    tokens.n = 24;
    expect(sz_trainer_new(rt, model, &tokens, &c, &t), SZ_E_ARG, "24 tokens are too few");
    tokens.n = 40;
    ids[33] = 257;
    expect(sz_trainer_new(rt, model, &tokens, &c, &t), SZ_E_ARG, "token 257 at place 33");
    c.length = 33;
    expect(sz_trainer_new(rt, model, &tokens, &c, &t), SZ_E_ARG, "context of 32");
    c = small();
    c.optimiser.beta1 = 2;
    ids[33] = 0;
    expect(sz_trainer_new(rt, model, &tokens, &c, &t), SZ_E_ARG, "beta1");
    sz_map m;
    FILE *f = fopen(in_folder(4, "cut.npy"), "w");
    SZ_CHECK_OK(sz_map_open(in_folder(2, "tokens.npy"), &m));
    for (size_t n = 0; n <= 2000; n += n < 140 ? 1 : 61) {
        f = freopen(paths[4], "w", f);
        fwrite(m.data, 1, n, f);
        fflush(f);
        sz_status status = sz_tokens_open(paths[4], &file);
        assert_true(status == SZ_E_FORMAT || status == SZ_E_IO || status == SZ_E_ARG);
    }
    sz_map_close(&m);
    f = freopen(in_folder(4, "empty.txt"), "w", f);
    fclose(f);
    sz_gguf *g;
    sz_tokenizer *k;
    uint64_t n;
    SZ_CHECK_OK(sz_gguf_open(model, &g));
    SZ_CHECK_OK(sz_tokenizer_from_gguf(g, &k));
    expect(sz_tokens_write(k, (const char *[]){paths[4]}, 1, in_folder(5, "none.npy"), &n),
           SZ_E_ARG, "is empty");
    assert_int_not_equal(access(paths[5], F_OK), 0);
    sz_tokenizer_free(k);
    sz_gguf_close(g);
    sz_runtime_free(rt);
}

/* A checkpoint that is cut, altered or of another run changes nothing. */
static void test_bad_checkpoints(void **state) {
    sz_runtime *rt = runtime(2, NULL);
    sz_train_config c = small();
    sz_tokens tokens;
    uint8_t before[32], after[32];
    sz_trainer *t = begin(rt, &c, &tokens);
    run_steps(t, 2);
    SZ_CHECK_OK(sz_trainer_save(t, in_folder(4, "checkpoint.gguf")));
    run_steps(t, 1);
    digest_of(t, before);
    sz_buf b = {0};
    SZ_CHECK_OK(sz_file_read(paths[4], 1 << 24, &b));
    for (size_t n = 0; n < b.len; n += b.len / 40 + 1) { /* cut short */
        FILE *f = fopen(in_folder(5, "cut.gguf"), "w");
        fwrite(b.data, 1, n, f);
        fclose(f);
        assert_int_not_equal(sz_trainer_load(t, paths[5]), SZ_OK);
    }
    for (size_t at = b.len - 1; at > b.len / 2; at -= b.len / 9) { /* one bit is wrong */
        FILE *f = fopen(in_folder(5, "cut.gguf"), "w");
        b.data[at] ^= 1;
        fwrite(b.data, 1, b.len, f);
        fclose(f);
        b.data[at] ^= 1;
        assert_int_not_equal(sz_trainer_load(t, paths[5]), SZ_OK);
    }
    digest_of(t, after);
    assert_memory_equal(before, after, sizeof after);
    end(t, &tokens);
    c.batch = 2;
    t = begin(rt, &c, &tokens);
    expect(sz_trainer_load(t, in_folder(4, "checkpoint.gguf")), SZ_E_ARG, "batch 3");
    assert_int_equal(sz_trainer_load(t, in_folder(0, "start.gguf")), SZ_E_NOTFOUND);
    end(t, &tokens);
    sz_buf_free(&b);
    sz_runtime_free(rt);
}

/* A loss that is not finite moves no weight; nor does a full disk spoil the file before. */
static void test_failures(void **state) {
    sz_runtime *rt = runtime(2, NULL);
    sz_train_config c = small();
    sz_tokens tokens;
    sz_train_report r;
    c.schedule = (sz_schedule){SZ_CONSTANT, 1e30, 0, 0, 0, 0};
    c.optimiser = (sz_optimiser_config){.kind = SZ_SGD};
    sz_trainer *t = begin(rt, &c, &tokens);
    sz_status status = SZ_OK;
    for (int i = 0; i < 5 && status == SZ_OK; i++)
        status = sz_trainer_step(t, &r);
    expect(status, SZ_E_NAN, "not finite");
    uint8_t before[32], after[32];
    digest_of(t, before);
    assert_int_equal(sz_trainer_step(t, &r), SZ_E_NAN);
    digest_of(t, after);
    assert_memory_equal(before, after, sizeof after);
    expect(sz_trainer_save(t, "/dev/full"), SZ_E_IO, "full");
    expect(sz_trainer_save(t, in_folder(5, "no/such/folder.gguf")), SZ_E_IO, "folder.gguf");
    sz_runtime_cancel(rt);
    assert_int_equal(sz_trainer_step(t, &r), SZ_E_CANCELLED);
    end(t, &tokens);
    sz_runtime_free(rt);
}

static void test_shapes(void **state) {
    const sz_lm_shape wrong[] = {{.n_embd = 33},
                                 {.n_embd = 32, .n_head = 5},
                                 {.n_head = 4, .n_head_kv = 3},
                                 {.n_layer = 100000}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(sz_lm_create(&wrong[i], NULL, "x", 1, in_folder(5, "x.gguf")), SZ_E_ARG);
    assert_int_not_equal(access(paths[5], F_OK), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits),          cmocka_unit_test(test_resume),
        cmocka_unit_test(test_memory),        cmocka_unit_test(test_learning),
        cmocka_unit_test(test_architectures), cmocka_unit_test(test_shuffle),
        cmocka_unit_test(test_bad_tokens),    cmocka_unit_test(test_bad_checkpoints),
        cmocka_unit_test(test_failures),      cmocka_unit_test(test_shapes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
