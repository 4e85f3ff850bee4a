/* match_text.c: texts and patterns as symbols: bytes as they are, ids, or a model's tokens. */
#include "ids.h"
#include "match.h"
#include <string.h>
#include <sys/stat.h>

void sz_match_text_free(sz_match_text *t) {
    sz_map_close(&t->map);
    sz_buf_free(&t->bytes);
    sz_free(t->ids);
    *t = (sz_match_text){0};
}

sz_status sz_match_text_take(const char *source, const char *text, size_t n,
                             sz_match_reading reading, const sz_tokenizer *tokenizer,
                             sz_match_text *out) {
    if (reading == SZ_MATCH_BYTES) {
        out->s = (sz_symbols){text, n, 1};
        return SZ_OK;
    }
    size_t n_ids;
    if (reading == SZ_MATCH_IDS)
        SZ_TRY(sz_ids_parse(source, text, n, 1u << 31, &out->ids, &n_ids));
    else
        SZ_TRY(sz_tokenizer_encode(tokenizer, text, n, 0, &out->ids, &n_ids));
    out->s = (sz_symbols){out->ids, n_ids, 4};
    return SZ_OK;
}

sz_status sz_match_text_read(const char *path, sz_match_reading reading,
                             const sz_tokenizer *tokenizer, sz_match_text *out) {
    struct stat info;
    *out = (sz_match_text){0};
    bool regular = strcmp(path, "-") != 0 && stat(path, &info) == 0 && S_ISREG(info.st_mode);
    sz_status status;
    if (reading == SZ_MATCH_BYTES && regular) {
        SZ_TRY(sz_map_open(path, &out->map));
        out->s = (sz_symbols){out->map.data, out->map.size, 1};
        return SZ_OK;
    }
    status = sz_cli_read(path, &out->bytes);
    if (status == SZ_OK)
        status = sz_match_text_take(strcmp(path, "-") == 0 ? "standard input" : path,
                                    out->bytes.data, out->bytes.len, reading, tokenizer, out);
    if (status != SZ_OK)
        sz_match_text_free(out);
    return status;
}

/* A character, or what stands for a byte that is none or that would move the cursor. */
static size_t put_character(sz_buf *b, const char *text, size_t n) {
    unsigned char c = (unsigned char)text[0];
    size_t length = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    sz_buf clean = {0};
    if (c == '\n' || c == '\t' || c == '\r' || c == '\\')
        sz_buf_printf(b, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : c == '\r' ? 'r' : '\\');
    else if (length <= n && c >= 0x20 && c != 0x7f && sz_utf8_clean(text, length, &clean) &&
             !(c == 0xc2 && (unsigned char)text[1] < 0xa0))
        sz_buf_append(b, text, length);
    else {
        sz_buf_printf(b, "\\x%02x", c);
        length = 1;
    }
    sz_buf_free(&clean);
    return length;
}

static void put_line(sz_buf *b, const char *text, size_t n, size_t most) {
    size_t begin = b->len;
    for (size_t i = 0; i < n;) {
        if (b->len - begin >= most) {
            sz_buf_puts(b, "...");
            return;
        }
        i += put_character(b, text + i, n - i);
    }
}

void sz_match_put_excerpt(sz_buf *b, const sz_match_text *t, const sz_tokenizer *tokenizer,
                          size_t from, size_t n, size_t most) {
    if (t->s.width == 1) {
        put_line(b, (const char *)t->s.data + from, n, most);
        return;
    }
    if (!tokenizer)
        return;
    sz_buf text = {0};
    n = n < most + 1 ? n : most + 1;
    if (sz_tokenizer_decode(tokenizer, t->ids + from, n, true, true, &text) == SZ_OK)
        put_line(b, text.data, text.len, most);
    sz_buf_free(&text);
}
