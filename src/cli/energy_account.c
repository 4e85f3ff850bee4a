/* energy_account.c: what a run's joules are worth: per token, per nat, over Landauer's limit. */
#include "energy.h"
#include <math.h>
#include <stdlib.h>
#include <szilard/unstable/energy.h>
#include <szilard/unstable/info.h>

static const double room_kelvin = 300;

double sz_energy_declared_watts(void) {
    const char *text = getenv("SZILARD_WATTS");
    double watts = text ? strtod(text, NULL) : 0;
    return watts > 0 && watts < 1e6 ? watts : 0;
}

sz_energy_meter *sz_energy_meter_begin(void) {
    sz_energy_meter *m = NULL;
    sz_energy_meter_config c = {.watts_per_core = sz_energy_declared_watts()};
    return sz_energy_meter_open(&c, &m) == SZ_OK ? m : NULL;
}

void sz_energy_add(sz_energy *total, const sz_energy *e) {
    double joules = total->joules, seconds = total->seconds;
    bool partial = total->partial;
    *total = *e;
    total->joules += joules;
    total->seconds += seconds;
    total->partial = total->partial || partial;
}

static bool is_figure(const sz_energy *e) {
    return e->source != SZ_ENERGY_NONE && !isnan(e->joules);
}

/* Joules over k T ln 2 of the bits at 300 K; NaN where either is nothing. */
static double over_landauer(const sz_energy *e, double nats) {
    double least;
    double bits = sz_unit_convert(nats, SZ_BIT);
    if (!(nats > 0) || sz_energy_landauer(bits, room_kelvin, &least) != SZ_OK)
        return NAN;
    return e->joules / least;
}

void sz_energy_put(sz_buf *b, const char *label, const sz_energy *e, size_t n_tokens, double nats) {
    if (!is_figure(e))
        return;
    sz_buf_printf(b, "%s%.4g J %s (%s)%s", label, e->joules, e->measured ? "measured" : "ESTIMATED",
                  e->domain, e->partial ? ", incomplete" : "");
    if (n_tokens > 0)
        sz_buf_printf(b, ", %.4g J per token", e->joules / (double)n_tokens);
    if (nats > 0)
        sz_buf_printf(b, ", %.4g J per nat, %.2g times kT ln 2", e->joules / nats,
                      over_landauer(e, nats));
    sz_buf_putc(b, '\n');
}

static void put(sz_buf *b, const char *key, double v) {
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_number(b, v);
}

void sz_energy_put_json(sz_buf *b, const sz_energy *e, size_t n_tokens, double nats) {
    if (!is_figure(e)) {
        sz_buf_puts(b, ",\"energy\":null");
        return;
    }
    sz_buf_printf(b, ",\"energy\":{\"source\":\"%s\",\"measured\":%s,\"partial\":%s",
                  sz_energy_source_names[e->source], e->measured ? "true" : "false",
                  e->partial ? "true" : "false");
    put(b, "joules", e->joules);
    put(b, "seconds", e->seconds);
    put(b, "watts", e->seconds > 0 ? e->joules / e->seconds : NAN);
    put(b, "joules_per_token", n_tokens > 0 ? e->joules / (double)n_tokens : NAN);
    put(b, "joules_per_nat", nats > 0 ? e->joules / nats : NAN);
    put(b, "bits_per_joule", nats > 0 ? sz_unit_convert(nats, SZ_BIT) / e->joules : NAN);
    put(b, "over_landauer_300_kelvin", over_landauer(e, nats));
    sz_buf_putc(b, '}');
}
