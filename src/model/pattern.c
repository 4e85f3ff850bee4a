/* pattern.c: compile and search, by PCRE2. */
#include "model/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct sz_pattern {
    pcre2_code *code;
    bool jit;
};

struct sz_matcher {
    pcre2_match_data *data;
};

static sz_status fail_pcre(int code, const char *doing, const char *regex) {
    PCRE2_UCHAR text[160] = "";
    pcre2_get_error_message(code, text, sizeof text);
    return sz_fail(SZ_E_UNSUPPORTED, "%s the regular expression %.60s: PCRE2: %s", doing, regex,
                   (const char *)text);
}

sz_status sz_pattern_new(const char *regex, sz_pattern **out) {
    int error;
    PCRE2_SIZE at;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_UCP | PCRE2_NO_AUTO_CAPTURE, &error, &at, NULL);
    if (!code)
        return fail_pcre(error, "compiling", regex);
    sz_pattern *p = sz_alloc(sizeof *p);
    if (!p) {
        pcre2_code_free(code);
        return sz_fail(SZ_E_NOMEM, "out of memory for a regular expression");
    }
    p->code = code;
    p->jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;
    *out = p;
    return SZ_OK;
}

void sz_pattern_free(sz_pattern *p) {
    if (!p)
        return;
    pcre2_code_free(p->code);
    sz_free(p);
}

sz_status sz_matcher_new(sz_matcher **out) {
    sz_matcher *m = sz_alloc(sizeof *m);
    if (!m || !(m->data = pcre2_match_data_create(1, NULL))) {
        sz_free(m);
        return sz_fail(SZ_E_NOMEM, "out of memory for regular expression matches");
    }
    *out = m;
    return SZ_OK;
}

void sz_matcher_free(sz_matcher *m) {
    if (!m)
        return;
    pcre2_match_data_free(m->data);
    sz_free(m);
}

static int search(const sz_pattern *p, sz_matcher *m, const char *s, size_t n, size_t from) {
    const uint32_t options = PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY;
    if (p->jit) {
        int rc = pcre2_jit_match(p->code, (PCRE2_SPTR)s, n, from, options, m->data, NULL);
        if (rc != PCRE2_ERROR_JIT_STACKLIMIT && rc != PCRE2_ERROR_MATCHLIMIT)
            return rc;
    }
    return pcre2_match(p->code, (PCRE2_SPTR)s, n, from, options | PCRE2_NO_JIT, m->data, NULL);
}

sz_status sz_pattern_next(const sz_pattern *p, sz_matcher *m, const char *s, size_t n, size_t from,
                          size_t *start, size_t *end) {
    int rc = search(p, m, s, n, from);
    if (rc == PCRE2_ERROR_NOMATCH)
        return SZ_END;
    if (rc < 0)
        return fail_pcre(rc, "running", "of the pre-tokeniser");
    const PCRE2_SIZE *bounds = pcre2_get_ovector_pointer(m->data);
    *start = bounds[0];
    *end = bounds[1];
    return SZ_OK;
}
