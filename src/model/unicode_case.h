/* unicode_case.h: upper, lower and title case of characters, unconditional rules only. */
#ifndef SZ_MODEL_UNICODE_CASE_H
#define SZ_MODEL_UNICODE_CASE_H

#include <stdint.h>

/* 1 to 3 code points in out[3]; their number. */
int sz_unicode_upper(uint32_t cp, uint32_t *out);
int sz_unicode_lower(uint32_t cp, uint32_t *out);
int sz_unicode_title(uint32_t cp, uint32_t *out);

#endif
