/* record.h: the record of a token, scored or drawn, as one line of JSON. */
#ifndef SZ_CLI_RECORD_H
#define SZ_CLI_RECORD_H

#include <szilard/unstable/model.h>
#include <szilard/unstable/sampler.h>

/* The distribution that a token was drawn from. */
typedef struct sz_distribution {
    const float *logits; /* [n_vocab]; NULL: there is none, as before the first token */
    const sz_logit_stats *stats;
    const int32_t *top; /* [n_top], likeliest first */
    size_t n_top;
} sz_distribution;

/* {"pos":..,"id":..,"piece":..,"surprisal_nats":..,...} and a newline, with "bytes" where the piece
 * is not UTF-8. id -1: the line about what comes after the last token, with "next":true. */
void sz_record_put(sz_buf *b, const sz_tokenizer *t, size_t pos, int32_t id,
                   const sz_distribution *d);
/* The same of a token that was drawn, with what the samplers kept and drew from. writer: the model
 * that wrote it, where there are two; else NULL. chain: with what each sampler did, or NULL. */
void sz_record_put_drawn(sz_buf *b, const sz_tokenizer *t, size_t pos, const sz_token *drawn,
                         const char *writer, const sz_chain *chain);
/* ,"surprisal_nats":.. and the other figures of a drawn token. */
void sz_record_put_figures(sz_buf *b, const sz_token *drawn);
/* ,"id":..,"piece":.. and where the piece is not UTF-8 "bytes"; id -1: nulls. */
void sz_record_put_token(sz_buf *b, const sz_tokenizer *t, int32_t id);
/* The piece as a JSON string; null if the id has none. */
void sz_piece_put(sz_buf *b, const sz_tokenizer *t, int32_t id);
/* `before` and the bytes as a JSON array of numbers where they are not UTF-8; else nothing. Returns
 * whether something was put. */
bool sz_bytes_put_unless_utf8(sz_buf *b, const char *before, const char *s, size_t n);

#endif
