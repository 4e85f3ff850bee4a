/* options.c: reading option values; messages; small output helpers. */
#include "cli.h"
#include "signals.h"
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

const char *const sz_unit_choices[] = {"nat", "bit", "hartley", NULL};

static char program_name[64] = "szilard";
static bool reader_gone; /* of stdout */

void sz_cli_set_name(const char *name) {
    snprintf(program_name, sizeof program_name, "%s", name);
}

void sz_cli_parse(const struct argp *argp, int argc, char **argv, void *input) {
    error_t error = argp_parse(argp, argc, argv, 0, NULL, input);
    if (error) { /* only a failed allocation comes back; argp itself ends the program otherwise */
        sz_cli_note("%s", strerror(error));
        exit(SZ_EXIT_FAILURE);
    }
}

int64_t sz_cli_int(const struct argp_state *state, const char *option, const char *text,
                   int64_t min, int64_t max) {
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 0);
    if (errno || end == text || *end || v < min || v > max)
        argp_error(state, "%s takes a whole number from %lld to %lld, not '%s'", option,
                   (long long)min, (long long)max, text);
    return v;
}

double sz_cli_real(const struct argp_state *state, const char *option, const char *text, double min,
                   double max) {
    char *end;
    errno = 0;
    double v = strtod(text, &end);
    if (errno || end == text || *end || !(v >= min && v <= max))
        argp_error(state, "%s takes a number from %g to %g, not '%s'", option, min, max, text);
    return v;
}

int sz_cli_choice(const struct argp_state *state, const char *option, const char *text,
                  const char *const *choices) {
    char all[160] = "";
    for (int i = 0; choices[i]; i++) {
        if (strcmp(text, choices[i]) == 0)
            return i;
        size_t n = strlen(all);
        snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", choices[i]);
    }
    argp_error(state, "%s takes one of %s, not '%s'", option, all, text);
    return 0;
}

int sz_cli_error(void) {
    if (sz_interrupted())
        return SZ_EXIT_INTERRUPTED;
    if (reader_gone)
        return SZ_EXIT_FAILURE;
    const char *why = sz_last_error();
    return sz_cli_fail("%s", why[0] ? why : "failed for an unknown reason");
}

static void message(const char *format, va_list args) {
    fflush(stdout);
    fprintf(stderr, "%s: ", program_name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

int sz_cli_fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    message(format, args);
    va_end(args);
    return SZ_EXIT_FAILURE;
}

void sz_cli_note(const char *format, ...) {
    va_list args;
    va_start(args, format);
    message(format, args);
    va_end(args);
}

sz_status sz_cli_flush(sz_buf *b) {
    SZ_REQUIRE(!b->failed, SZ_E_NOMEM, "out of memory for the output");
    size_t written = b->len ? fwrite(b->data, 1, b->len, stdout) : 0;
    if (written != b->len || fflush(stdout) != 0) {
        reader_gone = errno == EPIPE;
        return sz_fail(SZ_E_IO, "cannot write the output: %s", strerror(errno));
    }
    sz_buf_clear(b);
    return SZ_OK;
}

int sz_cli_print(sz_buf *b) {
    int status = sz_cli_flush(b) == SZ_OK ? SZ_EXIT_OK : sz_cli_error();
    sz_buf_free(b);
    return status;
}

void sz_format_bytes(uint64_t bytes, char out[16]) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double v = (double)bytes;
    int unit = 0;
    while (v >= 999.5 && unit < 4)
        v /= 1000, unit++;
    if (unit == 0)
        snprintf(out, 16, "%d B", (int)bytes);
    else
        snprintf(out, 16, "%.*f %s", v < 9.95 ? 2 : v < 99.95 ? 1 : 0, v, units[unit]);
}

#define MAX_INPUT_BYTES ((size_t)1 << 30)

sz_status sz_cli_read(const char *path, sz_buf *b) {
    struct sigaction before, plain = {.sa_handler = SIG_DFL};
    sigaction(SIGINT, &plain, &before); /* nothing is under way that would have to be tidied */
    sz_status status = sz_file_read(path ? path : "-", MAX_INPUT_BYTES, b);
    sigaction(SIGINT, &before, NULL);
    return status;
}
