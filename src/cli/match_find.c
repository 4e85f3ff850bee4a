/* match_find.c: `szilard match PATTERN FILE`: the nearest alignment, those within a bound, or all.
 */
#include "match.h"
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/info.h>

enum { EXCERPT = 72, FLUSH = 1 << 20, CHUNK = 1 << 20, SLICE = 1 << 26 };

typedef struct finder {
    const sz_match_settings *s;
    const sz_tokenizer *tokenizer;
    const char *name; /* of the file, where there are several; NULL */
    const sz_match_text *text;
    size_t m;
    int64_t k; /* -1: no bound */
    sz_buf out;
    bool any; /* something stands in the JSON array */
    uint64_t found, nearest;
    uint32_t least; /* distance of the nearest */
} finder;

/* "3" or "10%" of m. */
static sz_status read_bound(const char *text, size_t m, int64_t *k) {
    char *end;
    double share = strtod(text, &end);
    if (end != text && strcmp(end, "%") == 0) {
        SZ_REQUIRE(share >= 0 && share <= 100, SZ_E_ARG, "-k: '%s' is not between 0%% and 100%%",
                   text);
        *k = (int64_t)(share / 100 * (double)m);
        return SZ_OK;
    }
    long long whole = strtoll(text, &end, 10);
    SZ_REQUIRE(end != text && *end == '\0', SZ_E_ARG,
               "-k: '%s' is neither a number nor a percentage", text);
    SZ_REQUIRE(whole >= 0, SZ_E_ARG, "-k: '%s' is negative", text);
    *k = whole;
    return SZ_OK;
}

static sz_status read_wildcard(const char *text, unsigned width, uint32_t *out) {
    char *end;
    unsigned long id = strtoul(text, &end, 10);
    if (width == 1) {
        SZ_REQUIRE(strlen(text) == 1, SZ_E_ARG, "--wildcard: '%s' is not one byte", text);
        id = (unsigned char)text[0];
    } else {
        SZ_REQUIRE(end != text && *end == '\0' && id < UINT32_MAX, SZ_E_ARG,
                   "--wildcard: '%s' is not a token id", text);
    }
    *out = (uint32_t)id;
    return SZ_OK;
}

/* ---- Output ---------------------------------------------------------------------------------- */

static void put_match(finder *f, uint64_t at, uint32_t d) {
    sz_buf *b = &f->out;
    if (f->s->json) {
        sz_buf_printf(b, "%s{\"position\":%llu,\"distance\":%u}", f->any ? "," : "",
                      (unsigned long long)at, d);
        f->any = true;
        return;
    }
    if (f->name)
        sz_buf_printf(b, "%s:", f->name);
    sz_buf_printf(b, "%llu\t%u", (unsigned long long)at, d);
    sz_buf line = {0};
    sz_match_put_excerpt(&line, f->text, f->tokenizer, (size_t)at, f->m, EXCERPT);
    if (line.len)
        sz_buf_printf(b, "\t%s", line.data);
    sz_buf_free(&line);
    sz_buf_putc(b, '\n');
}

static void put_distance(finder *f, uint64_t at, uint32_t d) {
    if (f->s->json)
        sz_buf_printf(&f->out, "%s%u", f->any ? "," : "", d);
    else
        sz_buf_printf(&f->out, "%llu\t%u\n", (unsigned long long)at, d);
    f->any = true;
}

static sz_status take(void *user, uint64_t first, const uint32_t *d, size_t n) {
    finder *f = user;
    for (size_t i = 0; i < n; i++) {
        if (d[i] < f->least) {
            f->least = d[i];
            f->nearest = first + i;
        }
        bool within = f->k >= 0 && d[i] <= f->k;
        f->found += within;
        if (f->s->all)
            put_distance(f, first + i, d[i]);
        else if (within && !f->s->count)
            put_match(f, first + i, d[i]);
        if (f->out.len > FLUSH)
            SZ_TRY(sz_cli_flush(&f->out));
    }
    return SZ_OK;
}

