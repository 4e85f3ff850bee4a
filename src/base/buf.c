/* buf.c: growing byte strings. */
#include <stdio.h>
#include <string.h>

#include <szilard/unstable/base.h>

static bool reserve(sz_buf *b, size_t more) {
    if (b->failed)
        return false;
    size_t need;
    if (__builtin_add_overflow(b->len, more, &need) || need > PTRDIFF_MAX / 4 ||
        (b->limit && need > b->limit)) {
        b->failed = true;
        return false;
    }
    if (need < b->cap)
        return true;
    size_t cap = b->cap ? b->cap : 64;
    while (cap <= need)
        cap *= 2;
    char *data = sz_realloc(b->data, b->len, cap);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

void sz_buf_append(sz_buf *b, const void *bytes, size_t n) {
    if (!reserve(b, n))
        return;
    if (n)
        memcpy(b->data + b->len, bytes, n);
    b->len += n;
    b->data[b->len] = 0;
}

void sz_buf_puts(sz_buf *b, const char *s) {
    sz_buf_append(b, s, strlen(s));
}
void sz_buf_putc(sz_buf *b, char c) {
    sz_buf_append(b, &c, 1);
}

void sz_buf_printf(sz_buf *b, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        b->failed = true;
    else if (reserve(b, (size_t)n)) {
        vsnprintf(b->data + b->len, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void sz_buf_clear(sz_buf *b) {
    b->len = 0;
    b->failed = false;
    if (b->data)
        b->data[0] = 0;
}

void sz_buf_free(sz_buf *b) {
    sz_free(b->data);
    *b = (sz_buf){.limit = b->limit};
}
