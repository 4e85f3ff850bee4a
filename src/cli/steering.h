/* steering.h: --steer: texts that potentials steer. */
#ifndef SZ_CLI_STEERING_H
#define SZ_CLI_STEERING_H

#include "generation.h"

extern const struct argp sz_argp_steering; /* --steer; its input is a const char *, NULL: none */

/* Prints the texts of the particles with their shares, and what the run says of the target. Returns
 * an exit status; SZ_EXIT_NOTHING where nothing satisfies the potentials. */
int sz_steer_out(sz_generation *generation, const char *rule, const sz_buf *prompt);

#endif
