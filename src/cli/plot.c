/* plot.c: see plot.h. The frame is 720 x 420; what is written inside is escaped. */
#include "plot.h"
#include <math.h>

enum { WIDTH = 720, HEIGHT = 420, LEFT = 70, RIGHT = 150, TOP = 44, BOTTOM = 56, MOST_TICKS = 7 };

static const char *const colours[] = {"#2166ac", "#b2182b", "#1b7837",
                                      "#762a83", "#b35806", "#4d4d4d"};

typedef struct scale {
    double least, most; /* of the data */
    double from, to;    /* pixels */
} scale;

static double place(const scale *s, double v) {
    return s->from + (v - s->least) / (s->most - s->least) * (s->to - s->from);
}

static void widen(scale *s, double v) {
    if (!isfinite(v))
        return;
    s->least = v < s->least ? v : s->least;
    s->most = v > s->most ? v : s->most;
}

/* A scale that saw one value, or none, gets an extent. */
static void settle(scale *s) {
    if (s->least > s->most)
        s->least = 0, s->most = 1;
    if (s->least == s->most)
        s->least -= 0.5, s->most += 0.5;
}

/* The step of 1, 2 or 5 times a power of ten that gives at most MOST_TICKS ticks. */
static double tick_step(const scale *s) {
    double raw = (s->most - s->least) / MOST_TICKS, power = pow(10, floor(log10(raw)));
    double times = raw / power;
    return power * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
}

static void put_escaped(sz_buf *b, const char *s) {
    for (; *s; s++) {
        if (*s == '<')
            sz_buf_puts(b, "&lt;");
        else if (*s == '&')
            sz_buf_puts(b, "&amp;");
        else
            sz_buf_putc(b, *s);
    }
}

static void put_text(sz_buf *b, double x, double y, const char *attributes, const char *text) {
    sz_buf_printf(b, "<text x=\"%.1f\" y=\"%.1f\"%s>", x, y, attributes);
    put_escaped(b, text);
    sz_buf_puts(b, "</text>\n");
}

static void put_axis(sz_buf *b, const scale *s, bool vertical) {
    double step = tick_step(s);
    for (double v = ceil(s->least / step) * step; v <= s->most + step * 1e-9; v += step) {
        char label[32];
        double at = place(s, v);
        snprintf(label, sizeof label, "%.6g", fabs(v) < step * 1e-9 ? 0.0 : v);
        if (vertical) {
            sz_buf_printf(b, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>\n", LEFT, at, WIDTH - RIGHT);
            put_text(b, LEFT - 8, at + 4, " text-anchor=\"end\"", label);
        } else {
            sz_buf_printf(b, "<path class=\"grid\" d=\"M%.1f %dV%d\"/>\n", at, TOP,
                          HEIGHT - BOTTOM);
            put_text(b, at, HEIGHT - BOTTOM + 18, " text-anchor=\"middle\"", label);
        }
    }
}

static void put_line(sz_buf *b, const sz_plot *p, size_t line, const scale *x, const scale *y) {
    const char *colour = colours[line % (sizeof colours / sizeof *colours)];
    bool pen = false; /* down: the point before was drawn */
    sz_buf_printf(b, "<path class=\"line\" stroke=\"%s\" d=\"", colour);
    for (size_t i = 0; i < p->n; i++) {
        double v = p->lines[line].y[i];
        if (isfinite(v))
            sz_buf_printf(b, "%c%.1f %.1f", pen ? 'L' : 'M', place(x, p->x[i]), place(y, v));
        pen = isfinite(v);
    }
    sz_buf_puts(b, "\"/>\n");
    double at = TOP + 12 + 20.0 * (double)line;
    sz_buf_printf(b, "<path class=\"line\" stroke=\"%s\" d=\"M%d %.1fh18\"/>\n", colour,
                  WIDTH - RIGHT + 14, at);
    put_text(b, WIDTH - RIGHT + 38, at + 4, "", p->lines[line].name);
}

static void put_labels(sz_buf *b, const sz_plot *p) {
    char turn[80];
    double middle = (TOP + HEIGHT - BOTTOM) / 2.0;
    put_text(b, LEFT, TOP - 18, " class=\"title\"", p->title);
    put_text(b, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 14, " text-anchor=\"middle\"", p->x_label);
    snprintf(turn, sizeof turn, " text-anchor=\"middle\" transform=\"rotate(-90 18 %.1f)\"",
             middle);
    put_text(b, 18, middle, turn, p->y_label);
}

void sz_plot_svg(sz_buf *b, const sz_plot *p) {
    scale x = {INFINITY, -INFINITY, LEFT, WIDTH - RIGHT},
          y = {INFINITY, -INFINITY, HEIGHT - BOTTOM, TOP};
    for (size_t i = 0; i < p->n; i++) {
        widen(&x, p->x[i]);
        for (size_t line = 0; line < p->n_lines; line++)
            widen(&y, p->lines[line].y[i]);
    }
    settle(&x);
    settle(&y);
    sz_buf_printf(b,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                  "font-family=\"sans-serif\" font-size=\"12\">\n"
                  "<style>text{fill:#222}.title{font-size:14px;font-weight:bold}"
                  ".grid{stroke:#8884;fill:none}.line{fill:none;stroke-width:2}"
                  "rect{fill:#fff}@media(prefers-color-scheme:dark){text{fill:#ddd}"
                  "rect{fill:#181818}.line{filter:brightness(1.6)}}</style>\n"
                  "<rect width=\"%d\" height=\"%d\"/>\n",
                  WIDTH, HEIGHT, WIDTH, HEIGHT);
    put_axis(b, &x, false);
    put_axis(b, &y, true);
    put_labels(b, p);
    for (size_t line = 0; line < p->n_lines; line++)
        put_line(b, p, line, &x, &y);
    sz_buf_puts(b, "</svg>\n");
}

sz_status sz_plot_write(const char *path, const sz_plot *plot) {
    sz_buf b = {0};
    sz_writer *w = NULL;
    sz_plot_svg(&b, plot);
    sz_status status = b.failed ? sz_fail(SZ_E_NOMEM, "%s: no memory for a figure", path) : SZ_OK;
    if (status == SZ_OK)
        status = sz_writer_open(path, &w);
    if (status == SZ_OK)
        status = sz_writer_write(w, b.data, b.len);
    if (status == SZ_OK)
        status = sz_writer_commit(w);
    else
        sz_writer_abort(w);
    sz_buf_free(&b);
    return status;
}
