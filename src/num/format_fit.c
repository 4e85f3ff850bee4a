/* format_fit.c: searches over scales. Each tries a range of scales around the one that just covers
 * the block, solves for the best scale given the codes of each, and polishes the winner. */
#include "format_fit.h"

#include <string.h>

enum { LANES = 8, MOST = 32, FEWER = 8, MORE = 12, POLISH = 3 };

static float sum_lanes(const float a[LANES]) {
    return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]));
}

/* Half way between neighbours of sz_iq4_values. */
static const float iq4_middle[15] = {-115.5f, -93.5f, -74,   -57,   -42, -28.5f, -16, -4.5f,
                                     7,       19,     31.5f, 45.5f, 61,  79,     101};

/* Code of the value nearest to v: a binary search without branches. */
static unsigned code_iq4(float v) {
    unsigned code = (unsigned)(v > iq4_middle[7]) << 3;
    code |= (unsigned)(v > iq4_middle[code | 3]) << 2;
    code |= (unsigned)(v > iq4_middle[code | 1]) << 1;
    return code | (unsigned)(v > iq4_middle[code]);
}

float sz_grid_snap(const sz_grid *grid, float v) {
    return grid->iq4 ? sz_iq4_values[code_iq4(v)] : sz_nearest(v, grid->lo, grid->hi);
}

/* q[i] = the value nearest to x[i] * inverse. */
static void snap_all(const sz_grid *grid, const float *x, int n, float inverse, float *q) {
    float lo = grid->lo, hi = grid->hi;
    if (grid->iq4)
        for (int i = 0; i < n; i++)
            q[i] = sz_iq4_values[code_iq4(x[i] * inverse)];
    else
        for (int i = 0; i < n; i++)
            q[i] = sz_nearest(x[i] * inverse, lo, hi);
}

uint8_t sz_grid_code(const sz_grid *grid, float value) {
    if (!grid->iq4)
        return (uint8_t)(int)(value - grid->lo);
    uint8_t code = 0;
    while (code < 15 && sz_iq4_values[code] < value)
        code++;
    return code;
}

bool sz_fit_normalize(const float *x, int n, float *y, double *unit) {
    float largest = 0;
    for (int i = 0; i < n; i++) {
        float magnitude = x[i] < 0 ? -x[i] : x[i];
        largest = magnitude > largest ? magnitude : largest;
    }
    if (largest < 0x1p-25f)
        return false;
    uint32_t bits;
    memcpy(&bits, &largest, sizeof bits);
    uint64_t exponent = (bits >> 23) - 127 + 1023;
    uint64_t up = exponent << 52, down = (2046 - exponent) << 52;
    double inverse;
    memcpy(unit, &up, sizeof *unit);
    memcpy(&inverse, &down, sizeof inverse);
    for (int i = 0; i < n; i++)
        y[i] = (float)(x[i] * inverse);
    return true;
}

uint16_t sz_fit_half(double scale, double unit) {
    double v = scale * unit;
    v = v < 65504 ? v : 65504;
    v = v > -65504 ? v : -65504;
    uint16_t h = sz_f32_to_f16((float)v);
    return (h & 0x7fff) == 0 && v != 0 ? h | 1 : h;
}

uint16_t sz_fit_half_beside(uint16_t h, int offset) {
    int magnitude = (h & 0x7fff) + offset;
    if (magnitude < 0 || magnitude > 0x7bff)
        return h;
    return (uint16_t)((h & 0x8000) | magnitude);
}

/* The scale that suits the codes nearest to x * inverse best, and how much of sum x^2 they then
 * explain. */
static float best_scale(const sz_grid *grid, const float *x, int n, float inverse, float *gain) {
    float q[MOST], xq[LANES] = {0}, qq[LANES] = {0};
    snap_all(grid, x, n, inverse, q);
    for (int i = 0; i < n; i += LANES)
        for (int l = 0; l < LANES; l++) {
            xq[l] += x[i + l] * q[i + l];
            qq[l] += q[i + l] * q[i + l];
        }
    float product = sum_lanes(xq), norm = sum_lanes(qq);
    float scale = norm > 0 ? product / norm : 0;
    *gain = scale * product;
    return scale;
}

