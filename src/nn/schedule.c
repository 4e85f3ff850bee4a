/* schedule.c: the learning rate as a function of the step. */
#include <szilard/unstable/num.h>
#include <szilard/unstable/optimiser.h>

/* How far the decay has come: 0 before `first`, 1 from the last step on. */
static double progress(uint64_t step, uint64_t first, uint64_t steps) {
    if (step <= first)
        return 0;
    return step >= steps ? 1 : (double)(step - first) / (double)(steps - first);
}

double sz_schedule_at(const sz_schedule *s, uint64_t step) {
    if (step < s->warmup)
        return s->peak * (double)(step + 1) / (double)s->warmup;
    uint64_t first = s->warmup;
    if (s->kind == SZ_WSD)
        first = s->decay < s->steps ? s->steps - s->decay : 0;
    double x = progress(step, first < s->warmup ? s->warmup : first, s->steps), sine, cosine;
    if (s->kind == SZ_CONSTANT)
        return s->peak;
    if (s->kind != SZ_COSINE)
        return s->peak + (s->floor - s->peak) * x;
    sz_sincos(3.14159265358979323846 * x, &sine, &cosine);
    return s->floor + (s->peak - s->floor) * (1 + cosine) / 2;
}
