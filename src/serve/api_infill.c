/* api_infill.c: POST /infill: what stands between two texts, for models with tokens that mark them.
 */
#include "api.h"

#include <string.h>

/* The marks of prefix, suffix and middle as model families spell them. */
static const char *const marks[][3] = {
    {"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"}, /* Qwen, CodeGemma */
    {"<fim_prefix>", "<fim_suffix>", "<fim_middle>"},       /* StarCoder, SmolLM */
    {"<|fim_begin|>", "<|fim_hole|>", "<|fim_end|>"},       /* DeepSeek */
    {"<PRE>", "<SUF>", "<MID>"},                            /* Code Llama */
};

static bool find_marks(const sz_tokenizer *t, int32_t ids[3]) {
    for (size_t k = 0; k < sizeof marks / sizeof *marks; k++) {
        bool all = true;
        for (int i = 0; i < 3; i++) {
            ids[i] = sz_tokenizer_find(t, marks[k][i], strlen(marks[k][i]));
            all &= ids[i] >= 0;
        }
        if (all)
            return true;
    }
    return false;
}

static sz_status append(const sz_tokenizer *t, int32_t mark, const char *text, sz_part *p) {
    int32_t *ids, *all;
    size_t n;
    SZ_TRY(sz_tokenizer_encode(t, text, strlen(text), 0, &ids, &n));
    all = sz_realloc(p->ids, p->n_ids * sizeof *all, (p->n_ids + n + 1) * sizeof *all);
    if (all) {
        all[p->n_ids] = mark;
        if (n)
            memcpy(all + p->n_ids + 1, ids, n * sizeof *all);
        p->ids = all;
        p->n_ids += n + 1;
    }
    sz_free(ids);
    SZ_REQUIRE(all, SZ_E_NOMEM, "no memory for %zu tokens", n);
    return SZ_OK;
}

sz_status sz_prompt_between(const sz_model *m, const char *before, const char *after, sz_part *p) {
    const sz_tokenizer *t = sz_model_tokenizer(m);
    int32_t ids[3];
    SZ_REQUIRE(find_marks(t, ids), SZ_E_UNSUPPORTED,
               "this model has no tokens for a prefix, a suffix and the middle");
    SZ_TRY(append(t, ids[0], before, p));
    SZ_TRY(append(t, ids[1], after, p));
    return append(t, ids[2], "", p);
}

static void put_content(sz_buf *b, const sz_job *j, sz_choice *c, size_t from, size_t first) {
    const sz_answer *a = &c->answer;
    bool stop = c->finish != SZ_FINISH_NONE;
    sz_buf_puts(b, "{\"index\":0,\"content\":");
    sz_json_quote(b, a->text.data ? a->text.data + from : "", a->n_told - from);
    sz_buf_printf(b, ",\"stop\":%s", stop ? "true" : "false");
    if (stop)
        sz_buf_printf(b, ",\"stop_type\":\"%s\",\"tokens_evaluated\":%zu,\"tokens_predicted\":%zu",
                      c->finish == SZ_FINISH_LENGTH ? "limit"
                      : c->finish == SZ_FINISH_STOP ? "word"
                                                    : "eos",
                      sz_job_n_prompt(j), sz_job_n_drawn(j));
    sz_put_choice_szilard(b, j, c, first, a->n_told_tokens);
    sz_buf_putc(b, '}');
}

static void told(sz_job *j, sz_choice *c) {
    size_t from, first;
    sz_buf b = {0};
    if (!j->form.stream ||
        (!sz_answer_tell(&c->answer, &from, &first) && c->finish == SZ_FINISH_NONE))
        return;
    sz_reply_stream(j->reply, "text/event-stream; charset=utf-8");
    put_content(&b, j, c, from, first);
    sz_send_event(j, &b);
    sz_buf_free(&b);
}

static void finish(sz_job *j, sz_status status) {
    sz_buf b = {0};
    size_t from, first;
    if (status != SZ_OK) {
        sz_fail_reply(j, status, SZ_SHAPE_OPENAI);
    } else if (j->form.stream) {
        sz_reply_end(j->reply);
    } else {
        sz_answer_tell(&j->choices[0].answer, &from, &first);
        put_content(&b, j, &j->choices[0], 0, 0);
        sz_finish_json(j, &b);
    }
}

static const sz_format format = {told, finish};

static sz_status read_request(sz_exchange *x, sz_reader *r, sz_job *j) {
    const char *before = "", *after = "", *more = "";
    sz_buf text = {0};
    sz_form_begin(x, &j->form, "infill-");
    SZ_TRY(sz_request_read(x, r, j));
    SZ_TRY(sz_read_text(r, "input_prefix", &before));
    SZ_TRY(sz_read_text(r, "input_suffix", &after));
    SZ_TRY(sz_read_text(r, "prompt", &more)); /* stands behind the prefix */
    j->ask.n_choices = 1;
    SZ_TRY(sz_job_set_prompts(j, 1));
    sz_buf_printf(&text, "%s%s", before, more);
    sz_status status = sz_prompt_between(j->model, text.data ? text.data : "", after, &j->parts[0]);
    sz_buf_free(&text);
    SZ_TRY(status);
    SZ_TRY(sz_request_set_chains(x, r, j));
    return sz_request_bound_tokens(x, j);
}

void sz_api_infill(sz_exchange *x) {
    sz_exchange_generate(x, &format, NULL, read_request);
}
