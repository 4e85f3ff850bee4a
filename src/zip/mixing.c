/* mixing.c: the byte engine: contexts of orders 0 to 6 and of words, a match model, three mixers
 * and their mixer, and two stages of secondary estimation (SSE). One bit at a time.
 *
 * A context's memory is a bucket per four bits: a check and fifteen slots, one for each prefix of
 * the four. A slot holds a probability (12 bits) and how often it was seen (4 bits), with the top
 * bit turned so that zeroed memory is a fair slot. Each slot gives two inputs: its probability, and
 * what a map has learned to follow slots with this probability and count. Inputs, weights and
 * outputs are in the logistic domain: ln(p / (1 - p)) in units of 1/256. */
#include "zip/mixing.h"

#include <pthread.h>
#include <string.h>

#include "code/range.h"
#include "zip/logistic.h"

enum {
    N_DIRECT = 2, /* orders 0 and 1 have tables of their own */
    N_HASHED = 7, /* orders 2 to 6, word, word and the one before */
    N_CONTEXTS = N_DIRECT + N_HASHED,
    N_INPUTS = 24, /* two per context, two of the match, one constant; a multiple of 8 */
    N_SETS = 3,    /* mixers */
    BUCKET = 16,   /* u16: 32 bytes, half a cache line */
    LEAST_BUCKETS = 1 << 12,
    MOST_BUCKETS = 1 << 22, /* 128 MiB */
    MATCH_LEAST = 6,        /* bytes that a match begins with */
    MATCH_MOST = 65535,
    MATCH_LEVELS = 32,
    SSE_STEPS = 16,       /* half a cache line */
    SSE_ORDER1 = 1 << 16, /* contexts of the first stage: a byte and the bits so far */
    SSE_ORDER2 = 1 << 14, /* of the second: two bytes, hashed with them */
    SSE_CONTEXTS = SSE_ORDER1 + SSE_ORDER2,
    ONE = 1 << 14,       /* a weight of 1 */
    RATE = 14,           /* of the mixers, in units of 1/8192: below 16 */
    MOST_WEIGHT = 32600, /* a step is at most 112: no overflow */
};

/* Four times two inputs: put together in registers, for what is stored in small pieces is slow to
 * load as a vector. */
typedef uint32_t pairs __attribute__((vector_size(16)));

typedef struct mixer {
    int16_t (*weights)[N_INPUTS]; /* [contexts] */
    size_t context;
    int32_t output; /* logistic */
    int32_t p;      /* of a 1, in 1/65536 */
} mixer;

typedef struct sse {
    uint16_t (*p)[SSE_STEPS]; /* [contexts] */
    size_t context;
    uint32_t step; /* the nearer of the two */
} sse;

struct sz_mixing {
    bool (*stop)(void);
    size_t n_bytes;            /* it may be used for */
    bool used;                 /* its buckets are no longer as zero as new pages */
    size_t n_buckets, n_heads; /* in use: they follow from the length of the text */
    uint16_t *buckets;         /* [n_buckets][BUCKET] */
    uint32_t *heads;           /* [n_heads]: where the last place with this hash goes on */
    uint16_t direct[256 + 65536];
    uint16_t map[N_CONTEXTS][2048];
    uint16_t match_map[MATCH_LEVELS]; /* how often a match of this length was right */
    int16_t final[256][4];
    mixer mixers[N_SETS];
    sse stages[2];

    /* Of the byte under way. */
    uint16_t *slots[N_CONTEXTS]; /* bucket, or base of the table */
    uint16_t *slot[N_CONTEXTS];  /* of the bit under way */
    uint16_t *entry[N_CONTEXTS]; /* of the maps */
    uint64_t hash[N_HASHED];
    union {
        int16_t inputs[N_INPUTS];
        pairs input_pairs[N_INPUTS / 8];
    };
    uint32_t node;    /* 1, then the bits so far behind it */
    uint32_t nibble;  /* the same within four bits */
    uint64_t history; /* the last eight bytes, the latest lowest */
    uint64_t word, word_before;
    uint32_t pair_hash;  /* of the last two bytes */
    const uint8_t *data; /* all bytes so far */
    size_t at;
    size_t match_at, match_length; /* 0: none */
    int expected;                  /* bit, or -1 */
    uint32_t match_level;
    int32_t final_p;
    size_t final_context;
    int32_t mixed; /* logistic output of the final mixer */
};

