/* utf8.h: strict UTF-8 (no overlong forms, no surrogates, nothing beyond U+10FFFF). */
#ifndef SZ_BASE_UTF8_H
#define SZ_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes (1..4) of the valid character that s[0..n) begins with, its code point in *cp; 0 if there
 * is none. n >= 1. */
int sz_utf8_decode(const char *s, size_t n, uint32_t *cp);
/* Writes cp (a valid code point) to out[4]; returns its bytes. */
int sz_utf8_encode(uint32_t cp, char *out);
/* Length of the longest valid prefix of s[0..n). */
size_t sz_utf8_valid(const char *s, size_t n);

#endif
