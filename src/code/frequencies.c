/* frequencies.c: logits and probabilities to integers that sum to 2^32 (card 07b, section 2).
 *
 * floor(w (2^32 - n) / W) is computed as the top of w times a fixed-point reciprocal. That is exact
 * but where the fraction comes within its error of the next whole number; such places, one in
 * 2^32 / 2, are divided again. */
#include <float.h>
#include <math.h>
#include <pthread.h>

#include <szilard/unstable/code.h>

enum { N_WEIGHTS = 22715, BLOCK = 256 };

static uint64_t weights[N_WEIGHTS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* E_0 = 2^62, E_(k+1) = floor(E_k C / 2^62), C = 2^62 exp(-1/1024) rounded: integers only. */
static void fill_weights(void) {
    uint64_t e = (uint64_t)1 << 62;
    for (size_t k = 0; k < N_WEIGHTS; k++) {
        weights[k] = e >> 30;
        e = (uint64_t)((unsigned __int128)e * 4607184617107619806u >> 62);
    }
}

const uint64_t *sz_freq_weights(size_t *n) {
    pthread_once(&once, fill_weights);
    *n = N_WEIGHTS;
    return weights;
}

/* Sixteen maxima side by side, so that none waits for another. */
static sz_status find_max(const float *logits, size_t n, float *out) {
    enum { LANES = 16 };
    float lane[LANES], max = -INFINITY;
    int bad = 0;
    size_t i = 0;
    for (size_t k = 0; k < LANES; k++)
        lane[k] = -INFINITY;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            float z = logits[i + k];
            bad |= !(z <= FLT_MAX);
            lane[k] = z > lane[k] ? z : lane[k];
        }
    for (; i < n; i++) {
        bad |= !(logits[i] <= FLT_MAX);
        max = logits[i] > max ? logits[i] : max;
    }
    for (size_t k = 0; k < LANES; k++)
        max = lane[k] > max ? lane[k] : max;
    SZ_REQUIRE(!bad && max > -INFINITY, SZ_E_NAN,
               "a logit is NaN or infinity, or all of them are -infinity");
    *out = max;
    return SZ_OK;
}

static size_t find_first(const float *logits, float value) {
    size_t at = 0;
    while (logits[at] != value)
        at++;
    return at;
}

/* Steps of 1/1024 nat below the largest, at most N_WEIGHTS - 1, whose weight is 0. */
static void put_steps(const float *logits, size_t n, float max, uint32_t *steps) {
    for (size_t i = 0; i < n; i++) {
        float step = (max - logits[i]) * 1024.0f + 0.5f;
        steps[i] = (uint32_t)(int32_t)(step < N_WEIGHTS - 1 ? step : N_WEIGHTS - 1);
    }
}

/* In: steps; out: their weights, in the same place. A weight of 2^32, that of step 0 alone, becomes
 * WHOLE, which is no other step's. Returns the sum of the true ones. */
#define WHOLE UINT32_MAX
static uint64_t put_weights(size_t n, uint32_t *steps) {
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t w = weights[steps[i]];
        sum += w;
        steps[i] = (uint32_t)(w - (w >> 32));
    }
    return sum;
}

typedef struct share {
    uint64_t total, rest; /* W, and 2^32 - n */
    uint64_t reciprocal;  /* floor(2^64 rest / W), below 2^64 as rest < 2^32 <= W */
} share;

static uint32_t divide(const share *s, uint32_t weight) {
    uint64_t w = weight == WHOLE ? (uint64_t)1 << 32 : weight;
    return (uint32_t)(1 + (unsigned __int128)w * s->rest / s->total);
}

/* In: weights [n <= BLOCK]; out: frequencies. Returns their sum. */
static uint64_t put_block(const share *s, size_t n, uint32_t *freq) {
    uint32_t w[BLOCK], slow = 0;
    uint32_t high = (uint32_t)(s->reciprocal >> 32), low = (uint32_t)s->reciprocal;
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        w[i] = freq[i];
        uint64_t part = (uint64_t)w[i] * high + ((uint64_t)w[i] * low >> 32);
        freq[i] = (uint32_t)(part >> 32) + 1;
        slow |= ((uint32_t)part >= UINT32_MAX - 1) | (w[i] == WHOLE);
    }
    for (size_t i = 0; slow && i < n; i++)
        freq[i] = divide(s, w[i]);
    for (size_t i = 0; i < n; i++)
        sum += freq[i];
    return sum;
}

static sz_status check_size(size_t n) {
    SZ_REQUIRE(n >= 2 && n <= SZ_FREQ_MOST, SZ_E_ARG, "an alphabet has 2 to %d symbols, not %zu",
               SZ_FREQ_MOST, n);
    return SZ_OK;
}

sz_status sz_freq_from_logits(const float *logits, size_t n, uint32_t *freq) {
    float max;
    SZ_TRY(check_size(n));
    SZ_TRY(find_max(logits, n, &max));
    pthread_once(&once, fill_weights);
    put_steps(logits, n, max, freq);
    share s = {.total = put_weights(n, freq), .rest = ((uint64_t)1 << 32) - n};
    s.reciprocal = (uint64_t)(((unsigned __int128)s.rest << 64) / s.total);
    uint64_t sum = 0;
    for (size_t at = 0; at < n; at += BLOCK)
        sum += put_block(&s, n - at < BLOCK ? n - at : BLOCK, freq + at);
    freq[find_first(logits, max)] += (uint32_t)(((uint64_t)1 << 32) - sum);
    return SZ_OK;
}

sz_status sz_freq_from_probabilities(const double *p, size_t n, uint32_t *freq) {
    SZ_TRY(check_size(n));
    double total = 0;
    size_t argmax = 0;
    for (size_t i = 0; i < n; i++) {
        SZ_REQUIRE(p[i] >= 0 && p[i] <= 2, SZ_E_ARG, "probability %zu is %g", i, p[i]);
        total += p[i];
        argmax = p[i] > p[argmax] ? i : argmax;
    }
    SZ_REQUIRE(total >= 1 - 1e-8 && total <= 1 + 1e-8, SZ_E_ARG, "probabilities sum to %.9g",
               total);
    double rest = (double)(((uint64_t)1 << 32) - n);
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        double share = p[i] * rest;
        freq[i] = 1 + (uint32_t)(share < rest ? share : rest);
        sum += freq[i];
    }
    /* The rest may be below 0, by 43 at most, where the largest has 2^32 / n - 1 and more. */
    freq[argmax] += (uint32_t)(((uint64_t)1 << 32) - sum);
    return SZ_OK;
}
