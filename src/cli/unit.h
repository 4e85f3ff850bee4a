/* unit.h: units of information on the user's screen; inside everything is in nats. */
#ifndef SZ_CLI_UNIT_H
#define SZ_CLI_UNIT_H

#include "cli.h"

typedef enum sz_unit { SZ_UNIT_NAT, SZ_UNIT_BIT, SZ_UNIT_HARTLEY } sz_unit;
extern const char *const sz_unit_choices[]; /* "nat", "bit", "hartley", NULL */

double sz_in_unit(double nats, sz_unit unit);
const char *sz_unit_name(sz_unit unit); /* "nats", "bits", "hartleys" */

#endif
