/* fuzz_setting.c: any bytes as a chain of samplers (first byte s) or as stop rules (r). What is
 * accepted must work: the chain on a row of logits, the rules on a text, with no model at hand. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/sampler.h>
#include <szilard/unstable/stop.h>

enum { VOCAB = 40, LENGTH = 12 };

static void need(bool what) {
    if (!what)
        abort();
}

static void draw_with(sz_chain *chain) {
    static sz_runtime *rt;
    static sz_candidates c;
    static float logits[VOCAB];
    sz_token text[LENGTH] = {{0}};
    sz_logit_stats stats;
    if (!rt) {
        need(sz_runtime_new(&(sz_runtime_config){.n_threads = 1}, &rt) == SZ_OK);
        need(sz_candidates_new(rt, VOCAB, &c) == SZ_OK);
    }
    sz_chain_set_explained(chain, true);
    for (size_t at = 0; at < LENGTH; at++) {
        for (size_t i = 0; i < VOCAB; i++)
            logits[i] = i % 7 == 3 ? -INFINITY : (float)((i * 13 + at * 5) % 17) - 4;
        need(sz_logits_measure(rt, logits, VOCAB, 1.0f, &stats) == SZ_OK);
        sz_sampler_input in = {
            .history = text, .n_history = at, .stats = &stats, .logits = logits, .seed = 1};
        if (sz_chain_draw(chain, &in, VOCAB, &c, &text[at]) != SZ_OK)
            return; /* such as bans of all tokens */
        need(c.n >= 1 && c.n <= VOCAB && text[at].id >= 0 && text[at].id < VOCAB);
        for (size_t i = 1; i < c.n; i++)
            need(c.id[i] > c.id[i - 1]);
        sz_chain_accept(chain, &text[at]);
    }
}

static void read_chain(const char *text) {
    sz_chain *chain = NULL, *copy;
    if (sz_chain_parse(text, &chain) != SZ_OK) {
        need(!chain && sz_last_error()[0]);
        return;
    }
    need(sz_chain_clone(chain, &copy) == SZ_OK);
    draw_with(chain);
    draw_with(copy);
    sz_chain_free(chain);
    sz_chain_free(copy);
}

static void read_rules(const char *text) {
    sz_stops *stops = NULL;
    sz_token tokens[LENGTH] = {{0}};
    sz_stop_reason reason;
    if (sz_stops_parse(text, &stops) != SZ_OK) {
        need(!stops && sz_last_error()[0]);
        return;
    }
    for (size_t n = 1; n <= LENGTH; n++) {
        tokens[n - 1] = (sz_token){.id = (int32_t)(n % 2),
                                   .flags = SZ_TOKEN_GENERATED,
                                   .surprisal = 2,
                                   .entropy = (float)n};
        sz_stop_input in = {.text = tokens, .n = n, .n_vocab = VOCAB, .thinking = n > 4};
        if (sz_stops_look(stops, &in, &reason) != SZ_STOP_GO)
            need(reason.rule[0] && reason.quantity[0]);
    }
    sz_stops_free(stops);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1 || size > 4096)
        return 0;
    char text[4097];
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (data[0] == 'r')
        read_rules(text);
    else
        read_chain(text);
    return 0;
}
