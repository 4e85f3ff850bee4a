/* entropy_scale.c: from blue (the model is sure) over green and yellow to red (it is not). The
 * steps have one lightness, so the text is read equally well on dark and on light ground, and a
 * chroma that grows with the entropy: OKLCH with L = 0.72, C = 0.08 .. 0.16, hue 250 .. 25 degrees.
 */
#include "entropy_scale.h"
#include <szilard/unstable/base.h>

#define FULL_NATS 5.0 /* the last colour; few tokens of a sensible text have more */

static const uint32_t scale[] = {
    0x7ea9d5, 0x6dadd3, 0x5cb2cc, 0x4eb6c1, 0x48b9b3, 0x4ebaa1, 0x5eba8c, 0x74b876,
    0x8bb45e, 0xa2ae47, 0xb8a631, 0xcc9c22, 0xdd9227, 0xea883b, 0xf47f55, 0xf97770,
};
enum { N_STEPS = sizeof scale / sizeof *scale };

static unsigned step_of(double nats) {
    double at = nats / FULL_NATS * N_STEPS;
    return at < 0 ? 0 : at < N_STEPS ? (unsigned)at : N_STEPS - 1;
}

/* Nearest level of the 6 x 6 x 6 cube: 0, 95, 135, 175, 215, 255. */
static unsigned cube_level(unsigned v) {
    return v < 48 ? 0 : v < 115 ? 1 : (v - 35) / 40;
}

static unsigned colour_256(uint32_t rgb) {
    return 16 + 36 * cube_level(rgb >> 16) + 6 * cube_level(rgb >> 8 & 255) + cube_level(rgb & 255);
}

const char *sz_entropy_colour(double nats, sz_depth depth, bool dim, char out[32]) {
    static const unsigned basic[] = {34, 36, 32, 33, 31}; /* blue, cyan, green, yellow, red */
    unsigned step = step_of(nats);
    uint32_t rgb = scale[step];
    const char *weak = dim ? "2;" : "";
    out[0] = '\0';
    if (depth == SZ_DEPTH_TRUE)
        snprintf(out, 32, "\033[%s38;2;%u;%u;%um", weak, rgb >> 16, rgb >> 8 & 255, rgb & 255);
    else if (depth == SZ_DEPTH_256)
        snprintf(out, 32, "\033[%s38;5;%um", weak, colour_256(rgb));
    else if (depth == SZ_DEPTH_16)
        snprintf(out, 32, "\033[%s%um", weak, basic[step * 5 / N_STEPS]);
    return out;
}

void sz_entropy_legend(sz_buf *b, sz_depth depth, sz_unit unit) {
    char colour[32];
    sz_buf_puts(b, "entropy ");
    for (int nats = 0; nats <= (int)FULL_NATS; nats++)
        sz_buf_printf(b, "%s\xE2\x96\x88\xE2\x96\x88 %.3g%s%s ",
                      sz_entropy_colour(nats, depth, false, colour), sz_unit_convert(nats, unit),
                      nats == (int)FULL_NATS ? "+" : "", depth ? "\033[0m" : "");
    sz_buf_printf(b, "%s per token\n", sz_unit_name(unit));
}

void sz_entropy_bars(sz_buf *b, const float *nats, size_t n, size_t width) {
    size_t columns = n < width ? n : width;
    for (size_t i = 0; i < columns; i++) {
        size_t from = i * n / columns, to = (i + 1) * n / columns;
        double sum = 0;
        for (size_t j = from; j < to; j++)
            sum += (double)nats[j];
        unsigned height = step_of(sum / (double)(to - from)) / 2; /* 8 heights, U+2581 on */
        sz_buf_append(b, (char[]){'\xE2', '\x96', (char)(0x81 + height)}, 3);
    }
}
