/* meter_sensors.c: which sensors of energy the kernel shows, and what they say. */
#include "meter.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Small files -------------------------------------------------------------------------------
 */

/* The first line; false with errno. */
static bool read_line(const char *path, char *text, size_t size) {
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    bool got = fgets(text, (int)size, f) != NULL;
    int problem = errno;
    fclose(f);
    errno = got ? 0 : problem ? problem : ENODATA;
    if (got)
        text[strcspn(text, "\n")] = '\0';
    return got;
}

static bool read_count(const char *path, uint64_t *out) {
    char text[64], *end;
    if (!read_line(path, text, sizeof text))
        return false;
    errno = 0;
    long long signed_value = strtoll(text, &end, 10);
    if (end == text || errno != 0) {
        errno = EINVAL;
        return false;
    }
    *out = (uint64_t)(signed_value < 0 ? -signed_value : signed_value); /* amperes of a battery */
    return true;
}

bool sz_meter_sensor_value(const sz_meter_sensor *s, uint64_t *out) {
    uint64_t value, volts;
    if (!read_count(s->path, &value))
        return false;
    *out = value;
    if (s->volts[0] == '\0')
        return true;
    if (!read_count(s->volts, &volts))
        return false;
    *out = (uint64_t)((double)value * (double)volts * 1e-6); /* uA uV = 1e-6 uW */
    return true;
}

/* folder/name/file, without what is "". */
static bool join(char *out, const char *folder, const char *name, const char *file) {
    const char *part[] = {folder, name, file};
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(part[i]);
        if (n == 0)
            continue;
        if (at + n + 2 > SZ_METER_PATH)
            return false;
        if (i > 0)
            out[at++] = '/';
        memcpy(out + at, part[i], n);
        at += n;
    }
    out[at] = '\0';
    return true;
}

typedef struct names {
    char v[64][64];
    size_t n;
} names;

static int by_name(const void *a, const void *b) {
    return strcmp(a, b);
}

/* Entries of a folder that begin with `prefix`, sorted; none if there is no such folder. */
static void list(const char *folder, const char *prefix, names *out) {
    out->n = 0;
    DIR *d = opendir(folder);
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL && out->n < 64;)
        if (strncmp(e->d_name, prefix, strlen(prefix)) == 0 && strlen(e->d_name) < 64)
            strcpy(out->v[out->n++], e->d_name);
    closedir(d);
    qsort(out->v, out->n, sizeof *out->v, by_name);
}

/* Keeps a sensor that can be read; otherwise tells why not in the state. */
static void try_sensor(sz_meter_sensors *s, const sz_meter_sensor *sensor) {
    uint64_t value;
    if (s->n == SZ_METER_MOST_SENSORS)
        return;
    if (sz_meter_sensor_value(sensor, &value))
        s->v[s->n++] = *sensor;
    else
        snprintf(s->state, sizeof s->state, "%s: %.120s",
                 errno == EACCES || errno == EPERM ? "permission denied" : strerror(errno),
                 sensor->path);
}

static void put_names(sz_meter_sensors *s) {
    size_t at = 0;
    for (size_t i = 0; i < s->n && at < sizeof s->state; i++)
        at += (size_t)snprintf(s->state + at, sizeof s->state - at, "%s%s", i ? " + " : "",
                               s->v[i].name);
}

/* ---- RAPL --------------------------------------------------------------------------------------
 */

static void add_zone(const char *folder, const char *zone, const char *wanted,
                     sz_meter_sensors *out) {
    sz_meter_sensor s = {0};
    char path[SZ_METER_PATH], name[48];
    if (!join(path, folder, zone, "name") || !read_line(path, name, sizeof name) ||
        strncmp(name, wanted, strlen(wanted)) != 0)
        return;
    memcpy(s.name, name, sizeof name);
    if (!join(path, folder, zone, "max_energy_range_uj") || !read_count(path, &s.range))
        s.range = 0;
    if (join(s.path, folder, zone, "energy_uj"))
        try_sensor(out, &s);
}

/* Zones of that name; those within others stand beside them or in their folders. */
static void add_zones(const char *folder, const char *wanted, sz_meter_sensors *out) {
    names zones, inner;
    list(folder, "intel-rapl:", &zones);
    bool flat = false;
    for (size_t i = 0; i < zones.n; i++) {
        add_zone(folder, zones.v[i], wanted, out);
        flat = flat || strchr(zones.v[i] + strlen("intel-rapl:"), ':') != NULL;
    }
    for (size_t i = 0; i < zones.n && !flat; i++) {
        char within[SZ_METER_PATH];
        if (!join(within, folder, zones.v[i], ""))
            continue;
        list(within, "intel-rapl:", &inner);
        for (size_t k = 0; k < inner.n; k++)
            add_zone(within, inner.v[k], wanted, out);
    }
}

