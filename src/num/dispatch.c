/* dispatch.c: which kernels this processor runs. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/num.h>

#include "kernels/kernels.h"

extern const sz_kernels sz_kernels_portable;
#if defined(__x86_64__) && !defined(SZ_PORTABLE)
#include <cpuid.h>

extern const sz_kernels sz_kernels_avx2, sz_kernels_avxvnni, sz_kernels_avx512;

/* Bits of CPUID that the compilers' __builtin_cpu_supports does not name everywhere. */
static bool has_f16c(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & 1u << 29);
}
static bool names_avxvnni(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1u << 4);
}

/* What cmake/SzKernels.cmake lets the compiler use in each file; the system's consent included. */
static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi2") && has_f16c();
}
static bool has_avxvnni(void) {
    return has_avx2() && names_avxvnni();
}
static bool has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni");
}
#elif defined(__aarch64__) && !defined(SZ_PORTABLE)
extern const sz_kernels sz_kernels_neon;
#endif

static bool always(void) {
    return true;
}

/* Best first. */
static const struct {
    const sz_kernels *kernels;
    bool (*supported)(void);
} table[] = {
#if defined(__x86_64__) && !defined(SZ_PORTABLE)
    {&sz_kernels_avx512, has_avx512},
    {&sz_kernels_avxvnni, has_avxvnni},
    {&sz_kernels_avx2, has_avx2},
#elif defined(__aarch64__) && !defined(SZ_PORTABLE)
    {&sz_kernels_neon, always},
#endif
    {&sz_kernels_portable, always},
};
enum { N_TABLE = sizeof table / sizeof *table };

/* Asked once: a virtual machine may take microseconds for each question. Threads that ask at once
 * get the same answer. */
static bool supported(size_t i) {
    enum { UNKNOWN, NO, YES };
    static _Atomic unsigned char known[N_TABLE];
    unsigned char answer = atomic_load_explicit(&known[i], memory_order_relaxed);
    if (answer == UNKNOWN) {
        answer = table[i].supported() ? YES : NO;
        atomic_store_explicit(&known[i], answer, memory_order_relaxed);
    }
    return answer == YES;
}

const char *const *sz_isa_available(void) {
    static _Thread_local const char *names[N_TABLE + 1];
    size_t n = 0;
    for (size_t i = 0; i < N_TABLE; i++)
        if (supported(i))
            names[n++] = table[i].kernels->isa;
    names[n] = NULL;
    return names;
}

/* The names of sz_isa_available with commas. */
static void list_available(char *text, size_t size) {
    text[0] = '\0';
    for (const char *const *name = sz_isa_available(); *name; name++) {
        if (text[0])
            strncat(text, ", ", size - strlen(text) - 1);
        strncat(text, *name, size - strlen(text) - 1);
    }
}

sz_status sz_kernels_get(const char *isa, const sz_kernels **out) {
    if (!isa || !*isa)
        isa = getenv("SZILARD_ISA");
    for (size_t i = 0; i < N_TABLE; i++) {
        bool asked = !isa || !*isa || strcmp(isa, table[i].kernels->isa) == 0;
        if (asked && supported(i)) {
            *out = table[i].kernels;
            return SZ_OK;
        }
    }
    char choices[128];
    list_available(choices, sizeof choices);
    return sz_fail(SZ_E_UNSUPPORTED, "instruction set '%s': this build and processor have %s", isa,
                   choices);
}
