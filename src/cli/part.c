/* part.c: appending, resuming, verifying and renaming a file that is being fetched. */
#include "part.h"
#include "paths.h"
#include "signals.h"
#include "term.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES (1 << 20)

/* Hashes the first `bytes` bytes of the file, with a bar. */
static sz_status hash_file(int fd, const char *path, uint64_t bytes, sz_sha256 *hash) {
    sz_progress progress;
    uint8_t *block = sz_alloc(BLOCK_BYTES);
    SZ_REQUIRE(block, SZ_E_NOMEM, "out of memory while reading %s", path);
    sz_progress_begin(&progress, "checking", NULL, 0, bytes);
    sz_sha256_init(hash);
    sz_status status = SZ_OK;
    for (uint64_t at = 0; at < bytes && status == SZ_OK;) {
        size_t n = bytes - at < BLOCK_BYTES ? (size_t)(bytes - at) : BLOCK_BYTES;
        ssize_t got = pread(fd, block, n, (off_t)at);
        if (sz_interrupted())
            status = sz_fail(SZ_E_CANCELLED, "interrupted");
        else if (got <= 0)
            status = sz_fail(SZ_E_IO, "cannot read %s at byte %llu: %s", path,
                             (unsigned long long)at, got < 0 ? strerror(errno) : "it is shorter");
        else
            sz_sha256_update(hash, block, (size_t)got), at += (uint64_t)got;
        sz_progress_update(&progress, at);
    }
    sz_progress_end(&progress);
    sz_free(block);
    return status;
}

/* The note holds two lines: the source and its mark. */
static void read_note(const sz_part *p, char *source, size_t n_source, char *mark, size_t n_mark) {
    source[0] = mark[0] = '\0';
    FILE *f = fopen(p->note_path, "r");
    if (!f)
        return;
    if (fgets(source, (int)n_source, f) && fgets(mark, (int)n_mark, f))
        mark[strcspn(mark, "\n")] = '\0';
    source[strcspn(source, "\n")] = '\0';
    fclose(f);
}

sz_status sz_part_mark(sz_part *p, const char *mark) {
    if (mark != p->mark)
        snprintf(p->mark, sizeof p->mark, "%s", mark);
    FILE *f = fopen(p->note_path, "w");
    SZ_REQUIRE(f, SZ_E_IO, "cannot write %s: %s", p->note_path, strerror(errno));
    bool ok = fprintf(f, "%s\n%s\n", p->source, p->mark) > 0;
    ok = fclose(f) == 0 && ok;
    SZ_REQUIRE(ok, SZ_E_IO, "cannot write %s: %s", p->note_path, strerror(errno));
    return SZ_OK;
}

sz_status sz_part_cut(sz_part *p, uint64_t size) {
    SZ_REQUIRE(ftruncate(p->fd, (off_t)size) == 0, SZ_E_IO, "cannot cut %s: %s", p->path,
               strerror(errno));
    p->size = size;
    return hash_file(p->fd, p->path, size, &p->hash);
}

/* Takes over what an earlier pull left, or starts afresh. */
static sz_status take_over(sz_part *p) {
    char source[2048], mark[sizeof p->mark];
    struct stat info;
    SZ_REQUIRE(fstat(p->fd, &info) == 0, SZ_E_IO, "cannot examine %s: %s", p->path,
               strerror(errno));
    read_note(p, source, sizeof source, mark, sizeof mark);
    bool same = info.st_size > 0 && strcmp(source, p->source) == 0;
    if (same && p->want->bytes && (uint64_t)info.st_size > p->want->bytes)
        same = false;
    memcpy(p->mark, same ? mark : "", same ? sizeof mark : 1);
    SZ_TRY(sz_part_cut(p, same ? (uint64_t)info.st_size : 0));
    return sz_part_mark(p, p->mark);
}

sz_status sz_part_open(sz_wanted *want, const char *source, sz_part *out) {
    sz_part p = {.want = want, .fd = -1};
    SZ_TRY(sz_path_make_parents(want->path));
    p.path = sz_text("%s.part", want->path);
    p.note_path = sz_text("%s.part.from", want->path);
    p.source = strdup(source);
    sz_status status = SZ_OK;
    if (!p.path || !p.note_path || !p.source)
        status = sz_fail(SZ_E_NOMEM, "out of memory for a path");
    if (status == SZ_OK && (p.fd = open(p.path, O_RDWR | O_CREAT | O_CLOEXEC, 0666)) < 0)
        status = sz_fail(SZ_E_IO, "cannot write %s: %s", p.path, strerror(errno));
    if (status == SZ_OK && flock(p.fd, LOCK_EX | LOCK_NB) != 0)
        status = sz_fail(SZ_E_STATE, "%s is being fetched by another szilard", want->path);
    bool locked = status == SZ_OK;
    if (status == SZ_OK)
        status = take_over(&p);
    if (status == SZ_OK) {
        *out = p;
        return SZ_OK;
    }
    if (locked) {
        sz_part_close(&p);
        return status;
    }
    if (p.fd >= 0)
        close(p.fd);
    free(p.path);
    free(p.note_path);
    free(p.source);
    return status;
}