static uint16_t rate_table[16]; /* of a slot that was seen so often, in 1/65536 */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill_rates(void) {
    for (int k = 0; k < 16; k++)
        rate_table[k] = (uint16_t)(65536 * 2 / (2 * k + 3));
}

/* ---- Slots ----------------------------------------------------------------------------------- */

static inline void update_slot(uint16_t *slot, int bit) {
    uint32_t s = *slot ^ 0x8000, n = s & 15;
    int32_t p = (int32_t)(s >> 4);
    p += ((bit ? 4095 - p : -p) * (int32_t)rate_table[n]) / 65536;
    *slot = (uint16_t)((uint32_t)p << 4 | (n < 15 ? n + 1 : n)) ^ 0x8000;
}

static uint64_t mix_bits(uint64_t x) {
    x *= 0x9e3779b97f4a7c15u;
    x ^= x >> 29;
    x *= 0xd6e8feb86659fd93u;
    return x ^ x >> 32;
}

static size_t bucket_index(const sz_mixing *m, uint64_t hash) {
    return (size_t)hash & (m->n_buckets - 1);
}

/* The bucket of this hash, in one of two places; where it is new it replaces the one seen less. */
static uint16_t *find_bucket(sz_mixing *m, uint64_t hash) {
    uint16_t check = (uint16_t)(hash >> 48) | 1;
    uint16_t *a = m->buckets + bucket_index(m, hash) * BUCKET;
    uint16_t *b = m->buckets + (bucket_index(m, hash) ^ 1) * BUCKET;
    if (a[0] == check)
        return a;
    if (b[0] == check)
        return b;
    uint16_t *worse = (a[1] & 15) <= (b[1] & 15) ? a : b;
    memset(worse, 0, BUCKET * sizeof *worse);
    worse[0] = check;
    return worse;
}

/* ---- Contexts -------------------------------------------------------------------------------- */

static bool in_word(uint32_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c >= 128;
}

/* Hashes of the contexts behind the last bytes and words. */
static void hash_contexts(uint64_t history, uint64_t word, uint64_t before,
                          uint64_t hash[N_HASHED]) {
    for (int order = 2; order <= 6; order++)
        hash[order - 2] =
            mix_bits((history & (((uint64_t)1 << 8 * order) - 1)) * 8 + (uint64_t)order);
    hash[5] = mix_bits(word * 8 + 7);
    hash[6] = mix_bits(word + before * 0x2545f4914f6cdd1du + (history & 255));
}

/* What a byte makes of the words. */
static void step_words(uint32_t c, uint64_t *word, uint64_t *before) {
    if (in_word(c)) {
        uint32_t lower = c >= 'A' && c <= 'Z' ? c + 32 : c;
        *word = (*word + lower + 1) * 0x2f0b4c47u;
    } else if (*word) {
        *before = *word;
        *word = 0;
    }
}

static void set_contexts(sz_mixing *m) {
    hash_contexts(m->history, m->word, m->word_before, m->hash);
    m->pair_hash = (uint32_t)m->hash[0];
}

static uint64_t nibble_hash(uint64_t hash, uint32_t node) {
    return node == 1 ? hash : mix_bits(hash + node);
}

static inline __attribute__((always_inline)) void prefetch_bucket(const sz_mixing *m,
                                                                  uint64_t hash) {
    __builtin_prefetch(m->buckets + bucket_index(m, hash) * BUCKET);
}

static size_t head_index(const sz_mixing *m, uint64_t history) {
    uint64_t recent = history & (((uint64_t)1 << 8 * MATCH_LEAST) - 1);
    return (size_t)(mix_bits(recent) >> 20) & (m->n_heads - 1);
}

