/* plot.h: figures as SVG: lines over one axis, nothing else. */
#ifndef SZ_CLI_PLOT_H
#define SZ_CLI_PLOT_H

#include "cli.h"

typedef struct sz_plot_line {
    const char *name;
    const double *y; /* [n]; values that are not finite leave a gap */
} sz_plot_line;

typedef struct sz_plot {
    const char *title, *x_label, *y_label;
    const double *x; /* [n], ascending */
    size_t n;
    const sz_plot_line *lines;
    size_t n_lines; /* at most 6 have colours of their own */
} sz_plot;

/* Appends the figure, which holds its own light and dark colours. */
void sz_plot_svg(sz_buf *b, const sz_plot *plot);
/* The same into a file, whole or not at all. */
sz_status sz_plot_write(const char *path, const sz_plot *plot);

#endif