static void begin(finder *f, uint64_t n) {
    if (!f->s->json)
        return;
    sz_buf *b = &f->out;
    sz_buf_puts(b, "{");
    if (f->name) {
        sz_buf_puts(b, "\"file\":");
        sz_json_quote(b, f->name, strlen(f->name));
        sz_buf_puts(b, ",");
    }
    sz_buf_printf(b, "\"symbols\":\"%s\",\"pattern\":%zu,\"text\":%zu,\"alignments\":%llu",
                  f->s->reading == SZ_MATCH_BYTES ? "bytes" : "ids", f->m, f->text->s.n,
                  (unsigned long long)n);
    if (f->k >= 0)
        sz_buf_printf(b, ",\"k\":%lld", (long long)f->k);
    if (f->s->epsilon > 0) {
        sz_buf_puts(b, ",\"epsilon\":");
        sz_json_number(b, f->s->epsilon);
    }
    if (f->s->all)
        sz_buf_puts(b, ",\"distances\":[");
    else if (f->k >= 0 && !f->s->count)
        sz_buf_puts(b, ",\"matches\":[");
}

static void put_methods(sz_buf *b, const sz_match_report *r, bool json) {
    const char *separator = "";
    for (size_t i = 0; i < SZ_MATCH_METHODS; i++)
        if (r->by[i]) {
            const char *name = sz_match_method_name((sz_match_method)i);
            sz_buf_printf(b, json ? "%s\"%s\":%llu" : "%s%s %llu", separator, name,
                          (unsigned long long)r->by[i]);
            separator = json ? "," : ", ";
        }
}

/* What one alignment has by chance, and the odds that any comes as near as the nearest. */
static bool by_chance(const finder *f, const sz_symbols *pattern, uint64_t n,
                      sz_match_chance *out) {
    bool nearest = n > 0 && f->k < 0 && !f->s->all && !f->s->wildcard && f->s->epsilon == 0;
    return nearest && sz_match_by_chance(&f->text->s, pattern, f->least, out) == SZ_OK;
}

static void end_json(finder *f, const sz_symbols *pattern, const sz_match_report *r, uint64_t n) {
    sz_buf *b = &f->out;
    sz_match_chance c;
    if (f->s->all || (f->k >= 0 && !f->s->count))
        sz_buf_puts(b, "]");
    if (f->k >= 0)
        sz_buf_printf(b, ",\"count\":%llu", (unsigned long long)f->found);
    if (n && (f->k < 0 || f->least <= f->k)) /* beyond the bound, the nearest is not known */
        sz_buf_printf(b, ",\"min_distance\":%u,\"argmin\":%llu", f->least,
                      (unsigned long long)f->nearest);
    if (by_chance(f, pattern, n, &c)) {
        sz_buf_puts(b, ",\"expected_distance\":");
        sz_json_number(b, c.expected);
        sz_buf_puts(b, ",\"log10_p_at_most\":");
        sz_json_number(b, sz_unit_convert(c.log_p, SZ_HARTLEY));
    }
    sz_buf_puts(b, ",\"methods\":{");
    put_methods(b, r, true);
    sz_buf_puts(b, "}}\n");
}

static void end_text(finder *f, const sz_symbols *pattern, const sz_match_report *r, uint64_t n) {
    sz_match_chance c;
    if (f->s->count)
        sz_buf_printf(&f->out, "%s%s%llu\n", f->name ? f->name : "", f->name ? ":" : "",
                      (unsigned long long)f->found);
    else if (n && f->k < 0 && !f->s->all)
        put_match(f, f->nearest, f->least);
    if (f->s->explain && n) {
        sz_buf methods = {0};
        put_methods(&methods, r, false);
        sz_cli_note("alignments by method: %s", methods.data ? methods.data : "none");
        sz_buf_free(&methods);
        if (by_chance(f, pattern, n, &c))
            sz_cli_note("by chance %.1f mismatches; as near as this anywhere: p <= 10^%.1f",
                        c.expected, sz_unit_convert(c.log_p, SZ_HARTLEY));
    }
}

/* ---- Searching ------------------------------------------------------------------------------- */

