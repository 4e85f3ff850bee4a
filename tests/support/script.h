/* script.h: a sampler that draws what a test wrote down. */
#ifndef SZ_TESTS_SCRIPT_H
#define SZ_TESTS_SCRIPT_H

#include <szilard/unstable/sampler.h>

/* From now on the sequence draws ids[0], ids[1], ... (borrowed), then fails with SZ_E_STATE. */
sz_status script_set(sz_session *s, uint32_t seq, const int32_t *ids, size_t n);

#endif
