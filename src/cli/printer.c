/* printer.c: see printer.h. */
#include "printer.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const tags[] = {"<think>", "</think>"};

void sz_printer_begin(sz_printer *p, const sz_printer_style *style, bool thinking) {
    *p = (sz_printer){.style = *style, .thinking = thinking && style->thoughts};
    p->skip_space = p->thinking && style->hide_thoughts;
}

void sz_printer_free(sz_printer *p) {
    sz_buf_free(&p->pending);
    sz_buf_free(&p->answer);
    sz_buf_free(&p->shown);
    free(p->heat);
    p->heat = NULL;
}

/* ---- Output -------------------------------------------------------------------------------- */

/* Length of the control character at s, 0 if there is none. Tabs and line ends are none. */
static size_t control_length(const char *s, size_t n) {
    unsigned char c = (unsigned char)s[0];
    if (c == 0xC2 && n > 1 && (unsigned char)s[1] < 0xA0)
        return 2; /* U+0080 to U+009F */
    bool line_end = c == '\n' || c == '\t' || (c == '\r' && n > 1 && s[1] == '\n');
    return (c < ' ' || c == 127) && !line_end;
}

/* What a model writes must not steer the terminal: U+241B stands for an escape, and so on. */
static bool write_safely(FILE *f, const char *s, size_t n) {
    size_t from = 0;
    for (size_t i = 0; i < n;) {
        size_t length = control_length(s + i, n - i);
        if (length == 0) {
            i++;
            continue;
        }
        int c = (unsigned char)s[i], picture = c == 127 ? 0x21 : c < ' ' ? c : 0x26;
        if (fwrite(s + from, 1, i - from, f) != i - from ||
            fprintf(f, "\xE2\x90%c", 0x80 + picture) < 0)
            return false;
        from = i += length;
    }
    return fwrite(s + from, 1, n - from, f) == n - from;
}

static bool write_text(const sz_printer *p, const char *s, size_t n) {
    return p->style.terminal ? write_safely(p->style.out, s, n)
                             : fwrite(s, 1, n, p->style.out) == n;
}

/* Every run of one colour is closed at once, so that the terminal is never left coloured. */
static void write_run(sz_printer *p, const char *s, size_t n, double nats) {
    FILE *f = p->style.out;
    char colour[32] = "";
    if (p->style.heat)
        sz_entropy_colour(nats, p->style.depth, p->thinking, colour);
    else if (p->thinking && p->style.depth != SZ_DEPTH_NONE)
        strcpy(colour, "\033[2m");
    bool ok = (!colour[0] || fputs(colour, f) >= 0) && write_text(p, s, n) &&
              (!colour[0] || fputs("\033[0m", f) >= 0);
    p->failed |= !ok;
}

/* Shows the first n pending bytes. */
static void show(sz_printer *p, size_t n) {
    const char *s = p->pending.data;
    sz_buf_append(&p->answer, s, n);
    if (p->thinking && p->style.hide_thoughts)
        return;
    size_t from = 0;
    while (p->skip_space && from < n && strchr(" \t\r\n", s[from]))
        from++;
    p->skip_space = p->skip_space && from == n;
    sz_buf_append(&p->shown, s + from, n - from);
    for (size_t i = from; p->style.out && i < n;) {
        size_t end = i + 1;
        while (end < n && p->heat[end] == p->heat[i])
            end++;
        write_run(p, s + i, end - i, (double)p->heat[i]);
        i = end;
    }
}

static void drop(sz_printer *p, size_t n) {
    size_t rest = p->pending.len - n;
    memmove(p->pending.data, p->pending.data + n, rest);
    memmove(p->heat, p->heat + n, rest * sizeof *p->heat);
    p->pending.len = rest;
    p->pending.data[rest] = '\0';
}

/* ---- What the pending text holds ------------------------------------------------------------ */

/* Whether the pending text at `at` begins with all of `word`; *partly: it ends within the word. */
static bool matches(const sz_printer *p, size_t at, const char *word, bool *partly) {
    size_t n = strlen(word), rest = p->pending.len - at;
    if (rest >= n)
        return memcmp(p->pending.data + at, word, n) == 0;
    *partly |= memcmp(p->pending.data + at, word, rest) == 0;
    return false;
}

/* Position of the first complete stop string, or the length of the pending text. */
static size_t find_stop(const sz_printer *p) {
    bool partly = false;
    for (size_t at = 0; at < p->pending.len; at++)
        for (size_t i = 0; i < p->style.n_stops; i++)
            if (matches(p, at, p->style.stops[i], &partly))
                return at;
    return p->pending.len;
}

/* First position before `end` where a tag stands (*tag: which) or where a tag or a stop string may
 * begin (*tag: NULL); `end` if there is none. */
static size_t find_event(const sz_printer *p, size_t end, const char **tag) {
    *tag = NULL;
    for (size_t at = 0; at < end; at++) {
        bool partly = false;
        for (size_t i = 0; p->style.thoughts && i < 2; i++) {
            if (matches(p, at, tags[i], &partly)) {
                *tag = tags[i];
                return at;
            }
        }
        for (size_t i = 0; i < p->style.n_stops; i++)
            matches(p, at, p->style.stops[i], &partly);
        if (partly && end == p->pending.len)
            return at;
    }
    return end;
}

/* The tag itself is shown with the thought, and hidden with it. */
static void pass_tag(sz_printer *p, const char *tag) {
    bool opens = tag == tags[0];
    p->thinking = true;
    show(p, strlen(tag));
    drop(p, strlen(tag));
    p->thinking = opens;
    p->skip_space |= !opens && p->style.hide_thoughts;
}

/* Shows all that is certain; with `last` all there is. */
static void advance(sz_printer *p, bool last) {
    size_t stop = find_stop(p);
    p->stopped |= stop < p->pending.len;
    for (;;) {
        const char *tag;
        size_t end = p->stopped ? find_stop(p) : p->pending.len;
        size_t at = find_event(p, end, &tag);
        if (!tag && last)
            at = end;
        if (at > 0) {
            show(p, at);
            drop(p, at);
        }
        if (!tag)
            break;
        pass_tag(p, tag);
    }
    if (p->stopped && p->pending.len)
        drop(p, p->pending.len);
}

/* ---- Interface ------------------------------------------------------------------------------ */

static bool append(sz_printer *p, const char *text, double nats) {
    size_t before = p->pending.len;
    sz_utf8_clean(text, strlen(text), &p->pending);
    if (p->pending.failed)
        return false;
    if (p->pending.len > p->heat_cap) {
        size_t cap = 2 * p->pending.len + 64;
        float *more = realloc(p->heat, cap * sizeof *more);
        if (!more)
            return false;
        p->heat = more;
        p->heat_cap = cap;
    }
    for (size_t i = before; i < p->pending.len; i++)
        p->heat[i] = (float)nats;
    return true;
}

bool sz_printer_add(sz_printer *p, const char *text, double nats) {
    if (p->stopped || !text[0])
        return !p->stopped;
    if (!append(p, text, nats)) {
        p->failed = true;
        errno = ENOMEM;
        return false;
    }
    advance(p, false);
    if (p->style.out && fflush(p->style.out) != 0)
        p->failed = true;
    return !p->stopped && !p->failed;
}

sz_status sz_printer_end(sz_printer *p) {
    if (!p->stopped && !p->failed && p->pending.len)
        advance(p, true);
    if (p->style.out && fflush(p->style.out) != 0)
        p->failed = true;
    SZ_REQUIRE(!p->failed, SZ_E_IO, "cannot write the output: %s", strerror(errno));
    return SZ_OK;
}
