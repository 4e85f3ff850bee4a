/* simon_run.c: Simon's problem, solved by simulated quantum circuits and by classical queries. */
#include <math.h>
#include <string.h>
#include <szilard/unstable/energy.h>

/* ---- Over GF(2) --------------------------------------------------------------------------------
 */

void sz_gf2_begin(sz_gf2 *g, int n) {
    memset(g, 0, sizeof *g);
    g->n = n;
}

static int top_bit(uint64_t x) {
    return 63 - __builtin_clzll(x);
}

/* Rows stay fully reduced: no row has another's leading bit. */
bool sz_gf2_add(sz_gf2 *g, uint64_t row) {
    for (uint64_t left = row; left; left &= left - 1) {
        int bit = __builtin_ctzll(left);
        if (g->row[bit])
            row ^= g->row[bit];
    }
    if (row == 0)
        return false;
    int lead = top_bit(row);
    for (int i = 0; i < 64; i++)
        if (g->row[i] >> lead & 1)
            g->row[i] ^= row;
    g->row[lead] = row;
    g->rank++;
    return true;
}

/* A free bit set, and the leading bits that it forces. */
int sz_gf2_null(const sz_gf2 *g, uint64_t *basis) {
    int found = 0;
    for (int free = 0; free < g->n; free++) {
        if (g->row[free])
            continue;
        uint64_t v = UINT64_C(1) << free;
        for (int lead = 0; lead < g->n; lead++)
            if (g->row[lead] >> free & 1)
                v |= UINT64_C(1) << lead;
        basis[found++] = v;
    }
    return found;
}

/* ---- The oracle --------------------------------------------------------------------------------
 */

static sz_status check_oracle(int n, int most, uint64_t s) {
    SZ_REQUIRE(n >= 2 && n <= most, SZ_E_ARG,
               "%d bits: this way takes 2 to %d (sampled runs take 2 to %d)", n, most,
               SZ_SIMON_MOST);
    SZ_REQUIRE(s > 0 && s < UINT64_C(1) << n, SZ_E_ARG,
               "the hidden string %llu is not from 1 to 2^%d - 1", (unsigned long long)s, n);
    return SZ_OK;
}

/* A two-to-one function with that hidden string: the smaller of x and x ^ s, mixed reversibly. */
static uint64_t oracle(uint64_t x, uint64_t s, int n) {
    uint64_t mask = (UINT64_C(1) << n) - 1, y = x < (x ^ s) ? x : x ^ s;
    for (int i = 0; i < 2; i++) {
        y = y * UINT64_C(0x9e3779b97f4a7c15) & mask;
        y ^= y >> (n + 1) / 2;
    }
    return y;
}

sz_status sz_simon_hidden(const uint64_t *f, int n, uint64_t *s) {
    SZ_REQUIRE(f && n >= 2 && n <= SZ_SIMON_WAVE_MOST, SZ_E_ARG, "a table of %d bits: 2 to %d", n,
               SZ_SIMON_WAVE_MOST);
    uint64_t size = UINT64_C(1) << n, hidden = 0;
    for (uint64_t x = 0; x < size; x++)
        SZ_REQUIRE(f[x] < size, SZ_E_ARG, "f(%llu) is %llu: it has more than %d bits",
                   (unsigned long long)x, (unsigned long long)f[x], n);
    for (uint64_t x = 1; x < size && hidden == 0; x++)
        hidden = f[x] == f[0] ? x : 0;
    SZ_REQUIRE(hidden, SZ_E_ARG, "f is not two-to-one: no other input has the value of 0");
    uint8_t *seen = sz_calloc(size, 1);
    SZ_REQUIRE(seen, SZ_E_NOMEM, "no memory for a table of %d bits", n);
    sz_status status = SZ_OK;
    for (uint64_t x = 0; x < size && status == SZ_OK; x++) {
        uint64_t y = x ^ hidden;
        if (f[x] != f[y])
            status =
                sz_fail(SZ_E_ARG,
                        "f is not two-to-one: 0 and %llu agree, but f(%llu) is not "
                        "f(%llu)",
                        (unsigned long long)hidden, (unsigned long long)x, (unsigned long long)y);
        else if (x < y && seen[f[x]]++)
            status = sz_fail(SZ_E_ARG,
                             "f is not two-to-one: more than two inputs have the value "
                             "of %llu",
                             (unsigned long long)x);
    }
    sz_free(seen);
    if (status == SZ_OK)
        *s = hidden;
    return status;
}

