/* base.h: memory, errors, threads, random numbers, files, digests. Floor 0: includes nothing else
 * of the project but szilard.h. */
#ifndef SZILARD_BASE_H
#define SZILARD_BASE_H

#include <stdarg.h>
#include <szilard.h>

/* ---- Errors -------------------------------------------------------------------------------- */

/* Sets this thread's error text and returns `status`. */
SZ_API sz_status sz_fail(sz_status status, const char *format, ...) SZ_PRINTF(2, 3);
/* Puts "prefix: " before this thread's error text; returns `status` unchanged. */
SZ_API sz_status sz_fail_within(sz_status status, const char *format, ...) SZ_PRINTF(2, 3);
/* Copies another thread's error text into this thread's. */
SZ_API void sz_set_error(const char *text);

#define SZ_TRY(expr)                                                                               \
    do {                                                                                           \
        sz_status sz_try_ = (expr);                                                                \
        if (sz_try_ != SZ_OK)                                                                      \
            return sz_try_;                                                                        \
    } while (0)
#define SZ_REQUIRE(cond, status, ...)                                                              \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            sz_status sz_require_ = (status); /* the compiler sees that it is not SZ_OK */         \
            sz_fail(sz_require_, __VA_ARGS__);                                                     \
            return sz_require_;                                                                    \
        }                                                                                          \
    } while (0)

/* ---- Memory -------------------------------------------------------------------------------- */

/* 64-byte aligned, uninitialised; NULL on failure or if bytes > PTRDIFF_MAX. sz_free takes NULL. */
SZ_API void *sz_alloc(size_t bytes);
SZ_API void *sz_calloc(size_t count, size_t size); /* zeroed; NULL on overflow */
SZ_API void *sz_realloc(void *old, size_t old_bytes, size_t new_bytes);
SZ_API void sz_free(void *p);
SZ_API char *sz_strdup(const char *s);
SZ_API char *sz_strndup(const char *s, size_t n);
SZ_API uint64_t sz_alloc_count(void); /* allocations so far in this process, for tests */
/* Large memory that prefers huge pages, zeroed; release with sz_free_pages and the same size. */
SZ_API void *sz_alloc_pages(size_t bytes);
SZ_API void sz_free_pages(void *p, size_t bytes);

/* Arena: bump allocation, freed or reset as a whole. */
typedef struct sz_arena sz_arena;
typedef struct sz_arena_mark {
    void *block;
    size_t used;
} sz_arena_mark;
SZ_API sz_status sz_arena_new(size_t block_bytes, sz_arena **out);
SZ_API void sz_arena_free(sz_arena *a);
/* Most bytes the arena may hold in all; 0 (default): no bound. */
SZ_API void sz_arena_set_limit(sz_arena *a, size_t bytes);
SZ_API void *sz_arena_alloc(sz_arena *a, size_t bytes);       /* 64-byte aligned; NULL on failure */
SZ_API void *sz_arena_alloc_small(sz_arena *a, size_t bytes); /* 16-byte aligned */
SZ_API void sz_arena_reset(sz_arena *a);                      /* keeps the blocks */
SZ_API sz_arena_mark sz_arena_get_mark(const sz_arena *a);
SZ_API void sz_arena_rewind(sz_arena *a, sz_arena_mark mark);
SZ_API size_t sz_arena_bytes(const sz_arena *a); /* held in all */

/* Growing byte string, always NUL-terminated once non-empty. Zero-initialise; sticky failure. */
typedef struct sz_buf {
    char *data;
    size_t len, cap;
    size_t limit; /* 0: none */
    bool failed;  /* out of memory or beyond limit; further appends do nothing */
} sz_buf;
SZ_API void sz_buf_append(sz_buf *b, const void *bytes, size_t n);
SZ_API void sz_buf_puts(sz_buf *b, const char *s);
SZ_API void sz_buf_putc(sz_buf *b, char c);
SZ_API void sz_buf_printf(sz_buf *b, const char *format, ...) SZ_PRINTF(2, 3);
SZ_API void sz_buf_clear(sz_buf *b);
SZ_API void sz_buf_free(sz_buf *b);

/* ---- Files --------------------------------------------------------------------------------- */

typedef struct sz_map {
    const uint8_t *data;
    size_t size;
} sz_map;
SZ_API sz_status sz_map_open(const char *path, sz_map *out); /* read-only; empty file: data NULL */
SZ_API void sz_map_close(sz_map *m);
SZ_API void sz_map_prefetch(const void *data, size_t bytes); /* hint: will be read */
SZ_API void sz_map_release(const void *data, size_t bytes);  /* hint: pages may leave memory */
/* Whole file (or stdin for "-") into b; SZ_E_LIMIT beyond max_bytes. */
SZ_API sz_status sz_file_read(const char *path, size_t max_bytes, sz_buf *b);

/* Atomic writing: a temporary name in the same folder, fsync, rename. Pipes and devices are written
 * to as they are. */
typedef struct sz_writer sz_writer;
SZ_API sz_status sz_writer_open(const char *path, sz_writer **out);
SZ_API sz_status sz_writer_write(sz_writer *w, const void *bytes, size_t n);
SZ_API uint64_t sz_writer_tell(const sz_writer *w);
SZ_API sz_status sz_writer_commit(sz_writer *w); /* frees w, also on failure */
SZ_API void sz_writer_abort(sz_writer *w);       /* removes the temporary file; NULL is fine */

/* ---- Digest -------------------------------------------------------------------------------- */

