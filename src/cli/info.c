/* info.c: what the parts of `szilard info` share: lines, safe text, sums over tensors. */
#include "info.h"
#include <string.h>

void sz_info_line(sz_buf *b, const char *label, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sz_buf_printf(b, "%-14s %s\n", label, text);
}

/* ---- Safe text ------------------------------------------------------------------------------- */

/* Length of the control character that s begins with, 0 if it is none: C0, DEL, and C1 in UTF-8. */
static size_t control_length(const unsigned char *s, size_t n) {
    if (s[0] < ' ' || s[0] == 127)
        return 1;
    return n > 1 && s[0] == 0xC2 && s[1] < 0xA0 ? 2 : 0;
}

static void put_control(sz_buf *b, const unsigned char *s, size_t n) {
    if (n == 1 && s[0] == '\n')
        sz_buf_puts(b, "\\n");
    else if (n == 1 && s[0] == '\t')
        sz_buf_puts(b, "\\t");
    else
        sz_buf_printf(b, "\\x%02x", s[n - 1]);
}

void sz_put_shown(sz_buf *b, const char *text, size_t n, size_t most) {
    sz_buf clean = {0};
    bool whole = n <= most;
    if (!whole)
        n = sz_utf8_complete(text, most);
    sz_utf8_clean(text, n, &clean);
    b->failed |= clean.failed;
    const unsigned char *s = (const unsigned char *)clean.data;
    for (size_t i = 0, length; i < clean.len; i += length) {
        length = control_length(s + i, clean.len - i);
        if (length) {
            put_control(b, s + i, length);
            continue;
        }
        sz_buf_putc(b, (char)s[i]);
        length = 1;
    }
    if (!whole)
        sz_buf_puts(b, "...");
    sz_buf_free(&clean);
}

/* ---- Sums ------------------------------------------------------------------------------------ */

static void add(sz_tensor_sum *s, uint64_t elements, uint64_t bytes) {
    s->n++;
    s->elements += elements;
    s->bytes += bytes;
}

void sz_sums_add(sz_tensor_sums *s, const char *type, uint64_t elements, uint64_t bytes) {
    size_t i = 0;
    while (i < s->n && strcmp(s->v[i].type, type) != 0)
        i++;
    if (i == s->n && s->n < SZ_SUMS_MAX)
        s->v[s->n++].type = type;
    if (i < s->n)
        add(&s->v[i], elements, bytes);
    add(&s->all, elements, bytes);
}

/* "134.5 million" */
static void format_count(uint64_t n, char out[32]) {
    double v = (double)n;
    if (n < 1000000)
        snprintf(out, 32, "%llu", (unsigned long long)n);
    else if (v < 999.5e6)
        snprintf(out, 32, "%.1f million", v / 1e6);
    else
        snprintf(out, 32, "%.2f billion", v / 1e9);
}

void sz_sums_text(const sz_tensor_sums *s, sz_buf *b) {
    char count[32], size[16];
    format_count(s->all.elements, count);
    double bits = s->all.elements ? 8.0 * (double)s->all.bytes / (double)s->all.elements : 0;
    sz_info_line(b, "parameters", "%s, %.2f bits each", count, bits);
    sz_format_bytes(s->all.bytes, size);
    sz_info_line(b, "tensors", "%llu, %s", (unsigned long long)s->all.n, size);
    for (size_t i = 0; i < s->n; i++) {
        sz_format_bytes(s->v[i].bytes, size);
        sz_info_line(b, "", "%-7s %5llu   %s", s->v[i].type, (unsigned long long)s->v[i].n, size);
    }
}

void sz_sums_json(const sz_tensor_sums *s, sz_buf *b) {
    sz_buf_printf(b, "\"n_params\":%llu,\"n_tensors\":%llu,\"tensor_bytes\":%llu,\"types\":{",
                  (unsigned long long)s->all.elements, (unsigned long long)s->all.n,
                  (unsigned long long)s->all.bytes);
    for (size_t i = 0; i < s->n; i++)
        sz_buf_printf(b, "%s\"%s\":{\"tensors\":%llu,\"params\":%llu,\"bytes\":%llu}", i ? "," : "",
                      s->v[i].type, (unsigned long long)s->v[i].n,
                      (unsigned long long)s->v[i].elements, (unsigned long long)s->v[i].bytes);
    sz_buf_putc(b, '}');
}

/* ---- Tensors --------------------------------------------------------------------------------- */

static void put_shape(const sz_tensor_row *t, const char *separator, sz_buf *b) {
    for (uint32_t i = 0; i < t->n_dim; i++)
        sz_buf_printf(b, "%s%llu", i ? separator : "", (unsigned long long)t->shape[i]);
}

void sz_tensor_text(const sz_tensor_row *t, sz_buf *b) {
    sz_buf name = {0}, shape = {0};
    sz_put_shown(&name, t->name, strlen(t->name), 256);
    sz_buf_putc(&shape, '[');
    put_shape(t, ", ", &shape);
    sz_buf_putc(&shape, ']');
    b->failed |= name.failed || shape.failed;
    sz_buf_printf(b, "%-40s %-7s %-18s %12llu\n", name.data ? name.data : "", t->type,
                  shape.data ? shape.data : "", (unsigned long long)t->bytes);
    sz_buf_free(&name);
    sz_buf_free(&shape);
}

void sz_tensor_json(const sz_tensor_row *t, sz_buf *b) {
    sz_buf_puts(b, "{\"name\":");
    sz_json_quote(b, t->name, strlen(t->name));
    sz_buf_printf(b, ",\"type\":\"%s\",\"shape\":[", t->type);
    put_shape(t, ",", b);
    sz_buf_printf(b, "],\"bytes\":%llu}", (unsigned long long)t->bytes);
}
