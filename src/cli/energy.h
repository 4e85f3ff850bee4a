/* energy.h: joules beside the figures of a run; nothing where no sensor tells them. */
#ifndef SZ_CLI_ENERGY_H
#define SZ_CLI_ENERGY_H

#include "cli.h"
#include <szilard/unstable/meter.h>

/* The watts per processor second that $SZILARD_WATTS declares; 0: none. */
double sz_energy_declared_watts(void);
/* A meter over the machine's sensors, and declared watts if there is no sensor. NULL where it
 * fails: a run goes on without. Close with sz_energy_meter_close. */
sz_energy_meter *sz_energy_meter_begin(void);

/* Adds the figures of one run to a total that began as zeros. */
void sz_energy_add(sz_energy *total, const sz_energy *e);
/* "12.3 J measured by rapl (package-0), 0.41 J per token, 0.17 J per nat, 5e19 times kT ln 2" and a
 * newline; nothing where there is no figure. n_tokens or nats 0: not told. */
void sz_energy_put(sz_buf *b, const char *label, const sz_energy *e, size_t n_tokens, double nats);
/* ,"energy":{...}; null where there is no figure. */
void sz_energy_put_json(sz_buf *b, const sz_energy *e, size_t n_tokens, double nats);

#endif