/* `psys` is the whole platform; else packages, which hold their cores, and memory beside them. */
void sz_meter_find_rapl(const char *root, sz_meter_sensors *out) {
    char folder[SZ_METER_PATH];
    *out = (sz_meter_sensors){.state = "no such sensor"};
    if (!join(folder, root, "class/powercap", ""))
        return;
    add_zones(folder, "psys", out);
    if (out->n == 0) {
        add_zones(folder, "package", out);
        if (out->n > 0)
            add_zones(folder, "dram", out);
    }
    if (out->n > 0)
        put_names(out);
}

/* ---- hwmon -------------------------------------------------------------------------------------
 */

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

/* Sensors of one kind on one device; sockets hold their cores, so that where some are labelled as
 * such only they count. */
static void add_device(const char *folder, const char *device, const char *prefix,
                       const char *suffix, bool power, sz_meter_sensors *out) {
    names files;
    char within[SZ_METER_PATH], path[SZ_METER_PATH], driver[24] = "hwmon", label[48];
    if (!join(within, folder, device, ""))
        return;
    if (join(path, within, "name", ""))
        read_line(path, driver, sizeof driver);
    list(within, prefix, &files);
    bool sockets = false;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < files.n; i++) {
            if (!ends_with(files.v[i], suffix))
                continue;
            sz_meter_sensor s = {.power = power};
            char labelled[80];
            int stem = (int)(strlen(files.v[i]) - strlen(suffix));
            snprintf(labelled, sizeof labelled, "%.*s_label", stem, files.v[i]);
            bool has_label =
                join(path, within, labelled, "") && read_line(path, label, sizeof label);
            bool socket = has_label && strncmp(label, "Esocket", 7) == 0;
            sockets = sockets || socket;
            if (pass == 0 || (sockets && !socket))
                continue;
            snprintf(s.name, sizeof s.name, "%s %.20s", driver, has_label ? label : files.v[i]);
            if (join(s.path, within, files.v[i], ""))
                try_sensor(out, &s);
        }
}

void sz_meter_find_hwmon(const char *root, sz_meter_sensors *out) {
    static const struct {
        const char *prefix, *suffix;
        bool power;
    } kinds[] = {
        {"energy", "_input", false}, {"power", "_average", true}, {"power", "_input", true}};
    char folder[SZ_METER_PATH];
    names devices;
    *out = (sz_meter_sensors){.state = "no such sensor"};
    if (!join(folder, root, "class/hwmon", ""))
        return;
    list(folder, "hwmon", &devices);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds && out->n == 0; k++)
        for (size_t i = 0; i < devices.n; i++)
            add_device(folder, devices.v[i], kinds[k].prefix, kinds[k].suffix, kinds[k].power, out);
    if (out->n > 0)
        put_names(out);
}

/* ---- Battery -----------------------------------------------------------------------------------
 */

static void add_battery(const char *folder, const char *battery, sz_meter_sensors *out) {
    char path[SZ_METER_PATH], status[32];
    sz_meter_sensor s = {.power = true};
    uint64_t value;
    if (!join(path, folder, battery, "status") || !read_line(path, status, sizeof status) ||
        strcmp(status, "Discharging") != 0) {
        if (out->n == 0)
            snprintf(out->state, sizeof out->state, "%.40s is not discharging", battery);
        return;
    }
    snprintf(s.name, sizeof s.name, "%.40s", battery);
    if (join(s.path, folder, battery, "power_now") && !read_count(s.path, &value)) {
        join(s.path, folder, battery, "current_now");
        join(s.volts, folder, battery, "voltage_now");
    }
    try_sensor(out, &s);
}

void sz_meter_find_battery(const char *root, sz_meter_sensors *out) {
    char folder[SZ_METER_PATH];
    names batteries;
    *out = (sz_meter_sensors){.state = "no such sensor"};
    if (!join(folder, root, "class/power_supply", ""))
        return;
    list(folder, "BAT", &batteries);
    for (size_t i = 0; i < batteries.n; i++)
        add_battery(folder, batteries.v[i], out);
    if (out->n > 0)
        put_names(out);
}
