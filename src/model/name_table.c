/* name_table.c: open addressing over SipHash; hostile names cannot make it slow. */
#include "model/name_table.h"

#include <string.h>
#include <sys/random.h>

static uint64_t rotate(uint64_t x, int by) {
    return x << by | x >> (64 - by);
}

static void sip_rounds(uint64_t v[4], int n) {
    while (n-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static void sip_absorb(uint64_t v[4], uint64_t word) {
    v[3] ^= word;
    sip_rounds(v, 2);
    v[0] ^= word;
}

uint64_t sz_siphash(const uint64_t key[2], const void *bytes, size_t n) {
    const uint8_t *p = bytes;
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                     key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
    uint64_t word, last = (uint64_t)n << 56;
    for (; n >= 8; n -= 8, p += 8) {
        word = 0;
        for (int i = 0; i < 8; i++)
            word |= (uint64_t)p[i] << 8 * i;
        sip_absorb(v, word);
    }
    for (size_t i = 0; i < n; i++)
        last |= (uint64_t)p[i] << 8 * i;
    sip_absorb(v, last);
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void sz_name_table_init(sz_name_table *t) {
    memset(t, 0, sizeof *t);
    if (getrandom(t->key, sizeof t->key, GRND_NONBLOCK) == sizeof t->key)
        return;
    t->key[0] = sz_time_ns(); /* the system is still collecting randomness */
    t->key[1] = (uintptr_t)t;
}

void sz_name_table_free(sz_name_table *t) {
    sz_free(t->slot);
    t->slot = NULL;
    t->n_slots = t->n_used = 0;
}

/* The slot that holds the name, or the free one where it belongs. */
static sz_name_slot *locate(const sz_name_table *t, const char *name, size_t n) {
    size_t i = (size_t)sz_siphash(t->key, name, n);
    for (;; i++) {
        sz_name_slot *s = &t->slot[i & (t->n_slots - 1)];
        if (!s->name || (s->n == n && memcmp(s->name, name, n) == 0))
            return s;
    }
}

static sz_status grow(sz_name_table *t) {
    sz_name_table bigger = *t;
    bigger.n_slots = t->n_slots ? 2 * t->n_slots : 64;
    bigger.slot = sz_calloc(bigger.n_slots, sizeof *bigger.slot);
    SZ_REQUIRE(bigger.slot, SZ_E_NOMEM, "no memory for %zu names", bigger.n_slots);
    for (size_t i = 0; i < t->n_slots; i++)
        if (t->slot[i].name)
            *locate(&bigger, t->slot[i].name, t->slot[i].n) = t->slot[i];
    sz_free(t->slot);
    *t = bigger;
    return SZ_OK;
}

sz_status sz_name_table_add(sz_name_table *t, const char *name, size_t n, uint32_t value,
                            bool *is_new) {
    SZ_REQUIRE(n <= UINT32_MAX, SZ_E_LIMIT, "a name of %zu bytes is too long", n);
    if (2 * (t->n_used + 1) > t->n_slots)
        SZ_TRY(grow(t));
    sz_name_slot *s = locate(t, name, n);
    *is_new = !s->name;
    if (*is_new) {
        *s = (sz_name_slot){name, (uint32_t)n, value};
        t->n_used++;
    }
    return SZ_OK;
}

int64_t sz_name_table_find(const sz_name_table *t, const char *name, size_t n) {
    if (t->n_slots == 0)
        return -1;
    const sz_name_slot *s = locate(t, name, n);
    return s->name ? (int64_t)s->value : -1;
}

char *sz_show_text(const char *s, size_t n, char out[80]) {
    size_t kept = n < 80 ? n : 76;
    for (size_t i = 0; i < kept; i++)
        out[i] = (char)(s[i] >= ' ' && s[i] <= '~' ? s[i] : '?');
    memcpy(out + kept, n < 80 ? "" : "...", n < 80 ? 1 : 4);
    return out;
}