/* A bit before four are complete: asks for the memory of both buckets that may come, which takes
 * about as long to arrive as a bit to be coded. Inlined by force: to a compiler a function that
 * only prefetches does nothing. */
static inline __attribute__((always_inline)) void prefetch_ahead(const sz_mixing *m) {
    for (uint32_t bit = 0; bit < 2; bit++) {
        uint32_t node = m->node << 1 | bit;
        const uint64_t *hash = m->hash;
        uint64_t next[N_HASHED], word = m->word, before = m->word_before;
        if (node >= 256) {
            step_words(node & 255, &word, &before);
            hash_contexts(m->history << 8 | (node & 255), word, before, next);
            hash = next;
            node = 1;
        }
        for (int i = 0; i < N_HASHED; i++)
            prefetch_bucket(m, nibble_hash(hash[i], node));
        if (node == 1)
            __builtin_prefetch(
                &m->heads[head_index(m, m->history << 8 | (m->node << 1 & 255) | bit)]);
    }
}

static void enter_nibble(sz_mixing *m) {
    m->slots[0] = m->direct;
    m->slots[1] = m->direct + 256 + ((m->history & 255) << 8);
    for (int i = 0; i < N_HASHED; i++)
        m->slots[N_DIRECT + i] = find_bucket(m, nibble_hash(m->hash[i], m->node));
}

/* ---- The match model ------------------------------------------------------------------------- */

static void find_match(sz_mixing *m) {
    if (m->match_length > 0 && m->data[m->match_at] == m->data[m->at - 1]) {
        m->match_at++;
        m->match_length += m->match_length < MATCH_MOST;
    } else {
        m->match_length = 0;
    }
    if (m->at < MATCH_LEAST)
        return;
    size_t head = head_index(m, m->history);
    if (m->match_length == 0 && m->heads[head] > 0) {
        m->match_at = m->heads[head];
        while (m->match_length < 32 && m->match_length < m->match_at &&
               m->data[m->match_at - 1 - m->match_length] == m->data[m->at - 1 - m->match_length])
            m->match_length++;
        if (m->match_length < MATCH_LEAST)
            m->match_length = 0;
    }
    m->heads[head] = (uint32_t)m->at;
}

static uint32_t match_level(size_t length) {
    if (length < 16)
        return (uint32_t)length;
    uint32_t log = 63 - (uint32_t)__builtin_clzll(length);
    uint32_t level = 16 + (log - 4) * 2 + (uint32_t)(length >> (log - 1) & 1);
    return level < MATCH_LEVELS ? level : MATCH_LEVELS - 1;
}

/* What the byte after the match says of the bit under way, if it agrees with the bits so far. */
static void expect(sz_mixing *m) {
    m->expected = -1;
    m->match_level = 0;
    if (m->match_length == 0)
        return;
    uint32_t byte = m->data[m->match_at] | 256u;
    int n_bits = 31 - __builtin_clz(m->node);
    if (byte >> (8 - n_bits) != m->node)
        return;
    m->expected = byte >> (7 - n_bits) & 1;
    m->match_level = match_level(m->match_length);
}

static uint32_t pair_of(int32_t first, int32_t second) {
    return (uint16_t)first | (uint32_t)(uint16_t)second << 16;
}

static uint32_t match_inputs(sz_mixing *m) {
    expect(m);
    if (m->expected < 0)
        return 0;
    uint32_t right = m->match_map[m->match_level];
    int32_t x = sz_stretch(right), strong = ((int32_t)right - 32768) >> 5;
    return m->expected ? pair_of(x, strong) : pair_of(-x, -strong);
}

/* ---- Mixing ---------------------------------------------------------------------------------- */

static void mix(mixer *x, const int16_t *inputs) {
    const int16_t *w = x->weights[x->context];
    int32_t sum = 0;
    for (int i = 0; i < N_INPUTS; i++)
        sum += inputs[i] * w[i];
    x->output = sz_logistic_limit(sum >> 14);
    x->p = sz_squash(x->output);
}

