/* arena.c: bump allocation in a list of blocks. Under ASan every object is its own red-zoned
 * island. */
#include <string.h>

#include <szilard/unstable/base.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
enum { RED_ZONE = 64 };
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
enum { RED_ZONE = 0 };
#endif

typedef struct arena_block {
    struct arena_block *next;
    size_t used, size;
    char *data;
} arena_block;

struct sz_arena {
    arena_block *first, *current;
    size_t block_bytes, held, limit;
};

sz_status sz_arena_new(size_t block_bytes, sz_arena **out) {
    SZ_REQUIRE(block_bytes >= 64, SZ_E_ARG, "arena blocks of %zu bytes are too small", block_bytes);
    sz_arena *a = sz_calloc(1, sizeof *a);
    SZ_REQUIRE(a, SZ_E_NOMEM, "no memory for an arena");
    a->block_bytes = block_bytes;
    *out = a;
    return SZ_OK;
}

void sz_arena_free(sz_arena *a) {
    if (!a)
        return;
    for (arena_block *b = a->first; b;) {
        arena_block *next = b->next;
        ASAN_UNPOISON_MEMORY_REGION(b->data, b->size);
        sz_free(b->data);
        sz_free(b);
        b = next;
    }
    sz_free(a);
}

void sz_arena_set_limit(sz_arena *a, size_t bytes) {
    a->limit = bytes;
}
size_t sz_arena_bytes(const sz_arena *a) {
    return a->held;
}

/* A new block behind the current one, large enough for `bytes`. */
static arena_block *grow(sz_arena *a, size_t bytes) {
    size_t size = bytes > a->block_bytes ? bytes : a->block_bytes;
    if (a->limit && (size > a->limit || a->held > a->limit - size))
        size = bytes;
    if (a->limit && (size > a->limit || a->held > a->limit - size))
        return NULL;
    arena_block *b = sz_calloc(1, sizeof *b);
    char *data = b ? sz_alloc(size) : NULL;
    if (!data) {
        sz_free(b);
        return NULL;
    }
    *b = (arena_block){.next = a->current ? a->current->next : NULL, .size = size, .data = data};
    ASAN_POISON_MEMORY_REGION(data, size);
    if (a->current)
        a->current->next = b;
    else
        a->first = b;
    a->held += size;
    return b;
}

static void *allocate(sz_arena *a, size_t bytes, size_t align) {
    if (bytes > PTRDIFF_MAX / 2)
        return NULL;
    size_t size = (bytes ? bytes : 1) + RED_ZONE;
    for (;;) {
        arena_block *b = a->current;
        size_t at = b ? (b->used + align - 1) / align * align : 0;
        if (b && at <= b->size && size <= b->size - at) {
            b->used = at + size;
            ASAN_UNPOISON_MEMORY_REGION(b->data + at, bytes);
            return b->data + at;
        }
        arena_block *next = b ? b->next : a->first;
        if (!next || size > next->size) /* later blocks are empty: reuse or insert before them */
            next = grow(a, size);
        if (!next)
            return NULL;
        next->used = 0;
        a->current = next;
    }
}

void *sz_arena_alloc(sz_arena *a, size_t bytes) {
    return allocate(a, bytes, 64);
}
void *sz_arena_alloc_small(sz_arena *a, size_t bytes) {
    return allocate(a, bytes, 16);
}

sz_arena_mark sz_arena_get_mark(const sz_arena *a) {
    return (sz_arena_mark){a->current, a->current ? a->current->used : 0};
}

void sz_arena_rewind(sz_arena *a, sz_arena_mark mark) {
    arena_block *b = mark.block ? mark.block : a->first;
    a->current = b;
    if (!b)
        return;
    b->used = mark.used;
    ASAN_POISON_MEMORY_REGION(b->data + b->used, b->size - b->used);
    for (b = b->next; b; b = b->next) {
        b->used = 0;
        ASAN_POISON_MEMORY_REGION(b->data, b->size);
    }
}

void sz_arena_reset(sz_arena *a) {
    sz_arena_rewind(a, (sz_arena_mark){NULL, 0});
}
