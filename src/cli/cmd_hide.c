/* cmd_hide.c: `szilard hide`: a message within a text that a model writes. */
#include "hiding.h"
#include <string.h>
#include <unistd.h>

enum { OPT_SENTENCE = 256 };

typedef struct settings {
    sz_hiding_options hiding;
    size_t max_tokens;
    bool sentence;
} settings;

static const struct argp_option options[] = {
    {"max-tokens", 'n', "N", 0, "Most tokens of the text; default: what the context holds", 0},
    {"sentence", OPT_SENTENCE, NULL, 0, "Go on to the end of a sentence, within 128 tokens", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &s->hiding;
        return 0;
    case 'n':
        s->max_tokens = (size_t)sz_cli_int(state, "--max-tokens", arg, 1, INT32_MAX);
        return 0;
    case OPT_SENTENCE:
        s->sentence = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&sz_argp_hiding, 0, NULL, 0}, {0}};
const struct argp sz_argp_hide = {
    options,
    parse,
    "[MESSAGE|-]",
    "Hides a message, any file, in a text that the model writes. The message is encrypted "
    "(ChaCha20, "
    "Poly1305), and its bits choose the tokens, each exactly with the probability that the "
    "samplers "
    "give it: without the key the text is an ordinary sample. 'szilard reveal' with the same "
    "model, "
    "prompt, samplers and key reads it back, on any machine."
    "\v"
    "End-of-text and other control tokens are never drawn: the text goes on until the message is "
    "placed. It must arrive byte for byte, and whoever can tell the model's texts from people's "
    "still sees a model's text. Use each key for one pair of people; a nonce makes every text "
    "fresh.\n\n"
    "EXAMPLES\n"
    "  head -c 32 /dev/urandom > key\n"
    "  echo 'Meet me at noon.' | szilard hide -m smollm2 -k key -p \"Tell me about tea.\" > "
    "tea.txt\n"
    "  szilard reveal -m smollm2 -k key -p \"Tell me about tea.\" tea.txt\n"
    "  szilard hide -m smollm2 -k key --raw -p \"The sea\" --temp 1 --top-p 1 --min-p 0 --sentence "
    "note.txt\n"
    "  szilard hide -m smollm2 -k key -p Tea. --wire tokens --json note.txt | jq .bits_per_token\n",
    children,
    NULL,
    NULL};

typedef struct result {
    size_t n_message, n_bits;
} result;

static double bits(double nats) {
    return sz_unit_convert(nats, SZ_BIT);
}

static void put_ids(sz_buf *b, const sz_cover *c, const char *separator) {
    for (size_t i = 0; i < c->n_ids; i++)
        sz_buf_printf(b, "%s%d", i ? separator : "", c->ids[i]);
}

static void put_member(sz_buf *b, const char *name, double value) {
    sz_buf_printf(b, ",\"%s\":", name);
    sz_json_number(b, value);
}

static sz_status print_json(const sz_hiding *h, const settings *s, const result *r) {
    const sz_cover *c = &h->cover;
    sz_buf b = {0};
    sz_buf_puts(&b, "{\"text\":");
    sz_json_quote(&b, c->text.data, c->text.len);
    sz_buf_puts(&b, ",\"ids\":[");
    put_ids(&b, c, ",");
    sz_buf_printf(&b, "],\"wire\":\"%s\",\"engine\":\"%s\",\"sampler\":",
                  s->hiding.tokens ? "tokens" : "text", s->hiding.iterative ? "fimec" : "range");
    sz_json_quote(&b, h->chain, strlen(h->chain));
    put_member(&b, "message_bytes", (double)r->n_message);
    put_member(&b, "tokens", (double)c->n_ids);
    put_member(&b, "placed_bits", (double)r->n_bits);
    put_member(&b, "surprisal_bits", bits(c->surprisal));
    put_member(&b, "entropy_bits", bits(c->entropy));
    put_member(&b, "bits_per_token", (double)r->n_bits / (double)c->n_ids);
    put_member(&b, "efficiency", (double)r->n_bits / bits(c->surprisal));
    if (!s->hiding.iterative)
        put_member(&b, "distance_log2", sz_hide_distance_log2(c->n_ids));
    sz_buf_puts(&b, "}\n");
    sz_status status =
        b.failed ? sz_fail(SZ_E_NOMEM, "no memory for the output") : sz_cli_flush(&b);
    sz_buf_free(&b);
    return status;
}

static void print_account(const sz_hiding *h, const settings *s, const result *r) {
    const sz_cover *c = &h->cover;
    double surprisal = bits(c->surprisal);
    if (isatty(STDOUT_FILENO) && isatty(STDERR_FILENO)) /* both on one screen: apart */
        fputc('\n', stderr);
    sz_cli_note("%zu bytes, sealed in %zu bits, in %zu tokens: %.2f bits a token, %.1f %% of what "
                "the text tells",
                r->n_message, r->n_bits, c->n_ids, (double)r->n_bits / (double)c->n_ids,
                100 * (double)r->n_bits / surprisal);
    if (!s->hiding.iterative)
        sz_cli_note("the text's law is within 2^%.0f of the samplers' (total variation)",
                    sz_hide_distance_log2(c->n_ids));
    sz_cli_note("secrecy is ChaCha20's; edits destroy the message");
    sz_buf clean = {0};
    if (!sz_utf8_clean(c->text.data, c->text.len, &clean))
        sz_cli_note("the text has bytes that are not UTF-8: send it as a file, or hide again");
    sz_buf_free(&clean);
}

static sz_status write_result(const sz_hiding *h, const settings *s, const result *r) {
    const sz_cover *c = &h->cover;
    sz_buf ids = {0};
    sz_status status = SZ_OK;
    if (s->hiding.json && !s->hiding.out)
        return print_json(h, s, r);
    if (s->hiding.tokens) {
        put_ids(&ids, c, " ");
        sz_buf_putc(&ids, '\n');
        status = ids.failed ? sz_fail(SZ_E_NOMEM, "no memory for the ids")
                            : sz_hiding_write(&s->hiding, ids.data, ids.len);
        sz_buf_free(&ids);
    } else {
        status = sz_hiding_write(&s->hiding, c->text.data, c->text.len);
    }
    if (status == SZ_OK && s->hiding.json)
        status = print_json(h, s, r);
    else if (status == SZ_OK && !s->hiding.quiet)
        print_account(h, s, r);
    return status;
}

static sz_status hide(const settings *s, sz_hiding *h) {
    sz_buf message = {0};
    result r = {0};
    SZ_TRY(sz_hiding_open(&s->hiding, h));
    sz_status status = sz_cli_read(s->hiding.file, &message);
    if (status == SZ_OK) {
        sz_hide_limits limits = sz_hiding_limits(h, "hiding");
        limits.max_tokens = s->max_tokens;
        limits.sentence = s->sentence;
        r.n_message = message.len;
        status = (s->hiding.iterative ? sz_hide_iterative : sz_hide)(
            &h->cover, &h->keys, message.data ? message.data : "", message.len, NULL, &limits,
            &r.n_bits);
        sz_progress_end(&h->progress);
    }
    if (message.data)
        memset(message.data, 0, message.len);
    sz_buf_free(&message);
    return status == SZ_OK ? write_result(h, s, &r) : status;
}

int sz_run_hide(int argc, char **argv) {
    settings s = {0};
    sz_hiding h = {0};
    sz_cli_parse(&sz_argp_hide, argc, argv, &s);
    sz_status status = hide(&s, &h);
    int exit_status = status == SZ_OK ? SZ_EXIT_OK : sz_cli_error();
    sz_hiding_close(&h);
    return exit_status;
}
