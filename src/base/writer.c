/* writer.c: files that appear whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <szilard/unstable/base.h>

struct sz_writer {
    char *path, *temporary;
    int fd;
    bool direct; /* a pipe or a device, which a rename would replace by a file */
    uint64_t written;
    size_t buffered;
    uint8_t buffer[1 << 16];
};

static void release(sz_writer *w) {
    if (w->fd >= 0)
        close(w->fd);
    sz_free(w->path);
    sz_free(w->temporary);
    sz_free(w);
}

void sz_writer_abort(sz_writer *w) {
    if (!w)
        return;
    if (w->fd >= 0 && !w->direct)
        unlink(w->temporary);
    release(w);
}

/* Creates a file beside w->path whose name nothing else has; the mode is what the umask leaves. */
static int create_beside(sz_writer *w) {
    uint64_t seed = sz_time_ns() ^ (uint64_t)getpid() << 40;
    size_t n = strlen(w->path) + 8;
    w->temporary = sz_alloc(n);
    for (uint64_t attempt = 0; w->temporary && attempt < 100; attempt++) {
        uint32_t r[4];
        sz_philox4x32(seed, 0, attempt, r);
        snprintf(w->temporary, n, "%s.%06x", w->path, (unsigned)(r[0] & 0xffffff));
        int fd = open(w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

/* Under the name itself where that is no plain file, else under a temporary one. */
static int create(sz_writer *w) {
    struct stat st;
    w->direct = stat(w->path, &st) == 0 && !S_ISREG(st.st_mode);
    return w->direct ? open(w->path, O_WRONLY | O_CLOEXEC) : create_beside(w);
}

sz_status sz_writer_open(const char *path, sz_writer **out) {
    sz_writer *w = sz_calloc(1, sizeof *w);
    SZ_REQUIRE(w, SZ_E_NOMEM, "%s: no memory to write", path);
    w->fd = -1;
    w->path = sz_strdup(path);
    errno = ENOMEM;
    if (w->path)
        w->fd = create(w);
    if (w->fd < 0) {
        sz_status status = errno == ENOMEM ? SZ_E_NOMEM : SZ_E_IO;
        sz_fail(status, "%s: cannot create: %s", path, strerror(errno));
        release(w);
        return status;
    }
    *out = w;
    return SZ_OK;
}

static sz_status flush(sz_writer *w) {
    for (size_t at = 0; at < w->buffered;) {
        ssize_t n = write(w->fd, w->buffer + at, w->buffered - at);
        if (n < 0 && errno == EINTR)
            continue;
        SZ_REQUIRE(n > 0, SZ_E_IO, "%s: cannot write: %s", w->path, strerror(errno));
        at += (size_t)n;
    }
    w->buffered = 0;
    return SZ_OK;
}

sz_status sz_writer_write(sz_writer *w, const void *bytes, size_t n) {
    const uint8_t *p = bytes;
    while (n > 0) {
        size_t room = sizeof w->buffer - w->buffered, part = n < room ? n : room;
        memcpy(w->buffer + w->buffered, p, part);
        w->buffered += part;
        w->written += part;
        p += part;
        n -= part;
        if (w->buffered == sizeof w->buffer)
            SZ_TRY(flush(w));
    }
    return SZ_OK;
}

uint64_t sz_writer_tell(const sz_writer *w) {
    return w->written;
}

/* The rename is durable once the folder is synced; a file system that cannot is left as it is. */
static void sync_folder(const char *path) {
    char *copy = sz_strdup(path);
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    sz_free(copy);
}

sz_status sz_writer_commit(sz_writer *w) {
    sz_status status = flush(w);
    if (w->direct) {
        release(w);
        return status;
    }
    if (status == SZ_OK && fsync(w->fd) != 0)
        status = sz_fail(SZ_E_IO, "%s: cannot sync: %s", w->path, strerror(errno));
    if (status == SZ_OK && rename(w->temporary, w->path) != 0)
        status = sz_fail(SZ_E_IO, "%s: cannot rename: %s", w->path, strerror(errno));
    if (status != SZ_OK) {
        sz_writer_abort(w);
        return status;
    }
    sync_folder(w->path);
    release(w);
    return SZ_OK;
}
