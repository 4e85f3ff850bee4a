/* body_double.h: doubles: products of matrices that fit a cache, and rows of 8 and more. */

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

static void rows_multiply_f64(double *a, const double *b, size_t n) {
    for (size_t i = 0; i < n; i += 8)
        d_store(a + i, d_mul(d_load(a + i), d_load(b + i)));
}

static void rows_add_f64(double *a, const double *b, size_t n) {
    for (size_t i = 0; i < n; i += 8)
        d_store(a + i, d_add(d_load(a + i), d_load(b + i)));
}

static void rows_ratio_f64(const double *a, double *b, size_t n) {
    for (size_t i = 0; i < n; i += 8)
        d_store(b + i, d_ratio(d_load(a + i), d_load(b + i)));
}

static double row_largest_f64(const double *row, size_t width) {
    d8 most = d_load(row);
    for (size_t i = 8; i < width; i += 8)
        most = d_max(most, d_load(row + i));
    double lane[8];
    d_store(lane, most);
    for (int half = 4; half; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] = lane[l] > lane[l + half] ? lane[l] : lane[l + half];
    return lane[0];
}

static void rows_rescale_f64(double *rows, size_t n, size_t width, int64_t *exponent) {
    for (size_t s = 0; s < n; s++, rows += width) {
        double most = row_largest_f64(rows, width), factor;
        uint64_t bits;
        memcpy(&bits, &most, sizeof bits);
        int64_t by = (int64_t)(bits >> 52) - 1023; /* a subnormal: that of the least normal one */
        by = by < -1022 ? -1022 : by;
        if (most == 0 || by == 0)
            continue;
        bits = (uint64_t)(1023 - by) << 52;
        memcpy(&factor, &bits, sizeof factor);
        for (size_t i = 0; i < width; i += 8)
            d_store(rows + i, d_mul(d_load(rows + i), d_set1(factor)));
        exponent[s] += by;
    }
}
