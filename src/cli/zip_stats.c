/* zip_stats.c: costs of tokens as a table and as a page. */
#include "zip_stats.h"
#include <stdlib.h>
#include <string.h>

enum {
    HEAD = 512, /* bytes that are the begin of a segment */
    PARTS = 64,
    LEAST_PART = 1024,
    WORST = 12,
    MOST_ON_PAGE = 1 << 20,
    CLASSES = 8,
    BAR = 40,
};

void sz_zip_stats_free(sz_zip_stats *s) {
    sz_free(s->tokens);
    sz_buf_free(&s->text);
    *s = (sz_zip_stats){0};
}

void sz_zip_stats_add(void *stats, const sz_lm_cost *cost) {
    sz_zip_stats *s = stats;
    if (s->n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 1024;
        sz_zip_token *more = sz_realloc(s->tokens, s->cap * sizeof *more, cap * sizeof *s->tokens);
        if (!more) {
            s->failed = true;
            return;
        }
        s->tokens = more;
        s->cap = cap;
    }
    s->tokens[s->n++] = (sz_zip_token){s->text.len, (uint32_t)cost->n, (float)cost->bits};
    s->n_segments += cost->at == 0;
    s->head_bits += cost->at < HEAD ? cost->bits : 0;
    s->head_bytes += cost->at < HEAD ? cost->n : 0;
    sz_buf_append(&s->text, cost->bytes, cost->n);
    s->failed |= s->text.failed;
}

/* ---- The table ------------------------------------------------------------------------------- */

static void put_part(sz_buf *b, uint64_t from, double bits, uint64_t bytes) {
    double cost = bits / (double)bytes;
    int bar = (int)(cost / 8 * BAR + 0.5);
    sz_buf_printf(b, "%10llu  %6.3f  ", (unsigned long long)from, cost);
    for (int i = 0; i < (bar < BAR ? bar : BAR); i++)
        sz_buf_putc(b, '#');
    sz_buf_putc(b, '\n');
}

static void put_parts(const sz_zip_stats *s, sz_buf *b) {
    uint64_t part = LEAST_PART, from = 0, bytes = 0;
    double bits = 0;
    while (part * PARTS < s->text.len)
        part *= 2;
    sz_buf_puts(b, "      from  bits per byte\n");
    for (size_t i = 0; i < s->n; i++) {
        bits += (double)s->tokens[i].bits;
        bytes += s->tokens[i].n;
        if (bytes >= part || i + 1 == s->n) {
            put_part(b, from, bits, bytes);
            from += bytes;
            bytes = 0;
            bits = 0;
        }
    }
}

static int dearer(const void *a, const void *b) {
    const sz_zip_token *x = a, *y = b;
    if (x->bits != y->bits)
        return x->bits < y->bits ? 1 : -1;
    return x->at < y->at ? -1 : 1;
}

static void put_worst(const sz_zip_stats *s, sz_buf *b) {
    sz_zip_token *sorted = sz_alloc((s->n + 1) * sizeof *sorted);
    if (!sorted)
        return;
    memcpy(sorted, s->tokens, s->n * sizeof *sorted);
    qsort(sorted, s->n, sizeof *sorted, dearer);
    sz_buf_puts(b, "dearest tokens\n        at    bits  token\n");
    for (size_t i = 0; i < s->n && i < WORST; i++) {
        sz_buf_printf(b, "%10llu  %6.2f  ", (unsigned long long)sorted[i].at,
                      (double)sorted[i].bits);
        sz_json_quote(b, s->text.data + sorted[i].at, sorted[i].n);
        sz_buf_putc(b, '\n');
    }
    sz_free(sorted);
}

/* What segments cost by beginning without context: how much dearer their first bytes are. */
static void put_split(const sz_zip_stats *s, double bits, sz_buf *b) {
    size_t rest = s->text.len - s->head_bytes, heads = s->n_segments;
    if (heads < 2 || rest == 0)
        return;
    double dearer = s->head_bits / (double)s->head_bytes - (bits - s->head_bits) / (double)rest;
    double share = (double)(heads - 1) / (double)heads * (double)s->head_bytes;
    sz_buf_printf(b,
                  "%zu segments: the first %d bytes of each cost %.3f bits per byte more than the "
                  "rest, %.0f bytes in all but the first\n",
                  heads, HEAD, dearer, dearer * share / 8);
}

void sz_zip_stats_print(const sz_zip_stats *s, const sz_slz_totals *t, uint64_t model_bytes,
                        sz_buf *b) {
    double bits = 0;
    for (size_t i = 0; i < s->n; i++)
        bits += (double)s->tokens[i].bits;
    if (s->n > 0) {
        put_parts(s, b);
        put_worst(s, b);
    }
    sz_buf_printf(b,
                  "%zu tokens, %.1f bytes and %.3f bits each\n"
                  "payload %.0f bytes, file %llu, with the model %llu\n",
                  s->n, s->n ? (double)s->text.len / (double)s->n : 0,
                  s->n ? bits / (double)s->n : 0, bits / 8, (unsigned long long)t->n_container,
                  (unsigned long long)(t->n_container + model_bytes));
    put_split(s, bits, b);
    if (s->failed)
        sz_buf_puts(b, "out of memory: not all tokens are told\n");
}

