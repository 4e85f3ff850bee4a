/* The energy meter over trees of files like the kernel's: what counts, what wraps, what is refused.
 */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <szilard/unstable/meter.h>

static char root[64];

static void put(const char *path, const char *text) {
    char full[300];
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(full, sizeof full, "%s/%.*s", root, (int)(slash - path), path);
        mkdir(full, 0755);
    }
    snprintf(full, sizeof full, "%s/%s", root, path);
    unlink(full);
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static uint64_t clock_ns;
static uint64_t now(void *user) {
    return clock_ns;
}

static sz_energy_meter *meter(double watts) {
    sz_energy_meter *m;
    clock_ns = 1000;
    SZ_CHECK_OK(sz_energy_meter_open(
        &(sz_energy_meter_config){.root = root, .watts_per_core = watts, .now_ns = now}, &m));
    return m;
}

static int empty_root(void **state) {
    strcpy(root, "/tmp/sz_meter_XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}
static int remove_root(void **state) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

static void zone(const char *name, const char *called, const char *energy) {
    char path[128];
    snprintf(path, sizeof path, "class/powercap/%s/name", name);
    put(path, called);
    snprintf(path, sizeof path, "class/powercap/%s/energy_uj", name);
    put(path, energy);
    snprintf(path, sizeof path, "class/powercap/%s/max_energy_range_uj", name);
    put(path, "10000000\n");
}

static void packages_and_memory_add_up(void **state) {
    sz_energy e;
    zone("intel-rapl:0", "package-0\n", "1000000\n");
    zone("intel-rapl:0:0", "core\n", "500\n");
    zone("intel-rapl:0:1", "dram\n", "9000000\n");
    sz_energy_meter *m = meter(0);
    assert_int_equal(sz_energy_meter_source(m), SZ_ENERGY_RAPL);
    assert_string_equal(sz_energy_meter_state(m, SZ_ENERGY_RAPL), "package-0 + dram");
    zone("intel-rapl:0", "package-0\n", "3500000\n");
    zone("intel-rapl:0:0", "core\n", "2000000\n"); /* within the package */
    zone("intel-rapl:0:1", "dram\n", "500000\n");  /* wrapped: 1.5 J */
    clock_ns += 2000000000;
    sz_energy_meter_read(m, &e);
    assert_true(e.measured && !e.partial && e.source == SZ_ENERGY_RAPL);
    SZ_CHECK_ABS(e.joules, 4, 1e-12);
    SZ_CHECK_ABS(e.seconds, 2, 1e-12);
    sz_energy_meter_start(m);
    sz_energy_meter_read(m, &e);
    SZ_CHECK_ABS(e.joules, 0, 0);
    sz_energy_meter_close(m);
}

static void the_platform_replaces_the_rest(void **state) {
    sz_energy e;
    zone("intel-rapl:0", "package-0\n", "0\n");
    zone("intel-rapl:1", "psys\n", "0\n");
    sz_energy_meter *m = meter(0);
    assert_string_equal(sz_energy_meter_state(m, SZ_ENERGY_RAPL), "psys");
    zone("intel-rapl:0", "package-0\n", "1000000\n");
    zone("intel-rapl:1", "psys\n", "7000000\n");
    sz_energy_meter_read(m, &e);
    SZ_CHECK_ABS(e.joules, 7, 1e-12);
    sz_energy_meter_close(m);
}

static void zones_may_stand_within_zones(void **state) {
    sz_energy e;
    zone("intel-rapl:0", "package-0\n", "0\n");
    zone("intel-rapl:0/intel-rapl:0:0", "dram\n", "0\n");
    sz_energy_meter *m = meter(0);
    zone("intel-rapl:0", "package-0\n", "1000000\n");
    zone("intel-rapl:0/intel-rapl:0:0", "dram\n", "250000\n");
    sz_energy_meter_read(m, &e);
    SZ_CHECK_ABS(e.joules, 1.25, 1e-12);
    sz_energy_meter_close(m);
}

static void a_lost_sensor_is_told(void **state) {
    sz_energy e;
    char path[128];
    zone("intel-rapl:0", "package-0\n", "0\n");
    sz_energy_meter *m = meter(0);
    zone("intel-rapl:0", "package-0\n", "2000000\n");
    clock_ns += 100000000;
    sz_energy_meter_poll(m);
    snprintf(path, sizeof path, "%s/class/powercap/intel-rapl:0/energy_uj", root);
    unlink(path);
    clock_ns += 100000000;
    sz_energy_meter_read(m, &e);
    assert_true(e.measured && e.partial);
    SZ_CHECK_ABS(e.joules, 2, 1e-12);
    assert_non_null(strstr(e.problem, "package-0"));
    sz_energy_meter_close(m);
}

static void without_rights_it_falls_through(void **state) {
    char path[128];
    zone("intel-rapl:0", "package-0\n", "0\n");
    snprintf(path, sizeof path, "%s/class/powercap/intel-rapl:0/energy_uj", root);
    if (geteuid() == 0) { /* root reads everything: a folder cannot be read by anybody */
        unlink(path);
        mkdir(path, 0755);
    } else {
        chmod(path, 0);
    }
    put("class/hwmon/hwmon3/name", "amd_energy\n");
    put("class/hwmon/hwmon3/energy1_input", "100\n");
    put("class/hwmon/hwmon3/energy1_label", "Ecore000\n");
    put("class/hwmon/hwmon3/energy9_input", "5000000\n");
    put("class/hwmon/hwmon3/energy9_label", "Esocket0\n");
    sz_energy_meter *m = meter(0);
    sz_energy e;
    assert_int_equal(sz_energy_meter_source(m), SZ_ENERGY_HWMON);
    assert_string_equal(sz_energy_meter_state(m, SZ_ENERGY_HWMON), "amd_energy Esocket0");
    assert_non_null(strstr(sz_energy_meter_state(m, SZ_ENERGY_RAPL),
                           geteuid() == 0 ? "irectory" : "permission denied"));
    put("class/hwmon/hwmon3/energy9_input", "6500000\n");
    sz_energy_meter_read(m, &e);
    SZ_CHECK_ABS(e.joules, 1.5, 1e-12);
    put("class/hwmon/hwmon3/energy9_input", "10\n"); /* no range: nothing explains it */
    sz_energy_meter_read(m, &e);
    assert_true(e.partial);
    SZ_CHECK_ABS(e.joules, 1.5, 1e-12);
    sz_energy_meter_close(m);
}

static void powers_are_integrated(void **state) {
    put("class/hwmon/hwmon0/name", "board\n");
    put("class/hwmon/hwmon0/power1_input", "10000000\n"); /* 10 W */
    sz_energy_meter *m = meter(0);
    sz_energy e;
    clock_ns += 1000000000;
    put("class/hwmon/hwmon0/power1_input", "20000000\n");
    sz_energy_meter_poll(m); /* 15 W for a second */
    clock_ns += 10000000;
    sz_energy_meter_poll(m); /* too soon: nothing is read */
    put("class/hwmon/hwmon0/power1_input", "40000000\n");
    clock_ns += 990000000;
    sz_energy_meter_read(m, &e); /* 30 W for a second */
    SZ_CHECK_ABS(e.joules, 45, 1e-9);
    sz_energy_meter_close(m);
}

static void batteries_count_while_discharging(void **state) {
    put("class/power_supply/BAT0/status", "Charging\n");
    put("class/power_supply/BAT0/power_now", "9000000\n");
    sz_energy_meter *m = meter(0);
    assert_int_equal(sz_energy_meter_source(m), SZ_ENERGY_NONE);
    assert_string_equal(sz_energy_meter_state(m, SZ_ENERGY_BATTERY), "BAT0 is not discharging");
    sz_energy_meter_close(m);
    put("class/power_supply/BAT0/status", "Discharging\n");
    m = meter(0);
    sz_energy e;
    clock_ns += 1000000000;
    sz_energy_meter_read(m, &e);
    SZ_CHECK_ABS(e.joules, 9, 1e-9);
    sz_energy_meter_close(m);
    char path[128];
    snprintf(path, sizeof path, "%s/class/power_supply/BAT0/power_now", root);
    unlink(path);
    put("class/power_supply/BAT0/current_now", "-2000000\n"); /* 2 A at 12 V */
    put("class/power_supply/BAT0/voltage_now", "12000000\n");
    m = meter(0);
    clock_ns += 500000000;
    sz_energy_meter_read(m, &e);
    SZ_CHECK_ABS(e.joules, 12, 1e-6);
    sz_energy_meter_close(m);
}

static void nothing_is_made_up(void **state) {
    sz_energy e;
    sz_energy_meter *m = meter(0);
    assert_int_equal(sz_energy_meter_source(m), SZ_ENERGY_NONE);
    sz_energy_meter_read(m, &e);
    assert_true(!e.measured && isnan(e.joules));
    for (int i = 0; i < SZ_ENERGY_ESTIMATE; i++)
        assert_string_equal(sz_energy_meter_state(m, (sz_energy_source)i), "no such sensor");
    sz_energy_meter_close(m);
    m = meter(10);
    volatile double x = 1;
    for (uint64_t begin = sz_time_ns(); sz_time_ns() - begin < 100000000;)
        x = x * 1.0000001;
    sz_energy_meter_read(m, &e);
    assert_true(!e.measured && e.source == SZ_ENERGY_ESTIMATE && e.joules > 0);
    sz_energy_meter_close(m);
    assert_int_equal(sz_energy_meter_open(&(sz_energy_meter_config){.watts_per_core = -1}, &m),
                     SZ_E_ARG);
}

static void counters_wrap_once(void **state) {
    uint64_t d;
    assert_true(sz_energy_counter_delta(5, 9, 100, &d) && d == 4);
    assert_true(sz_energy_counter_delta(95, 5, 100, &d) && d == 10);
    assert_false(sz_energy_counter_delta(9, 5, 0, &d));
    assert_false(sz_energy_counter_delta(200, 5, 100, &d));
}

#define WITH_ROOT(f) cmocka_unit_test_setup_teardown(f, empty_root, remove_root)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_ROOT(packages_and_memory_add_up),        WITH_ROOT(the_platform_replaces_the_rest),
        WITH_ROOT(zones_may_stand_within_zones),      WITH_ROOT(a_lost_sensor_is_told),
        WITH_ROOT(without_rights_it_falls_through),   WITH_ROOT(powers_are_integrated),
        WITH_ROOT(batteries_count_while_discharging), WITH_ROOT(nothing_is_made_up),
        cmocka_unit_test(counters_wrap_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
