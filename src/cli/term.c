/* term.c: colour rules, the terminal's width, and the progress bar. */
#include "term.h"
#include "cli.h"
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char *const sz_colour_choices[] = {"auto", "always", "never", NULL};

bool sz_term_has_colour(FILE *f, sz_colour wish) {
    if (wish != SZ_COLOUR_AUTO)
        return wish == SZ_COLOUR_ALWAYS;
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
    if (no_colour && no_colour[0])
        return false;
    return isatty(fileno(f)) && (!term || strcmp(term, "dumb") != 0);
}

sz_depth sz_term_depth(FILE *f, sz_colour wish) {
    const char *kind = getenv("COLORTERM"), *term = getenv("TERM");
    if (!sz_term_has_colour(f, wish))
        return SZ_DEPTH_NONE;
    if (kind && (strcmp(kind, "truecolor") == 0 || strcmp(kind, "24bit") == 0))
        return SZ_DEPTH_TRUE;
    bool plain = term && !strstr(term, "256color") && strcmp(term, "dumb") != 0;
    return plain ? SZ_DEPTH_16 : SZ_DEPTH_256;
}

int sz_term_width(FILE *f) {
    struct winsize size;
    if (ioctl(fileno(f), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

void sz_progress_begin(sz_progress *p, const char *label, const char *unit, uint64_t done,
                       uint64_t total) {
    const char *term = getenv("TERM");
    *p = (sz_progress){.label = label, .unit = unit, .done = done, .first = done, .total = total};
    p->start_ns = sz_time_ns();
    p->terminal = isatty(STDERR_FILENO) && (!term || strcmp(term, "dumb") != 0);
}

static void format_amount(const sz_progress *p, uint64_t v, char out[16]) {
    if (p->unit)
        snprintf(out, 16, "%llu", (unsigned long long)v);
    else
        sz_format_bytes(v, out);
}

/* "43.2 MB of 98.4 MB  12.3 MB/s  5 s left" */
static void format_account(const sz_progress *p, uint64_t now_ns, char *out, size_t n) {
    char done[16], total[16], rate[16];
    double seconds = (double)(now_ns - p->start_ns) * 1e-9;
    double per_second = seconds > 0.2 ? (double)(p->done - p->first) / seconds : 0;
    format_amount(p, p->done, done);
    format_amount(p, p->total, total);
    format_amount(p, (uint64_t)per_second, rate);
    int used = p->total ? snprintf(out, n, "%s of %s%s", done, total, p->unit ? p->unit : "")
                        : snprintf(out, n, "%s%s", done, p->unit ? p->unit : "");
    if (per_second >= 1 && used > 0 && (size_t)used < n)
        used += snprintf(out + used, n - (size_t)used, "  %s/s", rate);
    if (per_second >= 1 && p->total > p->done && used > 0 && (size_t)used < n)
        snprintf(out + used, n - (size_t)used, "  %.0f s left",
                 (double)(p->total - p->done) / per_second);
}

static void draw(sz_progress *p, uint64_t now_ns) {
    char account[96], line[256];
    format_account(p, now_ns, account, sizeof account);
    int width = sz_term_width(stderr);
    int label = (int)strnlen(p->label, 40);
    int bar = width - label - 58;
    if (bar > 30)
        bar = 30;
    int n = snprintf(line, sizeof line, "%.*s ", label, p->label);
    if (bar >= 8 && p->total) {
        int full = (int)((double)bar * (double)p->done / (double)p->total);
        line[n++] = '[';
        for (int i = 0; i < bar; i++)
            line[n++] = i < full ? '#' : '.';
        line[n++] = ']', line[n++] = ' ', line[n] = '\0';
    }
    fprintf(stderr, "\r%s%.*s\033[K", line, width > n + 1 ? width - n - 1 : 0, account);
    fflush(stderr);
    p->drawn = true;
    p->shown_ns = now_ns;
}

#define REDRAW_NS 100000000u /* ten times a second */

void sz_progress_update(sz_progress *p, uint64_t done) {
    p->done = done;
    if (!p->terminal)
        return;
    uint64_t now = sz_time_ns();
    if (p->shown_ns == 0 || now - p->shown_ns >= REDRAW_NS)
        draw(p, now);
}

void sz_progress_end(sz_progress *p) {
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}
