/* cmd_detokenize.c: `szilard tokens decode`: the text of token ids. */
#include "engine.h"
#include "ids.h"
#include "record.h"
#include <string.h>

enum { OPT_JSON = 256 };

typedef struct settings {
    sz_engine_options engine;
    const char *file;
    bool json;
} settings;

static const struct argp_option options[] = {
    {"json", OPT_JSON, NULL, 0, "Print {\"text\":..}, with \"bytes\" where that is not UTF-8", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &s->engine;
        return 0;
    case OPT_JSON:
        s->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (s->file)
            argp_error(state, "'%s' is left over: detokenize takes one file", arg);
        s->file = arg;
        return 0;
    case ARGP_KEY_END:
        if (!s->engine.model)
            argp_error(state, "no model given: name one with -m, such as -m smollm2");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&sz_argp_engine, 0, NULL, 0}, {0}};
const struct argp sz_argp_detokenize = {
    options,
    parse,
    "[FILE|-]",
    "Writes the bytes that token ids stand for and nothing else. The ids are a JSON array, what "
    "'szilard tokenize --json' prints, or numbers with blanks between them. It undoes 'szilard "
    "tokenize': control tokens come out as their names, but for the begin-of-text that the file "
    "puts before every text."
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

static sz_status decode(const settings *s, const sz_model *model, sz_buf *out) {
    const sz_tokenizer *t = sz_model_tokenizer(model);
    const char *source = s->file && strcmp(s->file, "-") != 0 ? s->file : "standard input";
    sz_buf text = {0}, decoded = {0};
    int32_t *ids = NULL;
    size_t n = 0;
    sz_status status = sz_cli_read(s->file, &text);
    if (status == SZ_OK)
        status = sz_ids_parse(source, text.data, text.len, sz_tokenizer_n_vocab(t), &ids, &n);
    size_t first = n > 0 && sz_tokenizer_add_bos(t) && ids[0] == sz_tokenizer_bos(t);
    if (status == SZ_OK)
        status =
            sz_tokenizer_decode(t, ids + first, n - first, true, true, s->json ? &decoded : out);
    if (status == SZ_OK && s->json)
        status = put_json(&decoded, out);
    sz_buf_free(&decoded);
    sz_free(ids);
    sz_buf_free(&text);
    return status;
}

int sz_run_detokenize(int argc, char **argv) {
    settings s = {.engine.vocab_only = true};
    sz_engine e;
    sz_buf out = {0};
    sz_cli_parse(&sz_argp_detokenize, argc, argv, &s);
    sz_status status = sz_engine_open(&s.engine, &e);
    if (status == SZ_OK)
        status = decode(&s, e.model, &out);
    int exit_status = status == SZ_OK ? sz_cli_print(&out) : sz_cli_error();
    sz_buf_free(&out);
    sz_engine_close(&e);
    return exit_status;
}
