/* optimiser_rules.c: rules that move every element on its own. */
#include "optimiser.h"

#include <string.h>

#include <szilard/unstable/num.h>

void sz_step_sgd(const sz_optimiser *o, const chunk *c) {
    float *p = c->s->p.tensor->data + c->first, left = sz_left(o, c->s);
    const float *g = c->s->p.tensor->grad + c->first;
    float *m = c->s->state[0], beta = (float)o->config.beta1;
    for (size_t i = 0; i < c->n; i++) {
        float step = g[i] * o->scale;
        if (m) {
            float momentum = beta * m[c->first + i] + step;
            m[c->first + i] = momentum;
            step = o->config.nesterov ? step + beta * momentum : momentum;
        }
        p[i] = p[i] * left - o->rate * step;
    }
}

void sz_step_lion(const sz_optimiser *o, const chunk *c) {
    float *p = c->s->p.tensor->data + c->first, left = sz_left(o, c->s);
    const float *g = c->s->p.tensor->grad + c->first;
    float *m = (float *)c->s->state[0] + c->first;
    float beta1 = (float)o->config.beta1, beta2 = (float)o->config.beta2;
    for (size_t i = 0; i < c->n; i++) {
        float slope = g[i] * o->scale, way = beta1 * m[i] + (1 - beta1) * slope;
        m[i] = beta2 * m[i] + (1 - beta2) * slope;
        p[i] = p[i] * left - o->rate * (float)((way > 0) - (way < 0));
    }
}

/* ---- AdamW
 * ---------------------------------------------------------------------------------------
 */

typedef struct adam {                                     /* of one step */
    float beta1, beta2, by1, by2, eps, rate, left, scale; /* by: 1 / (1 - beta^steps) */
} adam;

static double power(double x, uint64_t n) { /* squares and products: the same everywhere */
    double result = 1;
    for (; n; n /= 2, x *= x)
        result = n & 1 ? result * x : result;
    return result;
}

static adam adam_of(const sz_optimiser *o, const slot *s) {
    double beta1 = o->config.kind == SZ_MUON ? 0.9 : o->config.beta1, beta2 = o->config.beta2;
    return (adam){(float)beta1,
                  (float)beta2,
                  (float)(1 / (1 - power(beta1, o->steps))),
                  (float)(1 / (1 - power(beta2, o->steps))),
                  (float)o->config.eps,
                  o->rate,
                  sz_left(o, s),
                  o->scale};
}

static inline void adam_step(const adam *a, float *p, float g, float *m, float *v) {
    g *= a->scale;
    *m = a->beta1 * *m + (1 - a->beta1) * g;
    *v = a->beta2 * *v + (1 - a->beta2) * (g * g);
    *p = *p * a->left - a->rate * (*m * a->by1 / (__builtin_sqrtf(*v * a->by2) + a->eps));
}

void sz_step_adamw(const sz_optimiser *o, const chunk *c) {
    float *p = c->s->p.tensor->data + c->first;
    const float *g = c->s->p.tensor->grad + c->first;
    float *m = (float *)c->s->state[0] + c->first, *v = (float *)c->s->state[1] + c->first;
    adam a = adam_of(o, c->s);
    for (size_t i = 0; i < c->n; i++)
        adam_step(&a, &p[i], g[i], &m[i], &v[i]);
}

/* ---- Moments in 8 bits
 * --------------------------------------------------------------------------- A block holds its
 * largest magnitude, then bytes: small floats relative to it, with exponents from -15 to 0. First
 * moments have a sign and 3 bits of mantissa; second moments are kept as their square root with 4,
 * and never round to zero, so that no step is divided by too little. */

typedef struct block {
    float largest;
    uint8_t code[SZ_MOMENT_BLOCK];
} block;

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* r in [0, 1] with `mantissa` bits, to the nearest. */
static uint8_t encode(float r, int mantissa) {
    int shift = 23 - mantissa;
    int64_t q = (int64_t)((bits_of(r) + (1u << (shift - 1))) >> shift) - ((127 - 15) << mantissa);
    return (uint8_t)(q < 0 ? 0 : q);
}
static float decode(uint8_t q, int mantissa) {
    return q == 0 ? 0 : float_of(((uint32_t)q + ((127u - 15u) << mantissa)) << (23 - mantissa));
}

static void load_moments(const block *m, const block *v, size_t n, float *first, float *second) {
    for (size_t i = 0; i < n; i++) {
        float magnitude = decode(m->code[i] & 127, 3) * m->largest;
        float root = decode(v->code[i], 4) * v->largest;
        first[i] = m->code[i] & 128 ? -magnitude : magnitude;
        second[i] = root * root;
    }
}

static void store_moments(block *m, block *v, size_t n, const float *first, const float *second) {
    m->largest = v->largest = 0;
    for (size_t i = 0; i < n; i++) {
        float magnitude = first[i] < 0 ? -first[i] : first[i], root = __builtin_sqrtf(second[i]);
        m->largest = magnitude > m->largest ? magnitude : m->largest;
        v->largest = root > v->largest ? root : v->largest;
    }
    for (size_t i = 0; i < n; i++) {
        float magnitude = first[i] < 0 ? -first[i] : first[i], root = __builtin_sqrtf(second[i]);
        uint8_t code = m->largest > 0 ? encode(magnitude / m->largest, 3) : 0;
        m->code[i] = (uint8_t)(code | (first[i] < 0 ? 128 : 0));
        v->code[i] = v->largest > 0 ? encode(root / v->largest, 4) : 0;
        if (root > 0 && v->code[i] == 0)
            v->code[i] = 1;
    }
}

void sz_step_adamw8(const sz_optimiser *o, const chunk *c) {
    float *p = c->s->p.tensor->data + c->first, first[SZ_MOMENT_BLOCK], second[SZ_MOMENT_BLOCK];
    const float *g = c->s->p.tensor->grad + c->first;
    block *m = (block *)c->s->state[0] + c->first / SZ_MOMENT_BLOCK;
    block *v = (block *)c->s->state[1] + c->first / SZ_MOMENT_BLOCK;
    adam a = adam_of(o, c->s);
    for (size_t at = 0; at < c->n; at += SZ_MOMENT_BLOCK, m++, v++) {
        size_t n = c->n - at < SZ_MOMENT_BLOCK ? c->n - at : SZ_MOMENT_BLOCK;
        load_moments(m, v, n, first, second);
        for (size_t i = 0; i < n; i++)
            adam_step(&a, &p[at + i], g[at + i], &first[i], &second[i]);
        store_moments(m, v, n, first, second);
    }
}
