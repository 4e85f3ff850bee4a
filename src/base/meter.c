/* meter.c: energy from the best source that the machine offers. */
#include "meter.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

const char *const sz_energy_source_names[] = {"rapl", "hwmon", "battery", "estimate", "none", NULL};

struct sz_energy_meter {
    sz_energy_meter_config config;
    char state[SZ_ENERGY_SOURCES][160];
    sz_energy_source source;
    sz_meter_sensors sensors; /* of the source */
    uint64_t start_ns, last_ns;
    double joules, cpu_seconds; /* since the start; of the process at the start */
    bool partial;
    char problem[160];
};

bool sz_energy_counter_delta(uint64_t before, uint64_t now, uint64_t range, uint64_t *out) {
    if (now >= before) {
        *out = now - before;
        return true;
    }
    if (range == 0 || before > range)
        return false;
    *out = now + (range - before);
    return true;
}

static uint64_t now_ns(const sz_energy_meter *m) {
    return m->config.now_ns ? m->config.now_ns(m->config.now_user) : sz_time_ns();
}

/* Of this process and of children that it has waited for. */
static double cpu_seconds(void) {
    double sum = 0;
    static const int who[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
    for (int i = 0; i < 2; i++) {
        struct rusage u;
        if (getrusage(who[i], &u) == 0)
            sum += (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                   1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
    }
    return sum;
}

/* ---- Readings ----------------------------------------------------------------------------------
 */

static void lose(sz_energy_meter *m, const sz_meter_sensor *s, const char *why) {
    m->partial = true;
    snprintf(m->problem, sizeof m->problem, "%.40s: %.100s", s->name, why);
}

/* seconds since the last reading; NULL joules: only the starting point. */
static void read_sensor(sz_energy_meter *m, sz_meter_sensor *s, double seconds, double *joules) {
    uint64_t value, delta;
    if (!sz_meter_sensor_value(s, &value)) {
        lose(m, s, strerror(errno));
        return;
    }
    if (joules && s->power) {
        *joules += 1e-6 * 0.5 * ((double)s->last + (double)value) * seconds; /* trapezoid */
    } else if (joules) {
        if (sz_energy_counter_delta(s->last, value, s->range, &delta))
            *joules += 1e-6 * (double)delta;
        else
            lose(m, s, "the counter went backwards");
    }
    s->last = value;
}

static void read_all(sz_energy_meter *m, uint64_t now, bool count) {
    double seconds = 1e-9 * (double)(now - m->last_ns);
    for (size_t i = 0; i < m->sensors.n && !m->partial; i++)
        read_sensor(m, &m->sensors.v[i], seconds, count ? &m->joules : NULL);
    m->last_ns = now;
}

void sz_energy_meter_start(sz_energy_meter *m) {
    m->joules = 0;
    m->partial = false;
    m->problem[0] = '\0';
    m->cpu_seconds = cpu_seconds();
    m->start_ns = m->last_ns = now_ns(m);
    read_all(m, m->start_ns, false);
}

void sz_energy_meter_poll(sz_energy_meter *m) {
    uint64_t now = now_ns(m), gap = m->config.poll_ns ? m->config.poll_ns : 50000000;
    if (m->sensors.n > 0 && now - m->last_ns >= gap)
        read_all(m, now, true);
}

void sz_energy_meter_read(sz_energy_meter *m, sz_energy *out) {
    uint64_t now = now_ns(m);
    *out = (sz_energy){.source = m->source, .joules = __builtin_nan("")};
    out->seconds = 1e-9 * (double)(now - m->start_ns);
    if (m->source == SZ_ENERGY_ESTIMATE) {
        out->joules = (cpu_seconds() - m->cpu_seconds) * m->config.watts_per_core;
        snprintf(out->domain, sizeof out->domain, "%g declared watts per processor second",
                 m->config.watts_per_core);
    } else if (m->source != SZ_ENERGY_NONE) {
        read_all(m, now, true);
        out->measured = true;
        out->joules = m->joules;
        out->partial = m->partial;
        snprintf(out->domain, sizeof out->domain, "%.95s", m->sensors.state);
        snprintf(out->problem, sizeof out->problem, "%s", m->problem);
    }
}

/* ---- Opening -----------------------------------------------------------------------------------
 */

static void choose(sz_energy_meter *m) {
    static void (*const find[])(const char *root, sz_meter_sensors *out) = {
        sz_meter_find_rapl, sz_meter_find_hwmon, sz_meter_find_battery};
    const char *root = m->config.root ? m->config.root : "/sys";
    m->source = SZ_ENERGY_NONE;
    for (int i = 0; i < SZ_ENERGY_ESTIMATE; i++) {
        sz_meter_sensors found;
        find[i](root, &found);
        snprintf(m->state[i], sizeof m->state[i], "%s", found.state);
        if (found.n > 0 && m->source == SZ_ENERGY_NONE) {
            m->source = (sz_energy_source)i;
            m->sensors = found;
        }
    }
    bool declared = m->config.watts_per_core > 0;
    snprintf(m->state[SZ_ENERGY_ESTIMATE], sizeof m->state[0],
             declared ? "%g declared watts per processor second" : "no watts were declared",
             m->config.watts_per_core);
    if (m->source == SZ_ENERGY_NONE && declared)
        m->source = SZ_ENERGY_ESTIMATE;
}

sz_status sz_energy_meter_open(const sz_energy_meter_config *config, sz_energy_meter **out) {
    sz_energy_meter *m = sz_calloc(1, sizeof *m);
    SZ_REQUIRE(m, SZ_E_NOMEM, "no memory for a meter");
    if (config)
        m->config = *config;
    if (!(m->config.watts_per_core >= 0 && m->config.watts_per_core < 1e6)) {
        sz_free(m);
        return sz_fail(SZ_E_ARG, "the declared watts are not a power");
    }
    choose(m);
    sz_energy_meter_start(m);
    *out = m;
    return SZ_OK;
}

void sz_energy_meter_close(sz_energy_meter *m) {
    sz_free(m);
}

const char *sz_energy_meter_state(const sz_energy_meter *m, sz_energy_source source) {
    return (unsigned)source < SZ_ENERGY_SOURCES ? m->state[source] : "";
}

sz_energy_source sz_energy_meter_source(const sz_energy_meter *m) {
    return m->source;
}
