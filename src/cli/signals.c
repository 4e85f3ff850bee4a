/* signals.c: one handler for SIGINT and SIGTERM; does only what is safe in a signal. */
#include "signals.h"
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static volatile sig_atomic_t interrupted; /* the signal's number */
static _Atomic(sz_runtime *) runtime;

static void on_signal(int number) {
    if (interrupted) { /* asked twice: the work does not stop by itself */
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    interrupted = number;
    sz_runtime *rt = atomic_load_explicit(&runtime, memory_order_acquire);
    if (rt)
        sz_runtime_cancel(rt);
}

void sz_catch_interrupts(sz_runtime *rt) {
    atomic_store_explicit(&runtime, rt, memory_order_release);
    /* SA_RESTART: a write to a slow terminal is not lost. What waits for input polls, which returns
     * in any case. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool sz_interrupted(void) {
    return interrupted != 0;
}

bool sz_asked_to_end(void) {
    return interrupted == SIGTERM;
}

void sz_clear_interrupt(void) {
    interrupted = 0;
    sz_runtime *rt = atomic_load_explicit(&runtime, memory_order_acquire);
    if (rt)
        sz_runtime_resume(rt);
}

void sz_catch_broken_pipe(void) {
    signal(SIGPIPE, SIG_IGN);
}