static void learn(mixer *x, const int16_t *restrict inputs, int bit) {
    int16_t *restrict w = x->weights[x->context];
    int16_t error = (int16_t)(((bit << 16) - x->p) * RATE >> 5);
    if (error > -128 && error < 128) /* every step would round to 0 */
        return;
    for (int i = 0; i < N_INPUTS; i++) {
        int16_t step = (int16_t)((inputs[i] * error + (1 << 18)) >> 19);
        int16_t v = (int16_t)(w[i] + step);
        w[i] = v < -MOST_WEIGHT ? -MOST_WEIGHT : v > MOST_WEIGHT ? MOST_WEIGHT : v;
    }
}

static void refine(sse *s, int32_t x, int32_t *p) {
    uint32_t place = (uint32_t)(x + 2048) * (SSE_STEPS - 1), low = place >> 12,
             weight = place & 4095;
    const uint16_t *row = s->p[s->context];
    s->step = low + (weight >= 2048);
    *p = (int32_t)((row[low] * (4096 - weight) + row[low + 1] * weight) >> 12);
}

static void choose_sets(sz_mixing *m) {
    m->mixers[0].context = m->node;
    m->mixers[1].context = m->history & 255;
    m->mixers[2].context = m->match_level * 8 + (uint32_t)(31 - __builtin_clz(m->node));
    m->final_context = m->node;
    m->stages[0].context = (m->history & 255) << 8 | m->node;
    m->stages[1].context = (m->pair_hash ^ m->node * 0x9e35u) & (SSE_ORDER2 - 1);
    for (int k = 0; k < 2; k++)
        __builtin_prefetch(m->stages[k].p[m->stages[k].context]);
}

/* What context i says: its slot's probability, and what mostly followed such slots. */
static inline uint32_t context_inputs(sz_mixing *m, int i) {
    m->slot[i] = m->slots[i] + (i < N_DIRECT ? m->node : m->nibble);
    uint32_t s = *m->slot[i] ^ 0x8000u;
    m->entry[i] = &m->map[i][(s >> 9) << 4 | (s & 15)];
    return pair_of(sz_stretch_table[s >> 4], sz_stretch(*m->entry[i]));
}

/* Probability that the next bit is 1, in 1/65536, between 1 and 65535. */
static uint32_t predict(sz_mixing *m) {
    uint32_t in[N_CONTEXTS], match = match_inputs(m);
    choose_sets(m);
    for (int i = 0; i < N_CONTEXTS; i++)
        in[i] = context_inputs(m, i);
    m->input_pairs[0] = (pairs){in[0], in[1], in[2], in[3]};
    m->input_pairs[1] = (pairs){in[4], in[5], in[6], in[7]};
    m->input_pairs[2] = (pairs){in[8], match, 256, 0};
    const int16_t *w = m->final[m->final_context];
    int32_t sum = 0;
    for (int k = 0; k < N_SETS; k++) {
        mix(&m->mixers[k], m->inputs);
        sum += m->mixers[k].output * w[k];
    }
    m->mixed = sz_logistic_limit(sum >> 14);
    m->final_p = sz_squash(m->mixed);
    int32_t p1, p2;
    refine(&m->stages[0], m->mixed, &p1);
    refine(&m->stages[1], m->mixed, &p2);
    int32_t p = (2 * m->final_p + 3 * p1 + 3 * p2 + 4) >> 3;
    return (uint32_t)(p < 1 ? 1 : p > 65535 ? 65535 : p);
}

static void learn_bit(sz_mixing *m, int bit) {
    for (int i = 0; i < N_CONTEXTS; i++) {
        sz_approach(m->entry[i], bit, 6);
        update_slot(m->slot[i], bit);
    }
    if (m->expected >= 0)
        sz_approach(&m->match_map[m->match_level], m->expected == bit, 6);
    int16_t *w = m->final[m->final_context];
    int32_t error = ((bit << 16) - m->final_p) * 2 >> 4;
    for (int k = 0; k < N_SETS; k++) {
        int32_t v = w[k] + ((m->mixers[k].output * error + (1 << 15)) >> 16);
        w[k] = (int16_t)(v < -32767 ? -32767 : v > 32767 ? 32767 : v);
        learn(&m->mixers[k], m->inputs, bit);
    }
    for (int k = 0; k < 2; k++)
        sz_approach(&m->stages[k].p[m->stages[k].context][m->stages[k].step], bit, 6);
}

