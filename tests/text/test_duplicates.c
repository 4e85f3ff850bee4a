/* test_duplicates.c: planted passages are found where they stand, exactly counted, connected to
 * clusters; nothing is found where nothing stands twice. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/text.h>

enum { DOCS = 12, LENGTH = 400, PASSAGE = 90 };

static uint64_t drawn;
static uint32_t below(uint32_t n) {
    return (uint32_t)(sz_uniform(9, 0, drawn++) * n);
}

typedef struct corpus {
    uint32_t symbols[DOCS * LENGTH];
    size_t begin[DOCS + 1];
} corpus;

static void draw(corpus *c, uint32_t vocabulary) {
    for (size_t i = 0; i < DOCS * LENGTH; i++)
        c->symbols[i] = below(vocabulary);
    for (size_t d = 0; d <= DOCS; d++)
        c->begin[d] = d * LENGTH;
}

/* Copies with exactly `changes` symbols changed, the first and the last not among them. */
static void copy(corpus *c, size_t from, size_t to, size_t n, size_t changes) {
    memmove(c->symbols + to, c->symbols + from, n * sizeof *c->symbols);
    while (changes > 0) {
        size_t j = 1 + below((uint32_t)n - 2);
        if (c->symbols[to + j] != c->symbols[from + j])
            continue;
        c->symbols[to + j] = 1000000 + below(1000);
        changes--;
    }
}

static sz_duplicates find(const corpus *c, sz_duplicate_options o) {
    sz_duplicates d;
    SZ_CHECK_OK(sz_duplicates_find(c->symbols, c->begin, DOCS, &o, &d));
    return d;
}

/* What is reported is true: counted again, within bounds, without overlap. */
static void verify(const corpus *c, const sz_duplicates *d, double similarity) {
    for (size_t i = 0; i < d->n; i++) {
        const sz_duplicate *p = &d->pair[i];
        const uint32_t *x = c->symbols + c->begin[p->a] + p->at_a;
        const uint32_t *y = c->symbols + c->begin[p->b] + p->at_b;
        uint32_t mismatches = 0;
        assert_true(p->a <= p->b && p->b < DOCS);
        assert_true(p->at_a + p->n <= LENGTH && p->at_b + p->n <= LENGTH);
        assert_true(p->a != p->b || p->at_a + p->n <= p->at_b);
        for (size_t j = 0; j < p->n; j++)
            mismatches += x[j] != y[j];
        assert_int_equal(mismatches, p->mismatches);
        assert_true(mismatches <= (1 - similarity) * (double)p->n + 1e-6);
        assert_int_equal(d->cluster[p->a], d->cluster[p->b]);
    }
}

static void planted_passages_are_found(void **state) {
    size_t found = 0, all = 0;
    for (int round = 0; round < 30; round++) {
        corpus c;
        draw(&c, 3000);
        size_t a = below(DOCS - 1), b = a + 1 + below((uint32_t)(DOCS - 1 - a));
        size_t at_a = below(LENGTH - PASSAGE), at_b = below(LENGTH - PASSAGE);
        copy(&c, c.begin[a] + at_a, c.begin[b] + at_b, PASSAGE, PASSAGE / 10);
        sz_duplicates d = find(&c, (sz_duplicate_options){0});
        verify(&c, &d, 0.8);
        all++;
        for (size_t i = 0; i < d.n; i++) {
            const sz_duplicate *p = &d.pair[i];
            assert_true(p->a == a && p->b == b);
            found += p->n >= PASSAGE * 2 / 3 && p->at_a + 2 >= at_a && /* ends may fray */
                     p->at_b - p->at_a == at_b - at_a;
        }
        sz_duplicates_free(&d);
    }
    assert_true(found >= all * 95 / 100);
}

static void exact_copies_of_window_and_gram_are_always_found(void **state) {
    for (int round = 0; round < 100; round++) {
        corpus c;
        draw(&c, 100000);
        size_t n = 12 + below(20), to = c.begin[7] + below((uint32_t)(LENGTH - n));
        size_t from = c.begin[2] + below((uint32_t)(LENGTH - n));
        copy(&c, from, to, n, 0);
        sz_duplicates d = find(&c, (sz_duplicate_options){.similarity = 1});
        assert_int_equal(d.n, 1);
        assert_int_equal(d.pair[0].n, n);
        assert_int_equal(d.pair[0].at_a, from - c.begin[2]);
        assert_int_equal(d.pair[0].at_b, to - c.begin[7]);
        sz_duplicates_free(&d);
    }
}

