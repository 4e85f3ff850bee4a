/* body_match.h: how many symbols of a pattern meet their equals in a text, for a block of
 * alignments at once. One source for all instruction sets: the vectors are the compiler's own. */

#ifdef LANES_GENERIC
enum { MATCH_ROWS = 4 };
#else
enum { MATCH_ROWS = 8 };
#endif

typedef uint32_t match_counts __attribute__((vector_size(32), aligned(1), may_alias));

/* Counters are as wide as the symbols: they are added to the 32-bit counts before they overflow. */
#define DEFINE_COUNT_EQUAL(T, name, most)                                                          \
    typedef T name##_lanes __attribute__((vector_size(32), aligned(1), may_alias));                \
    enum { name##_WIDTH = 32 / sizeof(T), name##_BLOCK = MATCH_ROWS * name##_WIDTH };              \
                                                                                                   \
    static void name##_block(const T *text, const T *symbol, const uint32_t *offset, size_t m,     \
                             uint32_t *count) {                                                    \
        for (size_t from = 0; from < m; from += (most)) {                                          \
            size_t to = m - from < (most) ? m : from + (most);                                     \
            name##_lanes sum[MATCH_ROWS] = {{0}};                                                  \
            for (size_t j = from; j < to; j++) {                                                   \
                name##_lanes wanted = (name##_lanes){0} + symbol[j];                               \
                const T *t = text + offset[j];                                                     \
                _Pragma("GCC unroll 8") for (int r = 0; r < MATCH_ROWS; r++) sum[r] -=             \
                    (name##_lanes)(*(const name##_lanes *)(t + r * name##_WIDTH) == wanted);       \
            }                                                                                      \
            T part[name##_BLOCK];                                                                  \
            memcpy(part, sum, sizeof part);                                                        \
            for (size_t i = 0; i < name##_BLOCK && from == 0; i++)                                 \
                count[i] = part[i];                                                                \
            for (size_t i = 0; i < name##_BLOCK && from > 0; i++)                                  \
                count[i] += part[i];                                                               \
        }                                                                                          \
    }                                                                                              \
    static void name(const void *text, const void *symbol, const uint32_t *offset, size_t m,       \
                     size_t n, uint32_t *count) {                                                  \
        const T *t = text, *s = symbol;                                                            \
        size_t at = 0;                                                                             \
        if (m == 0) {                                                                              \
            memset(count, 0, n * sizeof *count);                                                   \
            return;                                                                                \
        }                                                                                          \
        for (; at + name##_BLOCK <= n; at += name##_BLOCK)                                         \
            name##_block(t + at, s, offset, m, count + at);                                        \
        if (at < n && n >= name##_BLOCK) { /* the last block overlaps the one before */            \
            at = n - name##_BLOCK;                                                                 \
            name##_block(t + at, s, offset, m, count + at);                                        \
        } else if (at < n) {                                                                       \
            memset(count, 0, n * sizeof *count);                                                   \
            for (size_t j = 0; j < m; j++)                                                         \
                for (size_t i = 0; i < n; i++)                                                     \
                    count[i] += t[offset[j] + i] == s[j];                                          \
        }                                                                                          \
    }

DEFINE_COUNT_EQUAL(uint8_t, count_equal_u8, 255)
DEFINE_COUNT_EQUAL(uint16_t, count_equal_u16, 65535)
DEFINE_COUNT_EQUAL(uint32_t, count_equal_u32, UINT32_MAX)

/* From equal symbols to distances. */
static void distances_within(uint32_t *count, size_t n, uint32_t m, uint32_t most) {
    size_t at = 0;
    for (; at + 8 <= n; at += 8) {
        match_counts d = m - *(const match_counts *)(count + at), less = (match_counts)(d < most);
        *(match_counts *)(count + at) = (d & less) | (most & ~less);
    }
    for (; at < n; at++) {
        uint32_t d = m - count[at];
        count[at] = d < most ? d : most;
    }
}

static void narrow_symbols(const uint32_t *text, size_t n, uint16_t *out) {
    typedef uint16_t halves __attribute__((vector_size(16), aligned(1), may_alias));
    size_t at = 0;
    for (; at + 8 <= n; at += 8) {
        match_counts wide = *(const match_counts *)(text + at);
        wide |= (match_counts)(wide > UINT16_MAX);
        *(halves *)(out + at) = __builtin_convertvector(wide, halves);
    }
    for (; at < n; at++)
        out[at] = (uint16_t)(text[at] < UINT16_MAX ? text[at] : UINT16_MAX);
}