/* ---- Bits and bytes -------------------------------------------------------------------------- */

static void end_byte(sz_mixing *m) {
    uint32_t c = m->node & 255;
    m->history = m->history << 8 | c;
    m->at++;
    step_words(c, &m->word, &m->word_before);
    m->node = m->nibble = 1;
    set_contexts(m);
    find_match(m);
    enter_nibble(m);
}

static void take_bit(sz_mixing *m, int bit) {
    learn_bit(m, bit);
    m->node = m->node << 1 | (uint32_t)bit;
    m->nibble = m->nibble << 1 | (uint32_t)bit;
    if (m->nibble >= 16 && m->node < 256) {
        m->nibble = 1;
        enter_nibble(m);
    } else if (m->nibble >= 8 && m->nibble < 16) {
        prefetch_ahead(m);
    }
}

/* Two buckets per byte and context are what all contexts new would need; half of that is enough. */
static size_t bucket_count(size_t n_bytes) {
    size_t n = LEAST_BUCKETS;
    while (n < MOST_BUCKETS && n / N_HASHED < n_bytes)
        n *= 2;
    return n;
}

static size_t head_count(size_t n_bytes) {
    size_t n = LEAST_BUCKETS;
    while (n < MOST_BUCKETS && n < n_bytes)
        n *= 2;
    return n;
}

/* Every context passes on what it gets: one row, doubled until all are filled. */
static void fill_stages(uint16_t (*p)[SSE_STEPS]) {
    for (int i = 0; i < SSE_STEPS; i++)
        p[0][i] = (uint16_t)sz_squash(i * 4096 / (SSE_STEPS - 1) - 2048);
    for (size_t done = 1, n; done < SSE_CONTEXTS; done += n) {
        n = done < SSE_CONTEXTS - done ? done : SSE_CONTEXTS - done;
        memcpy(p[done], p[0], n * sizeof *p);
    }
}

static void start(sz_mixing *m, const uint8_t *data, size_t n) {
    m->n_buckets = bucket_count(n);
    m->n_heads = head_count(n);
    if (m->used)
        memset(m->buckets, 0, m->n_buckets * BUCKET * sizeof *m->buckets);
    m->used = true;
    memset(m->heads, 0, m->n_heads * sizeof *m->heads);
    memset(m->direct, 0, sizeof m->direct);
    for (int i = 0; i < N_CONTEXTS; i++)
        for (uint32_t k = 0; k < 2048; k++)
            m->map[i][k] = (uint16_t)((k >> 4 << 9) + 256);
    for (uint32_t k = 0; k < MATCH_LEVELS; k++)
        m->match_map[k] = (uint16_t)(65535 - 32768 / (k + 2));
    for (int k = 0; k < N_SETS; k++)
        for (int c = 0; c < 256; c++)
            for (int i = 0; i < N_INPUTS; i++)
                m->mixers[k].weights[c][i] = i < 2 * N_CONTEXTS + 2 ? ONE / 5 : 0;
    for (int c = 0; c < 256; c++)
        for (int k = 0; k < 4; k++)
            m->final[c][k] = ONE / N_SETS;
    fill_stages(m->stages[0].p);
    m->history = m->word = m->word_before = 0;
    m->at = m->match_at = m->match_length = 0;
    m->data = data;
    m->node = m->nibble = 1;
    set_contexts(m);
    enter_nibble(m);
}

void sz_mixing_set_stop(sz_mixing *m, bool (*stop)(void)) {
    m->stop = stop;
}

static sz_status check_stop(const sz_mixing *m, size_t i) {
    SZ_REQUIRE(i % 65536 != 0 || !m->stop || !m->stop(), SZ_E_CANCELLED, "interrupted");
    return SZ_OK;
}