sz_status sz_part_append(sz_part *p, const void *bytes, size_t n) {
    SZ_REQUIRE(!p->want->bytes || n <= p->want->bytes - p->size, SZ_E_FORMAT,
               "%s delivers more than the expected %llu bytes", p->source,
               (unsigned long long)p->want->bytes);
    for (size_t done = 0; done < n;) {
        ssize_t put = pwrite(p->fd, (const char *)bytes + done, n - done, (off_t)(p->size + done));
        if (put < 0 && errno == EINTR)
            continue;
        SZ_REQUIRE(put > 0, SZ_E_IO, "cannot write %s: %s", p->path, strerror(errno));
        done += (size_t)put;
    }
    sz_sha256_update(&p->hash, bytes, n);
    p->size += n;
    return SZ_OK;
}

static sz_status check(const char *what, uint64_t size, const sz_sha256 *hash,
                       const sz_wanted *want, char hex[65]) {
    uint8_t digest[32];
    sz_sha256 copy = *hash;
    sz_sha256_final(&copy, digest);
    sz_hex(digest, sizeof digest, hex);
    SZ_REQUIRE(!want->bytes || size == want->bytes, SZ_E_FORMAT,
               "%s has %llu bytes instead of %llu", what, (unsigned long long)size,
               (unsigned long long)want->bytes);
    SZ_REQUIRE(!want->sha256[0] || strcasecmp(hex, want->sha256) == 0, SZ_E_FORMAT,
               "%s has the SHA-256 %s instead of %s", what, hex, want->sha256);
    return SZ_OK;
}

static sz_status settle(sz_part *p) {
    SZ_REQUIRE(fsync(p->fd) == 0, SZ_E_IO, "cannot write %s: %s", p->path, strerror(errno));
    SZ_REQUIRE(rename(p->path, p->want->path) == 0, SZ_E_IO, "cannot name %s: %s", p->want->path,
               strerror(errno));
    unlink(p->note_path);
    return SZ_OK;
}

/* A page that asks for a password is a file too: without a digest, look at the first bytes. */
static sz_status check_magic(const sz_part *p) {
    char magic[4] = "";
    if (!sz_has_suffix(p->want->path, ".gguf"))
        return SZ_OK;
    ssize_t got = pread(p->fd, magic, sizeof magic, 0);
    SZ_REQUIRE(got == sizeof magic && memcmp(magic, "GGUF", 4) == 0, SZ_E_FORMAT,
               "what %s delivers is no GGUF file", p->source);
    return SZ_OK;
}

sz_status sz_part_finish(sz_part *p) {
    char hex[65];
    sz_status status = check(p->source, p->size, &p->hash, p->want, hex);
    if (status == SZ_OK)
        status = check_magic(p);
    if (status != SZ_OK) {
        unlink(p->path);
        unlink(p->note_path);
        return status;
    }
    SZ_TRY(settle(p));
    memcpy(p->want->sha256, hex, sizeof hex);
    return SZ_OK;
}

void sz_part_close(sz_part *p) {
    if (p->fd >= 0) {
        if (p->size == 0) {
            unlink(p->path);
            unlink(p->note_path);
        }
        close(p->fd);
    }
    free(p->path);
    free(p->note_path);
    free(p->source);
    *p = (sz_part){.fd = -1};
}

sz_status sz_verify_file(const char *path, const sz_wanted *want) {
    uint64_t bytes;
    char hex[65];
    sz_sha256 hash;
    SZ_REQUIRE(sz_path_is_file(path, &bytes), SZ_E_NOTFOUND, "%s is not there", path);
    SZ_REQUIRE(!want->bytes || bytes == want->bytes, SZ_E_FORMAT,
               "%s has %llu bytes instead of %llu", path, (unsigned long long)bytes,
               (unsigned long long)want->bytes);
    if (!want->sha256[0])
        return SZ_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    SZ_REQUIRE(fd >= 0, SZ_E_IO, "cannot read %s: %s", path, strerror(errno));
    sz_status status = hash_file(fd, path, bytes, &hash);
    close(fd);
    return status == SZ_OK ? check(path, bytes, &hash, want, hex) : status;
}
