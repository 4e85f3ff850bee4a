/* fuzz_table.c: any bytes as a table of numbers and words: text, CSV, JSON, records, .npy. What is
 * read has all its cells, and words have codes from 0 on. */
#include <math.h>
#include <stdlib.h>

#include "cli/table.h"

static void need(bool what) {
    if (!what)
        abort();
}

static void check(const sz_table *t) {
    need(t->rows >= 1 && t->columns >= 1);
    for (size_t j = 0; j < t->columns; j++) {
        need(t->column[j].name != NULL);
        for (size_t i = 0; i < t->rows; i++) {
            double v = t->v[i * t->columns + j];
            need(!t->column[j].labels || (v >= 0 && v < (double)t->rows && v == floor(v)));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sz_table t;
    if (sz_table_parse("table", (const char *)data, size, &t) == SZ_OK) {
        check(&t);
        sz_table_free(&t);
    }
    return 0;
}
