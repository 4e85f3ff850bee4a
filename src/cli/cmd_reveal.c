/* cmd_reveal.c: `szilard reveal`: the message within a text that `szilard hide` wrote. */
#include "hiding.h"
#include "ids.h"
#include "record.h"
#include <string.h>

static error_t parse(int key, char *arg, struct argp_state *state) {
    if (key != ARGP_KEY_INIT)
        return ARGP_ERR_UNKNOWN;
    state->child_inputs[0] = state->input;
    return 0;
}

static const struct argp_option options[] = {{0}};
static const struct argp_child children[] = {{&sz_argp_hiding, 0, NULL, 0}, {0}};
const struct argp sz_argp_reveal = {
    options,
    parse,
    "[TEXT|-]",
    "Reads back the message that 'szilard hide' placed in a text. Model, prompt, samplers and key "
    "must be the sender's; threads and instruction set need not. What follows the message in the "
    "text does not matter, but every byte up to there does."
    "\v"
    "EXAMPLES\n"
    "  szilard reveal -m smollm2 -k key -p \"Tell me about tea.\" tea.txt\n"
    "  szilard reveal -m smollm2 -k key -p Tea. --wire tokens -o note.txt ids.txt\n",
    children,
    NULL,
    NULL};

static sz_status print_json(const sz_buf *message, const sz_cover *c) {
    sz_buf b = {0};
    sz_buf_printf(&b, "{\"message_bytes\":%zu,\"tokens\":%zu,\"text\":", message->len, c->n_ids);
    sz_json_quote(&b, message->data ? message->data : "", message->len);
    sz_bytes_put_unless_utf8(&b, ",\"bytes\":", message->data ? message->data : "", message->len);
    sz_buf_puts(&b, "}\n");
    sz_status status =
        b.failed ? sz_fail(SZ_E_NOMEM, "no memory for the output") : sz_cli_flush(&b);
    sz_buf_free(&b);
    return status;
}

static sz_status read_text(const sz_hiding_options *o, const sz_hiding *h, sz_buf *text,
                           int32_t **ids, sz_hidden *out) {
    SZ_TRY(sz_cli_read(o->file, text));
    *out = (sz_hidden){.text = text->data ? text->data : "", .n_text = text->len};
    if (!o->tokens)
        return SZ_OK;
    SZ_TRY(sz_ids_parse(o->file ? o->file : "standard input", out->text, out->n_text,
                        sz_tokenizer_n_vocab(h->cover.tokenizer), ids, &out->n_ids));
    out->ids = *ids;
    return SZ_OK;
}

static sz_status reveal(const sz_hiding_options *o, sz_hiding *h) {
    sz_buf text = {0}, message = {0};
    int32_t *ids = NULL;
    sz_hidden from;
    SZ_TRY(sz_hiding_open(o, h));
    sz_status status = read_text(o, h, &text, &ids, &from);
    if (status == SZ_OK) {
        sz_hide_limits limits = sz_hiding_limits(h, "revealing");
        status = (o->iterative ? sz_reveal_iterative : sz_reveal)(&h->cover, &h->keys, &from,
                                                                  &limits, &message);
        sz_progress_end(&h->progress);
    }
    if (status == SZ_OK && (!o->json || o->out))
        status = sz_hiding_write(o, message.data, message.len);
    if (status == SZ_OK && o->json)
        status = print_json(&message, &h->cover);
    sz_free(ids);
    sz_buf_free(&text);
    sz_buf_free(&message);
    return status;
}

int sz_run_reveal(int argc, char **argv) {
    sz_hiding_options o = {0};
    sz_hiding h = {0};
    sz_cli_parse(&sz_argp_reveal, argc, argv, &o);
    sz_status status = reveal(&o, &h);
    int exit_status = status == SZ_OK ? SZ_EXIT_OK : sz_cli_error();
    sz_hiding_close(&h);
    return exit_status;
}
