/* panel.c: repacking a weight matrix. The blocks of 16 rows are interleaved in units of 4 bytes, so
 * that each row lives in one lane; f16 scales in units of 2. A panel has exactly the file's bytes
 * (padding rows aside): nothing is expanded. The kernels read the fields as the file lays them out
 * (kernels/body_product.h). */
#include <string.h>

#include "matrix.h"

/* A field of a block: `bytes` at `offset`, interleaved in `unit` bytes; scale fields go to the
 * scale stream, the others to the data stream, in the order given. */
typedef struct field {
    uint16_t offset, bytes;
    uint8_t unit;
    bool scale;
} field;

typedef struct layout {
    sz_type type;
    uint16_t block, block_bytes;
    field fields[7]; /* ends with bytes == 0 */
} layout;

static const layout layouts[] = {
    {SZ_Q4_0, 32, 18, {{0, 2, 2, true}, {2, 16, 4, false}}},
    {SZ_Q4_1, 32, 20, {{0, 2, 2, true}, {2, 2, 2, true}, {4, 16, 4, false}}},
    {SZ_Q5_0, 32, 22, {{0, 2, 2, true}, {6, 16, 4, false}, {2, 4, 4, false}}},
    {SZ_Q5_1, 32, 24, {{0, 2, 2, true}, {2, 2, 2, true}, {8, 16, 4, false}, {4, 4, 4, false}}},
    {SZ_Q8_0, 32, 34, {{0, 2, 2, true}, {2, 32, 4, false}}},
    {SZ_IQ4_NL, 32, 18, {{0, 2, 2, true}, {2, 16, 4, false}}},
    {SZ_MXFP4, 32, 17, {{0, 1, 1, true}, {1, 16, 4, false}}},
    {SZ_Q2_K, 256, 84, {{80, 2, 2, true}, {82, 2, 2, true}, {0, 16, 4, true}, {16, 64, 4, false}}},
    {SZ_Q3_K, 256, 110, {{108, 2, 2, true}, {96, 12, 4, true}, {0, 96, 4, false}}},
    {SZ_Q4_K, 256, 144, {{0, 2, 2, true}, {2, 2, 2, true}, {4, 12, 4, true}, {16, 128, 4, false}}},
    {SZ_Q5_K, 256, 176, {{0, 2, 2, true}, {2, 2, 2, true}, {4, 12, 4, true}, {16, 160, 4, false}}},
    /* per half of the block: low nibbles, then high bits, so that reading runs forward */
    {SZ_Q6_K,
     256,
     210,
     {{208, 2, 2, true},
      {192, 16, 4, true},
      {0, 64, 4, false},
      {128, 32, 4, false},
      {64, 64, 4, false},
      {160, 32, 4, false}}},
    {SZ_IQ4_XS, 256, 136, {{0, 2, 2, true}, {2, 2, 2, true}, {4, 4, 4, true}, {8, 128, 4, false}}},
    {SZ_F32, 1, 4, {{0, 4, 4, false}}},
    {SZ_F16, 1, 2, {{0, 2, 2, false}}},
    {SZ_BF16, 1, 2, {{0, 2, 2, false}}},
};

static const layout *layout_of(sz_type type) {
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (layouts[i].type == type)
            return &layouts[i];
    return NULL;
}

/* Bytes per block and row in the data or the scale stream. */
static size_t stream_bytes(const layout *l, bool scale) {
    size_t bytes = 0;
    for (const field *f = l->fields; f->bytes; f++)
        bytes += f->scale == scale ? f->bytes : 0;
    return bytes;
}

/* One 32-bit field of high bits per row becomes a line in which bit j of byte 4r + c is bit 4j + c
 * of row r: the kernels' bit plane (body_product.h). */
static uint32_t bit_plane(uint32_t bits) {
    uint32_t plane = 0;
    for (unsigned j = 0; j < 8; j++) {
        uint32_t four = bits >> (4 * j);
        uint32_t spread = (four & 1) | (four & 2) << 7 | (four & 4) << 14 | (four & 8) << 21;
        plane |= spread << j;
    }
    return plane;
}

