/* template.c: chat templates; the evaluator lands next. */
#include <szilard/unstable/template.h>

sz_status sz_template_parse(const char *source, size_t n, sz_template **out) {
    return sz_fail(SZ_E_UNSUPPORTED, "chat templates are not there yet");
}
void sz_template_free(sz_template *t) {}
sz_status sz_template_render(const sz_template *t, const sz_json *variables, int64_t now_unix,
                             const sz_template_limits *limits, sz_buf *out) {
    return SZ_E_UNSUPPORTED;
}
