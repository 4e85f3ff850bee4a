/* pattern.h: the one place that knows PCRE2. Patterns are compiled with UTF and Unicode properties
 * and run as machine code where the platform allows it. */
#ifndef SZ_MODEL_PATTERN_H
#define SZ_MODEL_PATTERN_H

#include <szilard/unstable/base.h>

typedef struct sz_pattern sz_pattern; /* immutable; any number of threads */
typedef struct sz_matcher sz_matcher; /* where matches are put; one per call or thread */

sz_status sz_pattern_new(const char *regex, sz_pattern **out);
void sz_pattern_free(sz_pattern *p);
sz_status sz_matcher_new(sz_matcher **out);
void sz_matcher_free(sz_matcher *m);

/* First match in s[from..n), which must be valid UTF-8 and is all that the pattern sees: SZ_OK and
 * its bounds, or SZ_END. Empty matches do not count. */
sz_status sz_pattern_next(const sz_pattern *p, sz_matcher *m, const char *s, size_t n, size_t from,
                          size_t *start, size_t *end);

#endif
