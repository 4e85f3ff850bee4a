/* page.h: the files of src/web, which the build puts into the program. */
#ifndef SZ_SERVE_PAGE_H
#define SZ_SERVE_PAGE_H

#include <stddef.h>

typedef struct sz_page_file {
    const char *name;
    const unsigned char *bytes;
    size_t n;
} sz_page_file;

extern const sz_page_file sz_page_files[]; /* ends with name NULL */

#endif
