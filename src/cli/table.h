/* table.h: columns of numbers or labels from the files that people have: text, CSV, JSON, .npy. */
#ifndef SZ_CLI_TABLE_H
#define SZ_CLI_TABLE_H

#include <szilard/unstable/base.h>

typedef struct sz_column {
    char *name;  /* from a header or a JSON key; "1", "2", ... otherwise */
    bool labels; /* the values are codes 0, 1, ... of words */
} sz_column;

typedef struct sz_table {
    size_t rows, columns;
    bool vector; /* an array of one dimension, which became a column */
    bool single; /* the numbers were written in single or half precision */
    sz_column *column;
    double *v; /* [rows][columns] */
} sz_table;

/* The format follows the name or the beginning: .npy, JSON (by rows, by columns, or objects with
 * the same keys in an array or one a line), else text: one row a line, fields between commas,
 * semicolons, tabs or blanks, '#' begins a comment, a first line of names over columns of numbers
 * is a header. A number that is missing or no number among fractions is an error. "-": standard
 * input. Errors name the file and the place. */
sz_status sz_table_read(const char *path, sz_table *out);
/* The same from memory: `path` tells the format where the beginning does not. */
sz_status sz_table_parse(const char *path, const char *text, size_t n, sz_table *out);
void sz_table_free(sz_table *t);

/* For the readers of each format: room for rows x columns, names "1", "2", ... */
sz_status sz_table_new(size_t rows, size_t columns, sz_table *out);
bool sz_table_is_npy(const void *data, size_t size);
sz_status sz_table_from_npy(const void *data, size_t size, sz_table *out);
sz_status sz_table_from_json(const char *text, size_t n, sz_table *out);
sz_status sz_table_from_text(const char *text, size_t n, sz_table *out);

/* Words [rows] as codes by their order into column j. */
typedef struct sz_word {
    const char *s;
    size_t n, row;
} sz_word;
void sz_table_take_words(sz_table *t, size_t j, sz_word *words /* are sorted */);

#endif
