/* format_fit.h: the search for the scales of a block that lose least, in squared error.
 *
 * All functions see a block scaled by a power of two so that its largest magnitude lies in [1, 2):
 * nothing overflows, and tiny and huge weights are treated alike. Lengths are 8, 16, 24 or 32. Sums
 * run in eight fixed lanes, so results do not depend on the compiler's choice of instructions. */
#ifndef SZ_NUM_FORMAT_FIT_H
#define SZ_NUM_FORMAT_FIT_H

#include "format_blocks.h"

/* The values that a code can stand for: the integers lo..hi, or sz_iq4_values. */
typedef struct sz_grid {
    float lo, hi;
    float step; /* relative distance of the scales that are tried */
    bool iq4;
} sz_grid;

/* v rounded to the nearest integer in [lo, hi], |lo|, |hi| < 2^22; lo for a NaN. */
static inline float sz_nearest(float v, float lo, float hi) {
    v = v > lo ? v : lo;
    v = v < hi ? v : hi;
    return v + 0x1.8p23f - 0x1.8p23f;
}

/* The value of the grid nearest to v. */
float sz_grid_snap(const sz_grid *grid, float v);
/* The code 0, 1, ... that stands for a value of the grid. */
uint8_t sz_grid_code(const sz_grid *grid, float value);

/* y = x / unit with unit a power of two; false if x is all zeros or below half of the smallest
 * number that a half times an integer can express. */
bool sz_fit_normalize(const float *x, int n, float *y, double *unit);

/* The half nearest to scale * unit, never infinite, and zero only where scale is. */
uint16_t sz_fit_half(double scale, double unit);
/* The half that is `offset` (-1, 0, 1) further from zero than h; h itself at the ends. */
uint16_t sz_fit_half_beside(uint16_t h, int offset);

/* Returns the scale s for which sum (x - s snap(x / s))^2 is least among those tried. */
float sz_fit_scale(const sz_grid *grid, const float *x, int n);
float sz_fit_scale_error(const sz_grid *grid, const float *x, int n, float scale);

/* The same for x ~ scale q - min, q in 0..q_max; min >= 0 unless `any_min`. */
void sz_fit_affine(float q_max, float step, bool any_min, const float *x, int n, float *scale,
                   float *min);
float sz_fit_affine_error(float q_max, const float *x, int n, float scale, float min);

/* 1 / scale, or 0 for a scale of 0: every weight then gets the code of 0. */
static inline float sz_fit_inverse(float scale) {
    return scale != 0 ? 1 / scale : 0;
}

#endif
