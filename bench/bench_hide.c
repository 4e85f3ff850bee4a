/* bench_hide.c: what hiding costs beside the model's own work.
 *
 *     bench_hide MODEL.gguf [THREADS]
 *
 * Microseconds per token of the law (samplers, frequencies, pools) with the coder, and of the
 * forward pass, in the same loop, for two chains and both wires; the least of 96 tokens.
 */
#include <stdio.h>
#include <stdlib.h>

#include "zip/hide.h"

enum { TOKENS = 96 };

static void check(sz_status status) {
    if (status != SZ_OK) {
        fprintf(stderr, "bench_hide: %s\n", sz_last_error());
        exit(1);
    }
}

static uint64_t counter;
static uint8_t next_byte(void *user) {
    return (uint8_t)(256 * sz_uniform(1, 9, counter++));
}

static double least(const double *v) {
    double least = v[0];
    for (size_t i = 1; i < TOKENS; i++)
        least = v[i] < least ? v[i] : least;
    return least;
}

static void measure(sz_runtime *rt, sz_model *model, const char *chain, bool as_tokens) {
    sz_session *session;
    sz_cover cover;
    sz_stego_drawer d;
    sz_stego_tracker t = {0};
    double law[TOKENS], pass[TOKENS];
    const sz_session_config config = {.context = 256, .n_sequences = 1};
    const sz_cover_config c = {.sampler = chain, .as_tokens = as_tokens};
    check(sz_session_new(model, &config, &session));
    check(sz_session_prompt(session, 0, "The sea was calm that morning, and"));
    check(sz_cover_open(rt, session, model, &c, &cover));
    sz_stego_begin(&d, next_byte, NULL);
    for (size_t i = 0; i < TOKENS; i++) {
        uint64_t start = sz_time_ns();
        check(sz_cover_law(&cover));
        size_t pool = sz_stego_draw(&d, cover.pool_cum, cover.n_pools);
        check(sz_stego_track(&t, cover.pool_cum, cover.n_pools, pool));
        size_t token = sz_cover_choose(&cover, pool);
        uint64_t middle = sz_time_ns();
        check(sz_cover_take(&cover, token));
        law[i] = (double)(middle - start) * 1e-3;
        pass[i] = (double)(sz_time_ns() - middle) * 1e-3;
    }
    double a = least(law), b = least(pass);
    printf("%-26s %-6s  law %7.0f us, pass %7.0f us: %5.1f %%\n", chain,
           as_tokens ? "tokens" : "text", a, b, 100 * a / b);
    sz_stego_free(&t);
    sz_cover_close(&cover);
    sz_session_free(session);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: bench_hide MODEL.gguf [THREADS]\n");
        return 2;
    }
    sz_runtime_config config = {.n_threads = argc > 2 ? atoi(argv[2]) : 1};
    sz_runtime *rt;
    sz_model *model;
    check(sz_runtime_new(&config, &rt));
    check(sz_model_open(rt, argv[1], NULL, &model));
    for (int as_tokens = 0; as_tokens < 2; as_tokens++) {
        measure(rt, model, "top-k 50, temperature 1", as_tokens);
        measure(rt, model, "temperature 1", as_tokens);
    }
    sz_model_close(model);
    sz_runtime_free(rt);
    return 0;
}
