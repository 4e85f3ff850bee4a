/* file.c: read-only maps, and reading whole files. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <szilard/unstable/base.h>

static sz_status map_file(int fd, const char *path, sz_map *out) {
    struct stat st;
    SZ_REQUIRE(fstat(fd, &st) == 0, SZ_E_IO, "%s: %s", path, strerror(errno));
    SZ_REQUIRE(S_ISREG(st.st_mode), SZ_E_IO, "%s: not a regular file", path);
    sz_map m = {NULL, (size_t)st.st_size};
    if (m.size) {
        void *p = mmap(NULL, m.size, PROT_READ, MAP_SHARED, fd, 0);
        SZ_REQUIRE(p != MAP_FAILED, SZ_E_IO, "%s: cannot map %zu bytes: %s", path, m.size,
                   strerror(errno));
        m.data = p;
    }
    *out = m;
    return SZ_OK;
}

sz_status sz_map_open(const char *path, sz_map *out) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    SZ_REQUIRE(fd >= 0, errno == ENOENT ? SZ_E_NOTFOUND : SZ_E_IO, "%s: %s", path, strerror(errno));
    sz_status status = map_file(fd, path, out);
    close(fd);
    return status;
}

void sz_map_close(sz_map *m) {
    if (m->data)
        munmap((void *)m->data, m->size);
    *m = (sz_map){0};
}

static void advise(const void *data, size_t bytes, int advice, bool inside) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = (uintptr_t)data, to = from + bytes;
    if (inside) { /* only pages that belong to the range as a whole */
        from = (from + page - 1) / page * page;
        to = to / page * page;
    } else {
        from = from / page * page;
    }
    if (to > from)
        madvise((void *)from, to - from, advice);
}

void sz_map_prefetch(const void *data, size_t bytes) {
    advise(data, bytes, MADV_WILLNEED, false);
}
void sz_map_release(const void *data, size_t bytes) {
    advise(data, bytes, MADV_DONTNEED, true);
}

static sz_status read_all(int fd, const char *path, size_t max_bytes, sz_buf *b) {
    char chunk[65536];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        SZ_REQUIRE(n >= 0, SZ_E_IO, "%s: %s", path, strerror(errno));
        if (n == 0)
            return SZ_OK;
        SZ_REQUIRE(b->len + (size_t)n <= max_bytes, SZ_E_LIMIT, "%s: more than %zu bytes", path,
                   max_bytes);
        sz_buf_append(b, chunk, (size_t)n);
        SZ_REQUIRE(!b->failed, SZ_E_NOMEM, "%s: no memory for its contents", path);
    }
}

sz_status sz_file_read(const char *path, size_t max_bytes, sz_buf *b) {
    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, "standard input", max_bytes, b);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    SZ_REQUIRE(fd >= 0, errno == ENOENT ? SZ_E_NOTFOUND : SZ_E_IO, "%s: %s", path, strerror(errno));
    sz_status status = read_all(fd, path, max_bytes, b);
    close(fd);
    return status;
}
