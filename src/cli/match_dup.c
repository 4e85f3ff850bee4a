/* match_dup.c: `szilard match dup CORPUS`: passages that stand twice, and what they connect. */
#include "match_corpus.h"
#include <string.h>

enum { EXCERPT = 60 };

typedef struct duplicates {
    const sz_match_settings *s;
    sz_match_corpus c;
    sz_duplicates found;
    sz_buf out;
} duplicates;

static const sz_match_document *document(const duplicates *d, size_t i) {
    return (const sz_match_document *)d->c.document.data + i;
}

/* "file" or "file:line" */
static void put_name(const duplicates *d, size_t i, sz_buf *b) {
    const sz_match_document *doc = document(d, i);
    sz_buf_puts(b, d->c.path[doc->file]);
    if (doc->line)
        sz_buf_printf(b, ":%u", doc->line);
}

static void put_quoted_name(duplicates *d, size_t i) {
    sz_buf name = {0};
    put_name(d, i, &name);
    sz_json_quote(&d->out, name.data ? name.data : "", name.len);
    sz_buf_free(&name);
}

/* Bytes of a passage, from the begin of its file or of its JSON text. */
static void span(const duplicates *d, size_t doc, size_t at, size_t n, uint64_t *from,
                 uint64_t *to) {
    const size_t *begin = (const size_t *)d->c.begin.data;
    const uint64_t *place = (const uint64_t *)d->c.place.data;
    *from = place[2 * (begin[doc] + at)];
    *to = place[2 * (begin[doc] + at + n - 1) + 1];
}

static double similarity(const sz_duplicate *p) {
    return 1 - (double)p->mismatches / (double)p->n;
}

/* ---- Text ------------------------------------------------------------------------------------ */

/* What stands there, where the file can be looked at again. */
static void put_excerpt(duplicates *d, const sz_duplicate *p) {
    const sz_match_document *doc = document(d, p->a);
    sz_match_text text = {0};
    uint64_t from, to;
    if (doc->unescaped || strcmp(d->c.path[doc->file], "-") == 0 ||
        sz_match_text_read(d->c.path[doc->file], SZ_MATCH_BYTES, NULL, &text) != SZ_OK)
        return;
    span(d, p->a, p->at_a, p->n, &from, &to);
    if (to <= text.s.n) {
        sz_buf_putc(&d->out, '\t');
        sz_match_put_excerpt(&d->out, &text, NULL, (size_t)from, (size_t)(to - from), EXCERPT);
    }
    sz_match_text_free(&text);
}

static void put_place(duplicates *d, size_t doc, size_t at, size_t n) {
    uint64_t from, to;
    span(d, doc, at, n, &from, &to);
    put_name(d, doc, &d->out);
    sz_buf_printf(&d->out, " %llu-%llu\t", (unsigned long long)from, (unsigned long long)to);
}

/* How many clusters there are, and documents in them. */
static sz_status count_clusters(const duplicates *d, size_t *n, size_t *members) {
    size_t *size = sz_calloc(d->c.n_docs + 1, sizeof *size);
    SZ_REQUIRE(size, SZ_E_NOMEM, "no memory for %zu documents", d->c.n_docs);
    *n = *members = 0;
    for (size_t i = 0; i < d->c.n_docs; i++)
        size[d->found.cluster[i]]++;
    for (size_t i = 0; i < d->c.n_docs; i++) {
        *n += size[i] > 1;
        *members += size[i] > 1 ? size[i] : 0;
    }
    sz_free(size);
    return SZ_OK;
}

static sz_status print_text(duplicates *d) {
    size_t n, members;
    SZ_TRY(count_clusters(d, &n, &members));
    for (size_t i = 0; i < d->found.n; i++) {
        const sz_duplicate *p = &d->found.pair[i];
        sz_buf_printf(&d->out, "%.3f\t%zu\t", similarity(p), p->n);
        put_place(d, p->a, p->at_a, p->n);
        put_place(d, p->b, p->at_b, p->n);
        d->out.len--; /* the last tab: an excerpt brings its own */
        put_excerpt(d, p);
        sz_buf_putc(&d->out, '\n');
        SZ_TRY(sz_cli_flush(&d->out));
    }
    sz_cli_note("%zu documents, %zu passages twice, %zu clusters of %zu documents", d->c.n_docs,
                d->found.n, n, members);
    return SZ_OK;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void put_side(duplicates *d, const char *name, size_t doc, size_t at, size_t n) {
    uint64_t from, to;
    span(d, doc, at, n, &from, &to);
    sz_buf_printf(&d->out, "\"%s\":", name);
    put_quoted_name(d, doc);
    sz_buf_printf(&d->out, ",\"from_%s\":%llu,\"to_%s\":%llu,", name, (unsigned long long)from,
                  name, (unsigned long long)to);
}

/* Documents by cluster: chains of the next member, in order. */
static sz_status put_clusters(duplicates *d) {
    size_t n = d->c.n_docs, *next = sz_alloc((n + 1) * sizeof *next);
    size_t *last = sz_alloc((n + 1) * sizeof *last);
    const char *separator = "";
    sz_status status = next && last ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for %zu documents", n);
    for (size_t i = 0; i < n && status == SZ_OK; i++) {
        size_t c = d->found.cluster[i];
        next[i] = 0;
        if (c != i)
            next[last[c]] = i;
        last[c] = i;
    }
    for (size_t i = 0; i < n && status == SZ_OK; i++) {
        if (d->found.cluster[i] != i || !next[i])
            continue;
        sz_buf_printf(&d->out, "%s[", separator);
        put_quoted_name(d, i);
        for (size_t j = next[i]; j; j = next[j]) {
            sz_buf_putc(&d->out, ',');
            put_quoted_name(d, j);
        }
        sz_buf_putc(&d->out, ']');
        separator = ",";
    }
    sz_free(next);
    sz_free(last);
    return status;
}

static sz_status print_json(duplicates *d) {
    sz_buf *b = &d->out;
    sz_buf_printf(b, "{\"documents\":%zu,\"symbols\":%zu,\"pairs\":[", d->c.n_docs, d->c.n_symbols);
    for (size_t i = 0; i < d->found.n; i++) {
        const sz_duplicate *p = &d->found.pair[i];
        sz_buf_puts(b, i ? ",{" : "{");
        put_side(d, "a", p->a, p->at_a, p->n);
        put_side(d, "b", p->b, p->at_b, p->n);
        sz_buf_printf(b, "\"length\":%zu,\"mismatches\":%u,\"similarity\":", p->n, p->mismatches);
        sz_json_number(b, similarity(p));
        sz_buf_putc(b, '}');
        if (b->len > 1 << 20)
            SZ_TRY(sz_cli_flush(b));
    }
    sz_buf_puts(b, "],\"clusters\":[");
    SZ_TRY(put_clusters(d));
    sz_buf_puts(b, "]}\n");
    return sz_cli_flush(b);
}

sz_status sz_match_dup(const sz_match_settings *s, const sz_tokenizer *tokenizer) {
    duplicates d = {.s = s};
    SZ_TRY(sz_match_corpus_read(s->files, s->n_files, s->unit, tokenizer, &d.c));
    sz_duplicate_options o = {.similarity = s->similarity, .least = s->least};
    sz_status status = sz_duplicates_find((const uint32_t *)d.c.symbols.data,
                                          (const size_t *)d.c.begin.data, d.c.n_docs, &o, &d.found);
    if (status == SZ_OK)
        status = s->json ? print_json(&d) : print_text(&d);
    sz_duplicates_free(&d.found);
    sz_match_corpus_free(&d.c);
    sz_buf_free(&d.out);
    return status;
}
