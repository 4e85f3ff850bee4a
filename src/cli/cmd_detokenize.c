/* cmd_detokenize.c: `szilard tokens decode`: the text of token ids. */
#include "ids.h"
#include "one_file.h"
#include "record.h"
#include <string.h>

static error_t parse(int key, char *arg, struct argp_state *state) {
    if (key != ARGP_KEY_INIT)
        return ARGP_ERR_UNKNOWN;
    state->child_inputs[0] = state->input;
    return 0;
}

static const struct argp_child children[] = {{&sz_argp_one_file, 0, NULL, 0}, {0}};
const struct argp sz_argp_detokenize = {
    NULL,
    parse,
    "[FILE|-]",
    "Writes the bytes that token ids stand for and nothing else. The ids are a JSON array, what "
    "'szilard tokenize --json' prints, or numbers with blanks between them. It undoes 'szilard "
    "tokenize': control tokens come out as their names, but for the begin-of-text that the file "
    "puts before every text. --json prints {\"text\":..}, with \"bytes\" where that is not UTF-8."
    "\v"
    "EXAMPLES\n"
    "  szilard tokenize -m smollm2 README.md | szilard detokenize -m smollm2\n"
    "  echo '[504, 3575, 282]' | szilard detokenize -m smollm2\n",
    children,
    NULL,
    NULL};

static sz_status put_json(const sz_buf *text, sz_buf *out) {
    SZ_REQUIRE(!text->failed, SZ_E_NOMEM, "no memory for the text");
    const char *data = text->data ? text->data : "";
    sz_buf_puts(out, "{\"text\":");
    sz_json_quote(out, data, text->len);
    sz_bytes_put_unless_utf8(out, ",\"bytes\":", data, text->len);
    sz_buf_puts(out, "}\n");
    return SZ_OK;
}

static sz_status decode(const void *settings, const sz_tokenizer *t, sz_buf *out) {
    const sz_one_file *o = settings;
    const char *source = o->file && strcmp(o->file, "-") != 0 ? o->file : "standard input";
    sz_buf text = {0}, decoded = {0};
    int32_t *ids = NULL;
    size_t n = 0;
    sz_status status = sz_cli_read(o->file, &text);
    if (status == SZ_OK)
        status = sz_ids_parse(source, text.data, text.len, sz_tokenizer_n_vocab(t), &ids, &n);
    size_t first = n > 0 && sz_tokenizer_add_bos(t) && ids[0] == sz_tokenizer_bos(t);
    if (status == SZ_OK)
        status =
            sz_tokenizer_decode(t, ids + first, n - first, true, true, o->json ? &decoded : out);
    if (status == SZ_OK && o->json)
        status = put_json(&decoded, out);
    sz_buf_free(&decoded);
    sz_free(ids);
    sz_buf_free(&text);
    return status;
}

int sz_run_detokenize(int argc, char **argv) {
    sz_one_file o = {0};
    return sz_one_file_run(&sz_argp_detokenize, argc, argv, &o, &o, decode);
}
