/* meter.h: a meter's sensors: counters of microjoules, and powers in microwatts. */
#ifndef SZ_BASE_METER_H
#define SZ_BASE_METER_H

#include <szilard/unstable/meter.h>

enum { SZ_METER_MOST_SENSORS = 32, SZ_METER_PATH = 320 };

typedef struct sz_meter_sensor {
    char path[SZ_METER_PATH], volts[SZ_METER_PATH]; /* volts: of a battery that tells amperes; "" */
    char name[48];
    bool power;     /* microwatts, to be integrated; else a counter of microjoules */
    uint64_t range; /* where a counter wraps; 0: never */
    uint64_t last;  /* counter, or microwatts */
} sz_meter_sensor;

typedef struct sz_meter_sensors {
    sz_meter_sensor v[SZ_METER_MOST_SENSORS];
    size_t n;
    char state[160]; /* names, or why there are none */
} sz_meter_sensors;

/* Each fills in what it can read, and the state in any case. */
void sz_meter_find_rapl(const char *root, sz_meter_sensors *out);
void sz_meter_find_hwmon(const char *root, sz_meter_sensors *out);
void sz_meter_find_battery(const char *root, sz_meter_sensors *out);
/* The sensor's counter or microwatts; false with errno if it cannot be read. */
bool sz_meter_sensor_value(const sz_meter_sensor *s, uint64_t *out);

#endif
