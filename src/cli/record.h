/* record.h: the token record as a line of JSON. */
#ifndef SZ_CLI_RECORD_H
#define SZ_CLI_RECORD_H

#include <szilard/unstable/model.h>

/* {"pos":..,"id":..,"piece":..,"surprisal_nats":.., ...} and a newline. pos: its place in the
 * sequence. */
void sz_record_json(sz_buf *b, const sz_model *model, size_t pos, const sz_token *t);

#endif
