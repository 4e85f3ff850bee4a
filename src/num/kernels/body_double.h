/* body_double.h: products of matrices of doubles, of the sizes that fit a cache. */

/* n rows (at most D_ROWS) of 8 columns. */
static inline ALWAYS_INLINE void product_tile(const sz_product_f64 *p, size_t row, size_t col,
                                              int n) {
    d8 acc[D_ROWS];
    const double *a = p->a + row * p->a_row, *b = p->b + col;
    double *c = p->c + row * p->c_stride + col;
    for (int i = 0; i < n; i++)
        acc[i] = p->add ? d_load(c + (size_t)i * p->c_stride) : d_set1(0);
    for (size_t k = 0; k < p->depth; k++, a += p->a_col, b += p->b_stride) {
        d8 line = d_load(b);
        for (int i = 0; i < n; i++)
            acc[i] = d_add(acc[i], d_mul(d_set1(a[(size_t)i * p->a_row]), line));
    }
    for (int i = 0; i < n; i++)
        d_store(c + (size_t)i * p->c_stride, acc[i]);
}

static void product_f64(const sz_product_f64 *p) {
    for (size_t col = 0; col < p->n_cols; col += 8) {
        size_t row = 0;
        for (; row + D_ROWS <= p->n_rows; row += D_ROWS)
            product_tile(p, row, col, D_ROWS);
        for (; row < p->n_rows; row++)
            product_tile(p, row, col, 1);
    }
}
