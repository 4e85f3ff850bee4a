/* drawn_record.h: the record of a drawn token as a line of JSON. */
#ifndef SZ_CLI_DRAWN_RECORD_H
#define SZ_CLI_DRAWN_RECORD_H

#include <szilard/unstable/model.h>

/* {"pos":..,"id":..,"piece":..,"surprisal_nats":.., ...} and a newline. pos: its place in the
 * sequence. */
void sz_drawn_record_put(sz_buf *b, const sz_model *model, size_t pos, const sz_token *t);

#endif
