/* panel.c: repacking a weight matrix. The blocks of 16 rows are interleaved word by word, so that
 * each row lives in one lane (panel_split.c). A panel has exactly the file's bytes (padding aside):
 * nothing is expanded. */
#include <string.h>

#include "matrix.h"
#include "panel.h"

enum { ROWS = SZ_PANEL_ROWS };

/* Bytes per row and column block in the two streams; float types have no blocks. */
static size_t data_bytes(const sz_panel_layout *l, sz_type type) {
    return l ? 4 * (size_t)l->n_data : sz_type_get(type)->block_bytes;
}
static size_t scale_bytes(const sz_panel_layout *l) {
    return l ? 4 * (size_t)l->n_scale + 2 * (size_t)l->n_half + l->n_byte : 0;
}

/* ---- Interleaving ---------------------------------------------------------------------------- */

typedef uint32_t quad __attribute__((vector_size(16), aligned(4)));

/* Words i .. i+3 of four rows become the rows' places in four lines. */
static inline void transpose_4(const uint32_t *const row[4], size_t i, uint32_t *to) {
    quad a = *(const quad *)(row[0] + i), b = *(const quad *)(row[1] + i);
    quad c = *(const quad *)(row[2] + i), d = *(const quad *)(row[3] + i);
    quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    quad ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    quad cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    quad cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(quad *)to = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    *(quad *)(to + ROWS) = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    *(quad *)(to + 2 * ROWS) = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    *(quad *)(to + 3 * ROWS) = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

/* Line i of `to` gets word i of each row. */
static void interleave(const uint32_t *const row[ROWS], size_t n_words, uint8_t *to) {
    uint32_t *lines = (uint32_t *)to;
    size_t whole = n_words / 4 * 4;
    for (size_t i = 0; i < whole; i += 4)
        for (size_t r = 0; r < ROWS; r += 4)
            transpose_4(row + r, i, lines + i * ROWS + r);
    for (size_t i = whole; i < n_words; i++)
        for (size_t r = 0; r < ROWS; r++)
            lines[i * ROWS + r] = row[r][i];
}

/* One block of 16 rows; returns the bytes written to each stream. */
static void pack_block(const sz_panel_layout *l, const sz_lane_block block[ROWS], uint8_t *data,
                       uint8_t *scales) {
    const uint32_t *rows[ROWS];
    for (size_t r = 0; r < ROWS; r++)
        rows[r] = block[r].data;
    interleave(rows, l->n_data, data);
    for (size_t r = 0; r < ROWS; r++)
        rows[r] = block[r].scale;
    interleave(rows, l->n_scale, scales);
    scales += l->n_scale * 4 * (size_t)ROWS;
    for (size_t i = 0; i < l->n_half; i++, scales += 2 * (size_t)ROWS)
        for (size_t r = 0; r < ROWS; r++)
            memcpy(scales + 2 * r, &block[r].half[i], 2);
    for (size_t r = 0; l->n_byte && r < ROWS; r++)
        scales[r] = block[r].byte;
}

static void pack_floats(const sz_matrix *m, size_t n_rows, const uint8_t *from, size_t row_bytes,
                        uint8_t *data) {
    size_t bytes = sz_type_get(m->type)->block_bytes;
    for (size_t r = 0; r < n_rows; r++)
        for (size_t i = 0; i < m->n_cols; i++)
            memcpy(data + (i * ROWS + r) * bytes, from + r * row_bytes + i * bytes, bytes);
}

typedef struct pack_job {
    const uint8_t *src; /* of first_row */
    size_t first_panel, n_rows, row_bytes;
    const sz_matrix *m;
} pack_job;

static void pack_panel(void *context, size_t task, int thread) {
    const pack_job *job = context;
    const sz_matrix *m = job->m;
    const sz_panel_layout *l = sz_panel_layout_of(m->type);
    size_t panel = job->first_panel + task, first = task * ROWS;
    size_t rows = job->n_rows - first < ROWS ? job->n_rows - first : ROWS;
    const uint8_t *from = job->src + first * job->row_bytes;
    uint8_t *data = m->data + panel * m->data_stride;
    uint8_t *scales = m->scales + panel * m->scale_stride;
    if (!l) {
        pack_floats(m, rows, from, job->row_bytes, data);
        return;
    }
    sz_lane_block block[ROWS];
    memset(block, 0, sizeof block); /* rows beyond the last stay zero */
    for (size_t b = 0; b < m->n_cols / l->block; b++, from += l->block_bytes) {
        for (size_t r = 0; r < rows; r++)
            l->split(from + r * job->row_bytes, &block[r]);
        pack_block(l, block, data, scales);
        data += data_bytes(l, m->type) * ROWS;
        scales += scale_bytes(l) * ROWS;
    }
}

void sz_matrix_pack_rows(sz_pool *pool, const sz_matrix *m, size_t first_row, size_t n_rows,
                         const void *src) {
    const sz_type_info *info = sz_type_get(m->type);
    pack_job job = {.src = src,
                    .first_panel = first_row / ROWS,
                    .n_rows = n_rows,
                    .row_bytes = m->n_cols / info->block * info->block_bytes,
                    .m = m};
    sz_pool_run(pool, pack_panel, &job, (n_rows + ROWS - 1) / ROWS);
}

/* ---- Layout and memory ----------------------------------------------------------------------- */

sz_status sz_matrix_lay_out(sz_type type, size_t n_rows, size_t n_cols, sz_matrix *out) {
    const sz_panel_layout *l = sz_panel_layout_of(type);
    const sz_type_info *info = sz_type_get(type);
    SZ_REQUIRE(l || type == SZ_F32 || type == SZ_F16 || type == SZ_BF16, SZ_E_UNSUPPORTED,
               "no matrix kernel for tensor type %s", info->name ? info->name : "(unknown)");
    SZ_REQUIRE(n_rows > 0 && n_cols > 0 && n_cols % info->block == 0, SZ_E_ARG,
               "%zu columns are not a multiple of the %u of a %s block", n_cols, info->block,
               info->name);
    sz_matrix m = {.type = type, .n_rows = n_rows, .n_cols = n_cols};
    m.n_panels = (n_rows + ROWS - 1) / ROWS;
    size_t blocks = n_cols / info->block;
    m.data_stride = (blocks * data_bytes(l, type) * ROWS + 63) / 64 * 64;
    m.scale_stride = (blocks * scale_bytes(l) * ROWS + 63) / 64 * 64;
    m.bytes = m.n_panels * (m.data_stride + m.scale_stride);
    *out = m;
    return SZ_OK;
}

void sz_matrix_place(sz_matrix *m, void *memory) {
    m->data = memory;
    m->scales = m->data + m->n_panels * m->data_stride;
}

sz_status sz_matrix_pack(sz_pool *pool, sz_type type, size_t n_rows, size_t n_cols, const void *src,
                         sz_matrix *out) {
    sz_matrix m;
    SZ_TRY(sz_matrix_lay_out(type, n_rows, n_cols, &m));
    void *memory = sz_alloc_pages(m.bytes);
    SZ_REQUIRE(memory, SZ_E_NOMEM, "no memory for %zu bytes of repacked weights", m.bytes);
    sz_matrix_place(&m, memory);
    sz_matrix_pack_rows(pool, &m, 0, n_rows, src);
    *out = m;
    return SZ_OK;
}

void sz_matrix_free(sz_matrix *m) {
    sz_free_pages(m->data, m->bytes);
    *m = (sz_matrix){0};
}
