/* api_completions.c: POST /v1/completions, with the arrays of log-probabilities as they were. */
#include "api.h"

#include <string.h>

enum { DEFAULT_MAX_TOKENS = 16, MOST_PROMPTS = 2048, MOST_LOGPROBS = 20 };

/* ---- Log-probabilities --------------------------------------------------------------------------
 */

/* Pieces that are no text stand as "bytes:\x..". */
static void put_token(sz_buf *b, const sz_tokenizer *t, int32_t id) {
    size_t n = 0;
    const char *piece = sz_tokenizer_piece(t, id, &n);
    sz_buf clean = {0}, bytes = {0};
    if (piece && !sz_utf8_clean(piece, n, &clean)) {
        sz_buf_puts(&bytes, "bytes:");
        for (size_t i = 0; i < n; i++)
            sz_buf_printf(&bytes, "\\x%02x", (unsigned char)piece[i]);
        sz_json_quote(b, bytes.data, bytes.len);
    } else {
        sz_json_quote(b, piece ? piece : "", n);
    }
    b->failed |= clean.failed || bytes.failed;
    sz_buf_free(&clean);
    sz_buf_free(&bytes);
}

static void put_pair(sz_buf *b, const sz_tokenizer *t, int32_t id, float log_probability,
                     bool *any) {
    sz_buf_puts(b, *any ? "," : "");
    put_token(b, t, id);
    sz_buf_putc(b, ':');
    sz_json_float(b, log_probability);
    *any = true;
}

/* The likeliest tokens at a place, and the one that stands there. */
static void put_top(sz_buf *b, const sz_job *j, const sz_answer *a, size_t i) {
    const sz_token *t = &a->tokens[i].record;
    bool any = false, seen = false;
    sz_buf_putc(b, '{');
    for (uint32_t k = 0; k < j->form.n_logprobs; k++) {
        const sz_likely *l = &a->likely[i * a->n_top + k];
        if (l->id < 0)
            break;
        put_pair(b, a->tokenizer, l->id, l->log_probability, &any);
        seen |= l->id == t->id;
    }
    if (!seen)
        put_pair(b, a->tokenizer, t->id, -t->surprisal, &any);
    sz_buf_putc(b, '}');
}

static size_t count_characters(const char *s, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)s[i] & 0xC0) != 0x80;
    return count;
}

/* Characters before what the answer holds: those of the prompt, where it is no part of it. */
static size_t prompt_characters(const sz_job *j, const sz_choice *c) {
    const sz_part *p = c->part;
    sz_buf text = {0};
    if (j->form.echo)
        return 0;
    sz_tokenizer_decode(c->answer.tokenizer, p->ids, p->n_ids, false, true, &text);
    size_t n = text.data ? count_characters(text.data, text.len) : 0;
    sz_buf_free(&text);
    return n;
}

/* The first token of a text came from no distribution: its figures are null. */
static bool has_figures(const sz_token *t) {
    return t->surprisal == t->surprisal;
}

static void put_list(sz_buf *b, const char *key, const sz_job *j, const sz_answer *a, size_t first,
                     size_t last,
                     void (*put)(sz_buf *, const sz_job *, const sz_answer *, size_t)) {
    sz_buf_printf(b, "\"%s\":[", key);
    for (size_t i = first; i < last; i++) {
        sz_buf_puts(b, i > first ? "," : "");
        put(b, j, a, i);
    }
    sz_buf_putc(b, ']');
}

static void put_piece(sz_buf *b, const sz_job *j, const sz_answer *a, size_t i) {
    put_token(b, a->tokenizer, a->tokens[i].record.id);
}

static void put_logprob(sz_buf *b, const sz_job *j, const sz_answer *a, size_t i) {
    sz_json_float(b, -a->tokens[i].record.surprisal); /* NaN: null */
}

static void put_top_or_null(sz_buf *b, const sz_job *j, const sz_answer *a, size_t i) {
    if (has_figures(&a->tokens[i].record))
        put_top(b, j, a, i);
    else
        sz_buf_puts(b, "null");
}

static void put_logprobs(sz_buf *b, const sz_job *j, const sz_choice *c, size_t first,
                         size_t last) {
    const sz_answer *a = &c->answer;
    size_t at = 0, characters = prompt_characters(j, c);
    sz_buf_puts(b, ",\"logprobs\":");
    if (!j->form.logprobs) {
        sz_buf_puts(b, "null");
        return;
    }
    sz_buf_putc(b, '{');
    put_list(b, "tokens", j, a, first, last, put_piece);
    sz_buf_putc(b, ',');
    put_list(b, "token_logprobs", j, a, first, last, put_logprob);
    sz_buf_putc(b, ',');
    put_list(b, "top_logprobs", j, a, first, last, put_top_or_null);
    sz_buf_puts(b, ",\"text_offset\":[");
    for (size_t i = first; i < last; i++) {
        size_t begin = a->tokens[i].begin;
        if (begin > at)
            characters += count_characters(a->text.data + at, begin - at);
        at = begin > at ? begin : at;
        sz_buf_printf(b, "%s%zu", i > first ? "," : "", characters);
    }
    sz_buf_puts(b, "]}");
}

/* ---- Replies -----------------------------------------------------------------------------------
 */

