/* stop_confidence.c: a text ends where the model is not sure enough, or is sure enough, of what it
 * says, by one of two quantities over a window:
 *     probability  the geometric mean of the drawn tokens' probabilities, exp(-mean surprisal)
 *     certainty    1 - H / ln V: 0 for a uniform distribution, 1 for a certain token */
#include <szilard/unstable/num.h>
#include <szilard/unstable/stop.h>

enum { PROBABILITY, CERTAINTY };

static const sz_option options[] = {
    {"quantity", "what confidence is", .max = 1, .words = "probability|certainty"},
    {"window", "tokens that the mean goes over", .value = 16, .min = 1, .max = 65536,
     .whole = true},
    {"below", "ends where confidence is less than this; 0 is off", .value = 0.1, .max = 1},
    {"above", "ends where it is more than this; 1 is off", .value = 1, .max = 1},
    {0},
};

static double surprisal(const sz_token *t) {
    return (double)t->surprisal;
}

static double entropy(const sz_token *t) {
    return (double)t->entropy;
}

static sz_stop_verdict look(const double *v, double *memory, const sz_stop_input *in,
                            sz_stop_reason *reason) {
    bool certainty = v[0] == CERTAINTY;
    double mean, below = v[2], above = v[3];
    if (!sz_stop_window_mean(in, (size_t)v[1], certainty ? entropy : surprisal, &mean))
        return SZ_STOP_GO;
    double most = sz_log((double)in->n_vocab);
    double confidence = !certainty ? sz_exp(-mean) : most > 0 ? 1 - mean / most : 1;
    if (!(confidence < below) && !(above < 1 && confidence > above))
        return SZ_STOP_GO;
    reason->quantity =
        certainty ? "1 - entropy / ln vocabulary" : "geometric mean of probabilities";
    reason->figure = confidence;
    reason->limit = confidence < below ? below : above;
    return SZ_STOP_TEXT;
}

const sz_stop_kind sz_stop_confidence = {
    .name = "confidence",
    .help = "confidence over a window is out of bounds",
    .options = options,
    .look = look,
};
