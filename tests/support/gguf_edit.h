/* gguf_edit.h: a GGUF file with some of its keys changed, for tests of files as people have them.
 */
#ifndef SZ_TESTS_GGUF_EDIT_H
#define SZ_TESTS_GGUF_EDIT_H

#include <szilard/unstable/gguf.h>

typedef struct gguf_edit {
    const char *key; /* replaced; a new one is added */
    enum {
        EDIT_REMOVED,
        EDIT_U32,
        EDIT_F32,
        EDIT_BOOL,
        EDIT_STRING,
        EDIT_ARRAY,   /* of i32 */
        EDIT_SHORTER, /* an array of strings keeps its first `number` */
    } kind;
    double number;
    const char *text;
    const int32_t *array;
    size_t n_array;
} gguf_edit;

/* Writes the edited file under the same name. */
sz_status gguf_rewrite(const char *path, const gguf_edit *edits, size_t n);

#endif
