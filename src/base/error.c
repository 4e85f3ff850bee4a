/* error.c: the calling thread's latest error, and names of statuses. */
#include <stdio.h>
#include <string.h>

#include <szilard/unstable/base.h>

static _Thread_local char message[1024];

const char *sz_last_error(void) {
    return message;
}

void sz_set_error(const char *text) {
    snprintf(message, sizeof message, "%s", text);
}

sz_status sz_fail(sz_status status, const char *format, ...) {
    va_list args;
    char text[sizeof message]; /* an argument may be the old message */
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    memcpy(message, text, sizeof text);
    return status;
}

sz_status sz_fail_within(sz_status status, const char *format, ...) {
    va_list args;
    char prefix[256], text[sizeof prefix + sizeof message + 2];
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    snprintf(text, sizeof text, "%s: %s", prefix, message);
    memcpy(message, text, sizeof message - 1); /* whose last byte stays the NUL */
    return status;
}

const char *sz_status_name(sz_status status) {
    switch (status) {
    case SZ_OK:
        return "ok";
    case SZ_END:
        return "end";
    case SZ_E_ARG:
        return "bad argument";
    case SZ_E_STATE:
        return "wrong state";
    case SZ_E_NOMEM:
        return "out of memory";
    case SZ_E_LIMIT:
        return "limit reached";
    case SZ_E_CANCELLED:
        return "cancelled";
    case SZ_E_FORMAT:
        return "bad format";
    case SZ_E_UNSUPPORTED:
        return "unsupported";
    case SZ_E_NAN:
        return "not a finite number";
    case SZ_E_IO:
        return "input or output failed";
    case SZ_E_NOTFOUND:
        return "not found";
    case SZ_E_NETWORK:
        return "network failed";
    }
    return "unknown status";
}

#define TEXT(x)          #x
#define VERSION(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)
const char *sz_version(void) {
    return VERSION(SZ_VERSION_MAJOR, SZ_VERSION_MINOR, SZ_VERSION_PATCH);
}
