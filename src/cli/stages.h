/* stages.h: what each sampler of a chain did, for --explain. */
#ifndef SZ_CLI_STAGES_H
#define SZ_CLI_STAGES_H

#include <szilard/unstable/sampler.h>

/* A line for each stage of an explained draw, behind `indent`. */
void sz_stages_put(sz_buf *b, const sz_chain *chain, size_t n_vocab, sz_unit unit,
                   const char *indent);
/* ,"stages":[{"sampler":..,"kept_n":..,"kept_mass":..,"entropy_nats":.., its notes},...] */
void sz_stages_put_json(sz_buf *b, const sz_chain *chain);

#endif
