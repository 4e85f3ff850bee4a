/* no_pattern.c: in place of src/model/pattern.c where PCRE2 is not there for the processor that is
 * compiled for: models open and compute, byte-level tokenizers take no text. */
#include "model/pattern.h"

struct sz_pattern {
    char unused;
};
struct sz_matcher {
    char unused;
};

sz_status sz_pattern_new(const char *regex, sz_pattern **out) {
    *out = sz_calloc(1, sizeof **out);
    return *out ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for a pattern");
}
void sz_pattern_free(sz_pattern *p) {
    sz_free(p);
}

sz_status sz_matcher_new(sz_matcher **out) {
    *out = NULL;
    return sz_fail(SZ_E_UNSUPPORTED, "this build has no PCRE2: it cannot tokenise text");
}
void sz_matcher_free(sz_matcher *m) {}

sz_status sz_pattern_next(const sz_pattern *p, sz_matcher *m, const char *s, size_t n, size_t from,
                          size_t *start, size_t *end) {
    return sz_fail(SZ_E_UNSUPPORTED, "this build has no PCRE2: it cannot tokenise text");
}