float sz_fit_scale_error(const sz_grid *grid, const float *x, int n, float scale) {
    float q[MOST], error[LANES] = {0};
    snap_all(grid, x, n, sz_fit_inverse(scale), q);
    for (int i = 0; i < n; i += LANES)
        for (int l = 0; l < LANES; l++) {
            float e = x[i + l] - scale * q[i + l];
            error[l] += e * e;
        }
    return sum_lanes(error);
}

static float of_largest_magnitude(const float *x, int n) {
    float found = 0;
    for (int i = 0; i < n; i++)
        if (x[i] * x[i] > found * found)
            found = x[i];
    return found;
}

float sz_fit_scale(const sz_grid *grid, const float *x, int n) {
    float extreme = of_largest_magnitude(x, n), scale = 0, most = 0;
    if (extreme * extreme == 0)
        return 0;
    int sides = grid->lo == -grid->hi ? 1 : 2; /* the extreme weight at either end of the grid */
    for (int side = 0; side < sides; side++)
        for (int k = -FEWER; k <= MORE; k++) {
            float end = side ? grid->hi : grid->lo, gain;
            float inverse = end * (1 + (float)k * grid->step) / extreme;
            float candidate = best_scale(grid, x, n, inverse, &gain);
            if (gain > most) {
                most = gain;
                scale = candidate;
            }
        }
    for (int k = 0; k < POLISH; k++) {
        float gain, candidate = best_scale(grid, x, n, sz_fit_inverse(scale), &gain);
        if (!(gain > most))
            break;
        most = gain;
        scale = candidate;
    }
    return scale;
}

float sz_fit_affine_error(float q_max, const float *x, int n, float scale, float min) {
    float inverse = sz_fit_inverse(scale), error[LANES] = {0};
    for (int i = 0; i < n; i += LANES)
        for (int l = 0; l < LANES; l++) {
            float q = sz_nearest((x[i + l] + min) * inverse, 0, q_max);
            float e = x[i + l] - (scale * q - min);
            error[l] += e * e;
        }
    return sum_lanes(error);
}

/* Scale and min that suit best the codes nearest to (x + min) * inverse (least squares). */
static void best_affine(float q_max, bool any_min, const float *x, int n, float inverse,
                        float *scale, float *min) {
    float lane_x[LANES] = {0}, lane_q[LANES] = {0}, lane_xq[LANES] = {0}, lane_qq[LANES] = {0};
    for (int i = 0; i < n; i += LANES)
        for (int l = 0; l < LANES; l++) {
            float v = x[i + l], q = sz_nearest((v + *min) * inverse, 0, q_max);
            lane_x[l] += v;
            lane_q[l] += q;
            lane_xq[l] += v * q;
            lane_qq[l] += q * q;
        }
    float sx = sum_lanes(lane_x), sq = sum_lanes(lane_q);
    float sxq = sum_lanes(lane_xq), sqq = sum_lanes(lane_qq);
    float determinant = (float)n * sqq - sq * sq;
    *scale = determinant > 0 ? ((float)n * sxq - sx * sq) / determinant : 0;
    *min = (*scale * sq - sx) / (float)n;
    if (!any_min && *min < 0) {
        *min = 0;
        *scale = sqq > 0 ? sxq / sqq : 0;
    }
}

void sz_fit_affine(float q_max, float step, bool any_min, const float *x, int n, float *scale,
                   float *min) {
    float lo = x[0], hi = x[0];
    for (int i = 1; i < n; i++) {
        lo = x[i] < lo ? x[i] : lo;
        hi = x[i] > hi ? x[i] : hi;
    }
    lo = any_min || lo < 0 ? lo : 0;
    *scale = 0;
    *min = -lo;
    if (!(hi > lo))
        return;
    float least = sz_fit_affine_error(q_max, x, n, 0, -lo);
    for (int k = -FEWER; k <= MORE + POLISH; k++) {
        bool search = k <= MORE;
        float s, m = search ? -lo : *min;
        float inverse = search ? q_max * (1 + (float)k * step) / (hi - lo) : sz_fit_inverse(*scale);
        best_affine(q_max, any_min, x, n, inverse, &s, &m);
        float error = sz_fit_affine_error(q_max, x, n, s, m);
        if (error < least) {
            least = error;
            *scale = s;
            *min = m;
        }
    }
}
