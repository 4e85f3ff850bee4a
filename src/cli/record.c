/* record.c: token records and pieces as JSON. */
#include "record.h"
#include "stages.h"

void sz_piece_put(sz_buf *b, const sz_tokenizer *t, int32_t id) {
    size_t n = 0;
    const char *piece = sz_tokenizer_piece(t, id, &n);
    if (piece)
        sz_json_quote(b, piece, n);
    else
        sz_buf_puts(b, "null");
}

bool sz_bytes_put_unless_utf8(sz_buf *b, const char *before, const char *s, size_t n) {
    sz_buf clean = {0};
    bool valid = sz_utf8_clean(s, n, &clean);
    b->failed |= clean.failed;
    sz_buf_free(&clean);
    if (valid)
        return false;
    sz_buf_puts(b, before);
    for (size_t i = 0; i < n; i++)
        sz_buf_printf(b, "%c%d", i ? ',' : '[', (unsigned char)s[i]);
    sz_buf_putc(b, ']');
    return true;
}

static void put_number(sz_buf *b, const char *key, bool known, double x) {
    sz_buf_printf(b, ",\"%s\":", key);
    if (known)
        sz_json_number(b, x);
    else
        sz_buf_puts(b, "null");
}

static void put_top(sz_buf *b, const sz_distribution *d) {
    sz_buf_puts(b, ",\"top\":");
    if (!d->logits) {
        sz_buf_puts(b, "null");
        return;
    }
    sz_buf_putc(b, '[');
    for (size_t i = 0; i < d->n_top; i++) {
        sz_buf_printf(b, "%s[%d,", i ? "," : "", d->top[i]);
        sz_json_number(b, (double)d->logits[d->top[i]] - d->stats->log_sum_exp);
        sz_buf_putc(b, ']');
    }
    sz_buf_putc(b, ']');
}

void sz_record_put_token(sz_buf *b, const sz_tokenizer *t, int32_t id) {
    if (id < 0) {
        sz_buf_puts(b, ",\"id\":null,\"piece\":null");
        return;
    }
    sz_buf_printf(b, ",\"id\":%d,\"piece\":", id);
    sz_piece_put(b, t, id);
    size_t n = 0;
    const char *piece = sz_tokenizer_piece(t, id, &n);
    if (piece)
        sz_bytes_put_unless_utf8(b, ",\"bytes\":", piece, n);
}

void sz_record_put(sz_buf *b, const sz_tokenizer *t, size_t pos, int32_t id,
                   const sz_distribution *d) {
    bool known = d->logits != NULL;
    sz_buf_printf(b, "{\"pos\":%zu", pos);
    sz_record_put_token(b, t, id);
    put_number(b, "surprisal_nats", known && id >= 0,
               known && id >= 0 ? d->stats->log_sum_exp - (double)d->logits[id] : 0);
    put_number(b, "entropy_nats", known, known ? d->stats->entropy : 0);
    put_number(b, "varentropy_nats2", known, known ? d->stats->varentropy : 0);
    put_top(b, d);
    sz_buf_puts(b, id < 0 ? ",\"next\":true}\n" : "}\n");
}

void sz_record_put_drawn(sz_buf *b, const sz_tokenizer *t, size_t pos, const sz_token *drawn,
                         const char *writer, const sz_chain *chain) {
    sz_buf_printf(b, "{\"pos\":%zu", pos);
    sz_record_put_token(b, t, drawn->id);
    sz_record_put_figures(b, drawn);
    if (writer)
        sz_buf_printf(b, ",\"writer\":\"%s\"", writer);
    if (chain)
        sz_stages_put_json(b, chain);
    sz_buf_puts(b, "}\n");
}

void sz_record_put_figures(sz_buf *b, const sz_token *drawn) {
    put_number(b, "surprisal_nats", true, (double)drawn->surprisal);
    put_number(b, "entropy_nats", true, (double)drawn->entropy);
    put_number(b, "varentropy_nats2", true, (double)drawn->varentropy);
    put_number(b, "draw_surprisal_nats", true, (double)drawn->draw_surprisal);
    put_number(b, "draw_entropy_nats", true, (double)drawn->draw_entropy);
    put_number(b, "kept_mass", true, (double)drawn->kept_mass);
    sz_buf_printf(b, ",\"kept_n\":%u,\"model\":%u,\"route\":%u", drawn->kept_n, drawn->model,
                  drawn->route);
}
