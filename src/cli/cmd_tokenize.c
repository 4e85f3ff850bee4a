/* cmd_tokenize.c: `szilard tokens encode`: the token ids of a text. */
#include "one_file.h"
#include "record.h"

enum { OPT_SPECIAL = 256 };

typedef struct settings {
    sz_one_file file;
    bool special;
} settings;

static const struct argp_option options[] = {
    {"special", OPT_SPECIAL, NULL, 0,
     "Parse control tokens in the text, and add begin-of-text where the file asks for it", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    if (key == ARGP_KEY_INIT)
        state->child_inputs[0] = &s->file;
    else if (key == OPT_SPECIAL)
        s->special = true;
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static const struct argp_child children[] = {{&sz_argp_one_file, 0, NULL, 0}, {0}};
const struct argp sz_argp_tokenize = {
    options,
    parse,
    "[FILE|-]",
    "Prints the token ids of a text, one line with blanks between them; --json prints "
    "{\"ids\":[...],\"pieces\":[...]}."
    "\v"
    "EXAMPLES\n"
    "  echo -n 'Entropy is' | szilard tokenize -m smollm2\n"
    "  szilard tokenize -m smollm2 --json README.md\n",
    children,
    NULL,
    NULL};

static void put_ids(sz_buf *b, const int32_t *ids, size_t n, const char *separator) {
    for (size_t i = 0; i < n; i++)
        sz_buf_printf(b, "%s%d", i ? separator : "", ids[i]);
}

/* Pieces as text; "bytes" tells the exact bytes of those that are not valid UTF-8. */
static void put_json(sz_buf *b, const sz_tokenizer *t, const int32_t *ids, size_t n) {
    sz_buf bytes = {0};
    bool any = false;
    sz_buf_puts(b, "{\"ids\":[");
    put_ids(b, ids, n, ",");
    sz_buf_puts(b, "],\"pieces\":[");
    for (size_t i = 0; i < n; i++) {
        sz_buf_puts(b, i ? "," : "");
        sz_piece_put(b, t, ids[i]);
        sz_buf_puts(&bytes, i ? "," : "");
        size_t length = 0;
        const char *piece = sz_tokenizer_piece(t, ids[i], &length);
        if (sz_bytes_put_unless_utf8(&bytes, "", piece, length))
            any = true;
        else
            sz_buf_puts(&bytes, "null");
    }
    sz_buf_puts(b, "]");
    if (any)
        sz_buf_printf(b, ",\"bytes\":[%s]", bytes.data ? bytes.data : "");
    sz_buf_puts(b, "}");
    b->failed |= bytes.failed;
    sz_buf_free(&bytes);
}

static sz_status tokenize(const void *settings_, const sz_tokenizer *t, sz_buf *out) {
    const settings *s = settings_;
    sz_buf text = {0};
    int32_t *ids = NULL;
    size_t n = 0;
    sz_status status = sz_cli_read(s->file.file, &text);
    unsigned flags = s->special ? SZ_TOKENIZE_CONTROL | SZ_TOKENIZE_BOS : 0;
    if (status == SZ_OK)
        status = sz_tokenizer_encode(t, text.data, text.len, flags, &ids, &n);
    if (status == SZ_OK && s->file.json)
        put_json(out, t, ids, n);
    else if (status == SZ_OK)
        put_ids(out, ids, n, " ");
    sz_buf_putc(out, '\n');
    sz_free(ids);
    sz_buf_free(&text);
    return status;
}

int sz_run_tokenize(int argc, char **argv) {
    settings s = {0};
    return sz_one_file_run(&sz_argp_tokenize, argc, argv, &s, &s.file, tokenize);
}