/* ---- The page -------------------------------------------------------------------------------- */

static const char style[] =
    "body{font:16px/1.7 ui-monospace,monospace;max-width:60em;margin:2em auto;padding:0 1em;"
    "background:#fff;color:#111}"
    "pre{white-space:pre-wrap;word-break:break-word;font:inherit}"
    "span{border-radius:2px}"
    ".c0{background:#f4fbf4}.c1{background:#dff2dd}.c2{background:#c9e8a8}.c3{background:#f2e88a}"
    ".c4{background:#fbcd6c}.c5{background:#f8a45b}.c6{background:#ef7a5a}.c7{background:#d9534f;"
    "color:#fff}";

/* Up to 1/4, 1, 2, 4, 6, 9, 13 bits, and above. */
static int class_of(float bits) {
    static const float limits[CLASSES - 1] = {0.25f, 1, 2, 4, 6, 9, 13};
    int c = 0;
    while (c < CLASSES - 1 && bits > limits[c])
        c++;
    return c;
}

static void put_html(sz_buf *b, const char *bytes, size_t n) {
    sz_buf clean = {0};
    sz_utf8_clean(bytes, n, &clean);
    for (size_t i = 0; i < clean.len; i++) {
        unsigned char c = (unsigned char)clean.data[i];
        if (c == '<' || c == '>' || c == '&' || c == '"')
            sz_buf_printf(b, "&#%d;", c);
        else if (c == '\n')
            sz_buf_puts(b, "\xe2\x86\xb5\n"); /* a visible sign, so that its cost shows */
        else if (c >= ' ' || c == '\t')
            sz_buf_putc(b, (char)c);
        else
            sz_buf_puts(b, "\xef\xbf\xbd");
    }
    sz_buf_free(&clean);
}

static void put_legend(sz_buf *b) {
    static const char *const names[CLASSES] = {"to 1/4", "1", "2", "4", "6", "9", "13", "more"};
    sz_buf_puts(b, "<p>bits per token: ");
    for (int c = 0; c < CLASSES; c++)
        sz_buf_printf(b, "<span class=c%d>&nbsp;%s&nbsp;</span> ", c, names[c]);
    sz_buf_puts(b, "</p>\n");
}

/* Tokens that split a character are shown together, at their common cost. */
static void put_tokens(const sz_zip_stats *s, sz_buf *b) {
    for (size_t i = 0, next; i < s->n && s->tokens[i].at < MOST_ON_PAGE; i = next) {
        const char *from = s->text.data + s->tokens[i].at;
        size_t n = 0;
        float bits = 0;
        next = i;
        do {
            n += s->tokens[next].n;
            bits += s->tokens[next++].bits;
        } while (next < s->n && next < i + 4 && sz_utf8_complete(from, n) != n);
        sz_buf_printf(b, "<span class=c%d title=\"%.2f bits at %llu\">", class_of(bits),
                      (double)bits, (unsigned long long)s->tokens[i].at);
        put_html(b, from, n);
        sz_buf_puts(b, "</span>");
    }
}

sz_status sz_zip_stats_page(const sz_zip_stats *s, const char *title, const char *path) {
    sz_buf b = {0};
    sz_writer *w;
    double bits = 0;
    for (size_t i = 0; i < s->n; i++)
        bits += (double)s->tokens[i].bits;
    sz_buf_puts(&b, "<!doctype html>\n<html lang=en><meta charset=utf-8>\n"
                    "<meta name=viewport content=\"width=device-width\">\n<title>");
    put_html(&b, title, strlen(title));
    sz_buf_printf(&b, "</title>\n<style>%s</style>\n<h1>", style);
    put_html(&b, title, strlen(title));
    sz_buf_printf(&b, "</h1>\n<p>%zu bytes, %zu tokens, %.0f bits: %.3f bits per byte</p>\n",
                  s->text.len, s->n, bits, s->text.len ? bits / (double)s->text.len : 0);
    put_legend(&b);
    sz_buf_puts(&b, "<pre>");
    put_tokens(s, &b);
    sz_buf_puts(&b, "</pre>\n");
    if (s->text.len > MOST_ON_PAGE)
        sz_buf_printf(&b, "<p>The first %d bytes are shown.</p>\n", MOST_ON_PAGE);
    sz_buf_puts(&b, "</html>\n");
    sz_status status = b.failed ? sz_fail(SZ_E_NOMEM, "%s: no memory for the page", path)
                                : sz_writer_open(path, &w);
    if (status == SZ_OK) {
        status = sz_writer_write(w, b.data, b.len);
        if (status == SZ_OK)
            status = sz_writer_commit(w);
        else
            sz_writer_abort(w);
    }
    sz_buf_free(&b);
    return status;
}
