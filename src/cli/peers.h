/* peers.h: what other programs make of the same bytes, where they are installed. */
#ifndef SZ_CLI_PEERS_H
#define SZ_CLI_PEERS_H

#include <stddef.h>
#include <stdint.h>

typedef struct sz_peer {
    const char *name; /* "gzip -9" */
    const char *argv[5];
} sz_peer;
extern const sz_peer sz_peers[]; /* ends with name NULL */

/* Bytes that the program writes for data [n]; 0: it is not here, or failed. */
uint64_t sz_peer_size(const sz_peer *peer, const void *data, size_t n);

#endif
