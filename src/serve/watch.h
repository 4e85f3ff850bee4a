/* watch.h: looks after connections where the HTTP library does not: it sees neither that the client
 * of a sleeping connection is gone, nor how long a request trickles in. One thread of its own. */
#ifndef SZ_SERVE_WATCH_H
#define SZ_SERVE_WATCH_H

#include "job.h"

typedef struct sz_watch sz_watch;
typedef struct sz_watched sz_watched;

/* arrival_ns: what a connection has to bring a whole request, from its start or from the end of the
 * request before. */
sz_status sz_watch_start(uint64_t arrival_ns, sz_watch **out);
void sz_watch_stop(sz_watch *w); /* after all connections were removed */

sz_watched *sz_watch_add(sz_watch *w, int socket); /* NULL: no memory */
void sz_watch_remove(sz_watch *w, sz_watched *c);
/* The request is there. With a job: if the client goes, the job is cancelled. */
void sz_watch_arrived(sz_watch *w, sz_watched *c, sz_job *j);
/* The request was answered: another may come. */
void sz_watch_answered(sz_watch *w, sz_watched *c);

#endif
