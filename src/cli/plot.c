/* plot.c: see plot.h. The frame is 720 x 420; what is written inside is escaped. */
#include "plot.h"
#include <math.h>

enum { WIDTH = 720, HEIGHT = 420, LEFT = 70, RIGHT = 150, TOP = 44, BOTTOM = 56, MOST_TICKS = 7 };

static const char *const colours[] = {"#2166ac", "#b2182b", "#1b7837",
                                      "#762a83", "#b35806", "#4d4d4d"};

typedef struct scale {
    double least, most; /* of the data */
    double from, to;    /* pixels */
    bool log;           /* least and most are logarithms */
} scale;

static double on_axis(const scale *s, double v) {
    return s->log ? log10(v) : v;
}

static double place(const scale *s, double v) {
    return s->from + (on_axis(s, v) - s->least) / (s->most - s->least) * (s->to - s->from);
}

static void widen(scale *s, double v) {
    v = on_axis(s, v);
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

static void put_tick(sz_buf *b, const scale *s, bool vertical, double v) {
    char label[32];
    double at = place(s, v);
    snprintf(label, sizeof label, "%.6g", v);
    if (vertical) {
        sz_buf_printf(b, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>\n", LEFT, at, WIDTH - RIGHT);
        put_text(b, LEFT - 8, at + 4, " text-anchor=\"end\"", label);
    } else {
        sz_buf_printf(b, "<path class=\"grid\" d=\"M%.1f %dV%d\"/>\n", at, TOP, HEIGHT - BOTTOM);
        put_text(b, at, HEIGHT - BOTTOM + 18, " text-anchor=\"middle\"", label);
    }
}

/* Powers of ten; their double and fivefold as well where there are few. */
static void put_log_axis(sz_buf *b, const scale *s, bool vertical) {
    static const double times[] = {1, 2, 5};
    int n = s->most - s->least < 3 ? 3 : 1;
    for (double power = floor(s->least); power <= s->most; power++)
        for (int i = 0; i < n; i++) {
            double v = times[i] * pow(10, power), at = log10(v);
            if (at >= s->least - 1e-9 && at <= s->most + 1e-9)
                put_tick(b, s, vertical, v);
        }
}

static void put_axis(sz_buf *b, const scale *s, bool vertical) {
    double step = tick_step(s);
    if (s->log) {
        put_log_axis(b, s, vertical);
        return;
    }
    for (double v = ceil(s->least / step) * step; v <= s->most + step * 1e-9; v += step)
        put_tick(b, s, vertical, fabs(v) < step * 1e-9 ? 0.0 : v);
}

/* The place of entry i of the legend. */
static double legend_at(size_t i) {
    return TOP + 12 + 20.0 * (double)i;
}

static const char *colour_of(size_t i) {
    return colours[i % (sizeof colours / sizeof *colours)];
}

static void put_line(sz_buf *b, const sz_plot *p, size_t line, const scale *x, const scale *y) {
    const char *colour = colour_of(line);
    bool pen = false; /* down: the point before was drawn */
    sz_buf_printf(b, "<path class=\"line\" stroke=\"%s\" d=\"", colour);
    for (size_t i = 0; i < p->n; i++) {
        double v = p->lines[line].y[i];
        if (isfinite(v))
            sz_buf_printf(b, "%c%.1f %.1f", pen ? 'L' : 'M', place(x, p->x[i]), place(y, v));
        pen = isfinite(v);
    }
    sz_buf_puts(b, "\"/>\n");
    double at = legend_at(line);
    sz_buf_printf(b, "<path class=\"line\" stroke=\"%s\" d=\"M%d %.1fh18\"/>\n", colour,
                  WIDTH - RIGHT + 14, at);
    put_text(b, WIDTH - RIGHT + 38, at + 4, "", p->lines[line].name);
}

static void put_dots(sz_buf *b, const sz_plot *p, size_t index, const scale *x, const scale *y) {
    const sz_plot_dots *dots = &p->dots[index];
    const char *colour = colour_of(p->n_lines + index);
    for (size_t i = 0; i < dots->n; i++) {
        const sz_plot_dot *d = &dots->dot[i];
        if (!isfinite(on_axis(x, d->x)) || !isfinite(on_axis(y, d->y)))
            continue;
        double cx = place(x, d->x), cy = place(y, d->y);
        sz_buf_printf(b, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%d\" fill=\"%s\"><title>", cx, cy,
                      d->written ? 5 : 3, colour);
        put_escaped(b, d->label);
        sz_buf_puts(b, "</title></circle>\n");
        if (d->written)
            put_text(b, cx + 8, cy + 4, "", d->label);
    }
    double at = legend_at(p->n_lines + index);
    sz_buf_printf(b, "<circle cx=\"%d\" cy=\"%.1f\" r=\"5\" fill=\"%s\"/>\n", WIDTH - RIGHT + 23,
                  at, colour);
    put_text(b, WIDTH - RIGHT + 38, at + 4, "", dots->name);
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
    scale x = {INFINITY, -INFINITY, LEFT, WIDTH - RIGHT, p->log_x},
          y = {INFINITY, -INFINITY, HEIGHT - BOTTOM, TOP, p->log_y};
    for (size_t i = 0; i < p->n; i++) {
        widen(&x, p->x[i]);
        for (size_t line = 0; line < p->n_lines; line++)
            widen(&y, p->lines[line].y[i]);
    }
    for (size_t i = 0; i < p->n_dots; i++)
        for (size_t dot = 0; dot < p->dots[i].n; dot++) {
            widen(&x, p->dots[i].dot[dot].x);
            widen(&y, p->dots[i].dot[dot].y);
        }
    settle(&x);
    settle(&y);
    sz_buf_printf(b,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                  "font-family=\"sans-serif\" font-size=\"12\">\n"
                  "<style>text{fill:#222}.title{font-size:14px;font-weight:bold}"
                  ".grid{stroke:#8884;fill:none}.line{fill:none;stroke-width:2}"
                  "rect{fill:#fff}@media(prefers-color-scheme:dark){text{fill:#ddd}"
                  "rect{fill:#181818}.line,circle{filter:brightness(1.6)}}</style>\n"
                  "<rect width=\"%d\" height=\"%d\"/>\n",
                  WIDTH, HEIGHT, WIDTH, HEIGHT);
    put_axis(b, &x, false);
    put_axis(b, &y, true);
    put_labels(b, p);
    for (size_t line = 0; line < p->n_lines; line++)
        put_line(b, p, line, &x, &y);
    for (size_t i = 0; i < p->n_dots; i++)
        put_dots(b, p, i, &x, &y);
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