sz_status sz_mixing_encode(sz_mixing *m, const uint8_t *data, size_t n, sz_buf *out) {
    sz_range_encoder e;
    SZ_REQUIRE(n <= m->n_bytes, SZ_E_ARG, "%zu bytes, and the model is for %zu", n, m->n_bytes);
    start(m, data, n);
    sz_range_encode_begin(&e, out);
    for (size_t i = 0; i < n; i++) {
        SZ_TRY(check_stop(m, i));
        for (int k = 7; k >= 0; k--) {
            uint64_t ones = (uint64_t)predict(m) << 16, all = (uint64_t)1 << 32;
            int bit = data[i] >> k & 1;
            sz_range_encode_step(&e, bit ? 0 : ones, bit ? ones : all - ones);
            take_bit(m, bit);
        }
        end_byte(m);
    }
    sz_range_encode_end(&e);
    SZ_REQUIRE(!out->failed, SZ_E_NOMEM, "no memory for the code of %zu bytes", n);
    return SZ_OK;
}

sz_status sz_mixing_decode(sz_mixing *m, const uint8_t *code, size_t n_code, uint8_t *data,
                           size_t n) {
    sz_range_decoder d;
    SZ_REQUIRE(n <= m->n_bytes, SZ_E_ARG, "%zu bytes, and the model is for %zu", n, m->n_bytes);
    start(m, data, n);
    sz_range_decode_begin(&d, code, n_code);
    for (size_t i = 0; i < n; i++) {
        SZ_TRY(check_stop(m, i));
        for (int k = 7; k >= 0; k--) {
            uint64_t ones = (uint64_t)predict(m) << 16, all = (uint64_t)1 << 32;
            int bit = sz_range_decode_place(&d) < ones;
            sz_range_decode_step(&d, bit ? 0 : ones, bit ? ones : all - ones);
            take_bit(m, bit);
        }
        data[i] = (uint8_t)m->node;
        end_byte(m);
    }
    return SZ_OK;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static size_t bucket_bytes(size_t n_bytes) {
    return bucket_count(n_bytes) * BUCKET * sizeof(uint16_t);
}

size_t sz_mixing_bytes(size_t n_bytes) {
    return sizeof(sz_mixing) + bucket_bytes(n_bytes) + head_count(n_bytes) * sizeof(uint32_t) +
           N_SETS * sizeof(int16_t[256][N_INPUTS]) + sizeof(uint16_t[SSE_CONTEXTS][SSE_STEPS]);
}

sz_status sz_mixing_new(size_t n_bytes, sz_mixing **out) {
    sz_logistic_init();
    pthread_once(&once, fill_rates);
    SZ_REQUIRE(n_bytes <= UINT32_MAX, SZ_E_ARG, "%zu bytes are too many for one segment", n_bytes);
    sz_mixing *m = sz_calloc(1, sizeof *m);
    SZ_REQUIRE(m, SZ_E_NOMEM, "no memory for the byte engine");
    m->n_bytes = n_bytes;
    m->buckets = sz_alloc_pages(bucket_bytes(n_bytes));
    m->heads = sz_alloc(head_count(n_bytes) * sizeof *m->heads);
    bool ok = m->buckets && m->heads;
    for (int k = 0; k < N_SETS; k++)
        ok &= (m->mixers[k].weights = sz_alloc(sizeof(int16_t[256][N_INPUTS]))) != NULL;
    m->stages[0].p = sz_alloc(sizeof(uint16_t[SSE_CONTEXTS][SSE_STEPS]));
    if (!ok || !m->stages[0].p) {
        sz_mixing_free(m);
        return sz_fail(SZ_E_NOMEM, "no memory for the byte engine: it takes %zu bytes",
                       sz_mixing_bytes(n_bytes));
    }
    m->stages[1].p = m->stages[0].p + SSE_ORDER1;
    *out = m;
    return SZ_OK;
}

void sz_mixing_free(sz_mixing *m) {
    if (!m)
        return;
    if (m->buckets)
        sz_free_pages(m->buckets, bucket_bytes(m->n_bytes));
    sz_free(m->heads);
    for (int k = 0; k < N_SETS; k++)
        sz_free(m->mixers[k].weights);
    sz_free(m->stages[0].p);
    sz_free(m);
}
