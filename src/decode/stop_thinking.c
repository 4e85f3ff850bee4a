/* stop_thinking.c: a budget for thoughts, in tokens or in nats of surprisal. The thought ends where
 * it is spent; the text goes on with the answer. */
#include <szilard/unstable/stop.h>

static const sz_option options[] = {
    {"tokens", "of a thought; 0: no bound", .value = 1024, .max = 1e9, .whole = true},
    {"nats", "sum of its surprisals; 0: no bound", .max = 1e9},
    {0},
};

static sz_stop_verdict look(const double *v, double *memory, const sz_stop_input *in,
                            sz_stop_reason *reason) {
    const sz_token *t = &in->text[in->n - 1];
    if (!in->thinking) {
        memory[0] = memory[1] = 0; /* the next thought has a budget of its own */
        return SZ_STOP_GO;
    }
    memory[0]++;
    memory[1] += t->flags & SZ_TOKEN_GENERATED ? (double)t->surprisal : 0;
    bool tokens = v[0] > 0 && memory[0] >= v[0], nats = v[1] > 0 && memory[1] >= v[1];
    if (!tokens && !nats)
        return SZ_STOP_GO;
    reason->quantity = tokens ? "tokens of the thought" : "surprisal of the thought, nats";
    reason->figure = tokens ? memory[0] : memory[1];
    reason->limit = tokens ? v[0] : v[1];
    return SZ_STOP_THOUGHT;
}

const sz_stop_kind sz_stop_thinking = {
    .name = "thinking",
    .help = "a thought has used up its budget: it ends, and the answer begins",
    .options = options,
    .look = look,
};
