/* dispatch.c: which kernels this processor runs. */
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/num.h>

#include "kernels/kernels.h"

extern const sz_kernels sz_kernels_portable;
#if defined(__x86_64__) && !defined(SZ_PORTABLE)
extern const sz_kernels sz_kernels_avx2, sz_kernels_avx512;
static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi2");
}
static bool has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni");
}
#elif defined(__aarch64__) && !defined(SZ_PORTABLE)
extern const sz_kernels sz_kernels_neon;
#endif

static bool always(void) { return true; }

/* Best first. */
static const struct {
    const sz_kernels *kernels;
    bool (*supported)(void);
} table[] = {
#if defined(__x86_64__) && !defined(SZ_PORTABLE)
    {&sz_kernels_avx512, has_avx512},
    {&sz_kernels_avx2, has_avx2},
#elif defined(__aarch64__) && !defined(SZ_PORTABLE)
    {&sz_kernels_neon, always},
#endif
    {&sz_kernels_portable, always},
};
enum { N_TABLE = sizeof table / sizeof *table };

const char *const *sz_isa_available(void) {
    static _Thread_local const char *names[N_TABLE + 1];
    size_t n = 0;
    for (size_t i = 0; i < N_TABLE; i++)
        if (table[i].supported())
            names[n++] = table[i].kernels->isa;
    names[n] = NULL;
    return names;
}

sz_status sz_kernels_get(const char *isa, const sz_kernels **out) {
    if (!isa || !*isa)
        isa = getenv("SZILARD_ISA");
    for (size_t i = 0; i < N_TABLE; i++) {
        bool asked = !isa || !*isa || strcmp(isa, table[i].kernels->isa) == 0;
        if (asked && table[i].supported()) {
            *out = table[i].kernels;
            return SZ_OK;
        }
    }
    return sz_fail(SZ_E_UNSUPPORTED,
                   "instruction set '%s' is not one that this build and processor have", isa);
}
