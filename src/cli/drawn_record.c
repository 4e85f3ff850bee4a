/* drawn_record.c: the record of a drawn token as a line of JSON. */
#include "drawn_record.h"

static void put(sz_buf *b, const char *key, float v) {
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_number(b, (double)v);
}

void sz_drawn_record_put(sz_buf *b, const sz_model *model, size_t pos, const sz_token *t) {
    size_t n = 0;
    const char *piece = sz_tokenizer_piece(sz_model_tokenizer(model), t->id, &n);
    sz_buf_printf(b, "{\"pos\":%zu,\"id\":%d,\"piece\":", pos, t->id);
    sz_json_quote(b, piece ? piece : "", n);
    put(b, "surprisal_nats", t->surprisal);
    put(b, "entropy_nats", t->entropy);
    put(b, "varentropy_nats2", t->varentropy);
    put(b, "draw_surprisal_nats", t->draw_surprisal);
    put(b, "draw_entropy_nats", t->draw_entropy);
    put(b, "kept_mass", t->kept_mass);
    sz_buf_printf(b, ",\"kept\":%u,\"model\":%u,\"route\":%u}\n", t->kept_n, t->model, t->route);
}
