/* info_cpu.c: `szilard info --cpu`: the machine, and what the engine makes of it. */
#include "info.h"
#include "machine.h"
#include "num/kernels/kernels.h"
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/num.h>
#include <unistd.h>

enum { MAX_CACHES = 8 };

/* A cache that the first processor reads data through. */
typedef struct cache {
    int level;
    uint64_t bytes;
} cache;

typedef struct machine {
    char name[128];
    long online;   /* processors of the machine */
    int available; /* to this process */
    int threads;   /* by measurement */
    cache caches[MAX_CACHES];
    int n_caches;
    uint64_t memory, free;
    const char *asked; /* SZILARD_ISA; NULL: not set */
    const sz_kernels *kernels;
} machine;

/* The first line of a file of the kernel about a cache; false if there is none. */
static bool read_line(int index, const char *what, char line[64]) {
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index, what);
    FILE *f = fopen(path, "re");
    bool read = f && fgets(line, 64, f);
    if (f)
        fclose(f);
    return read;
}

static void look_at_caches(machine *m) {
    char type[64], level[64], size[64], *end;
    for (int i = 0; i < MAX_CACHES && read_line(i, "type", type); i++) {
        if (type[0] == 'I' || !read_line(i, "level", level) || !read_line(i, "size", size))
            continue;
        uint64_t bytes = strtoull(size, &end, 10);
        bytes *= *end == 'K' ? 1 << 10 : *end == 'M' ? 1 << 20 : 1;
        m->caches[m->n_caches++] = (cache){atoi(level), bytes};
    }
}

static sz_status look(machine *m) {
    const char *asked = getenv("SZILARD_ISA");
    m->asked = asked && asked[0] ? asked : NULL;
    SZ_TRY(sz_kernels_get(NULL, &m->kernels));
    sz_machine_cpu_name(m->name, sizeof m->name);
    m->online = sysconf(_SC_NPROCESSORS_ONLN);
    m->available = sz_cpu_available();
    m->threads = sz_cpu_measure();
    look_at_caches(m);
    m->memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    m->free = sz_memory_available();
    return SZ_OK;
}

/* ---- Slots ----------------------------------------------------------------------------------- */

enum { N_TYPES = sizeof((sz_kernels *)0)->product / sizeof((sz_kernels *)0)->product[0] };

/* How products with weights of a type are computed; NULL: there are none. */
static const char *way_of(const sz_kernels *k, int type) {
    const sz_type_info *info = sz_type_get((sz_type)type);
    if (!info->name || !info->dequantize)
        return NULL;
    if (k->product[type])
        return "int8";
    return type == SZ_F32 || type == SZ_F16 || type == SZ_BF16 ? "float" : NULL;
}

static void put_types(sz_buf *b, const sz_kernels *k, const char *way) {
    for (int type = 0; type < N_TYPES; type++) {
        const char *is = way_of(k, type);
        if (is && strcmp(is, way) == 0)
            sz_buf_printf(b, "%s ", sz_type_get((sz_type)type)->name);
    }
}

/* ---- Output ---------------------------------------------------------------------------------- */

/* "level 1: 32 KiB, level 2: 1 MiB": caches are sized in powers of two. */
static void put_caches(sz_buf *b, const machine *m) {
    for (int i = 0; i < m->n_caches; i++) {
        uint64_t kib = m->caches[i].bytes >> 10;
        bool mib = kib >= 1024 && kib % 1024 == 0;
        sz_buf_printf(b, "%slevel %d: %llu %s", i ? ", " : "", m->caches[i].level,
                      (unsigned long long)(mib ? kib >> 10 : kib), mib ? "MiB" : "KiB");
    }
}

/* "avx512, avx2, portable" */
static void put_available(sz_buf *b, const char *quote, const char *separator) {
    const char *const *all = sz_isa_available();
    for (const char *const *isa = all; *isa; isa++)
        sz_buf_printf(b, "%s%s%s%s", isa == all ? "" : separator, quote, *isa, quote);
}

static void put_text(const machine *m, sz_buf *b) {
    sz_buf names = {0}, integers = {0}, floats = {0}, caches = {0};
    char memory[16], free[16];
    put_available(&names, "", ", ");
    put_caches(&caches, m);
    put_types(&integers, m->kernels, "int8");
    put_types(&floats, m->kernels, "float");
    sz_format_bytes(m->memory, memory);
    sz_format_bytes(m->free, free);
    sz_info_line(b, "processor", "%s", m->name);
    sz_info_line(b, "processors", "%ld, this process may use %d", m->online, m->available);
    sz_info_line(b, "threads", "%d, by measurement now; -t sets another number", m->threads);
    sz_info_line(b, "data caches", "%s", caches.data ? caches.data : "unknown");
    sz_info_line(b, "memory", "%s, %s can be taken", memory, free);
    sz_info_line(b, "kernels", "%s, %s of %s", m->kernels->isa,
                 m->asked ? "which SZILARD_ISA asks for, out" : "the best", names.data);
    sz_info_line(b, "int8 products", "%s", integers.data ? integers.data : "none");
    sz_info_line(b, "float products", "%s", floats.data ? floats.data : "none");
    sz_buf_free(&names);
    sz_buf_free(&caches);
    sz_buf_free(&integers);
    sz_buf_free(&floats);
}

static void put_json(const machine *m, sz_buf *b) {
    const char *separator = "";
    sz_buf_puts(b, "{\"processor\":");
    sz_json_quote(b, m->name, strlen(m->name));
    sz_buf_printf(b, ",\"processors\":%ld,\"available\":%d,\"threads\":%d,\"caches\":[", m->online,
                  m->available, m->threads);
    for (int i = 0; i < m->n_caches; i++)
        sz_buf_printf(b, "%s{\"level\":%d,\"bytes\":%llu}", i ? "," : "", m->caches[i].level,
                      (unsigned long long)m->caches[i].bytes);
    sz_buf_printf(b, "],\"memory_bytes\":%llu,\"memory_available_bytes\":%llu,",
                  (unsigned long long)m->memory, (unsigned long long)m->free);
    sz_buf_puts(b, "\"isa_available\":[");
    put_available(b, "\"", ",");
    sz_buf_printf(b, "],\"isa\":\"%s\",\"isa_asked\":", m->kernels->isa);
    if (m->asked)
        sz_json_quote(b, m->asked, strlen(m->asked));
    else
        sz_buf_puts(b, "null");
    sz_buf_puts(b, ",\"products\":{");
    for (int type = 0; type < N_TYPES; type++) {
        const char *way = way_of(m->kernels, type);
        if (!way)
            continue;
        sz_buf_printf(b, "%s\"%s\":{\"isa\":\"%s\",\"arithmetic\":\"%s\"}", separator,
                      sz_type_get((sz_type)type)->name, m->kernels->isa, way);
        separator = ",";
    }
    sz_buf_puts(b, "}}\n");
}

sz_status sz_info_cpu(const sz_info_options *o, sz_buf *b) {
    machine m = {0};
    SZ_TRY(look(&m));
    (o->json ? put_json : put_text)(&m, b);
    return SZ_OK;
}