/* ---- States ------------------------------------------------------------------------------------
 */

static const double root_half = 0.70710678118654752440;

static void butterfly(double *a, double *b, double scale) {
    double x = *a, y = *b;
    *a = (x + y) * scale;
    *b = (x - y) * scale;
}

/* Two bits a pass, so that memory is read half as often. */
static void transform(double *v, uint64_t size, uint64_t step) {
    uint64_t h = step;
    for (; 4 * h <= size; h *= 4)
        for (uint64_t base = 0; base < size; base += 4 * h)
            for (uint64_t i = base; i < base + h; i++) {
                double a = v[i] + v[i + h], b = v[i] - v[i + h];
                double c = v[i + 2 * h] + v[i + 3 * h], d = v[i + 2 * h] - v[i + 3 * h];
                v[i] = 0.5 * (a + c);
                v[i + h] = 0.5 * (b + d);
                v[i + 2 * h] = 0.5 * (a - c);
                v[i + 3 * h] = 0.5 * (b - d);
            }
    for (; 2 * h <= size; h *= 2)
        for (uint64_t base = 0; base < size; base += 2 * h)
            for (uint64_t i = base; i < base + h; i++)
                butterfly(&v[i], &v[i + h], root_half);
}

sz_status sz_walsh_hadamard(double *v, int n) {
    SZ_REQUIRE(v && n >= 0 && n <= 40, SZ_E_ARG, "a transform of 2^%d numbers", n);
    transform(v, UINT64_C(1) << n, 1);
    return SZ_OK;
}

/* The state after the oracle is 2^(-n/2) sum |x>|f(x)>; the transform of the first register, which
 * is the high half of the index, gives the law by rows. */
sz_status sz_simon_circuit(const uint64_t *f, int n, double *law) {
    SZ_REQUIRE(f && law && n >= 1 && n <= SZ_SIMON_FULL_MOST, SZ_E_ARG,
               "a state of 2 x %d qubits: at most 2 x %d; the other ways take more", n,
               SZ_SIMON_FULL_MOST);
    uint64_t size = UINT64_C(1) << n;
    double *state = sz_calloc(size * size, sizeof *state);
    SZ_REQUIRE(state, SZ_E_NOMEM, "no memory for a state of %d qubits", 2 * n);
    state[0] = 1.0;
    transform(state, size * size, size);
    sz_status status = SZ_OK;
    for (uint64_t x = 0; x < size && status == SZ_OK; x++) {
        if (f[x] >= size) {
            status = sz_fail(SZ_E_ARG, "f(%llu) has more than %d bits", (unsigned long long)x, n);
            continue;
        }
        double amplitude = state[x * size];
        state[x * size] = 0.0;
        state[x * size + f[x]] = amplitude;
    }
    transform(state, size * size, size);
    for (uint64_t y = 0; y < size && status == SZ_OK; y++) {
        law[y] = 0.0;
        for (uint64_t z = 0; z < size; z++)
            law[y] += state[y * size + z] * state[y * size + z];
    }
    sz_free(state);
    return status;
}

/* ---- Quantum runs ------------------------------------------------------------------------------
 */

typedef struct machine {
    int n;
    uint64_t s, seed, counter;
    sz_simon_mode mode;
    double *law; /* FULL: of the first register; WAVE: the register itself; [2^n] */
} machine;

