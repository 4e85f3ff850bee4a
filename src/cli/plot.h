/* plot.h: figures as SVG: lines over one axis, and dots, nothing else. */
#ifndef SZ_CLI_PLOT_H
#define SZ_CLI_PLOT_H

#include "cli.h"

typedef struct sz_plot_line {
    const char *name;
    const double *y; /* [n]; values that are not finite leave a gap */
} sz_plot_line;

/* Dots of one colour, which follows those of the lines. What is not finite is left out. */
typedef struct sz_plot_dot {
    double x, y;
    const char *label; /* shown where the pointer rests; beside the dot as well if `written` */
    bool written;
} sz_plot_dot;

typedef struct sz_plot_dots {
    const char *name;
    const sz_plot_dot *dot; /* [n] */
    size_t n;
} sz_plot_dots;

typedef struct sz_plot {
    const char *title, *x_label, *y_label;
    const double *x; /* [n], ascending */
    size_t n;
    const sz_plot_line *lines;
    size_t n_lines; /* with dots, at most 6 have colours of their own */
    const sz_plot_dots *dots;
    size_t n_dots;
    bool log_x, log_y; /* logarithmic: all values must be positive */
} sz_plot;

/* Appends the figure, which holds its own light and dark colours. */
void sz_plot_svg(sz_buf *b, const sz_plot *plot);
/* The same into a file, whole or not at all. */
sz_status sz_plot_write(const char *path, const sz_plot *plot);

#endif
