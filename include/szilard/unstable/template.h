/* template.h: the subset of Jinja that chat templates are written in. Rendering is bounded in
 * steps, recursion, output and memory: a template is foreign code. */
#ifndef SZILARD_TEMPLATE_H
#define SZILARD_TEMPLATE_H

#include <szilard/unstable/base.h>

typedef struct sz_template sz_template; /* immutable; any number of threads */

typedef struct sz_template_limits { /* 0: the default in brackets */
    uint64_t steps;        /* evaluated nodes, and long texts by their bytes [10 million] */
    uint64_t output_bytes; /* [32 MiB] */
    uint64_t memory_bytes; /* values made while rendering [64 MiB] */
} sz_template_limits;

/* trim_blocks and lstrip_blocks on, as transformers renders chat templates. Errors name the line.
 */
SZ_API sz_status sz_template_parse(const char *source, size_t n, sz_template **out);
SZ_API void sz_template_free(sz_template *t);
/* variables: a JSON object (messages, tools, bos_token, eos_token, add_generation_prompt, ...).
 * now_unix: the time that strftime_now shows (UTC). raise_exception gives SZ_E_FORMAT with its
 * text. */
SZ_API sz_status sz_template_render(const sz_template *t, const sz_json *variables,
                                    int64_t now_unix, const sz_template_limits *limits,
                                    sz_buf *out);

#endif
