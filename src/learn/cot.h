/* cot.h: how often two hypotheses say the same. */
#ifndef SZ_LEARN_COT_H
#define SZ_LEARN_COT_H

#include <szilard/unstable/cot.h>

/* P[rows a and b are equal] over the weights p; exact where the class is uniform and p its own. */
double sz_cot_agreement(const sz_cot_class *c, const uint32_t *a, const uint32_t *b,
                        const double *p);
/* -ln of an agreement; infinity for 0. */
double sz_cot_nats(double agreement);
/* P[outputs of a and b differ], over p (NULL: the class's). */
double sz_cot_disagreement(const sz_cot_class *c, size_t a, size_t b, const double *p);
sz_status sz_cot_check(const sz_cot_class *c, size_t star, double eps, double delta);

/* Of disagreements above eps, in floating point. */
#define SZ_COT_SLACK 1e-12

#endif
