/* system.c: the clock, and what the machine has for this process: memory and processors. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <szilard/unstable/base.h>

uint64_t sz_time_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- Small files of the kernel --------------------------------------------------------------- */

/* The first bytes of a file, NUL-terminated; false if it cannot be read. */
static bool read_small(const char *path, char *text, size_t size) {
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    size_t n = fread(text, 1, size - 1, f);
    text[n] = '\0';
    fclose(f);
    return n > 0;
}

/* The number after `key` in a "key:  123 kB" file, in bytes; `missing` if it is not there. */
static uint64_t kilobytes_of(const char *path, const char *key, uint64_t missing) {
    char text[8192];
    const char *at = read_small(path, text, sizeof text) ? strstr(text, key) : NULL;
    return at ? strtoull(at + strlen(key), NULL, 10) * 1024 : missing;
}

/* A file that holds one number, or "max". */
static uint64_t number_in(const char *path, uint64_t missing) {
    char text[64], *end;
    if (!read_small(path, text, sizeof text))
        return missing;
    uint64_t v = strtoull(text, &end, 10);
    return end == text ? missing : v;
}

/* This process's control group in the unified hierarchy; "" if it has none. */
static void control_group(char path[512]) {
    char text[4096];
    path[0] = '\0';
    if (!read_small("/proc/self/cgroup", text, sizeof text))
        return;
    const char *line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
    if (!line)
        return;
    line = strchr(line, '/');
    if (line)
        snprintf(path, 512, "/sys/fs/cgroup%.*s", (int)strcspn(line, "\n"), line);
}

/* Calls `visit` for the group and every group above it: each may set a bound. */
static void each_group(void (*visit)(const char *group, void *out), void *out) {
    char path[512];
    control_group(path);
    for (char *slash; strlen(path) >= strlen("/sys/fs/cgroup"); *slash = '\0') {
        visit(path, out);
        slash = strrchr(path, '/');
    }
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static void bound_memory(const char *group, void *out) {
    char path[600];
    uint64_t *available = out;
    snprintf(path, sizeof path, "%s/memory.max", group);
    uint64_t most = number_in(path, UINT64_MAX);
    snprintf(path, sizeof path, "%s/memory.current", group);
    uint64_t used = number_in(path, 0), left = most > used ? most - used : 0;
    if (most != UINT64_MAX && left < *available)
        *available = left;
}

uint64_t sz_memory_available(void) {
    uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t available = kilobytes_of("/proc/meminfo", "MemAvailable:", all / 2);
    each_group(bound_memory, &available);
    return available;
}

uint64_t sz_memory_peak(void) {
    return kilobytes_of("/proc/self/status", "VmHWM:", 0);
}

/* ---- Processors ------------------------------------------------------------------------------ */

static void bound_processors(const char *group, void *out) {
    char path[600], text[64];
    snprintf(path, sizeof path, "%s/cpu.max", group);
    unsigned long long quota, period;
    if (!read_small(path, text, sizeof text) || sscanf(text, "%llu %llu", &quota, &period) != 2)
        return; /* no file, or "max" */
    int *n = out, whole = period ? (int)((quota + period - 1) / period) : *n;
    if (whole >= 1 && whole < *n)
        *n = whole;
}

int sz_cpu_available(void) {
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                        : (int)sysconf(_SC_NPROCESSORS_ONLN);
    n = n < 1 ? 1 : n;
    each_group(bound_processors, &n);
    return n;
}

/* A fixed piece of work that no compiler can drop. */
static void spin(void *context, size_t task, int thread) {
    volatile uint64_t *sink = context;
    uint64_t x = task + 1;
    for (int i = 0; i < 60000; i++)
        x = x * 6364136223846793005u + 1442695040888963407u;
    sink[8 * (size_t)thread] = x;
}

/* Time of `rounds` rounds of one piece of work per thread. */
static uint64_t time_threads(sz_pool *pool, uint64_t *sink, int rounds) {
    uint64_t start = sz_time_ns();
    for (int i = 0; i < rounds; i++)
        sz_pool_run(pool, spin, sink, (size_t)sz_pool_threads(pool));
    return sz_time_ns() - start;
}

/* Whether n threads do n pieces in clearly less time than one thread would need: it is not so where
 * other processes hold the processors. */
static bool worth_using(int n, uint64_t alone) {
    sz_pool *pool = NULL;
    uint64_t *sink = sz_calloc((size_t)n, 64);
    bool worth = false;
    if (sink && sz_pool_new(n, &pool) == SZ_OK) {
        time_threads(pool, sink, 1); /* the threads start */
        worth = (double)time_threads(pool, sink, 6) < 0.75 * n * (double)alone;
    }
    sz_pool_free(pool);
    sz_free(sink);
    return worth;
}

int sz_cpu_measure(void) {
    int n = sz_cpu_available();
    sz_pool *one = NULL;
    uint64_t sink[8];
    if (n == 1 || sz_pool_new(1, &one) != SZ_OK)
        return 1;
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 3; i++) {
        uint64_t t = 3 * time_threads(one, sink, 2);
        best = t < best ? t : best;
    }
    sz_pool_free(one);
    while (n > 1 && !worth_using(n, best))
        n = n > 8 ? n * 3 / 4 : n - 1;
    return n;
}
