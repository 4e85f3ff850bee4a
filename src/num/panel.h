/* panel.h: how a file's block becomes one lane of a panel (panel.c, panel_split.c). */
#ifndef SZ_NUM_PANEL_H
#define SZ_NUM_PANEL_H

#include <szilard/unstable/tensor_type.h>

enum { SZ_BLOCK_WORDS = 48 };

/* One row's block, cut into what its lane gets. Unused parts are left alone. */
typedef struct sz_lane_block {
    uint32_t data[SZ_BLOCK_WORDS]; /* quants */
    uint32_t scale[4];             /* packed scales of a block's groups */
    uint16_t half[2];              /* f16 scales */
    uint8_t byte;                  /* an 8-bit exponent */
} sz_lane_block;

/* How many of each a block has. The data stream of a panel holds line after line of 16 words, one
 * per row; the scale stream, block by block, lines of `scale`, then of `half`, then of `byte`. */
typedef struct sz_panel_layout {
    sz_type type;
    uint16_t block, block_bytes; /* columns, bytes in the file */
    uint8_t n_data, n_scale, n_half, n_byte;
    void (*split)(const uint8_t *block, sz_lane_block *out);
} sz_panel_layout;

/* NULL for types that have no integer kernels. */
const sz_panel_layout *sz_panel_layout_of(sz_type type);

#endif
