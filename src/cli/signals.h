/* signals.h: Ctrl-C asks the work to stop at the next boundary; a second one ends the program. */
#ifndef SZ_CLI_SIGNALS_H
#define SZ_CLI_SIGNALS_H

#include <stdbool.h>
#include <szilard.h>

/* From now on SIGINT and SIGTERM set the flag and cancel `rt` (which may be NULL). */
void sz_catch_interrupts(sz_runtime *rt);
bool sz_interrupted(void);
/* Whether it was SIGTERM, which ends even what Ctrl-C does not. */
bool sz_asked_to_end(void);
/* Withdraws the request, for a conversation that goes on. */
void sz_clear_interrupt(void);
/* From now on output that nobody reads any more is a failed write and not the program's end, so
 * that files under way are removed. */
void sz_catch_broken_pipe(void);

#endif
