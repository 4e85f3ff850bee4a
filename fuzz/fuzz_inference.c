/* fuzz_inference.c: any bytes as a probabilistic program: it is refused or runs within its bounds,
 * and twice alike. */
#include <stdlib.h>
#include <szilard/unstable/inference.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Few segments, so that a loop of scores ends soon. */
static sz_status run(const sz_program *p, sz_weighted *out) {
    sz_draws draws = {1, 2, 0};
    sz_move_source source = sz_move_source_of(&draws);
    sz_trace t = {0};
    sz_status status = sz_trace_replay(p, NULL, 0, 100, &source, NULL, &t);
    *out = t.run;
    sz_trace_free(&t);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sz_script *s;
    if (size > 4096 || sz_script_compile((const char *)data, size, &s) != SZ_OK)
        return 0;
    sz_program p = sz_script_program(s);
    sz_weighted a = {0}, b = {0};
    sz_status first = run(&p, &a), second = run(&p, &b);
    if (first != second || a.n_steps != b.n_steps ||
        (first == SZ_OK && a.log_weight != b.log_weight))
        abort();
    sz_script_free(s);
    return 0;
}
