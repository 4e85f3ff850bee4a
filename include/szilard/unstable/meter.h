/* meter.h: how much energy the machine uses, from its own sensors; never a made-up figure.
 *
 * Linux, without privileges: RAPL counters of the processor, sensors of hwmon, the battery. An
 * estimate from processor seconds is possible only with watts that the user declares, and is marked
 * as such. Source: card 06, method 1; the kernel's powercap, hwmon and power_supply interfaces. */
#ifndef SZILARD_METER_H
#define SZILARD_METER_H

#include <szilard/unstable/base.h>

typedef enum sz_energy_source {
    SZ_ENERGY_RAPL, /* in this order: the first that can be read is the one */
    SZ_ENERGY_HWMON,
    SZ_ENERGY_BATTERY, /* while discharging: the whole machine */
    SZ_ENERGY_ESTIMATE,
    SZ_ENERGY_NONE,
} sz_energy_source;
enum { SZ_ENERGY_SOURCES = SZ_ENERGY_NONE };
extern SZ_API const char *const sz_energy_source_names[]; /* "rapl", ..., "none" */

typedef struct sz_energy_meter_config {
    const char *root;               /* NULL: "/sys" */
    double watts_per_core;          /* declared by the user; 0: none, and no estimate */
    uint64_t poll_ns;               /* least time between two readings; 0: 50 ms */
    uint64_t (*now_ns)(void *user); /* NULL: the monotonic clock */
    void *now_user;
} sz_energy_meter_config;

typedef struct sz_energy {
    sz_energy_source source;
    bool measured; /* by a sensor; false: an estimate, or nothing */
    bool partial;  /* a sensor was lost or went backwards: joules are of what was read before */
    double joules, seconds; /* joules NaN where there is no figure */
    char domain[96];        /* what is metered: "package-0 + dram" */
    char problem[160];      /* "" */
} sz_energy;

typedef struct sz_energy_meter sz_energy_meter;
/* Finds the best source and starts. Having none is no failure: see sz_energy_meter_state. */
SZ_API sz_status sz_energy_meter_open(const sz_energy_meter_config *config, sz_energy_meter **out);
SZ_API void sz_energy_meter_close(sz_energy_meter *m);
/* From now on. */
SZ_API void sz_energy_meter_start(sz_energy_meter *m);
/* To be called while the work goes on, as often as one likes: it reads at most every poll_ns.
 * Counters wrap after minutes at high power, and watts are integrated from poll to poll. */
SZ_API void sz_energy_meter_poll(sz_energy_meter *m);
/* Since the start. */
SZ_API void sz_energy_meter_read(sz_energy_meter *m, sz_energy *out);
/* Why a source serves or does not: "package-0 + dram", "permission denied: ...", "no such sensor".
 * Borrowed from the meter. */
SZ_API const char *sz_energy_meter_state(const sz_energy_meter *m, sz_energy_source source);
SZ_API sz_energy_source sz_energy_meter_source(const sz_energy_meter *m);

/* Energy of a counter that wraps from `range` to 0: microjoules from `before` to `now`. false: no
 * wrap explains it (range 0, or a reading beyond the range). */
SZ_API bool sz_energy_counter_delta(uint64_t before, uint64_t now, uint64_t range, uint64_t *out);

#endif
