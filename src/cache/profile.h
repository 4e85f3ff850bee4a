/* profile.h: the inside of a profile. */
#ifndef SZ_CACHE_PROFILE_H
#define SZ_CACHE_PROFILE_H

#include <szilard/unstable/cache.h>

struct sz_kv_profile {
    sz_kv_profile_info info; /* rank and deviation point to the arrays */
    double *rank, *deviation;
};

/* With room for the ranks of info's heads. */
sz_status sz_kv_profile_new(const sz_kv_profile_info *info, sz_kv_profile **out);

#endif
