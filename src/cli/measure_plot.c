/* measure_plot.c: spectra and distributions as figures. */
#include "measure.h"
#include "plot.h"
#include <math.h>

sz_status sz_measure_plot(const sz_measure_options *o, const char *title, const char *below,
                          const double *values, size_t n) {
    if (!o->plot)
        return SZ_OK;
    double *v = sz_alloc(2 * n * sizeof *v);
    SZ_REQUIRE(v, SZ_E_NOMEM, "no memory for a figure of %zu values", n);
    for (size_t i = 0; i < n; i++) {
        v[i] = (double)(i + 1);
        v[n + i] = values[i] > 0 ? log10(values[i]) : NAN; /* none of it: a gap */
    }
    sz_plot plot = {.title = title,
                    .x_label = below,
                    .y_label = "log10 of its size",
                    .x = v,
                    .n = n,
                    .lines = &(sz_plot_line){"values", v + n},
                    .n_lines = 1};
    sz_status status = sz_plot_write(o->plot, &plot);
    sz_free(v);
    return status;
}
