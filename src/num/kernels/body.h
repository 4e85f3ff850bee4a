/* body.h: all kernels of one instruction set; isa_<name>.c includes its lanes and then this file.
 */
#include <math.h>
#include <szilard/unstable/num.h>

#include "body_math.h"
#include "body_vector.h"

#include "body_attend.h"
#include "body_double.h"
#include "body_gemm.h"
#include "body_match.h"
#include "body_product.h"

#define PRODUCT_SLOT(T)  [SZ_##T] = product_##T,
#define EXPAND_SLOT(T)   [SZ_##T] = expand_##T,
#define DECODE_SLOT(T)   [SZ_##T] = decode_row_##T,
#define EXPANDED_SLOT(T) [SZ_##T] = expanded_##T,
#define DEFINE_KERNELS(name)                                                                       \
    const sz_kernels name = {                                                                      \
        .isa = LANES_ISA,                                                                          \
        .product = {EACH_FORMAT(PRODUCT_SLOT)},                                                    \
        .expand = {EACH_FORMAT(EXPAND_SLOT)},                                                      \
        .decode_row = {EACH_FORMAT(DECODE_SLOT)},                                                  \
        .expanded_product = {EACH_FORMAT(EXPANDED_SLOT)},                                          \
        .quantize_first = quantize_first,                                                          \
        .quantize_second = quantize_second,                                                        \
        .product_float = product_float,                                                            \
        .product_f64 = product_f64,                                                                \
        .rescale_f64 = rows_rescale_f64,                                                           \
        .ratio_f64 = rows_ratio_f64,                                                               \
        .add_f64 = rows_add_f64,                                                                   \
        .multiply_f64 = rows_multiply_f64,                                                         \
        .gemm_rows = G_ROWS,                                                                       \
        .gemm_cols = 16 * G_VECS,                                                                  \
        .gemm_tile = gemm_tile,                                                                    \
        .mul = row_mul,                                                                            \
        .dot = row_dot,                                                                            \
        .sum = row_sum,                                                                            \
        .rms_norm = rms_norm,                                                                      \
        .add = row_add,                                                                            \
        .scale = row_scale,                                                                        \
        .silu_mul = row_silu_mul,                                                                  \
        .gelu_mul = row_gelu_mul,                                                                  \
        .exp = row_exp,                                                                            \
        .tanh = row_tanh,                                                                          \
        .to_f16 = row_to_f16,                                                                      \
        .from_f16 = row_from_f16,                                                                  \
        .scale_s8 = row_scale_s8,                                                                  \
        .rotate_halves = rotate_halves,                                                            \
        .attend_scores = attend_scores,                                                            \
        .attend_softmax = attend_softmax,                                                          \
        .attend_mix = attend_mix,                                                                  \
        .merge = merge,                                                                            \
        .softmax_stats = softmax_stats,                                                            \
        .count_equal = {[1] = count_equal_u8, [2] = count_equal_u16, [4] = count_equal_u32},       \
        .distances_within = distances_within,                                                      \
        .narrow_symbols = narrow_symbols,                                                          \
        .peak_int8 = peak_int8,                                                                    \
        .peak_float = peak_float,                                                                  \
    }