static double uniform(machine *m) {
    return sz_uniform(m->seed, m->s, m->counter++);
}

static uint64_t measure(machine *m, const double *p, bool squared) {
    double u = uniform(m), up_to = 0.0;
    uint64_t last = 0;
    for (uint64_t y = 0; y < UINT64_C(1) << m->n; y++) {
        double mass = squared ? p[y] * p[y] : p[y];
        if (!(mass > 1e-18))
            continue;
        up_to += mass;
        last = y;
        if (u < up_to)
            break;
    }
    return last;
}

static uint64_t random_bits(machine *m, int n) {
    uint32_t r[4];
    sz_philox4x32(m->seed, m->s, UINT64_C(1) << 63 | m->counter++, r);
    return ((uint64_t)r[0] << 32 | r[1]) & ((UINT64_C(1) << n) - 1);
}

/* The output register shows f(x) for a random x: |x> and |x ^ s> are left. */
static uint64_t run_wave(machine *m) {
    uint64_t x = random_bits(m, m->n);
    memset(m->law, 0, sizeof *m->law << m->n);
    m->law[x] = m->law[x ^ m->s] = root_half;
    transform(m->law, UINT64_C(1) << m->n, 1);
    return measure(m, m->law, true);
}

/* Uniform among the vectors of even parity with s. */
static uint64_t run_sampled(machine *m) {
    uint64_t y = random_bits(m, m->n);
    if (__builtin_parityll(y & m->s))
        y ^= m->s & -m->s;
    return y;
}

static uint64_t run_circuit(machine *m) {
    if (m->mode == SZ_SIMON_FULL)
        return measure(m, m->law, false);
    return m->mode == SZ_SIMON_WAVE ? run_wave(m) : run_sampled(m);
}

static sz_status prepare(machine *m) {
    if (m->mode == SZ_SIMON_SAMPLED)
        return SZ_OK;
    uint64_t size = UINT64_C(1) << m->n;
    m->law = sz_alloc(size * sizeof *m->law);
    SZ_REQUIRE(m->law, SZ_E_NOMEM, "no memory for a register of %d qubits", m->n);
    if (m->mode == SZ_SIMON_WAVE)
        return SZ_OK;
    uint64_t *f = sz_alloc(size * sizeof *f);
    SZ_REQUIRE(f, SZ_E_NOMEM, "no memory for a table of %d bits", m->n);
    for (uint64_t x = 0; x < size; x++)
        f[x] = oracle(x, m->s, m->n);
    sz_status status = sz_simon_circuit(f, m->n, m->law);
    sz_free(f);
    return status;
}

sz_status sz_simon_quantum(int n, uint64_t s, sz_simon_mode mode, uint64_t seed,
                           sz_simon_run *out) {
    static const int most[] = {SZ_SIMON_FULL_MOST, SZ_SIMON_WAVE_MOST, SZ_SIMON_MOST};
    SZ_REQUIRE((unsigned)mode <= SZ_SIMON_SAMPLED, SZ_E_ARG, "unknown mode %d", (int)mode);
    SZ_TRY(check_oracle(n, most[mode], s));
    machine m = {.n = n, .s = s, .seed = seed, .mode = mode};
    sz_gf2 g;
    uint64_t basis[64], runs = 0;
    sz_gf2_begin(&g, n);
    sz_status status = prepare(&m);
    while (status == SZ_OK && g.rank < n - 1) {
        sz_gf2_add(&g, run_circuit(&m));
        runs++;
    }
    sz_free(m.law);
    SZ_TRY(status);
    sz_gf2_null(&g, basis);
    bool right = oracle(0, s, n) == oracle(basis[0], s, n); /* one classical query more */
    *out = (sz_simon_run){right ? basis[0] : 0, runs};
    return SZ_OK;
}

/* ---- Classical runs ----------------------------------------------------------------------------
 */

enum { SZ_CLASSICAL_MOST = 40 };