static sz_status exactly(finder *f, const sz_symbols *p, const sz_match_options *o,
                         sz_match_report *r) {
    sz_match_stream *m;
    SZ_TRY(sz_match_stream_new(p, o, &m));
    sz_status status = SZ_OK;
    for (size_t at = 0; at < f->text->s.n && status == SZ_OK; at += SLICE) {
        const sz_symbols *t = &f->text->s;
        size_t n = t->n - at < SLICE ? t->n - at : SLICE;
        sz_symbols slice = {(const char *)t->data + at * t->width, n, t->width};
        status = sz_match_stream_feed(m, &slice, take, f);
        if (f->text->map.data) /* a file may be larger than memory */
            sz_map_release(slice.data, n);
    }
    *r = *sz_match_stream_report(m);
    sz_match_stream_free(m);
    return status;
}

/* Part by part, each with its share of the chance to fail. */
static sz_status approximately(finder *f, const sz_symbols *p, const sz_match_options *o) {
    const sz_symbols *t = &f->text->s;
    uint32_t *lower = sz_alloc(CHUNK * sizeof *lower);
    SZ_REQUIRE(lower, SZ_E_NOMEM, "no memory for %d distances", CHUNK);
    sz_status status = SZ_OK;
    for (size_t at = 0; at + p->n <= t->n && status == SZ_OK; at += CHUNK) {
        size_t n = t->n - p->n + 1 - at < CHUNK ? t->n - p->n + 1 - at : CHUNK;
        sz_symbols part = {(const char *)t->data + at * t->width, n + p->n - 1, t->width};
        double share = (double)part.n / (double)t->n;
        status = sz_match_approximate(&part, p, f->s->epsilon,
                                      f->s->delta * (share < 1 ? share : 1), o, lower, NULL);
        if (status == SZ_OK)
            status = take(f, at, lower, n);
    }
    sz_free(lower);
    return status;
}

static sz_status find_in(finder *f, const sz_match_text *pattern, sz_runtime *rt) {
    const sz_match_settings *s = f->s;
    sz_match_options o = {.method = s->method, .seed = s->seed, .rt = rt};
    sz_match_report r = {0};
    uint64_t n = f->text->s.n >= f->m ? f->text->s.n - f->m + 1 : 0;
    if (s->epsilon == 0) {
        o.bounded = f->k >= 0;
        o.k = f->k;
    }
    if (s->wildcard) {
        o.wild = true;
        SZ_TRY(read_wildcard(s->wildcard, pattern->s.width, &o.wildcard));
    }
    begin(f, n);
    SZ_TRY(s->epsilon > 0 ? approximately(f, &pattern->s, &o) : exactly(f, &pattern->s, &o, &r));
    if (s->json)
        end_json(f, &pattern->s, &r, n);
    else
        end_text(f, &pattern->s, &r, n);
    return sz_cli_flush(&f->out);
}

static sz_status find_in_file(const sz_match_settings *s, const sz_tokenizer *tokenizer,
                              const sz_match_text *pattern, const char *file, sz_runtime *rt) {
    sz_match_text text;
    finder f = {.s = s, .tokenizer = tokenizer, .text = &text, .m = pattern->s.n, .k = -1};
    f.least = UINT32_MAX;
    f.name = s->n_files > 1 ? file : NULL;
    SZ_REQUIRE(f.m > 0, SZ_E_ARG, "empty pattern");
    if (s->k)
        SZ_TRY(read_bound(s->k, f.m, &f.k));
    SZ_TRY(sz_match_text_read(file, s->reading, tokenizer, &text));
    sz_status status = find_in(&f, pattern, rt);
    sz_match_text_free(&text);
    sz_buf_free(&f.out);
    return status;
}

sz_status sz_match_find(const sz_match_settings *s, const sz_tokenizer *tokenizer, sz_runtime *rt) {
    sz_match_text pattern = {0};
    sz_status status;
    if (s->pattern)
        status = sz_match_text_take("the pattern", s->pattern, strlen(s->pattern), s->reading,
                                    tokenizer, &pattern);
    else
        status = sz_match_text_read(s->pattern_file, s->reading, tokenizer, &pattern);
    for (size_t i = 0; i < s->n_files && status == SZ_OK; i++)
        status = find_in_file(s, tokenizer, &pattern, s->files[i], rt);
    sz_match_text_free(&pattern);
    return status;
}
