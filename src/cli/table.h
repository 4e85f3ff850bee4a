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
    sz_column *column;
    double *v; /* [rows][columns] */
} sz_table;

/* The format follows the name: .npy, .json, else text: one row a line, fields between commas, tabs
 * or blanks, '#' begins a comment, a first line of names over columns of numbers is a header.
 * "-": standard input, text or JSON. Errors name the file and the place. */
sz_status sz_table_read(const char *path, sz_table *out);
void sz_table_free(sz_table *t);

/* For the readers of each format: room for rows x columns, names "1", "2", ... */
sz_status sz_table_new(size_t rows, size_t columns, sz_table *out);
sz_status sz_table_from_npy(const char *path, sz_table *out);
sz_status sz_table_from_json(const char *text, size_t n, sz_table *out);
sz_status sz_table_from_text(const char *text, size_t n, sz_table *out);

#endif
