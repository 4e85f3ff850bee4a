/* top.c: the k likeliest tokens without sorting the vocabulary. */
#include <szilard/unstable/info.h>

/* Whether token a stands behind token b. */
static bool behind(const float *logits, int32_t a, int32_t b) {
    return logits[a] < logits[b] || (logits[a] == logits[b] && a > b);
}

/* Restores the heap below `at`: a parent stands behind its children, the root behind all. */
static void sink(const float *logits, int32_t *heap, size_t n, size_t at) {
    int32_t id = heap[at];
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && behind(logits, heap[child + 1], heap[child]))
            child++;
        if (!behind(logits, heap[child], id))
            break;
        heap[at] = heap[child];
    }
    heap[at] = id;
}

size_t sz_logits_top(const float *logits, size_t n, size_t k, int32_t *ids) {
    k = k < n ? k : n;
    if (k == 0)
        return 0;
    for (size_t i = 0; i < k; i++)
        ids[i] = (int32_t)i;
    for (size_t i = k / 2; i-- > 0;)
        sink(logits, ids, k, i);
    for (size_t i = k; i < n; i++) {
        if (logits[i] > logits[ids[0]]) { /* an equal one has a higher id and stays behind */
            ids[0] = (int32_t)i;
            sink(logits, ids, k, 0);
        }
    }
    for (size_t left = k - 1; left > 0; left--) { /* the last of those left goes to the end */
        int32_t last = ids[0];
        ids[0] = ids[left];
        ids[left] = last;
        sink(logits, ids, left, 0);
    }
    return k;
}
