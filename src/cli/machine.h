/* machine.h: what the machine could do at most: reading memory and 8-bit products. */
#ifndef SZ_CLI_MACHINE_H
#define SZ_CLI_MACHINE_H

#include <szilard/unstable/model.h>

/* Best of repeated passes over about `budget_ns`, with all threads of the runtime. Reads the
 * model's repacked weights where they are large enough not to stay in a cache, else memory of its
 * own (256 MB). Bytes per second; 0 if there is no memory. */
double sz_machine_read_bandwidth(sz_runtime *rt, const sz_model *model, uint64_t budget_ns);
/* Multiply-adds of 8-bit integers per second. */
double sz_machine_int8_peak(sz_runtime *rt, uint64_t budget_ns);
/* Fused multiply-adds of floats per second. */
double sz_machine_float_peak(sz_runtime *rt, uint64_t budget_ns);
/* "AMD EPYC ..."; "unknown" if the system does not say. */
void sz_machine_cpu_name(char *out, size_t size);

/* What a model asks of the machine. */
typedef struct sz_workload {
    uint64_t layer_bytes, head_bytes; /* weights as they lie in memory */
    uint64_t layer_macs, head_macs;   /* multiply-adds per token */
} sz_workload;
void sz_workload_of(const sz_model *model, sz_workload *out);
/* What attention adds for n tokens after n_past: multiply-adds, and bytes of keys and values in 16
 * bits, each read once per token. */
void sz_workload_attention(const sz_model *model, size_t n_past, size_t n, uint64_t *macs,
                           uint64_t *bytes);

#endif
