/* body_gemm.h: a tile of a product of float matrices that stays in registers. */

static void gemm_tile(const float *a, const float *b, size_t depth, float *c, size_t c_stride,
                      bool add) {
    v16 acc[G_ROWS][G_VECS];
#pragma GCC unroll 16
    for (int i = 0; i < G_ROWS; i++)
#pragma GCC unroll 4
        for (int v = 0; v < G_VECS; v++)
            acc[i][v] = add ? v_load(c + (size_t)i * c_stride + 16 * v) : v_set1(0);
    for (size_t k = 0; k < depth; k++, a += G_ROWS, b += 16 * G_VECS) {
        v16 line[G_VECS];
#pragma GCC unroll 4
        for (int v = 0; v < G_VECS; v++)
            line[v] = v_load(b + 16 * v);
#pragma GCC unroll 16
        for (int i = 0; i < G_ROWS; i++)
#pragma GCC unroll 4
            for (int v = 0; v < G_VECS; v++)
                acc[i][v] = v_fma(v_set1(a[i]), line[v], acc[i][v]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < G_ROWS; i++)
#pragma GCC unroll 4
        for (int v = 0; v < G_VECS; v++)
            v_store(c + (size_t)i * c_stride + 16 * v, acc[i][v]);
}
