/* heap_meter.h: how much heap a test holds and held at most, by standing in for malloc and its kin.
 * Include it in one file of a program. Under sanitizers, which do the same, all figures are 0. */
#ifndef SZ_TESTS_HEAP_METER_H
#define SZ_TESTS_HEAP_METER_H

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

static atomic_size_t heap_held, heap_most;

/* Starts a measurement: the bytes held now. */
static inline size_t heap_begin(void) {
    size_t held = atomic_load(&heap_held);
    atomic_store(&heap_most, held);
    return held;
}
static inline size_t heap_now(void) {
    return atomic_load(&heap_held);
}
static inline size_t heap_peak(void) {
    return atomic_load(&heap_most);
}

#ifdef __has_feature /* clang's way of telling */
#define HEAP_SANITIZED                                                                             \
    (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                        \
     __has_feature(memory_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HEAP_SANITIZED 1
#else
#define HEAP_SANITIZED 0
#endif

#if !HEAP_SANITIZED && defined(__GLIBC__)

void *__libc_malloc(size_t n);
void *__libc_memalign(size_t alignment, size_t n);
void __libc_free(void *p);

static inline void *heap_count(void *p) {
    if (p) {
        size_t n = malloc_usable_size(p), held = atomic_fetch_add(&heap_held, n) + n;
        size_t most = atomic_load(&heap_most);
        while (held > most && !atomic_compare_exchange_weak(&heap_most, &most, held))
            ;
    }
    return p;
}

void *malloc(size_t n) {
    return heap_count(__libc_malloc(n));
}
void free(void *p) {
    if (p)
        atomic_fetch_sub(&heap_held, malloc_usable_size(p));
    __libc_free(p);
}
void *calloc(size_t n, size_t size) {
    size_t bytes;
    void *p = __builtin_mul_overflow(n, size, &bytes) ? NULL : malloc(bytes);
    return p ? memset(p, 0, bytes) : NULL;
}
void *realloc(void *old, size_t n) {
    void *p = malloc(n);
    if (p && old) {
        size_t kept = malloc_usable_size(old);
        memcpy(p, old, kept < n ? kept : n);
        free(old);
    }
    return p;
}
void *memalign(size_t alignment, size_t n) {
    return heap_count(__libc_memalign(alignment, n));
}
void *aligned_alloc(size_t alignment, size_t n) {
    return memalign(alignment, n);
}
int posix_memalign(void **out, size_t alignment, size_t n) {
    void *p = memalign(alignment, n);
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

#endif
#endif