static void clusters_are_transitive(void **state) {
    corpus c;
    draw(&c, 100000);
    copy(&c, c.begin[5] + 10, c.begin[8] + 100, 40, 0);
    copy(&c, c.begin[8] + 200, c.begin[3] + 7, 40, 2);
    copy(&c, c.begin[0], c.begin[11] + LENGTH - 30, 30, 0);
    copy(&c, c.begin[6] + 20, c.begin[6] + 300, 50, 1); /* twice in one document */
    sz_duplicates d = find(&c, (sz_duplicate_options){0});
    verify(&c, &d, 0.8);
    assert_int_equal(d.n, 4);
    static const size_t want[DOCS] = {0, 1, 2, 3, 4, 3, 6, 7, 3, 9, 10, 0};
    assert_memory_equal(d.cluster, want, sizeof want);
    sz_duplicates_free(&d);
}

/* One symbol all over, documents that repeat: time and memory stay small, what is said is true. */
static void crowds(void **state) {
    corpus c;
    draw(&c, 1);
    sz_duplicates d = find(&c, (sz_duplicate_options){0});
    verify(&c, &d, 0.8);
    for (size_t i = 0; i < DOCS; i++)
        assert_int_equal(d.cluster[i], 0);
    sz_duplicates_free(&d);
    draw(&c, 100000);
    for (size_t i = 1; i < DOCS; i++)
        copy(&c, 0, c.begin[i], LENGTH, 0);
    d = find(&c, (sz_duplicate_options){0});
    verify(&c, &d, 0.8);
    assert_int_equal(d.n, DOCS * (DOCS - 1) / 2);
    for (size_t i = 0; i < d.n; i++)
        assert_int_equal(d.pair[i].n, LENGTH);
    sz_duplicates_free(&d);
}

static void strangers_share_nothing(void **state) {
    corpus c;
    draw(&c, 100000);
    sz_duplicates d = find(&c, (sz_duplicate_options){0});
    assert_int_equal(d.n, 0);
    sz_duplicates_free(&d);
    c.begin[4] = c.begin[5] = c.begin[3] + 2; /* documents of 2, 0 and more symbols */
    d = find(&c, (sz_duplicate_options){.least = 1});
    assert_int_equal(d.n, 0);
    sz_duplicates_free(&d);
    SZ_CHECK_OK(sz_duplicates_find(NULL, c.begin, 0, NULL, &d));
    assert_int_equal(d.n, 0);
    sz_duplicates_free(&d);
}

static void short_documents_are_their_own_print(void **state) {
    const uint32_t symbols[] = {1, 2, 3, 9, 1, 2, 3, 1, 2};
    const size_t begin[] = {0, 3, 4, 7, 9};
    sz_duplicates d;
    SZ_CHECK_OK(sz_duplicates_find(symbols, begin, 4, &(sz_duplicate_options){.least = 1}, &d));
    assert_int_equal(d.n, 1);
    assert_true(d.pair[0].a == 0 && d.pair[0].b == 2 && d.pair[0].n == 3);
    sz_duplicates_free(&d);
}

static void bad_input_is_named(void **state) {
    const uint32_t symbols[4] = {0};
    const size_t falling[] = {0, 3, 2};
    sz_duplicates d;
    assert_int_equal(sz_duplicates_find(symbols, falling, 2, NULL, &d), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "document 1"));
    const size_t begin[] = {0, 4};
    static const double outside[] = {-0.1, 1.1};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(sz_duplicates_find(symbols, begin, 1,
                                            &(sz_duplicate_options){.similarity = outside[i]}, &d),
                         SZ_E_ARG);
    assert_int_equal(
        sz_duplicates_find(symbols, begin, 1, &(sz_duplicate_options){.window = 1u << 30}, &d),
        SZ_E_ARG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_passages_are_found),
        cmocka_unit_test(exact_copies_of_window_and_gram_are_always_found),
        cmocka_unit_test(clusters_are_transitive),
        cmocka_unit_test(crowds),
        cmocka_unit_test(strangers_share_nothing),
        cmocka_unit_test(short_documents_are_their_own_print),
        cmocka_unit_test(bad_input_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
