/* unit.c: nats to bits and hartleys. */
#include "unit.h"

const char *const sz_unit_choices[] = {"nat", "bit", "hartley", NULL};

double sz_in_unit(double nats, sz_unit unit) {
    static const double per_nat[] = {1.0, 1.4426950408889634, 0.43429448190325182};
    return nats * per_nat[unit];
}

const char *sz_unit_name(sz_unit unit) {
    static const char *const names[] = {"nats", "bits", "hartleys"};
    return names[unit];
}
