/* reader.h: the members of a JSON object that a client sent, with their ranges; what is wrong is
 * told with the name of the member. */
#ifndef SZ_SERVE_READER_H
#define SZ_SERVE_READER_H

#include <szilard/unstable/base.h>

typedef struct sz_reader {
    const sz_json *object;
    const char *at_fault; /* the member that an error is about; NULL: none */
} sz_reader;

/* The member; NULL if it is absent or null. */
const sz_json *sz_read_member(const sz_reader *r, const char *key);
/* The following leave *out as it is where the member is absent or null. */
sz_status sz_read_real(sz_reader *r, const char *key, double min, double max, double *out);
sz_status sz_read_int(sz_reader *r, const char *key, int64_t min, int64_t max, int64_t *out);
sz_status sz_read_bool(sz_reader *r, const char *key, bool *out);
/* Borrowed from the object; a text with NUL bytes inside is refused. */
sz_status sz_read_text(sz_reader *r, const char *key, const char **out);
sz_status sz_read_object(sz_reader *r, const char *key, const sz_json **out);
sz_status sz_read_array(sz_reader *r, const char *key, const sz_json **out);
/* SZ_E_ARG about a member. */
sz_status sz_read_fail(sz_reader *r, const char *key, const char *format, ...) SZ_PRINTF(3, 4);

/* Whether a value is a string without NUL bytes. */
bool sz_json_is_text(const sz_json *v);
/* Appends a parsed value as JSON. */
void sz_json_put(sz_buf *b, const sz_json *v);
/* Appends the shortest decimal that reads back as the float; NaN and infinities as null. */
void sz_json_float(sz_buf *b, float x);

#endif