/* Interleaves one field of one row's block into `to`; `row` is its lane. */
static inline void put_field(const layout *l, const field *f, const uint8_t *from, uint8_t *to,
                             size_t row) {
    for (size_t i = 0; i < f->bytes; i += f->unit, from += f->unit) {
        uint8_t *unit = to + (i * SZ_PANEL_ROWS) + row * f->unit;
        if (f->unit == 4) {
            uint32_t v;
            memcpy(&v, from, 4);
            if (l->type == SZ_Q8_0)
                v ^= 0x80808080u; /* int8 to byte with bias 128 */
            else if (l->block == 32 && f->bytes == 4)
                v = bit_plane(v);
            memcpy(unit, &v, 4);
        } else if (f->unit == 2) {
            memcpy(unit, from, 2);
        } else {
            *unit = *from;
        }
    }
}

typedef struct pack_job {
    const layout *l;
    const uint8_t *src;
    size_t row_bytes;
    sz_matrix *m;
} pack_job;

static void pack_panel(void *context, size_t panel, int thread) {
    const pack_job *job = context;
    const layout *l = job->l;
    sz_matrix *m = job->m;
    size_t first = panel * SZ_PANEL_ROWS, blocks = m->n_cols / l->block;
    size_t rows = m->n_rows - first < SZ_PANEL_ROWS ? m->n_rows - first : SZ_PANEL_ROWS;
    const uint8_t *from = job->src + first * job->row_bytes;
    for (size_t b = 0; b < blocks; b++, from += l->block_bytes) {
        uint8_t *data = m->data + panel * m->data_stride +
                        b * stream_bytes(l, false) * SZ_PANEL_ROWS;
        uint8_t *scales = m->scales + panel * m->scale_stride +
                          b * stream_bytes(l, true) * SZ_PANEL_ROWS;
        for (const field *f = l->fields; f->bytes; f++) {
            uint8_t **to = f->scale ? &scales : &data;
            for (size_t r = 0; r < rows; r++)
                put_field(l, f, from + r * job->row_bytes + f->offset, *to, r);
            *to += (size_t)f->bytes * SZ_PANEL_ROWS;
        }
    }
}

sz_status sz_matrix_pack(sz_pool *pool, sz_type type, size_t n_rows, size_t n_cols, const void *src,
                         sz_matrix *out) {
    const layout *l = layout_of(type);
    const sz_type_info *info = sz_type_get(type);
    SZ_REQUIRE(l, SZ_E_UNSUPPORTED, "no matrix kernel for tensor type %s",
               info->name ? info->name : "(unknown)");
    SZ_REQUIRE(n_rows > 0 && n_cols > 0 && n_cols % l->block == 0, SZ_E_ARG,
               "%zu columns are not a multiple of the %u of a %s block", n_cols, l->block,
               info->name);
    sz_matrix m = {.type = type, .n_rows = n_rows, .n_cols = n_cols};
    m.n_panels = (n_rows + SZ_PANEL_ROWS - 1) / SZ_PANEL_ROWS;
    size_t blocks = n_cols / l->block;
    m.data_stride = (blocks * stream_bytes(l, false) * SZ_PANEL_ROWS + 63) / 64 * 64;
    m.scale_stride = (blocks * stream_bytes(l, true) * SZ_PANEL_ROWS + 63) / 64 * 64;
    m.bytes = m.n_panels * (m.data_stride + m.scale_stride);
    m.data = sz_alloc_pages(m.bytes);
    SZ_REQUIRE(m.data, SZ_E_NOMEM, "no memory for %zu bytes of repacked weights", m.bytes);
    m.scales = m.data + m.n_panels * m.data_stride;
    pack_job job = {l, src, blocks * l->block_bytes, &m};
    sz_pool_run(pool, pack_panel, &job, m.n_panels);
    *out = m;
    return SZ_OK;
}

void sz_matrix_free(sz_matrix *m) {
    sz_free_pages(m->data, m->bytes);
    *m = (sz_matrix){0};
}
