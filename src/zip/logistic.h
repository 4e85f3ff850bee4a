/* logistic.h: the logistic function and its inverse in integers, for mixing predictions.
 * x = ln(p / (1 - p)) in units of 1/256, from -2047 to 2047. */
#ifndef SZ_ZIP_LOGISTIC_H
#define SZ_ZIP_LOGISTIC_H

#include <stdint.h>

extern uint16_t sz_squash_table[4096]; /* [x + 2048], in 1/65536 */
extern int16_t sz_stretch_table[4096]; /* [p in 1/4096] */
/* Fills the tables; before anything else. Any number of times, from any thread. */
void sz_logistic_init(void);

static inline int32_t sz_logistic_limit(int32_t x) {
    return x < -2047 ? -2047 : x > 2047 ? 2047 : x;
}
static inline int32_t sz_squash(int32_t x) {
    return sz_squash_table[sz_logistic_limit(x) + 2048];
}
static inline int32_t sz_stretch(uint32_t p /* in 1/65536 */) {
    return sz_stretch_table[p >> 4];
}
/* Moves a probability in 1/65536 towards what came, by 2^-rate of the way. */
static inline void sz_approach(uint16_t *p, int bit, int rate) {
    *p = (uint16_t)(bit ? *p + ((65535 - *p) >> rate) : *p - (*p >> rate));
}

#endif
