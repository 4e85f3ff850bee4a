/* part.h: a file on its way here. It is NAME.part until it is whole and verified, then renamed; a
 * pull that was broken off goes on where it stopped. */
#ifndef SZ_CLI_PART_H
#define SZ_CLI_PART_H

#include <szilard/unstable/base.h>

/* What is wanted: the final path, and what is known of the contents. */
typedef struct sz_wanted {
    const char *path;
    uint64_t bytes;    /* 0: not known */
    char sha256[65];   /* lower-case hex; "": not known */
    const char *label; /* for the progress bar */
} sz_wanted;

typedef struct sz_part {
    sz_wanted *want;
    char *path;      /* NAME.part */
    char *note_path; /* NAME.part.from: which source, and how far */
    char *source;    /* identifies where the bytes come from */
    int fd;
    uint64_t size;
    char mark[256]; /* the source's own resume mark, "" if none */
    sz_sha256 hash; /* of the first `size` bytes */
} sz_part;

/* Opens or makes the part and locks it. If an earlier pull from the same `source` left one, size,
 * hash and mark are those of what is there; else the part is empty. */
sz_status sz_part_open(sz_wanted *want, const char *source, sz_part *out);
sz_status sz_part_append(sz_part *p, const void *bytes, size_t n);
/* Cuts the part back to its first `size` bytes. */
sz_status sz_part_cut(sz_part *p, uint64_t size);
/* Notes how to go on, should the pull be broken off from now on. */
sz_status sz_part_mark(sz_part *p, const char *mark);
/* Checks size and SHA-256 and gives the file its final name. A file that is not the wanted one is
 * removed. Fills want->sha256 if it was not known. */
sz_status sz_part_finish(sz_part *p);
void sz_part_close(sz_part *p); /* what is there stays for the next time, unless it is empty */

/* Whether the file has the wanted size and SHA-256 (as far as they are known). */
sz_status sz_verify_file(const char *path, const sz_wanted *want);

#endif
