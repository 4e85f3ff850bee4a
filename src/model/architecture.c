/* architecture.c: the table of architectures. A new one is a file and a line here
 * (docs/adding-an-architecture.md). */
#include <string.h>

#include "model.h"

extern const sz_architecture sz_arch_gemma3, sz_arch_llama, sz_arch_qwen2, sz_arch_qwen3;

static const sz_architecture *const table[] = {
    &sz_arch_gemma3,
    &sz_arch_llama,
    &sz_arch_qwen2,
    &sz_arch_qwen3,
};

const sz_architecture *sz_architecture_find(const char *name) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    return NULL;
}

const char *sz_architecture_names(void) {
    return "gemma3, llama, qwen2, qwen3";
}
