/* answer.h: a model that answers: session, messages, and the loop that draws one answer. */
#ifndef SZ_CLI_ANSWER_H
#define SZ_CLI_ANSWER_H

#include "account.h"
#include "dialogue.h"

typedef struct sz_talk {
    sz_generation *options; /* borrowed; may be changed between answers */
    sz_engine engine;
    sz_voice voice;
    sz_dialogue dialogue;
    bool drop_oldest; /* when the context is full; else stop */
    char chain[SZ_CHAIN_MAX];
    uint64_t seed;
} sz_talk;

/* Opens what writes. drop_oldest is what --overflow default means here. Close in any case. */
sz_status sz_talk_open(sz_generation *options, bool drop_oldest, sz_talk *out);
void sz_talk_close(sz_talk *t);
/* Takes over changed sampling options, and a new seed if none is given. */
sz_status sz_talk_set_sampling(sz_talk *t);
/* Takes over a changed --think. */
void sz_talk_set_think(sz_talk *t);

/* Answers the messages so far: prints the answer to stdout and adds it to the messages. With --json
 * it prints records and account. Ctrl-C is no failure: the answer ends where it is, as
 * account->finish says. Free the account in any case. */
sz_status sz_talk_answer(sz_talk *t, sz_account *account);
/* Makes the messages with this question of the user the prompt that the session holds, and sets the
 * sampler to its start: for whoever makes the answers otherwise. */
sz_status sz_talk_prompt(sz_talk *t, const sz_buf *question);
/* What belongs to the figures of an account. */
sz_account_setting sz_talk_setting(const sz_talk *t);

#endif