static void put_choice(sz_buf *b, sz_job *j, sz_choice *c, size_t from, size_t first) {
    const sz_answer *a = &c->answer;
    sz_buf_printf(b, "{\"index\":%u,\"text\":", c->index);
    sz_json_quote(b, a->text.data ? a->text.data + from : "", a->n_told - from);
    put_logprobs(b, j, c, first, a->n_told_tokens);
    sz_buf_puts(b, ",\"finish_reason\":");
    sz_put_finish(b, c->finish);
    sz_put_choice_szilard(b, j, c, first, a->n_told_tokens);
    sz_buf_putc(b, '}');
}

static void told(sz_job *j, sz_choice *c) {
    size_t from, first;
    sz_buf b = {0};
    if (!j->form.stream)
        return;
    bool more = sz_answer_tell(&c->answer, &from, &first);
    if (!more && c->finish == SZ_FINISH_NONE)
        return;
    sz_reply_stream(j->reply, "text/event-stream; charset=utf-8");
    sz_put_head(&b, j, "text_completion");
    sz_buf_puts(&b, ",\"choices\":[");
    put_choice(&b, j, c, from, first);
    sz_buf_puts(&b, j->form.include_usage ? "],\"usage\":null" : "]");
    if (c->finish != SZ_FINISH_NONE && j->n_open == 1)
        sz_put_reply_szilard(&b, j);
    sz_buf_putc(&b, '}');
    sz_send_event(j, &b);
    sz_buf_free(&b);
}

static void finish_whole(sz_job *j) {
    sz_buf b = {0};
    sz_put_head(&b, j, "text_completion");
    sz_buf_puts(&b, ",\"choices\":[");
    for (size_t i = 0; i < j->n_parts * j->ask.n_choices; i++) {
        size_t from, first;
        sz_answer_tell(&j->choices[i].answer, &from, &first);
        sz_buf_puts(&b, i ? "," : "");
        put_choice(&b, j, &j->choices[i], 0, 0);
    }
    sz_buf_puts(&b, "],\"usage\":");
    sz_put_usage(&b, j);
    sz_put_reply_szilard(&b, j);
    sz_buf_putc(&b, '}');
    sz_finish_json(j, &b);
}

static void finish(sz_job *j, sz_status status) {
    if (status != SZ_OK)
        sz_fail_reply(j, status, SZ_SHAPE_OPENAI);
    else if (j->form.stream)
        sz_finish_events(j, "text_completion");
    else
        finish_whole(j);
}

static const sz_format format = {told, finish};

/* ---- The request -------------------------------------------------------------------------------
 */

static sz_status read_logprobs(sz_reader *r, sz_job *j) {
    int64_t n = -1;
    const sz_json *v = sz_read_member(r, "logprobs");
    if (v && v->type == SZ_JSON_FALSE)
        return SZ_OK;
    if (v && v->type == SZ_JSON_TRUE)
        n = 1;
    else
        SZ_TRY(sz_read_int(r, "logprobs", 0, MOST_LOGPROBS, &n));
    j->form.logprobs = n >= 0;
    j->form.n_logprobs = n > 0 ? (uint32_t)n : 0;
    if (j->form.n_logprobs > j->ask.n_top)
        j->ask.n_top = j->form.n_logprobs;
    return SZ_OK;
}

static sz_status check_best_of(sz_reader *r, const sz_job *j) {
    int64_t best_of = j->ask.n_choices;
    SZ_TRY(sz_read_int(r, "best_of", 1, 128, &best_of));
    if (best_of != j->ask.n_choices)
        return sz_read_fail(r, "best_of", "must equal 'n': all choices that are drawn are told");
    return SZ_OK;
}

/* With a suffix: the text between. */
static sz_status read_between(sz_reader *r, const char *suffix, sz_job *j) {
    const char *prompt = "";
    SZ_TRY(sz_read_text(r, "prompt", &prompt));
    if (j->form.echo)
        return sz_read_fail(r, "echo", "does not go with 'suffix'");
    SZ_TRY(sz_job_set_prompts(j, 1));
    return sz_prompt_between(j->model, prompt, suffix, &j->parts[0]);
}

static sz_status read_request(sz_exchange *x, sz_reader *r, sz_job *j) {
    const char *suffix = NULL;
    sz_form_begin(x, &j->form, "cmpl-");
    j->ask.max_tokens = DEFAULT_MAX_TOKENS;
    SZ_TRY(sz_request_read(x, r, j));
    SZ_TRY(read_logprobs(r, j));
    SZ_TRY(check_best_of(r, j));
    SZ_TRY(sz_request_read_stream_options(r, j));
    SZ_TRY(sz_read_bool(r, "echo", &j->form.echo));
    j->ask.score_prompt = j->form.echo;
    SZ_TRY(sz_read_text(r, "suffix", &suffix));
    SZ_TRY(suffix ? read_between(r, suffix, j)
                  : sz_request_read_prompts(r, "prompt", MOST_PROMPTS, j));
    SZ_TRY(sz_request_set_chains(x, r, j));
    return sz_request_bound_tokens(x, j);
}

void sz_api_completions(sz_exchange *x) {
    sz_exchange_generate(x, &format, NULL, read_request);
}
