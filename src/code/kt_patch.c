/* kt_patch.c: what is wrong with a script's output, and its code. A bit says whether anything is;
 * then the length of the string, the number of wrong stretches, and for each how far it lies behind
 * the one before, and its bytes. */
#include <string.h>

#include "code/kt_patch.h"
#include "code/ktl.h"

enum { JOIN = 2 /* right bytes that are cheaper given again than a stretch begun anew */ };

typedef struct stretch {
    size_t from, end;
} stretch;

static bool is_wrong(const sz_kt_list *made, const uint8_t *x, size_t i) {
    return i >= made->n || (uint8_t)made->v[i] != x[i];
}

/* The next wrong stretch of x [n] behind s; false: there is none. */
static bool next_stretch(const sz_kt_list *made, const uint8_t *x, size_t n, stretch *s) {
    size_t i = s->end;
    while (i < n && !is_wrong(made, x, i))
        i++;
    *s = (stretch){i, i};
    for (size_t right = 0; i < n && right < JOIN; i++) {
        right = is_wrong(made, x, i) ? 0 : right + 1;
        if (right == 0)
            s->end = i + 1;
    }
    return s->from < n;
}

static size_t count_stretches(const sz_kt_list *made, const uint8_t *x, size_t n) {
    stretch s = {0};
    size_t count = 0;
    while (next_stretch(made, x, n, &s))
        count++;
    return count;
}

double sz_kt_patch_bits(const sz_kt_list *made, const uint8_t *x, size_t n) {
    stretch s = {0};
    size_t count = count_stretches(made, x, n), before = 0;
    if (count == 0 && made->n == n)
        return 1;
    double bits = 1 + sz_ktl_gamma(n + 1) + sz_ktl_gamma(count + 1);
    while (next_stretch(made, x, n, &s)) {
        bits += sz_ktl_gamma(s.from - before + 1) + sz_ktl_gamma(s.end - s.from + 1) +
                8.0 * (double)(s.end - s.from);
        before = s.end;
    }
    return bits;
}

static void put_patch(const sz_kt_list *made, const uint8_t *x, size_t n, sz_range_encoder *e) {
    stretch s = {0};
    size_t count = count_stretches(made, x, n), before = 0;
    bool right = count == 0 && made->n == n;
    sz_range_encode_of(e, right, 1, 2);
    if (right)
        return;
    sz_kt_put_length(e, n);
    sz_kt_put_length(e, count);
    while (next_stretch(made, x, n, &s)) {
        sz_kt_put_length(e, s.from - before);
        sz_kt_put_bytes(e, x + s.from, s.end - s.from);
        before = s.end;
    }
}

sz_status sz_kt_patched_encode(const sz_kt_lines *l, const uint8_t *x, size_t n, sz_buf *code) {
    sz_kt_machine m;
    sz_kt_list made;
    sz_range_encoder e;
    SZ_TRY(sz_kt_machine_open(&m));
    sz_status status = sz_kt_lines_run(l, &m, &made);
    if (status == SZ_OK) {
        sz_range_encode_begin(&e, code);
        sz_kt_lines_put(l, &e);
        put_patch(&made, x, n, &e);
        sz_range_encode_end(&e);
    }
    sz_kt_machine_close(&m);
    SZ_TRY(status);
    SZ_REQUIRE(!code->failed, SZ_E_NOMEM, "no memory for a script's code");
    return SZ_OK;
}

static sz_status get_patch(sz_range_decoder *d, const sz_kt_list *made, size_t most, sz_buf *out) {
    uint64_t right = sz_range_decode_place_of(d, 2);
    size_t n = made->n, count = 0, before = 0, gap, length;
    sz_range_decode_of(d, right, 1, 2);
    SZ_REQUIRE(n <= most || !right, SZ_E_LIMIT,
               "the script makes %zu bytes: at most %zu are wanted", n, most);
    if (!right) {
        SZ_TRY(sz_kt_get_length(d, most, &n));
        SZ_TRY(sz_kt_get_length(d, n, &count));
    }
    size_t start = out->len;
    for (size_t i = 0; i < n; i++)
        sz_buf_putc(out, i < made->n ? (char)made->v[i] : 0);
    SZ_REQUIRE(!out->failed, SZ_E_NOMEM, "no memory for %zu bytes", n);
    for (; count > 0; count--) {
        SZ_TRY(sz_kt_get_length(d, n - before, &gap));
        before += gap;
        SZ_TRY(sz_kt_get_bytes(d, n - before, (uint8_t *)out->data + start + before, &length));
        before += length;
    }
    return SZ_OK;
}

sz_status sz_kt_patched_decode(const uint8_t *code, size_t n_code, size_t most, sz_kt_lines *lines,
                               sz_buf *out) {
    sz_range_decoder d;
    sz_kt_machine m;
    sz_kt_list made;
    sz_range_decode_begin(&d, code, n_code);
    SZ_TRY(sz_kt_lines_get(&d, lines));
    SZ_TRY(sz_kt_machine_open(&m));
    size_t before = out->len;
    sz_status status = sz_kt_lines_run(lines, &m, &made);
    if (status == SZ_OK)
        status = get_patch(&d, &made, most, out);
    if (status != SZ_OK)
        out->len = before;
    sz_kt_machine_close(&m);
    return status;
}
