/* late.h: libraries that few runs need, opened when they are needed. Linked, libcurl and libzip
 * bring some twenty others along, 3 MB and some milliseconds in each run of the command.
 *
 *     #define EACH(F) F(zip_open) F(zip_discard)
 *     static struct { EACH(SZ_LATE_FUNCTION) } late;
 *     static const char *const names[] = {EACH(SZ_LATE_NAME)};
 *     SZ_TRY(sz_late_open("libzip.so.4", names, sizeof names / sizeof *names, &late));
 *     late.zip_discard(zip);
 */
#ifndef SZ_CLI_LATE_H
#define SZ_CLI_LATE_H

#include <szilard/unstable/base.h>

#define SZ_LATE_FUNCTION(f) __typeof__(f) *f;
#define SZ_LATE_NAME(f)     #f,

/* Fills n pointers to functions, unless the first one is there already. SZ_E_UNSUPPORTED names a
 * library or a function that is missing. */
sz_status sz_late_open(const char *library, const char *const *names, size_t n, void *functions);

#endif
