/* answer.c: see answer.h. */
#include "answer.h"

#include <string.h>

void sz_answer_begin(sz_answer *a, const sz_tokenizer *t, char *const *stops, size_t n_stops,
                     uint32_t n_top) {
    *a = (sz_answer){.tokenizer = t, .stops = stops, .n_stops = n_stops, .n_top = n_top};
}

void sz_answer_free(sz_answer *a) {
    sz_buf_free(&a->text);
    sz_free(a->tokens);
    sz_free(a->likely);
    *a = (sz_answer){0};
}

static sz_status reserve(sz_answer *a) {
    if (a->n_tokens < a->cap_tokens)
        return SZ_OK;
    size_t cap = a->cap_tokens ? 2 * a->cap_tokens : 64, row = a->n_top * sizeof *a->likely;
    sz_written *tokens =
        sz_realloc(a->tokens, a->cap_tokens * sizeof *tokens, cap * sizeof *tokens);
    SZ_REQUIRE(tokens, SZ_E_NOMEM, "no memory for the records of an answer");
    a->tokens = tokens;
    if (row) {
        sz_likely *likely = sz_realloc(a->likely, a->cap_tokens * row, cap * row);
        SZ_REQUIRE(likely, SZ_E_NOMEM, "no memory for the alternatives of an answer");
        a->likely = likely;
    }
    a->cap_tokens = cap;
    return SZ_OK;
}

/* ---- Figures -----------------------------------------------------------------------------------
 */

void sz_answer_count(sz_answer *a, const sz_token *t) {
    sz_sums *s = &a->sums;
    s->n++;
    s->surprisal += (double)t->surprisal;
    s->entropy += (double)t->entropy;
    s->varentropy += (double)t->varentropy;
    s->draw_surprisal += (double)t->draw_surprisal;
    s->kept_mass += (double)t->kept_mass;
    if ((double)t->entropy > s->max_entropy)
        s->max_entropy = (double)t->entropy;
}

/* Over the latest tokens that were drawn, the newest included. */
static float window_mean(const sz_answer *a) {
    double sum = 0.0;
    size_t n = 0;
    for (size_t i = a->n_tokens; i-- > 0 && n < SZ_ANSWER_WINDOW;) {
        if (!(a->tokens[i].record.flags & SZ_TOKEN_GENERATED))
            break;
        sum += (double)a->tokens[i].record.entropy;
        n++;
    }
    return n ? (float)(sum / (double)n) : __builtin_nanf("");
}

static sz_status foresee_nothing(sz_answer *a) {
    SZ_TRY(reserve(a));
    for (size_t i = 0; i < a->n_top; i++)
        a->likely[a->n_tokens * a->n_top + i] = (sz_likely){-1, 0.0f};
    return SZ_OK;
}

sz_status sz_answer_foresee(sz_answer *a, const float *logits, size_t n_vocab, double log_sum_exp) {
    int32_t ids[SZ_ANSWER_TOP];
    if (!a->n_top)
        return SZ_OK;
    SZ_TRY(foresee_nothing(a));
    size_t n = sz_logits_top(logits, n_vocab, a->n_top, ids);
    for (size_t i = 0; i < n; i++)
        a->likely[a->n_tokens * a->n_top + i] =
            (sz_likely){ids[i], (float)((double)logits[ids[i]] - log_sum_exp)};
    a->foreseen = true;
    return SZ_OK;
}

/* ---- Text --------------------------------------------------------------------------------------
 */

/* Marks of thoughts and tool calls are text even where a file makes them control tokens. */
static bool is_mark(const char *piece) {
    static const char *const marks[] = {"<think>", "</think>", "<tool_call>", "</tool_call>"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strcmp(piece, marks[i]) == 0)
            return true;
    return false;
}

static void add_text(sz_answer *a, int32_t id) {
    size_t n = 0;
    if (id < 0 || (uint32_t)id >= sz_tokenizer_n_vocab(a->tokenizer))
        return;
    const char *piece = sz_tokenizer_piece(a->tokenizer, id, &n);
    if (!piece)
        return;
    if (!sz_tokenizer_is_control(a->tokenizer, id) || is_mark(piece))
        sz_buf_append(&a->text, piece, n);
}

/* Where the first stop string begins at or after `from`; *partly: where one may begin that is not
 * complete. Both are the text's length if there is none. */
static size_t find_stop(const sz_answer *a, size_t from, size_t *partly) {
    const char *s = a->text.data;
    *partly = a->text.len;
    for (size_t at = from; at < a->text.len; at++) {
        for (size_t i = 0; i < a->n_stops; i++) {
            size_t n = strlen(a->stops[i]), left = a->text.len - at;
            if (memcmp(s + at, a->stops[i], left < n ? left : n) != 0)
                continue;
            if (left >= n)
                return at;
            if (at < *partly)
                *partly = at;
        }
    }
    return a->text.len;
}

/* Moves n_certain; whether a stop string is complete. */
static bool advance(sz_answer *a) {
    size_t partly, from = a->n_certain;
    if (a->text.len == from)
        return false;
    size_t stop = find_stop(a, from, &partly);
    if (stop < a->text.len) {
        a->n_certain = stop;
        a->stopped = true;
        return true;
    }
    a->n_certain = from + sz_utf8_complete(a->text.data + from, partly - from);
    return false;
}

sz_status sz_answer_add(sz_answer *a, const sz_token *t, bool *stopped) {
    *stopped = false;
    SZ_TRY(a->foreseen ? SZ_OK : foresee_nothing(a));
    sz_written *w = &a->tokens[a->n_tokens];
    *w = (sz_written){.record = *t, .begin = a->text.len};
    add_text(a, t->id);
    SZ_REQUIRE(!a->text.failed, SZ_E_NOMEM, "no memory for the text of an answer");
    w->end = a->text.len;
    a->n_tokens++;
    a->foreseen = false;
    w->window = window_mean(a);
    if (t->flags & SZ_TOKEN_GENERATED) {
        sz_answer_count(a, t);
        *stopped = advance(a);
    } else {
        a->n_certain = a->text.len;
    }
    return SZ_OK;
}

sz_status sz_answer_copy(const sz_answer *from, sz_answer *to) {
    bool stopped;
    for (size_t i = 0; i < from->n_tokens; i++) {
        SZ_TRY(foresee_nothing(to));
        if (to->n_top)
            memcpy(to->likely + i * to->n_top, from->likely + i * from->n_top,
                   to->n_top * sizeof *to->likely);
        to->foreseen = true;
        SZ_TRY(sz_answer_add(to, &from->tokens[i].record, &stopped));
    }
    return SZ_OK;
}

void sz_answer_close(sz_answer *a) {
    if (!a->stopped)
        a->n_certain = a->text.len;
}

bool sz_answer_tell(sz_answer *a, size_t *from, size_t *first) {
    *from = a->n_told;
    *first = a->n_told_tokens;
    a->n_told = a->n_certain;
    bool all = a->n_certain == a->text.len;
    while (a->n_told_tokens < a->n_tokens &&
           (a->tokens[a->n_told_tokens].end <= a->n_certain ||
            (a->stopped && a->tokens[a->n_told_tokens].begin < a->n_certain)))
        a->n_told_tokens++;
    return a->n_told > *from || (all && a->n_told_tokens > *first);
}
