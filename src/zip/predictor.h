/* predictor.h: what a byte costs. An engine is one file that fills in one sz_predictor_kind: it
 * turns segments of a file into codes, each a stream of the range coder of its own, and back. */
#ifndef SZ_ZIP_PREDICTOR_H
#define SZ_ZIP_PREDICTOR_H

#include <szilard/unstable/base.h>

/* A piece of a file and its code. */
typedef struct sz_segment {
    uint8_t *data; /* [n]; filled by decode */
    size_t n;
    sz_buf code; /* filled by encode */
} sz_segment;

typedef struct sz_predictor_kind {
    const char *name;
    uint8_t id;    /* in the container */
    size_t window; /* most bytes that are cut into segments at once, and most in a segment */
    /* Into how many segments a window of n >= 1 bytes is cut: a function of n and of what the
     * container says of the engine alone. */
    size_t (*n_segments)(const void *self, size_t n);
    /* How many segments are coded at once at best; it changes speed and memory, never a byte. */
    size_t (*batch)(const void *self);
    /* What the engine must know again to decode, appended to b; NULL: nothing. */
    void (*describe)(const void *self, sz_buf *b);
    sz_status (*encode)(void *self, sz_segment *segments, size_t n);
    /* Any code must end in n bytes or in an error, in bounded time and memory. */
    sz_status (*decode)(void *self, sz_segment *segments, size_t n);
    void (*free)(void *self);
    /* A file begins, of which encode will get all segments in order; may be NULL. */
    void (*begin)(void *self);
} sz_predictor_kind;

typedef struct sz_predictor {
    const sz_predictor_kind *kind;
    void *self;
} sz_predictor;

static inline void sz_predictor_free(sz_predictor *p) {
    if (p->kind)
        p->kind->free(p->self);
    *p = (sz_predictor){0};
}

/* The byte engine (bytes.c); n_threads >= 1 segments at once, memory for each. stop may be NULL; it
 * is asked now and then, from any thread, and true ends the work with SZ_E_CANCELLED. */
enum { SZ_PREDICTOR_NONE = 0 /* of a file without codes */, SZ_PREDICTOR_BYTES = 3 };
extern const sz_predictor_kind sz_predictor_bytes;
sz_status sz_predictor_bytes_new(int n_threads, bool (*stop)(void), sz_predictor *out);

/* The circuit engine (circuit.c): records of one byte per variable by the circuit in the GGUF file
 * `path`. check: whether `about` names this circuit; SZ_E_ARG where it is another. */
enum { SZ_PREDICTOR_CIRCUIT = 2 };
sz_status sz_predictor_circuit_new(const char *path, int n_threads, bool (*stop)(void),
                                   sz_predictor *out);
/* Whether a file of n_file bytes (UINT64_MAX: unknown) that begins with data [n] can hold records
 * of n_vars values, behind a header that the engine knows or none. */
bool sz_predictor_circuit_fits(uint64_t n_vars, const uint8_t *data, size_t n, uint64_t n_file);
sz_status sz_predictor_circuit_check(const sz_predictor *p, const uint8_t *about, size_t n_about);

/* The engine of programs (kt.c); threads and stop as for the byte engine. */
enum { SZ_PREDICTOR_KT = 4 };
sz_status sz_predictor_kt_new(int n_threads, bool (*stop)(void), sz_predictor *out);

#endif