typedef struct sz_sha256 {
    uint32_t state[8];
    uint64_t n_bytes;
    uint8_t block[64];
} sz_sha256;
SZ_API void sz_sha256_init(sz_sha256 *h);
SZ_API void sz_sha256_update(sz_sha256 *h, const void *bytes, size_t n);
SZ_API void sz_sha256_final(sz_sha256 *h, uint8_t out[32]);
SZ_API void sz_hex(const uint8_t *bytes, size_t n, char *out /* [2n+1] */);

/* ---- Random numbers: Philox4x32-10, Salmon et al. 2011 --------------------------------------- */

SZ_API void sz_philox4x32(uint64_t key, uint64_t stream, uint64_t counter, uint32_t out[4]);
/* Uniform in [0, 1), 53 bits; a pure function of its arguments. */
SZ_API double sz_uniform(uint64_t seed, uint64_t stream, uint64_t counter);

/* ---- Threads ------------------------------------------------------------------------------- */

/* A pool runs one job at a time: tasks 0 .. n_tasks-1 are claimed one by one by the caller and the
 * workers, so a worker that is not scheduled delays nothing that it has not claimed. Waiting spins
 * at most ~20 us, then sleeps in a futex. Which thread runs a task is not determined: results must
 * not depend on `thread` (0 .. threads-1), which only indexes scratch memory. While the pool is
 * busy, a call from another thread or from within a task runs its tasks itself, all as thread 0. */
typedef struct sz_pool sz_pool;
typedef void (*sz_task_fn)(void *context, size_t task, int thread);
SZ_API sz_status sz_pool_new(int n_threads, sz_pool **out); /* n_threads >= 1, caller included */
SZ_API void sz_pool_free(sz_pool *p);
SZ_API int sz_pool_threads(const sz_pool *p);
SZ_API void sz_pool_run(sz_pool *p, sz_task_fn fn, void *context, size_t n_tasks);
/* Pieces [first, last) of 0 .. n-1, each item once, for work that reads on from item to item: every
 * thread has a share of neighbours, the same for the same n, and takes pieces of it in order; who
 * is done takes half of what another has left. */
typedef void (*sz_piece_fn)(void *context, size_t first, size_t last, int thread);
SZ_API void sz_pool_share(sz_pool *p, sz_piece_fn fn, void *context, size_t n);
/* Processors this process may use (affinity and cgroup quota), >= 1. */
SZ_API int sz_cpu_available(void);
/* Threads worth using now, by a short measurement (~2 ms): 1 .. sz_cpu_available(). */
SZ_API int sz_cpu_measure(void);

/* ---- Time and system ------------------------------------------------------------------------- */

SZ_API uint64_t sz_time_ns(void);          /* monotonic */
SZ_API uint64_t sz_memory_available(void); /* bytes that can be taken without swapping */
SZ_API uint64_t sz_memory_peak(void);      /* VmHWM of this process, bytes */

/* ---- Runtime ------------------------------------------------------------------------------- */

SZ_API sz_pool *sz_runtime_pool(sz_runtime *rt);
SZ_API const struct sz_kernels *sz_runtime_kernels(const sz_runtime *rt);
SZ_API bool sz_runtime_cancelled(const sz_runtime *rt);
SZ_API void sz_runtime_log(const sz_runtime *rt, sz_log_level level, const char *format, ...)
    SZ_PRINTF(3, 4);

/* ---- UTF-8 ----------------------------------------------------------------------------------- */

/* Length of the longest prefix of s[0..n) that ends on a UTF-8 character boundary (an incomplete
 * character at the end is held back; invalid bytes pass). For streaming. */
SZ_API size_t sz_utf8_complete(const char *s, size_t n);
/* Copies s with every invalid sequence replaced by U+FFFD; returns whether s was valid. */
SZ_API bool sz_utf8_clean(const char *s, size_t n, sz_buf *out);

/* ---- JSON ------------------------------------------------------------------------------------ */

typedef enum sz_json_type {
    SZ_JSON_NULL,
    SZ_JSON_FALSE,
    SZ_JSON_TRUE,
    SZ_JSON_INT, /* fits int64 and was written without fraction or exponent */
    SZ_JSON_FLOAT,
    SZ_JSON_STRING,
    SZ_JSON_ARRAY,
    SZ_JSON_OBJECT
} sz_json_type;

/* A parsed value; children form a list in source order. Strings are unescaped UTF-8. */
typedef struct sz_json {
    sz_json_type type;
    uint32_t n; /* children, or bytes of the string */
    union {
        int64_t i;
        double f;
        const char *s; /* NUL-terminated, n bytes (may hold NUL bytes inside) */
        struct sz_json *child;
    } u;
    const char *key; /* in an object; NUL-terminated */
    uint32_t key_n;
    struct sz_json *next;
} sz_json;

/* Parses one JSON text (RFC 8259, UTF-8) into `arena`. Depth <= 128. Duplicate keys are an error.
 * Error text gives line and column. */
SZ_API sz_status sz_json_parse(const char *text, size_t n, sz_arena *arena, sz_json **out);
SZ_API const sz_json *sz_json_get(const sz_json *object, const char *key); /* NULL if absent */
/* Appends a JSON string literal with quotes; bytes that are not UTF-8 become U+FFFD. */
SZ_API void sz_json_quote(sz_buf *b, const char *s, size_t n);
/* Appends the shortest decimal that reads back as x; NaN and infinities as null. */
SZ_API void sz_json_number(sz_buf *b, double x);

#endif
