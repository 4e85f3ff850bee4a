/* stop_entropy.c: a text ends where the model has lost its way, or has nothing left to decide: by
 * the mean entropy of its own distribution over a window. */
#include <szilard/unstable/stop.h>

static const sz_option options[] = {
    {"window", "tokens that the mean goes over", .value = 16, .min = 1, .max = 65536,
     .whole = true},
    {"above", "ends where the mean entropy exceeds this many nats; 0 is off", .value = 4,
     .max = 100},
    {"below", "ends where it is less than this; 0 is off", .max = 100},
    {0},
};

static double entropy(const sz_token *t) {
    return (double)t->entropy;
}

static sz_stop_verdict look(const double *v, double *memory, const sz_stop_input *in,
                            sz_stop_reason *reason) {
    double mean, above = v[1], below = v[2];
    if (!sz_stop_window_mean(in, (size_t)v[0], entropy, &mean))
        return SZ_STOP_GO;
    if (!(above > 0 && mean > above) && !(mean < below))
        return SZ_STOP_GO;
    reason->quantity = "mean entropy of the window, nats";
    reason->figure = mean;
    reason->limit = mean < below ? below : above;
    return SZ_STOP_TEXT;
}

const sz_stop_kind sz_stop_entropy = {
    .name = "entropy",
    .help = "the mean entropy over a window is out of bounds",
    .options = options,
    .look = look,
};
