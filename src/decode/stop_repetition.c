/* stop_repetition.c: a text ends where it goes round in a circle: its end is one piece of a few
 * tokens, over and over. */
#include <szilard/unstable/stop.h>

static const sz_option options[] = {
    {"times", "how often the piece stands there", .value = 3, .min = 2, .max = 1000, .whole = true},
    {"period", "tokens of the longest piece that is looked for", .value = 64, .min = 1, .max = 4096,
     .whole = true},
    {"tokens", "tokens that all repetitions have together, at least", .value = 24, .min = 2,
     .max = 65536, .whole = true},
    {0},
};

/* Tokens at the end that equal those `period` before them. */
static size_t run_of(const sz_stop_input *in, size_t period) {
    size_t run = 0;
    while (run + period < in->n &&
           in->text[in->n - 1 - run].id == in->text[in->n - 1 - run - period].id)
        run++;
    return run;
}

static sz_stop_verdict look(const double *v, double *memory, const sz_stop_input *in,
                            sz_stop_reason *reason) {
    size_t times = (size_t)v[0], most = (size_t)v[1], least = (size_t)v[2];
    for (size_t period = 1; period <= most && period * times <= in->n; period++) {
        size_t repeated = run_of(in, period) + period;
        if (repeated < period * times || repeated < least)
            continue;
        reason->quantity = "tokens of a piece that is repeated";
        reason->figure = (double)repeated;
        reason->limit = (double)(period * times > least ? period * times : least);
        return SZ_STOP_TEXT;
    }
    return SZ_STOP_GO;
}

const sz_stop_kind sz_stop_repetition = {
    .name = "repetition",
    .help = "the end of the text is one piece over and over",
    .options = options,
    .look = look,
};
