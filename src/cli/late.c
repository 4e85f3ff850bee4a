/* late.c: see late.h. */
#include "late.h"
#include <dlfcn.h>
#include <string.h>

sz_status sz_late_open(const char *library, const char *const *names, size_t n, void *functions) {
    void *none = NULL, *found;
    char *at = functions;
    if (memcmp(at, &none, sizeof none) != 0)
        return SZ_OK;
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    SZ_REQUIRE(handle, SZ_E_UNSUPPORTED, "this needs a library that is not installed: %s",
               dlerror());
    for (size_t i = n; i-- > 0;) { /* the first one last: then all are there */
        found = dlsym(handle, names[i]);
        SZ_REQUIRE(found, SZ_E_UNSUPPORTED, "%s has no %s: it is too old", library, names[i]);
        memcpy(at + i * sizeof found, &found, sizeof found);
    }
    return SZ_OK;
}
