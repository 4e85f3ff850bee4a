/* scorer.h: a program of the user's that scores texts. */
#ifndef SZ_CLI_SCORER_H
#define SZ_CLI_SCORER_H

#include <szilard/unstable/steer.h>

typedef struct sz_scorer {
    const char *command; /* for sh -c */
    uint64_t timeout_ns; /* of one call */
    size_t n_calls, n_texts;
} sz_scorer;

/* Runs the command: it reads a text per line, in which line feeds, carriage returns and backslashes
 * are written \n, \r and \\, and writes a score per line, a logarithm in nats; "-inf" refuses a
 * text. Errors name the line. For sz_steering.score, with the scorer as user. */
sz_status sz_scorer_score(void *scorer, const sz_steer_text *texts, size_t n, double *log_scores);

#endif
