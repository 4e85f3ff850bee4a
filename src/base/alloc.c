/* alloc.c: aligned memory, counted, and pages for weights. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <szilard/unstable/base.h>

static atomic_uint_fast64_t count;

uint64_t sz_alloc_count(void) {
    return atomic_load(&count);
}

void *sz_alloc(size_t bytes) {
    void *p = NULL;
    if (bytes > PTRDIFF_MAX - 64)
        return NULL;
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return posix_memalign(&p, 64, bytes ? bytes : 1) == 0 ? p : NULL;
}

void *sz_calloc(size_t n, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        return NULL;
    void *p = sz_alloc(bytes);
    return p ? memset(p, 0, bytes) : NULL;
}

void *sz_realloc(void *old, size_t old_bytes, size_t new_bytes) {
    void *p = sz_alloc(new_bytes);
    if (!p)
        return NULL;
    if (old)
        memcpy(p, old, old_bytes < new_bytes ? old_bytes : new_bytes);
    free(old);
    return p;
}

void sz_free(void *p) {
    free(p);
}

char *sz_strndup(const char *s, size_t n) {
    char *copy = n < PTRDIFF_MAX ? sz_alloc(n + 1) : NULL;
    if (!copy)
        return NULL;
    memcpy(copy, s, n);
    copy[n] = 0;
    return copy;
}

char *sz_strdup(const char *s) {
    return sz_strndup(s, strlen(s));
}

void *sz_alloc_pages(size_t bytes) {
    if (bytes == 0 || bytes > PTRDIFF_MAX)
        return NULL;
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
#ifdef MADV_HUGEPAGE
    if (bytes >= 1 << 21)
        madvise(p, bytes, MADV_HUGEPAGE);
#endif
    return p;
}

void sz_free_pages(void *p, size_t bytes) {
    if (p)
        munmap(p, bytes);
}
