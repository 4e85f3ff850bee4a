/* calibrate.h: a method's parameters from a text. */
#ifndef SZ_CLI_CALIBRATE_H
#define SZ_CLI_CALIBRATE_H

#include "engine.h"
#include "routing.h"

typedef struct sz_calibration {
    sz_engine_options engine;
    sz_routing routing;
    double fraction;
    size_t most; /* tokens of the text, at most */
    uint32_t length;
    bool json;
    int method;       /* -1: not given yet */
    const char *file; /* the text; NULL: standard input */
    const char *out;  /* NULL: none given */
} sz_calibration;

/* Exit statuses. */
int sz_calibrate_ead(sz_calibration *s);
int sz_calibrate_kv(sz_calibration *s);

/* The ids of the text, `most` of them at most. */
sz_status sz_calibration_read(const sz_calibration *s, const sz_engine *e, int32_t **ids,
                              size_t *n);

#endif