/* Open addressing: value of f to the input that gave it. */
typedef struct answers {
    uint64_t *value, *input; /* [mask + 1]; input + 1, 0: free */
    uint64_t mask;
} answers;

static sz_status open_answers(answers *a, uint64_t most) {
    uint64_t size = 64;
    while (size < 2 * most)
        size *= 2;
    a->mask = size - 1;
    a->value = sz_calloc(size, sizeof *a->value);
    a->input = sz_calloc(size, sizeof *a->input);
    SZ_REQUIRE(a->value && a->input, SZ_E_NOMEM, "no memory for %llu answers",
               (unsigned long long)most);
    return SZ_OK;
}

static void close_answers(answers *a) {
    sz_free(a->value);
    sz_free(a->input);
}

/* Remembers f(x) = value; an earlier input with that value, UINT64_MAX if there is none. */
static uint64_t remember(answers *a, uint64_t value, uint64_t x) {
    uint64_t at = value * UINT64_C(0x9e3779b97f4a7c15) >> 20 & a->mask;
    for (; a->input[at]; at = (at + 1) & a->mask)
        if (a->value[at] == value)
            return a->input[at] - 1;
    a->value[at] = value;
    a->input[at] = x + 1;
    return UINT64_MAX;
}

/* A permutation of n-bit numbers by seed: four rounds of Feistel over halves that may differ by a
 * bit. */
static uint64_t shuffled(uint64_t x, int n, uint64_t seed) {
    for (int round = 0; round < 4; round++) {
        int low = round % 2 ? n / 2 : n - n / 2;
        uint64_t mask = (UINT64_C(1) << low) - 1, high_mask = (UINT64_C(1) << (n - low)) - 1;
        uint32_t r[4];
        sz_philox4x32(seed, (uint64_t)round << 8 | (uint64_t)n, x & mask, r);
        uint64_t high = x >> low ^ (((uint64_t)r[0] << 32 | r[1]) & high_mask);
        x = (x & mask) << (n - low) | high;
    }
    return x;
}

sz_status sz_simon_random(int n, uint64_t s, uint64_t seed, uint64_t most_queries,
                          sz_simon_run *out) {
    answers a = {0};
    SZ_TRY(check_oracle(n, SZ_CLASSICAL_MOST, s));
    uint64_t most = UINT64_C(1) << n;
    most = most_queries < most ? most_queries : most;
    SZ_REQUIRE(most <= UINT64_C(1) << 28, SZ_E_LIMIT, "%llu queries: at most 2^28",
               (unsigned long long)most);
    sz_status status = open_answers(&a, most);
    *out = (sz_simon_run){0, 0};
    while (status == SZ_OK && out->queries < most && out->found == 0) {
        uint64_t x = shuffled(out->queries++, n, seed), same = remember(&a, oracle(x, s, n), x);
        out->found = same == UINT64_MAX ? 0 : x ^ same;
    }
    close_answers(&a);
    return status;
}

/* Every string is a sum of one with only low and one with only high bits. */
sz_status sz_simon_deterministic(int n, uint64_t s, sz_simon_run *out) {
    answers a = {0};
    SZ_TRY(check_oracle(n, SZ_CLASSICAL_MOST, s));
    int low = (n + 1) / 2;
    uint64_t n_low = UINT64_C(1) << low, n_high = UINT64_C(1) << (n - low);
    sz_status status = open_answers(&a, n_low + n_high);
    *out = (sz_simon_run){0, 0};
    for (uint64_t i = 0; status == SZ_OK && i < n_low + n_high - 1 && out->found == 0; i++) {
        uint64_t x = i < n_low ? i : (i - n_low + 1) << low;
        uint64_t same = remember(&a, oracle(x, s, n), x);
        out->queries++;
        out->found = same == UINT64_MAX ? 0 : x ^ same;
    }
    close_answers(&a);
    return status;
}
