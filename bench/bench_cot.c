/* bench_cot.c: CoT information of all automata of three states as the truth, in turn.
 *
 *     bench_cot [truths]
 *
 * Pairs per second on 256 strings; and, as the floor, what reading the tables once for every truth
 * takes. peer_cot.py does the same with numpy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <szilard/unstable/cot.h>

int main(int argc, char **argv) {
    size_t truths = argc > 1 ? (size_t)atol(argv[1]) : 500;
    sz_cot_class *c;
    sz_cot_info info;
    if (sz_cot_class_automata(3, 2, 8, 0, 0, &c) != SZ_OK)
        return 1;
    uint64_t begin = sz_time_ns(), sum = 0;
    double nats = 0;
    for (size_t h = 0; h < truths; h++) {
        if (sz_cot_information(c, h, 0.05, 0.05, NULL, &info) != SZ_OK)
            return 1;
        nats += info.cot < 100 ? info.cot : 0;
    }
    double seconds = (double)(sz_time_ns() - begin) * 1e-9;
    size_t cells = c->n_hypotheses * c->n_inputs;
    begin = sz_time_ns();
    for (int repeat = 0; repeat < 20; repeat++)
        for (size_t i = 0; i < cells; i++)
            sum += c->y[i] + c->yz[i];
    double once = (double)(sz_time_ns() - begin) * 1e-9 / 20;
    printf(
        "%zu truths x %zu hypotheses x %zu strings: %.2f s, %.2f M pairs/s; all pairs would take "
        "%.2f s; %.2f times reading the tables for every truth (%llu, %.4f)\n",
        truths, c->n_hypotheses, c->n_inputs, seconds,
        (double)(truths * c->n_hypotheses) / seconds * 1e-6,
        seconds * (double)c->n_hypotheses / (double)truths, seconds / once / (double)truths,
        (unsigned long long)sum, nats);
    sz_cot_class_free(c);
    return 0;
}
