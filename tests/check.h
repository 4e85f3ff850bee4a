/* check.h: what all tests share: cmocka, and comparisons whose tolerance has a name. */
#ifndef SZ_TESTS_CHECK_H
#define SZ_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <szilard/unstable/base.h>

#define SZ_CHECK_OK(call)                                                                          \
    do {                                                                                           \
        sz_status check_status_ = (call);                                                          \
        if (check_status_ != SZ_OK)                                                                \
            fail_msg("%s: %s: %s", #call, sz_status_name(check_status_), sz_last_error());         \
    } while (0)

#define SZ_CHECK_WITHIN(kind, got, want, allowed)                                                  \
    do {                                                                                           \
        double check_got_ = (got), check_want_ = (want), check_allowed_ = (allowed);               \
        double check_off_ = check_got_ - check_want_;                                              \
        if (!((check_off_ < 0 ? -check_off_ : check_off_) <= check_allowed_))                      \
            fail_msg("%s is %.9g, not %.9g within %s %.3g", #got, check_got_, check_want_, kind,   \
                     check_allowed_);                                                              \
    } while (0)
/* |got - want| <= abs */
#define SZ_CHECK_ABS(got, want, abs) SZ_CHECK_WITHIN("absolute", got, want, abs)
/* |got - want| <= rel * |want| */
#define SZ_CHECK_REL(got, want, rel)                                                               \
    SZ_CHECK_WITHIN("relative", got, want, (rel) * ((want) < 0 ? -(want) : (want)))

#endif
