/* account.c: the object `szilard` of replies: the figures of each token, and of all of them. */
#include "api.h"

#include <szilard/unstable/num.h>

void sz_put_piece(sz_buf *b, const sz_tokenizer *t, int32_t id) {
    size_t n = 0;
    const char *piece = sz_tokenizer_piece(t, id, &n);
    sz_json_quote(b, piece ? piece : "", n);
}

void sz_put_piece_bytes(sz_buf *b, const sz_tokenizer *t, int32_t id) {
    size_t n = 0;
    const char *piece = sz_tokenizer_piece(t, id, &n);
    sz_buf_putc(b, '[');
    for (size_t i = 0; piece && i < n; i++)
        sz_buf_printf(b, "%s%d", i ? "," : "", (unsigned char)piece[i]);
    sz_buf_putc(b, ']');
}

static void put_float(sz_buf *b, const char *key, float x) {
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_float(b, x);
}

static void put_alternatives(sz_buf *b, const sz_job *j, const sz_likely *likely) {
    const sz_tokenizer *t = sz_model_tokenizer(j->model);
    sz_buf_puts(b, ",\"alternatives\":[");
    for (uint32_t i = 0; i < j->form.n_alternatives && likely[i].id >= 0; i++) {
        sz_buf_printf(b, "%s{\"id\":%d,\"piece\":", i ? "," : "", likely[i].id);
        sz_put_piece(b, t, likely[i].id);
        put_float(b, "logprob", likely[i].log_probability);
        put_float(b, "probability", (float)sz_exp((double)likely[i].log_probability));
        sz_buf_putc(b, '}');
    }
    sz_buf_putc(b, ']');
}

void sz_put_token_figures(sz_buf *b, const sz_job *j, const sz_answer *a, size_t first,
                          size_t last) {
    sz_buf_putc(b, '[');
    for (size_t i = first; i < last; i++) {
        const sz_written *w = &a->tokens[i];
        const sz_token *t = &w->record;
        sz_buf_printf(b, "%s{\"id\":%d,\"piece\":", i > first ? "," : "", t->id);
        sz_put_piece(b, a->tokenizer, t->id);
        put_float(b, "surprisal_nats", t->surprisal);
        put_float(b, "entropy_nats", t->entropy);
        put_float(b, "varentropy_nats2", t->varentropy);
        put_float(b, "draw_surprisal_nats", t->draw_surprisal);
        put_float(b, "draw_entropy_nats", t->draw_entropy);
        put_float(b, "kept_mass", t->kept_mass);
        sz_buf_printf(b, ",\"kept_n\":%u", t->kept_n);
        put_float(b, "window_entropy_nats", w->window);
        if (j->form.n_alternatives)
            put_alternatives(b, j, a->likely + i * a->n_top);
        sz_buf_putc(b, '}');
    }
    sz_buf_putc(b, ']');
}

static void put_sum(sz_buf *b, const char *key, double sum, double n) {
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_number(b, n > 0 ? sum / n : __builtin_nan(""));
}

void sz_put_account(sz_buf *b, const sz_job *j, const sz_choice *c) {
    static const char *const names[] = {"", "end", "stop", "length", "cancelled", "failed"};
    const sz_sums *s = &c->answer.sums;
    double n = (double)s->n;
    sz_buf_printf(b, "{\"finish\":\"%s\",\"tokens\":%zu", names[c->finish], s->n);
    put_sum(b, "surprisal_nats", s->surprisal, 1);
    put_sum(b, "entropy_nats", s->entropy, 1);
    put_sum(b, "mean_surprisal_nats", s->surprisal, n);
    put_sum(b, "mean_entropy_nats", s->entropy, n);
    put_sum(b, "mean_varentropy_nats2", s->varentropy, n);
    put_sum(b, "mean_draw_surprisal_nats", s->draw_surprisal, n);
    put_sum(b, "mean_kept_mass", s->kept_mass, n);
    put_sum(b, "most_entropy_nats", s->max_entropy, n > 0 ? 1 : 0);
    put_sum(b, "perplexity", n > 0 ? sz_exp(s->surprisal / n) : 0, n > 0 ? 1 : 0);
    sz_buf_putc(b, '}');
}

static void put_ms(sz_buf *b, const char *key, uint64_t from, uint64_t to) {
    sz_buf_printf(b, ",\"%s\":", key);
    if (from && to >= from)
        sz_buf_printf(b, "%.3f", (double)(to - from) * 1e-6);
    else
        sz_buf_puts(b, "null");
}

void sz_put_job_account(sz_buf *b, const sz_job *j) {
    uint64_t done = j->done_ns ? j->done_ns : sz_time_ns();
    sz_buf_printf(b, "{\"seed\":%llu,\"prompt_tokens\":%zu,\"cached_tokens\":%zu,\"tokens\":%zu",
                  (unsigned long long)j->ask.seed, sz_job_n_prompt(j), sz_job_n_cached(j),
                  sz_job_n_drawn(j));
    put_ms(b, "queued_ms", j->arrived_ns, j->begun_ns);
    put_ms(b, "first_token_ms", j->arrived_ns, j->first_ns);
    put_ms(b, "total_ms", j->arrived_ns, done);
    sz_buf_putc(b, '}');
}

void sz_put_choice_szilard(sz_buf *b, const sz_job *j, const sz_choice *c, size_t first,
                           size_t last) {
    if (!j->form.account)
        return;
    sz_buf_puts(b, ",\"szilard\":{\"tokens\":");
    if (j->form.token_figures)
        sz_put_token_figures(b, j, &c->answer, first, last);
    else
        sz_buf_puts(b, "[]");
    if (c->finish != SZ_FINISH_NONE) {
        sz_buf_puts(b, ",\"account\":");
        sz_put_account(b, j, c);
    }
    sz_buf_putc(b, '}');
}

void sz_put_reply_szilard(sz_buf *b, const sz_job *j) {
    if (!j->form.account)
        return;
    sz_buf_puts(b, ",\"szilard\":{\"account\":");
    sz_put_job_account(b, j);
    sz_buf_putc(b, '}');
}
