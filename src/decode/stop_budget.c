/* stop_budget.c: a text ends where it has told so many nats: the sum of the surprisals of its
 * tokens, or of the entropies that they were drawn from. */
#include <szilard/unstable/stop.h>

enum { SURPRISAL, ENTROPY, DRAW_ENTROPY };

static const sz_option options[] = {
    {"nats", "what may be spent", .value = 100, .max = 1e9},
    {"of", "what is summed up", .max = 2, .words = "surprisal|entropy|draw-entropy"},
    {0},
};

static sz_stop_verdict look(const double *v, double *memory, const sz_stop_input *in,
                            sz_stop_reason *reason) {
    static const char *const quantities[] = {"sum of surprisals, nats", "sum of entropies, nats",
                                             "sum of entropies drawn from, nats"};
    const sz_token *t = &in->text[in->n - 1];
    if (!(t->flags & SZ_TOKEN_GENERATED))
        return SZ_STOP_GO;
    memory[0] += v[1] == SURPRISAL ? (double)t->surprisal
                 : v[1] == ENTROPY ? (double)t->entropy
                                   : (double)t->draw_entropy;
    if (memory[0] < v[0])
        return SZ_STOP_GO;
    reason->quantity = quantities[(size_t)v[1]];
    reason->figure = memory[0];
    reason->limit = v[0];
    return SZ_STOP_TEXT;
}

const sz_stop_kind sz_stop_budget = {
    .name = "budget",
    .help = "a sum over the text's tokens reaches so many nats",
    .options = options,
    .look = look,
};
