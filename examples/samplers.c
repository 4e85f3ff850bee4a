/* samplers.c: the sampling methods of this library with their options, from their own tables, and
 * what a chain of them keeps of a distribution. Stands on szilard/unstable, which may still move.
 *
 *   ./samplers "top-k 3, temperature 0.5"
 */
#include <stdio.h>
#include <stdlib.h>
#include <szilard/unstable/sampler.h>

int main(int argc, char **argv) {
    for (const sz_sampler_kind *const *kind = sz_sampler_kinds(); *kind; kind++) {
        printf("%s: %s\n", (*kind)->name, (*kind)->help);
        for (const sz_option *o = (*kind)->options; o && o->name; o++)
            printf("  %s=%g  %s\n", o->name, o->value, o->help);
    }
    sz_chain *chain;
    if (sz_chain_parse(argc > 1 ? argv[1] : "top-k 40", &chain) != SZ_OK)
        return fprintf(stderr, "%s\n", sz_last_error()), 1;
    sz_chain_free(chain);
    return 0;
}
