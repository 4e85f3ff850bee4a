/* circuit_file.h: probabilistic circuits in GGUF files, general.type "circuit".
 *
 * Keys: circuit.kind "hclt", circuit.variables, circuit.latents, circuit.categories (u32),
 * circuit.parents (i32 array, -1: the root). Tensors of F64, the last index first: root [M],
 * trans [M, M, variables], emit [K, M, variables]. Nothing in a file is trusted: the same checks as
 * sz_pc_new, after the sizes are found to agree. */
#ifndef SZILARD_CIRCUIT_FILE_H
#define SZILARD_CIRCUIT_FILE_H

#include <szilard/unstable/circuit.h>
#include <szilard/unstable/gguf.h>

/* Atomic. name: what the file calls itself; NULL: nothing. */
SZ_API sz_status sz_pc_save(const sz_pc *pc, const char *path, const char *name);
/* Bit for bit the circuit that was saved. SZ_E_FORMAT, with the file, the key or tensor, and what
 * is wrong with it; SZ_E_UNSUPPORTED: not a circuit, or of another kind. Memory is within 16 times
 * the file. */
SZ_API sz_status sz_pc_open(const char *path, sz_pc **out);
SZ_API sz_status sz_pc_from_gguf(const sz_gguf *g, sz_pc **out);
/* SHA-256 of shape, tree and parameters: what a compressed file names its circuit by. */
SZ_API sz_status sz_pc_digest(const sz_pc *pc, uint8_t out[32]);

#endif
