/* answer.h: the text of one choice as its tokens come: what of it is certain (whole characters, no
 * beginning of a stop string), where a stop string ends it, and its account. */
#ifndef SZ_SERVE_ANSWER_H
#define SZ_SERVE_ANSWER_H

#include <szilard/unstable/model.h>

enum { SZ_ANSWER_STOPS = 16, SZ_ANSWER_WINDOW = 16, SZ_ANSWER_TOP = 64 };

typedef enum sz_finish {
    SZ_FINISH_NONE, /* it still grows */
    SZ_FINISH_END,  /* the model ended it */
    SZ_FINISH_STOP, /* a stop string did */
    SZ_FINISH_LENGTH,
    SZ_FINISH_CANCELLED,
    SZ_FINISH_FAILED
} sz_finish;

/* A token of the text, in the order of the text. */
typedef struct sz_written {
    sz_token record;
    size_t begin, end; /* its bytes */
    float window;      /* mean entropy of the latest tokens that were drawn, nats; NaN: none */
} sz_written;

/* One of the likeliest tokens at a place. */
typedef struct sz_likely {
    int32_t id;
    float log_probability; /* under the model's own distribution */
} sz_likely;

typedef struct sz_sums { /* of the tokens that were drawn, the end token included */
    size_t n;
    double surprisal, entropy, varentropy, kept_mass, draw_surprisal, max_entropy;
} sz_sums;

typedef struct sz_answer {
    const sz_tokenizer *tokenizer;
    char *const *stops; /* borrowed */
    size_t n_stops;
    uint32_t n_top;
    sz_buf text;
    sz_written *tokens;
    size_t n_tokens, cap_tokens;
    sz_likely *likely; /* [n_tokens][n_top]; id -1: there are no more */
    bool foreseen;     /* the row of the next token is there, too */
    size_t n_certain;  /* bytes of the text that nothing can change any more */
    size_t n_told, n_told_tokens;
    sz_sums sums;
    bool stopped; /* a stop string: the text ends at n_certain */
} sz_answer;

void sz_answer_begin(sz_answer *a, const sz_tokenizer *t, char *const *stops, size_t n_stops,
                     uint32_t n_top);
void sz_answer_free(sz_answer *a);
/* Notes the likeliest tokens of the distribution that the next token comes from, if any are to be
 * told. */
sz_status sz_answer_foresee(sz_answer *a, const float *logits, size_t n_vocab, double log_sum_exp);
/* Adds a token. *stopped: a stop string is complete; they end no text that was given. */
sz_status sz_answer_add(sz_answer *a, const sz_token *t, bool *stopped);
/* Begins with what another answer holds: `to` must be empty. */
sz_status sz_answer_copy(const sz_answer *from, sz_answer *to);
/* An end token: counts, but is no text. */
void sz_answer_count(sz_answer *a, const sz_token *t);
/* Nothing more comes: all that is there is certain. */
void sz_answer_close(sz_answer *a);
/* What is certain and was not told yet, now told: bytes [*from, n_told) and tokens
 * [*first, n_told_tokens). False: nothing. */
bool sz_answer_tell(sz_answer *a, size_t *from, size_t *first);

#endif
